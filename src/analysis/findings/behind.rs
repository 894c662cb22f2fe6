//! Proxies that istiod's changes do not reach: they go on with what the objects were, so that what the objects say now ends no failure there.

use super::Facts;
use crate::analysis::sync as rules;
use crate::model::ids::ProxyId;
use crate::model::sync::{CLUSTERS, LISTENERS, ROUTES, SyncState};

/// The types by which a proxy decides what becomes of a request.
const DECIDING: [&str; 3] = [LISTENERS, ROUTES, CLUSTERS];

impl Facts<'_> {
    /// Why a proxy's configuration need not be that of the objects, as a clause after the proxy; None where nothing shows it.
    pub(super) fn behind(&self, proxy: &ProxyId) -> Option<String> {
        let goes_on = "and goes on with what it had";
        if self.is_unconnected(proxy) {
            return Some(format!("has no connection to istiod, {goes_on}"));
        }
        let (sync, client, loaded) = (self.sync()?, self.connection(proxy)?, self.snapshot.dump(proxy)?);
        let refused = client.types.iter().find(|(url, status)| {
            let is_of_now = || !rules::is_superseded(sync, status, url, loaded, None);
            status.state == SyncState::Refused && DECIDING.contains(&url.as_str()) && is_of_now()
        });
        if let Some((url, _)) = refused {
            return Some(format!("refused the last {} of istiod, {goes_on}", rules::short(url)));
        }
        let (url, ..) = rules::late(client, rules::asked(sync)?).find(|(url, ..)| DECIDING.contains(url))?;
        Some(format!("has not answered to the last {} of istiod, {goes_on}", rules::short(url)))
    }
}
