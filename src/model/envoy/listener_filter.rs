//! Listener filters: what runs on a new connection before a chain is picked, and tells what there is to pick it by.

/// One listener filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerFilter {
    /// What it does.
    pub kind: ListenerFilterKind,
    /// For which connections it does not run (`filter_disabled`); None where it always runs.
    pub disabled: Option<PortPredicate>,
}

/// What a listener filter does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenerFilterKind {
    /// Reads the TLS ClientHello: the transport protocol `tls`, SNI and ALPN.
    TlsInspector,
    /// Reads the first line of plain bytes: HTTP/1.0, HTTP/1.1 or HTTP/2 as an application protocol.
    HttpInspector,
    /// Another one, by its name.
    Other(String),
}

/// `ListenerFilterChainMatchPredicate` (`envoy/config/listener/v3/listener_components.proto`): a condition on the
/// destination port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortPredicate {
    /// `any_match`.
    Any,
    /// `destination_port_range`: from the first to before the second.
    Range(i64, i64),
    /// `or_match`.
    Or(Vec<PortPredicate>),
    /// `and_match`.
    And(Vec<PortPredicate>),
    /// `not_match`.
    Not(Box<PortPredicate>),
    /// Something that this program does not know.
    Unknown,
}

impl ListenerFilter {
    /// Whether it runs on a connection to this port; None where that cannot be told.
    pub fn runs_on(&self, port: u16) -> Option<bool> {
        self.disabled.as_ref().map_or(Some(true), |disabled| disabled.holds(port).map(|holds| !holds))
    }
}

impl PortPredicate {
    fn holds(&self, port: u16) -> Option<bool> {
        match self {
            Self::Any => Some(true),
            Self::Range(start, end) => Some((*start..*end).contains(&i64::from(port))),
            Self::Or(rules) => until(rules, port, true),
            Self::And(rules) => until(rules, port, false),
            Self::Not(rule) => rule.holds(port).map(|holds| !holds),
            Self::Unknown => None,
        }
    }
}

/// `decisive` where one of the rules is so; its opposite where none is; None where an unknown one might be.
fn until(rules: &[PortPredicate], port: u16, decisive: bool) -> Option<bool> {
    let held: Vec<Option<bool>> = rules.iter().map(|rule| rule.holds(port)).collect();
    if held.contains(&Some(decisive)) { Some(decisive) } else { held.into_iter().collect::<Option<Vec<bool>>>().map(|_| !decisive) }
}

#[cfg(test)]
mod tests {
    use super::PortPredicate::{And, Any, Not, Or, Range, Unknown};
    use super::*;

    #[test]
    fn a_filter_runs_where_it_is_not_disabled() {
        let runs = |disabled, port| ListenerFilter { kind: ListenerFilterKind::TlsInspector, disabled }.runs_on(port);
        assert_eq!(runs(None, 80), Some(true));
        assert_eq!(runs(Some(Any), 80), Some(false));
        let two = || Or(vec![Range(80, 81), Range(15006, 15007)]);
        assert_eq!([80, 81, 15006].map(|port| runs(Some(two()), port)), [Some(false), Some(true), Some(false)]);
        assert_eq!([80, 81].map(|port| runs(Some(Not(Box::new(two()))), port)), [Some(true), Some(false)]);
        assert_eq!([80, 90].map(|port| runs(Some(And(vec![Range(0, 100), Range(85, 95)])), port)), [Some(true), Some(false)]);
        // What is not known matters only where nothing else decides.
        assert_eq!([80, 81].map(|port| runs(Some(Or(vec![Unknown, two()])), port)), [Some(false), None]);
        assert_eq!([80, 81].map(|port| runs(Some(And(vec![Unknown, two()])), port)), [None, Some(true)]);
    }
}
