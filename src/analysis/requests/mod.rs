//! Requests and connections that fail, by the access log: read in groups, each with its cause and the object that makes it so.

mod black_hole;
mod blame;
pub mod cause;
mod custom;
mod denied;
mod endpoints;
mod filters;
mod fits;
mod gateway;
mod gateway_api;
mod gather;
mod held;
mod jwt;
mod mesh;
mod own;
mod routes;
mod stub;
mod tls;
mod upstream;
mod window;

pub use blame::{Blame, MENDED, REACH, blame, is_gateway};
pub use gather::Gatherer;
pub use jwt::key_sources;
pub use mesh::Mesh;
pub use routes::DeadRoute;
pub use window::{Window, end_of_log, written};
