//! The columns of an access log's text, by the format that a line really has. Istio's own changed with its releases
//! (`pilot/pkg/networking/core/v1alpha3/listener.go`, `…/accesslog.go`, `pilot/pkg/model/telemetry_logging.go`); 1.0 had Envoy's
//! default (`source/common/formatter/substitution_formatter.cc`):
//!
//! | release | behind code and flags | at the end |
//! |---|---|---|
//! | Envoy, Istio 1.0 | | |
//! | 1.1 | `"mixer status"` | five columns |
//! | 1.2 | `"mixer status" "transport failure"` | five columns |
//! | 1.3 to 1.5 | `"mixer status" "transport failure"` | and the route |
//! | 1.6 to 1.8 | `"transport failure"` | and the route |
//! | 1.9 and later | `details termination "transport failure"` | and the route |

use std::borrow::Cow;

use super::access::{COLUMNS, NONE, bare_request};
use super::parsed::is_number;

/// What is known of a line's columns.
pub(super) struct Layout<'m> {
    /// The columns of Istio 1.9 and later; `-` where the line's format lacks one.
    pub(super) columns: [Cow<'m, str>; COLUMNS],
    /// Whether all of them are known, and not only the request and its code.
    pub(super) known: bool,
}

/// A column of the text.
#[derive(Clone, Copy)]
struct Column<'m> {
    text: &'m str,
    quoted: bool,
}

/// Where the columns of what can follow the flags go; `MIXER` is one that Istio has no more.
const MIXER: usize = usize::MAX;
/// The last is that of 1.9 with empty details, which Envoy writes as nothing between two blanks (`500 NFCF  - "-"`).
const FRONTS: [&[(usize, bool)]; 5] =
    [&[], &[(7, true)], &[(MIXER, true), (7, true)], &[(5, false), (6, false), (7, true)], &[(6, false), (7, true)]];
/// The columns that every format has in the middle: numbers, then texts in quotes.
const NUMBERS: [usize; 4] = [8, 9, 10, 11];
const QUOTED: [usize; 5] = [12, 13, 14, 15, 16];
/// The columns at the end.
const END: [usize; 6] = [17, 18, 19, 20, 21, 22];
/// How many columns a known format can have. A line with more columns is in an unknown format.
const MOST: usize = COLUMNS + 8;
/// How many places are looked at where a request's line could end.
pub(super) const MOST_ENDS: usize = 16;

/// Reads the columns of a request.
pub(super) fn read(message: &str) -> Layout<'_> {
    let mut rest = Rest(message);
    let (method, path, protocol) = rest.request();
    let all: Vec<Column<'_>> = rest.take(MOST + 1).collect();
    let mut columns = [const { Cow::Borrowed(NONE) }; COLUMNS];
    let places = all.split_first().filter(|(code, _)| is_numeric(code)).and_then(|(code, behind)| {
        columns[3] = Cow::Borrowed(code.text);
        places(behind)
    });
    [columns[0], columns[1], columns[2]] = [method, path, protocol].map(Cow::Borrowed);
    let known = places.is_some();
    match places {
        Some(places) => {
            for (place, column) in places.iter().zip(&all[1..]).filter(|(place, _)| **place != MIXER) {
                columns[*place] = Cow::Borrowed(column.text);
            }
        }
        None if method.is_empty() => {
            if let Some(request) = bare_request(message) {
                columns.iter_mut().zip(request).for_each(|(column, text)| *column = Cow::Borrowed(text));
            }
        }
        None => {}
    }
    Layout { columns, known }
}

/// Where the columns behind the code go, flags first; None where they are of no format that is known.
fn places(columns: &[Column<'_>]) -> Option<Vec<usize>> {
    let (flags, behind) = columns.split_first()?;
    if flags.quoted || !flags.text.bytes().all(in_flags) || flags.text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    FRONTS.iter().find_map(|front| {
        let (first, rest) = behind.split_at_checked(front.len())?;
        let (numbers, rest) = rest.split_at_checked(NUMBERS.len())?;
        let (quoted, end) = rest.split_at_checked(QUOTED.len())?;
        // Until 1.1 there was one column in quotes in the front, and it was the mixer's.
        let is_mixer = front.len() == 1 && end.len() == END.len() - 1;
        let fits = first.iter().zip(*front).all(|(column, (_, quoted))| column.quoted == *quoted)
            && numbers.iter().all(is_numeric)
            && quoted.iter().all(|column| column.quoted)
            && matches!(end.len(), 0 | 5..)
            && columns.len() < MOST
            && end.iter().all(|column| !column.quoted);
        let front = front.iter().map(|(place, _)| if is_mixer { MIXER } else { *place });
        fits.then(|| [4].into_iter().chain(front).chain(NUMBERS).chain(QUOTED).chain(END).collect())
    })
}

/// Whether Envoy's flags of a response can have this byte.
pub(super) fn in_flags(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b',' | b'-')
}

/// Whether a word is a method by its letters: whoever sends a request can make one up.
pub(super) fn is_method(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_'))
}

fn is_numeric(column: &Column<'_>) -> bool {
    !column.quoted && (column.text == NONE || is_number(column.text))
}

/// Where the quotes of a request's line end. Envoy escapes no quotes, and whoever sends a request chooses its path: the line ends with a
/// protocol and a status code behind it, and of such places at the first one behind which all columns are those of a format. None where
/// the format has no protocol, and more than one place could be it.
pub(super) fn request_end(inner: &str) -> Option<usize> {
    let is_code = |at: &usize| inner[at + 2..].split(' ').next().is_some_and(|code| code.len() <= 3 && code.parse::<u16>().is_ok());
    let has_protocol = |at: &usize| inner[..*at].rsplit(' ').next().is_some_and(|word| word == NONE || word.starts_with("HTTP/"));
    let ends = || inner.match_indices("\" ").map(|(at, _)| at).filter(is_code).take(MOST_ENDS);
    let fits = |at: &usize| {
        let columns: Vec<Column<'_>> = Rest(&inner[at + 2..]).take(MOST + 1).collect();
        columns.split_first().is_some_and(|(code, behind)| is_numeric(code) && places(behind).is_some())
    };
    let mut with_protocol = ends().filter(has_protocol);
    let first = with_protocol.next();
    let sure = first.filter(fits).or_else(|| with_protocol.find(fits)).or(first);
    let mut without = ends();
    match (sure, without.next(), without.next()) {
        (Some(end), ..) | (None, Some(end), None) => Some(end),
        (None, None, _) => inner.find('"'),
        (None, Some(_), Some(_)) => None,
    }
}

/// What is left of a line.
struct Rest<'m>(&'m str);

impl<'m> Rest<'m> {
    /// The request's line.
    fn request(&mut self) -> (&'m str, &'m str, &'m str) {
        let Some(inner) = self.0.strip_prefix('"') else { return ("", "", "") };
        let end = request_end(inner);
        let line = end.map_or(inner, |end| &inner[..end]);
        self.0 = end.map_or("", |end| inner[end + 1..].trim_start_matches(' '));
        let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (path, protocol) = rest.rsplit_once(' ').unwrap_or((rest, ""));
        (method, path, protocol)
    }
}

impl<'m> Iterator for Rest<'m> {
    type Item = Column<'m>;

    /// The next column, without its quotes. Details can hold blanks within braces and brackets.
    fn next(&mut self) -> Option<Column<'m>> {
        if self.0.is_empty() {
            return None;
        }
        let quoted = self.0.starts_with('"');
        let (text, rest) = match self.0.strip_prefix('"') {
            Some(inner) => inner.split_once("\" ").unwrap_or_else(|| (inner.strip_suffix('"').unwrap_or(inner), "")),
            None => self.0.split_at(plain_end(self.0)),
        };
        self.0 = rest.trim_start_matches(' ');
        Some(Column { text, quoted })
    }
}

/// The end of a column without quotes: the first blank outside of braces and brackets that are closed.
fn plain_end(text: &str) -> usize {
    let blank = text.find(' ').unwrap_or(text.len());
    let Some(open) = text[..blank].find(['{', '[']) else { return blank };
    let close = if text.as_bytes().get(open) == Some(&b'{') { '}' } else { ']' };
    let Some(closed) = text[open..].find(close).map(|at| open + at) else { return blank };
    text[closed..].find(' ').map_or(text.len(), |at| closed + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flags, details, transport failure, bytes received, request ID, cluster, route.
    const SHOWN: [usize; 7] = [4, 5, 7, 8, 14, 17, 22];

    fn shown(line: &str) -> Option<[String; 7]> {
        let layout = read(line);
        assert_eq!((&*layout.columns[0], &*layout.columns[3]), ("GET", "200"), "{line}");
        layout.known.then(|| SHOWN.map(|place| layout.columns[place].to_string()))
    }

    #[test]
    fn each_release_has_its_columns() {
        let middle = r#"7 8 9 10 "f" "agent" "id" "authority" "10.0.0.1:80""#;
        let five = "outbound|80||a 1:1 2:2 3:3 sni";
        let of = |details, failure, cluster, route| Some(["UF", details, failure, "7", "id", cluster, route].map(str::to_owned));
        let cluster = "outbound|80||a";
        for (front, end, expected) in [
            ("", "", of("-", "-", "-", "-")),
            (r#""mixer" "#, five, of("-", "-", cluster, "-")),
            (r#""mixer" "failed" "#, five, of("-", "failed", cluster, "-")),
            (r#""mixer" "failed" "#, &format!("{five} route"), of("-", "failed", cluster, "route")),
            (r#""failed" "#, &format!("{five} route"), of("-", "failed", cluster, "route")),
            (r#"why{a b} - "failed" "#, &format!("{five} route"), of("why{a b}", "failed", cluster, "route")),
            (r#" - "failed" "#, &format!("{five} route"), of("-", "failed", cluster, "route")),
            (r#"why - "failed" "#, &format!("{five} route inbound"), of("why", "failed", cluster, "route")),
        ] {
            assert_eq!(shown(&format!(r#""GET /a b HTTP/1.1" 200 UF {front}{middle} {end}"#)), expected, "{front}{end}");
        }
    }

    #[test]
    fn a_path_does_not_choose_the_code() {
        let rest = r#"500 NFCF - - "-" 0 547 5 - "-" "curl/8" "id" "a:80" "-" inbound|80|| - 1:1 2:2 sni default"#;
        let whole = r#"200 - via_upstream - "-" 0 1 2 3 "-" "x" "y" "z" "1:1" c - - - - -"#;
        let longer = format!("/a HTTP/1.1\" {whole}{}", " -".repeat(40));
        for path in [r#"/a" 200"#, r#"/a" 200 HTTP/1.1" 201 -"#, &format!("/a HTTP/1.1\" {whole}"), &longer] {
            let line = format!("\"GET {path} HTTP/1.1\" {rest}");
            let layout = read(&line);
            assert_eq!((&*layout.columns[1], &*layout.columns[3], &*layout.columns[4]), (path, "500", "NFCF"), "{path}");
        }
        // What a client says of itself comes behind the code.
        let agent = format!(r#""GET /a HTTP/1.1" 500 - - - "-" 0 1 2 3 "-" "x HTTP/1.1" {whole}" "id" "a" "1:1" c - - - - -"#);
        assert_eq!(read(&agent).columns[3], "500");
        assert_eq!(read("\"GET /a\" 200 HTTP/1.1\" 500 612 \"-\"").columns[3], "500");
        assert_eq!(read("\"GET /a\" 200 x\" 500 612").columns[3], NONE);
    }

    #[test]
    fn of_another_format_only_the_request_and_its_code_are_known() {
        for rest in ["", " 612 \"-\" \"curl/8\"", " - 7 8", " - why - \"\" a b c d \"e\"", " UF \"a\" 1 2 3 4 \"a\" \"b\" \"c\" \"d\""] {
            assert_eq!(shown(&format!(r#""GET /nginx-like HTTP/1.1" 200{rest}"#)), None, "{rest}");
        }
        assert_eq!(shown("GET /z 200 outbound|80||shop.default.svc.cluster.local"), None);
        let odd = read("their own format");
        assert!(!odd.known && odd.columns.iter().all(|column| matches!(&**column, "" | "-")));
    }
}
