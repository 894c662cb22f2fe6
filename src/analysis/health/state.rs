//! The states of a plugin in a proxy, and how severe each is.

use serde::Serialize;

/// The state of one plugin in one proxy, in the words of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PluginState {
    /// It is in place, something shows that it runs, and nothing contradicts it.
    Running,
    /// It is in place, and nothing shows yet whether it runs.
    Unverified,
    /// It runs as the object was before, and not as the object is now.
    Outdated,
    /// It is in place, and its VM has failed.
    VmFailed,
    /// The module could not be fetched; a filter of the same name allows everything.
    StubAllow,
    /// The module could not be fetched; a filter of the same name denies everything.
    StubDeny,
    /// The proxy refused its configuration.
    Rejected,
    /// Listeners refer to it, and its configuration has not been received.
    Pending,
    /// It applies to the proxy, and no listener has it.
    Absent,
    /// Filter chains that the objects put it into do not have it.
    Removed,
    /// It does not apply to the proxy, and listeners have it.
    Unexpected,
    /// No listener has it, and the ECDS section of the dump still does.
    Leftover,
    /// The plugin does not apply to this proxy, and is not there.
    NotApplicable,
    /// What could be read does not show it.
    Unknown,
}

impl PluginState {
    /// Every state, what is worst first.
    pub const ALL: [Self; 14] = [
        Self::StubDeny,
        Self::VmFailed,
        Self::Rejected,
        Self::StubAllow,
        Self::Removed,
        Self::Absent,
        Self::Unexpected,
        Self::Outdated,
        Self::Pending,
        Self::Leftover,
        Self::Unknown,
        Self::Unverified,
        Self::NotApplicable,
        Self::Running,
    ];

    /// The word of JSON and of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Unverified => "unverified",
            Self::Outdated => "outdated",
            Self::VmFailed => "vmFailed",
            Self::StubAllow => "stubAllow",
            Self::StubDeny => "stubDeny",
            Self::Rejected => "rejected",
            Self::Pending => "pending",
            Self::Absent => "absent",
            Self::Removed => "removed",
            Self::Unexpected => "unexpected",
            Self::Leftover => "leftover",
            Self::NotApplicable => "notApplicable",
            Self::Unknown => "unknown",
        }
    }

    /// The state in a few words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Unverified => "has it, not verified",
            Self::Outdated => "outdated",
            Self::VmFailed => "VM failed",
            Self::StubAllow => "stub, allows all",
            Self::StubDeny => "stub, denies all",
            Self::Rejected => "rejected",
            Self::Pending => "pending",
            Self::Absent => "absent",
            Self::Removed => "removed",
            Self::Unexpected => "unexpected",
            Self::Leftover => "left over",
            Self::NotApplicable => "not applicable",
            Self::Unknown => "unknown",
        }
    }

    /// How severe it is.
    pub fn weight(self) -> Weight {
        match self {
            Self::Running => Weight::Good,
            Self::VmFailed | Self::StubAllow | Self::StubDeny | Self::Rejected | Self::Absent | Self::Removed => Weight::Bad,
            Self::Pending | Self::Unexpected | Self::Outdated => Weight::Waits,
            Self::Leftover | Self::NotApplicable | Self::Unknown | Self::Unverified => Weight::Neutral,
        }
    }

    /// Whether it is known not to run as its object asks.
    pub fn is_trouble(self) -> bool {
        matches!(self.weight(), Weight::Bad | Weight::Waits)
    }

    /// Whether a filter that denies or allows every request is in the module's place.
    pub fn is_stub(self) -> bool {
        matches!(self, Self::StubAllow | Self::StubDeny)
    }

    /// Whether the proxy has the module itself, whatever becomes of it.
    pub fn has_module(self) -> bool {
        matches!(self, Self::Running | Self::Unverified | Self::Outdated | Self::VmFailed)
    }
}

/// How severe a state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As it should be.
    Good,
    /// It does not do what it is there for.
    Bad,
    /// Not as it should be yet, or any more.
    Waits,
    /// Neither good nor bad.
    Neutral,
}
