//! What can be in front of a record and says nothing of a pod: `grep`, `cat -n`, a mail's quote, a blank, journald and syslog, and the
//! time at which a build server or `ts` saw the line.

use super::super::time;
use super::is_record;

/// How a time can begin that says when a line was seen; `0` is any digit, `A` any letter.
const STAMPS: [&str; 7] = [
    "0000-00-00T00:00:00",
    "0000-00-00 00:00:00",
    "0000/00/00 00:00:00",
    "00/AAA/0000:00:00:00",
    "AAA 00 00:00:00",
    "AAA  0 00:00:00",
    "00:00:00",
];

/// The line without such a thing; None where none is in front. It counts only where a record with a time follows, which the caller sees.
pub(super) fn without(line: &str) -> Option<&str> {
    match line.as_bytes().first()? {
        b'>' => line[1..].strip_prefix(' '),
        b' ' => numbered(line).or_else(|| line[1..].starts_with(|char: char| !char.is_whitespace()).then_some(&line[1..])),
        b'<' => syslog(line),
        b'[' => stamped(line),
        b'0'..=b'9' => of_journal(line).or_else(|| stamped(line)).or_else(|| matched(line)).or_else(|| in_file(line)),
        _ => in_file(line).or_else(|| of_journal(line)).or_else(|| stamped(line)),
    }
}

/// `     1⇥` of `cat -n`.
fn numbered(line: &str) -> Option<&str> {
    let (number, rest) = digits(line.trim_start_matches(' '))?;
    (number < 7).then(|| rest.strip_prefix('\t'))?
}

/// `12:` of `grep -n`.
fn matched(line: &str) -> Option<&str> {
    digits(line)?.1.strip_prefix(':')
}

/// `logs/web.log:` and `web.log:12:` of `grep` over several files.
fn in_file(line: &str) -> Option<&str> {
    let (file, rest) = line.split_at_checked(line.bytes().position(|byte| matches!(byte, b':' | b' ' | b'\t'))?)?;
    let rest = rest.strip_prefix(':').filter(|_| file.contains(['.', '/']))?;
    Some(matched(rest).unwrap_or(rest))
}

/// `May 10 03:16:18 node envoy[123]: ` of journald and of files of syslog, `2023-05-10T03:16:18+0000 node envoy[123]: ` of
/// `journalctl -o short-iso`.
fn of_journal(line: &str) -> Option<&str> {
    let is_month = time::MONTHS.iter().any(|month| line.starts_with(month));
    let is_iso = || line.get(..19).is_some_and(|start| time::zoned(&format!("{start}Z")).is_some());
    if !(is_month || matches!(line.as_bytes().get(19), Some(b'+' | b'-')) && is_iso()) {
        return None;
    }
    let (head, rest) = line.split_once("]: ")?;
    let words = head.split_ascii_whitespace().count();
    (words == if is_month { 5 } else { 3 } && head.rsplit(' ').next()?.contains('[')).then_some(rest)
}

/// `<134>1 2023-05-10T03:16:18Z node app 123 - - ` of syslog (RFC 5424).
fn syslog(line: &str) -> Option<&str> {
    let (priority, rest) = line.strip_prefix('<')?.split_once(">1 ")?;
    let mut parts = rest.splitn(7, ' ');
    let is_header = digits(priority)?.1.is_empty() && time::zoned(parts.next()?).is_some() && parts.nth(4)? == "-";
    parts.next().filter(|_| is_header)
}

/// `[2023-05-10T03:16:25.123Z] ` of Jenkins, `2023-05-10T03:16:25.123456Z 01O ` of GitLab, `May 10 03:16:25 ` of moreutils' `ts`. What is
/// a record as it is has no such time in front.
fn stamped(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[');
    let text = inner.unwrap_or(line);
    let fits = |(byte, sample): (u8, u8)| match sample {
        b'0' => byte.is_ascii_digit(),
        b'A' => byte.is_ascii_alphabetic(),
        _ => byte == sample,
    };
    let is_stamp = |stamp: &&&str| text.len() > stamp.len() && text.bytes().zip(stamp.bytes()).all(fits);
    let behind = &text[STAMPS.iter().find(is_stamp)?.len()..];
    let behind = behind.strip_prefix(['.', ',']).map_or(behind, |rest| rest.trim_start_matches(|char: char| char.is_ascii_digit()));
    let behind = zone(behind);
    let rest = if inner.is_some() { behind.strip_prefix(']')? } else { behind }.strip_prefix(' ')?.trim_start_matches(' ');
    let rest = of_stream(rest);
    (!rest.starts_with('"') && !is_record(line)).then_some(rest)
}

/// Without the zone of a time: `Z`, `+02:00`, ` +0000`, ` UTC`.
fn zone(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('Z').or_else(|| text.strip_prefix(" UTC")) {
        return rest;
    }
    let Some(offset) = text.strip_prefix(' ').unwrap_or(text).strip_prefix(['+', '-']) else { return text };
    let rest = offset.trim_start_matches(|char: char| char.is_ascii_digit() || char == ':');
    if matches!(offset.len() - rest.len(), 4 | 5) { rest } else { text }
}

/// Without GitLab's `01O `: number and name of a stream, `+` where the line goes on.
fn of_stream(text: &str) -> &str {
    match text.as_bytes() {
        [a, b, b'O' | b'E', b' ' | b'+', ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => &text[4..],
        _ => text,
    }
}

/// How many digits a text begins with, and what follows them.
fn digits(text: &str) -> Option<(usize, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).count();
    (count > 0).then(|| (count, &text[count..]))
}
