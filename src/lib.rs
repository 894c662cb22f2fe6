//! meshscope: which WasmPlugin sits in which filter chain of which proxy of an Istio mesh, how often, and why.
//!
//! Data flows one way, and each stage is a module: [`source`] reads bytes, [`ingest`] understands them, [`model`] holds
//! them, [`analysis`] answers, and [`report`] and [`ui`] show the answers as text and on the screen. [`app`] is the
//! terminal program's state and event loop.

// What the program is made of never panics on purpose; tests may.
#![warn(clippy::unwrap_used, clippy::expect_used)]

pub mod analysis;
pub mod app;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod error;
pub mod fetch;
pub mod ingest;
pub mod level;
pub mod logs;
pub mod model;
pub mod report;
pub mod source;
pub mod ui;
