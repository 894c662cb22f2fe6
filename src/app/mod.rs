//! The terminal program's state, its keys and its event loop. No widgets, no colours: those are `ui`'s.

pub mod action;
pub mod clipboard;
pub mod fuzzy;
pub mod key;
pub mod keymap;
pub mod runtime;
pub mod state;
pub mod terminal;
