//! How plugins fare: each plugin's sum, its module, its proxies, and for each proxy what shows its state.

use std::fmt::Write;

use super::form::Form;
use super::paint::{Paint, Style};
use super::{Table, markdown};
use crate::analysis::answers::{HealthAnswer, ModuleHealth, PluginHealth};
use crate::analysis::health::Weight;
use crate::model::warning::Warning;

const NONE: &str = "No plugin here, neither as an object nor in a proxy; look in all namespaces with -A.\n";

impl Form for HealthAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        if self.plugins.is_empty() {
            return NONE.to_owned();
        }
        self.plugins.iter().map(|plugin| text(plugin, paint)).collect::<Vec<_>>().join("\n")
    }

    fn markdown(&self) -> String {
        let plugins: String =
            if self.plugins.is_empty() { format!("\n{NONE}") } else { self.plugins.iter().map(plugin_markdown).collect() };
        format!("### How plugins fare\n{plugins}")
    }
}

fn text(plugin: &PluginHealth, paint: Paint) -> String {
    let plain = |text: &str| paint.paint(Style::Plain, text);
    let name = paint.paint(Style::Plugin, &plugin.title());
    let mut out = format!("{} {name}  {}\n", plugin.plugin_kind, paint.paint(Style::of(plugin.rollup.weight()), &plugin.said()));
    for (weight, line) in plugin.module.iter().flat_map(ModuleHealth::said) {
        let style = if weight == Weight::Bad { Style::Bad } else { Style::Plain };
        let _ = writeln!(out, "  {}", paint.paint(style, &line));
    }
    if plugin.proxies.is_empty() {
        return format!("{out}  {}\n", plugin.nowhere());
    }
    out.push('\n');
    for line in proxies(plugin).text(paint).lines() {
        let _ = writeln!(out, "  {line}");
    }
    for proxy in &plugin.proxies {
        let _ =
            writeln!(out, "\n  {}  {}", plain(&proxy.proxy.to_string()), paint.paint(Style::of(proxy.state.weight()), proxy.state.words()));
        for evidence in &proxy.evidence {
            let _ = writeln!(out, "    {}", plain(&evidence.said()));
        }
        let _ = writeln!(out, "    {}", paint.paint(Style::Muted, &format!("the dump {}", proxy.dump_note)));
    }
    out
}

fn plugin_markdown(plugin: &PluginHealth) -> String {
    let plain = |text: &str| Paint::Plain.paint(Style::Plain, text);
    let mut out = format!("\n#### {} {}\n\n{}\n\n", plugin.plugin_kind, markdown::code(&plugin.title()), plain(&plugin.said()));
    for (_, line) in plugin.module.iter().flat_map(ModuleHealth::said) {
        let _ = writeln!(out, "- {}", plain(&line));
    }
    if plugin.proxies.is_empty() {
        return format!("{out}- {}\n", plugin.nowhere());
    }
    let _ = writeln!(out, "\n{}", proxies(plugin).markdown());
    for proxy in &plugin.proxies {
        let _ = writeln!(out, "{}: {}\n", markdown::code(&proxy.proxy.to_string()), proxy.state.words());
        for evidence in &proxy.evidence {
            let _ = writeln!(out, "- {}", plain(&evidence.said()));
        }
        out.push('\n');
    }
    out
}

fn proxies(plugin: &PluginHealth) -> Table {
    let mut table = Table::new(&["WORKLOAD", "PROXY", "STATE", "SINCE", "DIGEST"]);
    for proxy in &plugin.proxies {
        table.row([
            (Style::Plain, proxy.workload.clone().unwrap_or_default()),
            (Style::Plain, proxy.proxy.to_string()),
            (Style::of(proxy.state.weight()), proxy.state.words().to_owned()),
            (Style::Plain, proxy.since.clone().unwrap_or_default()),
            (Style::Plain, proxy.short_digest().to_owned()),
        ]);
    }
    table
}
