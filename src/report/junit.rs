//! Findings as JUnit's XML: one test suite, each rule a test case that passes where it finds nothing, is skipped where it could not
//! look, and each finding a test case of its own, which fails where it is an error.

use std::fmt::Write;

use crate::analysis::answers::FindingsAnswer;
use crate::analysis::findings::{Finding, RULES, Severity};

pub(super) fn written(answer: &FindingsAnswer) -> String {
    let mut cases = String::new();
    let (mut tests, mut skipped) = (0, 0);
    for rule in RULES {
        let found: Vec<&Finding> = answer.findings.iter().filter(|finding| finding.code == rule.code).collect();
        found.iter().for_each(|finding| case(finding, &mut cases));
        let unseen = answer.not_checked.iter().filter(|unchecked| unchecked.codes.contains(&rule.code));
        let unseen: Vec<String> = unseen.map(|unchecked| format!("{}: {}", unchecked.objects.join(", "), unchecked.why)).collect();
        tests += found.len().max(1);
        if !found.is_empty() {
            continue;
        }
        let case = format!("    <testcase classname=\"meshscope\" name=\"{}\"", escaped(rule.code));
        let _ = if unseen.is_empty() {
            writeln!(cases, "{case}/>")
        } else {
            skipped += 1;
            writeln!(cases, "{case}><skipped message=\"{}\"/></testcase>", escaped(&unseen.join("; ")))
        };
    }
    let failures = answer.count(Severity::Error);
    // Readers of JUnit show what a suite says beside its cases; the counts alone would pass for the whole mesh.
    let said = answer.unread().map(|unread| format!("    <system-out>{}</system-out>\n", escaped(&unread))).unwrap_or_default();
    let counts = format!("name=\"meshscope check\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"");
    let scope = escaped(&answer.scope.to_string());
    let scope = format!("    <properties><property name=\"scope\" value=\"{scope}\"/></properties>\n");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite {counts}>\n{scope}{cases}{said}  </testsuite>\n</testsuites>\n"
    )
}

fn case(finding: &Finding, out: &mut String) {
    let evidence: String = finding.evidence.iter().map(|line| format!("- {line}\n")).collect();
    let proxies = finding.said_proxies(usize::MAX).map(|proxies| format!("Proxies: {proxies}.\n")).unwrap_or_default();
    let body = escaped(&format!("{}\n{proxies}{evidence}{}\nWhat to do: {}.", finding.what, finding.why, finding.fix));
    // A name says which test it is from run to run.
    let name = escaped(&finding.id);
    let word = finding.severity.as_str();
    let _ = write!(out, "    <testcase classname=\"meshscope.{}\" name=\"{name}\">", escaped(finding.code));
    let _ = match finding.severity {
        Severity::Error => write!(out, "<failure message=\"{}\" type=\"{word}\">{body}</failure>", escaped(&finding.what)),
        Severity::Warning | Severity::Information => write!(out, "<system-out>{word}: {body}</system-out>"),
    };
    let _ = writeln!(out, "</testcase>");
}

/// Text in XML 1.0: what it has no character for is left out (`https://www.w3.org/TR/xml/#charsets`).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            // A terminal must not be able to act on it either.
            c if crate::model::printable::is_unprintable(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(escaped("a<b> & \"c\"\n\u{1b}[31m\u{0}d\u{202e}é"), "a&lt;b&gt; &amp; &quot;c&quot;\n[31mdé");
    }
}
