//! What the table of actions says for a screen: which action a key means, and the words for footer, help and README.

use super::action::{Action, BINDINGS, Binding, Needs, View};
use super::key::Key;

/// Where the person is, as far as keys depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The screen.
    pub view: View,
    /// Whether the source has scenes to switch between.
    pub scenes: bool,
    /// Whether a proxy of a live mesh is in question.
    pub live_proxy: bool,
    /// Whether the pod that the screen is about is gone: the footer offers no key that needs one.
    pub no_proxy: bool,
    /// Whether keys are text now: a prompt is open.
    pub typing: bool,
}

impl Context {
    /// A screen on which nothing special is so.
    pub fn of(view: View) -> Self {
        Self { view, scenes: false, live_proxy: false, no_proxy: false, typing: false }
    }

    /// Whether an action can be run here.
    pub fn offers(&self, binding: &Binding) -> bool {
        let met = match binding.needs {
            // Without a proxy the key says what is missing.
            Needs::Nothing | Needs::LiveProxy => true,
            Needs::Scenes => self.scenes,
        };
        met && binding.views.contains(&self.view)
    }
}

/// A key's text and the word next to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The key or keys.
    pub keys: String,
    /// What it does.
    pub word: &'static str,
}

/// What a key means here.
pub fn action_for(key: Key, context: &Context) -> Option<Action> {
    if context.typing && !key.works_while_typing() {
        return None;
    }
    offered(context).find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

/// All actions that can be run here, in the table's order: the palette's list.
pub fn offered(context: &Context) -> impl Iterator<Item = &'static Binding> + '_ {
    BINDINGS.iter().filter(|binding| context.offers(binding))
}

/// The hints of the key line, the most useful first; a narrow line drops the last ones.
pub fn footer(context: &Context, ascii: bool) -> Vec<Hint> {
    let is_of_use = |binding: &&Binding| binding.needs != Needs::LiveProxy || context.live_proxy;
    let leads_on = |binding: &&Binding| {
        !context.no_proxy
            || matches!(binding.action, Action::Back | Action::Sync | Action::Findings | Action::Commands | Action::Help | Action::Quit)
    };
    let has_place = |binding: &&Binding| binding.footer > 0 && !binding.keys.is_empty();
    let mut shown: Vec<&Binding> = offered(context).filter(has_place).filter(is_of_use).filter(leads_on).collect();
    // What a silent plugin needs follows the help, and takes the place of the step from warning to warning.
    shown.sort_by_key(|binding| match binding.action {
        Action::Help if context.live_proxy => 6,
        Action::NextWarning if context.live_proxy => 8,
        _ => binding.footer,
    });
    shown.iter().map(|binding| Hint { keys: binding.keys[0].label(ascii), word: binding.name }).collect()
}

/// The rows of the help screen: every action that can be run here, with all its keys.
pub fn help(context: &Context, ascii: bool) -> Vec<Hint> {
    offered(context).map(|binding| Hint { keys: all_keys(binding, ascii), word: binding.does }).collect()
}

/// The README's table of keys, as Markdown.
pub fn readme_table() -> String {
    let mut table = "| Key | Action | Name | Screens |\n|---|---|---|---|\n".to_owned();
    for binding in BINDINGS {
        let keys: Vec<String> = binding.keys.iter().map(|key| format!("`{}`", key.label(true))).collect();
        let keys = if keys.is_empty() { "none".to_owned() } else { keys.join(" ") };
        table.push_str(&format!("| {keys} | {} | `:{}` | {} |\n", binding.does, binding.name, screens(binding)));
    }
    table
}

fn all_keys(binding: &Binding, ascii: bool) -> String {
    if binding.keys.is_empty() {
        return format!(":{}", binding.name);
    }
    binding.keys.iter().map(|key| key.label(ascii)).collect::<Vec<_>>().join(" ")
}

fn screens(binding: &Binding) -> String {
    let titles: Vec<&str> = binding.views.iter().map(|view| view.title()).collect();
    let where_ = if binding.views.len() == View::ALL.len() { "all".to_owned() } else { titles.join(", ") };
    match binding.needs {
        Needs::Nothing => where_,
        Needs::Scenes => format!("{where_} (demo)"),
        Needs::LiveProxy => format!("{where_} (live)"),
    }
}
