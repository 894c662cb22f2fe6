//! Asks how a container is: which run of it there is, whether it runs, and whether anything more will come of it.

use kube::Api;
use serde_json::Value;

use super::super::Shared;
use super::super::discovery;
use super::super::object::AnyObject;
use super::super::trouble::{Trouble, bounded, one_line};
use crate::model::kind::Kind;
use crate::model::logs::LogOrigin;

/// One run of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The pod's `metadata.uid`: pods of one name can follow each other.
    pub pod: String,
    /// How often the container was started before.
    pub restarts: u64,
}

/// How a container is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    /// Which run is the last; None where the pod may not be read.
    pub run: Option<Run>,
    /// Whether it runs, as far as is known.
    pub runs: bool,
    /// Whether the pod is over or on its way out, so that this run is the last.
    pub last: bool,
    /// What it does instead of running.
    pub state: String,
}

impl Container {
    /// A container of which nothing may be known.
    pub fn unknown() -> Self {
        Self { run: None, runs: true, last: false, state: String::new() }
    }
}

/// Reads the pod.
pub(super) async fn look(shared: &Shared, origin: &LogOrigin) -> Result<Container, Trouble> {
    let place = discovery::at(Kind::Pod, "v1");
    let pods: Api<AnyObject<false>> = Api::namespaced_with(shared.client.clone(), &origin.pod.namespace, &place);
    let pod = bounded(shared.timeout, pods.get(&origin.pod.pod)).await?;
    Ok(of_pod(&pod.value, &origin.container))
}

fn of_pod(pod: &Value, container: &str) -> Container {
    let uid = pod["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let lists = ["containerStatuses", "initContainerStatuses"].map(|list| pod["status"][list].as_array());
    let status = lists.into_iter().flatten().flatten().find(|status| status["name"] == container).unwrap_or(&Value::Null);
    let phase = pod["status"]["phase"].as_str().unwrap_or("Unknown");
    let state = &status["state"];
    Container {
        run: Some(Run { pod: uid, restarts: status["restartCount"].as_u64().unwrap_or_default() }),
        runs: !state["running"].is_null(),
        last: matches!(phase, "Succeeded" | "Failed") || !pod["metadata"]["deletionTimestamp"].is_null(),
        state: words(state).unwrap_or_else(|| format!("its pod is {phase}")),
    }
}

fn words(state: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().map(one_line);
    if let Some(reason) = text(&state["waiting"]["reason"]) {
        return Some(match text(&state["waiting"]["message"]) {
            Some(message) => format!("it waits: {reason}: {message}"),
            None => format!("it waits: {reason}"),
        });
    }
    let ended = state.get("terminated").filter(|ended| !ended.is_null())?;
    let code = ended["exitCode"].as_i64().unwrap_or_default();
    Some(format!("it ended with exit code {code} ({})", text(&ended["reason"]).unwrap_or_else(|| "no reason given".to_owned())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_container_is_found_among_the_others_and_native_sidecars() {
        let running = json!({"name": "istio-proxy", "restartCount": 2, "state": {"running": {}}});
        let app = json!({"name": "app", "restartCount": 7, "state": {"waiting": {"reason": "PodInitializing"}}});
        for (list, other) in [("containerStatuses", "initContainerStatuses"), ("initContainerStatuses", "containerStatuses")] {
            let pod = json!({"metadata": {"uid": "u"}, "status": {"phase": "Running", list: [running], other: [app]}});
            let found = of_pod(&pod, "istio-proxy");
            assert_eq!((found.run, found.runs), (Some(Run { pod: "u".to_owned(), restarts: 2 }), true));
            assert_eq!(of_pod(&pod, "app").state, "it waits: PodInitializing");
        }
    }

    #[test]
    fn what_a_container_does_instead_of_running_is_said() {
        let pod = |state: Value| json!({"metadata": {"uid": "u"}, "status": {"phase": "Pending", "containerStatuses": [{"name": "a", "state": state}]}});
        let ended = of_pod(&pod(json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}})), "a");
        assert_eq!((ended.runs, ended.last, ended.state.as_str()), (false, false, "it ended with exit code 137 (OOMKilled)"));
        let waits = of_pod(&pod(json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s\u{1b}[31m"}})), "a");
        assert_eq!(waits.state, "it waits: CrashLoopBackOff: back-off 10s[31m");
        assert_eq!(of_pod(&json!({"status": {"phase": "Pending"}}), "a").state, "its pod is Pending");
        assert!(of_pod(&json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}), "a").last);
    }
}
