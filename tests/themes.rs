//! Every theme can be read on every terminal, and no theme file can do harm.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use meshscope::config::{ColorSupport, ThemeFile};
use meshscope::ui::theme::{Role, Themes, contrast};
use proptest::prelude::*;
use ratatui::style::{Color, Modifier};

const SUPPORTS: [ColorSupport; 4] = [ColorSupport::Monochrome, ColorSupport::Ansi16, ColorSupport::Ansi256, ColorSupport::TrueColor];

fn own(name: &str, text: &str) -> Vec<ThemeFile> {
    vec![ThemeFile { name: name.into(), path: format!("{name}.toml"), text: text.into() }]
}

fn warnings(text: &str) -> Vec<String> {
    Themes::load(&own("mine", text), ColorSupport::TrueColor).1
}

#[test]
fn every_theme_parses_without_a_warning() {
    for support in SUPPORTS {
        let (themes, warnings) = Themes::load(&[], support);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(themes.names(), ["dark", "light", "high-contrast", "ansi", "monochrome"]);
    }
}

#[test]
fn the_folder_holds_what_is_built_in() {
    let mut files: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/themes"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let (themes, _) = Themes::load(&[], ColorSupport::TrueColor);
    let mut names = themes.names();
    names.sort_unstable();
    assert_eq!(files, names);
}

#[test]
fn every_theme_names_every_role() {
    for (file, parent) in [("dark", None), ("light", Some("dark")), ("high-contrast", Some("dark")), ("ansi", None), ("monochrome", None)] {
        let read = |name: &str| std::fs::read_to_string(format!("{}/themes/{name}.toml", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let text = format!("{}\n{}", read(file), parent.map(read).unwrap_or_default());
        for role in Role::ALL {
            assert!(text.contains(&format!("\n{} = ", role.name())), "{file} has no {}", role.name());
        }
    }
}

#[test]
fn text_stands_out_from_its_ground() {
    let (themes, _) = Themes::load(&[], ColorSupport::TrueColor);
    for name in ["dark", "light", "high-contrast"] {
        let theme = themes.find(name).unwrap();
        let ground = theme.style(Role::Text);
        let selection = theme.style(Role::Selection);
        for role in Role::ALL.iter().copied().filter(|role| role.carries_text()) {
            let style = theme.style(role);
            let fg = style.fg.or(ground.fg).unwrap();
            let bg = style.bg.or(ground.bg).unwrap();
            let ratio = contrast(fg, bg).unwrap();
            assert!(ratio >= 4.5, "{name}: {} has a contrast of {ratio:.1}", role.name());
            let ratio = contrast(selection.fg.unwrap_or(fg), selection.bg.unwrap()).unwrap();
            assert!(ratio >= 4.5, "{name}: a selected {} has a contrast of {ratio:.1}", role.name());
        }
    }
}

#[test]
fn without_colors_only_modifiers_remain() {
    let (themes, _) = Themes::load(&[], ColorSupport::Monochrome);
    for name in themes.names() {
        let theme = themes.find(name).unwrap();
        for role in Role::ALL {
            assert_eq!((theme.style(*role).fg, theme.style(*role).bg), (None, None), "{name} {}", role.name());
        }
    }
    let (themes, _) = Themes::load(&[], ColorSupport::TrueColor);
    let monochrome = themes.find("monochrome").unwrap();
    assert!(Role::ALL.iter().all(|role| monochrome.style(*role).fg.is_none() && monochrome.style(*role).bg.is_none()));
}

#[test]
fn a_selection_is_seen_on_every_terminal() {
    for support in SUPPORTS {
        let (themes, _) = Themes::load(&[], support);
        for name in themes.names() {
            let theme = themes.find(name).unwrap();
            let selection = theme.style(Role::Selection);
            let reversed = selection.add_modifier.contains(Modifier::REVERSED);
            assert!(reversed || selection.bg != theme.style(Role::Text).bg, "{name} with {support:?}: {selection:?}");
        }
    }
}

#[test]
fn few_colors_are_kept_to() {
    let (themes, _) = Themes::load(&[], ColorSupport::Ansi16);
    for name in themes.names() {
        for role in Role::ALL {
            let style = themes.find(name).unwrap().style(*role);
            for color in [style.fg, style.bg].into_iter().flatten() {
                assert!(!matches!(color, Color::Rgb(..) | Color::Indexed(_)), "{name} {}: {color:?}", role.name());
            }
        }
    }
    let (themes, _) = Themes::load(&[], ColorSupport::Ansi256);
    let style = themes.find("dark").unwrap().style(Role::Good);
    assert!(matches!(style.fg, Some(Color::Indexed(_))), "{style:?}");
}

#[test]
fn mistakes_are_warnings_with_their_place() {
    assert_eq!(warnings("[roles]\ntitel = \"red\""), ["mine.toml:2: unknown role \"titel\""]);
    assert!(warnings("[roles]\n\ntitle = \"purpel\"")[0].starts_with("mine.toml:3: unknown colour \"purpel\""));
    assert!(warnings("[palette]\nred = \"#12\"\n[roles]\ntitle = \"red\"")[0].starts_with("mine.toml:2: unknown colour \"#12\""));
    assert!(warnings("[roles]\ntitle = { fg = \"red\", modifiers = [\"loud\"] }")[0].starts_with("mine.toml:2: unknown modifier"));
    assert!(warnings("[roles]\ntitle = { gf = \"red\" }")[0].starts_with("mine.toml:2: unknown part \"gf\""));
    assert_eq!(warnings("[roles]\ntitle = true"), ["mine.toml:2: title must be a colour, not a boolean"]);
    assert!(warnings("colour = 1")[0].starts_with("mine.toml:1: unknown key \"colour\""));
    assert_eq!(warnings("roles = 1"), ["mine.toml:1: roles must be a table, not an integer"]);
    assert_eq!(warnings("inherits = \"drak\""), ["mine.toml:1: there is no theme \"drak\" to inherit from"]);
    assert!(warnings("inherits = \"mine\"")[0].contains("inherits from itself"));
    assert!(warnings("[roles\ntitle = \"red\"")[0].starts_with("mine.toml:1: "));
}

#[test]
fn what_is_right_beside_a_mistake_is_used() {
    let (themes, warnings) = Themes::load(
        &own("mine", "inherits = \"dark\"\n[palette]\nblue = \"#0000ff\"\n[roles]\nwrong = 1\ngood = 208"),
        ColorSupport::TrueColor,
    );
    assert_eq!(warnings.len(), 1);
    let theme = themes.find("mine").unwrap();
    assert_eq!(theme.style(Role::Key).fg, Some(Color::Rgb(0, 0, 255)), "the parent's roles take the child's palette");
    assert_eq!(theme.style(Role::Good).fg, Some(Color::Indexed(208)));
}

#[test]
fn an_own_theme_wins_over_a_built_in_one() {
    let (themes, warnings) = Themes::load(&own("light", "[roles]\ntext = { fg = \"#010101\", bg = \"#fefefe\" }"), ColorSupport::TrueColor);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(themes.find("light").unwrap().style(Role::Text).fg, Some(Color::Rgb(1, 1, 1)));
    assert!(themes.find("lihgt").unwrap_err().contains("themes are dark, light"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = warnings(&text);
    }

    #[test]
    fn no_theme_panics(key in "[a-z-]{0,8}", value in "[#\"0-9a-fé{}=, \\[\\]]{0,16}", role in 0..Role::COUNT) {
        let text = format!("inherits = \"{key}\"\n[palette]\n{key} = {value}\n[roles]\n{} = {value}\ntext = \"{key}\"", Role::ALL[role].name());
        let _ = warnings(&text);
    }
}
