//! Whether proxies of the mesh are without an istiod, which the header shows on every screen.

use super::App;
use crate::analysis::outage;

impl App {
    /// Whether no istiod of a revision that serves proxies is ready.
    pub fn lacks_istiod(&self) -> bool {
        let objects = &self.snapshot.objects;
        let outages = outage::outages(&self.snapshot);
        let is_cut_off = |outage: &outage::Outage| objects.pods.values().any(|pod| pod.runs_envoy() && outage.cuts_off(pod, objects));
        outages.iter().any(is_cut_off)
    }
}
