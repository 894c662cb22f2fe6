//! Reads the logs that the story of a plugin's change is told from: those of all istiods and of the proxies concerned, to their
//! ends, of which only what the story can need is kept.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout_at;

use super::{View, run};
use crate::analysis::logs::{Choice, Filter, FilterSpec, targets};
use crate::analysis::timeline::{Gathered, Gatherer};
use crate::clock;
use crate::model::ids::PluginId;
use crate::model::snapshot::Snapshot;
use crate::source::SharedSource;
use crate::source::logs::LogQuery;

/// How many batches of records may wait.
const WAITING: usize = 4;

/// Gathers what the logs tell of a plugin, those lines that are younger than `since` or all. What could not be read in time is
/// said among the marks.
pub async fn gather(source: SharedSource, snapshot: &Snapshot, plugin: &PluginId, since: Option<Duration>, patience: Duration) -> Gathered {
    let deadline = clock::now() + patience;
    let choice = Choice { plugin: Some(plugin.clone()), ..Choice::default() };
    let found = targets(snapshot, &choice, source.logs_held().as_deref());
    let mut gatherer = Gatherer::new(plugin.clone());
    let objects = snapshot.objects.clone();
    // A filter that asks for all cannot be wrong.
    let Ok(filter) = Filter::new(FilterSpec::default(), &objects) else { return gatherer.gathered() };
    let view = View { origins: found.origins.into(), objects, alone: !snapshot.has_objects, filter: Arc::new(filter) };
    // Reading ends where this sender is dropped.
    let (_views, view) = watch::channel(Arc::new(view));
    let (sender, mut records) = mpsc::channel(WAITING);
    let mut reading = tokio::task::JoinSet::new();
    reading.spawn(run(source, LogQuery { since, ..LogQuery::default() }, view, sender));
    let mut late = false;
    loop {
        match timeout_at(deadline, records.recv()).await {
            Ok(Some(batch)) => batch.into_iter().for_each(|record| gatherer.take(record)),
            Ok(None) => break,
            Err(_) => {
                late = true;
                break;
            }
        }
    }
    let mut gathered = gatherer.gathered();
    if let Some(since) = since {
        gathered.marks.push(format!("Only log lines of the last {} s were read.", since.as_secs_f64()));
    }
    if late {
        gathered.marks.push(format!("The logs were not read to their ends within {} s.", patience.as_secs_f64()));
    }
    gathered
}
