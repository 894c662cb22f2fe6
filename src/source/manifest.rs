//! Manifests in files, for the question of what would be.

use std::path::Path;

use serde_json::Value;

use crate::ingest::manifest;

/// Manifests larger than this are taken for a mistake.
const MOST_BYTES: u64 = 64 << 20;

/// The objects of a manifest. Nothing of them is understood yet.
///
/// # Errors
/// What failed, on what, in one line.
pub async fn read(file: &Path) -> Result<Vec<Value>, String> {
    let failed = |error: std::io::Error| format!("{} cannot be read: {error}", file.display());
    let size = tokio::fs::metadata(file).await.map_err(failed)?.len();
    if size > MOST_BYTES {
        return Err(format!("{} has {} MB, which is no manifest", file.display(), size >> 20));
    }
    let text = tokio::fs::read_to_string(file).await.map_err(failed)?;
    let name = file.display().to_string();
    let objects = tokio::task::spawn_blocking(move || manifest::objects(&text)).await;
    objects.map_err(|error| format!("{name} cannot be read: {error}"))?.map_err(|why| format!("{name} {why}"))
}
