//! Themes: what each role on the screen looks like. Views name roles; only this module knows colours.
//!
//! A theme is a TOML file (`themes/*.toml`), built in or the person's own. A mistake in one is a warning with its
//! file and line, and never stops the program.

mod color;
mod parse;
mod resolve;
mod role;

use ratatui::style::{Color, Modifier, Style};

pub use color::contrast;
pub(crate) use color::rgb;
pub use role::Role;

use crate::config::{ColorSupport, ThemeFile};

/// The theme that is used where none is named.
pub const DEFAULT: &str = "dark";

/// The themes that are part of the program, in the order in which one key goes through them.
const BUILT_IN: [(&str, &str); 5] = [
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("ansi", include_str!("../../../themes/ansi.toml")),
    ("monochrome", include_str!("../../../themes/monochrome.toml")),
];

/// One theme, ready to draw with on a terminal of known capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    styles: [Style; Role::COUNT],
}

impl Theme {
    /// What a role looks like. To be laid over [`Role::Text`], which covers the whole screen.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role.index()]
    }

    /// The theme as a terminal with these colours shows it.
    fn adapted(mut self, support: ColorSupport, modifiers: &[Modifier; Role::COUNT]) -> Self {
        for (style, without_colors) in self.styles.iter_mut().zip(modifiers) {
            *style = color::downgrade_style(*style, support);
            if support == ColorSupport::Monochrome && style.add_modifier.is_empty() {
                *style = style.add_modifier(*without_colors);
            }
        }
        if support < ColorSupport::TrueColor {
            self.keep_visible();
        }
        self
    }

    /// Nearest colours can coincide: a selection that looks like the rest is reversed, a text that fades is drawn plain.
    fn keep_visible(&mut self) {
        let ground = self.style(Role::Text);
        for role in Role::ALL {
            let style = &mut self.styles[role.index()];
            if *role == Role::Selection && style.bg == ground.bg && !style.add_modifier.contains(Modifier::REVERSED) {
                *style = style.add_modifier(Modifier::REVERSED);
            } else if fades(style.fg, style.bg.or(ground.bg)) {
                style.fg = ground.fg;
            }
        }
    }
}

fn fades(fg: Option<Color>, bg: Option<Color>) -> bool {
    fg.zip(bg).and_then(|(fg, bg)| contrast(fg, bg)).is_some_and(|ratio| ratio < 1.8)
}

/// All themes there are: the built-in ones and the person's own, which win where the names are the same.
#[derive(Clone, Debug)]
pub struct Themes {
    themes: Vec<Theme>,
}

impl Themes {
    /// Understands all themes for a terminal with these colours. The warnings say what of them could not be used.
    pub fn load(own: &[ThemeFile], support: ColorSupport) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let mut files: Vec<ThemeFile> = BUILT_IN.iter().map(|(name, text)| built_in(name, text)).collect();
        for file in own {
            match files.iter_mut().find(|known| known.name == file.name) {
                Some(known) => *known = file.clone(),
                None => files.push(file.clone()),
            }
        }
        let raw: Vec<parse::RawTheme> = files.iter().map(|file| parse::parse(file, &mut warnings)).collect();
        let plain = resolve::modifiers_of("monochrome", &raw);
        let themes = raw.iter().map(|theme| resolve::resolve(theme, &raw, &mut warnings).adapted(support, &plain)).collect();
        warnings.sort();
        // A parent's mistake is met again in each child.
        warnings.dedup();
        (Self { themes }, warnings)
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<&str> {
        self.themes.iter().map(|theme| theme.name.as_str()).collect()
    }

    /// The theme of a name, or what there is instead, said as one line.
    pub fn find(&self, name: &str) -> Result<&Theme, String> {
        let known = || format!("there is no theme {name:?}; themes are {}", self.names().join(", "));
        self.themes.iter().find(|theme| theme.name == name).ok_or_else(known)
    }

    /// The theme at a place, counted round: what the key for the next theme asks for.
    pub fn at(&self, index: usize) -> &Theme {
        // `load` always puts the built-in themes in, so there is at least one.
        &self.themes[index % self.themes.len()]
    }
}

fn built_in(name: &str, text: &str) -> ThemeFile {
    ThemeFile { name: name.to_owned(), path: format!("themes/{name}.toml"), text: text.to_owned() }
}
