//! From the options to the source that they name.

use std::path::Path;
use std::sync::Arc;

use crate::cli::{Common, Scene};
use crate::error::Error;
use crate::source::SharedSource;
use crate::source::cluster::{Cluster, ClusterOptions};
use crate::source::demo::Demo;
use crate::source::files::Files;

/// Opens the source that the options name: the demo, files, or a live cluster. Nothing is asked of a cluster yet.
///
/// # Errors
/// Where the files cannot be read, or the kubeconfig or context is not there.
pub async fn open(common: &Common) -> Result<SharedSource, Error> {
    if let Some(scene) = common.demo {
        return Ok(Arc::new(Demo::new(scene_index(scene))?));
    }
    if let Some(path) = &common.from {
        let files = if path == Path::new("-") { Files::stdin()? } else { Files::open(path)? };
        return Ok(Arc::new(files));
    }
    let cluster = Cluster::connect(ClusterOptions {
        kubeconfig: common.kubeconfig.clone(),
        context: common.context.clone(),
        namespace: common.namespace.clone(),
        istio_namespace: common.istio_namespace.clone(),
        timeout: common.timeout,
    })
    .await?;
    Ok(Arc::new(cluster))
}

/// The scene's place in the demo.
pub(super) fn scene_index(scene: Scene) -> usize {
    match scene {
        Scene::Permissive => 0,
        Scene::Strict => 1,
        Scene::Disable => 2,
    }
}
