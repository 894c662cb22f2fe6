//! `/debug/mesh`: the mesh configuration that an istiod goes by (`pilot/pkg/xds/debug.go: meshHandler`).

use std::collections::BTreeMap;

use serde_json::Value;

/// Reads the answer of one istiod, setting by setting: `defaultConfig.discoveryAddress` with its value as JSON.
///
/// # Errors
/// Where it is no such answer, or was cut short: why, as one clause.
pub fn settings(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let read = serde_json::from_slice::<BTreeMap<String, Value>>(bytes);
    let fields = read.map_err(|error| format!("the answer of /debug/mesh cannot be read: {error}"))?;
    let mut found = BTreeMap::new();
    fields.into_iter().for_each(|(name, value)| flatten(name, value, &mut found));
    Ok(found)
}

/// Lists are settings as a whole: their order counts.
fn flatten(path: String, value: Value, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.into_iter().for_each(|(name, value)| flatten(format!("{path}.{name}"), value, found));
        }
        value => drop(found.insert(path, value.to_string())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::settings;

    #[test]
    fn a_mesh_configuration_is_read_setting_by_setting() {
        let found =
            settings(br#"{"rootNamespace": "istio-system", "defaultConfig": {"concurrency": 2, "proxyMetadata": {}}, "names": [1, 2]}"#);
        let found: Vec<(String, String)> = found.unwrap().into_iter().collect();
        let expected = [
            ("defaultConfig.concurrency", "2"),
            ("defaultConfig.proxyMetadata", "{}"),
            ("names", "[1,2]"),
            ("rootNamespace", "\"istio-system\""),
        ];
        assert_eq!(found, expected.map(|(path, value)| (path.to_owned(), value.to_owned())));
        assert!(settings(b"404 page not found").unwrap_err().contains("/debug/mesh"));
    }
}
