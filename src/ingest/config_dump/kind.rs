//! Names what a file is when it is no config dump.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::NotADump;
use super::saved::first_line;

/// What to give instead.
const FIX: &str = "give what `GET /config_dump` of Envoy's admin port answers, for instance by `istioctl proxy-config all POD -o json`";

/// Known documents by key; the first row whose keys are all present wins.
const KNOWN: [(&[&str], &str); 21] = [
    (&["workloads", "services"], ZTUNNEL),
    (&["workloads", "policies"], ZTUNNEL),
    (&["workloads", "certificates"], ZTUNNEL),
    (&["by_addr"], ZTUNNEL),
    (&["apiVersion", "kind"], "is a Kubernetes object, or a List of them"),
    (&["rootNamespace"], MESH),
    (&["defaultConfig"], MESH),
    (&["trustDomain"], MESH),
    (&["proxy", "cluster_sent"], SYNCZ),
    (&["proxy", "cluster_id"], SYNCZ),
    (&["clients"], "is the answer of istiod's /debug/connections or /debug/adsz"),
    (&["totalClients"], "is the answer of istiod's /debug/connections or /debug/adsz"),
    (&["cluster_statuses"], "is the answer of Envoy's /clusters"),
    (&["hostStatuses"], ENDPOINTS),
    (&["addedViaApi"], ENDPOINTS),
    (&["listener_statuses"], "is the answer of Envoy's /listeners"),
    (&["unready_targets_dumps"], "is the answer of Envoy's /init_dump"),
    (&["command_line_options"], "is the answer of Envoy's /server_info"),
    (&["hot_restart_version"], "is the answer of Envoy's /server_info"),
    (&["certificates"], "is the answer of Envoy's /certs"),
    (&["stats"], "is the answer of Envoy's /stats"),
];
const OTHER_JSON: &str = "is JSON, but not an Envoy config dump: it has no section of one";
const ZTUNNEL: &str = "is a ztunnel's dump: Wasm never runs there";
const MESH: &str = "is Istio's mesh configuration";
const SYNCZ: &str = "is the answer of istiod's /debug/syncz";
const ENDPOINTS: &str = "is the output of `istioctl proxy-config endpoints`, which lists statuses and no listeners";

/// Words of the programs that answer with an error, and which program it is.
const ERRORS: [(&str, &str); 9] = [
    ("not found in config dump", "Envoy's admin port"),
    ("invalid path. admin commands are", "Envoy's admin port"),
    ("Method Not Allowed", "Envoy's admin port"),
    ("has no field", "Envoy's admin port"),
    ("could not be successfully applied to any configs", "Envoy's admin port"),
    ("Error from server", "kubectl"),
    ("error: ", "kubectl"),
    ("Error: ", "istioctl"),
    ("proto: not found", "istiod"),
];

/// Says what a text is; `error` is the parser's word for what it cannot read.
pub(super) fn not_a_dump(text: &str, error: Option<&str>) -> NotADump {
    let line = first_line(text);
    let what = match text.trim_start().chars().next() {
        None => "is empty".to_owned(),
        Some('{' | '[') => match (of_json(text), error) {
            (Some(ZTUNNEL), _) => ZTUNNEL.to_owned(),
            (Some(known), _) => format!("{known}, not an Envoy config dump"),
            (None, None) => OTHER_JSON.to_owned(),
            (None, Some(error)) => format!("is not a whole JSON document: {error}"),
        },
        Some(_) if serde_json::from_str::<IgnoredAny>(text).is_ok() => OTHER_JSON.to_owned(),
        Some('<') => format!("is a page of HTML or XML, not JSON: `{line}`"),
        Some(_) if line.starts_with("HTTP/") => format!("is an HTTP answer without JSON: `{line}`"),
        Some(_) if is_mesh_yaml(text) => MESH.to_owned(),
        Some(_) => match ERRORS.iter().find(|(words, _)| text.len() < 10_000 && text.contains(words)) {
            Some((_, whose)) => format!("is not JSON, but an error of {whose}: `{line}`"),
            None => format!("is not JSON: it begins with `{line}`"),
        },
    };
    let fix = if what == ZTUNNEL { "give the dump of a sidecar, a gateway or a waypoint" } else { FIX };
    NotADump { what, fix: fix.to_owned() }
}

/// As `kubectl get configmap istio` writes it, and as its key `mesh` is.
fn is_mesh_yaml(text: &str) -> bool {
    let keys = ["defaultConfig:", "rootNamespace:", "trustDomain:"];
    text.lines().take(1000).any(|line| keys.contains(&line.split_whitespace().next().unwrap_or_default()))
}

fn of_json(text: &str) -> Option<&'static str> {
    let mut keys = Keys::default();
    // An error comes after what was found, so it says nothing here.
    let _ = serde_json::Deserializer::from_str(text).deserialize_any(&mut keys);
    let is_there = |wanted: &&str| keys.0.iter().any(|key| key == *wanted);
    KNOWN.iter().find(|(wanted, _)| wanted.iter().all(is_there)).map(|(_, what)| *what)
}

/// The keys of an object, or of the first object of a list.
#[derive(Default)]
struct Keys<'a>(Vec<Cow<'a, str>>);

/// More keys than this are not looked at.
const MOST_KEYS: usize = 1000;

impl<'a> Visitor<'a> for &mut Keys<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            if self.0.len() < MOST_KEYS {
                self.0.push(key);
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        struct First<'k, 'a>(&'k mut Keys<'a>);
        impl<'a> serde::de::DeserializeSeed<'a> for First<'_, 'a> {
            type Value = ();
            fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
                deserializer.deserialize_any(self.0)
            }
        }
        seq.next_element_seed(First(self))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_is_called_by_its_name() {
        for (text, what) in [
            ("", "is empty"),
            (r#"{"by_addr": {}, "by_hostname": {}}"#, ZTUNNEL),
            (r#"{"certificates": [], "config": {}, "policies": [], "services": [], "workloads": []}"#, ZTUNNEL),
            (r#"{"certificates": [{"ca_cert": []}]}"#, "is the answer of Envoy's /certs"),
            (r#"{"defaultConfig": {}, "enablePrometheusMerge": true}"#, MESH),
            ("accessLogFile: /dev/stdout\ndefaultConfig:\n  x: 1", MESH),
            (r#"[{"cluster_id": "Kubernetes", "proxy": "a.b"}]"#, SYNCZ),
            (r#"[{"name": "x", "addedViaApi": true, "hostStatuses": []}]"#, ENDPOINTS),
            (r#"{"apiVersion": "v1", "items": [], "kind": "List"}"#, "is a Kubernetes object, or a List of them"),
            ("<html><head>", "is a page of HTML or XML, not JSON: `<html><head>`"),
            (
                "ecds_filters not found in config dump\n",
                "is not JSON, but an error of Envoy's admin port: `ecds_filters not found in config dump`",
            ),
            (
                "Error from server (NotFound): pods \"a\" not found",
                "is not JSON, but an error of kubectl: `Error from server (NotFound): pods \"a\" not found`",
            ),
            ("HTTP/1.1 404 Not Found\r\n\r\ninvalid", "is an HTTP answer without JSON: `HTTP/1.1 404 Not Found`"),
            ("NAME  DOMAINS", "is not JSON: it begins with `NAME  DOMAINS`"),
            (r#"{"x": 1}"#, OTHER_JSON),
            ("null", OTHER_JSON),
        ] {
            let found = not_a_dump(text, None).what;
            assert!(found == what || found == format!("{what}, not an Envoy config dump"), "{text}: {found}");
        }
        assert_eq!(not_a_dump("{", Some("EOF")).what, "is not a whole JSON document: EOF");
        assert!(not_a_dump(r#"{"by_addr": {}}"#, None).fix.contains("a sidecar"));
    }
}
