//! The Envoy of a pod, as far as its admin port has to do with log levels: it has one, and it does what it is told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

/// An Envoy. Clones are the same one.
#[derive(Clone)]
pub struct Envoy(Arc<Mutex<Inner>>);

struct Inner {
    wasm: String,
    posted: Vec<String>,
    deaf: bool,
    slow: Duration,
}

impl Envoy {
    /// One whose `wasm` logger is at this level.
    pub fn at(wasm: &str) -> Self {
        Self(Arc::new(Mutex::new(Inner { wasm: wasm.to_owned(), posted: Vec::new(), deaf: false, slow: Duration::ZERO })))
    }

    /// The level of its `wasm` logger.
    pub fn level(&self) -> String {
        self.with(|inner| inner.wasm.clone())
    }

    /// Sets it, as somebody else would.
    pub fn set(&self, level: &str) {
        self.with(|inner| inner.wasm = level.to_owned());
    }

    /// Does from now on nothing of what it is told, though it answers.
    pub fn turn_deaf(&self) {
        self.with(|inner| inner.deaf = true);
    }

    /// Takes this long from now on to do what it is told.
    pub fn slow_down(&self, slow: Duration) {
        self.with(|inner| inner.slow = slow);
    }

    /// What it was told, in order.
    pub fn posted(&self) -> Vec<String> {
        self.with(|inner| inner.posted.clone())
    }

    /// Its answer to a request.
    pub async fn answer(&self, method: &str, path: &str) -> (u16, String) {
        let path = path.trim_start_matches('/');
        match (method, path.split_once('?')) {
            ("POST", None) if path == "logging" => (200, self.listed()),
            ("POST", Some(("logging", change))) => {
                let slow = self.with(|inner| inner.slow);
                tokio::time::sleep(slow).await;
                self.with(|inner| {
                    inner.posted.push(path.to_owned());
                    if let (false, Some(level)) = (inner.deaf, change.strip_prefix("wasm=")) {
                        inner.wasm = level.to_owned();
                    }
                });
                (200, self.listed())
            }
            ("GET", _) if path.starts_with("config_dump") => {
                let listeners = json!({"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump"});
                (200, json!({"configs": [listeners]}).to_string())
            }
            _ => (405, "Method Not Allowed".to_owned()),
        }
    }

    fn listed(&self) -> String {
        format!("active loggers:\n  misc: error\n  wasm: {}\n\n", self.level())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
