//! Which minutes of a log count: whatever single lines say of the time, and where the log does not reach so far.

use std::sync::Arc;

use meshscope::analysis::findings::Severity;
use meshscope::analysis::requests::{Window, end_of_log};
use meshscope::ingest::logs::leading;
use meshscope::model::requests::Span;
use meshscope::model::snapshot::{Dump, Snapshot};
use serde_json::{Value, json};

use super::modules::{LOG, checked};
use super::one;
use super::recorded::{HTTPBIN, Mesh};
use super::requests::{authorization, failing, fails, gathered_in, request, served};

const BY_POLICY: &str = "rbac_access_denied_matched_policy[ns[default]-policy[p]-rule[0]]";
const MINUTE: i64 = 60_000_000_000;

fn policy() -> Value {
    authorization("default/p", json!({"action": "DENY", "rules": [{}]}))
}

/// A line of httpbin's log: a request that a policy denied, or one that passed.
fn line(kubelet: &str, own: &str, code: u16) -> String {
    let details = if code == 403 { BY_POLICY } else { "via_upstream" };
    format!(
        "2026-11-23T{kubelet}.000000000Z [2026-11-23T{own}.000Z] \"GET /{code} HTTP/1.1\" {code} - {details} - \"-\" 0 0 3 1 \"-\" \"curl\" \"id\" \"httpbin:8000\" \"-\" inbound|80|| - 10.244.0.4:80 10.244.0.5:40000 - default\n"
    )
}

/// What `check` says of requests that fail over a recording whose log of httpbin has these lines at its end.
fn said(mesh: Mesh, lines: &[String]) -> Vec<String> {
    let mesh = mesh.with([policy()]).change_text(LOG, |log| lines.iter().for_each(|line| log.push_str(line)));
    checked(&mesh, "requests-fail").iter().map(|finding| finding["what"].as_str().unwrap().to_owned()).collect()
}

/// Why requests of httpbin were not looked at.
fn unchecked(mesh: &Mesh) -> String {
    mesh.ask_whatever(&["check"])["notChecked"].to_string()
}

#[test]
fn incident_c3_a_line_of_the_future_does_not_move_the_minutes() {
    let denied = || ["19:40:01", "19:40:02"].map(|time| line(time, time, 403)).to_vec();
    let ends = "answered 2 of 4 requests of the last 10 min of the log with 403";
    for (kubelet, own) in [("19:40:03", "21:40:03"), ("21:40:03", "21:40:03")] {
        let last: Vec<String> = denied().into_iter().chain([line(kubelet, own, 200)]).collect();
        assert!(matches!(&said(Mesh::permissive(), &last)[..], [what] if what.contains(ends)), "{:?}", said(Mesh::permissive(), &last));
        let first: Vec<String> = [line(kubelet, own, 200)].into_iter().chain(denied()).collect();
        assert!(matches!(&said(Mesh::permissive(), &first)[..], [what] if what.contains(ends)), "{:?}", said(Mesh::permissive(), &first));
    }
    // What is older than the minutes before several lines is no matter of now.
    let later = ["20:10:00", "20:10:01"].map(|time| line(time, time, 200));
    assert_eq!(said(Mesh::permissive(), &denied().into_iter().chain(later).collect::<Vec<_>>()), [] as [String; 0]);
}

#[test]
fn the_end_of_a_log_is_that_of_its_last_line() {
    assert_eq!(end_of_log(&[]), None);
    assert_eq!(end_of_log(&[5 * MINUTE]), Some(5 * MINUTE));
    // One that is alone shows nothing; a line that follows those of the future does.
    assert_eq!(end_of_log(&[0, MINUTE, 90 * MINUTE]), Some(MINUTE));
    assert_eq!(end_of_log(&[0, 90 * MINUTE, MINUTE]), Some(MINUTE));
    assert_eq!(end_of_log(&[0, 90 * MINUTE, 91 * MINUTE]), Some(91 * MINUTE));
}

#[test]
fn a_request_counts_when_it_ends_and_its_time_is_that_of_a_right_clock() {
    let mesh = failing([], &[]);
    let at = |time: &str| leading(&format!("2026-12-01T{time}Z ")).unwrap();
    let window = Window { until: Some(at("00:10:30")), is_recorded: false };
    let of = |lines: Vec<String>| gathered_in(window, &mesh.objects, HTTPBIN, lines);
    // It began before the minutes, and took 31 s.
    let long = request(1, "/a", 403, "-", BY_POLICY, "inbound|80||").replace(" 0 19 7 ", " 0 19 31000 ");
    let found = of(vec![request(1, "/a", 200, "-", "via_upstream", "inbound|80||"), long]);
    assert_eq!((found.count, found.failed.len(), found.span, &found.gap), (1, 1, Span::LastMinutes, &None));
    // One of the future is counted, and its time is not known.
    let ahead = request(3000, "/a", 403, "-", BY_POLICY, "inbound|80||");
    let found = of(vec![request(1, "/a", 200, "-", "via_upstream", "inbound|80||"), ahead]);
    assert_eq!((found.count, found.failed[0].last, found.until), (1, None, None));
}

#[test]
fn incident_l8_a_log_that_begins_late_says_since_when() {
    let denied = || ["19:40:01", "19:40:02"].map(|time| line(time, time, 403)).to_vec();
    let rotated = || Mesh::permissive().write(LOG, "");
    let ends = "answered 2 of 2 requests of the log since 19:40:01 UTC with 403";
    assert!(matches!(&said(rotated(), &denied())[..], [what] if what.contains(ends)), "{:?}", said(rotated(), &denied()));
    let of_lines = rotated().change_text(LOG, |log| denied().iter().for_each(|line| log.push_str(line)));
    assert!(unchecked(&of_lines).contains("its log begins at 19:40:01 UTC, as after a rotation"), "{}", unchecked(&of_lines));
    // Where it begins with the proxy nothing is missing.
    assert!(!unchecked(&Mesh::permissive()).contains("its log"), "{}", unchecked(&Mesh::permissive()));
    // The proxy was restarted: what its container logged before is another log.
    let restarted = Mesh::permissive().change("k8s/pods.json", |list| {
        for pod in list["items"].as_array_mut().unwrap() {
            let statuses = pod["status"]["containerStatuses"].as_array_mut().unwrap().iter_mut();
            statuses.for_each(|status| status["restartCount"] = json!(1));
        }
    });
    assert!(unchecked(&restarted).contains("the proxy was restarted at 19:37:48 UTC"), "{}", unchecked(&restarted));
}

#[test]
fn incident_c6_an_object_of_the_future_ends_no_failure() {
    let changed = |time: &str, read: Option<&str>| {
        let mut policy = policy();
        let time = format!("2026-12-01T{time}Z");
        policy["metadata"]["managedFields"] =
            json!([{"manager": "kubectl", "operation": "Update", "time": time, "fieldsV1": {"f:spec": {}}}]);
        let mut snapshot = failing([policy], &[(HTTPBIN, vec![served("/a", 403, BY_POLICY)])]);
        if let Some(read) = read {
            read_at(&mut snapshot, leading(&format!("2026-12-01T{read}Z ")).unwrap());
        }
        fails(&snapshot)
    };
    let name = "AuthorizationPolicy default/p";
    one(changed("00:00:30", Some("00:01:00")), Severity::Information, name);
    one(changed("03:00:00", Some("00:01:00")), Severity::Warning, name);
    one(changed("03:00:00", None), Severity::Information, name);
}

fn read_at(snapshot: &mut Snapshot, time: i64) {
    for dump in snapshot.dumps.values_mut() {
        if let Dump::Loaded(loaded) = dump {
            Arc::make_mut(loaded).read_at = Some(time);
        }
    }
}
