//! The access log's format that a mesh chooses for itself (`meshConfig.accessLogFormat` and `accessLogEncoding`), by Envoy's command
//! operators (`source/common/formatter/substitution_format_string.cc`).

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Map, Value};

use super::access::{self, COLUMNS, NONE};
use super::access_places::{agreed, divided, last};
use super::object::Object;
use super::parsed::Parsed;
use super::{layout, time};
use crate::model::logs::LogTime;
use crate::model::mesh::MeshConfig;

/// Operators, in the order of the columns that they fill.
const OPERATORS: [&[&str]; COLUMNS] = [
    &["REQ(:METHOD)"],
    &["REQ(X-ENVOY-ORIGINAL-PATH?:PATH)", "REQ(:PATH)", "PATH(WQ)", "PATH(WQ:ORIG)", "PATH"],
    &["PROTOCOL"],
    &["RESPONSE_CODE"],
    &["RESPONSE_FLAGS"],
    &["RESPONSE_CODE_DETAILS"],
    &["CONNECTION_TERMINATION_DETAILS"],
    &["UPSTREAM_TRANSPORT_FAILURE_REASON"],
    &["BYTES_RECEIVED"],
    &["BYTES_SENT"],
    &["DURATION"],
    &["RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)"],
    &["REQ(X-FORWARDED-FOR)"],
    &["REQ(USER-AGENT)"],
    &["REQ(X-REQUEST-ID)"],
    &["REQ(:AUTHORITY)", "REQ(X-ENVOY-ORIGINAL-HOST?:AUTHORITY)"],
    &["UPSTREAM_HOST"],
    &["UPSTREAM_CLUSTER", "UPSTREAM_CLUSTER_RAW"],
    &["UPSTREAM_LOCAL_ADDRESS"],
    &["DOWNSTREAM_LOCAL_ADDRESS"],
    &["DOWNSTREAM_REMOTE_ADDRESS"],
    &["REQUESTED_SERVER_NAME"],
    &["ROUTE_NAME"],
];
/// The columns that are numbers where they are there.
const NUMBERS: [usize; 5] = [3, 8, 9, 10, 11];
/// The columns of the path and of the request's ID.
pub(super) const PATH: usize = 1;
const REQUEST_ID: usize = 14;
/// Those of the response flags and of the details.
const FLAGS: usize = 4;
const DETAILS: usize = 5;

/// What fills a place of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The time at which the request began.
    Start,
    /// A column of Istio's own text.
    Column(usize),
    /// Something that no column of Istio's has.
    Other,
}

impl What {
    /// Whether its value holds neither blanks nor what else can be between values: a method, a protocol, flags, a number.
    pub(super) fn is_word(self) -> bool {
        matches!(self, Self::Column(place) if NUMBERS.contains(&place) || matches!(place, 0 | 2 | 4))
    }
}

impl Parts {
    fn any(&self, wanted: impl Fn(What) -> bool) -> bool {
        match self {
            Self::Text { rest, .. } => rest.iter().any(|(what, _)| wanted(*what)),
            Self::Keys(keys) => keys.iter().any(|(_, what)| wanted(*what)),
        }
    }
}

/// A format, ready for many lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessFormat(Parts);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Parts {
    /// The text in front of all, and each operator with the text behind it.
    Text { first: String, rest: Vec<(What, String)> },
    /// The keys of an object.
    Keys(Vec<(String, What)>),
}

impl AccessFormat {
    /// The format of a mesh; None where it has Istio's own, or one that cannot be read back.
    pub fn of(mesh: &MeshConfig) -> Option<Self> {
        let text = mesh.access_log_format.trim_end_matches('\n');
        // As text, a format can spell an object out as well.
        let keys = || serde_json::from_str::<Map<String, Value>>(text).ok();
        let parts = match keys() {
            Some(keys) => Parts::Keys(keys.into_iter().map(|(key, value)| (key, single(value.as_str().unwrap_or_default()))).collect()),
            None if mesh.access_log_json || text.contains('\n') => return None,
            None => parts(text)?,
        };
        parts.any(|what| what != What::Other).then_some(Self(parts))
    }

    /// Whether it has the response flags and the details, which say who answered a request.
    pub fn says_why(&self) -> bool {
        [FLAGS, DETAILS].into_iter().all(|place| self.0.any(|what| what == What::Column(place)))
    }

    /// Reads a line of the format; None where it is of another. The message is the request as Istio's own text has it.
    pub(super) fn read(&self, line: &str) -> Option<Parsed<'static>> {
        let (columns, time) = match &self.0 {
            Parts::Text { first, rest } => {
                let line = line.strip_prefix(first.as_str())?;
                // Envoy does not escape the path, so it may contain the text that follows it. Try each possible end.
                let first = (0..layout::MOST_ENDS).map_while(|nth| divided(line, rest, nth)).flatten();
                let first = first.into_iter().find(|places| valid(Some(columns_at(line, rest, places))).is_some())?;
                columns_at(line, rest, &agreed(first, &last(line, rest)?, rest))
            }
            Parts::Keys(keys) => valid(filled(line, keys))?,
        };
        Some(access::request(time, access::in_order(&columns)))
    }
}

/// The columns of Istio's text and the time of a request.
type Filled<'l> = ([Cow<'l, str>; COLUMNS], Option<LogTime>);

/// The values at these places.
fn columns_at<'l>(line: &'l str, parts: &[(What, String)], places: &[Range<usize>]) -> Filled<'l> {
    let (mut columns, mut time) = ([const { Cow::Borrowed(NONE) }; COLUMNS], None);
    for ((what, _), place) in parts.iter().zip(places) {
        fill(*what, Cow::Borrowed(&line[place.clone()]), &mut columns, &mut time);
    }
    (columns, time)
}

/// The values of an object; None where it is a program's: that has a message, which the format lacks, or level and message and not the
/// keys of the format.
fn filled<'l>(line: &'l str, keys: &[(String, What)]) -> Option<Filled<'l>> {
    let object = Object::read(line)?;
    let (mut columns, mut time, mut found, mut count) = ([const { Cow::Borrowed(NONE) }; COLUMNS], None, false, 0);
    for (key, value) in object.iter() {
        if let Some((_, what)) = keys.iter().find(|(known, _)| *known == key) {
            (found, count) = (found || *what != What::Other, count + 1);
            fill(*what, value, &mut columns, &mut time);
        }
    }
    let has = |names: &[&str]| object.find(names).is_some();
    let is_own = |name: &str| has(&[name]) && !keys.iter().any(|(key, _)| key == name);
    let differs = count < keys.len() || count < object.iter().count();
    let of_program = is_own("msg") || is_own("message") || has(&["level", "severity"]) && has(&["msg", "message"]) && differs;
    (found && !of_program).then_some((columns, time))
}

/// What has columns as a request has them: a method is a word of capitals, a path begins as one, a code is a number.
fn valid(filled: Option<Filled<'_>>) -> Option<Filled<'_>> {
    let (columns, _) = filled.as_ref()?;
    let is = |place: usize, fits: fn(u8) -> bool| columns[place] == NONE || !columns[place].is_empty() && columns[place].bytes().all(fits);
    let path = &columns[PATH];
    let is_path = path == NONE || path.starts_with(['/', '*']) || path.contains("://") || columns[0] == "CONNECT";
    let is_protocol = columns[2] == NONE || columns[2].starts_with("HTTP/") && is(2, |byte| byte.is_ascii_graphic());
    let fits = NUMBERS.iter().all(|place| is(*place, |byte| byte.is_ascii_digit()))
        && (columns[0] == NONE || layout::is_method(&columns[0]))
        && is(4, layout::in_flags)
        && is(REQUEST_ID, |byte| byte.is_ascii_graphic());
    if fits && is_path && is_protocol { filled } else { None }
}

fn fill<'l>(what: What, value: Cow<'l, str>, columns: &mut [Cow<'l, str>; COLUMNS], time: &mut Option<LogTime>) {
    match what {
        What::Start => *time = time::of_request(&value),
        What::Column(place) if !matches!(&*value, "" | "null") => columns[place] = value,
        What::Column(_) | What::Other => {}
    }
}

/// Takes a text with operators apart; None where two of them follow each other, which cannot be read back.
fn parts(format: &str) -> Option<Parts> {
    let (first, mut left) = split_operator(format);
    let mut rest = Vec::new();
    while let Some((operator, behind)) = left {
        let (text, next) = split_operator(behind);
        if text.is_empty() && next.is_some() {
            return None;
        }
        rest.push((what(operator), text));
        left = next;
    }
    (!rest.is_empty()).then_some(Parts::Text { first, rest })
}

/// The text up to the next operator, that, and what follows it. `%%` is a percent sign.
fn split_operator(format: &str) -> (String, Option<(&str, &str)>) {
    let (mut text, mut rest) = (String::new(), format);
    while let Some((before, behind)) = rest.split_once('%') {
        text.push_str(before);
        match behind.strip_prefix('%') {
            Some(behind) => {
                text.push('%');
                rest = behind;
            }
            None => return (text, Some(split_end(behind))),
        }
    }
    text.push_str(rest);
    (text, None)
}

/// An operator and what follows its percent sign. Its parameters can hold such signs.
fn split_end(text: &str) -> (&str, &str) {
    let closed =
        text.find(['(', '%']).filter(|at| text[*at..].starts_with('(')).and_then(|open| text[open..].find(')').map(|at| open + at));
    let end = text[closed.unwrap_or(0)..].find('%').map(|at| closed.unwrap_or(0) + at);
    end.map_or((text, ""), |end| (&text[..end], &text[end + 1..]))
}

/// What an operator says. A length that cuts the value (`:10` behind it) makes it another value.
fn what(operator: &str) -> What {
    let upper = operator.to_ascii_uppercase();
    if upper == "START_TIME" || upper.starts_with("START_TIME(") {
        return What::Start;
    }
    OPERATORS.iter().position(|known| known.contains(&upper.as_str())).map_or(What::Other, What::Column)
}

/// What a value of JSON says, which is one operator or something else.
fn single(value: &str) -> What {
    match split_operator(value) {
        (text, Some((operator, ""))) if text.is_empty() => what(operator),
        _ => What::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mesh(format: &str, json: bool) -> Option<AccessFormat> {
        AccessFormat::of(&MeshConfig { access_log_format: format.to_owned(), access_log_json: json, ..MeshConfig::default() })
    }

    #[test]
    fn a_text_of_ones_own_is_read_back() {
        let format =
            mesh("%START_TIME% %REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %RESPONSE_CODE% 100%% %UPSTREAM_CLUSTER%\n", false)
                .unwrap();
        let read = format.read("2024-01-05T10:00:08.000Z GET /z 200 100% outbound|80||shop.default").unwrap();
        assert_eq!(read.time, time::rfc3339("2024-01-05T10:00:08Z").map(|(time, _)| time));
        assert!(read.message.starts_with("\"GET /z -\" 200 - - - \"-\" - - -") && read.message.contains(" outbound|80||shop.default "));
        for other in ["", "2024-01-05T10:00:08.000Z\tinfo\tads\tx", "2024-01-05T10:00:08.000Z GET /z two 100% a", "a b c 1 100%"] {
            assert_eq!(format.read(other), None, "{other}");
        }
        let web = mesh("[%START_TIME(%d/%b/%Y:%H:%M:%S %z)%] \"%REQ(:METHOD)%\" %RESPONSE_CODE%", false).unwrap();
        let path = mesh("\"%REQ(:PATH)%\" %RESPONSE_CODE% %RESPONSE_FLAGS%", false).unwrap();
        assert!(path.read("\"/a\" 200 HTTP/1.1\" 500 UF").unwrap().message.contains(" -\" 500 UF - - "), "no path chooses the code");
        assert!(web.read("[05/Jan/2024:10:00:09 +0000] \"GET\" 200").unwrap().time.is_some());
    }

    #[test]
    fn what_is_no_request_is_none_whatever_the_format() {
        let wasm = "2023-05-10T03:16:20.100000Z\tcritical\tenvoy wasm x.cc:1\tPlugin configured to fail closed failed to load";
        let continued = "goroutine 1 [running]:";
        for format in ["%REQ(:METHOD)% %REQ(:PATH)%\n", "%REQ(X-REQUEST-ID)%: %REQ(:PATH)%", "[%START_TIME%]%REQ(:METHOD)% %REQ(:PATH)%"] {
            let format = mesh(format, false).unwrap();
            for other in [wasm, continued, "", "[2023-05-10 03:16:20.101][21][critical][wasm] [x.cc:1] Plugin"] {
                assert_eq!(format.read(other), None, "{other}");
            }
        }
        let keyed = mesh(r#"{"level":"info","time":"%START_TIME%","msg":"%REQ(:PATH)%","code":"%RESPONSE_CODE%"}"#, true).unwrap();
        assert_eq!(keyed.read(r#"{"level":"critical","time":"2023-05-10T03:16:20.1Z","msg":"failed"}"#), None);
        assert_eq!(keyed.read(r#"{"level":"critical","time":"2023-05-10T03:16:20.1Z","scope":"envoy wasm","msg":"/a","code":"1"}"#), None);
        assert!(keyed.read(r#"{"level":"info","time":"2023-05-10T03:16:20.1Z","msg":"/a","code":"200"}"#).is_some());
    }

    #[test]
    fn an_object_of_ones_own_is_read_back() {
        for (json, format) in [
            (true, r#"{"at":"%START_TIME%","verb":"%REQ(:METHOD)%","status":"%RESPONSE_CODE%","x":"a %PROTOCOL%"}"#),
            (false, "{\"verb\":\"%REQ(:METHOD)%\",\"status\":\"%RESPONSE_CODE%\"}\n"),
        ] {
            let format = mesh(format, json).unwrap();
            let read = format.read(r#"{"status":503,"at":"2024-01-05T10:00:08.000Z","verb":"GET"}"#).unwrap();
            assert!(read.message.starts_with("\"GET - -\" 503 "), "{}", read.message);
            assert_eq!(read.time.is_some(), json);
            assert_eq!(format.read(r#"{"level":"info","msg":"a","status":"x"}"#), None);
        }
    }

    #[test]
    fn what_cannot_be_read_back_is_no_format() {
        for (format, json) in
            [("", false), ("%METHOD%%PATH%", false), ("%REQ(:METHOD)%%PROTOCOL%", false), ("no operator", false), ("not json", true)]
        {
            assert_eq!(mesh(format, json), None, "{format}");
        }
    }
}
