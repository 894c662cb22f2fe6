//! What istiod's log has of the keys that it fetches for RequestAuthentications (`pilot/pkg/model/jwks_resolver.go`).

use crate::model::logs::{LogKind, LogRecord};
use crate::model::requests::LostKeys;

/// Beginnings of the lines that report keys that could not be fetched, the most specific first; each ends with the reason.
const FAILED: [&str; 8] = [
    "Failed to fetch public key from jwks URI ",
    "Failed to refresh JWT public key from ",
    "Failed to fetch jwks_uri from ",
    "Failed to get jwks URI from issuer ",
    "Failed to resolve Jwks from issuer ",
    "Failed to GET from ",
    "JWKS fetch failed for issuer ",
    "The JWKS key is not yet fetched for issuer ",
];
/// Beginning of the line that reports keys that were fetched.
const FETCHED: &str = "Updated cached JWT public key from ";

/// Follows the keys of some sources, each a `jwksUri` or an issuer, record by record in the order of time.
#[derive(Debug)]
pub struct KeysFollower {
    sources: Vec<(String, Option<(usize, LostKeys)>)>,
}

impl KeysFollower {
    /// For these sources.
    pub fn new(sources: impl IntoIterator<Item = String>) -> Self {
        Self { sources: sources.into_iter().filter(|source| !source.is_empty()).map(|source| (source, None)).collect() }
    }

    /// Takes the next record.
    pub fn observe(&mut self, record: &LogRecord) {
        let message = &*record.message;
        if record.kind != LogKind::Istiod {
            return;
        }
        let failed = FAILED.iter().position(|words| message.starts_with(words));
        if failed.is_none() && !message.starts_with(FETCHED) {
            return;
        }
        for (source, lost) in self.sources.iter_mut().filter(|(source, _)| names(message, source)) {
            let Some(rank) = failed else {
                *lost = None;
                continue;
            };
            let known = lost.take().filter(|(known, _)| *known < rank);
            let new = || (rank, LostKeys { source: source.clone(), time: record.time, line: message.trim_end().to_owned() });
            let (rank, mut keys) = known.unwrap_or_else(new);
            keys.time = keys.time.max(record.time);
            *lost = Some((rank, keys));
        }
    }

    /// Those that could not be fetched, at the end.
    pub fn lost(self) -> Vec<LostKeys> {
        self.sources.into_iter().filter_map(|(_, lost)| Some(lost?.1)).collect()
    }
}

/// Whether a line is about a source: as a whole, and not as the beginning of another.
fn names(message: &str, source: &str) -> bool {
    const DISCOVERY: &str = "/.well-known/openid-configuration";
    let is_end = |rest: &str| rest.starts_with(DISCOVERY) || rest.starts_with(['"', ' ', ')', ':', ',']) || rest.is_empty();
    message.match_indices(source).any(|(at, _)| is_end(&message[at + source.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::logs::Assembler;
    use crate::model::ids::ProxyId;
    use crate::model::logs::{DISCOVERY, LogLine, LogOrigin, LogSource};

    const URI: &str = "http://jwks.nowhere.lab/keys";

    fn followed(messages: &[&str]) -> Vec<(String, String)> {
        let origin = LogOrigin {
            source: LogSource::Istiod,
            pod: ProxyId::new("istiod", "istio-system"),
            container: DISCOVERY.into(),
            workload: None,
        };
        let (origin, mut assembler) = (std::sync::Arc::new(origin), Assembler::default());
        let mut follower = KeysFollower::new([URI.to_owned(), "https://issuer.lab".to_owned(), String::new()]);
        let line = |text: &&str| LogLine {
            origin: origin.clone(),
            time: None,
            text: format!("2026-12-01T00:00:00.000000Z\terror\tmodel\t{text}"),
            cut: false,
        };
        let mut records: Vec<_> = messages.iter().map(line).filter_map(|line| assembler.push(line)).collect();
        records.extend(assembler.flush());
        records.iter().for_each(|record| follower.observe(record));
        follower.lost().into_iter().map(|keys| (keys.source, keys.line)).collect()
    }

    #[test]
    fn keys_are_lost_until_they_are_fetched() {
        let retry = format!("Failed to GET from \"{URI}\": dial tcp: lookup jwks.nowhere.lab: no such host. Retry in 1s");
        let failed = format!("Failed to fetch public key from jwks URI \"{URI}\": Get \"{URI}\": dial tcp: no such host");
        let fake = format!(
            "JWKS fetch failed for issuer i ({URI}), using public-only JWKS with discarded private key - JWT requests will be rejected"
        );
        let lost = |line: &str| vec![(URI.to_owned(), line.to_owned())];
        assert_eq!(followed(&[&retry, &failed, &fake]), lost(&failed), "the line that says why");
        assert_eq!(followed(&[&fake]), lost(&fake));
        assert_eq!(followed(&[&failed, &format!("Updated cached JWT public key from \"{URI}\"")]), []);
        assert_eq!(followed(&[&format!("Failed to GET from \"{URI}/2\": x. Retry in 1s"), "something else about it"]), []);
        let discovery = "Failed to fetch jwks_uri from \"https://issuer.lab/.well-known/openid-configuration\": 404";
        assert_eq!(followed(&[discovery]), [("https://issuer.lab".to_owned(), discovery.to_owned())]);
    }
}
