//! Job control: stop the process (Ctrl-z, SIGTSTP) and resume it. Timers keep running while it is stopped.

use std::io;

use futures::Stream;

use super::runtime::Input;

/// Whether a shell started the program as a job of its own. Elsewhere (the only program of a terminal or of a container) it would
/// stop for ever.
#[cfg(unix)]
pub fn has_shell() -> bool {
    use rustix::process::{getpgrp, getsid};
    getsid(None).is_ok_and(|session| session != getpgrp())
}

/// Stops the process, with the whole job that it is part of or alone, and returns once somebody continues it.
#[cfg(unix)]
pub fn stop(whole_job: bool) -> io::Result<()> {
    use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
    // A program that started this one, such as a script, has to stop with it: the shell waits for both.
    if whole_job {
        kill_current_process_group(Signal::STOP)?
    } else {
        kill_process(getpid(), Signal::STOP)?
    }
    Ok(())
}

/// Streams SIGTSTP and SIGCONT as input. To be called on the runtime.
#[cfg(unix)]
pub fn signals() -> io::Result<impl Stream<Item = Input>> {
    use rustix::process::Signal;
    use tokio::signal::unix::{SignalKind, signal};
    let stop = signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?;
    let go_on = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
    Ok(futures::stream::unfold((stop, go_on), async |(mut stop, mut go_on)| {
        let input = tokio::select! {
            Some(()) = stop.recv() => Input::StopAsked,
            Some(()) = go_on.recv() => Input::Continued,
            else => return None,
        };
        Some((input, (stop, go_on)))
    }))
}

/// There are no jobs here.
#[cfg(not(unix))]
pub fn has_shell() -> bool {
    false
}

/// There are no jobs here.
#[cfg(not(unix))]
pub fn stop(_whole_job: bool) -> io::Result<()> {
    Ok(())
}

/// There are no jobs here.
#[cfg(not(unix))]
pub fn signals() -> io::Result<impl Stream<Item = Input>> {
    Ok(futures::stream::pending())
}
