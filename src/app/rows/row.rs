//! What the rows of all screens represent.

/// What a row represents. Numbers are places in the screen's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A plugin.
    Plugin(usize),
    /// A workload.
    Workload(usize),
    /// A proxy of a workload that has several.
    Proxy(usize, usize),
    /// The line above the workloads that do not match.
    NotMatched,
    /// A listener.
    Listener(usize),
    /// A chain of a listener.
    Chain(usize, usize),
    /// A network filter of a chain.
    NetworkFilter(usize, usize, usize),
    /// An HTTP filter of a chain.
    HttpFilter(usize, usize, usize),
    /// A listener's line of the sum.
    Sum(usize),
    /// A term of the sum.
    Term(usize, usize),
    /// The line under the terms, with the total.
    Total(usize),
    /// A chain in which a listener differs from what istiod would send.
    Difference(usize, usize),
    /// Why it differs.
    Cause(usize, usize),
    /// A line of a listener's counts under each mode.
    Modes(usize, usize),
    /// The line above the sums of the proxy's other listeners.
    Elsewhere,
    /// A port of a workload's mutual TLS.
    MtlsPort(usize),
    /// A PeerAuthentication.
    MtlsPolicy(usize),
    /// The line above the clients of a service port.
    MtlsService(usize),
    /// Clients of it that fare alike.
    MtlsClient(usize, usize),
    /// What of the objects is not as it looks.
    MtlsCaveat(usize),
    /// The line above a part.
    Heading(&'static str),
    /// The chain that takes the connection, or that none does.
    Taken,
    /// The line above the chains that do not take it.
    Losers,
    /// A chain that does not take it.
    Loser(usize),
    /// The line above the plugins of lists in running order, by the first list.
    Ordering(usize),
    /// A plugin of a list, in running order.
    Ordered(usize, usize),
    /// The line above a list's ruler.
    Ruler(usize),
    /// A place of a list's ruler.
    Place(usize, usize),
    /// The line above a part of a story: the object, an istiod, a proxy.
    Part(usize),
    /// A step of a part.
    Step(usize, usize),
    /// A step of a part that could not be seen.
    Unseen(usize, usize),
    /// A proxy, with its sync status.
    SyncProxy(usize),
    /// A type of resources in which a proxy is compared with istiod.
    DiffType(usize),
    /// A difference in it.
    DiffLine(usize, usize),
    /// A proxy, with the plugin's health in it.
    Health(usize),
    /// A proxy of which it is said what would be.
    Supposed(usize),
    /// A line of what would be there, with its sign: `+` comes, `-` goes, `!` is to be known.
    Change(char, String),
    /// An empty line.
    Blank,
    /// A sentence.
    Sentence(String),
    /// A finding.
    Finding(usize),
    /// Something that could not be looked at.
    Unchecked(usize),
    /// A warning.
    Warning(usize),
    /// A line of text.
    Line(usize),
}

impl Row {
    /// Whether it can be selected.
    pub fn is_selectable(&self) -> bool {
        !matches!(
            self,
            Self::NotMatched
                | Self::Blank
                | Self::Elsewhere
                | Self::Losers
                | Self::Total(_)
                | Self::Cause(..)
                | Self::Modes(..)
                | Self::Heading(_)
                | Self::MtlsService(_)
                | Self::Part(_)
        )
    }
}

/// A row that can be opened and closed: a listener, by its name and state, or a chain of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The listener's name.
    pub listener: String,
    /// Its state.
    pub state: &'static str,
    /// The chain's place; None for the listener itself.
    pub chain: Option<usize>,
}
