//! From the options to the source that they name.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::cli::{Common, Scene};
use crate::error::Error;
use crate::source::cluster::{Cluster, ClusterOptions};
use crate::source::demo::Demo;
use crate::source::files::Files;
use crate::source::{FailureKind, SharedSource, SourceError};

/// Opens the source that the options name: the demo, files, or a live cluster. Nothing is asked of a cluster yet.
///
/// # Errors
/// Where the files cannot be read, or the kubeconfig or context is not there.
pub async fn open(common: &Common) -> Result<SharedSource, Error> {
    if let Some(scene) = common.demo {
        return Ok(Arc::new(Demo::new(scene_index(scene))?));
    }
    if let Some(path) = &common.from {
        return Ok(Arc::new(files(path.clone(), common.timeout).await?));
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

/// Reads files in a thread of its own: whoever writes into standard input may take for ever, and the end of the program waits for no thread.
async fn files(path: PathBuf, limit: Duration) -> Result<Files, Error> {
    let (done, opened) = tokio::sync::oneshot::channel();
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    std::thread::spawn(move || {
        // Nobody listens any more where the deadline has passed.
        let _ = done.send(if path == Path::new("-") { Files::stdin() } else { Files::open(&path) });
    });
    match tokio::time::timeout(limit, opened).await {
        Ok(Ok(files)) => Ok(files?),
        Ok(Err(_)) => Err(Error::bad_input(format!("{name} could not be read: the reading ended early"), "please report this")),
        Err(_) => {
            let what = format!("{name} was not read to its end within {} s", limit.as_secs_f64());
            Err(SourceError::new(FailureKind::TimedOut, what, "save it to a file first, or allow more with --timeout").into())
        }
    }
}

/// The scene's place in the demo.
pub(super) fn scene_index(scene: Scene) -> usize {
    match scene {
        Scene::Permissive => 0,
        Scene::Strict => 1,
        Scene::Disable => 2,
    }
}
