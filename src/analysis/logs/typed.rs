//! A filter as a person types it: the words of the command line, `level=warning scope=wasm include=… exclude=…`, and any text.

use std::fmt;

use regex::Regex;

use super::{FilterError, FilterSpec, Severity};
use crate::analysis::lookup;
use crate::model::ids::PluginId;
use crate::model::logs::LogSource;
use crate::model::snapshot::Snapshot;

/// What can be typed: each word, and what it means.
pub const FORM: [(&str, &str); 9] = [
    ("TEXT", "lines with this text; a capital asks for a capital"),
    ("level=warning", "lines at least so grave, from trace to critical"),
    ("plugin=this|any|NAME", "lines about a plugin, or all lines"),
    ("workload=NAME", "lines of its proxies, and istiod's about them"),
    ("source=istiod|proxies", "lines of istiod alone, or of the proxies"),
    ("scope=NAME", "lines of a Go program's scope, or Envoy's component"),
    ("include=REGEX", "lines that it matches; several are alternatives"),
    ("exclude=REGEX", "lines that it does not match"),
    ("highlight=REGEX", "shows what it matches, as / does"),
];

/// The filter. What was not typed asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// Which plugin.
    pub plugin: PluginWord,
    /// Workloads by their names.
    pub workloads: Vec<String>,
    /// The one source.
    pub source: Option<LogSource>,
    /// The least level.
    pub level: Option<Severity>,
    /// Scopes or components.
    pub scopes: Vec<String>,
    /// Regular expressions of which one matches.
    pub include: Vec<String>,
    /// Regular expressions of which none matches.
    pub exclude: Vec<String>,
    /// What is only shown.
    pub highlight: Option<String>,
    /// A text.
    pub text: String,
}

/// Which plugin's records are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PluginWord {
    /// Any, and those of none.
    #[default]
    Any,
    /// The one in question.
    This,
    /// The one of this name.
    Named(String),
}

impl Typed {
    /// Reads what was typed.
    ///
    /// # Errors
    /// Which word cannot be understood, and why.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut typed = Self::default();
        let mut words: Vec<String> = Vec::new();
        for word in split(text)? {
            match word.key {
                Some(key) => typed.set(&key, word.value)?,
                None => words.push(word.value),
            }
        }
        typed.text = words.join(" ");
        Ok(typed)
    }

    fn set(&mut self, key: &str, value: String) -> Result<(), String> {
        if value.is_empty() {
            return Err(format!("{key}= says nothing"));
        }
        match key {
            "plugin" => {
                self.plugin = match value.as_str() {
                    "any" => PluginWord::Any,
                    "this" => PluginWord::This,
                    _ => PluginWord::Named(value),
                }
            }
            "workload" => self.workloads.push(value),
            "source" => {
                self.source = Some(match value.as_str() {
                    "istiod" => LogSource::Istiod,
                    "proxies" | "proxy" => LogSource::Proxy,
                    _ => return Err(format!("source={value} is none; there are istiod and proxies")),
                });
            }
            "level" => {
                let level = Severity::parse(&value);
                self.level = Some(level.ok_or_else(|| format!("level={value} is none; there are {}", Severity::WORDS.join(", ")))?);
            }
            "scope" => self.scopes.push(value),
            "include" => self.include.push(value),
            "exclude" => self.exclude.push(value),
            "highlight" => self.highlight = Some(value),
            _ => return Err(format!("{key}= is no word of a filter; put a text with = into quotes")),
        }
        Ok(())
    }

    /// What is asked for, of `this` plugin where that is meant.
    ///
    /// # Errors
    /// Which name stands for nothing, or is ambiguous.
    pub fn spec(&self, snapshot: &Snapshot, this: Option<&PluginId>, namespace: &str) -> Result<FilterSpec, FilterError> {
        let plugins = match &self.plugin {
            PluginWord::Any => Vec::new(),
            PluginWord::This => this.into_iter().cloned().collect(),
            PluginWord::Named(name) => vec![lookup::plugin(snapshot, name, namespace).map_err(|error| FilterError(error.0))?],
        };
        let (mut workloads, mut pods) = (Vec::new(), Vec::new());
        for name in &self.workloads {
            let found = lookup::workload(snapshot, name, namespace).map_err(|error| FilterError(error.0))?;
            match found.id {
                Some(id) => workloads.push(id),
                None => pods.extend(found.proxies),
            }
        }
        Ok(FilterSpec {
            plugins,
            workloads,
            pods,
            sources: self.source.into_iter().collect(),
            level: self.level,
            scopes: self.scopes.clone(),
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            text: (!self.text.is_empty()).then(|| literally(&self.text)),
        })
    }
}

/// A regular expression, in either case unless it has a capital. It is bounded, since a person waits for it.
///
/// # Errors
/// Why it is none.
pub fn pattern(text: &str) -> Result<Regex, FilterError> {
    let built = regex::RegexBuilder::new(text).case_insensitive(!has_capital(text)).multi_line(true).size_limit(1 << 20).build();
    built.map_err(|error| super::filter::not_a_regex(text, &error))
}

fn literally(text: &str) -> String {
    let either = if has_capital(text) { "" } else { "(?i)" };
    format!("{either}{}", regex::escape(text))
}

fn has_capital(text: &str) -> bool {
    text.chars().any(char::is_uppercase)
}

/// A word that was typed: `key=value`, or a value alone.
#[derive(Default)]
struct Word {
    key: Option<String>,
    value: String,
    /// Whether its value was put into quotes, so that it is a text whatever stands in it.
    quoted: bool,
}

/// Words between blanks. Quotes hold blanks together; within them a backslash stands before a quote or another backslash.
fn split(text: &str) -> Result<Vec<Word>, String> {
    let (mut words, mut word, mut inside) = (Vec::new(), None::<Word>, false);
    let mut characters = text.chars().peekable();
    while let Some(char) = characters.next() {
        if char.is_whitespace() && !inside {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match char {
            '"' => (inside, word.quoted) = (!inside, true),
            '\\' if inside && matches!(characters.peek(), Some('"' | '\\')) => word.value.extend(characters.next()),
            '=' if word.key.is_none() && !word.quoted && is_key(&word.value) => word.key = Some(std::mem::take(&mut word.value)),
            char => word.value.push(char),
        }
    }
    words.extend(word);
    if inside { Err("a quote is not closed".to_owned()) } else { Ok(words) }
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words: Vec<String> = Vec::new();
        let mut say = |key: &str, value: &str| words.push(format!("{key}={}", quoted(value)));
        match &self.plugin {
            PluginWord::Any => {}
            PluginWord::This => say("plugin", "this"),
            PluginWord::Named(name) => say("plugin", name),
        }
        self.workloads.iter().for_each(|name| say("workload", name));
        match self.source {
            Some(LogSource::Istiod) => say("source", "istiod"),
            Some(_) => say("source", "proxies"),
            None => {}
        }
        if let Some(level) = self.level {
            say("level", level.word());
        }
        self.scopes.iter().for_each(|scope| say("scope", scope));
        self.include.iter().for_each(|text| say("include", text));
        self.exclude.iter().for_each(|text| say("exclude", text));
        self.highlight.iter().for_each(|text| say("highlight", text));
        words.extend((!self.text.is_empty()).then(|| quoted(&self.text)));
        f.write_str(&words.join(" "))
    }
}

/// The value in quotes where it could not be read back without.
fn quoted(value: &str) -> String {
    let plain = |char: char| !char.is_whitespace() && !matches!(char, '"' | '=');
    if value.chars().all(plain) { value.to_owned() } else { format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_words_of_the_command_line_and_any_text() {
        let typed = Typed::read("level=warn scope=wasm source=istiod plugin=this include=a.b exclude=\"x y\" Failed  to").unwrap();
        assert_eq!((typed.level, typed.source, &typed.plugin), (Some(Severity::Warning), Some(LogSource::Istiod), &PluginWord::This));
        assert_eq!((typed.scopes, typed.include, typed.exclude), (vec!["wasm".into()], vec!["a.b".into()], vec!["x y".to_owned()]));
        assert_eq!(typed.text, "Failed to");
        assert_eq!(Typed::read("\"a=b\" c==d").unwrap_err(), "c= is no word of a filter; put a text with = into quotes");
        assert_eq!(Typed::read("\"a=b\" 1=2").unwrap().text, "a=b 1=2");
        assert_eq!(Typed::read("").unwrap(), Typed::default());
    }

    #[test]
    fn what_cannot_be_understood_is_said() {
        for (text, says) in [
            ("level=loud", "level=loud is none; there are trace"),
            ("source=pods", "there are istiod and proxies"),
            ("levl=info", "levl= is no word of a filter"),
            ("scope=", "scope= says nothing"),
            ("\"a", "a quote is not closed"),
        ] {
            assert!(Typed::read(text).unwrap_err().contains(says), "{text}");
        }
        assert!(pattern("a(").unwrap_err().to_string().contains("a( is not a regular expression"));
    }

    #[test]
    fn a_text_is_no_regular_expression_and_a_capital_asks_for_a_capital() {
        let spec = |text: &str| Typed::read(text).unwrap().spec(&Snapshot::default(), None, "default").unwrap();
        assert_eq!(spec("a.b").text.as_deref(), Some("(?i)a\\.b"));
        let both = spec("A.b include=x");
        assert_eq!((both.text.as_deref(), both.include), (Some("A\\.b"), vec!["x".to_owned()]));
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_typed(text in "[ -~é]{0,20}", include in proptest::collection::vec("[!-~ ]{1,8}", 0..3), level in 0_usize..6) {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let level = Severity::parse(Severity::WORDS[level]);
            let typed = Typed { text, include, level, plugin: PluginWord::This, ..Typed::default() };
            prop_assert_eq!(Typed::read(&typed.to_string()), Ok(typed));
        }
    }
}
