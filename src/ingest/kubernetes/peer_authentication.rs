//! PeerAuthentication objects.

use std::collections::BTreeMap;

use super::fields::Fields;
use crate::model::peer_authentication::{MtlsMode, PeerAuthentication};

pub(super) fn read(fields: &mut Fields<'_>) -> PeerAuthentication {
    let name = fields.name.clone();
    let word = fields.text("/spec/mtls/mode");
    let mode = mode(fields, "/spec/mtls/mode", &word);
    let mut ports = BTreeMap::new();
    for (key, _) in fields.map("/spec/portLevelMtls") {
        let pointer = format!("/spec/portLevelMtls/{key}");
        let word = fields.text(&format!("{pointer}/mode"));
        match key.parse::<u16>() {
            Ok(port) if port > 0 => {
                let mode = self::mode(fields, &pointer, &word);
                ports.insert(port, mode);
            }
            _ => fields.warn(&pointer, "is not a port from 1 to 65535"),
        }
    }
    let selector = fields.selector("/spec/selector", "/spec/selector/matchLabels");
    let revision = fields.labels("/metadata/labels").remove("istio.io/rev");
    PeerAuthentication { name, revision, selector, mode, ports, created: fields.created(), changed: fields.changed() }
}

/// UNSET and an absent mode inherit; so does, with a warning, a word that is not a mode.
fn mode(fields: &mut Fields<'_>, pointer: &str, word: &str) -> Option<MtlsMode> {
    let mode = MtlsMode::parse(word);
    if mode.is_none() && !matches!(word, "" | "UNSET") {
        fields.warn(pointer, format_args!("is {word}, which is not a mode; taken as UNSET"));
    }
    mode
}
