//! The terminal program's state, its keys and its event loop. No widgets, no colours: those are `ui`'s.

pub mod action;
pub mod clipboard;
pub mod effect;
pub mod fuzzy;
pub mod handler;
pub mod job;
pub mod key;
pub mod keymap;
pub mod level;
pub mod logs;
pub mod msg;
pub mod program;
pub mod question;
pub mod rows;
pub mod runtime;
mod say;
pub mod screen;
pub mod state;
pub mod terminal;
mod update;

pub use program::App;
