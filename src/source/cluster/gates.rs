//! How many requests are under way: one to a pod, since Envoy's main thread stands still while it answers, and a bound on all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::model::ids::ProxyId;
use crate::source::PROXIES_AT_ONCE;

/// Lets requests through in turn.
pub(super) struct Gates {
    pods: Mutex<HashMap<ProxyId, Weak<AsyncMutex<()>>>>,
    all: Arc<Semaphore>,
}

/// The right to ask one pod, given back on drop.
pub(super) struct Turn {
    _pod: OwnedMutexGuard<()>,
    _all: Option<OwnedSemaphorePermit>,
}

impl Default for Gates {
    fn default() -> Self {
        Self { pods: Mutex::default(), all: Arc::new(Semaphore::new(PROXIES_AT_ONCE)) }
    }
}

impl Gates {
    /// Waits for the turn to ask a proxy. The pod comes first, so that many questions to one pod do not hold up the others.
    pub async fn proxy(&self, pod: &ProxyId) -> Turn {
        let _pod = self.pod(pod).lock_owned().await;
        // The semaphore is never closed; without a permit the bound is lost, not the answer.
        Turn { _pod, _all: self.all.clone().acquire_owned().await.ok() }
    }

    /// Waits for the turn to ask an istiod. Not part of the bound: a proxy's question that falls back to istiod holds its
    /// own place there already, and eight of them would wait for each other.
    pub async fn istiod(&self, pod: &ProxyId) -> Turn {
        Turn { _pod: self.pod(pod).lock_owned().await, _all: None }
    }

    fn pod(&self, pod: &ProxyId) -> Arc<AsyncMutex<()>> {
        // A panic while the map was held cannot leave it half changed.
        let mut pods = self.pods.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = pods.get(pod).and_then(Weak::upgrade) {
            return gate;
        }
        pods.retain(|_, gate| gate.strong_count() > 0);
        let gate = Arc::new(AsyncMutex::new(()));
        pods.insert(pod.clone(), Arc::downgrade(&gate));
        gate
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn one_request_a_pod_and_eight_in_all() {
        let gates = Gates::default();
        let pod = |number: usize| ProxyId::new(format!("p{number}"), "n");
        let turn = gates.proxy(&pod(0)).now_or_never();
        assert!(turn.is_some());
        assert!(gates.proxy(&pod(0)).now_or_never().is_none());
        let others: Vec<_> = (1..8).map(|number| gates.proxy(&pod(number)).now_or_never()).collect();
        assert!(others.iter().all(Option::is_some));
        assert!(gates.proxy(&pod(8)).now_or_never().is_none());
        assert!(gates.istiod(&pod(9)).now_or_never().is_some());
        drop(turn);
        assert!(gates.proxy(&pod(0)).now_or_never().is_some());
    }
}
