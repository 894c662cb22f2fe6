//! The widgets at three sizes, put together as screens are, and at every size without a panic.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::cell::Cell;

use meshscope::app::action::View;
use meshscope::app::keymap::{self, Context};
use meshscope::app::state::{ListState, Palette, Prompt};
use meshscope::config::ColorSupport;
use meshscope::ui::Look;
use meshscope::ui::svg::svg;
use meshscope::ui::text::Piece;
use meshscope::ui::theme::{Role, Theme, Themes};
use meshscope::ui::widgets::{Chrome, Column, Pane, PromptLine, Table, TableRow, Tree, TreeRow, palette, too_small};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use support::screen::show;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn theme(name: &str) -> Theme {
    Themes::load(&[], ColorSupport::TrueColor).0.find(name).unwrap().clone()
}

fn drawn(size: (u16, u16), look: &Look<'_>, draw: impl Fn(Rect, &mut Buffer, &Look<'_>)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal
        .draw(|frame| {
            let area = frame.area();
            if !too_small(area, frame.buffer_mut(), look) {
                draw(area, frame.buffer_mut(), look);
            }
        })
        .unwrap();
    terminal.backend().buffer().clone()
}

fn chrome<'a>(view: View, look: &Look<'_>) -> Chrome<'a> {
    Chrome {
        crumbs: vec!["lab", "default", "helloworld", "httpbin"],
        status: vec![
            "istio 1.31  ".into(),
            Piece::new(Role::Good, look.symbols.dot),
            " 2 proxies  ".into(),
            Piece::new(Role::Good, look.symbols.dot),
            " live 0.3 s".into(),
        ],
        event: vec![Piece::new(Role::EventLine, "PeerAuthentication default/default changed to STRICT")],
        notice: vec![Piece::new(Role::Warning, "1 warning (f)")],
        hints: keymap::footer(&Context::of(view), look.ascii()),
    }
}

const PLUGINS: &[[&str; 5]] = &[
    ["default/helloworld", "wasm", "1 of 3", "1 running", "4"],
    ["default/missing", "wasm", "1 of 3", "1 stub, denies", "4"],
    ["default/日本語-plugin-with-a-name-that-is-far-too-long", "wasm", "1 gateway", "1 running", "-"],
    ["default/evil\x1b[2J\u{202e}", "lua", "0 of 3", "matches nothing", "0"],
];

fn plugins(area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
    let chrome = chrome(View::Plugins, look);
    let regions = chrome.render(area, buffer, look);
    chrome.render_event(&regions, buffer, look);
    let pane = Pane { title: vec![Piece::new(Role::Title, "Plugins")], note: vec!["2 of 101".into()], focused: true };
    let inside = pane.render(regions.body, buffer, look);
    let columns = [
        Column::left("PLUGIN", 20, 40, 1),
        Column::left("KIND", 4, 6, 5),
        Column::left("MATCHES", 9, 9, 3),
        Column::left("STATE", 16, 20, 2),
        Column::right("ON 15006", 8, 8, 4),
    ];
    let row = |index: usize| {
        if index == 4 {
            return TableRow::Section(vec![Piece::new(Role::Section, "not matched")]);
        }
        let row = PLUGINS[index % PLUGINS.len()];
        TableRow::Cells(vec![
            vec![Piece::text(row[0]).with_hits(vec![0, 8, 9])],
            vec![row[1].into()],
            vec![row[2].into()],
            vec![Piece::new(Role::Good, look.symbols.good), " ".into(), row[3].into()],
            vec![Piece::new(Role::Count, row[4])],
        ])
    };
    Table { columns: &columns, total: 101, row, state: ListState { selected: 1, offset: 0 }, focused: true }.render(inside, buffer, look);
}

fn chains(area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
    let chrome = chrome(View::Chains, look);
    let regions = chrome.render(area, buffer, look);
    let prompt = Prompt::with("router");
    let note = vec![Piece::new(Role::Muted, "3 of 10")];
    PromptLine { sign: "/", prompt: &prompt, note }.render(regions.event, buffer, look);
    let inside = Pane { focused: true, ..Pane::default() }.render(regions.body, buffer, look);
    let columns = [Column::left("", 24, 40, 1), Column::left("", 10, 60, 3), Column::right("", 9, 9, 2)];
    let row = |index: usize| match index {
        0 => TreeRow {
            expandable: true,
            expanded: true,
            cells: vec![vec!["15006 virtualInbound".into()], vec![Piece::new(Role::Muted, "inbound")], vec!["8 chains".into()]],
            ..TreeRow::default()
        },
        2 => TreeRow {
            depth: 2,
            cells: vec![vec![
                "HTTP ".into(),
                Piece::new(Role::Plugin, "default/helloworld"),
                " › grpc_stats › fault › cors › router".into(),
            ]],
            ..TreeRow::default()
        },
        _ => TreeRow {
            depth: 1,
            expandable: true,
            expanded: index == 1,
            cells: vec![
                vec!["80   ".into(), Piece::new(Role::Mtls, "from the mesh, mTLS")],
                vec![Piece::new(Role::Muted, "tls · istio, istio-peer-exchange, istio-http/1.0")],
                vec![Piece::new(Role::Plugin, look.symbols.dot)],
            ],
        },
    };
    Tree { columns: &columns, total: 10, row, state: ListState { selected: 3, offset: 0 }, focused: true }.render(inside, buffer, look);
}

fn commands(area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
    plugins(area, buffer, look);
    let mut state = Palette::open(Context::of(View::Plugins));
    state.prompt.paste("ne");
    state.search();
    palette(buffer, area, &state, look);
}

macro_rules! snapshots {
    ($($name:ident)+) => {$(
        #[test]
        fn $name() {
            let theme = theme("dark");
            for (width, height) in SIZES {
                let screen = drawn((width, height), &Look::new(&theme, false), super::$name);
                insta::assert_snapshot!(format!("{}_{width}x{height}", stringify!($name)), show(&screen));
            }
        }
    )+};
}

mod at_three_sizes {
    use super::*;

    snapshots! { plugins chains commands }
}

#[test]
fn ascii_draws_ascii_alone() {
    let theme = theme("monochrome");
    for draw in [plugins, chains, commands] {
        let screen = drawn((80, 24), &Look::new(&theme, true), draw);
        let odd: Vec<&str> = screen.content().iter().map(ratatui::buffer::Cell::symbol).filter(|symbol| !symbol.is_ascii()).collect();
        assert!(odd.is_empty(), "{odd:?}");
    }
    insta::assert_snapshot!("plugins_ascii_80x24", show(&drawn((80, 24), &Look::new(&theme, true), plugins)));
}

#[test]
fn every_size_is_drawn_without_a_panic() {
    let theme = theme("high-contrast");
    for ascii in [false, true] {
        let look = Look::new(&theme, ascii);
        for width in (0..=70).chain([240]) {
            for height in [0, 1, 2, 3, 4, 5, 15, 24] {
                let area = Rect::new(0, 0, width, height);
                for draw in [plugins, chains, commands] {
                    draw(area, &mut Buffer::empty(area), &look);
                }
                // A view may also be handed more than there is.
                plugins(Rect::new(3, 3, 300, 90), &mut Buffer::empty(area), &look);
            }
        }
    }
}

#[test]
fn a_small_terminal_is_told_so() {
    let theme = theme("dark");
    let screen = drawn((59, 24), &Look::new(&theme, false), plugins);
    assert!(show(&screen).starts_with("terminal too small\n59x24, needs 60x15\n"));
    assert!(show(&drawn((20, 1), &Look::new(&theme, false), plugins)).starts_with("terminal too small\n"));
}

#[test]
fn only_the_rows_in_sight_are_built() {
    let theme = theme("dark");
    let look = Look::new(&theme, false);
    let built = Cell::new(0);
    let row = |index: usize| {
        built.set(built.get() + 1);
        TableRow::Cells(vec![vec![Piece::text(index.to_string())]])
    };
    let area = Rect::new(0, 0, 80, 24);
    let mut buffer = Buffer::empty(area);
    let state = ListState { selected: 999_999, offset: 0 };
    Table { columns: &[Column::left("N", 8, 8, 1)], total: 1_000_000, row, state, focused: true }.render(area, &mut buffer, &look);
    assert_eq!(built.get(), 23);
    assert!(show(&buffer).contains("▸ 999999"));
}

#[test]
fn the_cursor_stays_in_sight() {
    let theme = theme("dark");
    let look = Look::new(&theme, false);
    let prompt = Prompt::with("a-pattern-that-is-longer-than-the-line");
    let area = Rect::new(0, 0, 20, 1);
    let mut buffer = Buffer::empty(area);
    let cursor = PromptLine { sign: "/", prompt: &prompt, note: vec![] }.render(area, &mut buffer, &look).unwrap();
    assert_eq!(cursor.x, 19);
    assert!(show(&buffer).starts_with("/ ger-than-the-line\n"), "{}", show(&buffer));
}

#[test]
fn a_screen_is_a_picture() {
    let theme = theme("dark");
    let area = Rect::new(0, 0, 24, 5);
    let mut buffer = Buffer::empty(area);
    let look = Look::new(&theme, false);
    Chrome { crumbs: vec!["a<b>&c"], ..Chrome::default() }.render(area, &mut buffer, &look);
    Pane { title: vec!["日本".into()], note: vec![], focused: true }.render(Rect::new(0, 1, 24, 3), &mut buffer, &look);
    let picture = svg(&buffer, &theme, "a <test>");
    assert_eq!(picture, svg(&buffer, &theme, "a <test>"));
    insta::assert_snapshot!("picture", picture);
}
