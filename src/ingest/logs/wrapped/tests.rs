//! Lines as tools save them, one way after the other.

use super::*;

const OWN: &str = "2023-05-10T03:16:18.100000Z\tinfo\twasm\tfetching";

fn own() -> Arc<LogOrigin> {
    let pod = ProxyId::new("file", "");
    Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".to_owned(), workload: None })
}

/// Whose each line is, when it came and its text.
fn read(file: &str) -> Vec<(String, Option<LogTime>, String)> {
    let (mut unwrapper, mut found) = (Unwrapper::new(own()), Vec::new());
    let mut take = |line: LogLine| found.push((format!("{}/{}", line.origin.pod, line.origin.container), line.time, line.text));
    file.split('\n').for_each(|line| unwrapper.push(line, false, &mut take));
    unwrapper.flush(&mut take);
    found
}

fn at(text: &str) -> Option<LogTime> {
    time::of_store(text)
}

#[test]
fn whose_a_line_is_and_when_it_came_is_taken_from_around_it() {
    let docker = r#"{"log":"2023-05-10T03:16:18.100000Z\tinfo\twasm\tfetching\n","stream":"stderr","time":"2023-05-10T03:16:18.2Z"}"#;
    let elastic = r#"{"_index":"a","_source":{"@timestamp":"2023-05-10T03:16:18.2Z","message":"2023-05-10T03:16:18.100000Z\tinfo\twasm\tfetching","kubernetes":{"pod":{"name":"web-1"},"namespace":"shop","container":{"name":"istio-proxy"}}}}"#;
    let victoria = r#"{"_msg":"2023-05-10T03:16:18.100000Z\tinfo\twasm\tfetching","_time":"2023-05-10T03:16:18.2Z","_stream":"{pod=\"web-1\",namespace=\"shop\",container=\"istio-proxy\"}"}"#;
    let fluent = r#"{"date":1683688578.2,"log":"2023-05-10T03:16:18.100000Z\tinfo\twasm\tfetching","kubernetes":{"pod_name":"web-1","namespace_name":"shop","container_name":"istio-proxy"}}"#;
    let loki = r#"{"line":"2023-05-10T03:16:18.100000Z\tinfo\twasm\tfetching","timestamp":"1683688578200000000","fields":{"pod":"web-1","namespace":"shop","container":"istio-proxy"}}"#;
    let (file, pod, whole) = ("file/istio-proxy", "web-1/istio-proxy", "web-1.shop/istio-proxy");
    let came = "2023-05-10T03:16:18.2Z";
    for (line, whose, time) in [
        (format!("[pod/web-1/istio-proxy] {OWN}"), pod, None),
        (format!("[pod/web-1/istio-proxy] 2023-05-10T03:16:18.200000000Z {OWN}"), pod, Some(came)),
        (format!("[web-1 istio-proxy] {OWN}"), pod, None),
        (format!("web-1 istio-proxy {OWN}"), pod, None),
        (format!("web-1 istio-proxy 2023-05-10T03:16:18.200000000Z {OWN}"), pod, Some(came)),
        (format!("shop web-1 istio-proxy {OWN}"), whole, None),
        (format!("\u{1b}[36mweb-1\u{1b}[0m \u{1b}[96mistio-proxy\u{1b}[0m {OWN}"), pod, None),
        (format!("shop/web-1[istio-proxy]: {OWN}"), whole, None),
        (format!("2023-05-10T03:16:18.2Z stdout F {OWN}\r"), file, Some(came)),
        (format!("2023-05-10T05:16:18+02:00\t{OWN}"), file, None),
        (format!("1683688578200\t2023-05-10T03:16:18.200Z\t{OWN}"), file, None),
        (format!("2023-05-10T03:16:18Z {{namespace=\"shop\", pod=\"web-1\", container=\"istio-proxy\"}} {OWN}"), whole, None),
        (docker.to_owned(), file, Some(came)),
        (elastic.to_owned(), whole, None),
        (victoria.to_owned(), whole, None),
        (fluent.to_owned(), whole, None),
        (loki.to_owned(), whole, None),
        (format!("{OWN}\r"), file, None),
        (format!("\u{1b}[33m{OWN}\u{1b}[0m"), file, None),
    ] {
        assert_eq!(read(&line), [(whose.to_owned(), time.and_then(at), OWN.to_owned())], "{line}");
        assert!(begins_wrapped(&line), "{line}");
    }
}

#[test]
fn parts_are_put_together() {
    let (start, end) = OWN.split_at(40);
    let cri = format!("2023-05-10T03:16:18Z stdout P {start}\n2023-05-10T03:16:18Z stderr F other\n2023-05-10T03:16:18Z stdout F {end}");
    let texts = |file: &str| read(file).into_iter().map(|(_, _, text)| text).collect::<Vec<_>>();
    assert_eq!(texts(&cri), ["other", OWN]);
    let docker = |text: &str, end: &str| {
        serde_json::json!({"log": format!("{text}{end}"), "stream": "stdout", "time": "2023-05-10T03:16:18Z"}).to_string()
    };
    assert_eq!(texts(&[docker(start, ""), docker(end, "\n"), docker(OWN, "\n")].join("\n")), [OWN, OWN]);
    // Where no line has an end, each is whole.
    assert_eq!(texts(&[docker(OWN, ""), docker("\tmore", ""), docker(OWN, "")].join("\n")), [OWN, "\tmore", OWN]);
    assert_eq!(texts(&[docker(OWN, "\n"), docker(OWN, "")].join("\n")), [OWN, OWN]);
    let cut = format!("2023-05-10T03:16:18Z stdout P {}\n", "x".repeat(LONGEST)).repeat(3);
    assert!(texts(&cut).iter().all(|text| text.len() <= LONGEST));
}

#[test]
fn no_more_than_so_many_lines_wait_for_their_ends() {
    let part = |pod: usize, tag: &str, text: &str| format!("[pod/web-{pod}/istio-proxy] 2023-05-10T03:16:18Z stdout {tag} {text}");
    let (mut unwrapper, mut found) = (Unwrapper::new(own()), Vec::new());
    let mut push = |line: &str| {
        unwrapper.push(line, false, |line| found.push((line.origin.pod.pod.clone(), line.text)));
        assert!(unwrapper.parts.len() <= MOST);
    };
    (0..MOST + 2).for_each(|pod| push(&part(pod, "P", "start")));
    // Those that wait are whole with their ends; of the others each part is a line.
    push(&part(0, "F", " end"));
    push(&part(MOST, "F", " end"));
    unwrapper.flush(|line| found.push((line.origin.pod.pod.clone(), line.text)));
    assert_eq!(found.len(), MOST + 3);
    let texts: Vec<&str> = found[..4].iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["start", "start", "start end", " end"]);
    assert_eq!((&found[2].0, &found[4].0), (&"web-0".to_owned(), &"web-1".to_owned()));
    assert!(found[4..].iter().all(|(_, text)| text == "start"));
}

#[test]
fn the_lines_of_a_record_stay_with_their_pod() {
    let file =
        format!("web-1 istio-proxy {OWN}\nweb-2 istio-proxy {OWN}\nweb-1 istio-proxy \tat main\nnot known\nweb-3 istio-proxy no record");
    let found: Vec<_> = read(&file).into_iter().map(|(whose, _, text)| (whose, text)).collect();
    let expected = [("web-1", OWN), ("web-2", OWN), ("web-1", "\tat main"), ("file", "not known"), ("file", "web-3 istio-proxy no record")];
    assert_eq!(found, expected.map(|(pod, text)| (format!("{pod}/istio-proxy"), text.to_owned())));
}

#[test]
fn rows_of_csv_are_lines() {
    let file = format!("\"Time\",\"Line\",\"pod\"\n1683688578200,\"{OWN}\",web-1\n1683688578200,\"panic: \"\"x\"\"\n\tat main\",web-1");
    let found: Vec<_> = read(&file).into_iter().map(|(whose, _, text)| (whose, text)).collect();
    assert_eq!(found, [OWN, "panic: \"x\"", "\tat main"].map(|text| ("web-1/istio-proxy".to_owned(), text.to_owned())));
    assert!(is_log(&file));
}

#[test]
fn what_is_a_programs_own_is_left_as_it_is() {
    let ztunnel =
        r#"{"level":"info","time":"2024-04-12T10:17:44.080629Z","scope":"access","message":"connection complete","src.addr":"1:1"}"#;
    let istio = r#"{"level":"info","time":"2024-04-12T10:17:44.080629Z","msg":"a","line":"b","pod":"c"}"#;
    let stackdriver = r#"{"severity":"INFO","timestamp":"2024-04-12T10:17:44.080629Z","message":"plain"}"#;
    for line in [
        ztunnel,
        istio,
        stackdriver,
        OWN,
        "two words",
        "[mcp-server] [] [nil] text",
        "[a b] text",
        "2024-01-05T10:00:08.000Z GET /z 200 a",
        "{}",
    ] {
        assert_eq!(read(line), [("file/istio-proxy".to_owned(), None, line.to_owned())]);
        assert!(!Unwrapper::new(own()).hides(OWN.as_bytes()));
    }
}

#[test]
fn a_log_shows_by_how_it_begins() {
    for log in [
        OWN,
        "Defaulted container\n[2024-01-05T10:00:08.000Z] \"GET / HTTP/1.1\" 200 -\nx",
        "[{\"line\":\"a\",\"timestamp\":\"1\"",
        "{\"log\":\"a\\n\",\"stream\"",
    ] {
        assert!(is_log(log), "{log}");
    }
    for other in
        ["{\"configs\":[{\"@type\":\"a\",\"log\":\"b\"", "", "HTTP/1.1 200 OK\n\n{\"configs\"", "{\n \"configs\"", "apiVersion: v1\n"]
    {
        assert!(!is_log(other), "{other}");
    }
}
