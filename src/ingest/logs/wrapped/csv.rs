//! Rows of CSV, as Grafana and Kibana export logs: the header names the columns, and a line within quotes can go on in the next row.

use std::borrow::Cow;

use super::super::time;
use super::{LONGEST, Peeled, Whose};

const LINES: [&str; 10] = ["line", "log", "message", "_msg", "body", "content", "_source.message", "@message", "_raw", "logmessage"];
const TIMES: [&str; 8] = ["time", "timestamp", "date", "@timestamp", "_time", "tsns", "ts", "timegenerated [utc]"];
const PODS: [&str; 5] = ["pod", "pod_name", "kubernetes.pod_name", "kubernetes.pod.name", "podname"];
const CONTAINERS: [&str; 5] = ["container", "container_name", "kubernetes.container_name", "kubernetes.container.name", "containername"];
const NAMESPACES: [&str; 5] = ["namespace", "namespace_name", "kubernetes.namespace_name", "kubernetes.namespace", "namespacename"];

/// Reads rows, from the first line on where that is a header.
#[derive(Debug, Default)]
pub(super) struct Csv {
    header: Option<Header>,
    begun: bool,
    /// A row whose quotes are not closed yet.
    held: String,
    /// Whether they are open.
    open: bool,
}

/// Where the columns are.
#[derive(Debug)]
struct Header {
    separator: char,
    line: usize,
    time: Option<usize>,
    pod: Option<usize>,
    container: Option<usize>,
    namespace: Option<usize>,
}

/// What became of a line of the file.
pub(super) enum RowState {
    /// It is no row.
    No,
    /// It is the header, or more of its row is to come.
    Held,
    /// It ends a row.
    Row(Peeled<'static>),
}

/// Whether a line names the columns of logs.
pub(super) fn is_header(line: &str) -> bool {
    Header::read(line).is_some()
}

impl Csv {
    /// Whether rows are read, or will be from this line on.
    pub(super) fn is_read(&self, first: &str) -> bool {
        self.header.is_some() || !self.begun && is_header(first.trim_end_matches('\r'))
    }

    /// Takes a line of the file.
    pub(super) fn take(&mut self, line: &str) -> RowState {
        if !self.begun && !line.is_empty() {
            self.begun = true;
            self.header = Header::read(line);
            if self.header.is_some() {
                return RowState::Held;
            }
        }
        let Some(header) = &self.header else { return RowState::No };
        if self.open {
            self.held.push('\n');
        }
        self.held.push_str(line);
        self.open ^= line.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
        if self.open && self.held.len() < LONGEST {
            return RowState::Held;
        }
        self.open = false;
        RowState::Row(header.row(&std::mem::take(&mut self.held)))
    }

    /// The row that the file ends in.
    pub(super) fn rest(&mut self) -> Option<Peeled<'static>> {
        let held = std::mem::take(&mut self.held);
        self.header.as_ref().filter(|_| !held.is_empty()).map(|header| header.row(&held))
    }
}

impl Header {
    fn read(line: &str) -> Option<Self> {
        // Where a comma is in numbers, as in much of Europe, a semicolon is between the columns.
        let separator = [',', ';'].into_iter().find(|separator| line.contains(*separator)).filter(|_| line.len() <= 4096)?;
        let names: Vec<String> = cells(line, separator).into_iter().map(|cell| cell.trim().to_ascii_lowercase()).collect();
        let place = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
        let (line, time) = (place(&LINES)?, place(&TIMES));
        // A line of a log could hold both words; a header holds nothing else.
        let plain = |name: &String| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'@' | b'-' | b' ' | b'[' | b']'))
        };
        let whole = names.iter().all(plain) && (time.is_some() || place(&PODS).is_some());
        whole.then(|| Self { separator, line, time, pod: place(&PODS), container: place(&CONTAINERS), namespace: place(&NAMESPACES) })
    }

    fn row(&self, row: &str) -> Peeled<'static> {
        let mut cells = cells(row, self.separator);
        let mut cell = |place: Option<usize>| place.and_then(|place| cells.get_mut(place)).map(std::mem::take).unwrap_or_default();
        let at = time::of_store(&cell(self.time));
        let whose = Whose { namespace: cell(self.namespace), pod: cell(self.pod), container: cell(self.container) };
        Peeled {
            whose: Some(whose).filter(|whose| !whose.pod.is_empty()),
            time: at,
            text: Cow::Owned(cell(Some(self.line))),
            wrapped: true,
            ..Peeled::default()
        }
    }
}

/// The cells of a row (RFC 4180): a quote within quotes is doubled.
fn cells(row: &str, separator: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = row.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            char if char == separator && !quoted => cells.push(std::mem::take(&mut cell)),
            char => cell.push(char),
        }
    }
    cells.push(cell);
    cells
}
