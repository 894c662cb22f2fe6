//! One type of a proxy: how it stands, since when, and what that means.

use serde::Serialize;

use super::words;
use crate::analysis::answers::log_timestamp;
use crate::analysis::health::PluginState;
use crate::analysis::sync as rules;
use crate::model::logs::LogTime;
use crate::model::sync::{Client, EXTENSIONS, IstiodSync, SyncState, TypeSync};

/// A type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeAnswer {
    /// `CDS`, `LDS`, `EDS`, `RDS`, `ECDS`, …; the type URL where it has no short name.
    #[serde(rename = "type")]
    pub name: String,
    /// The type URL.
    pub type_url: String,
    /// `synced`, `stale`, `refused`, `notSent`, `notWatched`, or `untold` where istiod of this version does not say.
    pub state: &'static str,
    /// When istiod last sent it, RFC 3339; None where it was not sent or istiod does not tell.
    pub sent: Option<String>,
    /// How long ago that was; None over a recording.
    pub age_seconds: Option<u64>,
    /// The push that was sent last, in istiod's own words.
    pub sent_push: Option<String>,
    /// The push that the proxy took last; None where it took none.
    pub acked_push: Option<String>,
    /// Why the proxy refused it.
    pub error: Option<String>,
    /// What cannot be known here, or was not compared.
    pub note: Option<&'static str>,
    /// The state.
    #[serde(skip)]
    pub sync: SyncState,
    /// The worst state of the plugins that came by it and do not run as their objects ask; None where none is known.
    #[serde(skip)]
    pub plugin_trouble: Option<PluginState>,
}

/// How the type stands for this client.
pub(super) fn of(url: &str, istiod: &IstiodSync, client: &Client, asked: Option<LogTime>) -> TypeAnswer {
    let told = client.types.get(url);
    let state = match told {
        Some(TypeSync { state, .. }) => *state,
        None if istiod.tells_watched => SyncState::NotWatched,
        None => SyncState::Untold,
    };
    let sent = told.and_then(|sync| sync.sent);
    let age = sent.zip(asked).map(|(sent, asked)| u64::try_from(asked.saturating_sub(sent) / 1_000_000_000).unwrap_or_default());
    let text = |field: fn(&TypeSync) -> &String| told.map(field).filter(|text| !text.is_empty()).cloned();
    TypeAnswer {
        name: rules::short(url).to_owned(),
        type_url: url.to_owned(),
        state: state.as_str(),
        sent: sent.and_then(log_timestamp),
        age_seconds: age,
        sent_push: text(|sync| &sync.sent_push),
        acked_push: text(|sync| &sync.acked_push),
        error: text(|sync| &sync.error),
        note: match state {
            SyncState::Untold => Some(words::UNTOLD),
            SyncState::Stale if !istiod.tells_watched => Some(words::REFUSAL_UNTOLD),
            SyncState::Synced if url == EXTENSIONS => Some(words::MODULES_NOT_COMPARED),
            _ => None,
        },
        sync: state,
        plugin_trouble: None,
    }
}

impl TypeAnswer {
    /// Whether plugins come by it, and it is watched.
    pub(super) fn is_plugins(&self) -> bool {
        self.type_url == EXTENSIONS && !matches!(self.sync, SyncState::NotWatched | SyncState::Untold)
    }

    /// Whether it is not as it should be.
    pub fn is_trouble(&self) -> bool {
        matches!(self.sync, SyncState::Refused | SyncState::Stale | SyncState::NotSent)
    }
}
