//! Lines as the tools that save logs write them: with a pod and container in front, within an object of JSON or a row of CSV, in parts,
//! with colours. What the container wrote is unwrapped, with whose it is and when it came.

mod colours;
mod csv;
mod json;
mod marks;
mod prefix;
mod returns;
mod stamp;
mod tabs;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use super::{form, time};
use crate::ingest::finder::Finder;
use crate::model::ids::ProxyId;
use crate::model::logs::{LogLine, LogOrigin, LogSource, LogTime};

/// How many containers of one file are kept apart; the lines of more are those of the file. And how many lines wait for their ends; of more
/// each part is a line.
const MOST: usize = 1000;
/// How long a line gets that is put together of parts.
const LONGEST: usize = 256 << 10;
/// Where docker divides a line (`moby/daemon/logger/copier.go: defaultBufSize`).
const DOCKER_PART: usize = 16 << 10;

/// What lines hold whose text is not to be seen in the bytes as it is: within JSON, in parts, with colours.
static HIDDEN: LazyLock<Option<Finder>> =
    LazyLock::new(|| Finder::new(&[json::KEYS.as_slice(), &["\u{1b}", " stdout P", " stderr P", "\u{a0}", "#011"]].concat()));

/// Whose a line is, as far as what is in front of it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Whose {
    namespace: String,
    pod: String,
    container: String,
}

/// A line without what is around it.
#[derive(Debug, Default)]
struct Peeled<'l> {
    whose: Option<Whose>,
    /// When it came, by what is around it.
    time: Option<LogTime>,
    /// Whether that is when the kubelet or the container's runtime took it.
    of_runtime: bool,
    /// Which of the container's streams it is of, where lines come in parts.
    stream: &'static str,
    end: End,
    text: Cow<'l, str>,
    /// Whether there was anything around it.
    wrapped: bool,
}

/// How a line ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// It is whole.
    #[default]
    Whole,
    /// More of it follows.
    Part,
    /// More of it follows where what follows begins no record, as docker leaves the line end out.
    Perhaps,
}

/// The stream of a container that parts of a line are of.
type PartOf = (Option<Whose>, &'static str);

/// The parts of a line that came so far.
#[derive(Debug)]
struct Part {
    /// Where it is among all of them, by when the last of it came.
    place: u64,
    time: Option<LogTime>,
    end: End,
    text: String,
}

/// Takes the lines of a file out of what is around them.
#[derive(Debug)]
pub struct Unwrapper {
    /// Whose lines are that do not say it.
    own: Arc<LogOrigin>,
    origins: HashMap<Whose, Arc<LogOrigin>>,
    csv: csv::Csv,
    parts: HashMap<PartOf, Part>,
    /// How many parts came so far.
    came: u64,
    /// Whether docker's line ends were seen, without which a line of docker's is not known to be a part.
    ends: bool,
    wrapped: bool,
}

impl Unwrapper {
    /// For a standalone log, which may have the lines of several containers. (In a recording the file's name says whose they are, and a
    /// line could only pretend to.)
    pub fn new(own: Arc<LogOrigin>) -> Self {
        let (origins, parts) = (HashMap::new(), HashMap::new());
        Self { own, origins, csv: csv::Csv::default(), parts, came: 0, ends: false, wrapped: false }
    }

    /// Whether anything was around a line so far.
    pub fn is_wrapped(&self) -> bool {
        self.wrapped
    }

    /// Whether the text of some lines cannot be looked for in these bytes, which come next.
    pub fn hides(&self, bytes: &[u8]) -> bool {
        let in_rows = || self.csv.is_read(&String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next().unwrap_or_default()));
        !self.parts.is_empty() || HIDDEN.as_ref().is_none_or(|words| words.find(bytes, 0).is_some()) || in_rows()
    }

    /// Takes a line of the file, without its end, and hands on those of the container that it holds.
    pub fn push(&mut self, line: &str, cut: bool, mut each: impl FnMut(LogLine)) {
        let mut line = bare(line);
        while let Some(end) = returns::end(line) {
            self.line(&line[..end], false, &mut each);
            line = &line[end + 1..];
        }
        self.line(line, cut, &mut each);
    }

    /// Takes a line of a standalone log.
    fn line(&mut self, line: &str, cut: bool, each: &mut impl FnMut(LogLine)) {
        let plain = colours::without(line);
        match self.csv.take(&plain) {
            csv::RowState::No => {}
            csv::RowState::Held => return,
            csv::RowState::Row(row) => {
                self.wrapped = true;
                return self.lines(row, cut, each);
            }
        }
        let peeled = peel(&plain, |whose| self.knows(whose));
        self.wrapped |= peeled.wrapped;
        self.ends |= peeled.stream == json::DOCKER && peeled.end == End::Whole;
        if self.parts.is_empty() && peeled.end == End::Whole {
            return self.lines(peeled, cut, each);
        }
        self.part(peeled, cut, each);
    }

    /// Whether lines of a container were seen before.
    fn knows(&self, whose: &Whose) -> bool {
        if whose.container.is_empty() {
            return self.origins.contains_key(&Whose { container: self.own.container.clone(), ..whose.clone() });
        }
        self.origins.contains_key(whose)
    }

    /// Hands on what was kept back: at the end of the file.
    pub fn flush(&mut self, mut each: impl FnMut(LogLine)) {
        let mut parts: Vec<_> = self.parts.drain().collect();
        parts.sort_unstable_by_key(|(_, part)| part.place);
        for ((whose, _), part) in parts {
            self.joined(whose, part, false, &mut each);
        }
        if let Some(row) = self.csv.rest() {
            self.lines(row, false, &mut each);
        }
    }

    /// Takes a line while another of the same stream may not be whole.
    fn part(&mut self, mut peeled: Peeled<'_>, cut: bool, each: &mut impl FnMut(LogLine)) {
        let of = (peeled.whose.take(), peeled.stream);
        let mut before = self.parts.remove(&of);
        let is_alone = peeled.end == End::Perhaps && !self.ends;
        let is_whole = |part: &Part| is_record(&peeled.text) || is_alone && part.text.len() < DOCKER_PART;
        if let Some(part) = before.take_if(|part| part.end == End::Perhaps && is_whole(part)) {
            // It was whole after all.
            self.joined(of.0.clone(), part, false, each);
        }
        let mut part = match before {
            Some(part) => part,
            None if peeled.end == End::Whole => return self.lines(Peeled { whose: of.0, ..peeled }, cut, each),
            None => Part { place: 0, time: peeled.time, end: peeled.end, text: String::new() },
        };
        let room = LONGEST.saturating_sub(part.text.len());
        let end = floor_char_boundary(&peeled.text, room);
        part.text.push_str(&peeled.text[..end]);
        part.end = peeled.end;
        if peeled.end == End::Whole || self.parts.len() >= MOST {
            return self.joined(of.0, part, cut || end < peeled.text.len(), each);
        }
        self.came += 1;
        part.place = self.came;
        self.parts.insert(of, part);
    }

    fn joined(&mut self, whose: Option<Whose>, part: Part, cut: bool, each: &mut impl FnMut(LogLine)) {
        let Part { time, text, .. } = part;
        self.lines(Peeled { whose, time, of_runtime: true, text: Cow::Owned(text), ..Peeled::default() }, cut, each);
    }

    /// Hands a line on; a log store can have several in one entry.
    fn lines(&mut self, peeled: Peeled<'_>, cut: bool, each: &mut impl FnMut(LogLine)) {
        let origin = self.origin(peeled.whose);
        let entry = peeled.text.strip_suffix('\n').unwrap_or(&peeled.text);
        for line in entry.split('\n') {
            let line = colours::without(line.strip_suffix('\r').unwrap_or(line));
            let (kubelet, text) = time::split_kubelet(&line);
            let text = &*tabs::restored(text);
            // A log store's receive time is used only where the line has no time of its own.
            let store = peeled.time.filter(|_| peeled.of_runtime || time::leading(text).is_none() && !form::begins(text));
            each(LogLine { origin: origin.clone(), time: kubelet.or(store), text: text.to_owned(), cut });
        }
    }

    fn origin(&mut self, whose: Option<Whose>) -> Arc<LogOrigin> {
        let Some(mut whose) = whose.filter(|whose| !whose.pod.is_empty()) else { return self.own.clone() };
        if whose.container.is_empty() {
            whose.container.clone_from(&self.own.container);
        }
        if let Some(origin) = self.origins.get(&whose) {
            return origin.clone();
        }
        if self.origins.len() >= MOST {
            return self.own.clone();
        }
        let source = LogSource::of_container(&whose.container);
        let pod = ProxyId::new(&*whose.pod, &*whose.namespace);
        let origin = Arc::new(LogOrigin { source, pod, container: whose.container.clone(), workload: None });
        self.origins.insert(whose, origin.clone());
        origin
    }
}

/// Takes a line out of what is around it. `is_known` says whether lines of a container were seen before.
fn peel(line: &str, is_known: impl Fn(&Whose) -> bool) -> Peeled<'_> {
    let (whose, text) = prefix::split(line, is_known).map_or((None, line), |(whose, text)| (Some(whose), text));
    let inner = match text.as_bytes().first() {
        Some(b'{') => json::unwrap(text),
        Some(b'0'..=b'9') => stamp::unwrap(text),
        _ => None,
    };
    let wrapped = whose.is_some() || inner.is_some();
    let mut peeled = inner.unwrap_or(Peeled { text: Cow::Borrowed(text), ..Peeled::default() });
    peeled.wrapped = wrapped;
    peeled.whose = whose.filter(|whose| !whose.pod.is_empty()).or(peeled.whose);
    peeled
}

/// Whether a line of a container's file begins a record, behind the kubelet's time.
pub fn begins(line: &str) -> bool {
    form::begins(time::split_kubelet(line.strip_suffix('\r').unwrap_or(line)).1)
}

/// Whether a line of a standalone log begins a record, behind what is around it.
pub fn begins_wrapped(line: &str) -> bool {
    begins(line) || is_record(&peel(&colours::without(bare(line)), |_| false).text)
}

/// Without what ends a line of a file, and the byte order mark of one that was appended to another.
fn bare(line: &str) -> &str {
    line.trim_end_matches('\r').trim_start_matches('\u{feff}')
}

/// Whether a record begins, behind the kubelet's time, with its tabs or with what became of them.
fn is_record(text: &str) -> bool {
    let text = time::split_kubelet(text).1;
    form::begins(text) || matches!(tabs::restored(text), Cow::Owned(_))
}

/// Whether a file is a log, by how it begins.
pub fn is_log(head: &str) -> bool {
    let whole = head.rfind('\n').map_or(head, |end| &head[..end]);
    let first = head.trim_start();
    // A config dump with a program's lines in front of it stays one.
    let is_dump = whole.lines().any(|line| line.trim() == "{" || line.contains("\"configs\""));
    let begins = whole.lines().take(20).any(|line| begins_wrapped(line) || csv::is_header(line));
    begins && !is_dump || first.starts_with(['{', '[']) && json::is_export(first)
}

fn floor_char_boundary(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
