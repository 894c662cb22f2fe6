//! Manifests in files, for the question of what would be.

use std::io::{self, Read};
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
    let path = file.to_owned();
    objects(&file.display().to_string(), move || regular::text(&path, MOST_BYTES)).await
}

/// The same of what standard input has.
///
/// # Errors
/// As for [`read`].
pub async fn stdin() -> Result<Vec<Value>, String> {
    let text = || {
        let mut text = String::new();
        io::stdin().lock().take(MOST_BYTES + 1).read_to_string(&mut text)?;
        let is_whole = text.len() as u64 <= MOST_BYTES;
        is_whole
            .then_some(text)
            .ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} MiB", MOST_BYTES >> 20)))
    };
    objects("standard input", text).await
}

async fn objects(name: &str, text: impl FnOnce() -> io::Result<String> + Send + 'static) -> Result<Vec<Value>, String> {
    let objects = tokio::task::spawn_blocking(move || {
        let text = text().map_err(|error| format!("cannot be read: {error}"))?;
        let found = manifest::objects(&text)?;
        if found.is_empty() { Err("holds no object; name a file with a manifest in it".to_owned()) } else { Ok(found) }
    });
    objects.await.unwrap_or_else(|error| Err(format!("cannot be read: {error}"))).map_err(|why| format!("{name} {why}"))
}
