//! Envoy's `/init_dump`: the listeners that are not ready, and what they wait for.

use serde::Deserialize;

use crate::model::vitals::Waiting;

/// The manager that waits until Envoy has started (`source/server/server.cc`): no worker runs before, and no listener takes connections.
pub const SERVER: &str = "init manager Server";

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    unready_targets_dumps: Vec<RawManager>,
}

#[derive(Deserialize)]
struct RawManager {
    #[serde(default)]
    name: String,
    #[serde(default)]
    target_names: Vec<String>,
}

/// Reads it.
///
/// # Errors
/// Where the bytes are no such dump, as one clause.
pub fn parse(bytes: &[u8]) -> Result<Vec<Waiting>, String> {
    let raw: Raw = serde_json::from_slice(bytes).map_err(|error| format!("is no init dump of an Envoy: {error}"))?;
    let waiting = |manager: RawManager| Waiting { whose: listener(&manager.name), targets: manager.target_names };
    Ok(raw.unready_targets_dumps.into_iter().filter(|manager| !manager.target_names.is_empty()).map(waiting).collect())
}

/// `init manager Listener-local-init-manager virtualInbound 5292299465622052660` is of virtualInbound; the number tells two states
/// of one listener apart.
fn listener(manager: &str) -> String {
    let of_listener = manager.strip_prefix("init manager Listener-local-init-manager ").and_then(|rest| rest.rsplit_once(' '));
    of_listener.map_or(manager, |(name, _)| name).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_and_for_what() {
        let text = r#"{"unready_targets_dumps": [{"name": "init manager Listener-local-init-manager 0.0.0.0_15090 7298369077255488553"},
            {"name": "init manager Listener-local-init-manager virtualInbound 5292299465622052660", "target_names": ["shared target X"]},
            {"name": "init manager Server", "target_names": ["target Cluster a"]}]}"#;
        let waiting = |whose: &str, target: &str| Waiting { whose: whose.to_owned(), targets: vec![target.to_owned()] };
        let expected = [waiting("virtualInbound", "shared target X"), waiting("init manager Server", "target Cluster a")];
        assert_eq!(parse(text.as_bytes()).unwrap(), expected);
        assert_eq!(parse(b"{}\n").unwrap(), []);
        assert!(parse(b"no such").unwrap_err().starts_with("is no init dump"));
    }
}
