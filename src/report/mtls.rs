//! The mutual TLS of workloads: mode and winner, ports, policies that lost, and what clients send.

use std::fmt::Write;

use super::form::Form;
use super::paint::{Paint, Style};
use super::{Table, markdown};
use crate::analysis::answers::{ClientAnswer, EffectiveMtlsAnswer, MtlsEntry, PolicyAnswer, PortAnswer, ServiceClients};
use crate::analysis::mtls::verdict::Verdict;
use crate::model::warning::Warning;

impl Form for EffectiveMtlsAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn nothing(&self, _: Paint) -> Option<String> {
        self.workloads.is_empty().then(|| "No workloads here; look in all namespaces with -A.\n".to_owned())
    }

    fn text(&self, paint: Paint) -> String {
        self.workloads.iter().map(|entry| text(entry, paint)).collect::<Vec<_>>().join("\n")
    }

    fn markdown(&self) -> String {
        self.workloads.iter().map(entry_markdown).collect::<Vec<_>>().join("\n")
    }
}

fn text(entry: &MtlsEntry, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}: {}, {}",
        paint.paint(Style::Strong, &format!("{} {}", entry.workload_kind, entry.workload)),
        paint.paint(Style::Strong, entry.mode_word()),
        paint.paint(Style::Plain, &entry.why())
    );
    if let Some(note) = &entry.note {
        let _ = writeln!(out, "  {}", paint.paint(Style::Warn, note));
    }
    if !entry.ports.is_empty() {
        out.push_str(&indented(&ports(&entry.ports).text(paint)));
    }
    if !entry.policies.is_empty() {
        out.push_str(&indented(&policies(&entry.policies).text(paint)));
    }
    if let Some(compared) = entry.compared {
        let _ = writeln!(out, "\n  {}", paint.paint(Style::Muted, compared));
    }
    for service in &entry.services {
        let _ = writeln!(out, "\n  {}", paint.paint(Style::Strong, &format!("Clients of {}", service.name())));
        for client in &service.clients {
            let _ = writeln!(
                out,
                "    {}  {}",
                paint.paint(style(client.verdict), &format!("{:7}", client.word())),
                paint.paint(Style::Plain, &client.sentence())
            );
        }
    }
    out
}

/// A table under its heading line.
fn indented(table: &str) -> String {
    table.lines().fold("\n".to_owned(), |text, line| text + "  " + line + "\n")
}

fn ports(ports: &[PortAnswer]) -> Table {
    let mut table = Table::new(&["PORT", "MODE", "BY", "PROTOCOL", "BEHIND IT"]);
    for port in ports {
        table.row([
            (Style::Strong, port.name()),
            (Style::Strong, port.mode.to_string()),
            (Style::Plain, port.by_whom()),
            (Style::Plain, port.protocol.to_owned()),
            (Style::Plain, port.what.clone()),
        ]);
    }
    table
}

fn policies(policies: &[PolicyAnswer]) -> Table {
    let mut table = Table::new(&["PEERAUTHENTICATION", "SCOPE", "MODE", "CREATED", "FATE"]);
    for policy in policies {
        table.row([
            (Style::Plain, policy.policy.clone()),
            (Style::Plain, policy.scope.as_str().to_owned()),
            (Style::Plain, policy.modes()),
            (Style::Muted, policy.created.clone().unwrap_or_default()),
            (if policy.fate == "decides" { Style::Strong } else { Style::Plain }, policy.reason.clone()),
        ]);
    }
    table
}

fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Works => Style::Good,
        Verdict::Unused => Style::Muted,
        Verdict::Depends => Style::Warn,
        Verdict::Fails => Style::Bad,
    }
}

fn entry_markdown(entry: &MtlsEntry) -> String {
    let plain = |text: &str| Paint::Plain.paint(Style::Plain, text);
    let name = markdown::code(&entry.workload);
    let mut out = format!("### Mutual TLS of {} {name}\n\n**{}**, {}.\n", entry.workload_kind, entry.mode_word(), plain(&entry.why()));
    if let Some(note) = &entry.note {
        let _ = writeln!(out, "\n{}", plain(note));
    }
    for table in [(!entry.ports.is_empty()).then(|| ports(&entry.ports)), (!entry.policies.is_empty()).then(|| policies(&entry.policies))] {
        out.push_str(&table.map(|table| format!("\n{}", table.markdown())).unwrap_or_default());
    }
    out.push_str(&entry.compared.map(|compared| format!("\n{compared}\n")).unwrap_or_default());
    for service in &entry.services {
        out.push_str(&service_markdown(service));
    }
    out
}

fn service_markdown(service: &ServiceClients) -> String {
    let plain = |text: &str| Paint::Plain.paint(Style::Plain, text);
    let item = |client: &ClientAnswer| format!("- **{}**: {}.\n", client.word(), plain(&client.sentence()));
    format!("\nClients of {}:\n\n{}", plain(&service.name()), service.clients.iter().map(item).collect::<String>())
}
