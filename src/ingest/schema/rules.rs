//! What the API server checks of an object beyond the types of its fields: the rules that Istio's CRDs have (`x-kubernetes-validations`, `minimum`,
//! `oneOf` in `manifests/charts/base/files/crd-all.gen.yaml`), and those of a Service (`k8s.io/kubernetes
//! pkg/apis/core/validation/validation.go: ValidateService`). Only rules that decide whether or where an object counts.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ingest::go_url;
use crate::ingest::kubernetes::str_of;
use crate::model::ids::is_dns_label;
use crate::model::kind::Kind;

/// A rule: the kinds that it is for, and what is broken of a spec.
type Rule = (&'static [Kind], fn(&Value) -> Option<String>);

const RULES: [Rule; 9] = [
    (&[Kind::WasmPlugin, Kind::TrafficExtension, Kind::EnvoyFilter], one_scope),
    (&[Kind::WasmPlugin, Kind::TrafficExtension, Kind::EnvoyFilter], own_namespace),
    (
        &[Kind::WasmPlugin, Kind::TrafficExtension, Kind::PeerAuthentication, Kind::Sidecar, Kind::EnvoyFilter, Kind::DestinationRule],
        labels,
    ),
    (&[Kind::WasmPlugin, Kind::TrafficExtension], match_ports),
    (&[Kind::WasmPlugin, Kind::TrafficExtension], module_url),
    (&[Kind::WasmPlugin, Kind::TrafficExtension], checksum),
    (&[Kind::TrafficExtension], one_extension),
    (&[Kind::PeerAuthentication], port_modes),
    (&[Kind::Service], service),
];

/// The first rule that an object breaks, as a clause that begins with the place. The types of its fields are checked already.
pub(super) fn broken(kind: Kind, object: &Value) -> Option<String> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    name(kind, object).or_else(|| RULES.iter().filter(|(kinds, _)| kinds.contains(&kind)).find_map(|(_, rule)| rule(spec)))
}

/// A value that is there and not null.
fn has<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    value.pointer(pointer).filter(|value| !value.is_null())
}

fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn is_port(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| (1.0..=65535.0).contains(&number))
}

/// Names are DNS names in lower case; those of Services and Namespaces have no dot (`apimachinery pkg/api/validation/generic.go`).
fn name(kind: Kind, object: &Value) -> Option<String> {
    let name = str_of(object, "/metadata/name");
    let (is_fit, wanted) = match kind {
        Kind::Service => {
            let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
            (starts && name.len() <= 63 && is_dns_label(name), "letters in lower case, digits and -, with a letter first, at most 63")
        }
        Kind::Namespace => (name.len() <= 63 && is_dns_label(name), "letters in lower case, digits and -, at most 63"),
        _ => (name.len() <= 253 && name.split('.').all(is_dns_label), "letters in lower case, digits, - and dots, at most 253"),
    };
    (!is_fit).then(|| format!("metadata.name is {name:?}, and may have {wanted}"))
}

fn one_scope(spec: &Value) -> Option<String> {
    let fields = ["selector", "workloadSelector", "targetRef", "targetRefs"];
    let given: Vec<&str> = fields.into_iter().filter(|field| spec.get(field).is_some_and(|value| !value.is_null())).collect();
    (given.len() > 1).then(|| format!("spec has {}, and may have only one of them", given.join(" and ")))
}

fn own_namespace(spec: &Value) -> Option<String> {
    let mut targets = items(spec, "/targetRefs").chain(has(spec, "/targetRef"));
    targets
        .any(|target| !str_of(target, "/namespace").is_empty())
        .then(|| "a target of spec names a namespace, and may name none".to_owned())
}

/// Labels of `matchLabels`, and of `labels` of a `workloadSelector`, whose keys nothing is asked of.
fn labels(spec: &Value) -> Option<String> {
    ["selector/matchLabels", "workloadSelector/matchLabels", "workloadSelector/labels"].into_iter().find_map(|place| {
        let path = format!("spec.{}", place.replace('/', "."));
        let checks_keys = place.ends_with("matchLabels");
        has(spec, &format!("/{place}")).and_then(Value::as_object).into_iter().flatten().find_map(|(key, value)| {
            let value = value.as_str().unwrap_or_default();
            match () {
                () if checks_keys && key.is_empty() => Some(format!("{path} has an empty key")),
                () if value.contains('*') || checks_keys && key.contains('*') => {
                    Some(format!("{path} has {key}: {value}, and * is not supported there"))
                }
                () if value.chars().count() > 63 => Some(format!("{path} has a value of more than 63 characters under {key}")),
                () => None,
            }
        })
    })
}

fn match_ports(spec: &Value) -> Option<String> {
    items(spec, "/match").enumerate().find_map(|(index, item)| {
        let mut ports = items(item, "/ports").enumerate();
        let (place, wrong) = ports.find_map(|(place, port)| Some((place, port.get("number").filter(|number| !is_port(number))?)))?;
        Some(format!("spec.match[{index}].ports[{place}].number is {wrong}, and is from 1 to 65535"))
    })
}

fn module_url(spec: &Value) -> Option<String> {
    ["/url", "/wasm/url"].into_iter().find_map(|place| {
        let url = has(spec, place)?.as_str()?;
        let path = format!("spec{}", place.replace('/', "."));
        match go_url::scheme(url) {
            _ if url.is_empty() => Some(format!("{path} is empty")),
            Ok(scheme) if !go_url::is_of_a_module(&scheme) => {
                Some(format!("{path} has the scheme {scheme}, which is none of http, https, oci, file"))
            }
            _ => None,
        }
    })
}

/// `pattern: (^$|^[a-f0-9]{64}$)`.
fn checksum(spec: &Value) -> Option<String> {
    ["/sha256", "/wasm/sha256"].into_iter().find_map(|place| {
        let sum = str_of(spec, place);
        let is_fit = sum.is_empty() || sum.len() == 64 && sum.bytes().all(|byte| matches!(byte, b'a'..=b'f' | b'0'..=b'9'));
        (!is_fit).then(|| format!("spec{} is {sum:?}, and has 64 digits of a-f and 0-9", place.replace('/', ".")))
    })
}

fn one_extension(spec: &Value) -> Option<String> {
    let both = has(spec, "/wasm").is_some() && has(spec, "/lua").is_some();
    both.then(|| "spec has wasm and lua, and may have only one of them".to_owned())
}

fn port_modes(spec: &Value) -> Option<String> {
    let modes = has(spec, "/portLevelMtls")?.as_object()?;
    let has_labels = has(spec, "/selector/matchLabels").and_then(Value::as_object).is_some_and(|labels| !labels.is_empty());
    if !has_labels {
        return Some("spec.portLevelMtls needs a selector with labels".to_owned());
    }
    let wrong = modes.keys().find(|key| !key.parse::<u16>().is_ok_and(|port| port > 0))?;
    Some(format!("spec.portLevelMtls has {wrong:?}, and its keys are ports from 1 to 65535"))
}

fn service(spec: &Value) -> Option<String> {
    let first = str_of(spec, "/clusterIPs/0");
    if !first.is_empty() && str_of(spec, "/clusterIP").is_empty() {
        return Some(format!("spec.clusterIPs has {first} and spec.clusterIP is empty, though it has to be the same"));
    }
    let ports: Vec<&Value> = items(spec, "/ports").collect();
    let may_be_empty = str_of(spec, "/type") == "ExternalName" || str_of(spec, "/clusterIP") == "None";
    if ports.is_empty() && !may_be_empty {
        return Some("spec.ports is empty".to_owned());
    }
    let (mut names, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    ports.iter().enumerate().find_map(|(index, port)| {
        let (path, name) = (format!("spec.ports[{index}]"), str_of(port, "/name"));
        let number = port.get("port").unwrap_or(&Value::Null);
        let protocol = if str_of(port, "/protocol").is_empty() { "TCP" } else { str_of(port, "/protocol") };
        match () {
            () if name.is_empty() && ports.len() > 1 => Some(format!("{path}.name is missing, which each of several ports has to have")),
            () if !name.is_empty() && !names.insert(name) => Some(format!("{path}.name is {name:?}, as that of another port")),
            () if !is_port(number) => Some(format!("{path}.port is {number}, and is from 1 to 65535")),
            () if !numbers.insert((number.to_string(), protocol)) => {
                Some(format!("{path} is port {number} of {protocol}, as another one of it"))
            }
            () => target_port(port.get("targetPort")?).map(|what| format!("{path}.targetPort {what}")),
        }
    })
}

/// A number, or a name with a letter in it (`apimachinery pkg/util/validation: IsValidPortName`). 0 and an empty name are the port itself.
fn target_port(target: &Value) -> Option<String> {
    match target {
        Value::Number(number) if number.as_f64() != Some(0.0) && !is_port(target) => Some(format!("is {number}, and is from 1 to 65535")),
        Value::String(name) if !name.is_empty() => {
            let of_port = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            let is_fit = name.len() <= 15
                && name.chars().all(of_port)
                && name.chars().any(|c| c.is_ascii_lowercase())
                && !name.contains("--")
                && !name.starts_with('-')
                && !name.ends_with('-');
            (!is_fit).then(|| format!("is the text {name:?}, and a name has a letter in it and at most 15 of a-z, 0-9 and -"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(kind: Kind, name: &str, spec: &Value) -> Option<String> {
        broken(kind, &json!({"metadata": {"name": name}, "spec": spec}))
    }

    #[test]
    fn what_istios_crds_reject_is_named_with_its_place() {
        let labels = json!({"matchLabels": {"app": "a"}});
        for (kind, spec, what) in [
            (
                Kind::WasmPlugin,
                json!({"selector": labels, "targetRef": {"kind": "Service", "name": "a"}}),
                "spec has selector and targetRef",
            ),
            (Kind::EnvoyFilter, json!({"workloadSelector": {}, "targetRefs": []}), "spec has workloadSelector and targetRefs"),
            (Kind::TrafficExtension, json!({"lua": {}, "wasm": {}}), "spec has wasm and lua"),
            (Kind::WasmPlugin, json!({"selector": {"matchLabels": {"app": "http*"}}}), "spec.selector.matchLabels has app: http*"),
            (Kind::WasmPlugin, json!({"selector": {"matchLabels": {"a*": "b"}}}), "spec.selector.matchLabels has a*: b"),
            (Kind::PeerAuthentication, json!({"selector": {"matchLabels": {"": "b"}}}), "spec.selector.matchLabels has an empty key"),
            (Kind::Sidecar, json!({"workloadSelector": {"labels": {"app": "*"}}}), "spec.workloadSelector.labels has app: *"),
            (Kind::WasmPlugin, json!({"match": [{"ports": [{"number": 80}, {"number": 0}]}]}), "spec.match[0].ports[1].number is 0"),
            (Kind::TrafficExtension, json!({"match": [{"ports": [{"number": 70000}]}]}), "spec.match[0].ports[0].number is 70000"),
            (Kind::WasmPlugin, json!({"url": "ftp://x/y"}), "spec.url has the scheme ftp"),
            (Kind::TrafficExtension, json!({"wasm": {"url": ""}}), "spec.wasm.url is empty"),
            (Kind::WasmPlugin, json!({"url": "oci://x/y", "sha256": "abc"}), "spec.sha256 is \"abc\""),
            (Kind::WasmPlugin, json!({"sha256": "A".repeat(64)}), "spec.sha256 is \"AAA"),
            (Kind::TrafficExtension, json!({"wasm": {"url": "oci://x/y", "sha256": "sha256:0"}}), "spec.wasm.sha256 is"),
            (Kind::WasmPlugin, json!({"targetRefs": [{"namespace": "b"}]}), "a target of spec names a namespace"),
            (Kind::PeerAuthentication, json!({"portLevelMtls": {}}), "spec.portLevelMtls needs a selector"),
            (Kind::PeerAuthentication, json!({"selector": labels, "portLevelMtls": {"70000": {}}}), "spec.portLevelMtls has \"70000\""),
            (Kind::PeerAuthentication, json!({"selector": labels, "portLevelMtls": {"0": {}}}), "spec.portLevelMtls has \"0\""),
        ] {
            let what_is = found(kind, "a", &spec).unwrap_or_default();
            assert!(what_is.starts_with(what), "{kind} {spec}: {what_is}");
        }
        for (kind, spec) in [
            (Kind::WasmPlugin, json!({"selector": labels, "targetRefs": null, "url": "registry.example.com/a:1"})),
            (Kind::WasmPlugin, json!({"url": "10.0.0.1:5000/a", "match": [{"ports": [{"number": 65535}]}, {}]})),
            (Kind::Sidecar, json!({"workloadSelector": {"labels": {"": "a"}}})),
            (Kind::PeerAuthentication, json!({"selector": labels, "portLevelMtls": {"80": {}}})),
            (Kind::TrafficExtension, json!({"wasm": null, "lua": {}})),
            (Kind::WasmPlugin, json!({"url": "oci://x/y", "sha256": "0a".repeat(32)})),
            (Kind::WasmPlugin, json!({"url": "oci://x/y", "sha256": ""})),
        ] {
            assert_eq!(found(kind, "a.b-1", &spec), None, "{kind} {spec}");
        }
    }

    #[test]
    fn what_a_service_may_not_have_is_named_with_its_place() {
        for (spec, what) in [
            (json!({}), "spec.ports is empty"),
            (json!({"ports": [{"port": 0}]}), "spec.ports[0].port is 0"),
            (json!({"ports": [{"port": 70000}]}), "spec.ports[0].port is 70000"),
            (json!({"ports": [{"port": 80, "targetPort": "80"}]}), "spec.ports[0].targetPort is the text \"80\""),
            (json!({"ports": [{"port": 80, "targetPort": 70000}]}), "spec.ports[0].targetPort is 70000"),
            (json!({"ports": [{"port": 90}, {"port": 91}]}), "spec.ports[0].name is missing"),
            (json!({"ports": [{"port": 90, "name": "a"}, {"port": 91, "name": "a"}]}), "spec.ports[1].name is \"a\""),
            (json!({"ports": [{"port": 90, "name": "a"}, {"port": 90, "name": "b"}]}), "spec.ports[1] is port 90 of TCP"),
            (json!({"clusterIPs": ["None"], "clusterIP": "", "ports": [{"port": 80}]}), "spec.clusterIPs has None"),
        ] {
            let what_is = found(Kind::Service, "a", &spec).unwrap_or_default();
            assert!(what_is.starts_with(what), "{spec}: {what_is}");
        }
        for spec in [
            json!({"clusterIP": "None"}),
            json!({"type": "ExternalName", "externalName": "a.b"}),
            json!({"ports": [{"port": 80, "targetPort": 0}]}),
            json!({"ports": [{"port": 53, "name": "a", "targetPort": "dns-1"}, {"port": 53, "name": "b", "protocol": "UDP"}]}),
            json!({"clusterIPs": ["10.0.0.1"], "clusterIP": "10.0.0.1", "ports": [{"port": 80}]}),
        ] {
            assert_eq!(found(Kind::Service, "a", &spec), None, "{spec}");
        }
        for (kind, name) in
            [(Kind::Service, "S_Bad"), (Kind::Service, "1a"), (Kind::Namespace, "a.b"), (Kind::Pod, "a_b"), (Kind::Sidecar, "-a")]
        {
            assert!(found(kind, name, &json!({})).is_some_and(|what| what.starts_with("metadata.name is ")), "{kind} {name}");
        }
    }
}
