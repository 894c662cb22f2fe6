//! The meshscope binary: arguments in, exit status out.

use std::process::ExitCode;

use clap::Parser;
use meshscope::cli::{self, Cli};
use meshscope::command;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(wrong) if wrong.use_stderr() => {
            command::complain(&cli::one_line(&wrong));
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            command::complain(&format!("cannot start its threads: {error}"));
            return ExitCode::from(3);
        }
    };
    let code = runtime.block_on(command::run(&cli));
    // Reads that were given up may still be under way; the answer is out, so nobody waits for them.
    runtime.shutdown_background();
    code
}
