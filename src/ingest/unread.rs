//! What could not be read, as warnings: a kind that is forbidden in several parts of the cluster is one.

use crate::model::kind::Kind;
use crate::model::update::Unread;
use crate::model::warning::Warning;

/// One warning a kind, in the order of [`Kind::ALL`], then what is no kind's.
pub(super) fn warnings(unread: &[Unread]) -> Vec<Warning> {
    let of_kind = |kind: Kind| {
        let mut of = unread.iter().filter(move |unread| unread.kind == Some(kind));
        let first = of.next()?;
        let resource = kind.resource();
        let mut parts: Vec<&str> = of.filter_map(|other| other.what.strip_prefix(resource.as_str())).map(str::trim_start).collect();
        parts.retain(|part| !part.is_empty() && !first.what.ends_with(part));
        parts.sort_unstable();
        parts.dedup();
        let also = if parts.is_empty() { String::new() } else { format!(", and so it is {}", parts.join(", ")) };
        Some(Warning::new(&first.what, format!("{}{also}", first.why), &first.fix))
    };
    let of_none = unread.iter().filter(|unread| unread.kind.is_none());
    let others = of_none.map(|unread| Warning::new(&unread.what, &unread.why, &unread.fix));
    Kind::ALL.into_iter().filter_map(of_kind).chain(others).collect()
}
