//! `why --mode MODE --with FILE`: the question of what would be.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Outcome;
use super::ask::Asker;
use super::reach::check_namespace;
use crate::analysis::answers;
use crate::analysis::lookup;
use crate::analysis::what_if::{self, Assumption};
use crate::error::Error;
use crate::model::peer_authentication::MtlsMode;
use crate::source::manifest;

impl Asker<'_> {
    pub(super) async fn what_if(
        &self,
        plugin: &str,
        workload: Option<&str>,
        mode: Option<MtlsMode>,
        files: &[PathBuf],
    ) -> Result<Outcome, Error> {
        let collector = self.objects_before("why --mode and --with").await?;
        let mut assumption = Assumption { mode, objects: Vec::new() };
        for file in files {
            let read = if file == Path::new("-") { manifest::stdin().await } else { manifest::read(file).await };
            assumption.objects.extend(read.map_err(Error::Usage)?);
        }
        let is_made = |object: &Value| object["kind"] == "Namespace" && object["metadata"]["name"].as_str() == self.named_namespace();
        if !assumption.objects.iter().any(is_made) {
            check_namespace(&collector, self.named_namespace())?;
        }
        let objects = collector.snapshot(Default::default());
        let own = self.own_namespace();
        let assume = |snapshot: &_| what_if::apply(snapshot, &assumption.objects, &own).map_err(Error::Usage);
        let assumed = assume(&objects)?;
        // The plugin may be in the file alone.
        let plugin = match lookup::plugin(&assumed.snapshot, plugin, &own) {
            Ok(plugin) => plugin,
            Err(error) => return Ok(self.not_found(&objects, error)),
        };
        let chosen = workload.map(|text| lookup::workload(&assumed.snapshot, text, &own)).transpose()?.map(|found| found.proxies);
        let concerned =
            || answers::concerned(&objects, &plugin).into_iter().chain(answers::concerned(&assumed.snapshot, &plugin)).collect();
        let wanted = chosen.clone().unwrap_or_else(concerned);
        let snapshot = self.with_dumps(&collector, wanted, chosen.is_none()).await;
        let answer = answers::what_if(&snapshot, &assume(&snapshot)?, assumption.mode, &plugin, chosen.as_deref());
        Ok(self.print(&answer, None))
    }
}
