//! What redaction looks for, each so that a line full of it is as hard as can be: nothing is found, or found again and again.

/// A name for each, and what the line is made of.
pub const CLUES: [(&str, &str); 46] = [
    ("kty", "kty"),
    ("kty as a key", "\"kty\":"),
    ("web key", "\"kty\":\"oct\",\"k\":\"x\","),
    ("k without an end", "\"kty\":k:\"k:'k:\\\""),
    ("eyJ", "eyJ"),
    ("eyJ with short parts", "eyJhbGciOiJ.x."),
    ("Docker configuration", "eyJhdXRo "),
    ("PEM in base64", "LS0tLS1CRUdJTi"),
    ("PEM in base64, by the word", "LS0tLS1CRUdJTi "),
    ("PEM", "-----BEGIN RSA PRIVATE KEY "),
    ("PEM without its begin", "RIVATE KEY "),
    ("authorization with a format", "authorization:%"),
    ("authorization with a variable", "authorization:$A/"),
    ("authorization that was redacted", "authorization: [redacted] "),
    ("authorization in words", "authorization: x "),
    ("cookie", "cookie =x "),
    ("pairs", "'cookie',%"),
    ("Bearer", "Bearer "),
    ("Bearer run", "Bearer abc-"),
    ("Basic", "Basic aaaa"),
    ("pwd", "pwd"),
    ("token", "token"),
    ("token in words", "token "),
    ("token with colons", "token:"),
    ("token with equals", "token=="),
    ("token with a quote", "token=\""),
    ("token with quotes of three kinds", "token=\"token='token=`"),
    ("secret of a plain word", "secret=default/"),
    ("password", "password=x "),
    ("auth", "auth="),
    ("auth in base64", "auth=dXNlcjpw="),
    ("auth with a mark", "auth=x!"),
    ("key in queries", "?key=$A"),
    ("escaped names", "\\\"token\\\":"),
    ("numbers for quotes", "\\u0022token\\u0022:\\u0022"),
    ("names in one run", "a_secret-"),
    ("URL", "://"),
    ("URL with a user", "https://u@h "),
    ("SHA}", "{SHA}!"),
    ("hash", "$2y$"),
    ("GitHub", "ghp_"),
    ("GitLab", "xglpat-"),
    ("AWS", "AKIA"),
    ("Stripe", "sk_live_"),
    ("last applied", "last-applied-configuration"),
    ("objects of JSON", "{\"key\":\"x\",\"k\":[{\"value\":\"token\",\"kty\":{\"exact\":["),
];

/// A line of so many bytes.
pub fn line(clue: &str, bytes: usize) -> String {
    let mut line = clue.repeat(bytes / clue.len() + 1);
    line.truncate(bytes);
    line
}
