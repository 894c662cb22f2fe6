//! Manifests in files, for the question of what would be.

use std::path::Path;

use serde_json::Value;

use super::regular;
use crate::ingest::manifest;

/// Manifests larger than this are taken for a mistake.
const MOST_BYTES: u64 = 64 << 20;

/// The objects of a manifest. Nothing of them is understood yet.
///
/// # Errors
/// What failed, on what, in one line.
pub async fn read(file: &Path) -> Result<Vec<Value>, String> {
    let (name, path) = (file.display().to_string(), file.to_owned());
    let objects = tokio::task::spawn_blocking(move || {
        let text = regular::text(&path, MOST_BYTES).map_err(|error| format!("cannot be read: {error}"))?;
        manifest::objects(&text)
    });
    objects.await.unwrap_or_else(|error| Err(format!("cannot be read: {error}"))).map_err(|why| format!("{name} {why}"))
}
