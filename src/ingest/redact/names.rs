//! Which names stand before a secret. Two measures: names that Envoy, Istio and Kubernetes define, and names that people
//! choose themselves (environment variables, a plugin's own configuration), where it takes less to be suspected.

/// The longest name that is looked at; of a longer one, the end counts.
const LONGEST: usize = 80;

/// A name without case and punctuation, so that `private_key`, `privateKey` and `PRIVATE-KEY` are one.
#[derive(Clone, Copy)]
pub(super) struct Name {
    text: [u8; LONGEST],
    start: usize,
}

/// Endings of names whose value is a secret.
const SECRET: &[&[u8]] = &[
    b"password",
    b"passwd",
    b"passphrase",
    b"pwd",
    b"token",
    b"secret",
    b"secretkey",
    b"accesskey",
    b"apikey",
    b"privatekey",
    b"signingkey",
    b"encryptionkey",
    b"hmackey",
    b"sharedkey",
    b"authkey",
    b"symmetrickey",
    b"sessionticketkeys",
    b"credential",
    b"credentials",
    b"dockerconfigjson",
    b"dockerconfig",
    b"dockercfg",
    b"authorization",
    b"amzsignature",
    b"googsignature",
];
/// Whole names whose value is a secret, too short to be an ending.
const SECRET_WHOLE: &[&[u8]] = &[b"pass", b"auths", b"sig", b"signature"];
/// Names that end like a secret and hold none: a volume's projection, the name of a Secret, kinds of gRPC credentials.
const OPEN: &[&[u8]] = &[b"serviceaccounttoken", b"imagepullsecret", b"callcredentials", b"channelcredentials"];
/// Parts of names that people give to secrets.
const SUSPECT: &[&[u8]] = &[b"pass", b"secret", b"token", b"credential", b"apikey", b"privatekey", b"accesskey", b"authorization", b"pwd"];
/// Words that hold such a part by chance.
const INNOCENT: &[&[u8]] = &[b"passthrough", b"bypass", b"compass", b"passive", b"sdssecretconfig"];
/// Endings of names that say something about a secret and are none.
const ABOUT: &[&[u8]] =
    &[b"endpoint", b"path", b"file", b"name", b"type", b"ttl", b"timeout", b"audience", b"audiences", b"bucket", b"ref"];
/// Header names, beyond the above, whose value lets somebody in.
const HEADERS: &[&[u8]] = &[b"cookie", b"setcookie"];

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

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }

    fn ends(&self, endings: &[&[u8]]) -> bool {
        endings.iter().any(|ending| self.as_bytes().ends_with(ending))
    }

    /// Whether the name is one of these.
    pub(super) fn is(&self, names: &[&[u8]]) -> bool {
        names.contains(&self.as_bytes())
    }

    /// Whether a value of this name is a secret, whoever chose the name.
    pub(super) fn is_secret(&self) -> bool {
        (self.ends(SECRET) || self.is(SECRET_WHOLE)) && !self.is(OPEN)
    }

    /// Whether a value of this name is taken for a secret where people choose the names.
    pub(super) fn is_suspect(&self) -> bool {
        if self.is_secret() || self.is(OPEN) {
            return !self.is(OPEN);
        }
        if !SUSPECT.iter().any(|part| find(self.as_bytes(), part).is_some()) {
            return false;
        }
        let mut text = self.as_bytes().to_vec();
        for word in INNOCENT {
            while let Some(at) = find(&text, word) {
                text.drain(at..at + word.len());
            }
        }
        SUSPECT.iter().any(|part| find(&text, part).is_some()) && !self.ends(ABOUT)
    }

    /// Whether it is a header that lets somebody in.
    pub(super) fn is_secret_header(&self) -> bool {
        self.is_secret() || self.is(HEADERS)
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, part)
}

#[cfg(test)]
mod tests {
    use super::Name;

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
        ] {
            assert!(Name::new(name).is_secret(), "{name}");
        }
        for name in ["DB_PASS", "tokens", "OAUTH_SECRET_V2", "jwt_secret_base64", "MY_APIKEY_OLD"] {
            assert!(Name::new(name).is_suspect() && !Name::new(name).is_secret(), "{name}");
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
            "",
            "ключ",
        ] {
            assert!(!Name::new(name).is_suspect(), "{name}");
        }
        assert!(Name::new(&"x".repeat(1000)).as_bytes().len() == 80);
    }
}
