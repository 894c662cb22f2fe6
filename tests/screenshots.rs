//! The pictures of the README, drawn from recordings. A stale one fails; `UPDATE=1 cargo test --test screenshots` draws it anew.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::path::Path;

use meshscope::config::ColorSupport;
use meshscope::ui::svg::svg;
use meshscope::ui::theme::Themes;
use support::driver::Driver;

fn is_current(name: &str, title: &str, driver: &mut Driver, size: (u16, u16)) {
    let (themes, _) = Themes::load(&[], ColorSupport::TrueColor);
    let picture = svg(&driver.screen(size), themes.at(0), title);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("screenshots/{name}.svg"));
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &picture).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == picture, "screenshots/{name}.svg is stale: run UPDATE=1 cargo test --test screenshots");
}

#[test]
fn plugins() {
    is_current("plugins", "meshscope: the plugins of a mesh", &mut Driver::recording("fetch-failed-closed"), (120, 30));
}

#[test]
fn workloads() {
    let mut driver = Driver::recording("gateway");
    is_current("workloads", "meshscope: the workloads of a plugin", driver.keys("<enter>"), (120, 18));
}

#[test]
fn chains() {
    is_current("chains", "meshscope: the filter chains of a proxy", Driver::demo().keys("c"), (120, 34));
}

#[test]
fn why() {
    is_current("why", "meshscope: why a plugin stands 4 times on port 15006", Driver::demo().keys("w"), (120, 30));
}

#[test]
fn why_strict() {
    is_current("why-strict", "meshscope: the same after a change to STRICT", Driver::demo().keys("wM"), (120, 34));
}
