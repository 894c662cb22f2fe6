//! Whether a request fits the match of a route, by what the access log shows of it.

use regex::Regex;

use crate::analysis::chains::{Facts, is_bound};
use crate::model::ids::ObjectName;
use crate::model::routing::{RouteMatch, RouteRule, TextMatch};

/// Whether a request takes a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// It does not.
    No,
    /// It can: the match asks for what is not known of the request.
    May,
    /// It does.
    Yes,
}

/// What is known of a request; None and empty where it is not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent<'r> {
    pub(super) path: Option<&'r str>,
    pub(super) method: Option<&'r str>,
    pub(super) authority: Option<&'r str>,
    /// The port of the listener that takes it.
    pub(super) port: Option<u16>,
    /// The name of its route in the access log.
    pub(super) route: &'r str,
}

/// Whether a request of a proxy takes a route of a VirtualService (`pilot/pkg/networking/core/route/route.go: sourceMatchHTTP, TranslateRoute,
/// TranslateRouteMatch`).
pub(super) fn fit(rule: &RouteRule, of: &ObjectName, client: &Facts<'_>, sent: &Sent<'_>) -> Fit {
    // A route with another name is another one. That the log has none says nothing: its format need not have it.
    let is_other = |name: &str| !name.is_empty() && !sent.route.is_empty() && name != sent.route;
    let of_match = |item: &RouteMatch| {
        let named = if item.name.is_empty() { rule.name.clone() } else { format!("{}.{}", rule.name, item.name) };
        if is_other(&named) || !is_from(item, of, client) {
            return Fit::No;
        }
        let port = asked(item.port.as_ref(), sent.port.as_ref(), |wanted, port| Some(wanted == port));
        let is = |wanted: &TextMatch, text: &str| is_text(wanted, text, false);
        let uri = match &item.uri {
            Some(wanted) if is_any_path(wanted) => Fit::Yes,
            wanted => asked(wanted.as_ref(), sent.path, |wanted, path| is_text(wanted, path, item.ignores_case)),
        };
        let method = asked(item.method.as_ref(), sent.method, is);
        let authority = asked(item.authority.as_ref(), sent.authority, |wanted, authority| is_text(wanted, authority, true));
        let more = if item.asks_more { Fit::May } else { Fit::Yes };
        [port, uri, method, authority, more].into_iter().min().unwrap_or(Fit::Yes)
    };
    if rule.matches.is_empty() {
        return if is_other(&rule.name) { Fit::No } else { Fit::Yes };
    }
    rule.matches.iter().map(of_match).max().unwrap_or(Fit::No)
}

/// Whether a match is for requests of this client: its gateways, else its labels and namespace.
fn is_from(item: &RouteMatch, of: &ObjectName, client: &Facts<'_>) -> bool {
    if !item.gateways.is_empty() {
        return is_bound(client, of, &item.gateways);
    }
    let namespace = &item.source_namespace;
    item.source_labels.matches(&client.pod.labels) && (namespace.is_empty() || namespace == client.namespace())
}

/// Whether what a match asks for is what the request has; it may be where that, or what the match means, is not known.
fn asked<W: ?Sized, T: ?Sized>(wanted: Option<&W>, has: Option<&T>, is: impl Fn(&W, &T) -> Option<bool>) -> Fit {
    match (wanted, has) {
        (None, _) => Fit::Yes,
        (Some(_), None) => Fit::May,
        (Some(wanted), Some(has)) => match is(wanted, has) {
            Some(true) => Fit::Yes,
            Some(false) => Fit::No,
            None => Fit::May,
        },
    }
}

/// Whether every path fits (`pilot/pkg/networking/core/route/route.go: IsCatchAllRoute`).
fn is_any_path(wanted: &TextMatch) -> bool {
    match wanted {
        TextMatch::Prefix(prefix) => matches!(prefix.as_str(), "" | "/"),
        TextMatch::Regex(regex) => regex == ".*",
        TextMatch::Exact(_) => false,
    }
}

/// Whether a text is what is wanted; None where the expression cannot be read.
fn is_text(wanted: &TextMatch, text: &str, ignores_case: bool) -> Option<bool> {
    let same = |text: &str| if ignores_case { text.to_ascii_lowercase() } else { text.to_owned() };
    match wanted {
        TextMatch::Exact(exact) => Some(same(exact) == same(text)),
        TextMatch::Prefix(prefix) => Some(same(text).starts_with(&same(prefix))),
        TextMatch::Regex(regex) => Regex::new(&format!("^(?:{regex})$")).ok().map(|regex| regex.is_match(text)),
    }
}
