//! The forms of an answer, colour, readers that leave, and names that try to command the terminal.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::support::{meshscope, recording};
use super::{fails, lone_dump};

/// One run of every kind of answer.
const ANSWERS: [&[&str]; 10] = [
    &["plugins"],
    &["workloads"],
    &["workloads", "default/helloworld"],
    &["workloads", "default/helloworld", "--near-misses"],
    &["mtls"],
    &["chains", "deploy/httpbin"],
    &["chains", "deploy/httpbin", "--connection", "port=80,tls=mesh"],
    &["why", "default/helloworld", "deploy/httpbin"],
    &["order", "deploy/httpbin"],
    &["diff", "deploy/httpbin"],
];

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshscope"));
    command.args(arguments).env_remove("KUBECONFIG").env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn stdout(arguments: &[&str]) -> String {
    let output = meshscope(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn yaml_says_what_json_says() {
    for answer in ANSWERS {
        let form = |form: &str| stdout(&[answer, &["--demo", "-o", form]].concat());
        let from_json: Value = serde_json::from_str(&form("json")).unwrap();
        let from_yaml: Value = serde_saphyr::from_str(&form("yaml")).unwrap();
        assert_eq!(from_yaml, from_json, "{answer:?}");
    }
}

#[test]
fn text_and_markdown_name_what_json_names() {
    for answer in ANSWERS {
        for form in ["text", "markdown"] {
            let text = stdout(&[answer, &["--demo", "-o", form]].concat());
            assert!(text.contains("httpbin") || text.contains("default/helloworld"), "{answer:?} {form}: {text}");
            assert!(text.ends_with('\n') && !text.contains('\x1b'));
        }
    }
    let table = stdout(&["plugins", "--demo", "-o", "markdown"]);
    let widths: Vec<usize> = table.lines().map(|line| line.matches('|').count()).collect();
    assert!(widths.len() == 3 && widths.iter().all(|width| *width == widths[0]), "{table}");
}

#[test]
fn answers_do_not_change_between_runs() {
    for answer in ANSWERS {
        let run = || {
            // How long reading took is the one thing that may differ.
            let text = stdout(&[answer, &["--demo", "-o", "json"]].concat());
            text.lines().filter(|line| !line.contains("dumpNote")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(run(), run(), "{answer:?}");
    }
}

#[test]
fn bare_meshscope_prints_the_overview_where_there_is_no_terminal() {
    assert_eq!(stdout(&["--demo"]), stdout(&["plugins", "--demo"]));
}

#[test]
fn colour_comes_when_it_is_wanted() {
    let plain = stdout(&["plugins", "--demo"]);
    assert!(!plain.contains('\x1b'), "not on a pipe");
    assert!(!stdout(&["plugins", "--demo", "--color", "never"]).contains('\x1b'));
    let coloured = stdout(&["plugins", "--demo", "--color", "always"]);
    assert!(coloured.contains("\x1b[1;36mdefault/helloworld\x1b[0m"), "{coloured:?}");
    // Only text is coloured.
    assert!(!stdout(&["plugins", "--demo", "--color", "always", "-o", "json"]).contains('\x1b'));
    let output = command(&["plugins", "--demo", "--color", "always"]).env("NO_COLOR", "1").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), coloured, "asked for by name, it comes in spite of NO_COLOR");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    // Larger than a pipe holds, so that the writer does meet the closed end.
    let mut child = command(&["chains", "--demo", "-o", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(first, "{\n");
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    assert_eq!(said, "");
}

#[test]
fn a_reader_of_errors_that_leaves_is_no_panic() {
    let mut child = command(&["why", "default/nope", "--demo"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one_line() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command(&["plugins", "--demo"]).stdout(full).output().unwrap();
    fails(&output, 3, &["cannot write to standard output", "No space left"]);
}

/// Characters that a terminal obeys: an escape sequence, its one-character form, and a turn of the writing direction.
const EVIL: &str = "\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\n\u{1b}[2J";

fn assert_harmless(output: &std::process::Output, what: &str) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let bad: Vec<char> = text.chars().filter(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}').collect();
        assert!(bad.is_empty(), "{what}: {bad:?} in {text}");
    }
}

#[test]
fn names_in_a_dump_cannot_command_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = lone_dump(&folder);
    let mut dump: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for section in dump["configs"].as_array_mut().unwrap() {
        for entry in section.get_mut("dynamic_listeners").and_then(Value::as_array_mut).into_iter().flatten() {
            let state = &mut entry["active_state"];
            state["version_info"] = json!(EVIL);
            for chain in state["listener"]["filter_chains"].as_array_mut().into_iter().flatten() {
                chain["name"] = json!(format!("chain{EVIL}"));
                chain["filters"][0]["name"] = json!(format!("filter{EVIL}"));
                chain["filter_chain_match"]["server_names"] = json!([format!("host{EVIL}")]);
            }
            let name = json!(format!("listener{EVIL}"));
            state["listener"]["name"] = name.clone();
            let error = json!({"details": EVIL, "failed_configuration": state["listener"]});
            entry["name"] = name;
            entry["error_state"] = error;
        }
    }
    std::fs::write(&path, dump.to_string()).unwrap();
    let from = path.to_str().unwrap();
    for form in ["text", "markdown", "json", "yaml"] {
        let proxy = "httpbin-664956bb75-9d64m.default";
        for answer in [&["chains"][..], &["why", "default/helloworld"], &["order", proxy], &["chains", &format!("pod/{EVIL}")]] {
            let output = meshscope(&[answer, &["--from", from, "-o", form]].concat());
            assert_harmless(&output, &format!("{answer:?} {form}"));
        }
        // Escaped, not lost.
        let text = String::from_utf8(meshscope(&["chains", "--from", from, "-o", form]).stdout).unwrap();
        assert!(text.contains("owned"), "{form}");
    }
}

#[test]
fn names_of_objects_cannot_command_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in super::support::files("permissive") {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let plugin = json!({"metadata": {"namespace": "default", "name": format!("p{EVIL}")},
        "spec": {"url": format!("oci://{EVIL}"), "phase": EVIL, "priority": EVIL, "selector": {"matchLabels": {"app": EVIL}}}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [plugin]});
    std::fs::write(folder.path().join("k8s/wasmplugins.extensions.istio.io.json"), list.to_string()).unwrap();
    let policy =
        json!({"metadata": {"namespace": "default", "name": EVIL}, "spec": {"selector": {"matchLabels": {"app": EVIL, EVIL: "x"}}}});
    let mode = json!({"metadata": {"namespace": "default", "name": format!("a{EVIL}")}, "spec": {"mtls": {"mode": EVIL}, "portLevelMtls": {EVIL: {}}}});
    let policies = json!({"apiVersion": "v1", "kind": "List", "items": [policy, mode]});
    std::fs::write(folder.path().join("k8s/peerauthentications.security.istio.io.json"), policies.to_string()).unwrap();
    let rule =
        json!({"metadata": {"namespace": "default", "name": EVIL}, "spec": {"host": "httpbin", "trafficPolicy": {"tls": {"mode": EVIL}}}});
    let rules = json!({"apiVersion": "v1", "kind": "List", "items": [rule]});
    std::fs::write(folder.path().join("k8s/destinationrules.networking.istio.io.json"), rules.to_string()).unwrap();
    let from = folder.path().to_str().unwrap();
    let name = format!("default/p{EVIL}");
    for form in ["text", "markdown", "json", "yaml"] {
        for answer in [
            &["plugins"][..],
            &["workloads"],
            &["why", &name],
            &["why", &name, "deploy/httpbin"],
            &["why", "nope"],
            &["order", "deploy/httpbin"],
            &["mtls"],
        ] {
            assert_harmless(&meshscope(&[answer, &["--from", from, "-o", form]].concat()), &format!("{answer:?} {form}"));
        }
    }
    assert_harmless(&meshscope(&["plugins", "--from", &format!("/{EVIL}")]), "a path");
    assert_harmless(&meshscope(&["plugins", EVIL]), "an argument");
}

#[test]
fn a_dump_is_read_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let dump = lone_dump(&folder);
    let piped = |arguments: &[&str], file| command(arguments).stdin(std::fs::File::open(file).unwrap()).output().unwrap();
    let output = piped(&["chains", "--port", "15006", "--from", "-"], dump.clone());
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), stdout(&["chains", "--port", "15006", "--from", dump.to_str().unwrap()]));
    let output = piped(&["plugins", "--from", "-"], recording("strict"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), stdout(&["plugins", "--demo=strict"]));
    fails(&command(&["chains", "--from", "-"]).output().unwrap(), 3, &["standard input is empty"]);
}
