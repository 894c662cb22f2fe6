//! What would be, as a difference to what is.

use std::fmt::Write;

use super::form::Form;
use super::markdown;
use super::paint::{Paint, Style};
use crate::analysis::answers::{WhatIfAnswer, WhatIfEntry};
use crate::model::warning::Warning;

impl Form for WhatIfAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        for assumed in &self.assumed {
            let _ = writeln!(out, "if {}", paint.paint(Style::Plain, assumed));
        }
        let _ = writeln!(out, "{} {}", paint.paint(Style::Plugin, &self.plugin), paint.paint(Style::Plain, &self.touches()));
        for entry in &self.workloads {
            out.push('\n');
            out.push_str(&entry_text(entry, paint));
        }
        out
    }

    fn markdown(&self) -> String {
        let mut out = format!("### What would be of {} {}\n\n", self.plugin_kind, markdown::code(&self.plugin));
        let plain = |text: &str| Paint::Plain.paint(Style::Plain, text);
        for assumed in &self.assumed {
            let _ = writeln!(out, "- if {}", plain(assumed));
        }
        let _ = writeln!(out, "\nIt {}.", plain(&self.touches()));
        for entry in &self.workloads {
            let _ = writeln!(out, "\n#### {}\n\n```diff", markdown::code(&entry.proxy.to_string()));
            for (sign, line) in entry.lines() {
                let _ = writeln!(out, "{sign} {}", plain(&line));
            }
            out.push_str("```\n");
        }
        out
    }
}

fn entry_text(entry: &WhatIfEntry, paint: Paint) -> String {
    let on = entry.workload.as_ref().map(|name| format!("{} {name}, ", entry.workload_kind.unwrap_or_default())).unwrap_or_default();
    let mut out = format!("{}{}\n", paint.paint(Style::Strong, &on), paint.paint(Style::Plain, &entry.proxy.to_string()));
    for (sign, line) in entry.lines() {
        let style = match sign {
            '+' => Style::Good,
            '-' => Style::Bad,
            '!' => Style::Warn,
            _ => Style::Plain,
        };
        let _ = writeln!(out, "  {} {}", paint.paint(style, &sign.to_string()), paint.paint(style, &line));
    }
    out
}
