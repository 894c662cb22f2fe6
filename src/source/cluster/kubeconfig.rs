//! Which cluster to talk to, and as whom: the kubeconfig as kubectl reads it, or the pod's own service account.

mod fields;
mod files;
mod plugin;
mod urls;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread;
use std::time::Duration;

use http::Uri;
use kube::client::{AuthError, ConfigExt};
use kube::config::{
    AuthInfo, ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster, NamedContext,
};
use kube::{Client, Config};
use serde_json::Value;

use self::files::{Chosen, Named};
use super::ClusterOptions;
use super::no_proxy::bypasses;
use super::trouble::{Trouble, one_line, seconds};
use super::xds::base64;
use crate::source::{FailureKind, SourceError};

/// A client and what it talks to.
pub(super) struct Connection {
    /// The client; no request has been sent yet.
    pub client: Client,
    /// The context's name.
    pub context: String,
    /// The namespace of the context.
    pub namespace: String,
    /// The API server's address, and the proxy on the way to it.
    pub server: String,
}

/// A configuration, and what it was made of.
struct Made {
    config: Config,
    context: String,
    /// Where the proxy is given, where there is one.
    proxy: Option<String>,
    chosen: Option<Chosen>,
}

/// Reads the kubeconfig and makes a client of it.
pub(super) async fn connect(options: &ClusterOptions) -> Result<Connection, SourceError> {
    let files = files::find(options)?;
    let mut made = if files.is_empty() {
        in_cluster(options)?
    } else {
        let files = files.iter().map(|path| files::read(path)).collect::<Result<Vec<_>, _>>()?;
        of_chosen(files::choose(&files, options.context.as_deref())?).await?
    };
    let config = &mut made.config;
    // Retries of the client's own are silent, up to minutes long, and would look like a hang.
    config.default_retry = false;
    config.read_timeout = None;
    config.connect_timeout = Some(options.timeout);
    if let Some(exec) = config.auth_info.exec.as_mut() {
        // A plugin that asks something would paint over the screen and take its keys.
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
    let namespace = config.default_namespace.clone();
    let server = urls::shown(config.cluster_url.to_string().trim_end_matches('/'));
    let server = match (&config.proxy_url, &made.proxy) {
        (Some(url), Some(place)) => format!("{server} through the proxy {} ({place})", urls::shown(url.to_string().trim_end_matches('/'))),
        _ => server,
    };
    let context = made.context.clone();
    let client = client(made, options.timeout).await?;
    Ok(Connection { client, context, namespace, server })
}

/// The name of the thread that makes the client.
const MAKER: &str = "credentials";

/// Makes the client in a thread of its own, since a credential plugin is run here and may take as long as it likes. (A
/// blocking task of the runtime would hold up the end of the program too.)
async fn client(made: Made, limit: Duration) -> Result<Client, SourceError> {
    // The client panics where a plugin gives a token that no header can carry. That is said as an error, not as a panic.
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if thread::current().name() != Some(MAKER) {
                previous(panic);
            }
        }));
    });
    let Made { config, context, chosen, .. } = made;
    let exec = config.auth_info.exec.clone();
    let plugin = exec.as_ref().and_then(|exec| exec.command.as_deref()).map(one_line);
    let what = format!("cannot use the credentials of context {}", one_line(&context));
    let place = |field: &str| {
        let user = chosen.as_ref().and_then(|chosen| chosen.user.as_ref());
        user.map(|user| format!(" ({})", user.place(field))).unwrap_or_default()
    };
    let fix = match &plugin {
        Some(plugin) => format!("run {plugin} (or any kubectl command) in a shell and sign in there, then try again"),
        None => format!("check the user of context {} in the kubeconfig", one_line(&context)),
    };
    let (done, made) = tokio::sync::oneshot::channel();
    let runtime = tokio::runtime::Handle::current();
    let maker = thread::Builder::new().name(MAKER.to_owned()).spawn(move || {
        let _runtime = runtime.enter();
        let made = catch_unwind(AssertUnwindSafe(|| plugin::client(config)));
        // Nobody listens any more where the deadline has passed.
        let _ = done.send(made.ok());
    });
    let outcome = match maker {
        Ok(_) => tokio::time::timeout(limit, made).await,
        Err(error) => return Err(SourceError::new(FailureKind::Refused, format!("{what}: {error}"), "")),
    };
    match outcome {
        Ok(Ok(Some(Ok(client)))) => Ok(client),
        Ok(Ok(Some(Err(kube::Error::Auth(AuthError::AuthExecStart(error)))))) if error.kind() == std::io::ErrorKind::NotFound => {
            let plugin = plugin.unwrap_or_default();
            let what = format!("{what}: the credential plugin {plugin} is not installed{}", place("exec.command"));
            let hint = exec.as_ref().and_then(|exec| exec.install_hint.as_deref());
            Err(SourceError::new(FailureKind::Missing, what, fields::install_hint(hint)))
        }
        Ok(Ok(Some(Err(error)))) => {
            let text = Trouble::of(&error).text;
            match (&error, &chosen) {
                (kube::Error::RustlsTls(_) | kube::Error::InferKubeconfig(_) | kube::Error::HttpError(_), Some(chosen)) => {
                    let error = error.to_string();
                    // Of the identity of a plugin's answer the file knows nothing.
                    match identity_field(&error).filter(|_| exec.is_some()) {
                        Some(field) => {
                            let field = if field == CLIENT_KEY { "clientKeyData" } else { "clientCertificateData" };
                            let what = format!("{what}{}: {field} of the plugin's answer cannot be used: {text}", place("exec"));
                            Err(SourceError::new(FailureKind::Forbidden, what, fix))
                        }
                        None => Err(misplaced(chosen, &error, &text)),
                    }
                }
                _ => {
                    let field = if exec.is_some() { "exec" } else { "auth-provider" };
                    Err(SourceError::new(FailureKind::Forbidden, format!("{what}{}: {text}", place(field)), fix))
                }
            }
        }
        Ok(Ok(None) | Err(_)) => {
            let what = format!("{what}{}: the token holds a line end or another control character", place("exec"));
            Err(SourceError::new(FailureKind::Refused, what, fix))
        }
        Err(_) => {
            let plugin = plugin.unwrap_or_else(|| "the credential source".to_owned());
            Err(SourceError::new(FailureKind::TimedOut, format!("{what}: {plugin} did not answer within {}", seconds(limit)), fix))
        }
    }
}

/// Names the field that the client does not take, which its error only hints at.
fn misplaced(chosen: &Chosen, error: &str, why: &str) -> SourceError {
    let user = chosen.user.as_ref().unwrap_or(&chosen.cluster);
    match identity_field(error) {
        Some(field) => user.unusable(field, why),
        None if error.contains("server name") => chosen.cluster.unusable("tls-server-name", why),
        None if error.contains("root certificate") => chosen.cluster.unusable(fields::CA, why),
        None => user.unusable("as", why),
    }
}

const CLIENT_KEY: &str = "client-key";

/// The field of the user's identity that an error of the client is about.
fn identity_field(error: &str) -> Option<&'static str> {
    match error {
        _ if error.contains("server name") || error.contains("root certificate") => None,
        _ if error.contains("key") => Some(CLIENT_KEY),
        _ if error.contains("certificate") || error.contains("identity") => Some("client-certificate"),
        _ => None,
    }
}

fn in_cluster(options: &ClusterOptions) -> Result<Made, SourceError> {
    if let Some(context) = &options.context {
        let what = format!("there is no context {context}: no kubeconfig was found, only the pod's own service account");
        return Err(SourceError::new(FailureKind::Missing, what, "name a kubeconfig with --kubeconfig"));
    }
    let config = Config::incluster().map_err(|error| {
        let what = format!("cannot use the pod's service account: {}", one_line(&error.to_string()));
        SourceError::new(FailureKind::Refused, what, "mount a service account token, or name a kubeconfig with --kubeconfig")
    })?;
    Ok(Made { config, context: "in-cluster".to_owned(), proxy: None, chosen: None })
}

/// Makes the configuration of what was chosen: all fields are checked, so that what is wrong is said where it is.
async fn of_chosen(mut chosen: Chosen) -> Result<Made, SourceError> {
    let in_address = fields::cluster(&mut chosen.cluster, chosen.user.as_ref())?;
    if let Some(user) = &mut chosen.user {
        fields::user(user)?;
    }
    let mut auth = chosen.user.as_ref().map(typed::<AuthInfo>).transpose()?.unwrap_or_default();
    if let Some(credentials) = in_address
        && auth.token.is_none()
        && auth.username.is_none()
    {
        // As Go's client sends them.
        let (user, password) = credentials.split_once(':').unwrap_or((&credentials, ""));
        auth.username = Some(urls::percent_decoded(user));
        auth.password = Some(urls::percent_decoded(password).into());
    }
    let context = chosen.context.name.clone();
    let mut namespaced = typed::<kube::config::Context>(&chosen.context)?;
    namespaced.user = Some(context.clone());
    namespaced.cluster.clone_from(&context);
    let single = Kubeconfig {
        clusters: vec![NamedCluster { name: context.clone(), cluster: Some(typed(&chosen.cluster)?), ..NamedCluster::default() }],
        auth_infos: vec![NamedAuthInfo { name: context.clone(), auth_info: Some(auth), ..NamedAuthInfo::default() }],
        contexts: vec![NamedContext { name: context.clone(), context: Some(namespaced), ..NamedContext::default() }],
        ..Kubeconfig::default()
    };
    let proxy = proxy(&chosen.cluster)?;
    let wanted = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let mut config = Config::from_custom_kubeconfig(single, &wanted).await.map_err(|error| unread(&chosen, &error))?;
    if config.root_cert.as_ref().is_some_and(Vec::is_empty) {
        return Err(chosen.cluster.unusable(fields::CA, "it holds no certificate in PEM"));
    }
    if let Some(roots) = &mut config.root_cert {
        usable_roots(&config.cluster_url, roots);
    }
    let bypassed = |list: &str| config.cluster_url.host().is_some_and(|host| bypasses(host, list));
    let list = variable(&["NO_PROXY", "no_proxy"]).map(|(_, list)| list).unwrap_or_default();
    let proxy = proxy.filter(|proxy| proxy.own || !bypassed(&list));
    let (url, place) = proxy.map(|proxy| (proxy.url, proxy.place)).unzip();
    config.proxy_url = url;
    Ok(Made { config, context, proxy: place, chosen: Some(chosen) })
}

/// Takes out the certificates that cannot be understood, where others can: Go's `AppendCertsFromPEM` passes over them.
fn usable_roots(url: &Uri, roots: &mut Vec<Vec<u8>>) {
    let is_usable = |root: &Vec<u8>| {
        let mut alone = Config::new(url.clone());
        alone.root_cert = Some(vec![root.clone()]);
        alone.rustls_client_config().is_ok()
    };
    if roots.len() > 1 {
        let usable: Vec<Vec<u8>> = roots.iter().filter(|root| is_usable(root)).cloned().collect();
        if !usable.is_empty() {
            *roots = usable;
        }
    }
}

fn typed<T: serde::de::DeserializeOwned>(of: &Named) -> Result<T, SourceError> {
    serde_json::from_value(Value::Object(of.fields.clone())).map_err(|error| of.wrong("a field", one_line(&error.to_string())))
}

/// A proxy on the way to the API server.
struct Proxy {
    url: Uri,
    place: String,
    /// Whether it is the cluster's own, which holds for every host.
    own: bool,
}

/// The proxy of the cluster, else that of the environment, which needs no scheme (Go `golang.org/x/net/http/httpproxy`).
fn proxy(cluster: &Named) -> Result<Option<Proxy>, SourceError> {
    if let Some(url) = fields::proxy(cluster)? {
        return Ok(Some(Proxy { url, place: cluster.place("proxy-url"), own: true }));
    }
    let Some((name, text)) = variable(&["HTTPS_PROXY", "https_proxy"]) else { return Ok(None) };
    let whole = if text.contains("://") { text.clone() } else { format!("http://{text}") };
    let url = urls::proxy(&whole).map_err(|why| {
        SourceError::new(FailureKind::BadInput, format!("${name} {why}: {}", urls::shown(&text)), format!("mend or unset ${name}"))
    })?;
    Ok(Some(Proxy { url, place: format!("${name}"), own: false }))
}

fn variable(names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| Some((*name, std::env::var(name).ok().filter(|text| !text.is_empty())?)))
}

/// What the client's reading of the fields failed with, on the field that it is about.
fn unread(chosen: &Chosen, error: &KubeconfigError) -> SourceError {
    let why = one_line(&error.to_string());
    match error {
        KubeconfigError::LoadCertificateAuthority(error) => chosen.cluster.unusable(fields::CA, &one_line(&error.to_string())),
        KubeconfigError::ParseCertificates(error) => chosen.cluster.unusable(fields::CA, &one_line(&error.to_string())),
        KubeconfigError::ParseNoProxy(_) => {
            SourceError::new(FailureKind::BadInput, format!("$NO_PROXY cannot be understood: {why}"), "mend or unset $NO_PROXY")
        }
        _ => unusable(&chosen.context.place("a field"), &why),
    }
}

fn unusable(place: &str, why: &str) -> SourceError {
    let what = format!("cannot use the kubeconfig {place}: {}", one_line(why));
    SourceError::new(FailureKind::BadInput, what, "mend the file, or name another with --kubeconfig")
}
