//! Which filter chain takes a connection.

use std::fmt::Write;

use super::chains::{chain_markdown, chain_text};
use super::form::Form;
use super::markdown;
use super::paint::{Paint, Style};
use crate::analysis::answers::{ConnectionAnswer, ProxyConnection, TakingListener};
use crate::analysis::connection::Outcome;
use crate::model::warning::Warning;

impl Form for ConnectionAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn nothing(&self, _: Paint) -> Option<String> {
        self.proxies.is_empty().then(|| "No config dump of a proxy could be looked at.\n".to_owned())
    }

    fn text(&self, paint: Paint) -> String {
        self.proxies.iter().map(|proxy| text(proxy, paint)).collect::<Vec<_>>().join("\n")
    }

    fn markdown(&self) -> String {
        self.proxies.iter().map(proxy_markdown).collect::<Vec<_>>().join("\n")
    }
}

fn text(proxy: &ProxyConnection, paint: Paint) -> String {
    let mut out = String::new();
    let plain = |text: &str| paint.paint(Style::Plain, text);
    let istiod = if proxy.view == "istiod" { "  istiod's view: not what the proxy has" } else { "" };
    let _ = writeln!(
        out,
        "{}: a connection {}{}",
        paint.paint(Style::Strong, &proxy.proxy.to_string()),
        plain(&proxy.connection.words()),
        paint.paint(Style::Warn, istiod)
    );
    for fact in facts(proxy) {
        let _ = writeln!(out, "  {}", plain(&fact));
    }
    out.push('\n');
    let end = if proxy.chain.is_some() { ":" } else { "." };
    let _ = writeln!(out, "  {}", paint.paint(style(proxy.outcome), &(proxy.verdict() + end)));
    if let Some(chain) = &proxy.chain {
        chain_text(&mut out, chain, paint);
    }
    let _ = writeln!(out, "  {}", plain(&proxy.why));
    if let Some(consequence) = proxy.consequence {
        let _ = writeln!(out, "  {}", paint.paint(Style::Warn, consequence));
    }
    if !proxy.plugins.is_empty() {
        let _ = writeln!(out, "  It passes {}.", paint.paint(Style::Plugin, &proxy.plugins.join(", ")));
    }
    if !proxy.losers.is_empty() {
        let _ = writeln!(out, "\n  {}", paint.paint(Style::Muted, "The chains that do not take it:"));
    }
    for loser in &proxy.losers {
        let _ = writeln!(out, "      {:>2}  {}", loser.place, plain(&loser.meaning));
        let _ = writeln!(out, "          {}", paint.paint(Style::Muted, &loser.why));
    }
    out
}

/// What is known of the connection and its listener, a line each.
fn facts(proxy: &ProxyConnection) -> Vec<String> {
    let mut facts: Vec<String> = proxy.connection.assumptions.iter().map(|what| format!("assumed: {what}")).collect();
    if let Some(listener) = &proxy.listener {
        facts.push(format!("listener: {}: {}", name(listener), listener.why));
    }
    if let Some(seen) = &proxy.seen {
        facts.push(format!("what the listener sees: {}", seen.words()));
        facts.extend(seen.unseen.iter().cloned());
    }
    facts
}

fn name(listener: &TakingListener) -> String {
    let port = listener.port.map(|port| format!("{port} ")).unwrap_or_default();
    let direction = listener.direction.map(|direction| format!(" ({})", direction.as_str())).unwrap_or_default();
    format!("{port}{}{direction}", listener.name)
}

fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Chain | Outcome::Default => Style::Good,
        Outcome::Closed => Style::Bad,
        Outcome::Unknown => Style::Warn,
    }
}

fn proxy_markdown(proxy: &ProxyConnection) -> String {
    let plain = |text: &str| Paint::Plain.paint(Style::Plain, text);
    let name = markdown::code(&proxy.proxy.to_string());
    let mut out = format!("### Which chain of {name} takes a connection {}\n\n", plain(&proxy.connection.words()));
    if proxy.view == "istiod" {
        out.push_str("- istiod's view: not what the proxy has\n");
    }
    for fact in facts(proxy) {
        let _ = writeln!(out, "- {}", plain(&fact));
    }
    let _ = writeln!(
        out,
        "\n**{}.** {}{}\n",
        proxy.verdict(),
        plain(&proxy.why),
        proxy.consequence.map(|text| format!(" {text}")).unwrap_or_default()
    );
    if let Some(chain) = &proxy.chain {
        chain_markdown(&mut out, chain);
    }
    if !proxy.losers.is_empty() {
        out.push_str("\nThe chains that do not take it:\n\n");
    }
    for loser in &proxy.losers {
        let _ = writeln!(out, "- {}. {}: {}", loser.place, plain(&loser.meaning), plain(&loser.why));
    }
    out
}
