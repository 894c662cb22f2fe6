//! Which names stand before a secret, by the table of [`super::rules`].

use std::sync::LazyLock;

use super::rules::{INNOCENT, Place, RULES, SUSPECT, Says};
use crate::ingest::finder::Finder;

/// The longest name that is looked at; of a longer one, the end counts.
const LONGEST: usize = 80;

/// A name without case and punctuation, so that `private_key`, `privateKey` and `PRIVATE-KEY` are one.
#[derive(Clone, Copy)]
pub(super) struct Name<'t> {
    written: &'t str,
    says: Says,
}

/// The rules as a tree of the letters of their words, the last letter first.
static ENDINGS: LazyLock<Vec<Ending>> = LazyLock::new(|| {
    let mut endings = vec![Ending::default()];
    for (place, says, words) in RULES {
        for word in *words {
            let mut at = 0;
            for letter in word.bytes().rev().map(|byte| usize::from(byte - b'a')) {
                if endings[at].next[letter] == 0 {
                    endings[at].next[letter] = endings.len() as u16;
                    endings.push(Ending::default());
                }
                at = usize::from(endings[at].next[letter]);
            }
            let rule = if *place == Place::Whole { &mut endings[at].whole } else { &mut endings[at].end };
            rule.get_or_insert(*says);
        }
    }
    endings
});

/// The last letters of a name; aligned because every name is looked up.
#[derive(Clone, Default)]
#[repr(align(64))]
struct Ending {
    /// Where they are with one more letter in front; 0 where no word has it.
    next: [u16; 26],
    /// What they say as a whole name, and at the end of one.
    whole: Option<Says>,
    end: Option<Says>,
}

/// Innocent words and suspicious parts, of which the longest counts: the search for them, and which are suspicious.
static PARTS: LazyLock<(Option<Finder>, Vec<bool>)> = LazyLock::new(|| {
    let (innocent, suspicious) = (INNOCENT.iter().map(|part| (*part, false)), SUSPECT.iter().map(|part| (*part, true)));
    let mut parts: Vec<_> = innocent.chain(suspicious).collect();
    parts.sort_by_key(|(part, _)| std::cmp::Reverse(part.len()));
    let (parts, suspicious): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    (Finder::new(&parts), suspicious)
});

impl<'t> Name<'t> {
    /// Looks a name up, as it is written.
    pub(super) fn new(written: &'t str) -> Self {
        Self { written, says: says(letters(written)) }
    }

    /// The name, folded.
    pub(super) fn folded(&self) -> Folded {
        let mut folded = Folded { text: [0; LONGEST], start: LONGEST };
        for byte in letters(self.written) {
            folded.start -= 1;
            folded.text[folded.start] = byte;
        }
        folded
    }

    /// Whether the name is this word.
    pub(super) fn is(&self, word: &str) -> bool {
        letters(self.written).eq(word.bytes().rev())
    }

    /// Whether the name ends like this.
    pub(super) fn ends(&self, ending: &str) -> bool {
        letters(self.written).take(ending.len()).eq(ending.bytes().rev())
    }

    /// What the name says, whoever chose it.
    pub(super) fn says(&self) -> Says {
        self.says
    }

    /// Whether a value of this name is taken for a secret where people choose the names.
    pub(super) fn is_suspect(&self) -> bool {
        match self.says {
            Says::Secret | Says::Word | Says::Header => true,
            Says::About => false,
            Says::Several | Says::Credential | Says::Key | Says::Opaque | Says::Nothing => self.has_suspicious_part(),
        }
    }

    fn has_suspicious_part(&self) -> bool {
        // Without the search, which cannot fail on a few words, every name is suspected.
        let (Some(finder), suspicious) = &*PARTS else { return true };
        let (folded, mut from) = (self.folded(), 0);
        while let Some(found) = finder.find(folded.as_bytes(), from) {
            if suspicious.get(found.pattern().as_usize()) != Some(&false) {
                return true;
            }
            from = found.end();
        }
        false
    }
}

/// The letters and digits of a name without case, the last one first.
fn letters(written: &str) -> impl Iterator<Item = u8> + '_ {
    written.bytes().rev().filter(u8::is_ascii_alphanumeric).take(LONGEST).map(|byte| byte.to_ascii_lowercase())
}

/// What a name with these letters says.
fn says(letters: impl Iterator<Item = u8>) -> Says {
    let endings = ENDINGS.as_slice();
    let (mut ending, mut says) = (&endings[0], Says::Nothing);
    for byte in letters {
        ending = match ending.next.get(usize::from(byte.wrapping_sub(b'a'))) {
            None | Some(0) => return says,
            Some(next) => &endings[usize::from(*next)],
        };
        says = ending.end.unwrap_or(says);
    }
    ending.whole.unwrap_or(says)
}

/// A name's letters and digits without case.
pub(super) struct Folded {
    text: [u8; LONGEST],
    start: usize,
}

impl Folded {
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
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
        assert!(Name::new(&"x".repeat(1000)).folded().as_bytes().len() == 80);
    }

    /// The tree has letters only, and the longest word that a name ends with counts.
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
