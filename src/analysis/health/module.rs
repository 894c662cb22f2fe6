//! The module that a proxy runs, by the name of its file, and when it is pulled again (`pkg/wasm/cache.go` of each release).

use crate::analysis::era::Version;
use crate::model::plugin::WasmModule;

/// The checksum in the name of a file of the agent, `/var/lib/istio/data/<hash of the URL>/<checksum>.wasm` (until 1.14 without the
/// folder; `cache.go: getModulePath`). None for files that somebody else put there.
pub fn digest(file: &str) -> Option<&str> {
    let checksum = file.rsplit('/').next()?.strip_suffix(".wasm")?;
    (checksum.len() == 64 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(checksum)
}

/// Whether that checksum is what `spec.sha256` is compared with: until 1.13 the file of an OCI image was named after the module
/// within, and `sha256` was the manifest's.
pub fn is_comparable(url: &str, agent: Option<Version>) -> bool {
    scheme(url) != "oci" || agent.is_none_or(|agent| agent.since(14))
}

/// A digest with what it is of: `image sha256:…` is that of an OCI image's manifest, `module sha256:…` that of the module itself.
pub fn named_digest(digest: &str, url: &str, agent: Option<Version>) -> String {
    let is_image = scheme(url) == "oci" && is_comparable(url, agent);
    format!("{} sha256:{digest}", if is_image { "image" } else { "module" })
}

/// When an agent of this version fetches the module the next time, as one clause.
pub fn next_pull(module: &WasmModule, agent: Option<Version>) -> String {
    let agent = agent.unwrap_or(Version::NEWEST);
    let (url, scheme) = (module.url.as_str(), scheme(&module.url));
    let policy = module.image_pull_policy.as_str();
    if scheme == "file" {
        return format!("{NOT_AGAIN}: it is a file in the proxy's own container");
    }
    if !module.sha256.is_empty() || scheme == "oci" && url.contains("@sha256:") && agent.since(14) {
        let by = if module.sha256.is_empty() { "the digest in its URL" } else { "sha256" };
        return format!("{NOT_AGAIN}: {by} names one module, which an agent keeps until it has not asked for it in {EXPIRY}");
    }
    if !agent.since(14) {
        return "with every push of ECDS: agents until 1.13 know no pull policy, and keep nothing that has no sha256".to_owned();
    }
    let always = "with the next push of ECDS after the object was changed";
    match policy {
        "" | "UNSPECIFIED_POLICY" if scheme == "oci" && url.ends_with(":latest") => {
            format!("{always}: the tag latest counts as Always where imagePullPolicy is unset")
        }
        _ if scheme != "oci" && !agent.since(15) => format!("{always}: until 1.14 URLs of HTTP count as Always"),
        "Always" => format!("{always}: imagePullPolicy is Always"),
        "IfNotPresent" => format!("where an agent has it not: {PRESENT}"),
        _ if scheme == "oci" && names_no_tag(url) => {
            format!("where an agent has it not, since an unset imagePullPolicy counts as IfNotPresent without a tag too: {PRESENT}")
        }
        _ => format!("where an agent has it not, since an unset imagePullPolicy counts as IfNotPresent here: {PRESENT}"),
    }
}

/// How it begins where nothing is pulled any more.
pub const NOT_AGAIN: &str = "not again";

/// The same where some of its proxies have a stub in its place: what could not be fetched is kept nowhere, so that the next push fetches.
pub fn next_pull_of_stubs(else_where: String, stubs: usize, proxies: usize) -> String {
    const ANY: &str = "with the next push of ECDS, which any change of the object brings (an annotation suffices), and by itself never";
    match stubs {
        0 => else_where,
        all if all == proxies => ANY.to_owned(),
        _ => format!("{ANY}, where a stub is in its place; elsewhere {else_where}"),
    }
}

/// `WASM_MODULE_EXPIRY`.
const EXPIRY: &str = "24 h (WASM_MODULE_EXPIRY)";
const PRESENT: &str = "in a new pod, and after 24 h without a push (WASM_MODULE_EXPIRY); what runs stays, whatever the registry has";

/// Without a scheme a URL is an OCI image's.
pub fn scheme(url: &str) -> &str {
    url.split_once("://").map_or("oci", |(scheme, _)| scheme)
}

/// Whether an image's URL has no tag; a colon before the last slash is that of the registry's port.
pub fn names_no_tag(url: &str) -> bool {
    !url.rsplit('/').next().unwrap_or(url).contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_name_is_the_digest() {
        let checksum = "730c9a1ba25a5a2816a659e40fec02119f64724b96d9b1b67389787fec4a60ec";
        assert_eq!(digest(&format!("/var/lib/istio/data/ff3f/{checksum}.wasm")), Some(checksum));
        assert_eq!(digest(&format!("/var/lib/istio/data/{checksum}.wasm")), Some(checksum), "until 1.14");
        assert_eq!(digest("/etc/plugin.wasm"), None);
        assert!(is_comparable("oci://r/x:v1", None) && !is_comparable("r/x:v1", Some(Version::new(1, 13))));
        assert!(is_comparable("http://r/x.wasm", Some(Version::new(1, 12))));
        let named = |url: &str, minor| named_digest("0b", url, Some(Version::new(1, minor)));
        assert_eq!([named("oci://r/x:v1", 31), named("r/x:v1", 31)], ["image sha256:0b", "image sha256:0b"].map(str::to_owned));
        assert_eq!([named("https://r/x", 31), named("oci://r/x:v1", 13)], ["module sha256:0b", "module sha256:0b"].map(str::to_owned));
    }

    #[test]
    fn the_url_the_policy_and_the_release_say_when_it_is_pulled_again() {
        let module = |url: &str, policy: &str| WasmModule { url: url.into(), image_pull_policy: policy.into(), ..WasmModule::default() };
        for (url, policy, minor, expected) in [
            ("oci://r/x:v1", "", 31, "IfNotPresent here: in a new pod"),
            ("oci://r/x", "", 31, "IfNotPresent without a tag too"),
            ("oci://r:5000/x:latest", "", 31, "latest counts as Always"),
            ("r/x:latest", "IfNotPresent", 31, "where an agent has it not: in a new pod"),
            ("oci://r/x:v1", "Always", 31, "imagePullPolicy is Always"),
            ("oci://r/x@sha256:00", "Always", 31, "not again: the digest in its URL"),
            ("file:///x.wasm", "Always", 31, "not again: it is a file"),
            ("https://r/x.wasm", "IfNotPresent", 15, "where an agent has it not: in a new pod"),
            ("https://r/x.wasm", "IfNotPresent", 14, "until 1.14 URLs of HTTP"),
            ("oci://r/x:v1", "IfNotPresent", 13, "with every push of ECDS"),
        ] {
            let said = next_pull(&module(url, policy), Some(Version::new(1, minor)));
            assert!(said.contains(expected), "{url} {policy} 1.{minor}: {said}");
        }
        let pinned = WasmModule { sha256: "00".into(), ..module("oci://r/x:v1", "Always") };
        assert!(next_pull(&pinned, None).starts_with("not again: sha256"));
    }
}
