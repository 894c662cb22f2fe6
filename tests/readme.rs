//! Holds the README against the program: its key table, its commands, its themes, its Role.

use clap::CommandFactory;
use meshscope::app::keymap;
use meshscope::cli::Cli;
use meshscope::model::kind::Kind;

const BEGIN: &str = "<!-- keys: made from the program's table; a test holds it -->\n";
const END: &str = "<!-- /keys -->";

fn path() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// `UPDATE=1` writes the table anew.
#[test]
fn the_key_table_is_the_programs() {
    let text = std::fs::read_to_string(path()).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let expected = format!("\n{}\n", keymap::readme_table());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(), format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(table, expected, "run this test with UPDATE=1");
}

#[test]
fn every_command_and_theme_is_named() {
    let text = std::fs::read_to_string(path()).unwrap();
    for command in Cli::command().get_subcommands() {
        assert!(text.contains(&format!("`meshscope {}", command.get_name())), "{}", command.get_name());
    }
    for theme in std::fs::read_dir(path().with_file_name("themes")).unwrap() {
        let name = theme.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_role_allows_every_kind_that_is_watched() {
    let text = std::fs::read_to_string(path()).unwrap();
    let role = text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let role: serde_json::Value = serde_saphyr::from_str(role).unwrap();
    for kind in Kind::ALL {
        let allowed = role["rules"].as_array().unwrap().iter().any(|rule| {
            let has = |list: &str, word: &str| rule[list].as_array().unwrap().iter().any(|value| value == word);
            has("apiGroups", kind.group())
                && has("resources", kind.plural())
                && ["get", "list", "watch"].iter().all(|verb| has("verbs", verb))
        });
        assert!(allowed, "{}", kind.resource());
    }
}
