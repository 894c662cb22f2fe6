//! Why a plugin's filter appears so often: the sum, written out.

use std::fmt::Write;

use super::form::Form;
use super::markdown;
use super::paint::{Paint, Style};
use crate::analysis::answers::{WhyAnswer, WhyEntry, WhyListener};
use crate::analysis::explain::{ONE_CHAIN, Term};
use crate::model::envoy::ListenerState;
use crate::model::warning::Warning;

impl Form for WhyAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        if self.workloads.is_empty() {
            let plugin = paint.paint(Style::Plugin, &self.plugin);
            let near: String = near(self).iter().map(|line| format!("  {}\n", paint.paint(Style::Plain, line))).collect();
            return format!("{plugin} {}\n{near}", nowhere(self));
        }
        self.workloads.iter().map(|entry| text(self, entry, paint)).collect::<Vec<_>>().join("\n")
    }

    fn markdown(&self) -> String {
        let mut out = format!("### Where {} {} stands\n", self.plugin_kind, markdown::code(&self.plugin));
        if self.workloads.is_empty() {
            let _ = writeln!(out, "\nThe plugin {}\n", nowhere(self));
            for line in near(self) {
                let _ = writeln!(out, "- {}", Paint::Plain.paint(Style::Plain, &line));
            }
        }
        for entry in &self.workloads {
            out.push_str(&entry_markdown(entry));
        }
        out
    }
}

/// That the plugin is nowhere, or that this is not known.
fn nowhere(answer: &WhyAnswer) -> String {
    match &answer.matched_note {
        Some(note) => format!("is in no proxy that was read, and it is unknown to which workloads it applies: {note}."),
        None => "applies to no workload, and no proxy that was read has its filter.".to_owned(),
    }
}

/// What keeps a plugin that is nowhere from the workload that comes nearest, and how to go on.
fn near(answer: &WhyAnswer) -> Vec<String> {
    if !answer.scaled_to_zero.is_empty() {
        return vec![format!("it is for {}, scaled to 0", answer.scaled_to_zero.join(", "))];
    }
    let Some(near) = &answer.nearest else { return Vec::new() };
    let mut lines = vec![format!("nearest is {} {}: {}", near.workload_kind, near.workload, near.near_miss.contrast())];
    lines.extend(near.near_miss.change.iter().map(|change| format!("to reach it: {change}")));
    lines.push(format!("`meshscope workloads {} --near-misses` says what keeps it from each workload", answer.plugin));
    lines
}

fn text(answer: &WhyAnswer, entry: &WhyEntry, paint: Paint) -> String {
    let mut out = String::new();
    let on =
        entry.workload.as_ref().map(|workload| format!("{} {workload}, ", entry.workload_kind.unwrap_or_default())).unwrap_or_default();
    let _ = writeln!(
        out,
        "{} on {}{}",
        paint.paint(Style::Plugin, &answer.plugin),
        paint.paint(Style::Strong, &on),
        paint.paint(Style::Plain, &entry.proxy.to_string())
    );
    let attached = match entry.attached {
        Some(true) if entry.near_miss.is_some() => ("applies", Style::Warn),
        Some(true) => ("applies", Style::Good),
        Some(false) => ("does not apply", Style::Warn),
        None => ("not known whether it applies", Style::Muted),
    };
    let _ = writeln!(out, "  {}: {}", paint.paint(attached.1, attached.0), paint.paint(Style::Plain, &entry.reason));
    if let Some(change) = entry.near_miss.as_ref().and_then(|miss| miss.change.as_deref()) {
        let _ = writeln!(out, "  {} {}", paint.paint(Style::Strong, "to reach it:"), paint.paint(Style::Plain, change));
    }
    if let Some(mtls) = &entry.mtls {
        let winner = mtls.winner.as_deref().unwrap_or("Istio's default, no PeerAuthentication applies");
        let _ = writeln!(out, "  mTLS mode: {} ({})", paint.paint(Style::Strong, mtls.mode.as_str()), paint.paint(Style::Plain, winner));
    }
    if let Some(note) = &entry.mtls_note {
        let _ = writeln!(out, "  mTLS mode: {} ({note})", paint.paint(Style::Warn, "unknown"));
    }
    let _ = writeln!(
        out,
        "  state: {} ({})",
        paint.paint(Style::of(entry.state.weight()), entry.state.words()),
        paint.paint(Style::Plain, &entry.state_note)
    );
    let _ = writeln!(out, "  config dump: {}", paint.paint(Style::Muted, &entry.dump_note));
    if entry.listeners.is_empty() {
        let _ = writeln!(out, "  {}", entry.nowhere());
    }
    for listener in &entry.listeners {
        out.push('\n');
        out.push_str(&listener_text(entry, listener, paint));
    }
    if entry.passes_once() {
        let _ = writeln!(out, "\n  {ONE_CHAIN}");
    }
    if let Some(note) = &entry.era_note {
        let _ = writeln!(out, "  {note}");
    }
    out
}

fn listener_text(entry: &WhyEntry, listener: &WhyListener, paint: Paint) -> String {
    let mut out = format!("  {}: ", heading(listener, paint));
    let counted = match listener.counted {
        Some(count) => format!("{} of {} chains have it", paint.paint(Style::Strong, &count.to_string()), listener.chain_count),
        None => paint.paint(Style::Warn, listener.counted_note.as_deref().unwrap_or_default()),
    };
    let (held, style) = (listener.held_against(), Style::of(listener.weight()));
    let _ = writeln!(out, "{counted}; {}", paint.paint(style, &held));
    let width = listener.terms.iter().map(|term| term.what.chars().count()).max().unwrap_or_default();
    for (index, term) in listener.terms.iter().enumerate() {
        let sign = if index == 0 { ' ' } else { '+' };
        let padding = " ".repeat(width - term.what.chars().count());
        let _ = writeln!(
            out,
            "    {sign} {}  {}{padding}  {}  {}",
            term.count,
            paint.paint(Style::Plain, &term.what),
            paint.paint(Style::Plain, &term.how),
            paint.paint(Style::Muted, &places(term))
        );
    }
    if listener.terms.len() > 1
        && let Some(count) = listener.counted
    {
        let _ = writeln!(out, "    = {count}");
    }
    for difference in &listener.differences {
        let _ = writeln!(out, "    {} {}", paint.paint(Style::Warn, "!"), paint.paint(Style::Plain, &difference.to_string()));
    }
    for cause in &listener.causes {
        let _ = writeln!(out, "      because {}", paint.paint(Style::Plain, &cause.why));
    }
    for row in matrix(entry, listener) {
        let cells: String = row[1..].iter().map(|cell| format!("{cell:>18}")).collect();
        let _ = writeln!(out, "      {:<12}{cells}", row[0]);
    }
    out
}

/// How often the plugin would stand there under each mode, and in how many chains; none for listeners that do not depend on it.
fn matrix(entry: &WhyEntry, listener: &WhyListener) -> Vec<Vec<String>> {
    let (Some(predicted), Some(chains)) = (&listener.predicted_by_mode, &listener.chains_by_mode) else { return Vec::new() };
    let now = entry.mtls.as_ref().map(|mtls| mtls.mode);
    let row = |name: &str, cells: Vec<String>| std::iter::once(name.to_owned()).chain(cells).collect();
    vec![
        row("mode", predicted.keys().map(|mode| if now == Some(*mode) { format!("{mode} (now)") } else { mode.to_string() }).collect()),
        row("occurrences", predicted.values().map(ToString::to_string).collect()),
        row("chains", chains.values().map(ToString::to_string).collect()),
    ]
}

fn heading(listener: &WhyListener, paint: Paint) -> String {
    let port = listener.port.map(|port| format!("port {port}, ")).unwrap_or_default();
    let direction = listener.direction.map(|direction| format!(" ({})", direction.as_str())).unwrap_or_default();
    let state = if listener.state == ListenerState::Active { String::new() } else { format!(" [{}]", listener.state.as_str()) };
    format!("{port}{}{direction}{}", paint.paint(Style::Strong, &listener.listener), paint.paint(Style::Warn, &state))
}

fn places(term: &Term) -> String {
    let places: Vec<String> = term.chains.iter().map(usize::to_string).collect();
    format!("[chain{} {}]", if places.len() == 1 { "" } else { "s" }, places.join(", "))
}

fn entry_markdown(entry: &WhyEntry) -> String {
    let workload = entry.workload.as_ref().map(|name| format!("{} {}, ", entry.workload_kind.unwrap_or_default(), markdown::code(name)));
    let mut out = format!("\n#### {}{}\n\n", workload.unwrap_or_default(), markdown::code(&entry.proxy.to_string()));
    let applies = match entry.attached {
        Some(true) => "It applies",
        Some(false) => "It does not apply",
        None => "Whether it applies is not known",
    };
    let plain = |text: &str| Paint::Plain.paint(Style::Plain, text);
    let _ = writeln!(out, "- {applies}: {}.", plain(&entry.reason));
    if let Some(change) = entry.near_miss.as_ref().and_then(|miss| miss.change.as_deref()) {
        let _ = writeln!(out, "- To reach it: {}.", plain(change));
    }
    if let Some(mtls) = &entry.mtls {
        let _ = writeln!(out, "- mTLS mode {}, by {}.", mtls.mode, plain(mtls.winner.as_deref().unwrap_or("Istio's default")));
    }
    if let Some(note) = &entry.mtls_note {
        let _ = writeln!(out, "- mTLS mode unknown: {note}.");
    }
    let _ = writeln!(out, "- State: {} ({}).", entry.state.words(), plain(&entry.state_note));
    for listener in &entry.listeners {
        let count =
            listener.counted.map_or_else(|| plain(listener.counted_note.as_deref().unwrap_or_default()), |count| format!("**{count}**"));
        let _ = writeln!(out, "\n{}: {count}, {}\n", heading(listener, Paint::Plain), plain(&listener.held_against()));
        for term in &listener.terms {
            let _ = writeln!(out, "- {} × {} ({}) {}", term.count, plain(&term.what), plain(&term.how), places(term));
        }
        for difference in &listener.differences {
            let _ = writeln!(out, "- **{}**", plain(&difference.to_string()));
        }
        for cause in &listener.causes {
            let _ = writeln!(out, "  - because {}", plain(&cause.why));
        }
        for (index, row) in matrix(entry, listener).iter().enumerate() {
            let start = if index == 0 { "\n" } else { "" };
            let rule = if index == 0 { format!("\n|{}", "---|".repeat(row.len())) } else { String::new() };
            let _ = writeln!(out, "{start}| {} |{rule}", row.join(" | "));
        }
    }
    if entry.passes_once() {
        let _ = writeln!(out, "\n{ONE_CHAIN}");
    }
    if let Some(note) = &entry.era_note {
        let _ = writeln!(out, "{note}");
    }
    out
}
