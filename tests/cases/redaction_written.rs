//! Secrets as logs, objects and plugins write them: pairs, lists, objects, headers with parameters. The rows H9, H10 and H22.

use std::borrow::Cow;

use meshscope::ingest::redact;
use serde_json::{Value, json};

/// Neither a word nor anything else that is known without its name.
const S: &str = "leaked-S3cret";

fn redacted(document: &Value) -> Value {
    let mut value = document.clone();
    redact::value(&mut value);
    assert_eq!(serde_json::from_str::<Value>(&redact::json(&document.to_string())).unwrap(), value, "the two ways differ");
    value
}

#[test]
fn hostile_h9_pairs_and_lists_in_logs_lose_their_values_and_nothing_else() {
    for (line, name) in [
        (r#"x {"key":"authorization","value":"LEAKED"} y"#, "authorization"),
        (r#"x {"name":"cookie","value":"LEAKED"} y"#, "cookie"),
        (r#"{"key": "x-api-key", "value": "LEAKED"} y"#, "x-api-key"),
        (r#"x {"name":"DB_PASSWORD","value":"LEAKED"} y"#, "DB_PASSWORD"),
        (r#"x "{\"key\":\"authorization\",\"value\":\"LEAKED\"}" y"#, "authorization"),
        (r#"headers { key: "authorization" value: "LEAKED" } y"#, "authorization"),
        (r#"headers { key: "cookie" raw_value: "LEAKED" } y"#, "cookie"),
        (r#"private_key { inline_string: "LEAKED" } y"#, "private_key"),
        (r#"x "password":{"inline_string":"LEAKED"} y"#, "password"),
        (r#"x {"X-Api-Key":["LEAKED"],"X-Y":["kept"]} y"#, "X-Api-Key"),
        (r#"x {"Authorization":["LEAKED"]} y"#, "Authorization"),
        (r#"x {"Cookie":[ "LEAKED" ]} y"#, "Cookie"),
        (r#"x {"password":["LEAKED"]} y"#, "password"),
        (r#"x {"apiKeys":["LEAKED"]} y"#, "apiKeys"),
        (r#"x {"user":{"client-key-data":"LEAKED"}} y"#, "client-key-data"),
        (r#"x {"kind":"Secret","data":{"foo":"LEAKED"}} y"#, "foo"),
        (r#"x {"apiVersion":"v1","data":{"name":"LEAKED"},"kind":"Secret"} y"#, "apiVersion"),
        (r#"x msg="{\"kind\":\"Secret\",\"stringData\":{\"a\":\"LEAKED\"}}" y"#, "stringData"),
        (r#"headers:add("x-api-key", "LEAKED") y"#, "x-api-key"),
    ] {
        let line = line.replace("LEAKED", S);
        let out = redact::log_line(&line);
        assert_eq!(out, line.replace(S, "[redacted]"));
        assert!(out.contains(name) && matches!(redact::log_line(&out), Cow::Borrowed(_)), "{out}");
    }
    let two = redact::log_line(r#"x {"X-Api-Key":["LEAKED-1", "LEAKED-2"],"a":"b"}"#).into_owned();
    assert_eq!(two, r#"x {"X-Api-Key":["[redacted]"],"a":"b"}"#);
}

#[test]
fn hostile_h9_headers_with_parameters_and_names_in_words_lose_their_values() {
    for (line, expected) in [
        (r#"Authorization: Digest username="u", response="LEAKED""#, "Authorization: [redacted]"),
        (r#"Authorization: OAuth oauth_token="LEAKED", oauth_signature="LEAKED""#, "Authorization: [redacted]"),
        (r#"authorization: Token token="LEAKED""#, "authorization: [redacted]"),
        (r#"authorization: Hawk id="a", mac='LEAKED'"#, "authorization: [redacted]"),
        (r#"curl -H 'Authorization: Digest u="a", response="LEAKED"' https://a"#, "curl -H 'Authorization: [redacted]' https://a"),
        (r#""m":"Authorization: Digest u=\"a\", response=\"LEAKED\"" y"#, r#""m":"Authorization: [redacted]" y"#),
        ("authorization: a=\"LEAKED\ntwo \"kept\"", "authorization: [redacted]\ntwo \"kept\""),
        ("API Key: LEAKED-1", "API Key: [redacted]"),
        ("private key: LEAKED-1", "private key: [redacted]"),
        ("the Secret key: LEAKED-1", "the Secret key: [redacted]"),
        ("tls.key: LEAKED-1", "tls.key: [redacted]"),
        ("SECRET_KEY_BASE=LEAKED", "SECRET_KEY_BASE=[redacted]"),
        ("DB_PASSWORD_2=LEAKED-1 x", "DB_PASSWORD_2=[redacted] x"),
        ("GET /?user%5Bpassword%5D=LEAKED&a=b", "GET /?user%5Bpassword%5D=[redacted]&a=b"),
        ("GET /?user[password]=LEAKED&jwt=LEAKED", "GET /?user[password]=[redacted]&jwt=[redacted]"),
        ("jwt: LEAKED0123456789 psk=LEAKED", "jwt: [redacted] psk=[redacted]"),
    ] {
        assert_eq!(redact::log_line(line), expected);
        assert_eq!(redact::log_line(expected), expected);
    }
}

#[test]
fn hostile_h10_sources_and_lists_of_secrets_are_redacted_in_objects() {
    let gone = json!("[redacted]");
    for (place, document) in [
        ("/downstream_auth_passwords/0/inline_string", json!({"downstream_auth_passwords": [{"inline_string": S, "filename": "/kept"}]})),
        ("/a/tokens/0", json!({"a": {"tokens": [S]}})),
        ("/secrets/a", json!({"secrets": {"a": S}})),
        ("/tls_certificates/0/pkcs12/inline_bytes", json!({"tls_certificates": [{"pkcs12": {"inline_bytes": S}}]})),
        ("/pkcs12/inlineString", json!({"pkcs12": {"inlineString": S, "filename": "/kept"}})),
        ("/pluginConfig/psk", json!({"pluginConfig": {"psk": S, "public_key": "MIIBIjANBgkqhkiG9w0BAQ"}})),
        ("/pluginConfig/jwt", json!({"pluginConfig": {"jwt": S, "mode": "jwt"}})),
        ("/pluginConfig/users/bob", json!({"pluginConfig": {"users": {"bob": S, "alice": "admin"}}})),
        ("/kind/data", json!({"kind": {"kind": "Secret", "data": S}})),
    ] {
        let mut expected = document.clone();
        *expected.pointer_mut(place).unwrap() = gone.clone();
        assert_eq!(redacted(&document), expected);
        assert_eq!(redacted(&expected), expected);
    }
    for code in [r#"h:headers():add("x-api-key", "LEAKED")"#, r#"h:headers():replace("x-auth-token", "LEAKED words")"#] {
        let out = redacted(&json!({"kind": "EnvoyFilter", "inlineCode": format!("function f(h)\n  {code}\nend")}));
        assert!(!out.to_string().contains("LEAKED") && out.to_string().contains("[redacted]"), "{out}");
    }
    let yaml = redacted(&json!({"pluginConfig": "users:\n  bob: leaked-S3cret\n"}));
    assert!(!yaml.to_string().contains(S), "{yaml}");
}

#[test]
fn hostile_h22_what_is_no_secret_stays_in_lists_pairs_and_logs() {
    for document in [
        json!({"max_tokens": 5, "tokens": 7, "static_secrets": [{"name": "n", "version_info": "v"}], "secrets": [{"name": "n"}]}),
        json!({"secrets": [{"name": "n", "tls_certificate": {"certificate_chain": {"inline_bytes": "kept"}}}], "imagePullSecrets": ["a"]}),
        json!({"kind": "ConfigMap", "data": {"foo": "kept", "bar": "kept"}}),
        json!({"pluginConfig": {"public_key": "MIIBIjANBgkqhkiG9w0BAQ", "users": ["bob:x"], "jwt": "header"}}),
        json!({"inlineCode": "h:headers():get(\"x-api-key\")\nlocal names = {\"x-api-key\", \"x-user\"}"}),
        json!({"jwt": {"issuer": "a"}, "users": {"bob": "a1B2c3D4"}}),
    ] {
        assert_eq!(redacted(&document), document);
    }
    for line in [
        "token_type=Bearer expires_in=3600",
        "credentials=include sig=15",
        "MY_TOKENS=5 PASS_COUNT=3 SECRET_MODE=strict",
        "partition key: a1b2c3d4e5f6",
        "token value: missing",
        r#"{"kind":"ConfigMap","data":{"a":"b"}}"#,
        r#"{"secrets":["default","regcred"]}"#,
        "Jwt is missing auth=jwt",
        "reset-password:8080 auth-token:443 oci://a.example/jwt-token:v1.2.3-a1b2c3",
    ] {
        assert_eq!(redact::log_line(line), line);
    }
    assert_eq!(redact::log_line("Bearer abcd0123=efgh4567"), "Bearer [redacted]");
}
