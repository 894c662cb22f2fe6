//! Writes a recording of a mesh: all that the answers need, from any source, into a folder that [`super::files`] reads.
//!
//! Nothing is written that did not pass [`crate::ingest::redact`]. What cannot be read is named, in the report and in the
//! recording itself, and never stops the rest; only a folder that cannot be written does.

mod contents;
mod folder;
mod istiod;
mod objects;
mod proxies;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use self::folder::Folder;
use super::files::INTERRUPTED;
use super::{FailureKind, SharedSource, SourceError};
use crate::model::ids::ProxyId;
use crate::model::warning::Warning;

/// How many requests are under way at once: enough to be quick, too few to be a burden on a cluster.
const AT_ONCE: usize = 4;

/// A proxy to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordTarget {
    /// Which proxy.
    pub proxy: ProxyId,
    /// Its container, `istio-proxy`.
    pub container: String,
    /// Envoy's admin port.
    pub admin_port: u16,
}

/// What was recorded, and what was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordReport {
    /// The folder, as text.
    pub folder: String,
    /// How many files were written.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// How many proxies' dumps are among them.
    pub proxies: usize,
    /// What could not be read.
    pub warnings: Vec<Warning>,
}

impl fmt::Display for RecordReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let Self { folder, files, bytes, proxies, warnings } = self;
        let tenths = bytes * 10 / (1 << 20);
        let ies = if *proxies == 1 { "y" } else { "ies" };
        write!(f, "recorded {proxies} prox{ies} in {files} file{} ({}.{} MiB): {folder}", plural(*files), tenths / 10, tenths % 10)?;
        if !warnings.is_empty() {
            write!(f, "; {} thing{} could not be read, listed in k8s/unread.json", warnings.len(), plural(warnings.len()))?;
        }
        Ok(())
    }
}

/// What a recording says that it lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacks {
    /// What its writer could not read, and why.
    pub unread: Vec<(String, String)>,
    /// Whether its writing was interrupted.
    pub unfinished: bool,
}

/// Which strings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strings {
    /// All but the secrets that are recognised.
    #[default]
    Unrecognised,
    /// None of the plugins' configuration either: a secret may look like any other text there.
    NotOfPlugins,
}

/// Something that could not be read: what, and why.
#[derive(Clone, Debug)]
struct Gap {
    what: String,
    why: String,
    fix: String,
}

impl Gap {
    fn new(what: impl Into<String>, error: SourceError) -> Self {
        Self { what: what.into(), why: error.what, fix: error.fix }
    }

    fn said(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into(), fix: String::new() }
    }
}

/// Records the objects that `source` has, these proxies, and the istiods. `folder` is made, or empty; where nothing comes of it, what
/// was made is removed. `deadline` holds for each single request.
pub async fn record(
    source: SharedSource,
    folder: &Path,
    targets: Vec<RecordTarget>,
    deadline: Duration,
    strings: Strings,
) -> Result<RecordReport, SourceError> {
    let folder = Folder::begin(folder, strings).await?;
    let written = write(&source, &folder, &targets, deadline).await;
    if written.is_err() {
        folder.remove().await;
    }
    written
}

async fn write(source: &SharedSource, folder: &Folder, targets: &[RecordTarget], deadline: Duration) -> Result<RecordReport, SourceError> {
    let lacks = source.lacks().await;
    let (pods, mut gaps) = objects::record(source, folder).await?;
    let (proxies, more) = proxies::record(source, folder, targets, deadline).await?;
    gaps.extend(more);
    gaps.extend(istiod::record(source, folder, targets, &pods).await?);
    // What the recording that is recorded says of itself goes first: it knows why.
    gaps.retain(|gap| !lacks.unread.iter().any(|(what, _)| *what == gap.what));
    gaps.extend(lacks.unread.into_iter().map(|(what, why)| Gap::said(what, why)));
    gaps.sort_by(|a, b| (&a.what, &a.why).cmp(&(&b.what, &b.why)));
    gaps.dedup_by(|a, b| a.what == b.what && a.why == b.why);
    if folder.files() == 0 {
        let (why, fix) = gaps
            .into_iter()
            .next()
            .map_or_else(|| ("the mesh has nothing of the kind".to_owned(), String::new()), |gap| (gap.why, gap.fix));
        return Err(SourceError::new(FailureKind::Unreachable, format!("nothing could be recorded: {why}"), fix));
    }
    if !gaps.is_empty() {
        let list: Vec<_> = gaps.iter().map(|gap| json!({"kind": gap.what, "why": gap.why})).collect();
        folder.write("k8s/unread.json", contents::pretty(&json!(list))).await?;
    }
    let (files, bytes) = (folder.files(), folder.bytes());
    let name = folder.finish(!lacks.unfinished).await?;
    let mut warnings: Vec<Warning> = gaps.into_iter().map(|gap| Warning::new(gap.what, gap.why, gap.fix)).collect();
    if lacks.unfinished {
        warnings.push(Warning::new("the recording", INTERRUPTED, "record the mesh again"));
    }
    Ok(RecordReport { folder: name, files, bytes, proxies, warnings })
}
