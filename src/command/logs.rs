//! `logs`: chooses whose logs, follows the mesh while they are read, and writes records as they come.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::ask::Asker;
use super::reach::check_namespace;
use super::read::{self, Watched};
use super::{Outcome, not_written, warn};
use crate::analysis::logs::{Choice, Filter, FilterError, FilterSpec, Targets, UNLESS_SET};
use crate::analysis::lookup;
use crate::app::runtime::ended_by_signal;
use crate::cli::{Format, Logs};
use crate::error::Error;
use crate::ingest::collect::Collector;
use crate::logs::{self, Asked, SETTLE, Seen, View, concerns};
use crate::model::ids::{PluginId, PluginKind};
use crate::model::kind::Kind;
use crate::model::logs::{LogEvent, LogRecord, LogSource, MarkKind};
use crate::model::update::Update;
use crate::report::LogPrinter;
use crate::source::logs::LogQuery;
use crate::source::{FailureKind, SourceError};

/// How many batches of records may wait for the printer, and of text for who reads it.
const WAITING: usize = 4;
/// How long whoever reads the output may take for what is left when a signal ends the program.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How many records that are not understood are worth a word where others are.
const MANY: u64 = 10;
/// How many records are looked at to know whether they are understood.
const SAMPLE: usize = 10_000;

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::Usage(error.0)
    }
}

impl Asker<'_> {
    /// Writes the records to standard output until the logs are at their ends, nobody reads, or a signal comes.
    pub(super) async fn logs(&self, wanted: &Logs) -> Result<Outcome, Error> {
        let json = match self.common.output {
            Format::Json => true,
            Format::Text => false,
            Format::Yaml | Format::Markdown | Format::Sarif | Format::Junit => {
                return Err(Error::Usage("logs are written as text or json; choose with -o".to_owned()));
            }
        };
        if self.source.logs_held().is_some_and(|held| held.is_empty()) {
            if let Some(error) = self.source.logs_unreadable() {
                return Err(error.into());
            }
            return Err(Error::Usage(format!("{} holds no logs; give a recording with logs, or a .log file", self.source.info().name)));
        }
        let mut watched = read::watched(&self.source, self.common.timeout).await?;
        check_namespace(&watched.collector, self.named_namespace())?;
        let question = self.question(wanted, &mut watched.collector)?;
        let (first, found) = question.view(&watched.collector.snapshot(Default::default()))?;
        self.check(wanted, &question, &found, &watched.collector)?;
        let printer = LogPrinter::new(json, self.paint, &first.origins);
        let query = LogQuery { since: wanted.since, tail: wanted.tail, previous: wanted.previous, follow: wanted.follow, sieve: None };
        // Where a proxy's log was read to its end, a plugin that is silent in it is told.
        let of_proxies = first.origins.iter().any(|origin| origin.source == LogSource::Proxy);
        let asked = question.spec.plugins.first().cloned().filter(|_| of_proxies && !wanted.follow);
        let (views, view) = watch::channel(Arc::new(first.clone()));
        let (sender, records) = mpsc::channel(WAITING);
        let reading = tokio::spawn(logs::run(self.source.clone(), query.clone(), view, sender));
        let mut writing = write(printer, records);
        let ended = ended_by_signal().map_err(|error| Error::Output(format!("cannot wait for signals: {error}")))?;
        tokio::select! {
            written = &mut writing => {
                let mut seen = reading.await.unwrap_or_default();
                let is_empty = written.as_ref().is_ok_and(|written| written.as_ref().is_ok_and(|written| !written.any));
                let by_meaning = wanted.level.is_some() || wanted.plugin.is_some() || !wanted.scope.is_empty();
                // A live mesh is not read again for what only files can lack.
                let matters = (is_empty || by_meaning) && self.source.logs_held().is_some();
                if matters && first.filter.is_selective() && !wanted.follow {
                    // What the filter passed over was not looked at.
                    seen = self.sample(first, query).await;
                }
                return self.outcome(written, asked.as_ref(), Some((seen, by_meaning)));
            }
            () = follow(question, watched, views) => {}
            () = ended => {}
        }
        // What is held back is still written, unless nobody takes it.
        let rest = async {
            let _ = reading.await;
            writing.await
        };
        let written = tokio::time::timeout(LAST_WORDS, rest).await;
        written.map_or_else(|_| Ok(Outcome::default()), |written| self.outcome(written, None, None))
    }

    /// How many of the first records are understood, without a filter.
    async fn sample(&self, view: View, query: LogQuery) -> Seen {
        let Ok(all) = Filter::new(FilterSpec::default(), &view.objects) else { return Seen::default() };
        let (_views, view) = watch::channel(Arc::new(View { filter: Arc::new(all), ..view }));
        let (sender, mut records) = mpsc::channel(WAITING);
        let reading = tokio::spawn(logs::run(self.source.clone(), query, view, sender));
        let mut count = 0;
        while count < SAMPLE
            && let Some(batch) = records.recv().await
        {
            count += batch.len();
        }
        drop(records);
        reading.await.unwrap_or_default()
    }

    /// What to say where lines were not understood: most of them, or some where a filter by their meaning left nothing.
    fn not_understood(&self, written: &Written, (seen, by_meaning): (Seen, bool)) -> Option<String> {
        let Seen { records, unknown } = seen;
        let most = unknown * 2 > records;
        let some = by_meaning && unknown > 0 && unknown * 10 >= records;
        let counts = some || if written.any { most && unknown >= MANY } else { most };
        (counts && self.source.logs_held().is_some()).then(|| {
            let (were, they_have) = if unknown == 1 { ("was", "it has") } else { ("were", "they have") };
            let of = if records == 1 { "the only record".to_owned() } else { format!("{unknown} of {records} records") };
            format!(
                "{of} of {} {were} not understood: {they_have} no level, scope or plugin for a filter to find; save the log with `kubectl logs POD -n NAMESPACE -c istio-proxy --timestamps`, with its tabs (an access log in a format \
                 of its own is understood in what `meshscope record` writes)",
                self.source.info().name
            )
        })
    }

    /// All was written already. What is left to say is that nothing could be read, or why the plugin in question may be silent.
    fn outcome(
        &self,
        written: Result<io::Result<Written>, JoinError>,
        plugin: Option<&PluginId>,
        seen: Option<(Seen, bool)>,
    ) -> Result<Outcome, Error> {
        let written = match written {
            Ok(Ok(written)) => written,
            Ok(Err(error)) => return not_written(Err(error)).map(|()| Outcome::default()),
            Err(error) => return Err(Error::Output(format!("writing ended early: {error}; please report this"))),
        };
        let not_understood = seen.and_then(|seen| self.not_understood(&written, seen));
        let failure = written.failed.filter(|_| !written.any).map(|failed| match failed {
            (MarkKind::NotRestarted, _) => {
                Error::bad_input("no container that was asked for has restarted, so none has a log from before", "leave --previous away")
            }
            (_, why) => Error::bad_input(format!("no log could be read: {why}"), ""),
        });
        let silent = plugin.filter(|_| failure.is_none() && !written.spoken && not_understood.is_none()).map(|plugin| {
            format!("{plugin} itself wrote no line: it does not run (`meshscope health {plugin}` says), was not called, or {UNLESS_SET}")
        });
        let not_understood = not_understood.filter(|_| failure.is_none());
        Ok(Outcome { warnings: not_understood.into_iter().chain(silent).collect(), failure, ..Outcome::default() })
    }

    fn question(&self, wanted: &Logs, collector: &mut Collector) -> Result<Asked, Error> {
        let own_namespace = self.own_namespace();
        let snapshot = collector.snapshot(Default::default());
        let plugin = match &wanted.plugin {
            None => None,
            Some(text) if snapshot.has_objects => Some(lookup::plugin(&snapshot, text, &own_namespace)?),
            Some(text) => Some(taken_to_exist(text, &own_namespace, collector)?),
        };
        let namespace = (!self.common.all_namespaces).then(|| own_namespace.clone());
        let choice = Choice { names: wanted.workloads.clone(), plugin: plugin.clone(), namespace, own_namespace };
        let spec = FilterSpec {
            plugins: plugin.into_iter().collect(),
            level: wanted.level,
            scopes: wanted.scope.clone(),
            include: wanted.include.clone(),
            exclude: wanted.exclude.clone(),
            ..FilterSpec::default()
        };
        Ok(Asked { choice, spec, held: self.source.logs_held() })
    }

    /// Says what cannot be read, and refuses where that is all, or where a name stands for nothing.
    fn check(&self, wanted: &Logs, question: &Asked, found: &Targets, collector: &Collector) -> Result<(), Error> {
        let snapshot = collector.snapshot(Default::default());
        if !snapshot.objects.pods.is_empty() {
            for name in &wanted.workloads {
                lookup::workload(&snapshot, name, &question.choice.own_namespace)?;
            }
        }
        let mut unknown = found.unknown.iter();
        if found.origins.is_empty() && !wanted.follow {
            let what = unknown.next().cloned().unwrap_or_else(|| format!("{} has no log of what was asked for", self.source.info().name));
            return Err(SourceError::new(FailureKind::Missing, what, "choose other workloads, or another namespace with -n").into());
        }
        // What was taken to exist has faults that nobody made.
        let warnings = snapshot.warnings.iter().filter(|_| snapshot.has_objects);
        let all: Vec<String> = unknown.cloned().chain(warnings.map(ToString::to_string)).collect();
        warn(&all);
        Ok(())
    }
}

/// Keeps the view up to date. Ends with the source's objects; those of files end at once, and nothing changes any more.
async fn follow(asked: Asked, mut watched: Watched, views: watch::Sender<Arc<View>>) {
    loop {
        let Some(update) = watched.updates.recv().await else { return std::future::pending().await };
        let mut changed = concerns(&watched.collector.apply(update));
        tokio::time::sleep(if changed { SETTLE } else { Duration::ZERO }).await;
        while let Ok(update) = watched.updates.try_recv() {
            changed |= concerns(&watched.collector.apply(update));
        }
        // What was understood once is understood again.
        if changed && let Ok((view, _)) = asked.view(&watched.collector.snapshot(Default::default())) {
            views.send_replace(Arc::new(view));
        }
    }
}

/// The plugin that is asked for over a log alone, where no object says which there are.
fn taken_to_exist(text: &str, namespace: &str, collector: &mut Collector) -> Result<PluginId, Error> {
    let (plugin_kind, name) = lookup::plugin_name(text, namespace)?;
    let plugin_kind = plugin_kind.unwrap_or(PluginKind::WasmPlugin);
    let kind = if plugin_kind == PluginKind::TrafficExtension { Kind::TrafficExtension } else { Kind::WasmPlugin };
    let object = json!({"metadata": {"namespace": name.namespace, "name": name.name}, "spec": {}});
    collector.apply(Update::Applied { kind, object });
    Ok(PluginId { name, kind: plugin_kind })
}

/// What was among the records that were written.
#[derive(Default)]
struct Written {
    /// Whether there was any record that is no mark.
    any: bool,
    /// Whether a plugin spoke.
    spoken: bool,
    /// Why the first log that could not be read was not, if possible another reason than that there is none.
    failed: Option<(MarkKind, String)>,
}

impl Written {
    fn see(&mut self, record: &LogRecord) {
        match record.event {
            Some(LogEvent::Mark(kind)) => {
                let is_better = self.failed.as_ref().is_none_or(|(kind, _)| *kind == MarkKind::NotRestarted);
                if kind.is_failure() && is_better {
                    self.failed = Some((kind, record.message.to_string()));
                }
            }
            event => {
                self.any = true;
                self.spoken |= event == Some(LogEvent::PluginLog);
            }
        }
    }
}

/// Writes records in a thread of its own: whoever reads them may take as long as he likes.
fn write(mut printer: LogPrinter, mut records: mpsc::Receiver<Vec<LogRecord>>) -> JoinHandle<io::Result<Written>> {
    spawn_blocking(move || {
        let mut out = io::BufWriter::with_capacity(64 << 10, io::stdout().lock());
        let mut written = Written::default();
        while let Some(batch) = records.blocking_recv() {
            for record in &batch {
                written.see(record);
                out.write_all(printer.print(record).as_bytes())?;
            }
            if records.is_empty() {
                out.flush()?;
            }
        }
        out.flush()?;
        Ok(written)
    })
}
