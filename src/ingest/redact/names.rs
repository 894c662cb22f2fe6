//! Which names stand before a secret, by the table of [`super::rules`].

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::rules::{INNOCENT, Place, RULES, SUSPECT, Says};

/// The longest name that is looked at; of a longer one, the end counts.
const LONGEST: usize = 80;

/// A name without case and punctuation, so that `private_key`, `privateKey` and `PRIVATE-KEY` are one.
#[derive(Clone, Copy)]
pub(super) struct Name {
    text: [u8; LONGEST],
    start: usize,
}

/// A word, where it counts, and what it says.
type Rule = (&'static [u8], Place, Says);

/// The rules by the last letter of their words, the longest first, a whole name before an ending.
static ENDINGS: LazyLock<[Vec<Rule>; 26]> = LazyLock::new(|| {
    let mut endings: [Vec<_>; 26] = Default::default();
    for (place, says, words) in RULES {
        for word in words.iter().map(|word| word.as_bytes()) {
            if let Some(rules) = word.last().and_then(|last| endings.get_mut(usize::from(last.wrapping_sub(b'a')))) {
                rules.push((word, *place, *says));
            }
        }
    }
    for rules in &mut endings {
        rules.sort_by_key(|(word, place, _)| (std::cmp::Reverse(word.len()), *place == Place::End));
    }
    endings
});
/// Innocent words and suspicious parts, of which the longest counts.
static PARTS: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(INNOCENT.iter().chain(SUSPECT)).ok());

impl Name {
    /// Folds a name.
    pub(super) fn new(name: &str) -> Self {
        let mut folded = Self { text: [0; LONGEST], start: LONGEST };
        for byte in name.bytes().rev().filter(u8::is_ascii_alphanumeric).take(LONGEST) {
            folded.start -= 1;
            folded.text[folded.start] = byte.to_ascii_lowercase();
        }
        folded
    }

    /// The folded name.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// Whether the name ends like this.
    pub(super) fn ends(&self, ending: &[u8]) -> bool {
        self.as_bytes().ends_with(ending)
    }

    /// What the name says, whoever chose it.
    pub(super) fn says(&self) -> Says {
        let name = self.as_bytes();
        let rules = name.last().and_then(|last| ENDINGS.get(usize::from(last.wrapping_sub(b'a'))));
        let holds = |(word, place, _): &&Rule| name.ends_with(word) && (*place == Place::End || name.len() == word.len());
        rules.and_then(|rules| rules.iter().find(holds)).map_or(Says::Nothing, |(.., says)| *says)
    }

    /// Whether a value of this name is taken for a secret where people choose the names.
    pub(super) fn is_suspect(&self) -> bool {
        match self.says() {
            Says::Secret | Says::Word | Says::Header => true,
            Says::About => false,
            Says::Credential | Says::Key | Says::Opaque | Says::Nothing => self.has_suspicious_part(),
        }
    }

    fn has_suspicious_part(&self) -> bool {
        let is_suspicious = |found: aho_corasick::Match| found.pattern().as_usize() >= INNOCENT.len();
        // Without the search, which cannot fail on a few words, every name is suspected.
        PARTS.as_ref().is_none_or(|parts| parts.find_iter(self.as_bytes()).any(is_suspicious))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in [
            "private_key",
            "privateKey",
            "x-api-key",
            "X-Auth-Token",
            ".dockerconfigjson",
            "session_ticket_keys",
            "clientSecret",
            "PASSWORD",
            "Set-Cookie",
            "htpasswd",
            "authorization",
        ] {
            assert!(Name::new(name).says().is_secret(), "{name}");
        }
        for name in ["DB_PASS", "tokens", "OAUTH_SECRET_V2", "jwt_secret_base64", "MY_APIKEY_OLD"] {
            assert!(Name::new(name).is_suspect() && !Name::new(name).says().is_secret(), "{name}");
        }
        for (name, says) in [("auth", Says::Credential), ("HMAC", Says::Credential), ("key", Says::Key), ("secret", Says::Word)] {
            assert_eq!(Name::new(name).says(), says, "{name}");
        }
    }

    #[test]
    fn names_about_secrets_stay_readable() {
        for name in [
            "tls_certificate_sds_secret_configs",
            "imagePullSecret",
            "secretName",
            "serviceAccountToken",
            "PassthroughCluster",
            "token_endpoint",
            "TOKEN_AUDIENCES",
            "CREDENTIAL_FETCHER_TYPE",
            "tokenHeader",
            "token_prefix",
            "api_key_header",
            "authorizationMode",
            "passCount",
            "tokenizer",
            "passport",
            "password_policy",
            "authority",
            "monkey",
            "secretNamespace",
            "credentialHelper",
            "apiKeyIn",
            "apiKeyLocations",
            "passRate",
            "tokenCounting",
            "",
            "ключ",
        ] {
            assert!(!Name::new(name).is_suspect() && !Name::new(name).says().is_secret(), "{name}");
        }
        assert!(Name::new(&"x".repeat(1000)).as_bytes().len() == 80);
    }

    /// The search looks at words of one last letter only, and the first that is true ends it.
    #[test]
    fn every_word_of_the_table_can_be_reached() {
        for (place, says, words) in RULES {
            for word in *words {
                assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
                // A whole name says more than the same word at the end.
                let name = if *place == Place::End { format!("x{word}") } else { (*word).to_owned() };
                assert_eq!(Name::new(&name).says(), *says, "{word}");
            }
        }
    }
}
