//! Which cluster to talk to, and as whom: the kubeconfig as kubectl reads it, or the pod's own service account.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::ClusterOptions;
use super::no_proxy::bypasses;
use super::trouble::{Trouble, one_line, seconds};
use crate::source::{FailureKind, SourceError, regular};

/// A larger file is no kubeconfig.
const MOST_BYTES: u64 = 16 << 20;

/// A client and what it talks to.
pub(super) struct Connection {
    /// The client; no request has been sent yet.
    pub client: Client,
    /// The context's name.
    pub context: String,
    /// The namespace of the context.
    pub namespace: String,
    /// The API server's address.
    pub server: String,
}

/// Reads the kubeconfig and makes a client of it.
pub(super) async fn connect(options: &ClusterOptions) -> Result<Connection, SourceError> {
    let files = files(options)?;
    let (mut config, context) = if files.is_empty() { in_cluster(options)? } else { from_files(&files, options).await? };
    // Retries of the client's own are silent, up to minutes long, and would look like a hang.
    config.default_retry = false;
    config.read_timeout = None;
    config.connect_timeout = Some(options.timeout);
    if let Some(exec) = config.auth_info.exec.as_mut() {
        // A plugin that asks something would paint over the screen and take its keys.
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    let (namespace, server) = (config.default_namespace.clone(), config.cluster_url.to_string());
    let plugin = config.auth_info.exec.as_ref().and_then(|exec| exec.command.clone());
    let client = client(config, &context, plugin, options.timeout).await?;
    Ok(Connection { client, context, namespace, server: server.trim_end_matches('/').to_owned() })
}

/// Makes the client in a thread of its own, since a credential plugin is run here and may take as long as it likes. (A
/// blocking task of the runtime would hold up the end of the program too.)
async fn client(config: Config, context: &str, plugin: Option<String>, limit: Duration) -> Result<Client, SourceError> {
    let (done, made) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let _runtime = runtime.enter();
        // Nobody listens any more where the deadline has passed.
        let _ = done.send(Client::try_from(config));
    });
    let what = format!("cannot use the credentials of context {context}");
    let fix = match &plugin {
        Some(plugin) => format!("run {plugin} (or any kubectl command) in a shell and sign in there, then try again"),
        None => format!("check the user of context {context} in the kubeconfig"),
    };
    match tokio::time::timeout(limit, made).await {
        Ok(Ok(Ok(client))) => Ok(client),
        Ok(Ok(Err(error))) => Err(SourceError::new(FailureKind::Forbidden, format!("{what}: {}", Trouble::of(&error).text), fix)),
        Ok(Err(_)) => Err(SourceError::new(FailureKind::Refused, format!("{what}: the client could not be made"), fix)),
        Err(_) => {
            let plugin = plugin.unwrap_or_else(|| "the credential source".to_owned());
            Err(SourceError::new(FailureKind::TimedOut, format!("{what}: {plugin} did not answer within {}", seconds(limit)), fix))
        }
    }
}

/// The files that exist, in order of preference; none means that the pod's own service account is to be used.
fn files(options: &ClusterOptions) -> Result<Vec<PathBuf>, SourceError> {
    let named = match &options.kubeconfig {
        Some(path) => {
            if !path.exists() {
                let what = format!("there is no kubeconfig {}", path.display());
                return Err(SourceError::new(FailureKind::Missing, what, "name an existing file with --kubeconfig"));
            }
            return Ok(vec![path.clone()]);
        }
        None => std::env::var_os("KUBECONFIG").map(|list| std::env::split_paths(&list).collect::<Vec<_>>()).unwrap_or_default(),
    };
    let named: Vec<_> = named.into_iter().filter(|path| !path.as_os_str().is_empty()).collect();
    let candidates =
        if named.is_empty() { std::env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect() } else { named };
    // As kubectl does: a file of the list that does not exist is passed over.
    let found: Vec<_> = candidates.iter().filter(|path| path.exists()).cloned().collect();
    if found.is_empty() && std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
        let looked = candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        let what = format!(
            "there is no kubeconfig ({} not there)",
            if looked.is_empty() { "no home directory, and $KUBECONFIG is" } else { &looked }
        );
        return Err(SourceError::new(FailureKind::Missing, what, "name one with --kubeconfig or $KUBECONFIG"));
    }
    Ok(found)
}

fn in_cluster(options: &ClusterOptions) -> Result<(Config, String), SourceError> {
    if let Some(context) = &options.context {
        let what = format!("there is no context {context}: no kubeconfig was found, only the pod's own service account");
        return Err(SourceError::new(FailureKind::Missing, what, "name a kubeconfig with --kubeconfig"));
    }
    let config = Config::incluster().map_err(|error| {
        let what = format!("cannot use the pod's service account: {}", one_line(&error.to_string()));
        SourceError::new(FailureKind::Refused, what, "mount a service account token, or name a kubeconfig with --kubeconfig")
    })?;
    Ok((config, "in-cluster".to_owned()))
}

async fn from_files(files: &[PathBuf], options: &ClusterOptions) -> Result<(Config, String), SourceError> {
    let shown = files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let mut merged = Kubeconfig::default();
    for path in files {
        merged = merged.merge(read(path)?).map_err(|error| unusable(&shown, &error.to_string()))?;
    }
    let names: Vec<_> = merged.contexts.iter().map(|context| context.name.as_str()).collect();
    let known = if names.is_empty() { "it has no contexts".to_owned() } else { format!("the contexts there are: {}", names.join(", ")) };
    let chosen = options.context.clone().or_else(|| merged.current_context.clone()).filter(|name| !name.is_empty());
    let Some(chosen) = chosen else {
        let what = format!("the kubeconfig {shown} names no current context; {known}");
        return Err(SourceError::new(FailureKind::BadInput, what, "choose one with --context"));
    };
    if !names.contains(&chosen.as_str()) {
        let what = format!("there is no context {chosen} in {shown}; {known}");
        return Err(SourceError::new(FailureKind::Missing, what, "choose one with --context"));
    }
    let wanted = KubeConfigOptions { context: Some(chosen.clone()), ..KubeConfigOptions::default() };
    let own_proxy = names_proxy(&merged, &chosen);
    let mut config = Config::from_custom_kubeconfig(merged, &wanted)
        .await
        .map_err(|error| unusable(&format!("{shown}, context {chosen}"), &error.to_string()))?;
    let list = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy")).unwrap_or_default();
    if !own_proxy && config.cluster_url.host().is_some_and(|host| bypasses(host, &list)) {
        config.proxy_url = None;
    }
    Ok((config, chosen))
}

/// Whether the context's cluster has a proxy of its own, rather than the environment's.
fn names_proxy(config: &Kubeconfig, context: &str) -> bool {
    let context = config.contexts.iter().find(|named| named.name == context).and_then(|named| named.context.as_ref());
    let named = config.clusters.iter().find(|named| context.is_some_and(|context| context.cluster == named.name));
    named.and_then(|named| named.cluster.as_ref()).is_some_and(|cluster| cluster.proxy_url.as_ref().is_some_and(|url| !url.is_empty()))
}

fn read(path: &Path) -> Result<Kubeconfig, SourceError> {
    let unread = |error: std::io::Error| unusable(&path.display().to_string(), &error.to_string());
    // The library reads whatever stands there: a pipe would hold it for ever.
    let (_, size) = regular::open(path).map_err(unread)?;
    if size > MOST_BYTES {
        return Err(unusable(&path.display().to_string(), "it is larger than any kubeconfig"));
    }
    // Of the parser's text only the first line is kept: the lines after it quote the file, and that may hold a token.
    Kubeconfig::read_from(path).map_err(|error| unusable(&path.display().to_string(), &error.to_string()))
}

fn unusable(place: &str, why: &str) -> SourceError {
    let what = format!("cannot use the kubeconfig {place}: {}", one_line(why));
    SourceError::new(FailureKind::BadInput, what, "mend the file, or name another with --kubeconfig")
}
