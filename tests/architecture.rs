//! Holds the layers of the program: who may know whom, and how large a file may grow.

use std::path::{Path, PathBuf};

/// A source file: its path below the repository, and its text without line comments and without its tests.
struct Source {
    path: String,
    text: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(read(root, path));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 50, "the sources are found");
    found
}

fn read(root: &Path, path: PathBuf) -> Source {
    let whole = std::fs::read_to_string(&path).unwrap();
    let code = whole.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let text: Vec<&str> = code.lines().map(|line| line.split("//").next().unwrap()).collect();
    let path = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
    Source { path, text: text.join("\n"), lines: whole.lines().count() }
}

/// Asserts that no file of these folders holds any of these words.
fn never(folders: &[&str], words: &[&str], why: &str) {
    let mut offences = Vec::new();
    for source in sources() {
        let within =
            folders.iter().any(|folder| source.path.starts_with(&format!("src/{folder}/")) || source.path == format!("src/{folder}.rs"));
        if within && !source.path.ends_with("/tests.rs") {
            offences.extend(words.iter().filter(|word| source.text.contains(**word)).map(|word| format!("{} names {word}", source.path)));
        }
    }
    assert!(offences.is_empty(), "{why}:\n{}", offences.join("\n"));
}

#[test]
fn the_inner_stages_do_no_io_and_read_no_clock() {
    let outside = [
        "ratatui",
        "crossterm",
        "kube::",
        "k8s_openapi",
        "tokio",
        "tonic",
        "hyper",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::time::Instant",
        "SystemTime",
        "Timestamp::now",
        "crate::clock",
    ];
    never(&["model", "ingest", "analysis"], &outside, "model, ingest and analysis are pure");
}

#[test]
fn answers_are_computed_in_analysis_alone() {
    let below = [
        "crate::ingest",
        "crate::source::cluster",
        "crate::source::files",
        "ConfigDump",
        "FilterChain",
        "attachment::attach",
        "near_miss::near_miss",
        "mtls::effective",
        "mtls::of_pod",
    ];
    never(&["report", "ui"], &below, "report and ui show answers and compute none");
}

#[test]
fn nothing_below_the_program_knows_of_it() {
    never(
        &["model", "ingest", "analysis", "source", "report", "fetch", "level", "logs"],
        &["crate::app", "crate::ui", "crate::command"],
        "data flows one way",
    );
    never(&["model"], &["crate::ingest", "crate::analysis", "crate::source", "crate::report"], "the nouns know nobody");
    never(&["ingest"], &["crate::analysis", "crate::source", "crate::report"], "understanding comes before answering");
    never(&["analysis"], &["crate::source", "crate::report"], "answers know neither where data comes from nor how they are shown");
    never(
        &["source"],
        &["crate::analysis", "crate::report", "ingest::config_dump", "ingest::kubernetes"],
        "sources hand on what they read",
    );
    never(&["app"], &["crate::ui", "ratatui::widgets"], "the program's state has no widgets");
}

#[test]
fn raw_text_is_made_by_redaction_alone() {
    for source in sources().iter().filter(|source| !source.path.starts_with("src/ingest/redact")) {
        assert!(!source.text.contains("RawJson::whole"), "{} makes raw text that redaction has not seen", source.path);
    }
}

#[test]
fn time_is_read_in_one_place() {
    let readers = ["Instant::now", "SystemTime::now", "Timestamp::now"];
    let others: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.path != "src/clock.rs" && readers.iter().any(|reader| source.text.contains(reader)))
        .map(|source| source.path)
        .collect();
    assert!(others.is_empty(), "only src/clock.rs reads time: {others:?}");
}

#[test]
fn files_stay_small() {
    let mut lines: Vec<usize> = Vec::new();
    for source in sources() {
        assert!(source.lines <= 300, "{} has {} lines: split it, or give a reason here", source.path, source.lines);
        lines.push(source.lines);
    }
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    assert!((60..=220).contains(&median), "the median file has {median} lines");
    let main = sources().into_iter().find(|source| source.path == "src/main.rs").unwrap();
    assert!(main.lines < 80, "the binary is thin");
}

#[test]
fn every_file_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for source in sources() {
        let text = std::fs::read_to_string(root.join(&source.path)).unwrap();
        assert!(text.starts_with("//! "), "{} begins without saying what it is for", source.path);
        for word in ["TODO", "FIXME", "todo!(", "unimplemented!("] {
            assert!(!source.text.contains(word), "{} holds {word}", source.path);
        }
    }
}

#[test]
fn all_output_is_printable() {
    let writers = ["src/command/mod.rs", "src/command/logs.rs", "src/app/terminal.rs"];
    for source in sources() {
        let writes = ["io::stdout().lock", "io::stderr()", "print!(", "println!("].iter().any(|word| source.text.contains(word));
        assert!(!writes || writers.contains(&source.path.as_str()), "{} writes to the terminal itself", source.path);
    }
    never(
        &["command", "app", "ui", "logs"],
        &["report::form", ".markdown()", ".sarif()", ".junit()"],
        "forms leave report as printable pages",
    );
    never(&["report"], &["\\x1b", "\\u{1b}"], "colours are marks until a form is a page");
    let command = sources().into_iter().find(|source| source.path == "src/command/mod.rs").unwrap();
    assert!(command.text.contains("text: Printable,") && command.text.contains("fn write(text: &Printable)"), "answers are printable");
}
