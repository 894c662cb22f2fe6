//! One method a command: which proxies it concerns, the question to `analysis`, the form of the answer.

use std::path::Path;

use super::Outcome;
use super::reach::Bound;
use super::read;
use crate::analysis::answers::{self, ChainsFilter, Part};
use crate::analysis::connection::Asked;
use crate::analysis::lookup::{self, LookupError};
use crate::cli::Common;
use crate::error::Error;
use crate::fetch;
use crate::model::ids::{PluginId, ProxyId};
use crate::model::snapshot::{Dump, Snapshot};
use crate::model::warning::Warning;
use crate::report::{Answer, Paint};
use crate::source::record::{self, RecordTarget, Strings};
use crate::source::{SharedSource, SourceKind};

/// What to do where a command takes no workload.
const FEWER: &str = "`meshscope health --max-proxies all` asks every one";

/// What every command needs.
pub(super) struct Asker<'c> {
    pub(super) source: SharedSource,
    pub(super) common: &'c Common,
    pub(super) paint: Paint,
}

impl From<LookupError> for Error {
    fn from(error: LookupError) -> Self {
        Self::Usage(error.0)
    }
}

impl Asker<'_> {
    pub(super) async fn plugins(&self) -> Result<Outcome, Error> {
        let collector = self.objects_only("plugins").await?;
        let objects = collector.snapshot(Default::default());
        let namespace = self.namespace();
        let plugins: Vec<PluginId> = answers::plugins(&objects, namespace.as_deref()).plugins.into_iter().map(|plugin| plugin.id).collect();
        let wanted = plugins.iter().flat_map(|plugin| answers::concerned(&objects, plugin)).collect();
        let bound = Bound { fix: FEWER, ..self.usual() };
        let snapshot = self.with_states(&collector, wanted, bound).await;
        Ok(self.print(&answers::plugins(&snapshot, namespace.as_deref()), None))
    }

    pub(super) async fn workloads(&self, plugin: Option<&str>, near_misses: bool) -> Result<Outcome, Error> {
        let collector = self.objects_only("workloads").await?;
        let objects = collector.snapshot(Default::default());
        let Some(plugin) = plugin else {
            return Ok(self.print(&answers::workloads(&objects, None, self.namespace().as_deref()), None));
        };
        let plugin = match lookup::plugin(&objects, plugin, &self.own_namespace()) {
            Ok(plugin) => plugin,
            Err(error) => return Ok(self.not_found(&objects, error)),
        };
        if near_misses {
            // What keeps a plugin away is in the objects: no proxy has to be asked.
            return Ok(self.print(&answers::workloads(&objects, Some(&plugin), self.named_namespace()).narrowed(Part::Missed), None));
        }
        let bound = Bound { fix: FEWER, ..self.usual() };
        let snapshot = self.with_states(&collector, answers::concerned(&objects, &plugin), bound).await;
        Ok(self.print(&answers::workloads(&snapshot, Some(&plugin), None).narrowed(Part::Matched), None))
    }

    pub(super) async fn chains(
        &self,
        workload: Option<&str>,
        port: Option<u16>,
        listener: Option<String>,
        plugin: Option<&str>,
    ) -> Result<Outcome, Error> {
        let (snapshot, shown) = self.of_workload(workload).await?;
        let shown = match shown {
            Ok(shown) => shown,
            Err(error) => return Ok(self.not_found(&snapshot, error)),
        };
        let plugin = match plugin.map(|text| lookup::plugin(&snapshot, text, &self.own_namespace())).transpose() {
            Ok(plugin) => plugin,
            Err(error) => return Ok(self.not_found(&snapshot, error)),
        };
        let answer = answers::chains(&snapshot, &shown, &ChainsFilter { port, listener, plugin });
        Ok(self.print(&answer, self.unread(&snapshot)))
    }

    pub(super) async fn connection(&self, workload: Option<&str>, asked: &Asked) -> Result<Outcome, Error> {
        let (snapshot, proxies) = self.of_workload(workload).await?;
        Ok(match proxies {
            Ok(proxies) => self.print(&answers::connection(&snapshot, &proxies, asked), self.unread(&snapshot)),
            Err(error) => self.not_found(&snapshot, error),
        })
    }

    pub(super) async fn why(&self, plugin: &str, workload: Option<&str>) -> Result<Outcome, Error> {
        let (collector, objects) = self.objects_with(workload).await?;
        let chosen = match workload {
            Some(text) if objects.has_objects => Some(lookup::workload(&objects, text, &self.own_namespace())?.proxies),
            _ => None,
        };
        // Proxies that the plugin does not apply to can have its filter all the same: a leftover, or an EnvoyFilter's work.
        let wanted = chosen.clone().unwrap_or_else(|| {
            let concerned =
                lookup::plugin(&objects, plugin, &self.own_namespace()).map(|id| answers::concerned(&objects, &id)).unwrap_or_default();
            concerned.into_iter().chain(read::proxies(&self.source, &collector)).collect()
        });
        let snapshot = self.with_states(&collector, wanted, if chosen.is_none() { self.usual() } else { Bound::NONE }).await;
        let plugin = match lookup::plugin(&snapshot, plugin, &self.own_namespace()) {
            Ok(plugin) => plugin,
            Err(error) => return Ok(self.not_found(&snapshot, error)),
        };
        let chosen = match workload.filter(|_| chosen.is_none()).map(|text| lookup::workload(&snapshot, text, &self.own_namespace())) {
            Some(Ok(found)) => Some(found.proxies),
            Some(Err(error)) => return Ok(self.not_found(&snapshot, error)),
            None => chosen,
        };
        let answer = answers::why(&snapshot, &plugin, chosen.as_deref());
        // That a plugin does not apply is in the objects.
        let needs_proxy = answer.workloads.is_empty() || answer.workloads.iter().any(|entry| entry.attached != Some(false));
        Ok(self.print(&answer, self.unread(&snapshot).filter(|_| needs_proxy)))
    }

    pub(super) async fn order(&self, workload: &str) -> Result<Outcome, Error> {
        let (snapshot, proxies) = self.of_workload(Some(workload)).await?;
        Ok(match proxies {
            // The order is answered from the objects: a proxy that could not be read is a warning.
            Ok(proxies) => self.print(&answers::order(&snapshot, &proxies), self.unread(&snapshot).filter(|_| !snapshot.has_objects)),
            Err(error) => self.not_found(&snapshot, error),
        })
    }

    pub(super) async fn mtls(&self, workload: Option<&str>) -> Result<Outcome, Error> {
        let mut collector = self.objects_only("mtls").await?;
        let mut objects = self.find(&mut collector, workload).await;
        let namespace = self.namespace();
        let pods = match workload {
            Some(text) => {
                let found = lookup::workload(&objects, text, &self.own_namespace())?.proxies;
                // The access logs of its own proxies name clients without one; where they cannot be read, the answer says that.
                objects.dumps = self.with_proxies(&collector, found.clone(), Bound::NONE, true).await.dumps;
                let unseen = found.iter().filter(|proxy| objects.objects.unseen.contains(proxy));
                let what = "only its name is known: neither a Pod, a WorkloadEntry nor a config dump of it was read";
                let notes: Vec<Warning> = unseen.map(|proxy| Warning::new(format!("proxy {proxy}"), what, "")).collect();
                objects.warnings.extend(notes);
                found
            }
            None => {
                let pods = objects.workloads.iter().flat_map(|workload| &workload.pods);
                pods.filter(|pod| namespace.as_ref().is_none_or(|namespace| pod.namespace == *namespace)).cloned().collect()
            }
        };
        Ok(self.print(&answers::mtls(&objects, &pods), None))
    }

    pub(super) async fn record(&self, folder: &Path, strict: bool) -> Result<Outcome, Error> {
        let collector = self.objects_only("record").await?;
        let objects = collector.objects();
        let targets =
            read::proxies(&self.source, &collector).into_iter().filter(|proxy| objects.pods.get(proxy).is_none_or(|pod| !pod.deleting));
        let targets = targets.map(|proxy| {
            let request = fetch::request(objects, &proxy, crate::source::ProxyQuestion::WholeDump, self.common.timeout);
            RecordTarget { proxy, container: request.container, admin_port: request.admin_port }
        });
        let strings = if strict { Strings::NotOfPlugins } else { Strings::Unrecognised };
        Ok(self.print(&record::record(self.source.clone(), folder, targets.collect(), self.common.timeout, strings).await?, None))
    }

    /// The mesh with the dumps of a workload's proxies, of all in reach where none is named, and these proxies.
    async fn of_workload(&self, workload: Option<&str>) -> Result<(Snapshot, Result<Vec<ProxyId>, LookupError>), Error> {
        let (collector, objects) = self.objects_with(workload).await?;
        match workload {
            Some(text) if objects.has_objects => {
                let proxies = lookup::workload(&objects, text, &self.own_namespace())?.proxies;
                Ok((self.with_states(&collector, proxies.clone(), Bound::NONE).await, Ok(proxies)))
            }
            _ => {
                let bound = if workload.is_none() { self.usual() } else { Bound::NONE };
                let snapshot = self.with_states(&collector, self.proxies_in_reach(&collector), bound).await;
                let found = match workload {
                    Some(text) => lookup::workload(&snapshot, text, &self.own_namespace()).map(|found| found.proxies),
                    None => Ok(snapshot.dumps.keys().cloned().collect()),
                };
                Ok((snapshot, found))
            }
        }
    }

    /// The namespace to narrow to; None is all.
    pub(super) fn namespace(&self) -> Option<String> {
        (!self.common.all_namespaces).then(|| self.own_namespace())
    }

    /// The namespace in which a bare name is looked for.
    pub(super) fn own_namespace(&self) -> String {
        self.common.namespace.clone().unwrap_or_else(|| self.source.info().namespace)
    }

    pub(super) fn print(&self, answer: &impl Answer, failure: Option<Error>) -> Outcome {
        let warnings = beside(answer.warnings(), failure.as_ref());
        match answer.printed(self.common.output, self.paint) {
            Some(text) => Outcome { text, warnings, failure, ..Outcome::default() },
            None => Outcome { failure: Some(Error::Usage("the answer has no such form: choose with -o".to_owned())), ..Outcome::default() },
        }
    }

    /// A name that stands for nothing is a usage error, unless what it should be looked up in could not be read.
    pub(super) fn not_found(&self, snapshot: &Snapshot, error: LookupError) -> Outcome {
        let unread = if snapshot.has_objects { None } else { self.unread(snapshot) };
        let failure = unread.unwrap_or_else(|| error.into());
        Outcome { warnings: beside(&snapshot.warnings, Some(&failure)), failure: Some(failure), ..Outcome::default() }
    }

    /// The reason why counts cannot be trusted at all: no dump that was asked for could be read, one is not whole, or there is none.
    pub(super) fn unread(&self, snapshot: &Snapshot) -> Option<Error> {
        if snapshot.dumps.is_empty() {
            let name = self.source.info().name;
            return self.source.no_proxies().map(|why| Error::bad_input(format!("{name} holds no config dump: {why}"), "record it again"));
        }
        let cut = snapshot.dumps.iter().find_map(|(proxy, dump)| match dump {
            Dump::Loaded(loaded) => loaded.cut_short.as_ref().map(|what| (proxy, what)),
            Dump::Loading | Dump::Failed(_) => None,
        });
        if let Some((proxy, what)) = cut {
            let lone = self.source.info().kind == SourceKind::Dump && snapshot.dumps.len() == 1;
            let name = if lone { self.source.info().name } else { format!("config dump of {proxy}") };
            return Some(Error::bad_input(format!("{name} {what}"), ""));
        }
        let mut failures = snapshot.dumps.values().map(|dump| match dump {
            Dump::Failed(why) => Some(why),
            Dump::Loaded(_) | Dump::Loading => None,
        });
        let first = failures.next()??;
        failures.all(|failure| failure.is_some()).then(|| Error::bad_input(first.clone(), ""))
    }
}

/// The warnings that say something that the failure does not: a failure is one line.
fn beside(warnings: &[Warning], failure: Option<&Error>) -> Vec<String> {
    let failed = failure.map(ToString::to_string).unwrap_or_default();
    let is_new = |warning: &&Warning| failure.is_none() || !failed.contains(&warning.what) && !warning.to_string().contains(&failed);
    warnings.iter().filter(is_new).map(ToString::to_string).collect()
}
