//! The answer's parts as people read them, the same on the screen and in text.

use super::seen;
use super::service_clients::{ClientAnswer, ServiceClients};
use super::{MtlsEntry, PolicyAnswer, PortAnswer};
use crate::analysis::mtls::verdict::{Reason, Verdict};
use crate::model::peer_authentication::MtlsMode;

impl MtlsEntry {
    /// The mode, or that it is not known.
    pub fn mode_word(&self) -> &'static str {
        self.mode.map_or("unknown", MtlsMode::as_str)
    }

    /// `by PeerAuthentication default/default`, or that Istio's default stands.
    pub fn why(&self) -> String {
        let default = || match self.mode {
            Some(_) => "Istio's default, since no PeerAuthentication with a mode applies".to_owned(),
            None => "since PeerAuthentications cannot be read".to_owned(),
        };
        self.winner.as_ref().map_or_else(default, |winner| format!("by {winner}"))
    }
}

impl PortAnswer {
    /// `80`, or `all others`.
    pub fn name(&self) -> String {
        self.port.map_or_else(|| "all others".to_owned(), |port| port.to_string())
    }

    /// The policy that says so, and whether by port.
    pub fn by_whom(&self) -> String {
        let by = self.by.as_deref().unwrap_or("Istio's default");
        if self.port_level { format!("{by}, portLevelMtls") } else { by.to_owned() }
    }
}

impl PolicyAnswer {
    /// `STRICT`, `UNSET, 80: DISABLE`.
    pub fn modes(&self) -> String {
        let ports = self.ports.iter().map(|(port, mode)| format!(", {port}: {mode}"));
        self.mode.to_owned() + &ports.collect::<String>()
    }
}

impl ServiceClients {
    /// `httpbin.default.svc.cluster.local:8000, which leads to container port 80`.
    pub fn name(&self) -> String {
        format!("{}:{}, which leads to container port {}", self.host, self.port, self.target_port)
    }
}

impl ClientAnswer {
    /// `every client with a proxy`, `a client without a proxy`, `namespace a, namespace b`.
    fn who(&self) -> String {
        let whole = match (self.proxy, self.from.is_empty()) {
            (true, true) => "every client with a proxy".to_owned(),
            (true, false) => self.from.join(", "),
            (false, _) => "a client without a proxy".to_owned(),
        };
        self.subset.as_ref().map_or(whole.clone(), |subset| format!("{whole}, to subset {subset}"))
    }

    /// `every client with a proxy sends plain text, since DestinationRule default/httpbin says DISABLE; STRICT takes no …`.
    pub fn sentence(&self) -> String {
        // These reasons begin with the cause.
        let has_cause = self.san.is_some() || self.outcome == Reason::Blackholed;
        let because = if self.proxy && !has_cause { format!(", since {}", self.because) } else { String::new() };
        let reason =
            if self.verdict == Verdict::Works && self.routed != Some(false) { String::new() } else { format!("; {}", self.reason) };
        let named = match (&self.refused, self.refused_note) {
            // Those of a mode that was before are not of this verdict.
            (Some(clients), _) if !clients.is_empty() && self.verdict != Verdict::Works => format!("; {}", seen::said(clients)),
            (None, Some(note)) if self.verdict == Verdict::Fails => format!("; {note}"),
            _ => String::new(),
        };
        format!("{} sends {}{because}{reason}{named}", self.who(), self.sends)
    }

    /// The word for the verdict: what is sent fits what the port takes, and that is all that it says.
    pub fn word(&self) -> &'static str {
        match self.verdict {
            Verdict::Fails => "fails",
            Verdict::Unused => "unused",
            Verdict::Depends => "depends",
            Verdict::Works => "fits",
        }
    }
}
