//! Clusters, routes and endpoints: what the comparison found, which was made when both were read.

use super::{DiffLine, Draft, TypeDiff};
use crate::model::istiod_view::IstiodView;
use crate::model::resources::{Comparison, ResourceType};

/// What istiod would send of a type against what the proxy has. Nothing stands in where istiod does not tell.
pub(super) fn of(of: ResourceType, view: Option<&IstiodView>) -> Draft {
    let Some(view) = view else { return Draft::none(of.short(), None) };
    match view.resources.get(&of).map(|found| found.as_ref().map_err(|why| reason(of, view, why))) {
        Some(Ok(compared)) => compared_draft(of, compared),
        Some(Err(why)) => Draft::none(of.short(), Some(why)),
        None => Draft::none(of.short(), Some("the proxy was not asked".to_owned())),
    }
}

/// Why a type could not be compared, with what is known of how istiod's view was had.
fn reason(of: ResourceType, view: &IstiodView, why: &str) -> String {
    let known = match (of, view.way) {
        // `pilot/pkg/xds/statusgen.go: debugConfigDump` leaves them out.
        (ResourceType::Endpoints, "xDS") => ", as over xDS it never does",
        (ResourceType::Endpoints, "file") => ": the recording was made without them",
        _ => "",
    };
    if why.starts_with("istiod's dump holds no") { format!("{why}{known}") } else { why.to_owned() }
}

fn compared_draft(of: ResourceType, found: &Comparison) -> Draft {
    let Comparison { sent, held, differences, left_out, notes } = found;
    let counted = |count: usize| if count == 1 { format!("1 {}", of.noun()) } else { format!("{count} {}", of.plural()) };
    let compared = match sent {
        0 => format!("Neither has a {}", of.noun()),
        _ => format!("{} compared with what istiod would send now", counted(*sent)),
    };
    let differing = format!("istiod would send {}, the proxy has {held}", counted(*sent));
    let lines = differences.iter().map(|difference| DiffLine {
        what: difference.what,
        only: difference.only,
        listener: None,
        chain: None,
        extension: None,
        resource: Some(difference.resource.clone()),
        detail: difference.detail.clone(),
        causes: Vec::new(),
    });
    let more = (*left_out > 0).then(|| format!("{left_out} more differences are not told"));
    let found = TypeDiff {
        short: of.short(),
        basis: "istiod",
        basis_note: None,
        same: Some(differences.is_empty()),
        compared,
        differences: lines.collect(),
        notes: more.into_iter().chain(notes.iter().cloned()).collect(),
    };
    Draft::new(found, differing)
}
