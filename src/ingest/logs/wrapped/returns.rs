//! A carriage return within a line, in a file whose lines end as Unix has it: where parts of it were saved as old Macs did.

use memchr::{memchr, memchr2_iter};

use super::super::{form, time};

/// Where the first line within a line ends: at a return with a record and its time behind it. Within quotes it is of what a client sent,
/// as an access log has that, and ends nothing.
pub(super) fn end(line: &str) -> Option<usize> {
    memchr(b'\r', line.as_bytes())?;
    let mut quoted = false;
    memchr2_iter(b'\r', b'"', line.as_bytes()).find(|at| {
        let is_quote = line.as_bytes()[*at] == b'"';
        quoted ^= is_quote;
        !is_quote && !quoted && begins(&line[at + 1..])
    })
}

fn begins(text: &str) -> bool {
    text.starts_with(|first: char| first == '[' || first.is_ascii_digit()) && form::begins(time::split_kubelet(text).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_ends_a_line_only_in_front_of_a_record_and_outside_of_quotes() {
        let record = "2023-05-10T03:16:22.100000Z\tcritical\tenvoy wasm a.cc:1\tx";
        assert_eq!(end(&format!("a\rb\r{record}\r{record}")), Some(3));
        for line in [record.to_owned(), "a\rb".to_owned(), format!("[time] \"GET / HTTP/1.1\" 200 \"agent\r{record}\" \"id\"")] {
            assert_eq!(end(&line), None, "{line:?}");
        }
    }
}
