//! Following and its end, filters that come into force while records come, and what is dropped.

use std::ops::Range;

use tokio::sync::Semaphore;

use super::*;
use crate::analysis::logs::{FilterSpec, Severity};
use crate::logs::pane;
use crate::model::ids::{PluginKind, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::logs::{LogKind, LogSource};
use crate::model::text::Text;

const HEIGHT: usize = 10;

fn plugin() -> PluginId {
    PluginId::new(PluginKind::WasmPlugin, "default", "hello")
}

fn record(number: usize, event: Option<LogEvent>) -> Arc<LogRecord> {
    let origin = LogOrigin { source: LogSource::Proxy, pod: ProxyId::new("a", "b"), container: String::new(), workload: None };
    Arc::new(LogRecord {
        time: Some(i64::try_from(number).unwrap() * 1_000_000_000),
        origin: Arc::new(origin),
        kind: LogKind::Envoy,
        event,
        level: if number.is_multiple_of(2) { "info" } else { "error" }.into(),
        scope: Text::default(),
        plugin: event.map(|_| plugin()),
        plugin_note: None,
        failure_of: Text::default(),
        message: Text::default(),
        raw: format!("line {number}").into(),
    })
}

fn filter(level: Severity) -> Arc<Filter> {
    let spec = FilterSpec { level: Some(level), ..FilterSpec::default() };
    Arc::new(Filter::new(spec, &Inventory::default()).unwrap())
}

/// Records of these numbers, as the reading hands them on while a filter is in force there.
fn batch(numbers: Range<usize>, generation: u64, filter: &Filter) -> Batch {
    let room = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let records: Vec<Arc<LogRecord>> = numbers.map(|number| record(number, None)).collect();
    let passes: Vec<bool> = records.iter().map(|record| filter.matches(record)).collect();
    let mut activity = Activity::default();
    records.iter().zip(&passes).filter(|(_, passes)| **passes).for_each(|(record, _)| activity.add(record));
    Batch { records, generation, passes, activity, room }
}

fn logs(memory: usize) -> Logs {
    let mut waits = crate::app::state::Waits::default();
    Logs::new(waits.begin("logs"), &LogsOf { plugin: Some(plugin()), ..LogsOf::default() }, memory)
}

fn selected(logs: &Logs) -> &str {
    &logs.selected().unwrap().1.raw
}

#[test]
fn following_stops_where_one_goes_up_and_says_what_came() {
    let (mut logs, all) = (logs(usize::MAX), filter(Severity::Info));
    logs.take(&batch(0..50, 0, &all), HEIGHT);
    assert_eq!((selected(&logs), logs.follows), ("line 49", true));
    logs.step(-3, HEIGHT);
    let offset = logs.list.offset;
    logs.take(&batch(50..87, 0, &all), HEIGHT);
    assert_eq!((selected(&logs), logs.follows, logs.came), ("line 46", false, 37));
    assert_eq!(logs.list.offset, offset, "what is in sight stands still");
    logs.step(1, HEIGHT);
    assert!(!logs.follows, "going down a row is no wish to follow");
    logs.step(isize::MAX, HEIGHT);
    assert_eq!((selected(&logs), logs.follows, logs.came), ("line 86", true, 0));
    logs.take(&batch(87..90, 0, &all), HEIGHT);
    assert_eq!(selected(&logs), "line 89");
}

#[test]
fn what_is_dropped_moves_nothing_that_is_still_there() {
    let all = filter(Severity::Info);
    let size = record(100, None).size() + 16;
    let mut logs = logs(100 * size);
    logs.take(&batch(0..90, 0, &all), HEIGHT);
    logs.go_to(60, HEIGHT);
    let above = logs.list.selected - logs.list.offset;
    logs.take(&batch(90..140, 0, &all), HEIGHT);
    assert!(logs.held.dropped() >= 40, "{}", logs.held.dropped());
    assert!(logs.held.bytes() <= 100 * size);
    assert_eq!((selected(&logs), logs.list.selected - logs.list.offset), ("line 60", above));
    logs.take(&batch(140..240, 0, &all), HEIGHT);
    assert_eq!(logs.list.selected, 0, "the line is gone, and the oldest that is there takes its place");
}

#[test]
fn a_filter_keeps_the_selected_line_or_what_comes_after_it() {
    let (mut logs, all, grave) = (logs(usize::MAX), filter(Severity::Info), filter(Severity::Error));
    logs.take(&batch(0..50, 0, &all), HEIGHT);
    logs.go_to(20, HEIGHT);
    logs.generation = 1;
    logs.found(0..50, &pane::filter(&grave, 0, &logs.held.since(0), None), HEIGHT);
    assert_eq!((selected(&logs), logs.held.rows()), ("line 21", 25));
    logs.found(0..50, &pane::filter(&all, 0, &logs.held.since(0), None), HEIGHT);
    assert_eq!((selected(&logs), logs.held.rows()), ("line 21", 50));
    assert!(!logs.go_to(99, HEIGHT));
}

#[test]
fn what_another_filter_has_seen_is_looked_at_again() {
    let (mut logs, all, grave) = (logs(usize::MAX), filter(Severity::Info), filter(Severity::Error));
    logs.take(&batch(0..10, 0, &all), HEIGHT);
    logs.generation = 1;
    logs.found(0..10, &pane::filter(&grave, 0, &logs.held.since(0), None), HEIGHT);
    // These were on their way while the new filter came into force.
    let late = logs.take(&batch(10..20, 0, &all), HEIGHT).unwrap();
    assert_eq!((late.clone(), logs.held.rows()), (10..20, 5));
    assert_eq!(logs.take(&batch(20..30, 1, &grave), HEIGHT), None);
    logs.found(late.clone(), &pane::filter(&grave, late.start, &logs.held.since(10)[..10], None), HEIGHT);
    let shown: Vec<String> = logs.held.shown(0..99).map(|(_, record)| record.level.to_string()).collect();
    assert_eq!((shown.len(), shown.iter().all(|level| level == "error")), (15, true));
    assert_eq!(selected(&logs), "line 29");
}

#[test]
fn a_plugin_is_silent_until_it_speaks_itself() {
    let all = filter(Severity::Info);
    let mut logs = logs(2000);
    assert!(!logs.is_silent(), "nothing is known yet");
    logs.take(&batch(0..1, 0, &all), HEIGHT);
    assert!(logs.is_silent());
    let mut spoken = batch(1..2, 0, &all);
    spoken.records[0] = record(1, Some(LogEvent::PluginLog));
    logs.take(&spoken, HEIGHT);
    assert!(!logs.is_silent());
    logs.take(&batch(2..50, 0, &all), HEIGHT);
    assert!(logs.is_silent(), "what it said is no longer held");
}

#[test]
fn what_is_looked_at_again_is_counted_once_and_what_was_dropped_too() {
    let all = filter(Severity::Info);
    let size = record(100, None).size() + 16;
    let mut logs = logs(100 * size);
    let counted = |logs: &Logs| logs.activity.last(36, Duration::ZERO).iter().map(|count| count.records).sum::<u64>();
    logs.take(&batch(0..90, 0, &all), HEIGHT);
    logs.step(-1, HEIGHT);
    let (records, plugin) = (logs.held.since(0), Some(plugin()));
    let tied = |place| pane::Tied { place, plugin: plugin.clone(), note: None };
    // More comes, and pushes the oldest out, before what was looked at is here.
    logs.take(&batch(90..140, 0, &all), HEIGHT);
    let found = pane::filter(&all, 0, &records, None);
    drop(records);
    logs.tied((0..90).map(tied).collect());
    logs.found_again(0..90, found, HEIGHT);
    assert_eq!((counted(&logs), logs.came), (140, 50), "{}", logs.held.dropped());
    assert!(logs.held.dropped() > 40 && logs.held.bytes() <= 100 * size, "the names take room too");
    let held = logs.held.since(0);
    assert!(held.iter().all(|record| record.plugin.is_some() == (record.time < Some(90_000_000_000))), "{held:?}");
    assert_eq!(logs.held.rows(), held.len());
}
