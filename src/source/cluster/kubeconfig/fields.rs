//! The fields of a cluster and of a user, checked before anything is done with them: what the client says later names no field.
//!
//! What is rejected is what kubectl rejects (client-go `tools/clientcmd/validation.go`, `transport/transport.go: TLSConfigFor`).

use http::Uri;
use serde_json::Value;

use super::files::{Named, text_of};
use super::{one_line, urls};
use crate::ingest::redact;
use crate::source::SourceError;

pub(super) const CA: &str = "certificate-authority";
const CERTIFICATE: &str = "client-certificate";
const KEY: &str = "client-key";

/// Checks a cluster and writes its address out, with the scheme. With TLS settings of the user too that is `https`.
/// Gives the credentials that are in the address.
pub(super) fn cluster(cluster: &mut Named, user: Option<&Named>) -> Result<Option<String>, SourceError> {
    texts(cluster, &["server", "tls-server-name", "proxy-url", CA, "certificate-authority-data"])?;
    let insecure = cluster.fields.get("insecure-skip-tls-verify") == Some(&Value::Bool(true));
    let own_certificate = user.is_some_and(|user| given(user, CERTIFICATE).is_some());
    let tls = given(cluster, CA).is_some() || insecure || own_certificate;
    let server = cluster.text("server").ok_or_else(|| cluster.wrong("server", "is not set"))?.to_owned();
    let address = urls::server(&server, tls);
    let address = address.map_err(|why| cluster.wrong("server", format_args!("{why}: {}", urls::shown(&server))))?;
    cluster.fields.insert("server".to_owned(), Value::from(address.to_string()));
    proxy(cluster)?;
    pem(cluster, CA)?;
    if insecure && let Some(field) = given(cluster, CA) {
        return Err(cluster.wrong("insecure-skip-tls-verify", format_args!("cannot be true together with {field}")));
    }
    Ok(urls::without_credentials(&server).1)
}

/// The proxy of a cluster.
pub(super) fn proxy(cluster: &Named) -> Result<Option<Uri>, SourceError> {
    let Some(url) = cluster.text("proxy-url") else { return Ok(None) };
    urls::proxy(url).map(Some).map_err(|why| cluster.wrong("proxy-url", format_args!("{why}: {}", urls::shown(url))))
}

/// Checks a user, and reads what its token file holds.
pub(super) fn user(user: &mut Named) -> Result<(), SourceError> {
    texts(user, &["username", "password", "token", "tokenFile", "as", "as-uid", CERTIFICATE, KEY])?;
    texts(user, &["client-certificate-data", "client-key-data"])?;
    if user.has("username") && !user.has("password") {
        // The client wants both; an empty password is one.
        user.fields.insert("password".to_owned(), Value::from(""));
    }
    if user.has("token") && user.has("username") {
        return Err(user.wrong("token", "is given together with username; kubectl takes one of them"));
    }
    pem(user, CERTIFICATE)?;
    pem(user, KEY)?;
    match (given(user, CERTIFICATE), given(user, KEY)) {
        (Some(_), None) => return Err(user.wrong(KEY, "is not set, and its certificate is useless without it")),
        // Without a certificate kubectl does not look at a key.
        (None, Some(field)) => drop(user.fields.remove(&field)),
        _ => {}
    }
    token_file(user)?;
    if let Some(token) = user.text("token") {
        usable(token).map_err(|why| user.wrong("token", why))?;
    }
    for field in ["as", "as-uid"] {
        if let Some(text) = user.text(field) {
            header(text).map_err(|why| user.wrong(field, why))?;
        }
    }
    if let Some(field) = ["as-uid", "as-groups", "as-user-extra"].into_iter().find(|field| user.has(field) && !user.has("as")) {
        return Err(user.wrong(field, "is given without as"));
    }
    provider(user)?;
    exec(user)
}

/// Holds that what should be text is.
fn texts(of: &Named, fields: &[&str]) -> Result<(), SourceError> {
    fields.iter().try_for_each(|field| of.reference(field).map(drop))
}

/// The name of the field of these that is set: `x-data` or `x`.
fn given(of: &Named, field: &str) -> Option<String> {
    [format!("{field}-data"), field.to_owned()].into_iter().find(|field| of.has(field))
}

/// What should be PEM, in the file or in another: the white space that line breaks brought is removed from the data.
fn pem(of: &mut Named, field: &str) -> Result<(), SourceError> {
    let data = format!("{field}-data");
    if of.has(&data) && of.has(field) {
        return Err(of.wrong(&data, format_args!("is given together with {field}; kubectl takes one of them")));
    }
    if let Some(path) = of.find_file(field)? {
        let text = text_of(&path).map_err(|why| of.wrong(field, format_args!("names the file {}: {why}", path.display())))?;
        if !text.contains("-----BEGIN ") {
            return Err(of.wrong(field, format_args!("names the file {}, which holds no PEM block", path.display())));
        }
    }
    let Some(text) = of.text(&data) else { return Ok(()) };
    // A parser that understands the YAML tag `!!binary` has decoded the data already.
    let text: String = if text.contains("-----BEGIN ") { super::base64(text.as_bytes()) } else { text.split_whitespace().collect() };
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)) {
        return Err(of.wrong(&data, "is not base64"));
    }
    of.fields.insert(data, Value::from(text));
    Ok(())
}

/// client-go takes the white space around a token out of its file. The client reads it as it is, so such a token is given as a text.
fn token_file(user: &mut Named) -> Result<(), SourceError> {
    const FIELD: &str = "tokenFile";
    let path = match user.find_file(FIELD) {
        Ok(Some(path)) => path,
        Ok(None) => return Ok(()),
        // The token next to it is enough.
        Err(_) if user.has("token") => return Ok(()),
        Err(error) => return Err(error),
    };
    let place = |why: &str| user.wrong(FIELD, format_args!("names the file {}: {why}", path.display()));
    let text = text_of(&path).map_err(|why| place(&why))?;
    let token = text.trim();
    if token.is_empty() {
        return Err(place("it is empty"));
    }
    usable(token).map_err(|why| place(&format!("its token {why}")))?;
    if token.len() == text.len() {
        user.fields.remove("token");
    } else {
        user.fields.insert("token".to_owned(), Value::from(token));
    }
    Ok(())
}

/// Whether a token can be sent: the client would panic on another.
pub(super) fn usable(token: &str) -> Result<(), &'static str> {
    header(&format!("Bearer {token}"))
}

fn header(text: &str) -> Result<(), &'static str> {
    match http::HeaderValue::try_from(text) {
        Ok(_) => Ok(()),
        Err(_) => Err("holds a line end or another control character, which no request can carry"),
    }
}

/// A provider of the kinds that kubectl had before credential plugins.
fn provider(user: &Named) -> Result<(), SourceError> {
    let Some(provider) = user.fields.get("auth-provider") else { return Ok(()) };
    if user.has("exec") {
        return Err(user.wrong("auth-provider", "is given together with exec; kubectl takes one of them"));
    }
    let token = provider["config"]["id-token"].as_str().filter(|token| !token.is_empty() && provider["name"] == "oidc");
    if token.is_some_and(|token| !is_jwt(token)) {
        return Err(user.wrong("auth-provider.config.id-token", "is no JSON web token"));
    }
    Ok(())
}

/// Three parts of base64url, the first two of which are JSON objects: `eyJ` is `{"`.
fn is_jwt(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte));
    // One letter left over is no byte.
    parts.len() == 3 && parts.iter().all(|part| letters(part) && part.trim_end_matches('=').len() % 4 != 1) && !parts[1].is_empty()
}

/// A credential plugin, whose path is relative to the kubeconfig's folder where it is a path.
fn exec(user: &mut Named) -> Result<(), SourceError> {
    if !user.has("exec") {
        return Ok(());
    }
    let Some(command) = user.fields["exec"]["command"].as_str().filter(|command| !command.is_empty()) else {
        return Err(user.wrong("exec.command", "is not set"));
    };
    let text = |field: &str| user.fields["exec"][field].as_str().unwrap_or_default();
    let version = text("apiVersion");
    if !["v1", "v1beta1"].iter().any(|known| version.strip_prefix("client.authentication.k8s.io/") == Some(known)) {
        let why = if version.is_empty() { "is not set".to_owned() } else { format!("is {}", one_line(version)) };
        let why = format!("{why}; it must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1");
        return Err(user.wrong("exec.apiVersion", why));
    }
    let mode = text("interactiveMode");
    // Only v1beta1 has a default (`tools/clientcmd/api/v1/defaults.go: SetDefaults_ExecConfig`).
    let may_lack = version.ends_with("/v1beta1");
    let is_fit = ["Never", "IfAvailable", "Always"].contains(&mode) || mode.is_empty() && may_lack;
    if !is_fit {
        let why = if mode.is_empty() { "is not set".to_owned() } else { format!("is {}", one_line(mode)) };
        let why = format!("{why}; it must be Never, IfAvailable or Always");
        return Err(user.wrong("exec.interactiveMode", why));
    }
    if command.contains(std::path::MAIN_SEPARATOR) {
        let command = user.relative_to_file(command).to_string_lossy().into_owned();
        user.fields["exec"]["command"] = Value::from(command);
    }
    Ok(())
}

/// What to do where the program of a credential plugin is not there: what the kubeconfig says, which may take many lines.
pub(super) fn install_hint(hint: Option<&str>) -> String {
    let hint = hint.map(|hint| hint.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|hint| !hint.is_empty());
    hint.map_or_else(|| "install it, or choose another --context".to_owned(), |hint| redact::text(&one_line(&hint)).into_owned())
}
