//! Understanding: bytes and raw objects in, model values and warnings out.
//!
//! Pure: no clock, no files, no network, no terminal. Parsing never fails as a whole: what was understood is returned,
//! and what was not is a warning with its place. Secrets are removed here, so nothing later can hold one.

pub mod collect;
pub mod config_dump;
pub mod finder;
pub(crate) mod go_url;
pub mod init_dump;
pub mod istiod;
pub mod kubernetes;
pub mod logging;
pub mod logs;
pub mod managed_fields;
pub mod manifest;
pub mod metrics;
pub mod plugin_name;
pub mod redact;
pub mod schema;
mod unread;
pub mod workloads;
pub mod yaml;
