//! What a person has set: the settings file, the theme files beside it, and what the environment says of the terminal.
//!
//! This is the only module that reads environment variables for the terminal program. It decides nothing about
//! colours or widgets: it hands on plain values, so that a test can put in its own.

mod environment;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use environment::{ColorSupport, Environment};

use crate::error::Error;
use crate::source::regular;

/// How many bytes of a settings or theme file are read at most: more is not one.
const MAX_FILE: u64 = 256 * 1024;

/// `config.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The theme's name; None is the default theme.
    pub theme: Option<String>,
    /// Where copied text goes.
    pub clipboard: ClipboardSetting,
    /// Whether to draw with ASCII alone; None asks the locale.
    pub ascii: Option<bool>,
    /// Screens of logs.
    pub logs: LogSettings,
}

/// `[logs]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// How many megabytes of lines a screen holds; the oldest go first.
    pub memory: u32,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { memory: 64 }
    }
}

impl LogSettings {
    /// The same in bytes.
    pub fn bytes(self) -> usize {
        usize::try_from(self.memory).unwrap_or(usize::MAX).saturating_mul(1_000_000)
    }
}

/// Where copied text goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClipboardSetting {
    /// The system's clipboard where there is one at hand, the terminal's otherwise.
    #[default]
    Auto,
    /// The system's clipboard, always.
    System,
    /// The terminal's clipboard, by the escape sequence OSC 52.
    Osc52,
    /// Nowhere.
    Off,
}

/// A theme file that was read: not yet understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeFile {
    /// The theme's name: the file's name without `.toml`.
    pub name: String,
    /// Where it stands, for warnings.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Settings {
    /// Reads `config.toml` of the directory. No file is no error: everything has a default.
    pub fn load(directory: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = directory.map(|directory| directory.join("config.toml")) else { return Ok(Self::default()) };
        match regular::text(&path, MAX_FILE) {
            Ok(text) => Self::parse(&text, &path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::bad_input(format!("cannot read {}: {error}", path.display()), "correct or remove the file")),
        }
    }

    /// Understands the text of a settings file; an error is one line with the file and the line in it.
    pub fn parse(text: &str, file: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let what = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
            Error::bad_input(format!("{file}:{line}: {what}"), "settings are theme, clipboard, ascii and logs.memory")
        })
    }
}

/// Reads all `*.toml` of the directory's `themes` folder, by name, and says what it could not read.
pub fn theme_files(directory: Option<&Path>) -> (Vec<ThemeFile>, Vec<String>) {
    let (mut files, mut warnings) = (Vec::new(), Vec::new());
    let Some(folder) = directory.map(|directory| directory.join("themes")) else { return (files, warnings) };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (files, warnings),
        Err(error) => {
            warnings.push(format!("cannot read {}: {error}", folder.display()));
            return (files, warnings);
        }
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "toml")) {
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned) else {
            warnings.push(format!("{}: the name of a theme file must be UTF-8", path.display()));
            continue;
        };
        match regular::text(&path, MAX_FILE) {
            Ok(text) => files.push(ThemeFile { name, path: path.display().to_string(), text }),
            Err(error) => warnings.push(format!("cannot read {}: {error}", path.display())),
        }
    }
    (files, warnings)
}

/// The line, counted from 1, in which a byte stands.
pub fn line_of(text: &str, byte: usize) -> usize {
    text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_one_line_with_its_place() {
        let error = Settings::parse("theme = \"dark\"\nclipbord = \"off\"\n", "config.toml").unwrap_err().to_string();
        assert!(error.starts_with("config.toml:2: unknown field `clipbord`"), "{error}");
        assert!(!error.contains('\n'), "{error}");
        let error = Settings::parse("\n\nclipboard = \"tape\"", "config.toml").unwrap_err().to_string();
        assert!(error.starts_with("config.toml:3: unknown variant `tape`"), "{error}");
        assert!(Settings::parse("theme = ", "config.toml").unwrap_err().to_string().starts_with("config.toml:1: "));
    }

    #[test]
    fn everything_has_a_default() {
        assert_eq!(Settings::parse("", "config.toml").unwrap(), Settings::default());
        let all = Settings::parse("theme = \"light\"\nclipboard = \"osc52\"\nascii = true\n[logs]\nmemory = 8", "config.toml").unwrap();
        assert_eq!(
            all,
            Settings {
                theme: Some("light".into()),
                clipboard: ClipboardSetting::Osc52,
                ascii: Some(true),
                logs: LogSettings { memory: 8 }
            }
        );
        assert_eq!((Settings::default().logs.bytes(), all.logs.bytes()), (64_000_000, 8_000_000));
    }

    #[test]
    fn reads_from_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Settings::load(Some(directory.path())).unwrap(), Settings::default());
        assert_eq!(theme_files(Some(directory.path())), (vec![], vec![]));
        std::fs::write(directory.path().join("config.toml"), "ascii = true").unwrap();
        std::fs::create_dir(directory.path().join("themes")).unwrap();
        std::fs::write(directory.path().join("themes/mine.toml"), "inherits = \"dark\"").unwrap();
        std::fs::write(directory.path().join("themes/notes.txt"), "no theme").unwrap();
        std::fs::write(directory.path().join("themes/bad.toml"), [0xff, 0xfe]).unwrap();
        assert_eq!(Settings::load(Some(directory.path())).unwrap().ascii, Some(true));
        let (files, warnings) = theme_files(Some(directory.path()));
        assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["mine"]);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("bad.toml"), "{warnings:?}");
    }
}
