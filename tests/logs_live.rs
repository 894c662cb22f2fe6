//! The screen of logs over a live mesh that never rests: keys are answered, memory has a bound, and nothing is lost without a mark.
#![allow(clippy::unwrap_used)]

#[path = "support/busy.rs"]
mod busy;
mod support;

use std::time::Duration;

use busy::{Busy, flood, run};
use meshscope::app::App;
use meshscope::app::logs::Logs;
use meshscope::config::ColorSupport;
use meshscope::model::logs::MarkKind;
use meshscope::ui::theme::Themes;
use meshscope::ui::views;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn logs(app: &App) -> &Logs {
    app.screen().logs.as_deref().unwrap()
}

/// The numbers of each proxy's lines go up one by one, within what is held.
fn in_order(logs: &Logs) {
    let mut last = std::collections::BTreeMap::new();
    for record in logs.held.since(0) {
        let number: u64 = record.raw.split("number ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        if let Some(before) = last.insert(record.origin.pod.clone(), number) {
            assert_eq!(number, before + 1, "{}", record.origin.pod);
        }
    }
}

#[test]
fn logs_that_never_rest_keep_no_key_and_stay_within_their_bound() {
    let busy = Busy { proxies: 20, burst: 20, bursts: 10_000, pause: Duration::from_millis(200), mark: None };
    let memory = 1_000_000;
    let (app, seen) = flood(busy, memory);
    let logs = logs(&app);
    assert!(logs.held.dropped() > 0 && *seen.most.lock().unwrap() <= memory, "{} bytes", seen.most.lock().unwrap());
    assert!(logs.held.end() > 2000, "{}", logs.held.end());
    in_order(logs);
    // Each was answered by a frame, but for the one that leaves and what came together with it.
    assert!(seen.took.lock().unwrap().len() > 80);
}

#[test]
fn what_happened_to_a_stream_is_a_line_and_what_came_is_counted_while_one_reads() {
    let busy = Busy { proxies: 2, burst: 5, bursts: 40, pause: Duration::from_millis(50), mark: Some(MarkKind::Restarted) };
    let (app, _) = run(busy, 64_000_000, vec![(200, 'l'), (1200, 'k'), (4000, 'q')]);
    let logs = logs(&app);
    assert!(!logs.follows && logs.came > 20, "{}", logs.came);
    assert_eq!(logs.held.rows(), 402, "all lines and two marks");
    let (_, selected) = logs.selected().unwrap();
    assert!(selected.raw.contains("number"), "{selected:?}");
    let marks: Vec<_> = logs.held.since(0).into_iter().filter(|record| record.message.contains("another one now")).collect();
    assert_eq!(marks.len(), 2);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let themes = Themes::load(&[], ColorSupport::TrueColor).0;
    let text = |terminal: &Terminal<TestBackend>| support::screen::show(terminal.backend().buffer());
    terminal
        .draw(|frame| {
            views::render(&app, &themes, false, frame);
        })
        .unwrap();
    assert!(text(&terminal).contains(&format!("follow stopped · {} new", logs.came)), "{}", text(&terminal));
}
