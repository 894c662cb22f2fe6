//! The archive that `istioctl bug-report` writes: which of its files is which of a recording
//! (`tools/bug-report/pkg/archive/archive.go` and `pkg/common/common.go: proxyDebugURLs`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::UNFINISHED;
use super::questions::FOLDERS;

/// How deep the folders of such an archive lie: `proxies/NAMESPACE/POD/stats/prometheus`.
const DEPTH: usize = 5;
/// The most files of a folder that are looked at.
const MOST: usize = 100_000;

/// The files under the names that a recording gives them, with those that have such a name already: somebody may have added objects. None
/// where they are of no such archive.
pub(super) fn as_recording<T: Clone>(files: &BTreeMap<String, T>) -> Option<BTreeMap<String, T>> {
    let kept = |path: &String| is_of_recording(path).then(|| path.clone());
    let named = files.iter().filter_map(|(path, file)| Some((in_recording(path).or_else(|| kept(path))?, file.clone()))).collect();
    // Whoever asked for logs alone has no dump in it.
    files.keys().any(|path| path.starts_with("proxies/") && in_recording(path).is_some()).then_some(named)
}

/// The same of a folder that such an archive was unpacked into, with their paths in it.
pub(super) fn folder(root: &Path) -> Option<BTreeMap<String, String>> {
    // No namespace has a dot in its name, which each folder of a recording's proxies has.
    let mut of_proxies = fs::read_dir(root.join("proxies")).into_iter().flatten().flatten();
    if of_proxies.all(|entry| entry.file_name().to_string_lossy().contains('.')) {
        return None;
    }
    let mut files = BTreeMap::new();
    let mut folders = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let of_recording = FOLDERS.contains(&name.as_str());
            let wanted = depth > 0 || of_recording || name == "istio";
            let Ok(is) = entry.file_type() else { continue };
            // Where these four lead was looked at before.
            if is.is_dir() || is.is_symlink() && of_recording && entry.path().is_dir() {
                if wanted && depth + 1 < DEPTH {
                    folders.push((entry.path(), format!("{name}/"), depth + 1));
                }
            } else if (is.is_file() || is.is_symlink()) && files.len() < MOST {
                files.insert(name.clone(), name);
            }
        }
    }
    as_recording(&files)
}

/// Whether a file has its name in a recording.
fn is_of_recording(path: &str) -> bool {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["proxies", _, _] => true,
        ["proxies", ..] => false,
        [folder, _, ..] => FOLDERS.contains(folder),
        [file] => *file == UNFINISHED,
        [] => false,
    }
}

/// The name in a recording of what answers something.
fn in_recording(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["proxies", namespace, pod, "stats", "prometheus"] => Some(format!("proxies/{pod}.{namespace}/stats.prom")),
        ["proxies", namespace, pod, "istio-proxy.log"] => Some(format!("logs/{pod}.{namespace}.istio-proxy.log")),
        // The file is named after the request, including its query.
        // Some unpack it with the names that they would give the files.
        ["proxies", namespace, pod, file] => match file.split('?').next()?.trim_end_matches(".json") {
            known @ ("config_dump" | "certs" | "server_info") => Some(format!("proxies/{pod}.{namespace}/{known}.json")),
            _ => None,
        },
        ["istio", _, pod, "discovery.log"] => Some(format!("logs/istiod.{pod}.log")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_in_a_recording() {
        for (path, name) in [
            ("proxies/shop/orders-0/config_dump", "proxies/orders-0.shop/config_dump.json"),
            ("proxies/shop/orders-0/config_dump?include_eds", "proxies/orders-0.shop/config_dump.json"),
            ("proxies/shop/orders-0/stats/prometheus", "proxies/orders-0.shop/stats.prom"),
            ("proxies/shop/orders-0/istio-proxy.log", "logs/orders-0.shop.istio-proxy.log"),
            ("istio/istio-system/istiod-5/discovery.log", "logs/istiod.istiod-5.log"),
        ] {
            assert_eq!(in_recording(path).as_deref(), Some(name));
        }
        assert_eq!(in_recording("proxies/orders-0.shop/config_dump.json"), None);
        let files = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), ())).collect::<BTreeMap<_, _>>();
        assert!(as_recording(&files(&["istio/istio-system/istiod-5/discovery.log"])).is_none());
        let own = ["k8s/pods.json", "proxies/orders-0.shop/certs.json"];
        assert!(as_recording(&files(&own)).is_none());
        let both = as_recording(&files(&[&own[..], &["proxies/shop/orders-0/config_dump", "versions"]].concat())).unwrap();
        assert_eq!(both, files(&[&own[..], &["proxies/orders-0.shop/config_dump.json"]].concat()));
    }
}
