//! The command palette: a prompt, and the actions whose names match it.

use super::list::ListState;
use super::prompt::Prompt;
use crate::app::action::Binding;
use crate::app::fuzzy::Pattern;
use crate::app::keymap::{self, Context};

/// The palette while it is open.
#[derive(Clone, Debug)]
pub struct Palette {
    /// What is typed.
    pub prompt: Prompt,
    /// The actions that match, the best first.
    pub rows: Vec<PaletteRow>,
    /// Which of them is selected.
    pub list: ListState,
    context: Context,
}

/// An action in the palette.
#[derive(Clone, Debug)]
pub struct PaletteRow {
    /// The action's row of the table.
    pub binding: &'static Binding,
    /// The characters of its name that match, counted in characters.
    pub positions: Vec<usize>,
}

impl Palette {
    /// Opens it over a screen: it lists what can be run there.
    pub fn open(context: Context) -> Self {
        let mut palette = Self { prompt: Prompt::default(), rows: Vec::new(), list: ListState::default(), context };
        palette.search();
        palette
    }

    /// Looks again, after the prompt has changed.
    pub fn search(&mut self) {
        // The palette lists what it was opened for, itself left out: running it again would change nothing.
        let offered: Vec<&'static Binding> =
            keymap::offered(&self.context).filter(|binding| binding.action != crate::app::action::Action::Commands).collect();
        let hits = Pattern::new(self.prompt.text()).rank(offered.iter().map(|binding| binding.name));
        self.rows = hits.into_iter().map(|hit| PaletteRow { binding: offered[hit.index], positions: hit.positions }).collect();
        self.list = ListState::default();
    }

    /// The selected action; None where none matches.
    pub fn selected(&self) -> Option<&'static Binding> {
        self.rows.get(self.list.selected).map(|row| row.binding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::{Action, View};

    #[test]
    fn finds_actions_by_letters_of_their_names() {
        let mut palette = Palette::open(Context::of(View::Chains));
        assert!(palette.rows.iter().all(|row| row.binding.action != Action::Commands));
        palette.prompt.paste("exall");
        palette.search();
        assert_eq!(palette.selected().map(|binding| binding.action), Some(Action::ExpandAll));
        palette.prompt.paste("zz");
        palette.search();
        assert!(palette.selected().is_none());
    }
}
