//! The commands: read what the question needs, ask `analysis`, hand the answer to `report`.

mod ask;
mod check;
mod diff;
mod health;
mod logs;
mod open;
mod reach;
mod read;
mod sync;
mod terminal;
mod timeline;
mod what_if;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use crate::cli::{Cli, Color, Command, Format};
use crate::error::Error;
use crate::model::printable::{Printable, printable};
use crate::model::warning;
use crate::report::Paint;
use crate::source::{SharedSource, SourceKind};

pub use open::open;

/// The exit status of an answer that is bad news.
const BAD_NEWS: u8 = 1;

/// What a command has to print and how it ended.
#[derive(Default)]
struct Outcome {
    /// The answer, ready to be written.
    text: Printable,
    /// What could not be read of several things; written to standard error.
    warnings: Vec<String>,
    /// Whether the answer is bad news: exit status 1.
    bad_news: bool,
    /// Why the answer cannot be trusted as a whole, where it can't: written to standard error, exit status 3.
    failure: Option<Error>,
}

/// Runs a command to its end, writing the answer to standard output, and warnings and errors to standard error. Without a
/// command and on a terminal, opens the terminal program.
pub async fn run(cli: &Cli) -> ExitCode {
    if cli.command.is_none() && cli.common.output == Format::Text && io::stdin().is_terminal() && io::stdout().is_terminal() {
        return ended(in_terminal(cli).await);
    }
    let result = match outcome(cli).await {
        Ok(outcome) => {
            warn(&outcome.warnings);
            match write(&outcome.text).and(outcome.failure.map_or(Ok(()), Err)) {
                Ok(()) if outcome.bad_news => return ExitCode::from(BAD_NEWS),
                result => result,
            }
        }
        Err(error) => Err(error),
    };
    ended(result)
}

async fn in_terminal(cli: &Cli) -> Result<(), Error> {
    let source = open(&cli.common).await?;
    refuse_log(&source)?;
    terminal::open(cli, source).await
}

/// A log alone answers no question but for its lines.
fn refuse_log(source: &SharedSource) -> Result<(), Error> {
    let info = source.info();
    if info.kind != SourceKind::Log {
        return Ok(());
    }
    Err(Error::Usage(format!("{} is a log, which only `logs` reads; give a config dump or a recording", info.name)))
}

fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

/// Writes a line to standard error. It may hold names from a cluster; and nobody may be left to read it.
pub fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "meshscope: {}", printable(what));
}

/// Writes warnings to standard error, of many of a kind the first.
fn warn(warnings: &[String]) {
    warning::summed_up(warnings, "-o json lists all").iter().for_each(|warning| complain(&format!("warning: {warning}")));
}

/// Writes the answer.
fn write(text: &Printable) -> Result<(), Error> {
    if text.is_empty() {
        // The lock may be held by a writer whose reader has stopped to read.
        return Ok(());
    }
    let mut out = io::stdout().lock();
    not_written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Why output could not be written. A reader that has gone away (`| head`) is no error.
fn not_written(result: io::Result<()>) -> Result<(), Error> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(format!("cannot write to standard output: {error}"))),
        _ => Ok(()),
    }
}

async fn outcome(cli: &Cli) -> Result<Outcome, Error> {
    if matches!(cli.common.output, Format::Sarif | Format::Junit) && !matches!(cli.command, Some(Command::Check { .. })) {
        return Err(Error::Usage("sarif and junit are forms of `check` alone; choose another with -o".to_owned()));
    }
    let source = open(&cli.common).await?;
    if !matches!(cli.command, Some(Command::Logs(_))) {
        refuse_log(&source)?;
    }
    let paint = paint(cli.common.color, cli.common.output);
    let asker = ask::Asker { source, common: &cli.common, paint };
    match &cli.command {
        None | Some(Command::Plugins) => asker.plugins().await,
        Some(Command::Workloads { plugin, near_misses }) => asker.workloads(plugin.as_deref(), *near_misses).await,
        Some(Command::Chains { workload, connection: Some(asked), .. }) => asker.connection(workload.as_deref(), asked).await,
        Some(Command::Chains { workload, port, listener, plugin, connection: None }) => {
            asker.chains(workload.as_deref(), *port, listener.clone(), plugin.as_deref()).await
        }
        Some(Command::Why { plugin, workload, mode, with }) if mode.is_some() || !with.is_empty() => {
            asker.what_if(plugin, workload.as_deref(), *mode, with).await
        }
        Some(Command::Why { plugin, workload, .. }) => asker.why(plugin, workload.as_deref()).await,
        Some(Command::Health { plugin, max_proxies }) => asker.health(plugin.as_deref(), *max_proxies).await,
        Some(Command::Order { workload }) => asker.order(workload).await,
        Some(Command::Mtls { workload }) => asker.mtls(workload.as_deref()).await,
        Some(Command::Timeline { plugin, since }) => asker.timeline(plugin, *since).await,
        Some(Command::Sync { workload }) => asker.sync(workload.as_deref()).await,
        Some(Command::Diff { workload }) => asker.diff(workload).await,
        Some(Command::Check { ignore, max_proxies }) => asker.findings(ignore, *max_proxies).await,
        Some(Command::Record { folder, strict }) => asker.record(folder, *strict).await,
        Some(Command::Logs(wanted)) => asker.logs(wanted).await,
    }
}

fn paint(color: Color, format: Format) -> Paint {
    let on_terminal = || io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    match color {
        _ if format != Format::Text => Paint::Plain,
        Color::Always => Paint::Ansi,
        Color::Auto if on_terminal() => Paint::Ansi,
        Color::Auto | Color::Never => Paint::Plain,
    }
}
