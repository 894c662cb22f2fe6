//! Where the person is in a list, a text or a prompt: plain values that a key changes and a frame reads.

mod deferred;
mod fetch;
mod list;
mod palette;
mod prompt;
mod tally;
mod waits;

pub(in crate::app) use deferred::Deferred;
pub(in crate::app) use fetch::Fetch;
pub use list::{ListState, window};
pub use palette::{Palette, PaletteRow};
pub use prompt::Prompt;
pub use tally::{Sum, Tally};
pub use waits::{Ticket, Wait, Waits};
