//! The lines of Workloads: those that the plugin applies to, each with its proxies where it has several, then the others.

use super::Row;
use crate::analysis::answers::WorkloadsAnswer;
use crate::app::screen::Screen;
use crate::model::ids::ProxyId;

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(answer) = screen.workloads() else { return Vec::new() };
    let mut rows = Vec::new();
    let mut matched = true;
    for (index, workload) in answer.workloads.iter().enumerate() {
        if matched && !workload.matched {
            rows.push(Row::NotMatched);
            matched = false;
        }
        rows.push(Row::Workload(index));
        if workload.proxies.len() > 1 {
            rows.extend((0..workload.proxies.len()).map(|proxy| Row::Proxy(index, proxy)));
        }
    }
    rows
}

/// The proxies of a workload's row.
pub fn proxies(answer: &WorkloadsAnswer, row: &Row) -> Vec<ProxyId> {
    match row {
        Row::Workload(index) => answer.workloads[*index].proxies.iter().map(|proxy| proxy.proxy.clone()).collect(),
        _ => Vec::new(),
    }
}

/// Selects the first workload that the plugin does not reach, where that is still to be done; false where it reaches all.
pub fn select_miss(screen: &mut Screen, height: usize) -> bool {
    let Some(answer) = screen.workloads().filter(|_| screen.seek_miss) else { return true };
    let is_missed = |row: &Row| matches!(row, Row::Workload(index) if answer.workloads[*index].near_miss.is_some());
    let found = screen.rows.iter().position(is_missed);
    screen.seek_miss = false;
    if let Some(row) = found {
        screen.list.select(row, height, screen.rows.len());
    }
    found.is_some()
}
