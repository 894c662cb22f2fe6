//! Archives and recordings that hold too much, nothing of a proxy, or files that nothing reads: the rows H6, H11 and 20 and what is of
//! their kind.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::hostile_files::measured;
use crate::support::{self, ask};

/// A tar archive with these files.
fn tar(entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Zeros that were compressed, as gzip: so many MiB of them.
fn zeros(mebibytes: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    (0..mebibytes).for_each(|_| encoder.write_all(&[0; 1 << 20]).unwrap());
    encoder.finish().unwrap()
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_h6_a_small_archive_unpacks_to_little_for_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let bomb = zeros(100);
    let dumps = (0..4).map(|place| (format!("rec/proxies/p{place}.default/config_dump.json.gz"), bomb.clone()));
    let from = put(folder.path(), "bombs.tar.gz", &gzip(&tar(dumps)));
    let out = folder.path().join("out");
    for command in [&["record", out.to_str().unwrap()][..], &["chains"], &["check", "-A"]] {
        let (status, said, took, peak) = measured(&[command, &["--from", &from]].concat());
        assert!(matches!(status, 2 | 3) && said.contains("larger than 64 MiB"), "{command:?}: {status} {said}");
        assert!(peak < 300 && took < Duration::from_secs(20), "{command:?}: {peak} MiB, {took:?}");
    }
    // One file is too large for the archive that it is in.
    let from = put(folder.path(), "one.tar.gz", &gzip(&tar([("k8s/pods.json".to_owned(), vec![0; 65 << 20])])));
    let (status, said, ..) = measured(&["chains", "--from", &from]);
    assert!(status == 3 && said.contains("one.tar.gz: k8s/pods.json is larger than 64 MiB"), "{said}");
    // So are all its objects.
    let files = ["pods", "services"].map(|kind| (format!("rec/k8s/{kind}.json"), vec![b' '; 40 << 20]));
    let from = put(folder.path(), "objects.tar.gz", &gzip(&tar(files)));
    let (status, said, ..) = measured(&["mtls", "--from", &from]);
    assert!(status == 3 && said.contains("objects.tar.gz: k8s/ is larger than 64 MiB"), "{said}");
    // All files together are more than any archive may hold.
    let files = (0..9).map(|place| (format!("rec/logs/p{place}.default.a.log"), vec![0; 60 << 20]));
    let from = put(folder.path(), "many.tar.gz", &gzip(&tar(files)));
    let (status, said, ..) = measured(&["logs", "--from", &from]);
    assert!(status == 3 && said.contains("larger than 512 MiB"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_h6_many_dumps_that_resemble_each_other_are_read() {
    let crowd = support::crowd(250, |_, own| own.to_owned());
    let mut packed = tar::Builder::new(zstd::Encoder::new(Vec::new(), 3).unwrap());
    packed.append_dir_all("rec", crowd.path()).unwrap();
    let packed = packed.into_inner().unwrap().finish().unwrap();
    let size = packed.len();
    let folder = tempfile::tempdir().unwrap();
    let from = put(folder.path(), "crowd.tar.zst", &packed);
    let unpacked = zstd::decode_all(&packed[..]).unwrap().len();
    assert!(size < 1 << 20 && unpacked > 64 << 20, "{size} {unpacked}");
    let (status, said, took, peak) = measured(&["chains", "httpbin-249.default", "--from", &from]);
    assert!(status == 0 && peak < 300 && took < Duration::from_secs(20), "{status} {peak} MiB, {took:?}: {said}");
    let answer = |from: &str| {
        let mut answer = support::json(&["chains", "httpbin-249.default", "--from", from]);
        answer["proxies"].as_array_mut().into_iter().flatten().for_each(|proxy| proxy["tookMs"] = Value::Null);
        answer
    };
    assert_eq!(answer(&from), answer(crowd.path().to_str().unwrap()));
}

#[test]
fn hostile_h6_what_is_wrong_with_a_file_of_an_archive_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let whole = gzip(strict("").as_bytes());
    let mut damaged = whole.clone();
    damaged[10..20].fill(0xff);
    let again = "copy or compress the file again";
    for (bytes, what, fix) in [
        (damaged, "the gzip data is damaged", again),
        (whole[..whole.len() / 2].to_vec(), "the gzip data is cut short", again),
        (b"\x1f\x8b\x07".to_vec(), "the gzip data is", again),
        (b"\x28\xb5\x2f\xfd\xff\xff\xff".to_vec(), "the zstd data is", again),
        (gzip(&whole), "is compressed twice: what it unpacks to is gzip data", "unpack it once"),
    ] {
        let files = [
            ("k8s/namespaces.json", b"{\"items\": []}".to_vec()),
            ("k8s/pods.json.gz", bytes.clone()),
            ("logs/a.b.c.log.gz", bytes.clone()),
        ];
        let from = put(folder.path(), "rec.tar", &tar(files.map(|(name, bytes)| (name.to_owned(), bytes))));
        let logs = support::meshscope(&["logs", "-A", "--from", &from]);
        let logs = [logs.stdout, logs.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        let objects = ask(&["mtls", "--from", &from]).1;
        for (said, name) in [(&objects, "rec.tar: k8s/pods.json.gz"), (&logs, "rec.tar: logs/a.b.c.log.gz")] {
            assert!(said.contains(&format!("{name}{}{what}", if what.starts_with("is") { " " } else { ": " })), "{what}: {said}");
            assert!(!said.contains("local disk") && !said.contains("cannot be read: it is"), "{said}");
        }
        assert!(logs.lines().filter(|line| line.contains("logs/")).all(|line| line.matches(fix).count() == 1), "{logs}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_h6_the_time_for_an_archive_grows_with_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let time = |count: usize| {
        let dumps = (0..count).map(|place| (format!("rec/proxies/p{place}.default/config_dump.json"), b"{}".to_vec()));
        let from = put(folder.path(), "many.tar.gz", &gzip(&tar(dumps)));
        let (status, said, took, _) = measured(&["check", "-A", "--from", &from]);
        assert_eq!(status, 3, "{said}");
        took
    };
    let (small, large) = (time(3_000), time(12_000));
    assert!(large < small * 8 + Duration::from_secs(2), "{small:?}, then {large:?}");
    let links = (0..50_001).map(|place| (format!("rec/logs/{place}"), Vec::new()));
    let from = put(folder.path(), "links.tar.gz", &gzip(&tar(links)));
    let (status, said, ..) = measured(&["check", "--from", &from]);
    assert!(status == 3 && said.contains("more than 50000 entries"), "{said}");
}

#[test]
fn hostile_h11_where_there_is_no_config_dump_there_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let line = b"2026-11-23T19:37:41.500000Z\tinfo\tReady\n".to_vec();
    let log = |path: &str| (path.to_owned(), line.clone());
    let logs_alone = [log("bug-report/proxies/shop/orders-0/istio-proxy.log"), log("bug-report/istio/istio-system/istiod-5/discovery.log")];
    let other = [("bug-report/proxies/shop/orders-0/proxy.txt".to_owned(), b"x".to_vec()), log("bug-report/versions")];
    let report = put(folder.path(), "logs.tgz", &gzip(&tar(logs_alone.clone())));
    let nothing = put(folder.path(), "other.tgz", &gzip(&tar(other.clone())));
    for (name, bytes) in logs_alone.iter().chain(&other) {
        let root = if name.ends_with(".log") { "logs" } else { "other" };
        put(folder.path(), &format!("{root}/{name}"), bytes);
    }
    let unpacked = |root: &str| folder.path().join(root).join("bug-report").to_str().unwrap().to_owned();
    for (from, why) in [
        (&report, "it has only logs"),
        (&unpacked("logs"), "it has only logs"),
        (&nothing, "no folder with the name POD.NAMESPACE, but shop"),
        (&unpacked("other"), "no folder with the name POD.NAMESPACE, but shop"),
    ] {
        for command in [&["check", "-A"][..], &["chains"], &["health"], &["why", "default/a"], &["plugins"]] {
            let (status, said, _) = ask(&[command, &["--from", from]].concat());
            assert_eq!((status, said.contains(why)), (3, true), "{command:?} {from}: {said}");
        }
    }
    for from in [&report, &unpacked("logs")] {
        let output = support::meshscope(&["logs", "--from", from]);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!((output.status.code(), shown.matches("Ready").count()), (Some(0), 2), "{shown}");
    }
    // A folder for logs is none of them.
    let empty = put(folder.path(), "empty/logs/README", b"x");
    for command in ["logs", "check"] {
        let (status, said, _) = ask(&[command, "--from", empty.trim_end_matches("/logs/README")]);
        assert_eq!(status, 3, "{said}");
        assert!(said.contains("is no recording: it has neither k8s/ nor proxies/, and no log of a container in logs/, but logs"), "{said}");
    }
    // With the endings that some give the files of such an archive.
    let dump = support::files("permissive")["proxies/httpbin-664956bb75-9d64m.default/config_dump.json"].clone();
    let named = [("bug-report/proxies/default/httpbin-1/config_dump.json".to_owned(), dump)];
    let from = put(folder.path(), "named.tgz", &gzip(&tar(named)));
    assert_eq!(ask(&["chains", "--from", &from]).0, 0);
}

/// A recording under the names that `istioctl bug-report` gives its dumps and logs of proxies.
fn as_bug_report() -> impl Iterator<Item = (String, Vec<u8>)> {
    support::files("permissive").into_iter().filter_map(|(name, bytes)| {
        let parts: Vec<&str> = name.split('/').collect();
        let name = match parts.as_slice() {
            ["proxies", proxy, "config_dump.json"] => {
                proxy.rsplit_once('.').map(|(pod, namespace)| format!("proxies/{namespace}/{pod}/config_dump"))?
            }
            ["proxies", ..] | ["logs", ..] => return None,
            _ => name,
        };
        Some((name, bytes))
    })
}

/// Takes the states of plugins away: they rest on statistics, which the archive of a bug-report does not have.
fn without_states(answer: &mut Value) {
    match answer {
        Value::Array(entries) => entries.iter_mut().for_each(without_states),
        Value::Object(fields) => {
            if fields.contains_key("pluginKind") {
                fields.remove("state");
                fields.remove("stateNote");
            }
            fields.values_mut().for_each(without_states);
        }
        _ => {}
    }
}

#[test]
fn field_20_objects_that_were_added_to_a_bug_report_are_read_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let archive = put(folder.path(), "report.tar", &tar(as_bug_report()));
    as_bug_report().for_each(|(name, bytes)| drop(put(folder.path(), &format!("report/{name}"), &bytes)));
    let unpacked = folder.path().join("report");
    let plain = support::recording("permissive");
    for command in [&["chains", "-A"][..], &["mtls", "-A"], &["sync", "-A"]] {
        let answer = |from: &str| {
            let (status, said, mut answer) = ask(&[command, &["-o", "json", "--from", from]].concat());
            assert_eq!((status, answer.is_object()), (0, true), "{command:?}: {said}");
            answer.as_object_mut().unwrap().remove("warnings");
            without_states(&mut answer);
            answer
        };
        let expected = answer(plain.to_str().unwrap());
        assert_eq!(answer(&archive), expected, "{command:?}");
        assert_eq!(answer(unpacked.to_str().unwrap()), expected, "{command:?}");
    }
    // Also under a path that is relative.
    let mut relative = Command::new(env!("CARGO_BIN_EXE_meshscope"));
    let output = relative.args(["chains", "-A", "--from", "report"]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    #[cfg(unix)]
    {
        let pods = unpacked.join("k8s/pods.json");
        fs::remove_file(&pods).unwrap();
        std::os::unix::fs::symlink(&archive, &pods).unwrap();
        let (_, said, _) = ask(&["mtls", "-A", "--from", unpacked.to_str().unwrap()]);
        assert!(said.contains("k8s/pods.json is a link that leads out of the recording"), "{said}");
    }
}

const POLICY: &str = "peerauthentications.security.istio.io";

/// A List with the one policy that makes everything STRICT, and more metadata.
fn strict(about: &str) -> String {
    format!(
        r#"{{"kind": "List", "metadata": {{{about}}}, "items": [{{"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": {{"name": "a", "namespace": "default"}}, "spec": {{"mtls": {{"mode": "STRICT"}}}}}}]}}"#
    )
}

/// The mode of httpbin in force, and what is said, of a recording with these files of `k8s/`.
fn mode(files: &[(&str, &[u8])]) -> (Value, String) {
    let recording = support::folder("permissive", &[]);
    for (name, bytes) in files {
        put(recording.path(), &format!("k8s/{name}"), bytes);
    }
    let of = |from: &Path| {
        let (status, said, answer) = ask(&["mtls", "default/httpbin", "-o", "json", "--from", from.to_str().unwrap()]);
        assert_eq!(status, 0, "{said}");
        (answer["workloads"][0]["mode"].clone(), said)
    };
    let found = of(recording.path());
    // A copy says the same.
    let copy = recording.path().join("copy");
    let (status, said, _) = ask(&["record", copy.to_str().unwrap(), "--from", recording.path().to_str().unwrap()]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(of(&copy).0, found.0, "{said}");
    found
}

#[test]
fn field_20_objects_are_read_as_people_save_them() {
    let yaml = "kind: List\nitems:\n- apiVersion: security.istio.io/v1\n  kind: PeerAuthentication\n  metadata: {name: a, namespace: default}\n  spec: {mtls: {mode: STRICT}}\n";
    let manifests = "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: b, namespace: other}\n---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a, namespace: default}\nspec: {mtls: {mode: STRICT}}\n";
    let list = strict("");
    let wide = |mark: &[u8], unit: fn(u16) -> [u8; 2]| [mark, &list.encode_utf16().flat_map(unit).collect::<Vec<u8>>()].concat();
    for (ending, bytes) in [
        ("yaml", yaml.as_bytes().to_vec()),
        ("yml", manifests.as_bytes().to_vec()),
        ("yaml.gz", gzip(yaml.as_bytes())),
        ("json", yaml.as_bytes().to_vec()),
        ("json", [b"\xef\xbb\xbf", list.as_bytes()].concat()),
        ("json", wide(&[0xff, 0xfe], u16::to_le_bytes)),
        ("json", wide(&[0xfe, 0xff], u16::to_be_bytes)),
    ] {
        let (found, said) = mode(&[(&format!("{POLICY}.{ending}"), &bytes)]);
        assert_eq!(found, "STRICT", "{ending}: {said}");
        assert!(!said.contains("warning"), "{ending}: {said}");
    }
    // Every file of a recording may be saved so.
    let recording = support::folder("permissive", &[]);
    let syncz = recording.path().join("istiod/syncz.json");
    let before = support::json(&["sync", "-A", "--from", recording.path().to_str().unwrap()]);
    let text = String::from_utf8(fs::read(&syncz).unwrap()).unwrap();
    fs::write(&syncz, [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat()).unwrap();
    assert_eq!(support::json(&["sync", "-A", "--from", recording.path().to_str().unwrap()]), before);
}

#[test]
fn field_20_a_file_that_is_not_read_is_named_and_its_kind_unknown() {
    let list = strict("");
    for name in [
        "peerauthentications.json",
        "peerauthentication.yaml",
        "PeerAuthentications-1.json",
        "peerauthentications.v1.security.istio.io.json",
    ] {
        let (found, said) = mode(&[(name, list.as_bytes())]);
        assert!(found.is_null(), "{name}: {found}");
        assert!(said.contains(&format!("k8s/{name} is not read: a recording has them in k8s/{POLICY}.json")), "{name}: {said}");
    }
    for name in ["policies.json", "pods.txt", "pods-1.json", "services.serving.knative.dev.json"] {
        let (found, said) = mode(&[(name, b"{}")]);
        assert_eq!(found, "PERMISSIVE", "{name}: {said}");
        assert!(said.contains(&format!("k8s/{name}: it is not read")), "{name}: {said}");
    }
    for name in ["telemetries.telemetry.istio.io.json", "._pods.json", ".DS_Store"] {
        let (_, said) = mode(&[(name, b"{\"items\": []}")]);
        assert!(!said.contains("warning"), "{name}: {said}");
    }
}

#[test]
fn field_20_a_page_of_a_list_proves_nothing_of_the_rest() {
    for about in [r#""continue": "abc""#, r#""continue": "abc", "remainingItemCount": 5"#, r#""remainingItemCount": 5"#] {
        let (found, said) = mode(&[(&format!("{POLICY}.json"), strict(about).as_bytes())]);
        assert!(found.is_null(), "{about}: {found}");
        assert!(said.contains(&format!("k8s/{POLICY}.json is one page of a longer list")), "{about}: {said}");
    }
    let (found, said) = mode(&[(&format!("{POLICY}.json"), strict(r#""continue": "", "resourceVersion": "7""#).as_bytes())]);
    assert_eq!(found, "STRICT", "{said}");
    let empty = r#"{"kind": "List", "metadata": {"continue": "abc"}, "items": []}"#;
    assert!(mode(&[(&format!("{POLICY}.json"), empty.as_bytes())]).0.is_null());
}

#[cfg(unix)]
#[test]
fn field_20_a_link_to_nothing_is_named_and_its_kind_unknown() {
    let recording = support::folder("permissive", &[]);
    let link = |name: &str| {
        let path = recording.path().join(name);
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink("/nonexistent/x", path).unwrap();
    };
    link("k8s/peerauthentications.security.istio.io.json");
    link("logs/istiod.log");
    let from = recording.path().to_str().unwrap();
    let (status, said, answer) = ask(&["mtls", "default/httpbin", "-o", "json", "--from", from]);
    assert!(status == 0 && answer["workloads"][0]["mode"].is_null(), "{answer}");
    assert!(said.contains(&format!("{POLICY}.json is a link to something that is not there")), "{said}");
    let output = support::meshscope(&["logs", "--from", from]);
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(said.contains("istiod.log is a link to something that is not there"), "{said}");
    fs::rename(recording.path().join("k8s"), recording.path().join("moved")).unwrap();
    link("k8s");
    let (status, said, _) = ask(&["mtls", "--from", from]);
    assert!(status == 3 && said.contains("k8s is a link to something that is not there"), "{said}");
}

#[test]
fn field_20_what_macos_adds_to_an_archive_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let own = |name: &str| (name.to_owned(), b"\0\x05\x16\x07".to_vec());
    let files = support::files("permissive").into_iter().map(|(name, bytes)| (format!("rec/{name}"), bytes));
    let added =
        ["._rec", "__MACOSX/rec/._k8s", "rec/k8s/._pods.json", "rec/.DS_Store", "rec/proxies/.DS_Store", "rec/proxies/._a.b"].map(own);
    let from = put(folder.path(), "mac.tar", &tar(added.into_iter().chain(files)));
    let plain = support::recording("permissive");
    for command in [&["check", "-A"][..], &["chains", "-A"]] {
        let answer = |from: &str| ask(&[command, &["-o", "json", "--from", from]].concat());
        assert_eq!(answer(&from), answer(plain.to_str().unwrap()), "{command:?}");
    }
    let unpacked = support::folder("permissive", &[("proxies/.DS_Store", String::new()), ("proxies/._a.b", String::new())]);
    let (_, said, _) = ask(&["check", "-A", "--from", unpacked.path().to_str().unwrap()]);
    assert!(!said.contains("a.b"), "{said}");
}

#[test]
fn field_20_formats_that_are_not_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let dump = support::files("permissive")["proxies/httpbin-664956bb75-9d64m.default/config_dump.json"].clone();
    for (name, begin, what) in [
        ("rec.zip", &b"PK\x03\x04\x14\0"[..], "is a zip archive, which is not read; unpack it"),
        ("rec.tar.bz2", b"BZh91AY&SY", "is bzip2 data, which is not read; unpack it"),
        ("rec.tar.xz", b"\xfd7zXZ\0\0\x04", "is xz data, which is not read; unpack it"),
        ("istiod.log", b"BZh91AY&SY", "is bzip2 data"),
        ("rec.7z", b"7z\xbc\xaf\x27\x1c", "is a 7z archive"),
    ] {
        let bytes = [begin, &[7; 600]].concat();
        for (name, bytes) in [(name.to_owned(), bytes.clone()), (format!("{name}.gz"), gzip(&bytes))] {
            if name.ends_with(".log.gz") {
                continue;
            }
            let from = put(folder.path(), &name, &bytes);
            for command in ["chains", "logs"] {
                let (status, said, _) = ask(&[command, "--from", &from]);
                assert!(status == 3 && said.contains(what) && said.lines().count() == 1, "{command} {name}: {status} {said}");
            }
        }
    }
    let twice = gzip(&gzip(&dump));
    for (name, bytes) in [("dump.json.gz", twice.clone()), ("rec.tar.gz", gzip(&gzip(&tar([("k8s/pods.json".to_owned(), dump)]))))] {
        let (status, said, _) = ask(&["chains", "--from", &put(folder.path(), name, &bytes)]);
        assert!(status == 3 && said.contains("is compressed twice") && said.contains("unpack it once"), "{name}: {said}");
    }
    let (_, said, _) = ask(&["logs", "--from", &put(folder.path(), "a.log.gz", &twice)]);
    assert!(said.contains("a.log.gz is compressed twice: what it unpacks to is gzip data; unpack it once"), "{said}");
    assert!(said.matches("unpack it once").count() == 1 && !said.contains("local disk"), "{said}");
    let inner = tar([("proxies/a.b/config_dump.json.gz".to_owned(), twice)]);
    let (status, said, _) = ask(&["chains", "--from", &put(folder.path(), "inner.tar", &inner)]);
    assert!(status == 3 && said.contains("is compressed twice"), "{said}");
}
