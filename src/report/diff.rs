//! What istiod would send against what the proxies have: a sentence a type, a line a difference.

use std::fmt::Write;

use super::form::Form;
use super::markdown;
use super::paint::{Paint, Style};
use crate::analysis::answers::{DiffAnswer, DiffEntry, DiffLine, TypeDiff};
use crate::model::warning::Warning;

impl Form for DiffAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        let entries: Vec<String> = self.proxies.iter().map(|entry| entry_text(entry, paint)).collect();
        entries.join("\n")
    }

    fn markdown(&self) -> String {
        let plain = |text: &str| Paint::Plain.paint(Style::Plain, text);
        let mut out = "### What istiod would send, and what the proxies have\n".to_owned();
        for entry in &self.proxies {
            let _ = writeln!(out, "\n#### {}\n", markdown::code(&entry.proxy.to_string()));
            if let Some(note) = &entry.note {
                let _ = writeln!(out, "Nothing can be compared: {}", plain(note));
            }
            if let Some(note) = &entry.way_note {
                let _ = writeln!(out, "istiod was asked over {}, since {}\n", entry.way.unwrap_or_default(), plain(note));
            }
            if let Some(note) = &entry.view_note {
                let _ = writeln!(out, "Not compared with what istiod says: {}\n", plain(note));
            }
            for found in &entry.types {
                let _ = writeln!(out, "- **{}** {}", found.short, plain(&found.sentence()));
                for said in found.basis_note.iter().chain(&found.notes) {
                    let _ = writeln!(out, "  - {}", plain(said));
                }
            }
            let lines: Vec<&DiffLine> = entry.types.iter().flat_map(|found| &found.differences).collect();
            if !lines.is_empty() {
                out.push_str("\n```diff\n");
                for line in lines {
                    let _ = writeln!(out, "{} {}", line.sign(), plain(&line.detail));
                }
                out.push_str("```\n");
            }
        }
        out
    }
}

fn entry_text(entry: &DiffEntry, paint: Paint) -> String {
    let on = entry.workload.as_ref().map(|name| format!("{} {name}, ", entry.workload_kind.unwrap_or_default())).unwrap_or_default();
    let mut out = format!("{}{}\n", paint.paint(Style::Strong, &on), paint.paint(Style::Plain, &entry.proxy.to_string()));
    if let Some(note) = &entry.note {
        let _ = writeln!(out, "  {}", paint.paint(Style::Warn, &format!("nothing can be compared: {note}")));
    }
    if let Some(note) = &entry.way_note {
        let said = format!("istiod was asked over {}, since {note}", entry.way.unwrap_or_default());
        let _ = writeln!(out, "  {}", paint.paint(Style::Muted, &said));
    }
    if let Some(note) = &entry.view_note {
        let _ = writeln!(out, "  {}", paint.paint(Style::Warn, &format!("not compared with what istiod says: {note}")));
    }
    for found in &entry.types {
        out.push_str(&type_text(found, paint));
    }
    out
}

fn type_text(found: &TypeDiff, paint: Paint) -> String {
    let style = match found.same {
        Some(true) => Style::Good,
        Some(false) => Style::Bad,
        None => Style::Plain,
    };
    let mut out = format!("  {:<4} {}\n", found.short, paint.paint(style, &found.sentence()));
    for difference in &found.differences {
        let style = match difference.sign() {
            '+' => Style::Good,
            '-' => Style::Bad,
            _ => Style::Warn,
        };
        let _ = writeln!(out, "       {} {}", paint.paint(style, &difference.sign().to_string()), paint.paint(style, &difference.detail));
        for cause in &difference.causes {
            let _ = writeln!(out, "         because {}", paint.paint(Style::Plain, &cause.why));
        }
    }
    for said in found.basis_note.iter().chain(&found.notes) {
        let _ = writeln!(out, "       {}", paint.paint(Style::Muted, said));
    }
    out
}
