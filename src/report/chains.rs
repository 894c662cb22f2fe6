//! Listeners, filter chains and filters.

use std::fmt::Write;

use super::form::Form;
use super::markdown;
use super::paint::{Paint, Style};
use crate::analysis::answers::{ChainAnswer, ChainsAnswer, FilterAnswer, ListenerAnswer, PredictionAnswer, ProxyChains};
use crate::model::envoy::ListenerState;
use crate::model::ids::PluginKind;
use crate::model::warning::Warning;

const UNREAD: &str = "parts of it could not be read";

impl Form for ChainsAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn nothing(&self, _: Paint) -> Option<String> {
        self.proxies.is_empty().then(|| "No config dump of a proxy could be shown.\n".to_owned())
    }

    fn text(&self, paint: Paint) -> String {
        self.proxies.iter().map(|proxy| text(proxy, paint)).collect::<Vec<_>>().join("\n")
    }

    fn markdown(&self) -> String {
        self.proxies.iter().map(proxy_markdown).collect::<Vec<_>>().join("\n")
    }
}

fn text(proxy: &ProxyChains, paint: Paint) -> String {
    let mut out = String::new();
    let istiod = if proxy.view == "istiod" { "  istiod's view: not what the proxy has" } else { "" };
    let _ = writeln!(
        out,
        "{}{}{}",
        paint.paint(Style::Strong, &proxy.proxy.to_string()),
        paint.paint(Style::Muted, &versions(proxy)),
        paint.paint(Style::Warn, istiod)
    );
    if let Some(note) = proxy.listeners_note {
        let _ = writeln!(out, "  {}", paint.paint(Style::Warn, &format!("! {note}")));
    }
    for listener in &proxy.listeners {
        let _ = writeln!(out, "  {}", listener_line(listener, paint));
        if let Some(error) = &listener.error {
            let _ = writeln!(out, "      {} {}", paint.paint(Style::Bad, "refused:"), paint.paint(Style::Plain, error));
        }
        for line in listener.prediction.iter().flat_map(PredictionAnswer::lines) {
            let _ = writeln!(out, "      {} {}", paint.paint(Style::Warn, "!"), paint.paint(Style::Plain, &line));
        }
        for chain in &listener.filter_chains {
            chain_text(&mut out, chain, paint);
        }
    }
    if !proxy.absent.is_empty() {
        let absent = format!("! istiod would send more listeners: {}", proxy.absent.join(", "));
        let _ = writeln!(out, "  {}", paint.paint(Style::Warn, &absent));
    }
    if proxy.listeners.is_empty() {
        let _ = writeln!(out, "  no listener to show");
    }
    out
}

fn versions(proxy: &ProxyChains) -> String {
    let part = |name: &str, version: &str| if version.is_empty() { String::new() } else { format!("  {name} {version}") };
    part("istio", &proxy.istio_version) + &part("envoy", &proxy.envoy_version)
}

fn listener_line(listener: &ListenerAnswer, paint: Paint) -> String {
    let port = listener.port.map_or_else(|| listener.port_note.clone().unwrap_or_else(|| "internal".to_owned()), |port| port.to_string());
    let direction = match (listener.direction, listener.is_static) {
        (Some(direction), _) => direction.as_str(),
        (None, true) => "static",
        (None, false) => "",
    };
    let count = listener.filter_chains.len();
    let state = if listener.state == ListenerState::Active { String::new() } else { format!("  [{}]", listener.state.as_str()) };
    format!(
        "{} {}  {}  {count} chain{}{}",
        paint.paint(Style::Strong, &port),
        paint.paint(Style::Plain, &listener.name),
        paint.paint(Style::Muted, direction),
        if count == 1 { "" } else { "s" },
        paint.paint(Style::Warn, &state)
    )
}

pub(super) fn chain_text(out: &mut String, chain: &ChainAnswer, paint: Paint) {
    let leads = if chain.destination.is_empty() { String::new() } else { format!(" -> {}", chain.destination) };
    let _ = writeln!(
        out,
        "      {:>2}  {}  {}{}",
        chain.place,
        paint.paint(Style::Plain, &chain.meaning),
        paint.paint(Style::Muted, &format!("[{}]", chain.recognised_by)),
        paint.paint(Style::Muted, &leads)
    );
    if chain.unread {
        let _ = writeln!(out, "          {}", paint.paint(Style::Warn, UNREAD));
    }
    let with_plugin = |filters: &[FilterAnswer]| filters.iter().any(|filter| filter.plugin_kind.is_some());
    if with_plugin(&chain.network_filters) {
        let _ = writeln!(out, "          network: {}", filters(&chain.network_filters, paint));
    }
    if !chain.http_filters.is_empty() {
        let _ = writeln!(out, "          http: {}", filters(&chain.http_filters, paint));
    }
}

fn filters(filters: &[FilterAnswer], paint: Paint) -> String {
    let plain = |filter: &FilterAnswer| match (&filter.plugin, filter.plugin_kind) {
        (Some(plugin), Some(PluginKind::EnvoyFilter)) => paint.paint(Style::Plugin, &format!("* {} (EnvoyFilter {plugin})", filter.name)),
        (Some(plugin), _) => paint.paint(Style::Plugin, &format!("* {plugin}")),
        (None, Some(kind)) => paint.paint(Style::Plugin, &format!("* {} ({kind})", filter.name)),
        (None, None) => paint.paint(Style::Plain, filter.short()),
    };
    let name = |filter: &FilterAnswer| match filter.trouble() {
        Some(state) => format!("{} {}", plain(filter), paint.paint(Style::of(state.weight()), &format!("[{}]", state.words()))),
        None => plain(filter),
    };
    filters.iter().map(name).collect::<Vec<_>>().join(" > ")
}

fn proxy_markdown(proxy: &ProxyChains) -> String {
    let versions = Paint::Plain.paint(Style::Plain, &versions(proxy));
    let mut out = format!("### Filter chains of {}{versions}\n", markdown::code(&proxy.proxy.to_string()));
    for listener in &proxy.listeners {
        let _ = writeln!(out, "\n**{}**\n", listener_line(listener, Paint::Plain));
        for line in listener.prediction.iter().flat_map(PredictionAnswer::lines) {
            let _ = writeln!(out, "- {}", Paint::Plain.paint(Style::Plain, &line));
        }
        for chain in &listener.filter_chains {
            chain_markdown(&mut out, chain);
        }
    }
    out
}

pub(super) fn chain_markdown(out: &mut String, chain: &ChainAnswer) {
    let http = if chain.http_filters.is_empty() { String::new() } else { format!(": {}", filters(&chain.http_filters, Paint::Plain)) };
    let meaning = Paint::Plain.paint(Style::Plain, &chain.meaning);
    let unread = if chain.unread { format!(" ({UNREAD})") } else { String::new() };
    let _ = writeln!(out, "- {}. {meaning} (`{}`){http}{unread}", chain.place, Paint::Plain.paint(Style::Plain, &chain.recognised_by));
}
