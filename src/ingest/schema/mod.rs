//! Which fields the kinds have that are read, and of which types: an object of a manifest is checked by them as the API server would.
//!
//! `istio.txt` holds the specs of Istio's kinds (the CRDs that follow Istio 1.31, `manifests/charts/base/files/crd-all.gen.yaml`) and of the Gateway of
//! the Gateway API 1.6 with its experimental fields; `kubernetes.txt` those of Kubernetes 1.34 (`api/openapi-spec`), with `metadata`. A line is a field,
//! indented by one blank for each field around it: `name type`, where several words are the values of an enum; `[]` is a list, `{}` a
//! map of text to what follows, `= path` the same fields as at another place.

mod path;
mod rules;
mod table;

use serde_json::Value;

use super::kubernetes::shape;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::warning::Warning;

use path::Path;
use table::{Field, Table, Type};

/// The fields of every object.
const EVERY: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];
/// The further ones of a ConfigMap.
const OF_CONFIG_MAP: [&str; 3] = ["data", "binaryData", "immutable"];

/// Checks an object that is to be applied. Fields that its kind does not have are removed and reported, as the API server prunes them where a
/// client does not ask it to reject them (`kubectl apply` does ask).
///
/// # Errors
/// Where the API server rejects the object: a value of another type, or one that an enum does not have. In one line, with the place.
pub fn check(kind: Kind, name: &ObjectName, object: &mut Value) -> Result<Vec<Warning>, String> {
    let Some(fields) = object.as_object() else { return Ok(Vec::new()) };
    let known = |key: &str| EVERY.contains(&key) || (kind == Kind::MeshConfigMap && OF_CONFIG_MAP.contains(&key));
    let mut found = Found { faults: Vec::new(), unknown: Some(Vec::new()) };
    fields.keys().filter(|key| !known(key)).for_each(|key| found.unknown(Path::Root, key));
    for (key, root) in [("metadata", "ObjectMeta"), ("spec", &*root(kind))] {
        if let (Some(value), Some(field)) = (fields.get(key), Table::get().root(root)) {
            found.look(field, value, Path::Key(&Path::Root, key));
        }
    }
    if let Some(what) = found.faults.first() {
        return Err(rejected(kind, name, what));
    }
    let unknown = found.unknown.unwrap_or_default();
    for Unknown { around, key, .. } in &unknown {
        object.pointer_mut(around).and_then(Value::as_object_mut).and_then(|fields| fields.remove(key));
    }
    if let Some(what) = rules::broken(kind, object) {
        return Err(rejected(kind, name, &what));
    }
    let fields = object.as_object();
    let version = fields.and_then(|fields| fields.get("apiVersion")).and_then(Value::as_str).and_then(|text| text.rsplit('/').next());
    let unserved = version.filter(|version| !kind.versions().contains(version)).map(|version| {
        let what = format!(
            "apiVersion names {version}, and {} {kind} has {}: the API server may reject it",
            kind.article(),
            kind.versions().join(", ")
        );
        Warning::new(format!("{kind} {name}"), what, "correct apiVersion")
    });
    let warning = |Unknown { path, .. }: &Unknown| {
        let what = format!(
            "{path} is no field of {} {kind}: kubectl rejects the object, other clients lose the field, which is left out here",
            kind.article()
        );
        Warning::new(format!("{kind} {name}"), what, "correct its name or place")
    };
    Ok(unserved.into_iter().chain(unknown.iter().map(warning)).collect())
}

fn rejected(kind: Kind, name: &ObjectName, what: &str) -> String {
    format!("{kind} {name}: {what}, so the API server rejects it; correct the manifest")
}

/// What of an object's spec has a wrong type, place by place. Unknown fields and words are not looked at: other releases have others.
pub fn wrong_types(kind: Kind, object: &Value) -> Vec<String> {
    let mut found = Found { faults: Vec::new(), unknown: None };
    if let (Some(spec), Some(field)) = (object.get("spec"), Table::get().root(&root(kind))) {
        found.look(field, spec, Path::Key(&Path::Root, "spec"));
    }
    found.faults
}

/// The name of a kind's spec in the table.
fn root(kind: Kind) -> String {
    if kind.group().is_empty() { kind.as_str().to_owned() } else { format!("{kind}.{}", kind.group()) }
}

/// A field that the kind does not have.
struct Unknown {
    path: String,
    /// The map that it is in, as a JSON pointer.
    around: String,
    key: String,
}

/// What was found wrong.
struct Found {
    /// The values that are not as they have to be, each as a clause that begins with its place.
    faults: Vec<String>,
    /// The fields that the kind does not have; None where those are not looked for, nor what else only the API server rejects.
    unknown: Option<Vec<Unknown>>,
}

impl Found {
    /// Looks at a value and all that is in it. Null counts as absent.
    fn look(&mut self, field: Field, value: &Value, path: Path<'_>) {
        let of = Table::get().of(field);
        if value.is_null() {
            return;
        }
        if let Some(around) = field.around.strip_prefix("[]") {
            let Value::Array(values) = value else { return self.fault(path, &is_not("a list", value)) };
            let places = values.iter().enumerate();
            places.for_each(|(place, value)| self.look(Field { around, ..field }, value, Path::Place(&path, place)));
        } else if let Some(around) = field.around.strip_prefix("{}") {
            let Value::Object(values) = value else { return self.fault(path, &is_not("a map", value)) };
            values.iter().for_each(|(key, value)| self.look(Field { around, ..field }, value, Path::Key(&path, key)));
        } else if let Type::Fields(fields) = of {
            let Value::Object(values) = value else { return self.fault(path, &is_not("a map", value)) };
            values.keys().filter(|key| !fields.contains_key(key.as_str())).for_each(|key| self.unknown(path, key));
            let known = values.iter().filter_map(|(key, value)| Some((*fields.get(key.as_str())?, key, value)));
            known.for_each(|(field, key, value)| self.look(field, value, Path::Key(&path, key)));
        } else if let Some(what) = if self.unknown.is_some() { rejected_by_type(of, value) } else { undecodable(of, value) } {
            self.fault(path, &what);
        }
    }

    fn fault(&mut self, path: Path<'_>, what: &str) {
        self.faults.push(format!("{path} {what}"));
    }

    fn unknown(&mut self, around: Path<'_>, key: &str) {
        if let Some(unknown) = &mut self.unknown {
            unknown.push(Unknown { path: Path::Key(&around, key).to_string(), around: around.pointer(), key: key.to_owned() });
        }
    }
}

/// Why the API server rejects a value of a type, as a clause without its place.
fn rejected_by_type(of: &Type, value: &Value) -> Option<String> {
    let wanted = match of {
        Type::Any | Type::Fields(_) => return None,
        Type::Map if !value.is_object() => "a map",
        Type::Text | Type::Words(_) if !value.is_string() => "text",
        Type::Bool if !value.is_boolean() => "a boolean",
        Type::Number if !value.is_number() => "a number",
        Type::IntOrText if !value.is_string() && !is_whole(value) => "a whole number or text",
        Type::Int32 if value.as_f64().is_some_and(|number| number < f64::from(i32::MIN) || number > f64::from(i32::MAX)) => {
            return Some(format!("is {value}, which is no number of 32 bits"));
        }
        Type::Int | Type::Int32 if !is_whole(value) => "a whole number",
        Type::Words(words) => {
            let word = value.as_str().unwrap_or_default();
            return (!words.contains(&word)).then(|| format!("is {word:?}, which is none of {}", words.join(", ")));
        }
        _ => return None,
    };
    Some(is_not(wanted, value))
}

/// Why nobody can decode a value of a type, as a clause without its place. JSON of protobuf may have numbers as text.
fn undecodable(of: &Type, value: &Value) -> Option<String> {
    let wanted = match of {
        Type::Text | Type::Words(_) if !value.is_string() => "text",
        Type::Bool if !value.is_boolean() => "a boolean",
        Type::Number | Type::Int | Type::Int32 | Type::IntOrText if !value.is_number() && !value.is_string() => "a number",
        _ => return None,
    };
    Some(is_not(wanted, value))
}

fn is_whole(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn is_not(wanted: &str, value: &Value) -> String {
    format!("is {} and not {wanted}", shape(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(kind: Kind, mut object: Value) -> (Value, Result<Vec<String>, String>) {
        let name = ObjectName::new("default", "a");
        let warnings = check(kind, &name, &mut object);
        (
            object,
            warnings.map(|warnings| warnings.into_iter().map(|warning| warning.what.split(" is ").next().unwrap().to_owned()).collect()),
        )
    }

    #[test]
    fn unknown_fields_are_taken_out_and_said_with_their_place() {
        for (kind, spec, places, left) in [
            (
                Kind::WasmPlugin,
                json!({"selector": {"labels": {"app": "a"}}, "url": "x"}),
                vec!["spec.selector.labels"],
                json!({"selector": {}, "url": "x"}),
            ),
            (Kind::WasmPlugin, json!({"match": [{"port": [{"number": 1}]}]}), vec!["spec.match[0].port"], json!({"match": [{}]})),
            (
                Kind::WasmPlugin,
                json!({"pluginConfig": {"anything": [{"goes": 1}]}}),
                vec![],
                json!({"pluginConfig": {"anything": [{"goes": 1}]}}),
            ),
            (
                Kind::PeerAuthentication,
                json!({"selector": {"matchLabels": {"app": "a"}}, "portLevelMtls": {"80": {"mod": "STRICT"}}}),
                vec!["spec.portLevelMtls.80.mod"],
                json!({"selector": {"matchLabels": {"app": "a"}}, "portLevelMtls": {"80": {}}}),
            ),
            (
                Kind::DestinationRule,
                json!({"subsets": [{"trafficPolicy": {"tls": {"mod": 1}}}]}),
                vec!["spec.subsets[0].trafficPolicy.tls.mod"],
                json!({"subsets": [{"trafficPolicy": {"tls": {}}}]}),
            ),
            (
                Kind::Service,
                json!({"ports": [{"targetport": 80, "port": 8000}]}),
                vec!["spec.ports[0].targetport"],
                json!({"ports": [{"port": 8000}]}),
            ),
            (
                Kind::VirtualService,
                json!({"http": [{"match": [{"headers": {"a/b~1": {"c/~0": 1, "exact": "x"}}}]}]}),
                vec!["spec.http[0].match[0].headers.a/b~1.c/~0"],
                json!({"http": [{"match": [{"headers": {"a/b~1": {"exact": "x"}}}]}]}),
            ),
            (
                Kind::Deployment,
                json!({"template": {"spec": {"containers": [{"img": "x"}]}}}),
                vec!["spec.template.spec.containers[0].img"],
                json!({"template": {"spec": {"containers": [{}]}}}),
            ),
        ] {
            let (object, warnings) = checked(kind, json!({"metadata": {"name": "a"}, "spec": spec}));
            assert_eq!(warnings.unwrap(), places, "{kind}");
            assert_eq!(object["spec"], left, "{kind}");
        }
        let misplaced = json!({"metadata": {"name": "a", "label": {}}, "trafficPolicy": {}, "spec": {"host": "a"}, "status": {"x": 1}});
        let (object, warnings) = checked(Kind::DestinationRule, misplaced);
        assert_eq!(warnings.unwrap(), ["trafficPolicy", "metadata.label"]);
        assert_eq!(object, json!({"metadata": {"name": "a"}, "spec": {"host": "a"}, "status": {"x": 1}}));
    }

    #[test]
    fn what_the_api_server_rejects_is_an_error_with_the_place() {
        for (kind, spec, what) in [
            (Kind::WasmPlugin, json!({"priority": "10"}), "spec.priority is text and not a whole number"),
            (Kind::WasmPlugin, json!({"priority": 99_999_999_999_i64}), "spec.priority is 99999999999, which is no number of 32 bits"),
            (Kind::EnvoyFilter, json!({"priority": -3_000_000_000_i64}), "spec.priority is -3000000000, which is no number of 32 bits"),
            (Kind::WasmPlugin, json!({"pluginConfig": [1]}), "spec.pluginConfig is a list and not a map"),
            (Kind::TrafficExtension, json!({"wasm": {"pluginConfig": "a: 1"}}), "spec.wasm.pluginConfig is text and not a map"),
            (
                Kind::EnvoyFilter,
                json!({"configPatches": [{"patch": {"value": []}}]}),
                "spec.configPatches[0].patch.value is a list and not a map",
            ),
            (Kind::WasmPlugin, json!({"priority": 1.5}), "spec.priority is a number and not a whole number"),
            (
                Kind::WasmPlugin,
                json!({"phase": "authn"}),
                "spec.phase is \"authn\", which is none of UNSPECIFIED_PHASE, AUTHN, AUTHZ, STATS",
            ),
            (Kind::WasmPlugin, json!({"selector": {"matchLabels": {"app": 1}}}), "spec.selector.matchLabels.app is a number and not text"),
            (Kind::WasmPlugin, json!({"match": {"mode": "SERVER"}}), "spec.match is a map and not a list"),
            (Kind::WasmPlugin, json!([]), "spec is a list and not a map"),
            (Kind::Sidecar, json!({"egress": [{"hosts": "./*"}]}), "spec.egress[0].hosts is text and not a list"),
            (Kind::Service, json!({"ports": [{"port": "80"}]}), "spec.ports[0].port is text and not a whole number"),
            (Kind::Service, json!({"type": "Headless"}), "spec.type is \"Headless\", which is none of"),
            (Kind::Pod, json!({"hostNetwork": "true"}), "spec.hostNetwork is text and not a boolean"),
        ] {
            let error = checked(kind, json!({"metadata": {"name": "a"}, "spec": spec})).1.unwrap_err();
            assert!(error.starts_with(&format!("{kind} default/a: {what}")) && !error.contains('\n'), "{error}");
        }
        let labels = checked(Kind::Namespace, json!({"metadata": {"name": "a", "labels": {"x": true}}})).1.unwrap_err();
        assert!(labels.contains("metadata.labels.x is a boolean and not text"), "{labels}");
    }

    #[test]
    fn null_and_what_is_fit_pass() {
        let spec = json!({"priority": -2_147_483_648_i64, "pluginConfig": null, "match": [{"mode": "SERVER", "ports": [{"number": 80}]}], "targetRefs": [{"kind": "Gateway", "name": "x"}]});
        assert_eq!(checked(Kind::WasmPlugin, json!({"metadata": {"name": "a"}, "spec": spec})).1.unwrap(), Vec::<String>::new());
        let ports = json!({"ports": [{"name": "a", "port": 80, "targetPort": "web"}, {"name": "b", "port": 81, "targetPort": 8080.0}]});
        assert_eq!(checked(Kind::Service, json!({"metadata": {"name": "a"}, "spec": ports})).1.unwrap(), Vec::<String>::new());
    }
}
