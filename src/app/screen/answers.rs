//! The answer of a screen as what it is; None while there is none, and on screens of other sorts.

use super::Screen;
use crate::analysis::answers::{
    ChainsAnswer, DiffEntry, EffectiveMtlsAnswer, FindingsAnswer, OrderAnswer, PluginHealth, PluginsAnswer, ProxyConnection, SyncAnswer,
    TimelineAnswer, WhatIfAnswer, WhyAnswer, WorkloadsAnswer,
};
use crate::app::question::Answered;

impl Screen {
    /// The answer of home.
    pub fn plugins(&self) -> Option<&PluginsAnswer> {
        match &self.answer {
            Some(Answered::Plugins(answer)) => Some(answer),
            _ => None,
        }
    }

    /// The answer of a plugin's workloads.
    pub fn workloads(&self) -> Option<&WorkloadsAnswer> {
        match &self.answer {
            Some(Answered::Workloads(answer)) => Some(answer),
            _ => None,
        }
    }

    /// The answer of a proxy's chains.
    pub fn chains(&self) -> Option<&ChainsAnswer> {
        match &self.answer {
            Some(Answered::Chains(answer)) => Some(answer),
            _ => None,
        }
    }

    /// The answer to why.
    pub fn why(&self) -> Option<&WhyAnswer> {
        match &self.answer {
            Some(Answered::Why(answer)) => Some(answer),
            _ => None,
        }
    }

    /// The answer of a workload's mutual TLS.
    pub fn mtls(&self) -> Option<&EffectiveMtlsAnswer> {
        match &self.answer {
            Some(Answered::Mtls(answer)) => Some(answer),
            _ => None,
        }
    }

    /// What becomes of the connection in the one proxy that the screen is about.
    pub fn connection(&self) -> Option<&ProxyConnection> {
        match &self.answer {
            Some(Answered::Connection(answer)) => answer.proxies.first(),
            _ => None,
        }
    }

    /// The answer to what would be, or what of the objects cannot be used.
    pub fn what_if(&self) -> Option<Result<&WhatIfAnswer, &str>> {
        match &self.answer {
            Some(Answered::WhatIf(answer)) => Some(answer.as_deref().map_err(String::as_str)),
            _ => None,
        }
    }

    /// The answer to in which order.
    pub fn order(&self) -> Option<&OrderAnswer> {
        match &self.answer {
            Some(Answered::Order(answer)) => Some(answer),
            _ => None,
        }
    }

    /// The story of the last change.
    pub fn timeline(&self) -> Option<&TimelineAnswer> {
        match &self.answer {
            Some(Answered::Timeline(answer)) => Some(answer),
            _ => None,
        }
    }

    /// The findings.
    pub fn findings(&self) -> Option<&FindingsAnswer> {
        match &self.answer {
            Some(Answered::Findings(answer)) => Some(answer),
            _ => None,
        }
    }

    /// The answer with the proxies' sync status.
    pub fn sync(&self) -> Option<&SyncAnswer> {
        match &self.answer {
            Some(Answered::Sync(answer)) => Some(answer),
            _ => None,
        }
    }

    /// What the one proxy has against what istiod would send it.
    pub fn diff(&self) -> Option<&DiffEntry> {
        match &self.answer {
            Some(Answered::Diff(answer)) => answer.proxies.first(),
            _ => None,
        }
    }

    /// The health of the one plugin that the screen is about.
    pub fn health(&self) -> Option<&PluginHealth> {
        match &self.answer {
            Some(Answered::Health(answer)) => answer.plugins.first(),
            _ => None,
        }
    }
}
