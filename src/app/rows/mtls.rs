//! The lines of a workload's mutual TLS: the mode, its ports, the policies, the clients, and what is not as it looks.

use super::Row;
use crate::analysis::answers::MtlsEntry;
use crate::app::screen::Screen;

/// The one workload that the screen is about.
pub fn entry(screen: &Screen) -> Option<&MtlsEntry> {
    screen.mtls()?.workloads.first()
}

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(entry) = entry(screen) else { return Vec::new() };
    let mut rows: Vec<Row> = entry.note.iter().cloned().map(Row::Sentence).collect();
    let mut part = |heading: Row, items: Vec<Row>| {
        if !items.is_empty() {
            rows.extend((!rows.is_empty()).then_some(Row::Blank));
            rows.push(heading);
            rows.extend(items);
        }
    };
    part(Row::Heading("ports"), (0..entry.ports.len()).map(Row::MtlsPort).collect());
    part(Row::Heading("policies"), (0..entry.policies.len()).map(Row::MtlsPolicy).collect());
    part(Row::Heading("clients"), entry.compared.map(|compared| Row::Sentence(compared.to_owned())).into_iter().collect());
    for (place, service) in entry.services.iter().enumerate() {
        part(Row::MtlsService(place), (0..service.clients.len()).map(|client| Row::MtlsClient(place, client)).collect());
    }
    part(Row::Heading("not as it looks"), (0..entry.caveats.len()).map(Row::MtlsCaveat).collect());
    rows
}

pub(super) fn text(screen: &Screen, row: &Row) -> Option<String> {
    let entry = entry(screen)?;
    match row {
        Row::MtlsPort(place) => Some(format!("{} {}", entry.ports[*place].name(), entry.ports[*place].what)),
        Row::MtlsPolicy(place) => Some(entry.policies[*place].policy.clone()),
        Row::MtlsClient(service, client) => Some(entry.services[*service].clients[*client].sentence()),
        Row::MtlsCaveat(place) => Some(entry.caveats[*place].to_string()),
        _ => None,
    }
}
