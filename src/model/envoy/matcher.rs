//! `filter_chain_matcher`: the tree of conditions by which a listener picks a chain by its name, instead of by what each
//! chain matches. Only Istio's waypoints and HBONE listeners use it (`core/listener_waypoint.go`).

use std::collections::BTreeMap;
use std::fmt;

/// What stands for the conditions of a chain to which no way through the tree leads.
pub const NEVER: &str = "never: the listener's matcher does not name this chain";

/// One node of the tree (`xds/type/matcher/v3/matcher.proto`), as far as it can be understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Where it leads, in the order in which it is written; what is done where no branch matches comes last.
    pub branches: Vec<Branch>,
}

/// One way on from a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// What must be so.
    pub condition: Condition,
    /// What is done then.
    pub on_match: OnMatch,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// `DestinationPortInput`.
    Port,
    /// `DestinationIPInput`.
    Address,
    /// `ApplicationProtocolInput`: every protocol in single quotes, with commas between them.
    Protocol,
    /// `ServerNameInput`.
    ServerName,
    /// Another one, by its name.
    Other(String),
}

/// What must be so for a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The input is this text.
    Is(Input, String),
    /// The input begins with this text; the longest that does so goes first.
    StartsWith(Input, String),
    /// The input is an address in one of these ranges, as `10.0.0.0/8`; the narrowest goes first.
    In(Input, Vec<String>),
    /// Something that this program does not know, in words.
    Unknown(String),
    /// No other branch leads to a chain (`on_no_match`).
    NothingElse,
}

/// What a branch leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnMatch {
    /// A chain, by its name.
    Chain(String),
    /// Another node.
    Matcher(Matcher),
    /// Something that this program does not know.
    Unknown,
}

/// The conditions on one way through the tree, from its root to a chain.
pub type Way<'m> = Vec<&'m Condition>;

impl Matcher {
    /// All ways through the tree that end at a chain, by the chain's name.
    pub fn ways(&self) -> BTreeMap<&str, Vec<Way<'_>>> {
        let mut found = BTreeMap::new();
        self.walk(&mut Vec::new(), &mut found);
        found
    }

    fn walk<'m>(&'m self, path: &mut Way<'m>, found: &mut BTreeMap<&'m str, Vec<Way<'m>>>) {
        for Branch { condition, on_match } in &self.branches {
            path.push(condition);
            match on_match {
                OnMatch::Chain(name) => found.entry(name.as_str()).or_default().push(path.clone()),
                OnMatch::Matcher(next) => next.walk(path, found),
                OnMatch::Unknown => {}
            }
            path.pop();
        }
    }
}

/// A way as one text: `address is 10.0.0.1/32, port is 80`.
pub fn way_text(way: &[&Condition]) -> String {
    way.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Port => "port",
            Self::Address => "address",
            Self::Protocol => "protocol",
            Self::ServerName => "SNI",
            Self::Other(name) => name,
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(input, value) => write!(f, "{input} is {value}"),
            Self::StartsWith(input, start) => write!(f, "{input} starts with {start}"),
            Self::In(input, ranges) => write!(f, "{input} is {}", ranges.join(" or ")),
            Self::Unknown(what) => f.write_str(what),
            Self::NothingElse => f.write_str("nothing else matches"),
        }
    }
}
