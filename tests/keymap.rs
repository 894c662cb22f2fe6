//! The table of keys holds together: no key has two meanings, every action can be reached and is explained.

use std::collections::BTreeSet;

use meshscope::app::action::{Action, BINDINGS, View};
use meshscope::app::key::Key;
use meshscope::app::keymap::{self, Context};

fn contexts() -> impl Iterator<Item = Context> {
    View::ALL.into_iter().map(|view| Context { scenes: true, live_proxy: true, ..Context::of(view) })
}

#[test]
fn no_two_actions_share_a_key_on_one_screen() {
    for context in contexts() {
        let mut seen: Vec<(Key, Action)> = Vec::new();
        for binding in keymap::offered(&context) {
            for key in binding.keys {
                let other = seen.iter().find(|(known, _)| known == key);
                assert!(other.is_none(), "{:?}: {key:?} means {:?} and {:?}", context.view, binding.action, other);
                seen.push((*key, binding.action));
            }
        }
    }
}

#[test]
fn a_letter_means_the_same_on_every_screen() {
    for key in BINDINGS.iter().flat_map(|binding| binding.keys) {
        // In a tree, blanks and arrows sideways open and close; in a log they mark and scroll.
        if matches!(key, Key::Char(' ') | Key::Left | Key::Right) {
            continue;
        }
        let meanings: Vec<Action> = contexts().filter_map(|context| keymap::action_for(*key, &context)).collect();
        assert!(meanings.iter().all(|action| *action == meanings[0]), "{key:?}: {meanings:?}");
    }
}

#[test]
fn every_action_is_named_explained_and_somewhere() {
    let names: BTreeSet<&str> = BINDINGS.iter().map(|binding| binding.name).collect();
    assert_eq!(names.len(), BINDINGS.len(), "names are unique");
    for binding in BINDINGS {
        assert_eq!(binding.action.binding().name, binding.name);
        assert!(binding.name.chars().all(|char| char.is_ascii_lowercase() || char == '-'), "{}", binding.name);
        assert!(!binding.does.ends_with('.') && binding.does.len() > 5, "{}", binding.name);
        assert!(!binding.views.is_empty(), "{}", binding.name);
    }
}

#[test]
fn every_screen_can_be_left_and_explains_itself() {
    for context in contexts() {
        assert_eq!(keymap::action_for(Key::Esc, &context), Some(Action::Back));
        assert_eq!(keymap::action_for(Key::Ctrl('c'), &context), Some(Action::Quit));
        assert_eq!(keymap::action_for(Key::Char('?'), &context).is_some(), context.view != View::Help);
    }
}

#[test]
fn what_is_not_there_has_no_key() {
    let context = Context::of(View::Plugins);
    assert_eq!(keymap::action_for(Key::Char('M'), &context), None);
    assert_eq!(keymap::action_for(Key::Tab, &context), None);
    assert_eq!(keymap::action_for(Key::Char('M'), &Context { scenes: true, ..context }), Some(Action::NextScene));
    assert!(keymap::help(&context, false).iter().all(|hint| !hint.word.contains("demo")));
}

#[test]
fn letters_are_text_while_typing() {
    let context = Context { typing: true, ..Context::of(View::Plugins) };
    assert_eq!(keymap::action_for(Key::Char('q'), &context), None);
    assert_eq!(keymap::action_for(Key::Left, &context), None);
    assert_eq!(keymap::action_for(Key::Enter, &context), Some(Action::Open));
    assert_eq!(keymap::action_for(Key::Down, &context), Some(Action::Down));
    assert_eq!(keymap::action_for(Key::Ctrl('c'), &context), Some(Action::Quit));
}

#[test]
fn the_footer_shows_the_most_useful_first() {
    let words: Vec<&str> = keymap::footer(&Context::of(View::Plugins), false).iter().map(|hint| hint.word).collect();
    assert_eq!(words[..6], ["open", "why", "chains", "order", "logs", "find"]);
    assert!(keymap::footer(&Context::of(View::Plugins), true).iter().all(|hint| hint.keys.is_ascii()));
}

#[test]
fn the_level_stands_in_the_footer_where_it_can_be_raised() {
    for view in View::ALL {
        let has = |context: Context| keymap::footer(&context, false).iter().any(|hint| hint.keys == "L" && hint.word == "raise-level");
        let context = Context::of(view);
        assert!(!has(context), "{view:?}: over a recording, or with no proxy in question");
        let offered = keymap::action_for(Key::Char('L'), &context).is_some();
        assert_eq!(has(Context { live_proxy: true, ..context }), offered, "{view:?}");
    }
}

#[test]
fn the_readme_table_has_every_action() {
    let table = keymap::readme_table();
    assert!(table.is_ascii());
    for binding in BINDINGS {
        assert!(table.contains(&format!("`:{}`", binding.name)), "{}", binding.name);
    }
    assert!(table.contains("| `j` `Down` | Go down a row | `:down` | all |\n"), "{table}");
}
