//! A screen that is open: its subject, its answer, and where the person is in it.

mod answers;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::action::View;
use super::fuzzy::Hit;
use super::keymap::Context;
use super::logs::{Logs, LogsOf};
use super::question::{Answered, Question};
use super::rows::{self, Row};
use super::state::{ListState, Ticket};
use crate::analysis::connection::Asked;
use crate::analysis::logs::Fact;
use crate::analysis::timeline::Gathered;
use crate::analysis::what_if::Assumption;
use crate::model::ids::{ObjectName, PluginId, ProxyId, WorkloadId};
use crate::model::istiod_view::IstiodViews;
use crate::model::logs::LogRecord;

/// What a screen is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// All plugins: home.
    Plugins {
        /// The namespace that is looked at; None is all.
        namespace: Option<String>,
    },
    /// The workloads of a plugin.
    Workloads(PluginId),
    /// The chains of a proxy.
    Chains(Focus),
    /// Why the plugin is where it is.
    Why(Focus),
    /// What would be.
    WhatIf(Supposition),
    /// The mutual TLS of a workload.
    Mtls(WorkloadId),
    /// Which chain takes a connection.
    Connection(Focus, Asked),
    /// In which order plugins run in the proxy.
    Order(Focus),
    /// The logs of istiod and of proxies.
    Logs(LogsOf),
    /// All that is known of a line.
    Record(Line),
    /// The timeline of a plugin's last change.
    Timeline(PluginId),
    /// The sync status of the proxies.
    Sync {
        /// The namespace that is looked at; None is all.
        namespace: Option<String>,
        /// The proxy in question, which is selected first.
        at: Option<ProxyId>,
    },
    /// What istiod would send the proxy, compared with what it has.
    Diff(Focus),
    /// The health of the plugin in its proxies.
    Health(PluginId),
    /// The raw JSON of a filter or chain.
    Raw {
        /// What it is of.
        title: String,
        /// The text, indented, a line each.
        lines: Arc<[String]>,
    },
    /// What is wrong, and what could not be read or understood.
    Findings {
        /// The namespace that is looked at; None is all.
        namespace: Option<String>,
    },
    /// Keys and words, of the screen that it was opened from.
    Help(Context),
}

/// A line of a log that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The record.
    pub record: Arc<LogRecord>,
    /// All that is known of it.
    pub facts: Arc<[Fact]>,
    /// Whose logs it was found in.
    pub of: LogsOf,
}

/// What is supposed, and of what it is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supposition {
    /// The plugin in question; None where only the manifests can bring one.
    pub plugin: Option<PluginId>,
    /// The proxy in question; None is all that the plugin applies to before or after.
    pub proxy: Option<ProxyId>,
    /// As it was typed.
    pub typed: String,
    /// What is supposed.
    pub assumption: Arc<Assumption>,
    /// Where objects go that name no namespace.
    pub namespace: String,
}

/// A proxy and the plugin that is looked for in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Focus {
    /// The plugin; None where the proxy alone is looked at.
    pub plugin: Option<PluginId>,
    /// The workload of the proxy; None over a lone dump.
    pub workload: Option<WorkloadId>,
    /// The proxy.
    pub proxy: ProxyId,
}

impl Focus {
    /// `httpbin`: the workload's name, else the pod's.
    pub fn name(&self) -> &str {
        self.workload.as_ref().map_or(&self.proxy.pod, |workload| &workload.name.name)
    }
}

/// One screen of the way from home to where the person is.
#[derive(Debug)]
pub struct Screen {
    /// What it is about.
    pub subject: Subject,
    /// The latest answer; None before the first.
    pub answer: Option<Answered>,
    /// The request that is under way.
    pub pending: Option<Ticket>,
    /// Whether the world changed since the request under way was made.
    pub stale: bool,
    /// The selected row.
    pub list: ListState,
    /// Whether the selection is somebody's choice, or was shown with all that is known.
    pub chosen: bool,
    /// What the selected row was about before its pod went: it is selected again with the pod that takes its place.
    pub lost: Option<rows::identity::Identity>,
    /// What is looked for; empty shows all.
    pub find: String,
    /// The rows that are shown.
    pub rows: Vec<Row>,
    /// Where the search found something, for each row; empty while nothing is looked for.
    pub hits: Vec<Hit>,
    /// Which part of what is said below the list is shown, after the last the first again.
    pub part: usize,
    /// Whether every proxy in question is read, and not the first ones alone.
    pub every_proxy: bool,
    /// Whether the first near-miss is to be selected as soon as there are rows.
    pub seek_miss: bool,
    /// The request under way for what its answer needs in addition to the objects and the dumps.
    pub reading: Option<Ticket>,
    /// What the logs have for a timeline; None before the first reading.
    pub story: Option<Arc<Gathered>>,
    /// How many times the logs of the timeline were read since the last change of its plugin; None where it is not followed.
    pub followed: Option<usize>,
    /// What istiod would send the proxy, where the two are compared; None before istiod was asked.
    pub of_istiod: Option<Arc<IstiodViews>>,
    /// The Secret that was looked for, for the health of a plugin; None before one was.
    pub secret: Option<ObjectName>,
    /// Which listeners and chains are open, by their key in [`rows`].
    pub open: BTreeSet<rows::Key>,
    /// The line of a log whose listener or chain is to be selected as soon as there are rows.
    pub seek_line: Option<Arc<LogRecord>>,
    /// What a screen of logs holds.
    pub logs: Option<Box<Logs>>,
}

impl Screen {
    /// A screen without an answer yet.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            answer: None,
            pending: None,
            stale: false,
            list: ListState::default(),
            chosen: false,
            lost: None,
            find: String::new(),
            rows: Vec::new(),
            hits: Vec::new(),
            part: 0,
            every_proxy: false,
            seek_miss: false,
            reading: None,
            story: None,
            followed: None,
            of_istiod: None,
            secret: None,
            open: BTreeSet::new(),
            seek_line: None,
            logs: None,
        }
    }

    /// Which view shows it.
    pub fn view(&self) -> View {
        match &self.subject {
            Subject::Plugins { .. } => View::Plugins,
            Subject::Workloads(_) => View::Workloads,
            Subject::Chains(_) => View::Chains,
            Subject::Why(_) => View::Why,
            Subject::WhatIf(_) => View::WhatIf,
            Subject::Mtls(_) => View::Mtls,
            Subject::Connection(..) => View::Connection,
            Subject::Order(_) => View::Order,
            Subject::Logs(_) => View::Logs,
            Subject::Record(_) => View::Record,
            Subject::Timeline(_) => View::Timeline,
            Subject::Sync { .. } => View::Sync,
            Subject::Diff(_) => View::Diff,
            Subject::Health(_) => View::Health,
            Subject::Raw { .. } => View::Raw,
            Subject::Findings { .. } => View::Findings,
            Subject::Help(_) => View::Help,
        }
    }

    /// The question that it needs answered; None for screens that need none.
    pub fn question(&self) -> Option<Question> {
        match &self.subject {
            Subject::Plugins { namespace } => Some(Question::Plugins(namespace.clone())),
            Subject::Workloads(plugin) => Some(Question::Workloads(plugin.clone())),
            Subject::Chains(focus) => Some(Question::Chains(focus.proxy.clone())),
            Subject::Why(Focus { plugin: Some(plugin), proxy, .. }) => Some(Question::Why(plugin.clone(), proxy.clone())),
            Subject::WhatIf(supposed) => Some(Question::WhatIf(supposed.clone())),
            Subject::Mtls(workload) => Some(Question::Mtls(workload.clone())),
            Subject::Connection(focus, asked) => Some(Question::Connection(focus.proxy.clone(), asked.clone())),
            Subject::Order(focus) => Some(Question::Order(focus.proxy.clone())),
            Subject::Findings { namespace } => Some(Question::Findings(namespace.clone())),
            Subject::Health(plugin) => Some(Question::Health(plugin.clone())),
            Subject::Sync { namespace, .. } => Some(Question::Sync(namespace.clone())),
            // Before istiod was asked there is nothing to compare the proxy with.
            Subject::Diff(focus) => Some(Question::Diff(focus.proxy.clone(), self.of_istiod.clone()?)),
            // Without the logs it would say that nothing was seen.
            Subject::Timeline(plugin) => Some(Question::Timeline(plugin.clone(), self.story.clone()?)),
            Subject::Why(_) | Subject::Logs(_) | Subject::Record(_) | Subject::Raw { .. } | Subject::Help(_) => None,
        }
    }

    /// The proxy that it is about, and the plugin that is looked for in it.
    pub fn focus(&self) -> Option<&Focus> {
        match &self.subject {
            Subject::Chains(focus) | Subject::Why(focus) | Subject::Connection(focus, _) | Subject::Order(focus) | Subject::Diff(focus) => {
                Some(focus)
            }
            _ => None,
        }
    }

    pub(super) fn focus_mut(&mut self) -> Option<&mut Focus> {
        match &mut self.subject {
            Subject::Chains(focus) | Subject::Why(focus) | Subject::Connection(focus, _) | Subject::Order(focus) | Subject::Diff(focus) => {
                Some(focus)
            }
            _ => None,
        }
    }

    /// The proxy whose dump it shows.
    pub fn proxy(&self) -> Option<&ProxyId> {
        self.focus().map(|focus| &focus.proxy)
    }

    /// Whether it needs all that a proxy says of itself, and not its dump alone.
    pub fn wants_vitals(&self) -> bool {
        matches!(self.subject, Subject::Health(_) | Subject::Findings { .. } | Subject::Mtls(_))
    }

    /// The plugin that it is about.
    pub fn plugin(&self) -> Option<&PluginId> {
        match &self.subject {
            Subject::Workloads(plugin) | Subject::Timeline(plugin) | Subject::Health(plugin) => Some(plugin),
            Subject::WhatIf(supposed) => supposed.plugin.as_ref(),
            Subject::Logs(of) | Subject::Record(Line { of, .. }) => of.plugin.as_ref(),
            _ => self.focus()?.plugin.as_ref(),
        }
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&Row> {
        self.rows.get(self.list.selected)
    }
}
