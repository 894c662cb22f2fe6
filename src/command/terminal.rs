//! Opens the terminal program over a source.

use std::io;
use std::time::Duration;

use futures::StreamExt;

use crate::app::clipboard::Method;
use crate::app::handler::World;
use crate::app::msg::Msg;
use crate::app::program::{App, Drawn, Options};
use crate::app::runtime::{self, Input, Run, Screen};
use crate::app::terminal::Session;
use crate::cli::Cli;
use crate::config::{self, Environment, Settings};
use crate::error::Error;
use crate::source::SharedSource;
use crate::ui::theme::{self, Themes};
use crate::ui::views;

/// How long the end of the program may take to put back what was raised.
const PUT_BACK: Duration = Duration::from_secs(3);

/// Runs the terminal program until it is over.
///
/// # Errors
/// Where the settings or the theme's name are wrong, before the screen is touched; where the terminal fails, after it was
/// given back.
pub async fn open(cli: &Cli, source: SharedSource) -> Result<(), Error> {
    let environment = Environment::from_process();
    let directory = environment.config_directory.as_deref();
    let settings = Settings::load(directory)?;
    let (files, mut notices) = config::theme_files(directory);
    let (themes, warnings) = Themes::load(&files, environment.colors);
    notices.extend(warnings);
    let theme = match (&cli.common.theme, &settings.theme) {
        (Some(name), _) => place(&themes, name).map_err(Error::Usage)?,
        (None, Some(name)) => place(&themes, name).unwrap_or_else(|notice| {
            notices.insert(0, notice);
            0
        }),
        (None, None) => place(&themes, theme::DEFAULT).unwrap_or_default(),
    };
    let info = source.info();
    let own = cli.common.namespace.clone().unwrap_or_else(|| info.namespace.clone());
    let options = Options {
        namespace: (!cli.common.all_namespaces).then_some(own),
        scene: cli.common.demo.map(super::open::scene_index).unwrap_or_default(),
        deadline: cli.common.timeout,
        themes: themes.names().len(),
        theme,
        notices,
        proxies: source.proxies(),
        logs_memory: settings.logs.bytes(),
        info,
    };
    let handler = World::new(source, Method::choose(settings.clipboard, &environment));
    let levels = handler.levels();
    let (program, first) = App::start(options);
    let terminal = |error: io::Error| Error::Output(format!("the terminal failed: {error}"));
    let session = Session::enter().map_err(terminal)?;
    let screen = Display { session, themes, ascii: settings.ascii.unwrap_or(!environment.utf8) };
    let input = runtime::input().map_err(terminal)?.map(|input| input.map(message));
    let run = Run { program, screen, handler, input }.until_over(first);
    // The terminal is given back before anything is said.
    levels.put_back_after(run, PUT_BACK, super::complain).await.map(drop).map_err(terminal)
}

fn place(themes: &Themes, name: &str) -> Result<usize, String> {
    themes.find(name)?;
    Ok(themes.names().iter().position(|known| *known == name).unwrap_or_default())
}

fn message(input: Input) -> Msg {
    match input {
        Input::Key(key) => Msg::KeyPressed(key),
        Input::Paste(text) => Msg::Pasted(text),
        Input::Resized(..) => Msg::Resized,
        Input::StopAsked => Msg::StopAsked,
        Input::Continued => Msg::Continued,
    }
}

/// The terminal, with what is drawn on it.
struct Display {
    session: Session,
    themes: Themes,
    ascii: bool,
}

impl Screen<App> for Display {
    fn draw(&mut self, program: &App) -> io::Result<Drawn> {
        let mut drawn = Drawn { body_height: 1 };
        self.session.draw(|frame| drawn = views::render(program, &self.themes, self.ascii, frame))?;
        Ok(drawn)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.session.write(bytes)
    }

    fn suspend(&mut self, job: bool) -> io::Result<()> {
        self.session.suspend(job)
    }

    fn take_again(&mut self) -> io::Result<()> {
        self.session.take_again()
    }

    fn redraw(&mut self) {
        self.session.redraw();
    }
}
