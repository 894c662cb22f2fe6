//! Inheritance, palette and roles of the themes as written, into styles.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

use super::parse::{At, RawRole, RawTheme};
use super::role::Role;
use super::{Theme, color};

/// How many parents a theme may have in a row: more is a mistake.
const MAX_PARENTS: usize = 8;

/// Makes a theme of what it and its parents say.
pub(super) fn resolve(theme: &RawTheme, all: &[RawTheme], warnings: &mut Vec<String>) -> Theme {
    let lineage = lineage(theme, all, warnings);
    let mut palette: BTreeMap<&str, &At<String>> = BTreeMap::new();
    let mut roles: BTreeMap<Role, &RawRole> = BTreeMap::new();
    // The eldest first, so that a child's own colours reach its parent's roles too.
    for theme in lineage.iter().rev() {
        palette.extend(theme.palette.iter().map(|(name, value)| (name.as_str(), value)));
        roles.extend(theme.roles.iter().map(|(role, raw)| (*role, raw)));
    }
    let palette: BTreeMap<&str, Color> = palette.into_iter().filter_map(|(name, value)| Some((name, literal(value, warnings)?))).collect();
    let mut look_up = |name: &Option<At<String>>| {
        let name = name.as_ref()?;
        palette.get(name.value.as_str()).copied().or_else(|| literal(name, warnings))
    };
    let mut styles = [Style::new(); Role::COUNT];
    for (role, raw) in roles {
        let mut style = Style::new().add_modifier(raw.modifiers);
        style.fg = look_up(&raw.fg);
        style.bg = look_up(&raw.bg);
        styles[role.index()] = style;
    }
    Theme { name: theme.name.clone(), styles }
}

/// The modifiers that a theme's own roles have: what stands in for colours where there are none.
pub(super) fn modifiers_of(name: &str, all: &[RawTheme]) -> [Modifier; Role::COUNT] {
    let mut modifiers = [Modifier::empty(); Role::COUNT];
    if let Some(theme) = all.iter().find(|theme| theme.name == name) {
        for (role, raw) in &theme.roles {
            modifiers[role.index()] = raw.modifiers;
        }
    }
    modifiers
}

fn lineage<'a>(theme: &'a RawTheme, all: &'a [RawTheme], warnings: &mut Vec<String>) -> Vec<&'a RawTheme> {
    let mut lineage = vec![theme];
    let mut current = theme;
    while let Some(parent) = &current.inherits {
        let Some(found) = all.iter().find(|theme| theme.name == parent.value) else {
            warnings.push(format!("{}: there is no theme {:?} to inherit from", parent.place, parent.value));
            break;
        };
        if lineage.len() > MAX_PARENTS || lineage.iter().any(|theme| theme.name == found.name) {
            warnings.push(format!("{}: {:?} inherits from itself, or over too many themes", parent.place, parent.value));
            break;
        }
        lineage.push(found);
        current = found;
    }
    lineage
}

fn literal(value: &At<String>, warnings: &mut Vec<String>) -> Option<Color> {
    let color = color::parse(&value.value);
    if color.is_none() {
        warnings.push(format!(
            "{}: unknown colour {:?}; a colour is of the palette, #rrggbb, 0 to 255, default or a name of ANSI",
            value.place, value.value
        ));
    }
    color
}
