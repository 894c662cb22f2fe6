//! What istiod asks of whoever asks it: a token of the mesh, and on our side the mesh's root to know istiod by. Both are held in memory
//! alone and for a while, and the token is shown nowhere.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::Api;
use kube::api::PostParams;
use tokio::sync::Mutex;

use super::super::Shared;
use super::super::trouble::{Cause, Trouble, bounded};
use crate::clock::{self, Instant};

/// Istio puts the root of its certificates into every namespace that it serves (`pilot/pkg/bootstrap/certcontroller.go`).
const ROOT: &str = "istio-ca-root-cert";
const ROOT_KEY: &str = "root-cert.pem";
/// The service account that istioctl takes too: one of istiod's own namespace may see every proxy.
const ACCOUNT: &str = "default";
/// What istiod expects a token to be for (`TOKEN_AUDIENCES`).
const AUDIENCE: &str = "istio-ca";
/// The shortest life that Kubernetes gives a token.
const SECONDS: i64 = 600;
/// How long one is used: half its life, so that none ends on its way.
const USED: Duration = Duration::from_secs(300);

/// The access that was made last, which several questions share.
#[derive(Default)]
pub(in crate::source::cluster) struct Held(Mutex<Option<(Instant, Arc<Access>)>>);

impl Held {
    /// That which was made last or, where it is too old, another one.
    pub(in crate::source::cluster) async fn get(&self, shared: &Shared) -> Result<Arc<Access>, Trouble> {
        let mut held = self.0.lock().await;
        if let Some((made, access)) = &*held
            && made.elapsed() < USED
        {
            return Ok(access.clone());
        }
        let access = Arc::new(Access::of(shared).await?);
        *held = Some((clock::now(), access.clone()));
        Ok(access)
    }

    /// Forgets it, after istiod did not take it.
    pub(in crate::source::cluster) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

/// Access to the istiods of a namespace.
pub(in crate::source::cluster) struct Access {
    /// Istiod's namespace, of which the token's account is.
    pub(super) namespace: String,
    /// The mesh's root certificate, PEM.
    pub(super) root: String,
    /// The token.
    pub(super) token: Token,
}

/// A token, which no output holds.
pub(super) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Token {
    /// The header's value; for the wire alone.
    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl Access {
    /// Reads the root, and has a token made where the person has the right to.
    async fn of(shared: &Shared) -> Result<Self, Trouble> {
        let namespace = shared.istio_namespace.clone();
        let maps: Api<ConfigMap> = Api::namespaced(shared.client.clone(), &namespace);
        let map = bounded(shared.timeout, maps.get(ROOT)).await?;
        let no_root = || Trouble::new(Cause::NotFound, format!("ConfigMap {namespace}/{ROOT} has no {ROOT_KEY}"));
        let root = map.data.unwrap_or_default().remove(ROOT_KEY).ok_or_else(no_root)?;
        let accounts: Api<ServiceAccount> = Api::namespaced(shared.client.clone(), &namespace);
        let spec =
            TokenRequestSpec { audiences: vec![AUDIENCE.to_owned()], expiration_seconds: Some(SECONDS), ..TokenRequestSpec::default() };
        let wanted = TokenRequest { spec, ..TokenRequest::default() };
        let made = bounded(shared.timeout, accounts.create_token_request(ACCOUNT, &PostParams::default(), &wanted)).await?;
        let token = made.status.map(|status| status.token).filter(|token| !token.is_empty());
        let token =
            token.ok_or_else(|| Trouble::new(Cause::Refused, format!("no token was made for service account {namespace}/{ACCOUNT}")))?;
        Ok(Self { namespace, root, token: Token(token) })
    }
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn a_token_is_not_printed() {
        let token = Token("eyJhbGciOiJSUzI1NiJ9.secret".to_owned());
        assert_eq!(format!("{token:?} {:?}", Some(&token)), "[redacted] Some([redacted])");
    }
}
