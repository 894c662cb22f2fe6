//! Why a module could not be fetched, where the agent's words show what to do about it.

use super::Facts;
use crate::analysis::answers::SecretHealth;
use crate::analysis::health::{Evidence, EvidenceSource, Health};
use crate::model::ids::PluginId;

/// The cause in the agent's line (`pkg/wasm/{cache,imagefetcher,convert}.go`, `go-containerregistry pkg/v1/remote/transport/error.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FetchError<'l> {
    /// `sha256` is not the digest of what the URL has.
    Digest {
        /// The digest that `sha256` asks for.
        wanted: &'l str,
        /// The digest of what the URL has.
        got: &'l str,
    },
    /// The registry does not let the module be pulled.
    Denied(&'static str),
    /// The agent was given no Secret.
    NoSecret,
    /// The registry has nothing under this tag or digest; empty where the line does not name it.
    Unknown(&'l str),
}

impl<'l> FetchError<'l> {
    /// Reads a line.
    pub(super) fn of(line: &'l str) -> Option<Self> {
        if let Some((_, rest)) = line.split_once(" has checksum ")
            && let Some((got, rest)) = rest.split_once(", which does not match")
        {
            let wanted = rest.trim_start_matches([':', ' ']).split([' ', '.']).next().unwrap_or_default();
            return Some(Self::Digest { wanted, got });
        }
        if line.contains("missing image pulling secret") {
            return Some(Self::NoSecret);
        }
        if let Some((request, _)) = line.split_once(": MANIFEST_UNKNOWN") {
            return Some(Self::Unknown(request.rsplit_once("/manifests/").map_or("", |(_, reference)| reference)));
        }
        let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
        if has(&["UNAUTHORIZED", "401 Unauthorized", "status code 401"]) {
            return Some(Self::Denied("401 UNAUTHORIZED"));
        }
        has(&["DENIED:", "403 Forbidden", "status code 403"]).then_some(Self::Denied("403 DENIED"))
    }

    /// Whether the Secret that the module is pulled with decides.
    pub(super) fn is_of_secret(self) -> bool {
        matches!(self, Self::Denied(_) | Self::NoSecret)
    }

    /// The cause as one clause; `named` writes a digest with what it is of.
    pub(super) fn words(self, named: &dyn Fn(&str) -> String) -> String {
        match self {
            Self::Digest { wanted, got } => format!("sha256 asks for {}, and the URL has {}", named(wanted), named(got)),
            Self::Denied(answer) => format!("the registry refuses the pull: {answer}"),
            Self::NoSecret => "the agent has no Secret to pull it with".to_owned(),
            Self::Unknown("") => "the tag or digest of its url does not exist in the registry".to_owned(),
            Self::Unknown(digest) if digest.contains(':') => format!("digest {digest} does not exist in the registry"),
            Self::Unknown(tag) => format!("tag {tag} does not exist in the registry"),
        }
    }

    /// What to do, as one clause; `secret` is what is known of the Secret of the object, with the command that creates one.
    pub(super) fn fix(self, secret: Option<(&SecretHealth, &str)>) -> String {
        match (self, secret) {
            (Self::Digest { got, .. }, _) => {
                format!("write {got} into sha256, if the URL has what is meant; else push what sha256 asks for, or take sha256 away")
            }
            (Self::Unknown(digest), _) if digest.contains(':') => "write a digest that exists in the registry into url".to_owned(),
            (Self::Unknown(""), _) => "write a tag that exists in the registry into url".to_owned(),
            (Self::Unknown(tag), _) => format!("write a tag that exists in the registry into url, in the place of {tag}"),
            (_, Some((secret, create))) if secret.good == Some(false) => format!("Secret {} {}: {create}", secret.name, secret.what),
            (_, Some((secret, _))) => {
                format!("see that Secret {} has a user and password of this registry that may pull it", secret.name)
            }
            (_, None) => "name a Secret with the registry's user and password in imagePullSecret".to_owned(),
        }
    }
}

/// Whether a stub is in a plugin's place since the registry, or the lack of a Secret, does not let the module be pulled.
pub(super) fn is_for_secret(facts: &Facts<'_>, plugin: &PluginId) -> bool {
    let stubs = facts.states().filter(|(_, id, health)| *id == plugin && health.state.is_stub()).map(|(.., health)| health);
    newest_line(stubs).and_then(|line| FetchError::of(&line.what)).is_some_and(FetchError::is_of_secret)
}

/// The newest line of the proxies' logs about the fetch: of several proxies the one that says how it is now.
pub(super) fn newest_line<'h>(healths: impl Iterator<Item = &'h Health>) -> Option<&'h Evidence> {
    let lines = healths.flat_map(|health| &health.evidence).filter(|evidence| evidence.source == EvidenceSource::Log);
    lines.max_by(|one, other| one.field.cmp(&other.field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_words_say_the_cause() {
        let of = |why: &'static str| FetchError::of(why);
        assert_eq!(
            of(
                "cannot fetch Wasm module oci://r/x:v1: module downloaded from oci://r/x:v1 has checksum 0b, which does not match: 0a. applying deny RBAC filter"
            ),
            Some(FetchError::Digest { wanted: "0a", got: "0b" })
        );
        assert_eq!(
            of("GET https://r/v2/x/manifests/v1: UNAUTHORIZED: authentication required"),
            Some(FetchError::Denied("401 UNAUTHORIZED"))
        );
        assert_eq!(of("unexpected status code 403 Forbidden"), Some(FetchError::Denied("403 DENIED")));
        assert_eq!(of("cannot fetch Wasm module default.x: missing image pulling secret"), Some(FetchError::NoSecret));
        let unknown = "could not fetch manifest: GET http://r:5000/v2/x/manifests/v9: MANIFEST_UNKNOWN: manifest unknown; map[Tag:v9]";
        assert_eq!(of(unknown), Some(FetchError::Unknown("v9")));
        assert_eq!(of("could not fetch manifest: MANIFEST_UNKNOWN"), Some(FetchError::Unknown("")));
        assert_eq!(of("dial tcp: i/o timeout"), None);
    }
}
