//! The credential plugin of a user, run as client-go runs it, so that its answer is checked before anything is asked with it: the client
//! would go on without credentials where there are none in it. (client-go `plugin/pkg/client/auth/exec/exec.go: refreshCredsLocked`)

use std::process::{Command, Stdio};

use kube::client::{AuthError, ClientBuilder, ConfigExt};
use kube::config::ExecConfig;
use kube::{Client, Config, Error};
use serde::Deserialize;
use serde_json::json;
use tower::buffer::BufferLayer;

use super::super::xds::base64;
use super::fields;

/// How many requests wait for their turn at most, as in the client itself.
const BUFFER: usize = 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    api_version: String,
    kind: String,
    status: Option<Credentials>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Credentials {
    token: Option<String>,
    expiration_timestamp: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Makes a client, with the credentials of the plugin where there is one. Other credentials go before it.
pub(super) fn client(mut config: Config) -> Result<Client, Error> {
    let auth = &config.auth_info;
    let others = auth.auth_provider.is_some() || auth.username.is_some() || auth.token.is_some() || auth.token_file.is_some();
    let Some(exec) = auth.exec.clone().filter(|_| !others) else { return Client::try_from(config) };
    let found = ask(&exec)?;
    let nonempty = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (certificate, key) = (nonempty(found.client_certificate_data), nonempty(found.client_key_data));
    let token = nonempty(found.token);
    let failed = |why: String| Err(Error::Auth(AuthError::AuthExec(why)));
    if certificate.is_some() != key.is_some() {
        return failed("the credential plugin's answer holds a certificate without its key, or a key without its certificate".to_owned());
    }
    if token.is_none() && certificate.is_none() {
        return failed("the credential plugin's answer holds neither a token nor a certificate with its key".to_owned());
    }
    if let Some(why) = token.as_deref().and_then(|token| fields::usable(token).err()) {
        return failed(format!("the token of the credential plugin's answer {why}"));
    }
    // The client runs it again where the token ends, and only then.
    let renewing = match nonempty(found.expiration_timestamp) {
        Some(_) if certificate.is_none() => config.auth_layer()?,
        _ => None,
    };
    let auth = &mut config.auth_info;
    auth.exec = None;
    if let (Some(certificate), Some(key)) = (certificate, key) {
        auth.client_certificate_data = Some(base64(certificate.as_bytes()));
        auth.client_key_data = Some(base64(key.as_bytes()).into());
    }
    match renewing {
        // The layer wants a service that can be cloned.
        Some(layer) => Ok(ClientBuilder::try_from(config)?.with_layer(&BufferLayer::new(BUFFER)).with_layer(&layer).build()),
        None => {
            auth.token = token.map(Into::into);
            Client::try_from(config)
        }
    }
}

/// Runs it once, without a way to ask a person.
fn ask(exec: &ExecConfig) -> Result<Credentials, Error> {
    let spec = match &exec.cluster {
        Some(cluster) if exec.provide_cluster_info => json!({"interactive": false, "cluster": cluster}),
        _ => json!({"interactive": false}),
    };
    let info = json!({"apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec});
    let variables = exec.env.iter().flatten().filter_map(|variable| {
        let value = variable.get("value").map(String::as_str).unwrap_or_default();
        Some((variable.get("name")?, value))
    });
    let mut command = Command::new(exec.command.as_deref().unwrap_or_default());
    command.args(exec.args.iter().flatten()).envs(variables).env("KUBERNETES_EXEC_INFO", info.to_string()).stdin(Stdio::null());
    let out = command.output().map_err(|error| Error::Auth(AuthError::AuthExecStart(error)))?;
    if !out.status.success() {
        // What was run is left out: it may hold a secret.
        return Err(Error::Auth(AuthError::AuthExecRun { cmd: String::new(), out: Box::new(out) }));
    }
    let answer: Option<Answer> = serde_saphyr::from_slice(&out.stdout).ok();
    let answer = answer.filter(|answer| answer.kind == "ExecCredential").ok_or(Error::Auth(AuthError::ExecPluginFailed))?;
    let wanted = exec.api_version.as_deref().unwrap_or_default();
    if answer.api_version != wanted {
        let why = format!("the credential plugin's answer has the apiVersion {}, and the kubeconfig names {wanted}", answer.api_version);
        return Err(Error::Auth(AuthError::AuthExec(why)));
    }
    answer.status.ok_or(Error::Auth(AuthError::ExecPluginFailed))
}
