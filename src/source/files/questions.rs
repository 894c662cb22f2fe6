//! Which file of a recording answers which question (docs of the recording folder).

use std::collections::BTreeSet;
use std::fmt::Display;

use super::super::{FailureKind, LogRequest, ProxyQuestion, ProxyRequest, Reply, SourceError};
use super::store::Store;
use super::{UNFINISHED, reply};
use crate::clock;
use crate::model::envoy::DumpView;
use crate::model::ids::ProxyId;
use crate::model::kind::{Kind, is_mesh_group};
use crate::model::logs::DISCOVERY;

/// The name of Istio's proxy container.
pub(super) const PROXY: &str = "istio-proxy";
/// The resources of `apps`, whose files carry no group.
const APPS: [&str; 4] = ["deployments", "replicasets", "statefulsets", "daemonsets"];
/// The folders that are read.
pub(super) const FOLDERS: [&str; 4] = ["k8s", "proxies", "istiod", "logs"];
/// Files of `k8s/` that are not Lists of a resource.
const NOT_LISTS: [&str; 3] = ["configmap-istio", "version", "unread"];
/// Resources around the mesh that a recording has Lists of, and no answer rests on.
const AROUND: [&str; 6] = ["nodes", "secrets", "serviceaccounts", "endpointslices", "endpointslices.discovery.k8s.io", "endpoints"];

/// Reads the first of the files that is there.
pub(super) fn answer(store: &Store, names: &[(String, DumpView)]) -> Result<Reply, SourceError> {
    let started = clock::now();
    let mut tried = Vec::new();
    for (name, view) in names {
        match store.read(name)? {
            // istiod answers some questions with an error's text; that is no dump to fall back on.
            Some(bytes) if !tried.is_empty() && name.starts_with("istiod/") && bytes.first() != Some(&b'{') => {
                tried.push(format!("{name} is an error of istiod"));
            }
            Some(bytes) => return Ok(reply(bytes, *view, started, tried)),
            None => tried.push(format!("{name} is not in the recording")),
        }
    }
    let what = if tried.is_empty() { "the recording has nothing of the kind".to_owned() } else { tried.join(", ") };
    Err(SourceError::new(FailureKind::Missing, what, ""))
}

/// Answers from a lone dump, which holds the dump and nothing else.
pub(super) fn lone_dump(store: &Store, name: &str, question: ProxyQuestion) -> Result<Reply, SourceError> {
    let started = clock::now();
    match (store, question) {
        (Store::Dump(dump), ProxyQuestion::Chains | ProxyQuestion::Resources | ProxyQuestion::WholeDump) => {
            Ok(reply(dump.read()?, DumpView::Proxy, started, Vec::new()))
        }
        _ => Err(SourceError::new(FailureKind::Missing, format!("{name} is a config dump and holds nothing else"), "")),
    }
}

/// The files that answer a question to a proxy. For its chains, istiod's view of it is better than nothing.
pub(super) fn of_proxy(request: &ProxyRequest) -> Vec<(String, DumpView)> {
    let ProxyRequest { proxy, question, .. } = request;
    let file = match question {
        ProxyQuestion::Chains | ProxyQuestion::Resources | ProxyQuestion::WholeDump => "config_dump.json",
        ProxyQuestion::InitDump => "init_dump.json",
        ProxyQuestion::ServerInfo => "server_info.json",
        ProxyQuestion::Certs => "certs.json",
        ProxyQuestion::Logging => "logging.txt",
        ProxyQuestion::Stats | ProxyQuestion::WasmStats => "stats.prom",
        ProxyQuestion::AgentStats => "agent.prom",
    };
    let mut files = vec![(format!("proxies/{proxy}/{file}"), DumpView::Proxy)];
    if *question == ProxyQuestion::Chains {
        files.extend([istiods_dump(proxy), view_of_istiod(proxy)].map(|file| (file, DumpView::Istiod)));
    }
    files
}

/// The file that holds what istiod's debug interface dumps of a proxy, or its error.
pub(in crate::source) fn istiods_dump(proxy: impl Display) -> String {
    format!("istiod/config_dump.{proxy}.json")
}

/// The file that holds what istiod would send a proxy where its debug interface does not dump it.
pub(in crate::source) fn view_of_istiod(proxy: &ProxyId) -> String {
    format!("istiod/view.{proxy}.json")
}

/// What istiod would send a proxy; where only its error is recorded, that.
pub(super) fn view(store: &Store, proxy: &ProxyId) -> Result<Reply, SourceError> {
    let started = clock::now();
    match store.read(&view_of_istiod(proxy))? {
        Some(bytes) => Ok(reply(bytes, DumpView::Istiod, started, Vec::new())),
        None => answer(store, &[(istiods_dump(proxy), DumpView::Istiod)]),
    }
}

/// The file that answers what is asked of istiod under `/debug/…` or `/version`.
pub(super) fn of_istiod(path: &str) -> Option<String> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    match path.trim_start_matches('/') {
        "version" => Some("istiod/version.txt".to_owned()),
        "debug/config_dump" => {
            let proxy = query.split('&').find_map(|pair| pair.strip_prefix("proxyID="))?;
            Some(istiods_dump(proxy))
        }
        debug => debug.strip_prefix("debug/").map(|what| format!("istiod/{what}.json")),
    }
}

/// The files that may hold a container's log. A recording of one istiod does not repeat its pod's name.
pub(super) fn of_log(request: &LogRequest) -> Vec<(String, DumpView)> {
    let LogRequest { pod, container } = request;
    let mut files = Vec::new();
    if container == DISCOVERY {
        if !pod.pod.is_empty() {
            files.push((format!("logs/istiod.{}.log", pod.pod), DumpView::Istiod));
        }
        files.push(("logs/istiod.log".to_owned(), DumpView::Istiod));
    } else {
        files.push((format!("logs/{pod}.{container}.log"), DumpView::Proxy));
    }
    files
}

/// The files that may hold a resource's List.
pub(super) fn of_resource(resource: &str) -> Vec<(String, DumpView)> {
    let mut stems = vec![resource];
    if resource == "configmaps" {
        // The mesh configuration is the one ConfigMap that a recording holds.
        stems.insert(0, "configmap-istio");
    } else if let Some((plural, "apps" | "discovery.k8s.io")) = resource.split_once('.') {
        stems.insert(0, plural);
    }
    stems.into_iter().map(|stem| (format!("k8s/{stem}.json"), DumpView::Proxy)).collect()
}

/// The name of a file of `k8s/` without its endings; None where it is no JSON or YAML by its name.
fn stem(name: &str) -> Option<&str> {
    let name = plain(name);
    [".json", ".yaml", ".yml"].into_iter().find_map(|ending| name.strip_suffix(ending))
}

/// The file that holds a kind's List, as it is written in the recording.
pub(super) fn file_of(store: &Store, kind: Kind) -> String {
    let file = kind.file();
    let own = file.strip_prefix("k8s/").and_then(stem);
    let written = store.names("k8s").into_iter().find(|name| stem(name).is_some_and(|stem| Some(stem) == own));
    written.map(|name| format!("k8s/{name}")).unwrap_or(file)
}

/// What is not read for the name of its file, and why: under the resource of the kind that the name seems to mean, where there is no other
/// file of it, else under the file's.
pub(super) fn misnamed(store: &Store) -> Vec<(String, String)> {
    let names = store.names("k8s");
    let stems: BTreeSet<&str> = names.iter().filter_map(|name| stem(name)).collect();
    let own = |kind: Kind| kind.file().trim_start_matches("k8s/").trim_end_matches(".json").to_owned();
    let files: BTreeSet<String> = Kind::ALL.into_iter().map(own).collect();
    let is_known = |stem: &str| {
        let (_, group) = stem.split_once('.').unwrap_or((stem, ""));
        files.contains(stem) || NOT_LISTS.contains(&stem) || AROUND.contains(&stem) || is_mesh_group(group)
    };
    let mut found = Vec::new();
    for name in &names {
        let meant: Vec<Kind> = stem(name).map_or_else(Vec::new, |stem| {
            let lacking = Kind::ALL.into_iter().filter(|kind| !stems.contains(own(*kind).as_str()));
            lacking.filter(|kind| seems_to_mean(stem, *kind)).collect()
        });
        for kind in &meant {
            found.push((kind.resource(), format!("k8s/{name} is not read: a recording has them in {}", kind.file())));
        }
        if meant.is_empty() && !stem(name).is_some_and(is_known) {
            found.push((format!("k8s/{name}"), "it is not read: its name is not that of a resource, such as k8s/pods.json".to_owned()));
        }
    }
    found
}

/// Whether a name of a file seems to mean a kind: `peerauthentication`, `peerauthentications-1`, `deployments.apps`.
fn seems_to_mean(stem: &str, kind: Kind) -> bool {
    let (name, group) = stem.split_once('.').unwrap_or((stem, ""));
    let word: String = name.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    let is_of_group = group.is_empty() || !kind.group().is_empty() && group.ends_with(kind.group());
    is_of_group && (word == kind.plural() || word == kind.as_str().to_ascii_lowercase())
}

/// The resources that the recording has Lists of.
pub(super) fn resources(store: &Store) -> Vec<String> {
    let names = store.names("k8s");
    let mut resources: Vec<String> = names
        .iter()
        .filter_map(|name| stem(name))
        .filter(|stem| !NOT_LISTS.contains(stem))
        .map(|stem| if APPS.contains(&stem) { format!("{stem}.apps") } else { stem.to_owned() })
        .collect();
    if names.iter().any(|name| stem(name) == Some("configmap-istio")) {
        resources.push("configmaps".to_owned());
    }
    resources.sort();
    resources.dedup();
    resources
}

/// The proxies that there are dumps or other output of. The one of a lone dump is named after the file: who it is, only
/// the dump itself says.
pub(super) fn proxies(store: &Store, name: &str) -> Vec<ProxyId> {
    match store {
        Store::Log(_) => Vec::new(),
        Store::Dump(_) => {
            let file = plain(name.rsplit(['/', '\\']).next().unwrap_or(name));
            vec![ProxyId::new(file.strip_suffix(".json").unwrap_or(file), "")]
        }
        _ => store.names("proxies").iter().filter_map(|name| ProxyId::parse(name)).collect(),
    }
}

/// Whether the writing of the recording was interrupted.
pub(super) fn is_unfinished(store: &Store) -> bool {
    store.read(UNFINISHED).is_ok_and(|found| found.is_some())
}

/// A file's name without the suffix of its compression.
pub(super) fn plain(name: &str) -> &str {
    name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name)
}
