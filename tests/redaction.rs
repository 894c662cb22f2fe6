//! Nothing secret passes `ingest::redact`, wherever it was planted, and what is not secret stays as it was written.

#![allow(clippy::unwrap_used)] // A test that cannot read its own text should stop there.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use meshscope::ingest::redact::{self, REDACTED};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Stands for a secret wherever one can be.
const S: &str = "pl4nted-S3cr3t";
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.c2lnbmF0dXJlLXBsYW50ZWQ";
const PEM: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEplanted\nAAAA\n-----END RSA PRIVATE KEY-----\n";

fn assert_gone(text: &str, of: &str) {
    for part in [S, "c2lnbmF0dXJl", "MIIEplanted", "cGxhbnRlZ"] {
        assert!(!text.contains(part), "{part} of {of}\nis still in {text}");
    }
}

/// Documents of Envoy and istiod with a secret in each place that can hold one, in both ways to write keys.
fn planted() -> Vec<Value> {
    let docker = json!({"auths": {"registry": {"auth": "cGxhbnRlZDpwbGFudGVk", "password": S}}}).to_string();
    vec![
        json!({"secret": {"name": "default", "tls_certificate": {"private_key": {"inline_bytes": S, "filename": "/etc/key.pem"}}}}),
        json!({"tlsCertificate": {"privateKey": {"inlineString": S}, "password": {"inlineBytes": S}}}),
        json!({"secret": {"generic_secret": {"secret": {"inline_string": S}}}}),
        json!({"genericSecret": {"secrets": {"a": {"inlineString": S}}}}),
        json!({"session_ticket_keys": {"keys": [{"inline_bytes": S}, {"filename": "/k"}]}}),
        json!({"sessionTicketKeys": {"keys": [{"inlineBytes": S}]}}),
        json!({"credentials": {"client_id": "me", "token_secret": {"name": "token", "generic_secret": {"secret": {"inline_string": S}}}}}),
        json!({"access_token": S}),
        json!({"google_grpc": {"call_credentials": [{"access_token": S}, {"from_plugin": {"typed_config": {"client_secret": S}}}]}}),
        json!({"aws": {"access_key_id": "AKIA", "secret_access_key": S, "session_token": S}}),
        json!({"auth_password": {"inline_string": S}, "redisPassword": S, "pin_password": 12345}),
        json!({"vm_config": {"environment_variables": {"key_values": {"ISTIO_META_WASM_IMAGE_PULL_SECRET": docker}}}}),
        json!({"vmConfig": {"environmentVariables": {"keyValues": {"ISTIO_META_WASM_IMAGE_PULL_SECRET": docker}}}}),
        json!({"vm_config": {"environment_variables": {"key_values":
            {"DB_PASS": S, "MY_TOKENS": S, "the_secret_2": S, "X_CREDENTIAL_Y": S, "FOO_APIKEY_BAR": S}}}}),
        json!({"metadata": {"PROXY_CONFIG": {"proxyMetadata": {"MY_PASS_1": S}}}}),
        json!({"metadata": {"PROXY_CONFIG": json!({"proxyMetadata": {"MY_PASS_1": S}}).to_string()}}),
        json!({"configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json!({"my_token_1": S, "a": {"passes": [S]}}).to_string()}}),
        json!({"configuration": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"jwt_secret_base64": S}}}),
        json!({"configuration": {"value": format!("# yaml\nclient_secret: {S}\nother: 1\n")}}),
        json!({"headers": [{"key": "authorization", "value": S}, {"value": S, "key": "X-Api-Key"}, {"header": {"raw_value": S, "key": "Cookie"}}]}),
        json!({"matcher": {"string_match": {"exact": S}, "name": "x-auth-token"}}),
        json!({"any": {"thing": format!("Bearer {S}-and-more-of-it")}, "b": format!("Basic {}", "dXNlcjpwbGFudGVkcGxhbnRlZA==cGxhbnRlZ").replace("==cGxhbnRlZ", "")}),
        json!({"any": [JWT, format!("x {JWT} y"), {"deep": JWT}]}),
        json!({"any": PEM, "cut": &PEM[..50], "wrapped": json!({"k": PEM}).to_string()}),
        json!({"any": "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUVwbGFudGVk-c2lnbmF0dXJl"}),
        json!({"url": format!("https://me:{S}@registry.example/x?y=1"), "u": format!("https://x.example/a.wasm?X-Amz-Signature={S}&b=2")}),
        json!({"auth": "eyJhdXRocyI6eyJyIjp7ImF1dGgiOiJjR3hoYm5SbFpBPT0ifX19cGxhbnRlZ"}),
        json!({"users": {"inline_string": format!("me:{{SHA}}{S}")}}),
        json!({"local_jwks": {"inline_string": format!("{{\"keys\":[{{\"kty\":\"oct\",\"k\":\"{S}\"}}]}}")}}),
        json!({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": format!("{{\"data\":\"{S}\"}}")}}),
        json!({".dockerconfigjson": S, "dockerConfigJson": {"x": S}}),
        json!({"default_source_code": {"inline_string": format!("local my_token_v2 = \"{S}\"\nlocal apikey='{S}'")}}),
    ]
}

#[test]
fn nothing_planted_in_a_dump_survives() {
    for document in planted() {
        let pretty = serde_json::to_string_pretty(&document).unwrap();
        for text in [document.to_string(), pretty, json!([json!({"value": document})]).to_string()] {
            let out = redact::json(&text);
            assert_gone(&out, &text);
            assert!(out.contains(REDACTED), "{text}");
            serde_json::from_str::<Value>(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
        }
        assert_gone(&redact::json_line(&document.to_string()), &document.to_string());
        let mut value = document.clone();
        redact::value(&mut value);
        assert_gone(&value.to_string(), &document.to_string());
        assert_eq!(redact::raw_json(&document.to_string()).as_str(), redact::json(&document.to_string()));
    }
}

#[test]
fn what_a_secret_is_called_stays() {
    for document in [
        json!({"tls_certificate_sds_secret_configs": [{"name": "default", "sds_config": {"api_config_source": {"api_type": "GRPC"}}}]}),
        json!({"validationContextSdsSecretConfig": {"name": "ROOTCA", "sdsConfig": {"initialFetchTimeout": "0s"}}}),
        json!({"token_secret": {"name": "oauth", "sds_config": {"path_config_source": {"path": "/etc/token.yaml"}}}}),
        json!({"private_key": {"filename": "/etc/certs/key.pem"}, "token_bucket": {"max_tokens": 5, "tokens_per_fill": 1}}),
        json!({"private_key": {"inline_bytes": "W3JlZGFjdGVkXQ=="}, "note": "Envoy has redacted this one itself"}),
        json!({"certificate_chain": {"inline_bytes": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM="}}),
        json!({"name": "PassthroughCluster", "bypass": "x", "value_prefix": "Bearer ", "text": "Basic Authentication"}),
        json!({"keyValues": {"ISTIO_META_WASM_IMAGE_PULL_SECRET": "kubernetes://default/regcred", "LOG": "debug"}}),
        json!({"configuration": {"value": "{\"header\":\"x-hello\",\"max\":5}"}}),
        json!({"spec": {"imagePullSecret": "regcred", "imagePullSecrets": [{"name": "a"}], "serviceAccountToken": {"audience": "istio-ca"}}}),
        json!({"local_jwks": {"inline_string": "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"abc\",\"kid\":\"1\"}]}"}}),
        json!({"uri": "spiffe://cluster.local/ns/default/sa/httpbin", "at": "https://user@host/", "ws": "x://[::1]:80/@"}),
    ] {
        let text = serde_json::to_string_pretty(&document).unwrap();
        assert_eq!(redact::json(&text), text);
        let mut value = document.clone();
        redact::value(&mut value);
        assert_eq!(value, document);
    }
    let kept = redact::json(r#"{"private_key": {"filename": "/k", "inline_string": "x"}, "a":1.50,  "b" :[ ]}"#);
    assert_eq!(kept, r#"{"private_key": {"filename": "/k", "inline_string": "[redacted]"}, "a":1.50,  "b" :[ ]}"#);
}

#[test]
fn nothing_planted_in_kubernetes_objects_survives() {
    let pod_spec = json!({
        "initContainers": [{"name": "init", "env": [{"name": "HARMLESS", "value": S}]}],
        "containers": [
            {"name": "app", "env": [{"name": "A", "value": S}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "kept", "key": "kept2"}}}],
             "args": ["--db-password", S, format!("--token={S}"), "--verbose"], "command": ["run", "--api-key", S]},
            {"name": "discovery", "env": [{"name": "ENABLE_X", "value": "kept-switch"}, {"name": "PILOT_TOKEN", "value": S}, {"name": "OTHER", "value": S}]},
            {"name": "istio-proxy", "env": [{"name": "MY_SECRET_2", "value": S}, {"name": "ISTIO_META_CLUSTER_ID", "value": "kept3"},
              {"name": "PROXY_CONFIG", "value": json!({"proxyMetadata": {"X_TOKEN_1": S, "Y": "kept4"}}).to_string()}]}]});
    let objects = json!({"kind": "List", "items": [
        {"kind": "Pod", "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": S, "a": format!("Bearer {S}{S}")}}, "spec": pod_spec},
        {"kind": "Deployment", "spec": {"template": {"spec": pod_spec}}},
        {"kind": "Secret", "metadata": {"name": "kept5"}, "data": {"a": S}, "stringData": {"b": S}},
        {"kind": "WasmPlugin", "spec": {"imagePullSecret": "kept6", "vmConfig": {"env": [{"name": "MY_TOKENS", "value": S}, {"value": S, "name": "DBPASS"},
            {"name": "LEVEL", "value": "kept7"}]}, "pluginConfig": {"openid_secret_1": S, "nested": [{"apiKeys": [S], "header": "kept8"}]}}},
        {"kind": "TrafficExtension", "spec": {"wasm": {"pluginConfig": {"jwtTokens": {"x": S}}}, "lua": {"inlineCode": format!("local token = '{S}'")}}},
        {"kind": "EnvoyFilter", "spec": {"configPatches": [{"patch": {"value": {"typed_config": {"client_secret": S, "password": {"inline_string": S}}}}}]}},
        {"kind": "ConfigMap", "data": {"mesh": format!("rootNamespace: kept9\ndefaultConfig:\n  password: {S}\n")}}]});
    let mut redacted = objects.clone();
    redact::value(&mut redacted);
    let text = redacted.to_string();
    assert_gone(&text, &objects.to_string());
    for kept in ["kept\"", "kept2", "kept3", "kept4", "kept5", "kept6", "kept7", "kept8", "kept9", "kept-switch", "--verbose", "MY_TOKENS"]
    {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(!text.contains("last-applied"));
}

#[test]
fn logs_lose_secrets_and_keep_their_story() {
    for line in [
        format!("GET /x authorization: Bearer {S}{S} 200"),
        format!("'authorization', 'Bearer {S}{S}'"),
        format!("'cookie', 'session={S}'"),
        format!("{{\"authority\":\"httpbin\",\"authorization\":\"{S}\",\"path\":\"/\"}}"),
        format!("config={{\\\"password\\\":\\\"{S}\\\"}}"),
        format!("path=/login?user=a&access_token={S}&next=b"),
        format!("password={S} user=a"),
        format!("password: {S}"),
        format!("token: {S}0123"),
        format!("jwt {JWT}."),
        PEM.to_owned(),
        format!("dial postgres://u:{S}@db:5432/x failed"),
        "Authorization: Basic dXNlcjpwbGFudGVkcGxhbnRlZA==".to_owned(),
    ] {
        let out = redact::log_line(&line);
        assert_gone(&out, &line);
        assert!(out.contains(REDACTED) && !out.contains("cGxhbnRl"), "{out}");
        assert_gone(&redact::text(&format!("a\n{line}\nb")), &line);
    }
    for line in [
        "failed to get token: rpc error: code = Unavailable",
        "Failed to fetch docker credential default/x: secret \"regcred\" not found",
        "cannot fetch Wasm module default.helloworld: missing image pulling secret",
        "info\tcache\tgenerated new workload certificate\tresourceName=default latency=12ms ttl=23h59m59s",
        "secret/default watch: token == nil and secret ~= 'x'",
        "warning envoy wasm wasm log default.helloworld: Basic settings, Bearer of news",
    ] {
        assert!(matches!(redact::log_line(line), Cow::Borrowed(_)), "{}", redact::log_line(line));
    }
}

/// What the recordings hold was looked through by eye once: only Envoy's own marks stand where secrets were.
#[test]
fn recordings_pass_unchanged() {
    for name in ["permissive", "gateway", "fetch-failed-closed", "eras/1.12.0/strict-dual", "eras/1.26.2/permissive-v4"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(format!("{name}.tar.zst"));
        let tar = zstd::decode_all(File::open(path).unwrap()).unwrap();
        for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let path = entry.path().unwrap().display().to_string();
            let out = if path.ends_with(".json") { redact::json(&text) } else { redact::text(&text) };
            assert!(matches!(out, Cow::Borrowed(_)), "{name}: {path}");
        }
    }
}

/// The pieces that the rules look for, with this between them.
fn pieces_by(between: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "password",
            "token",
            "\"",
            "\\",
            ":",
            "=",
            " ",
            "\n",
            "{",
            "}",
            "[",
            "]",
            ",",
            "eyJ",
            ".",
            "Bearer ",
            "Basic ",
            "aGVsbG86d29y",
            "://",
            "@",
            "-----BEGIN PRIVATE KEY-----",
            "https://u:p@h/",
            "_token_1",
            "-----BEGIN ",
            "PRIVATE KEY",
            "-----",
            "-----END ",
            "kty",
            "{SHA}",
            "LS0tLS1CRUdJTi",
            "ü",
            "'",
            "authorization",
            "secret",
            "12",
            "sig=",
            "\"env\"",
            "\"name\":",
            "\"value\":",
            "_key",
            "private",
            "null",
            "kubernetes://"
        ])
        .prop_map(str::to_owned),
        "[a-zA-Z0-9é_\\-]{0,6}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(move |pieces| pieces.join(between))
}

/// Text in which the edges of the pieces meet.
fn pieces() -> impl Strategy<Value = String> {
    pieces_by("")
}

fn documents() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "name",
        "key",
        "value",
        "password",
        "private_key",
        "env",
        "pluginConfig",
        "configuration",
        "secret",
        "x",
        "inline_string",
        "sds_config",
        "token_v2",
        "filename",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        pieces().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![pieces(), any::<String>()]) {
        let _ = (redact::json(&text), redact::plugin_config(&text), redact::log_line(&text), redact::raw_json(&text));
        let mut value = Value::String(text);
        redact::value(&mut value);
    }

    #[test]
    fn valid_json_stays_valid_and_keeps_its_shape(document in documents()) {
        let text = document.to_string();
        let out: Value = serde_json::from_str(&redact::json(&text)).unwrap();
        prop_assert!(same_shape(&document, &out), "{document}\n{out}");
        serde_json::from_str::<Value>(&redact::plugin_config(&text)).unwrap();
    }

    /// Of what is run together a second pass can find more: a part may hide the name of another until it is gone.
    #[test]
    fn what_was_redacted_once_stays_as_it_is(text in pieces_by("\n")) {
        for redact in [redact::json, redact::plugin_config, redact::log_line, redact::json_line] {
            let once = redact(&text).into_owned();
            prop_assert_eq!(redact(&once), once.as_str(), "{}", text);
        }
    }

    /// The scan that spares the rewriting never misses what the rewriting would replace: `eyJ` makes it rewrite always.
    #[test]
    fn the_fast_path_misses_nothing(document in documents()) {
        let rewritten = redact::json(&format!("[{document},\"eyJ\"]")).into_owned();
        prop_assert_eq!(rewritten, format!("[{},\"eyJ\"]", redact::json(&document.to_string())));
    }
}

fn same_shape(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same_shape(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b)),
        (Value::Number(_), Value::String(b)) => b == REDACTED,
        (Value::String(_), Value::String(_)) => true,
        (a, b) => a == b,
    }
}

/// The pull secret of a NETWORK plugin, as istiod itself leaves it in what it says (an HTTP plugin's it masks).
fn network_plugin() -> Value {
    let docker = json!({"auths": {"registry": {"auth": "cGxhbnRlZDpwbGFudGVk", "password": S}}}).to_string();
    json!({"@type": "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm", "config": {"name": "default.tcp",
        "vmConfig": {"environmentVariables": {"keyValues": {"ISTIO_META_WASM_IMAGE_PULL_SECRET": docker}}}}})
}

#[test]
fn no_credential_that_istiod_tells_reaches_an_answer() {
    use std::sync::Arc;

    use meshscope::analysis::answers;
    use meshscope::cli::Format;
    use meshscope::ingest::config_dump;
    use meshscope::ingest::istiod::{Syncz, syncz, watches};
    use meshscope::model::envoy::DumpView;
    use meshscope::model::snapshot::Snapshot;
    use meshscope::model::sync::{IstiodSync, Sync};
    use meshscope::report::{Answer, Paint};

    // What `/debug/config_dump` and `/debug/ecdsz` hold: a section of the dump, and a bare list.
    let name = "extensions.istio.io/trafficextension/default.tcp";
    let extension =
        json!({"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": name, "typedConfig": network_plugin()});
    let section = json!({"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecdsFilters": [{"ecdsFilter": extension}]});
    let dump = json!({"configs": [section]}).to_string();
    let parsed = config_dump::parse(dump.as_bytes(), DumpView::Istiod, "the dump").unwrap();
    assert_gone(&format!("{parsed:?}"), "istiod's config_dump");
    assert_gone(&redact::json(&json!([extension]).to_string()), "istiod's ecdsz");

    // What `/debug/syncz` holds: what a proxy says of what it refused, in both forms.
    let said = format!("Unable to create: {} Bearer {S}-and-more-of-it https://me:{S}@registry.example/", network_plugin());
    let url = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";
    let by_http = json!([{"proxy": "web-1.default", "cluster_id": "Kubernetes", "resources": {url: {"sent": "1", "lastError": said}}}]);
    let by_xds = json!({"resources": [{"node": {"id": "web-1.default", "metadata": {"CLUSTER_ID": "Kubernetes"}},
        "genericXdsConfigs": [{"typeUrl": url, "configStatus": "ERROR", "errorState": {"details": said}}]}]});
    for answer in [by_http, by_xds] {
        let Syncz { clients, tells_watched } = syncz(answer.to_string().as_bytes()).unwrap();
        let istiod =
            IstiodSync { pod: "istiod-1".to_owned(), way: "xDS", tried: Vec::new(), account: None, only: None, tells_watched, clients };
        let sync = Sync { istiods: vec![istiod], ..Sync::default() };
        let snapshot = Snapshot { sync: Some(Ok(Arc::new(sync))), ..Snapshot::default() };
        assert_gone(&format!("{snapshot:?}"), "istiod's syncz");
        let answer = answers::sync(&snapshot, |_| true);
        assert!(answer.proxies[0].types.iter().any(|found| found.state == "refused"));
        for format in [Format::Text, Format::Json, Format::Yaml, Format::Markdown] {
            let printed = answer.printed(format, Paint::Plain).unwrap();
            assert!(printed.contains("Unable to create"), "{printed}");
            assert_gone(&printed, "an answer of sync");
        }
    }

    // What `/debug/adsz` holds: metadata, of which nothing is read.
    let adsz = json!({"clients": [{"connectionId": "web-1.default-1", "metadata": {"PASSWORD": S, "PROXY_CONFIG": {"x": S}}, "watches": {url: [name]}}]});
    assert_gone(&format!("{:?}", watches(adsz.to_string().as_bytes()).unwrap()), "istiod's adsz");
}
