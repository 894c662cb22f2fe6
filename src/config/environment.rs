//! The environment variables that say what the terminal can do, read once and handed on as a value.

use std::path::PathBuf;

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColorSupport {
    /// None, or none wanted: meaning is carried by symbols, words and modifiers.
    Monochrome,
    /// The sixteen of ANSI.
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// 24 bits.
    TrueColor,
}

/// What the environment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// How many colours there are, by `NO_COLOR`, `COLORTERM` and `TERM`.
    pub colors: ColorSupport,
    /// Whether the program runs over SSH (`SSH_CONNECTION`, `SSH_TTY`), so that the system's clipboard is another machine's.
    pub ssh: bool,
    /// Whether there is a desktop to hold a clipboard: always on macOS and Windows, by `DISPLAY` or `WAYLAND_DISPLAY` elsewhere.
    pub desktop: bool,
    /// Whether the locale writes UTF-8 (`LC_ALL`, `LC_CTYPE`, `LANG`).
    pub utf8: bool,
    /// Where settings and themes are: `$XDG_CONFIG_HOME/meshscope`, or `.config/meshscope` in the home directory.
    pub config_directory: Option<PathBuf>,
}

impl Environment {
    /// Reads the process's environment.
    pub fn from_process() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads an environment that is given as a function from a variable's name to its value. An empty value is none, as
    /// the conventions of `NO_COLOR` and of XDG have it.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let is_set = |name: &str| value(name).is_some();
        // A relative XDG path is invalid and to be ignored (XDG Base Directory Specification).
        let config_home = value("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = value("HOME").or_else(|| value("USERPROFILE")).map(PathBuf::from);
        Self {
            colors: colors(is_set("NO_COLOR"), value("COLORTERM").as_deref(), value("TERM").as_deref()),
            ssh: is_set("SSH_CONNECTION") || is_set("SSH_TTY"),
            desktop: cfg!(any(target_os = "macos", windows)) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"),
            utf8: is_utf8(value("LC_ALL").or_else(|| value("LC_CTYPE")).or_else(|| value("LANG")).as_deref()),
            config_directory: config_home.or_else(|| home.map(|home| home.join(".config"))).map(|directory| directory.join("meshscope")),
        }
    }
}

fn colors(no_color: bool, colorterm: Option<&str>, term: Option<&str>) -> ColorSupport {
    let term = term.unwrap_or_default();
    if no_color || term == "dumb" || term.ends_with("-mono") || term.ends_with("-m") {
        ColorSupport::Monochrome
    } else if matches!(colorterm, Some("truecolor" | "24bit")) || term.ends_with("-direct") {
        ColorSupport::TrueColor
    } else if term.contains("256color") {
        ColorSupport::Ansi256
    } else if cfg!(windows) && term.is_empty() {
        // The Windows console sets neither variable and has shown 24 bits since 2016.
        ColorSupport::TrueColor
    } else {
        ColorSupport::Ansi16
    }
}

fn is_utf8(locale: Option<&str>) -> bool {
    match locale {
        Some(locale) => {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        }
        // Windows and macOS terminals write UTF-8 without a locale; elsewhere no locale is the POSIX one.
        None => cfg!(any(target_os = "macos", windows)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_lookup(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn colors_follow_the_conventions() {
        let of = |pairs: &[(&str, &str)]| environment(pairs).colors;
        assert_eq!(of(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), ColorSupport::TrueColor);
        assert_eq!(of(&[("TERM", "xterm-256color")]), ColorSupport::Ansi256);
        assert_eq!(of(&[("TERM", "xterm")]), ColorSupport::Ansi16);
        assert_eq!(of(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), ColorSupport::Monochrome);
        assert_eq!(of(&[("TERM", "xterm"), ("NO_COLOR", "1")]), ColorSupport::Monochrome);
        assert_eq!(of(&[("TERM", "xterm"), ("NO_COLOR", "")]), ColorSupport::Ansi16);
    }

    #[test]
    fn the_locale_says_whether_symbols_may_be_drawn() {
        assert!(environment(&[("LANG", "en_GB.UTF-8")]).utf8);
        assert!(environment(&[("LANG", "C"), ("LC_ALL", "C.utf8")]).utf8);
        assert!(!environment(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")]).utf8);
    }

    #[test]
    fn the_directory_follows_xdg() {
        let of = |pairs: &[(&str, &str)]| environment(pairs).config_directory;
        assert_eq!(of(&[("XDG_CONFIG_HOME", "/etc/x"), ("HOME", "/home/a")]), Some(PathBuf::from("/etc/x/meshscope")));
        assert_eq!(of(&[("XDG_CONFIG_HOME", "relative"), ("HOME", "/home/a")]), Some(PathBuf::from("/home/a/.config/meshscope")));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn ssh_and_desktop() {
        assert!(environment(&[("SSH_TTY", "/dev/pts/0")]).ssh);
        assert!(!environment(&[]).ssh);
        assert!(environment(&[("WAYLAND_DISPLAY", "wayland-0")]).desktop);
    }
}
