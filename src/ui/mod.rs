//! What the eye sees: themes, text and widgets. It draws what it is given and never changes it.

pub mod look;
pub mod svg;
pub mod symbols;
pub mod text;
pub mod theme;
pub mod views;
pub mod widgets;

pub use look::Look;
