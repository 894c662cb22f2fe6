//! What the eye sees: themes, widgets and views. It draws what it is given and never changes it.

pub mod theme;
