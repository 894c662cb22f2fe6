//! What istiod asks of whoever asks it: a token of the mesh, and on our side the mesh's root to know istiod by. Both are held in memory
//! alone and for a while, and the token is shown nowhere.

use std::fmt;
use std::future::Future;
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
use crate::model::ids::ObjectName;
use crate::source::AskedAs;

/// Istio puts the root of its certificates into every namespace that it serves (`pilot/pkg/bootstrap/certcontroller.go`).
const ROOT: &str = "istio-ca-root-cert";
const ROOT_KEY: &str = "root-cert.pem";
/// The service account that istioctl takes too, which every namespace has: that of istiod's own namespace may see every proxy.
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
    /// Istiod's namespace.
    pub(super) istio_namespace: String,
    /// The mesh's root certificate, PEM.
    pub(super) root: String,
    /// Whose token it is.
    pub(super) account: ObjectName,
    /// The token.
    pub(super) token: Token,
    /// Why it is not that of an account of istiod's own namespace; None where it is.
    pub(super) refused: Option<String>,
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
    /// Reads the root, and has a token made: for an account of istiod's namespace, as istioctl does, or where the person has no right to
    /// that, for one of the person's own namespace. To that one istiod tells of less.
    async fn of(shared: &Shared) -> Result<Self, Trouble> {
        let (root, ..) = in_either(shared, |namespace| root_in(shared, namespace)).await?;
        let (token, namespace, refused) = in_either(shared, |namespace| token_in(shared, namespace)).await?;
        let refused = refused.map(|why| format!("a token of service account {}/{ACCOUNT}: {why}", shared.istio_namespace));
        let account = ObjectName::new(namespace, ACCOUNT);
        Ok(Self { istio_namespace: shared.istio_namespace.clone(), root, account, token, refused })
    }

    /// Whom istiod takes us for.
    pub(super) fn asked_as(&self) -> AskedAs {
        AskedAs { account: self.account.clone(), sees_all: self.account.namespace == self.istio_namespace }
    }
}

/// Does it in istiod's namespace or, where the right to that is lacking, in the person's own. Gives the namespace with it, and why it is
/// not istiod's. Where neither goes, the error is that of istiod's, with the other in it.
async fn in_either<'s, T, F>(shared: &'s Shared, act: impl Fn(&'s str) -> F) -> Result<(T, &'s str, Option<String>), Trouble>
where
    F: Future<Output = Result<T, Trouble>>,
{
    let (first, own) = (shared.istio_namespace.as_str(), shared.namespace.as_str());
    match act(first).await {
        Ok(found) => Ok((found, first, None)),
        Err(trouble) if trouble.cause == Cause::Forbidden && own != first => match act(own).await {
            Ok(found) => Ok((found, own, Some(trouble.text))),
            Err(also) => Err(Trouble { text: format!("{}; and in namespace {own}: {}", trouble.text, also.text), ..trouble }),
        },
        Err(trouble) => Err(trouble),
    }
}

async fn root_in(shared: &Shared, namespace: &str) -> Result<String, Trouble> {
    let maps: Api<ConfigMap> = Api::namespaced(shared.client.clone(), namespace);
    let map = bounded(shared.timeout, maps.get(ROOT)).await?;
    let no_root = || Trouble::new(Cause::NotFound, format!("ConfigMap {namespace}/{ROOT} has no {ROOT_KEY}"));
    map.data.unwrap_or_default().remove(ROOT_KEY).ok_or_else(no_root)
}

async fn token_in(shared: &Shared, namespace: &str) -> Result<Token, Trouble> {
    let accounts: Api<ServiceAccount> = Api::namespaced(shared.client.clone(), namespace);
    let spec = TokenRequestSpec { audiences: vec![AUDIENCE.to_owned()], expiration_seconds: Some(SECONDS), ..TokenRequestSpec::default() };
    let wanted = TokenRequest { spec, ..TokenRequest::default() };
    let made = bounded(shared.timeout, accounts.create_token_request(ACCOUNT, &PostParams::default(), &wanted)).await?;
    let token = made.status.map(|status| status.token).filter(|token| !token.is_empty());
    let none = || Trouble::new(Cause::Refused, format!("no token was made for service account {namespace}/{ACCOUNT}"));
    token.map(Token).ok_or_else(none)
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
