//! What is a secret, what is not, and how long it takes to tell: the rows H1 to H3, H9, H10 and H22.

#[path = "../support/clues.rs"]
mod clues;

use std::borrow::Cow;

use meshscope::ingest::redact;
use serde_json::{Value, json};

use super::inputs::Case;

const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJlLXBsYW50ZWQ";

fn redacted(document: &Value) -> Value {
    let text = redact::json(&document.to_string()).into_owned();
    let mut value = document.clone();
    redact::value(&mut value);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "the two ways differ");
    value
}

/// In time that grows with the text alone; a scan that began again at each clue would take minutes here.
#[test]
fn hostile_h1_no_line_of_clues_takes_more_than_linear_time() {
    let log = std::fs::read_to_string(Case::open("hostile").path("log-kty-60KB.log")).unwrap();
    assert!(matches!(redact::log_line(&log), Cow::Borrowed(_)));
    for (name, clue) in clues::CLUES {
        let line = clues::line(clue, 60_000);
        let lengths = [redact::log_line(&line).len(), redact::text(&line).len(), redact::json_line(&line).len(), redact::json(&line).len()];
        assert!(lengths.iter().all(|length| *length > 0), "{name}");
        // The same as a value, and where people chose the names.
        let document = json!({"pluginConfig": {"x": line, "key": [line]}, "message": line}).to_string();
        serde_json::from_str::<Value>(&redact::json(&document)).unwrap();
    }
}

#[test]
fn hostile_h2_private_members_of_web_keys_are_redacted() {
    let text = std::fs::read_to_string(Case::open("hostile").path("jwk/k8s/wasmplugins.extensions.istio.io.json")).unwrap();
    let config = redacted(&serde_json::from_str(&text).unwrap())["items"][0]["spec"]["pluginConfig"].take();
    let rsa = json!({"kty": "RSA", "n": "pub", "e": "AQAB", "d": "[redacted]"});
    assert_eq!(config, json!({"jwks": {"keys": [rsa]}, "hmac": {"kty": "oct", "k": "[redacted]"}}));

    // Whatever the order and the nesting, and with other primes.
    let secret = "LEAKED";
    for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        for key in
            [format!(r#"{{"{member}":"{secret}","kty":"EC","crv":"P-256","x":"pub"}}"#), format!(r#"{{"kty":"EC","{member}":"{secret}"}}"#)]
        {
            let wrapped = json!({"text": key}).to_string();
            let documents = [
                format!(r#"{{"a":[{key}]}}"#),
                json!({"local_jwks": {"inline_string": key}}).to_string(),
                json!({"value": json!({"config": wrapped}).to_string()}).to_string(),
                json!({"value": format!("jwks:\n  keys:\n  - {{kty: EC, {member}: {secret}}}\n")}).to_string(),
            ];
            for document in documents {
                let out = redact::json(&document);
                assert!(!out.contains(secret) && out.contains("EC"), "{out}");
                serde_json::from_str::<Value>(&out).unwrap();
            }
            for line in [format!("loaded {key} from disk"), format!("config={}", key.replace('"', "\\\"")), key.replace('"', "\\u0022")] {
                let out = redact::log_line(&line);
                assert!(!out.contains(secret) && out.contains("EC"), "{out}");
            }
        }
    }
    let other = json!({"kty": "RSA", "oth": [{"r": secret, "d": secret, "t": secret}], "n": "pub"});
    assert_eq!(redacted(&other), json!({"kty": "RSA", "oth": [{"r": "[redacted]", "d": "[redacted]", "t": "[redacted]"}], "n": "pub"}));
    // Without a key's type these are names like others.
    let plain = json!({"d": "x", "k": "y", "keys": [{"kty": "EC", "x": "a", "y": "b"}]});
    assert_eq!(redacted(&plain), plain);
}

#[test]
fn hostile_h3_the_mesh_configuration_answers_the_same_without_its_secrets() {
    let text = std::fs::read_to_string(Case::open("hostile").path("mesh-redaction/k8s/configmap-istio.json")).unwrap();
    let original: Value = serde_json::from_str(&text).unwrap();
    let copy = redacted(&original);
    let parsed = |map: &Value| serde_saphyr::from_str::<Value>(map["data"]["mesh"].as_str().unwrap()).unwrap();
    let mut expected = parsed(&original);
    expected["extensionProviders"][0]["opentelemetry"]["http"]["headers"][0]["value"] = "[redacted]".into();
    expected["defaultConfig"]["proxyMetadata"]["DB_PASSWORD"] = "[redacted]".into();
    assert_eq!(parsed(&copy), expected);
    assert_eq!(redacted(&copy), copy);

    let mesh = |text: &str| {
        let mut map = json!({"metadata": {"name": "istio"}, "data": {"mesh": text}});
        redact::value(&mut map);
        map["data"]["mesh"].as_str().unwrap().to_owned()
    };
    assert_eq!(mesh("rootNamespace:   a # note\n"), "rootNamespace:   a # note\n", "without a secret it stays as it was written");
    let note = mesh("rootNamespace: a\n password: LEAKED\n- x: [");
    assert!(!note.contains("LEAKED") && serde_saphyr::from_str::<Value>(&note).is_err(), "{note}");

    // The same in annotations, in data of other ConfigMaps, and in strings of patches.
    let yaml = "proxyMetadata:\n  DB_PASS: >-\n    LEAKED\n    LEAKED\n  tokens:\n  - LEAKED\nholdApplicationUntilProxyStarts: true\n";
    for document in [
        json!({"metadata": {"annotations": {"proxy.istio.io/config": yaml}}}),
        json!({"metadata": {"annotations": {"proxy.istio.io/config": "{proxyMetadata: {DB_PASS: LEAKED}}"}}}),
        json!({"kind": "ConfigMap", "data": {"values": json!({"a": {"pluginConfig": {"my_token_1": "LEAKED"}}}).to_string(), "config": yaml}}),
        json!({"kind": "EnvoyFilter", "spec": {"configPatches": [{"patch": {"value": {"configuration": {"value": yaml}}}}]}}),
    ] {
        let out = redacted(&document).to_string();
        assert!(!out.contains("LEAKED"), "{out}");
    }
}

#[test]
fn hostile_h9_secrets_in_logs_are_known_by_name_and_by_form() {
    for line in [
        "':path', '/'\n'x-api-key', 'LEAKED'\n'x-auth-token', 'LEAKED'",
        "'cookie', 'a=LEAKED; b=LEAKED'",
        "'ocp-apim-subscription-key', 'LEAKED'",
        r#"pulling with {"auths":{"r.example":{"username":"u","auth":"dXNlcjpMRUFLRUQ="}}}"#,
        r#"{"auth":"dXNlcjpMRUFLRUQ="}"#,
        r#"config {\"auth\":\"dXNlcjpMRUFLRUQ=\"}"#,
        "GET /a?x=1&key=LEAKED-1 200",
        "\"GET /?key=LEAKED HTTP/1.1\" 200",
        r#"{"path":"/?a=b\u0026key=LEAKED"}"#,
        "GET /a?token=LEAKED&b=c",
        "https://x.example/?access_token=LEAKED",
        "https://x.example/?se=1&sig=LEAKED",
        "cookie: a=LEAKED; b=LEAKED",
        "set-cookie: a=LEAKED; Path=/",
        "\\u0022api_key\\u0022:\\u0022LEAKED\\u0022",
        "user:$2y$05$LEAKEDLEAKEDLEAKEDLEAKED",
        "u:{SSHA}LEAKEDLEAKED",
    ] {
        for out in [redact::log_line(line), redact::json_line(line)] {
            assert!(!out.contains("LEAKED") && !out.contains("MRUFLRU") && out.contains("[redacted]"), "{out}");
        }
    }
    for token in [
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "gho_0123456789abcdefghijABCDEFGHIJ012345",
        "ghs_0123456789abcdefghijABCDEFGHIJ012345",
        "ghu_0123456789abcdefghijABCDEFGHIJ012345",
        "github_pat_11ABCDEFG0abcdefghijkl_0123456789abcdef",
        "glpat-0123456789abcdefghij",
        "xoxb-123456789012-abcdefghijkl",
        "xoxp-123456789012-abcdefghijkl",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "sk_live_0123456789abcdef",
        "rk_live_0123456789abcdef",
        "AIzaSyA0123456789abcdefghijklmnopqrstuv",
        "npm_0123456789abcdefghijABCDEFGHIJ012345",
        "hf_abcdefghijABCDEFGHIJ0123456789abcd",
        JWT,
    ] {
        for line in [
            format!("failed with {token}: denied"),
            format!("GET /{token}/x"),
            format!("{{\"message\":\"a\\n{token}\"}}"),
            format!("a={token}"),
            format!("GET /?q=%22{token}%22"),
        ] {
            let out = redact::log_line(&line);
            assert!(!out.contains(token) && out.contains("[redacted]"), "{out}");
        }
        for document in [json!({"a": token}), json!({"a": [format!("x {token}")]}), json!({"limits": {token: 5, format!("{token}0"): 6}})] {
            let out = redacted(&document);
            assert!(!out.to_string().contains(token), "{out}");
            assert_eq!(out["limits"].as_object().map(|limits| limits.len()), document["limits"].as_object().map(|limits| limits.len()));
        }
    }
    // By chance in base64, and names that begin like it.
    for line in ["MIIBghp_0123456789abcdefghijAKIAIOSFODNN7EXAMPLE", "npm_config_registry hf_model ghp_x sk_lives xoxo", "eyJ is no token"]
    {
        assert!(matches!(redact::log_line(line), Cow::Borrowed(_)), "{line}");
    }
}

#[test]
fn hostile_h10_secrets_of_plugins_are_redacted_in_recordings() {
    let config = json!({
        "bearer": "LEAKED-1", "basic": "LEAKED-2", "key": "LEAKED-3", "hmac": "LEAKED-4", "keys": ["LEAKED-5", "LEAKED5b"],
        "headers": {"cookie": "session=LEAKED-6", "Set-Cookie": ["a=LEAKED-7"], "x-api-key": "LEAKED-8"},
        "htpasswd": "user:LEAKED-9\nother:LEAKED-10", "users": ["me:$apr1$LEAKED11$LEAKEDLEAKED", "you:{SHA}LEAKED12"],
        "url": "https://x.example/a?key=LEAKED-13&b=1", "add": [{"name": "Cookie", "value": "a=LEAKED-14"}, {"value": "LEAKED-15", "header": "basic"}],
        "yaml": "bearer: LEAKED-16\nkey: LEAKED-17\nmode: strict\n", "json": json!({"hmac": "LEAKED-18", "mode": "strict"}).to_string(),
    });
    for document in [
        json!({"kind": "WasmPlugin", "spec": {"pluginConfig": config}}),
        json!({"configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": config.to_string()}}),
        json!({"configuration": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": config}}),
    ] {
        let out = redacted(&document).to_string();
        assert!(!out.contains("LEAKED") && out.contains("me:") && out.contains("mode"), "{out}");
        assert_eq!(redact::json(&out), out);
    }
    // An escape hides a name from the eye alone.
    let out =
        redact::json(r#"{"pass\u0077ord":"LEAKED","a":"{\u0022token\u0022:\u0022LEAKED\u0022}","pluginConfig":{"\u006bey":"LEAKED-1"}}"#)
            .into_owned();
    assert!(!out.contains("LEAKED"), "{out}");
    serde_json::from_str::<Value>(&out).unwrap();
}

#[test]
fn hostile_h22_what_is_said_about_secrets_stays() {
    let config = json!({
        "tokenHeader": "x-token", "token_prefix": "Bearer", "api_key_header": "x-key", "authorizationMode": "strict", "passCount": 3,
        "tokenizer": "gpt2", "passport": "eu", "key": "x-user-id", "basic": true, "hmac": "sha256", "auth": "optional", "bearer": "header",
        "rules": [{"key": "path", "value": "/a1b2c3d4"}, {"key": "remote_address"}], "keys": ["x-user-id"], "secretName": "db", "cookie": {"name": "a1"},
        "password_policy": "strict", "token_ttl": "5m", "kty": "RSA", "kid": "2026-a",
    });
    for document in [
        json!({"spec": {"pluginConfig": config}}),
        json!({"configuration": {"value": config.to_string()}}),
        json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "P4ssword-1"}}}]}),
        json!({"matchExpressions": [{"key": "a1B2c3D4", "operator": "Exists"}]}),
    ] {
        assert_eq!(redacted(&document), document);
    }
    for line in [
        "secret=default",
        "reading secret=\"default/regcred-2\" authorization=allowed source=10.0.0.1",
        "\"got it\" secret=\"default/regcred\" token=expired",
        "tokenHeader=x-token passCount=3 tokenizer=gpt2 passport=eu1 authorizationMode=strict",
        "auth=mtls basic: yes hmac=sha256 key=a1b2c3d4e5f6a7b8",
        "kty and eyJ and ghp_ are words",
    ] {
        assert!(matches!(redact::log_line(line), Cow::Borrowed(_)), "{}", redact::log_line(line));
    }
    for line in ["secret=S3cr3t-x", "authorization=Bearer LEAKEDLEAKED1", "password=default", "client_secret=default", "/?secret=default"] {
        assert!(redact::log_line(line).contains("[redacted]"), "{line}");
    }
}
