//! What istiod says of itself and of the proxies that are connected to it.

mod client_config;
mod mesh;
mod syncz;
mod version;
mod watches;

pub use mesh::settings;
pub use syncz::{Syncz, syncz};
pub use version::istiod_version;
pub use watches::{Watches, watches};
