//! What the names of values say: one table. Two measures: names that Envoy, Istio and Kubernetes define, and names that people choose
//! themselves (environment variables, a plugin's own configuration), where it takes less to be suspected.

/// What a name says about its value, whoever chose the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It is a secret.
    Secret,
    /// It is a secret; but logs use the word for what a secret is called and for what became of it, too.
    Word,
    /// It is the value of a header that lets somebody in.
    Header,
    /// It is several secrets, where it is a list or an object: `tokens` are also counted.
    Several,
    /// It is a secret unless it is a plain word: `basic` can be a user with a password, or a kind of authentication.
    Credential,
    /// The same, of a name that also begins a pair and that no log uses for a secret.
    Key,
    /// It is a secret where people choose the names and the value looks made by a machine.
    Opaque,
    /// It says something about a secret.
    About,
    /// Nothing.
    Nothing,
}

impl Says {
    /// Whether a value is a secret, whatever it looks like.
    pub(super) fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Word | Self::Header)
    }
}

/// Where in a name a word of the table counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Whole,
    End,
}

/// The rules. Of several that are true of a name, the longest word counts.
pub(super) const RULES: &[(Place, Says, &[&str])] = &[
    // What formats and people call a secret, with anything in front of it.
    (
        Place::End,
        Says::Secret,
        &[
            "password",
            "passwd",
            "passphrase",
            "pwd",
            "token",
            "secret",
            "secretkey",
            "accesskey",
            "accountkey",
            "apikey",
            "masterkey",
            "privatekey",
            "signingkey",
            "encryptionkey",
            "functionskey",
            "hmackey",
            "licensekey",
            "sharedkey",
            "subscriptionkey",
            "authkey",
            "symmetrickey",
            "jwtkey",
            "aeskey",
            "cipherkey",
            "cryptkey",
            "totpseed",
            "mnemonic",
            "secretid",
            "sessionticketkeys",
            "credential",
            "credentials",
            "dockerconfigjson",
            "dockerconfig",
            "dockercfg",
            "authorization",
            "amzsignature",
            "googsignature",
            "psk",
            "secretkeybase",
            "clientkeydata",
            "tlskey",
        ],
    ),
    (
        Place::End,
        Says::Several,
        &[
            "passwords",
            "passphrases",
            "tokens",
            "secrets",
            "apikeys",
            "accesskeys",
            "secretkeys",
            "privatekeys",
            "signingkeys",
            "encryptionkeys",
        ],
    ),
    // Too short to be an ending.
    (Place::Whole, Says::Secret, &["pass", "pw", "auths", "signature"]),
    // `secret=default` names a Secret, `authorization=mtls` a way, `credentials=include` whether there are any.
    (Place::Whole, Says::Word, &["secret", "authorization", "credential", "credentials", "sig"]),
    (Place::Whole, Says::Header, &["cookie", "setcookie"]),
    // Docker's `auth` holds user and password; plugins call what they compare with by the scheme.
    (Place::Whole, Says::Credential, &["auth", "basic", "basicauth", "bearer", "hmac", "jwt"]),
    (Place::Whole, Says::Key, &["key", "keys"]),
    // `FOO_KEY`, `REG_AUTH`, `sk`: as often what something is looked up by.
    (Place::End, Says::Opaque, &["key", "auth", "otp", "sessionid"]),
    (Place::Whole, Says::Opaque, &["sk", "aksk", "users"]),
    // A volume's projection, the name of a Secret, kinds of gRPC credentials.
    (Place::Whole, Says::About, &["serviceaccounttoken", "imagepullsecret", "imagepullsecrets", "callcredentials", "channelcredentials"]),
    // Where a secret lies, comes from or is expected, what it is called, how long it is good for, how many there are.
    (
        Place::End,
        Says::About,
        &[
            "endpoint",
            "path",
            "file",
            "name",
            "type",
            "ttl",
            "timeout",
            "audience",
            "audiences",
            "bucket",
            "ref",
            "header",
            "headers",
            "prefix",
            "suffix",
            "mode",
            "count",
            "limit",
            "length",
            "size",
            "scheme",
            "format",
            "algorithm",
            "issuer",
            "claim",
            "claims",
            "field",
            "param",
            "parameter",
            "source",
            "location",
            "enabled",
            "required",
            "expiry",
            "expiration",
            "interval",
            "policy",
            "provider",
            "url",
            "uri",
            "version",
            "versionid",
            "namespace",
            "server",
            "helper",
            "keyin",
            "locations",
            "rate",
            "transformation",
            "counting",
            "usage",
            "introspection",
            "exchange",
            "persecond",
            "publickey",
            "publickeys",
            // Of Envoy's dumps, and of what limits rates.
            "staticsecrets",
            "activesecrets",
            "warmingsecrets",
            "maxtokens",
        ],
    ),
];
/// Parts of names that people give to secrets.
pub(super) const SUSPECT: &[&str] = &["pass", "secret", "token", "credential", "apikey", "privatekey", "accesskey", "authorization", "pwd"];
/// Words that hold such a part by chance.
pub(super) const INNOCENT: &[&str] = &[
    "passthrough",
    "bypass",
    "compass",
    "passive",
    "passport",
    "passage",
    "passenger",
    "passed",
    "passing",
    "secretary",
    "sdssecretconfig",
    "tokenize",
    "tokenizing",
    "tokenization",
    "tokenise",
];
