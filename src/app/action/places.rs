//! On which screens actions apply.

use super::View::{
    self, Chains, Connection, Diff, Findings, Health, Logs, Mtls, Order, Plugins, Raw, Record, Sync, Timeline, WhatIf, Why, Workloads,
};

pub(super) const EVERYWHERE: &[View] = &View::ALL;
pub(super) const ANSWERS: &[View] = &[Plugins, Workloads, Chains, Why, WhatIf, Mtls, Connection, Order, Timeline, Sync, Diff, Health];
pub(super) const NOT_CHAINS: &[View] = &[Plugins, Workloads, Why, Connection, Order, Logs, Record, Timeline, Sync, Diff, Health, Findings];
pub(super) const NOT_WHY: &[View] = &[Plugins, Workloads, Chains, Connection, Order, Logs, Record, Timeline, Diff, Health, Findings];
pub(super) const NOT_MTLS: &[View] = &[Plugins, Workloads, Chains, Why, Connection, Order, Logs, Timeline, Sync, Diff, Health, Findings];
pub(super) const NOT_ORDER: &[View] = &[Plugins, Workloads, Chains, Why, Connection, Logs, Timeline, Sync, Diff, Health, Findings];
pub(super) const NOT_LOGS: &[View] = &[Plugins, Workloads, Chains, Why, Connection, Order, Timeline, Sync, Diff, Health, Findings];
pub(super) const LOGS: &[View] = &[Logs];
pub(super) const LINES: &[View] = &[Logs, Record];
pub(super) const TELLS: &[View] = &[Plugins, Workloads, Chains, Why, Logs, Health];
pub(super) const SYNCED: &[View] = &[Plugins, Workloads, Chains, Why, Logs, Record, Timeline, Health, Findings];
pub(super) const COMPARED: &[View] = &[Workloads, Chains, Why, Order, Logs, Record, Sync, Health, Findings];
pub(super) const OF_PLUGIN: &[View] = &[Plugins, Workloads, Chains, Why, Logs, Record, Timeline, Findings];
pub(super) const FOUND: &[View] = &[Findings];
pub(super) const PARTED: &[View] = &[Sync];
pub(super) const HOME: &[View] = &[Plugins];
pub(super) const MISSES: &[View] = &[Plugins, Workloads];
pub(super) const TREE: &[View] = &[Chains];
pub(super) const ONE_PROXY: &[View] = &[Chains, Connection];
/// Where one proxy is in question whose log could say more.
pub(super) const LEVELS: &[View] = &[Workloads, Chains, Why, Connection, Order, Logs, Record, Timeline, Health];
pub(super) const NOT_HELP: &[View] =
    &[Plugins, Workloads, Chains, Why, WhatIf, Mtls, Connection, Order, Logs, Record, Timeline, Sync, Diff, Health, Raw, Findings];
pub(super) const SUPPOSES: &[View] = &[Plugins, Workloads, Chains, Why, WhatIf];
