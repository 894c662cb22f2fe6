//! How the control plane is, which the header shows on every screen.

use super::App;
use crate::analysis::headline::{Headline, headline};

impl App {
    /// What is wrong with the control plane, by what was read in the background.
    pub fn headline(&self) -> Option<Headline> {
        headline(&self.snapshot)
    }
}
