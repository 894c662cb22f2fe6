//! A theme file's text into its palette and roles, each with the line it stands in. Pure: it never fails, it warns.

use std::collections::BTreeMap;
use std::ops::Range;

use ratatui::style::Modifier;
use toml::de::{DeTable, DeValue};

use super::role::Role;
use crate::config::{ThemeFile, line_of};

/// A value and the line it stands in.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub value: T,
    /// `file:line`.
    pub place: String,
}

/// A role as it is written: names of colours, not yet looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct RawRole {
    pub fg: Option<At<String>>,
    pub bg: Option<At<String>>,
    pub modifiers: Modifier,
}

/// A theme as it is written.
#[derive(Clone, Debug, Default)]
pub(super) struct RawTheme {
    pub name: String,
    pub inherits: Option<At<String>>,
    pub palette: BTreeMap<String, At<String>>,
    pub roles: BTreeMap<Role, RawRole>,
}

/// Reads one file. What cannot be used becomes a warning, and the rest goes on.
pub(super) fn parse(file: &ThemeFile, warnings: &mut Vec<String>) -> RawTheme {
    let mut theme = RawTheme { name: file.name.clone(), ..RawTheme::default() };
    let (document, errors) = DeTable::parse_recoverable(&file.text);
    let mut reader = Reader { file, warnings };
    for error in errors {
        reader.warn(&error.span().unwrap_or_default(), error.message());
    }
    for (key, value) in document.get_ref() {
        let span = value.span();
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("inherits", DeValue::String(parent)) => theme.inherits = Some(reader.at(&span, parent.as_ref())),
            ("palette", DeValue::Table(table)) => reader.palette(table, &mut theme),
            ("roles", DeValue::Table(table)) => reader.roles(table, &mut theme),
            (known @ ("inherits" | "palette" | "roles"), other) => {
                let wanted = if known == "inherits" { "a string" } else { "a table" };
                reader.warn(&span, &format!("{known} must be {wanted}, not {}", kind(other)));
            }
            (unknown, _) => {
                reader.warn(&key.span(), &format!("unknown key {unknown:?}; a theme has inherits, [palette] and [roles]"));
            }
        }
    }
    theme
}

struct Reader<'a> {
    file: &'a ThemeFile,
    warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn place(&self, span: &Range<usize>) -> String {
        format!("{}:{}", self.file.path, line_of(&self.file.text, span.start))
    }

    fn at(&self, span: &Range<usize>, value: &str) -> At<String> {
        At { value: value.to_owned(), place: self.place(span) }
    }

    fn warn(&mut self, span: &Range<usize>, what: &str) {
        let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
        self.warnings.push(format!("{}: {what}", self.place(span)));
    }

    fn palette(&mut self, table: &DeTable<'_>, theme: &mut RawTheme) {
        for (name, value) in table {
            if let Some(color) = self.color(name.get_ref(), value) {
                theme.palette.insert(name.get_ref().to_string(), color);
            }
        }
    }

    fn roles(&mut self, table: &DeTable<'_>, theme: &mut RawTheme) {
        for (name, value) in table {
            let Some(role) = Role::from_name(name.get_ref()) else {
                self.warn(&name.span(), &format!("unknown role {:?}", name.get_ref()));
                continue;
            };
            let raw = match value.get_ref() {
                DeValue::Table(parts) => self.role(parts),
                _ => RawRole { fg: self.color(name.get_ref(), value), ..RawRole::default() },
            };
            theme.roles.insert(role, raw);
        }
    }

    fn role(&mut self, parts: &DeTable<'_>) -> RawRole {
        let mut raw = RawRole::default();
        for (part, value) in parts {
            match (part.get_ref().as_ref(), value.get_ref()) {
                ("fg", _) => raw.fg = self.color("fg", value),
                ("bg", _) => raw.bg = self.color("bg", value),
                ("modifiers", DeValue::Array(names)) => {
                    for name in names.iter() {
                        match name.get_ref().as_str().and_then(modifier) {
                            Some(modifier) => raw.modifiers |= modifier,
                            None => self.warn(&name.span(), "unknown modifier; there are bold, dim, italic, underlined and reversed"),
                        }
                    }
                }
                ("modifiers", other) => self.warn(&value.span(), &format!("modifiers must be an array, not {}", kind(other))),
                (unknown, _) => self.warn(&part.span(), &format!("unknown part {unknown:?}; a role has fg, bg and modifiers")),
            }
        }
        raw
    }

    fn color(&mut self, of: &str, value: &toml::Spanned<DeValue<'_>>) -> Option<At<String>> {
        match value.get_ref() {
            DeValue::String(text) => Some(self.at(&value.span(), text)),
            DeValue::Integer(index) => Some(self.at(&value.span(), index.as_str())),
            other => {
                self.warn(&value.span(), &format!("{of} must be a colour, not {}", kind(other)));
                None
            }
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

fn modifier(name: &str) -> Option<Modifier> {
    Some(match name {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underlined" => Modifier::UNDERLINED,
        "reversed" => Modifier::REVERSED,
        _ => return None,
    })
}
