//! Files as a source: every kind of input is read, and every fault is one line that names the file and what to do.
#![allow(clippy::unwrap_used)] // A test that cannot set up its files should stop there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use meshscope::model::envoy::DumpView;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use meshscope::model::update::{Health, Update};
use meshscope::source::demo::{Demo, SCENES};
use meshscope::source::files::Files;
use meshscope::source::{FailureKind, LogRequest, ProxyQuestion, ProxyRequest, Reply, Source, SourceError, SourceKind};
use tempfile::TempDir;

const HTTPBIN: &str = "httpbin-664956bb75-9d64m.default";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(format!("{name}.tar.zst"))
}

fn tar_of(name: &str) -> Vec<u8> {
    zstd::decode_all(fs::File::open(fixture(name)).unwrap()).unwrap()
}

/// A recording as a folder.
fn folder(name: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    tar::Archive::new(tar_of(name).as_slice()).unpack(dir.path()).unwrap();
    dir
}

fn write(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

async fn updates(source: &dyn Source) -> Vec<Update> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
    let watch = tokio::spawn(source.watch(sender));
    let mut all = Vec::new();
    while let Some(update) = receiver.recv().await {
        all.push(update);
    }
    watch.await.unwrap();
    all
}

fn count(updates: &[Update], wanted: Kind) -> Option<usize> {
    updates.iter().find_map(|update| match update {
        Update::Listed { kind, objects, .. } if *kind == wanted => Some(objects.len()),
        _ => None,
    })
}

fn unread(updates: &[Update], wanted: Option<Kind>) -> Vec<String> {
    let all = updates.iter().filter_map(|update| if let Update::Unread(unread) = update { Some(unread) } else { None });
    all.filter(|unread| unread.kind == wanted).map(|unread| format!("{}: {}; {}", unread.what, unread.why, unread.fix)).collect()
}

async fn ask(source: &dyn Source, proxy: &str, question: ProxyQuestion) -> Result<Reply, SourceError> {
    let proxy = ProxyId::parse(proxy).unwrap_or_else(|| ProxyId::new(proxy, ""));
    let request =
        ProxyRequest { proxy, container: "istio-proxy".to_owned(), admin_port: 15000, question, deadline: Duration::from_secs(5) };
    source.proxy(request).await
}

fn refused(path: &Path) -> SourceError {
    let error = Files::open(path).err().unwrap_or_else(|| panic!("{path:?} is not refused"));
    let line = error.to_string();
    assert!(!line.contains('\n') && !error.fix.is_empty(), "{line}");
    assert!(line.contains(path.file_name().unwrap().to_str().unwrap()), "{line}");
    error
}

#[tokio::test]
async fn a_folder_and_an_archive_say_the_same() {
    let folder = folder("permissive");
    let mut said = Vec::new();
    for source in [Files::open(folder.path()).unwrap(), Files::open(&fixture("permissive")).unwrap()] {
        assert_eq!(source.info().kind, SourceKind::Recording);
        assert_eq!(source.proxies().iter().map(ToString::to_string).collect::<Vec<_>>(), [HTTPBIN, "sleep-5c4597b769-9hvcz.default"]);
        let updates = updates(&source).await;
        assert!(matches!(updates.last(), Some(Update::Health(Health::Fixed))));
        assert_eq!(count(&updates, Kind::WasmPlugin), Some(1));
        assert_eq!(count(&updates, Kind::MeshConfigMap), Some(1));
        assert_eq!(count(&updates, Kind::EnvoyFilter), Some(0), "a kind without a file has no objects");
        assert!(count(&updates, Kind::Pod).unwrap() > 2);
        assert!(updates.iter().any(|update| matches!(update, Update::Istiods(all) if all[0].version == "1.31-alpha.eed52ebb66ad")));
        assert_eq!(unread(&updates, None), Vec::<String>::new());
        said.push(format!("{updates:?}"));
    }
    assert!(said[0] == said[1]);
}

#[tokio::test]
async fn every_question_has_its_file() {
    let source = Files::open(&fixture("permissive")).unwrap();
    for (question, start) in [
        (ProxyQuestion::Chains, "{"),
        (ProxyQuestion::WholeDump, "{"),
        (ProxyQuestion::InitDump, "{"),
        (ProxyQuestion::ServerInfo, "{"),
        (ProxyQuestion::Certs, "{"),
        (ProxyQuestion::Logging, "active loggers:"),
        (ProxyQuestion::Stats, "# TYPE"),
        (ProxyQuestion::AgentStats, "# HELP"),
    ] {
        let reply = ask(&source, HTTPBIN, question).await.unwrap();
        assert!(reply.bytes.starts_with(start.as_bytes()), "{question:?}");
        assert_eq!((reply.way, reply.view), ("file", DumpView::Proxy));
    }
    for path in ["/version", "/debug/syncz", "debug/connections", "/debug/instancesz", &format!("/debug/config_dump?proxyID={HTTPBIN}")] {
        let replies = source.istiod(path.to_owned()).await.unwrap().replies;
        assert_eq!((replies.len(), replies[0].1.view), (1, DumpView::Istiod), "{path}");
    }
    assert_eq!(source.istiod("/debug/ndsz".to_owned()).await.unwrap_err().kind, FailureKind::Missing);
    for (pod, container) in [(HTTPBIN, "istio-proxy"), ("istiod-66c44df5f5-bspp2.istio-system", "discovery")] {
        let log = source.log(LogRequest { pod: ProxyId::parse(pod).unwrap(), container: container.to_owned() }).await.unwrap();
        assert!(log.bytes.starts_with(b"2026-"), "{pod}");
    }
    let resources = source.recordable().await.unwrap();
    assert!(resources.contains(&"deployments.apps".to_owned()) && resources.contains(&"configmaps".to_owned()), "{resources:?}");
    for resource in resources {
        source.list(resource.clone()).await.unwrap_or_else(|error| panic!("{resource}: {error}"));
    }
    let error = ask(&source, "nobody.default", ProxyQuestion::Stats).await.unwrap_err();
    assert_eq!(
        (error.kind, error.to_string().as_str()),
        (FailureKind::Missing, "proxies/nobody.default/stats.prom is not in the recording")
    );
}

#[tokio::test]
async fn istiods_view_stands_in_for_a_dump_that_is_not_there() {
    let dir = folder("permissive");
    for proxy in [HTTPBIN, "sleep-5c4597b769-9hvcz.default"] {
        fs::remove_file(dir.path().join("proxies").join(proxy).join("config_dump.json")).unwrap();
    }
    let source = Files::open(dir.path()).unwrap();
    let reply = ask(&source, "sleep-5c4597b769-9hvcz.default", ProxyQuestion::Chains).await.unwrap();
    assert_eq!((reply.view, reply.tried.len()), (DumpView::Istiod, 1), "a fall-back is said");
    let error = ask(&source, HTTPBIN, ProxyQuestion::Chains).await.unwrap_err();
    assert!(error.to_string().contains("is an error of istiod"), "{error}");
    ask(&source, "sleep-5c4597b769-9hvcz.default", ProxyQuestion::WholeDump).await.unwrap_err();
}

#[tokio::test]
async fn files_of_a_folder_may_be_compressed() {
    let dir = folder("strict");
    let plain = updates(&Files::open(dir.path()).unwrap()).await;
    let dump = dir.path().join("proxies").join(HTTPBIN).join("config_dump.json");
    let before = fs::read(&dump).unwrap();
    for (name, gz) in [("k8s/pods.json", true), ("k8s/wasmplugins.extensions.istio.io.json", false), ("istiod/version.txt", true)] {
        let path = dir.path().join(name);
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        if gz {
            write(&dir, &format!("{name}.gz"), &gzip(&bytes))
        } else {
            write(&dir, &format!("{name}.zst"), &zst(&bytes))
        };
    }
    fs::remove_file(&dump).unwrap();
    fs::write(dump.with_extension("json.zst"), zst(&before)).unwrap();
    let source = Files::open(dir.path()).unwrap();
    assert_eq!(format!("{plain:?}"), format!("{:?}", updates(&source).await));
    assert_eq!(ask(&source, HTTPBIN, ProxyQuestion::Chains).await.unwrap().bytes, before);
    assert!(source.recordable().await.unwrap().contains(&"pods".to_owned()));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

#[tokio::test]
async fn a_lone_dump_is_read_whatever_its_compression() {
    let dir = tempfile::tempdir().unwrap();
    let dump = b"{\"configs\": []}".repeat(100);
    for (name, bytes) in [("a.json", dump.clone()), ("a.json.gz", gzip(&dump)), ("a.json.zst", zst(&dump)), ("a", zst(&dump))] {
        let source = Files::open(&write(&dir, name, &bytes)).unwrap();
        assert_eq!(source.info().kind, SourceKind::Dump);
        assert_eq!(source.proxies(), [ProxyId::new("a", "")], "{name}");
        assert!(matches!(updates(&source).await.as_slice(), [Update::Health(Health::Fixed)]));
        assert_eq!(ask(&source, "whoever", ProxyQuestion::Chains).await.unwrap().bytes, dump);
        assert_eq!(ask(&source, "whoever", ProxyQuestion::Stats).await.unwrap_err().kind, FailureKind::Missing);
        assert_eq!(source.istiod("/version".to_owned()).await.unwrap_err().kind, FailureKind::Missing);
    }
}

#[tokio::test]
async fn archives_are_read_in_every_wrapping() {
    let dir = tempfile::tempdir().unwrap();
    let tar = tar_of("gateway");
    for (name, bytes) in [("r.tar", tar.clone()), ("r.tar.gz", gzip(&tar)), ("r.tgz", gzip(&tar)), ("r", zst(&tar))] {
        let source = Files::open(&write(&dir, name, &bytes)).unwrap();
        assert_eq!((source.info().kind, source.proxies().len()), (SourceKind::Recording, 3), "{name}");
    }
    // As `tar cf r.tar recording/` packs it.
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all("recording", folder("gateway").path()).unwrap();
    let source = Files::open(&write(&dir, "wrapped.tar", &builder.into_inner().unwrap())).unwrap();
    assert_eq!(count(&updates(&source).await, Kind::Gateway), Some(1));
}

#[tokio::test]
async fn a_recording_without_objects_still_has_proxies() {
    let source = Files::open(&fixture("scale")).unwrap();
    assert_eq!(source.info().kind, SourceKind::Dump);
    assert_eq!(source.proxies(), [ProxyId::new("httpbin-7fc7459459-qslhd", "default")]);
    assert!(matches!(updates(&source).await.as_slice(), [Update::Health(Health::Fixed)]), "nothing is claimed about objects");
}

#[tokio::test]
async fn what_could_not_be_recorded_is_said() {
    let dir = folder("disable");
    let unread_file = br#"[{"kind": "Sidecar", "why": "forbidden"}, {"kind": "services", "why": "only in default"},
        {"kind": "proxy gone.default", "why": "no answer"}]"#;
    write(&dir, "k8s/unread.json", unread_file);
    write(&dir, "unfinished.txt", b"");
    let updates = updates(&Files::open(dir.path()).unwrap()).await;
    assert_eq!(count(&updates, Kind::Sidecar), None);
    assert_eq!(unread(&updates, Some(Kind::Sidecar)), ["sidecars.networking.istio.io: forbidden; record again with the right to read it"]);
    assert!(count(&updates, Kind::Service).unwrap() > 0);
    let general = unread(&updates, None).join("\n");
    for part in ["the recording: its writing was interrupted", "services: only in default", "proxy gone.default: no answer"] {
        assert!(general.contains(part), "{general}");
    }
}

#[tokio::test]
async fn a_bad_file_of_a_recording_is_named_and_the_rest_goes_on() {
    let dir = folder("permissive");
    write(&dir, "k8s/pods.json", b"{\"items\": [\n{]}");
    write(&dir, "k8s/services.json", b"");
    write(&dir, "k8s/deployments.json", b"[1, 2]");
    write(&dir, "k8s/namespaces.json", br#"{"kind": "Namespace"}"#);
    write(&dir, "k8s/sidecars.networking.istio.io.json.zst", &zst(b"{\"items\": []}")[..6]);
    write(&dir, "k8s/unread.json", b"{}");
    let updates = updates(&Files::open(dir.path()).unwrap()).await;
    for (kind, part) in [
        (Kind::Pod, "k8s/pods.json is not JSON: key must be a string at line 2 column 2"),
        (Kind::Service, "k8s/services.json is empty"),
        (Kind::Deployment, "k8s/deployments.json is not a Kubernetes List, but another kind of JSON"),
        (Kind::Namespace, "k8s/namespaces.json is not a Kubernetes List: it has no `items`"),
        (Kind::Sidecar, "the zstd data is cut short"),
    ] {
        let said = unread(&updates, Some(kind)).join("");
        assert!(said.contains(part), "{said}");
    }
    assert!(unread(&updates, None).join("").contains("k8s/unread.json is not a list"));
    assert_eq!(count(&updates, Kind::WasmPlugin), Some(1));
}

#[test]
fn every_fault_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let tar = tar_of("permissive");
    assert_eq!(refused(&dir.path().join("nothing.json")).kind, FailureKind::Missing);
    let mut cut_bytes = tar.clone();
    cut_bytes.truncate(tar.len() / 2 / 512 * 512 + 100);
    let mut link = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    link.append_link(&mut header, "k8s/pods.json", "/etc/passwd").unwrap();
    let mut escape = tar::Header::new_gnu();
    escape.set_size(0);
    escape.as_old_mut().name[..9].copy_from_slice(b"k8s/../..");
    escape.set_cksum();
    let mut outside = tar::Builder::new(Vec::new());
    outside.append(&escape, std::io::empty()).unwrap();
    let mut other = tar::Builder::new(Vec::new());
    let mut readme = tar::Header::new_gnu();
    readme.set_size(0);
    other.append_data(&mut readme, "README", std::io::empty()).unwrap();
    for (name, bytes, part) in [
        ("empty.json", Vec::new(), "is empty; save the dump again"),
        ("empty.json.gz", gzip(b""), "is empty; save the dump again"),
        ("cut.json.gz", gzip(&tar)[..5000].to_vec(), "the gzip data is cut short; copy or compress the file again"),
        ("cut.json.zst", zst(&tar)[..5000].to_vec(), "the zstd data is cut short; copy or compress the file again"),
        ("fake.json.zst", b"{}".to_vec(), "is not zstd data"),
        ("fake.json.gz", b"{}".to_vec(), "is not gzip data"),
        ("cut.tar", cut_bytes, "the tar archive is broken: its end is missing"),
        ("boundary.tar", tar[..512].to_vec(), "the tar archive is broken: its end is missing"),
        ("text.tar", b"{}".repeat(300), "the tar archive is broken"),
        ("link.tar", link.into_inner().unwrap(), "\"k8s/pods.json\" is a link or a device"),
        ("outside.tar", outside.into_inner().unwrap(), "\"k8s/../..\" leads outside of the archive"),
        ("other.tar", other.into_inner().unwrap(), "is no recording: it has none of k8s/, proxies/ and logs/"),
    ] {
        let error = refused(&write(&dir, name, &bytes));
        assert_eq!(error.kind, FailureKind::BadInput, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    fs::create_dir(dir.path().join("folder")).unwrap();
    let error = refused(&dir.path().join("folder"));
    assert!(error.to_string().contains("is no recording: it is empty; give a folder"), "{error}");
}

#[test]
fn damaged_archives_never_panic() {
    let dir = tempfile::tempdir().unwrap();
    let tar = tar_of("eras/1.12.0/strict-v4");
    let packed = zst(&tar);
    for at in (0..tar.len()).step_by(997) {
        let mut bytes = tar.clone();
        bytes[at] ^= 0x5a;
        let _ = Files::open(&write(&dir, "damaged.tar", &bytes));
        let _ = Files::open(&write(&dir, "damaged.tar.zst", &packed[..at % packed.len()]));
    }
}

/// A header may claim a size that the archive does not have.
#[test]
fn an_entry_that_claims_too_much_is_refused() {
    let mut header = tar::Header::new_gnu();
    header.set_path("k8s/pods.json").unwrap();
    header.set_size(u64::MAX / 2);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend([0; 1024]);
    let dir = tempfile::tempdir().unwrap();
    assert!(refused(&write(&dir, "claims.tar", &bytes)).to_string().contains("the tar archive is broken"));
}

#[tokio::test]
async fn a_gibibyte_of_nothing_is_handed_on_fast_and_not_copied() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("zeros.json");
    fs::File::create(&path).unwrap().set_len(400 << 20).unwrap();
    let started = Instant::now();
    let source = Files::open(&path).unwrap();
    assert!(started.elapsed() < Duration::from_millis(100), "opening reads no more than the start");
    let reply = ask(&source, "zeros", ProxyQuestion::Chains).await.unwrap();
    assert_eq!(reply.bytes.len(), 400 << 20);
    #[cfg(target_os = "linux")]
    {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib < 600 << 10, "peak of {kib} KiB");
    }
    // And a bomb: little on the disk, more than the cap when unpacked.
    let file = fs::File::create(dir.path().join("bomb.zst")).unwrap();
    let mut encoder = zstd::Encoder::new(file, 1).unwrap();
    let block = vec![0; 1 << 20];
    for _ in 0..513 {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap();
    drop((reply, block));
    assert!(refused(&dir.path().join("bomb.zst")).to_string().contains("is larger than 512 MiB"));
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "locked.json", b"{}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read everything.
    if fs::File::open(&path).is_err() {
        assert_eq!(refused(&path).kind, FailureKind::Forbidden);
    }
}

#[tokio::test]
async fn names_never_lead_out_of_a_recording() {
    let dir = folder("permissive");
    let source = Files::open(&dir.path().join("k8s/..")).unwrap();
    for proxy in ["../../k8s.default", "/etc.default"] {
        ask(&source, proxy, ProxyQuestion::Chains).await.unwrap_err();
    }
    source.list("../proxies".to_owned()).await.unwrap_err();
    source.istiod("/debug/../k8s/pods".to_owned()).await.unwrap_err();
}

#[tokio::test]
async fn the_demo_has_three_scenes() {
    for (scene, policies) in [(0, 0), (1, 1), (2, 1)] {
        let demo = Demo::new(scene).unwrap();
        assert_eq!((demo.scene(), demo.info().kind, demo.info().scenes), (scene, SourceKind::Demo, SCENES));
        let updates = updates(&demo).await;
        assert_eq!(count(&updates, Kind::PeerAuthentication), Some(policies));
        ask(&demo, HTTPBIN, ProxyQuestion::Chains).await.unwrap();
        assert_eq!(demo.proxies().len(), 2);
    }
    assert_eq!(Demo::new(7).unwrap().scene(), 0);
}

#[tokio::test]
async fn a_reader_that_leaves_ends_the_reading() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let watch = tokio::spawn(Demo::new(0).unwrap().watch(sender));
    receiver.recv().await.unwrap();
    drop(receiver);
    tokio::time::timeout(Duration::from_secs(5), watch).await.unwrap().unwrap();
}
