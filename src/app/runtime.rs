//! The event loop: one owner of the terminal, which waits for input, answers and signals, and draws what changed.
//!
//! It knows neither what the program is about nor where its answers come from, so tests run it without a terminal. It
//! never waits for I/O: work runs in tasks of its own and comes back as messages. At rest it has no timer.

mod input;
mod tasks;

use std::io;
use std::task::Poll;
use std::time::Duration;

use futures::stream::Fuse;
use futures::{Stream, StreamExt, future::BoxFuture};
use tokio::sync::mpsc;

pub use input::{Input, ended_by_signal, input};

use super::state::Ticket;
use crate::clock::{self, Instant};
use tasks::Tasks;

/// How many messages are taken before the screen is looked at again.
const MAX_DRAIN: usize = 64;

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// How many messages wait at most: a sender waits where the program is slow.
const QUEUE: usize = 256;

/// The program: state that messages change.
pub trait Program {
    /// What happened.
    type Msg: Send + 'static;
    /// What is to be done outside.
    type Effect;
    /// What drawing a frame reports: heights that only drawing can find out.
    type Drawn;

    /// Takes what happened. No I/O, no clock, no panic.
    fn update(&mut self, msg: Self::Msg) -> Vec<Self::Effect>;
    /// Whether the screen is out of date; asked once before each frame, and then no more.
    fn take_dirty(&mut self) -> bool;
    /// Takes what the frame reported. This alone never makes another frame necessary.
    fn drawn(&mut self, drawn: Self::Drawn);
    /// Whether the program is over.
    fn is_over(&self) -> bool;
    /// The message for a task that broke: which request it was for, and how it broke.
    fn task_failed(ticket: Option<Ticket>, what: String) -> Self::Msg;
    /// Whether this message says that the process was stopped, and goes on.
    fn is_continued(msg: &Self::Msg) -> bool;
}

/// The screen: who owns the terminal.
pub trait Screen<P: Program> {
    /// Draws the program as it is.
    fn draw(&mut self, program: &P) -> io::Result<P::Drawn>;
    /// Writes bytes that are no part of a frame.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Gives the terminal back and stops the process. It may return before the process is stopped.
    fn suspend(&mut self, _job: bool) -> io::Result<()> {
        Ok(())
    }
    /// Takes the terminal again after somebody else had it: the next frame is drawn whole.
    fn take_again(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Draws the next frame whole, and not only what changed.
    fn redraw(&mut self) {}
}

/// How effects become work. Answers are sent as messages.
pub trait Handler<P: Program> {
    /// Turns an effect into work, without waiting for anything.
    fn handle(&mut self, effect: P::Effect, answers: &mpsc::Sender<P::Msg>) -> Work;
}

/// What an effect asks the loop to do.
pub enum Work {
    /// Nothing more.
    Nothing,
    /// Run this outside the loop. With a ticket it can be stopped.
    Run(Option<Ticket>, BoxFuture<'static, ()>),
    /// To stop the work of this ticket, wherever it is.
    Stop(Ticket),
    /// To write this to the terminal, between two frames.
    Write(Vec<u8>),
    /// To give the terminal back and stop the process, with its whole job or alone, and to take the terminal again.
    Suspend {
        /// Whether the whole job is stopped.
        job: bool,
    },
    /// To take the terminal again.
    TakeTerminal,
    /// To draw the next frame whole.
    Redraw,
}

/// The parts that a run needs.
#[derive(Debug)]
pub struct Run<P, S, H, I> {
    /// The program.
    pub program: P,
    /// Its screen.
    pub screen: S,
    /// Its way to the world.
    pub handler: H,
    /// Keys, resizes and the like, as messages. Its end is the end of the program.
    pub input: I,
}

impl<P, S, H, I> Run<P, S, H, I>
where
    P: Program,
    S: Screen<P>,
    H: Handler<P>,
    I: Stream<Item = io::Result<P::Msg>> + Unpin,
{
    /// Runs the program from these first effects until it is over or its terminal goes away, and hands it back.
    pub async fn until_over(self, first: Vec<P::Effect>) -> io::Result<P> {
        let Self { program, screen, handler, input } = self;
        let mut input = input.fuse();
        let (sender, mut answers) = mpsc::channel(QUEUE);
        let mut inside = Inside { program, screen, handler, tasks: Tasks::default(), sender, suspended: false };
        inside.perform(first)?;
        let mut last_frame: Option<Instant> = None;
        let mut due = true;
        while !inside.program.is_over() {
            due |= inside.program.take_dirty();
            let frame_at = last_frame.map_or_else(clock::now, |last| last + FRAME);
            if due && frame_at <= clock::now() {
                let drawn = inside.screen.draw(&inside.program)?;
                inside.program.drawn(drawn);
                last_frame = Some(clock::now());
                due = false;
            }
            let msg = tokio::select! {
                biased;
                msg = input.next() => match msg {
                    Some(msg) => msg?,
                    None => break,
                },
                Some(msg) = answers.recv() => msg,
                Some((ticket, what)) = inside.tasks.next_failure() => P::task_failed(ticket, what),
                () = tokio::time::sleep_until(frame_at), if due => continue,
            };
            inside.take(msg)?;
            for _ in 1..MAX_DRAIN {
                let next =
                    if inside.program.is_over() || inside.suspended { None } else { ready_or_answered(&mut input, &mut answers).await? };
                let Some(msg) = next else { break };
                inside.take(msg)?;
            }
            if std::mem::take(&mut inside.suspended) {
                let mut continued = false;
                while !continued {
                    match input.next().await.transpose()? {
                        Some(msg) => continued = P::is_continued(&msg),
                        None => return Ok(inside.program),
                    }
                }
                // What was typed before the stop, such as the same key again, is not for the program that goes on. The signal overtakes it.
                while ready(&mut input).await?.is_some() {}
                inside.screen.take_again()?;
                due = true;
            }
        }
        Ok(inside.program)
    }
}

/// The next message that is here already; what was typed goes before what was answered.
async fn ready_or_answered<M, I>(input: &mut Fuse<I>, answers: &mut mpsc::Receiver<M>) -> io::Result<Option<M>>
where
    I: Stream<Item = io::Result<M>> + Unpin,
{
    Ok(ready(input).await?.or_else(|| answers.try_recv().ok()))
}

/// What was typed and is here already.
///
/// The input is asked with the waker of this task, never with an idle one: crossterm keeps the first waker it is given
/// until a key arrives, so that an idle one would leave the program deaf.
async fn ready<M, I>(input: &mut Fuse<I>) -> io::Result<Option<M>>
where
    I: Stream<Item = io::Result<M>> + Unpin,
{
    match futures::poll!(input.next()) {
        Poll::Ready(Some(msg)) => msg.map(Some),
        Poll::Ready(None) | Poll::Pending => Ok(None),
    }
}

/// The parts of a run but its inlets.
struct Inside<P: Program, S, H> {
    program: P,
    screen: S,
    handler: H,
    tasks: Tasks,
    sender: mpsc::Sender<P::Msg>,
    /// Whether the process is stopped: the terminal is not its own until a message says that it goes on.
    suspended: bool,
}

impl<P: Program, S: Screen<P>, H: Handler<P>> Inside<P, S, H> {
    fn take(&mut self, msg: P::Msg) -> io::Result<()> {
        let effects = self.program.update(msg);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<P::Effect>) -> io::Result<()> {
        for effect in effects {
            match self.handler.handle(effect, &self.sender) {
                Work::Nothing => {}
                Work::Run(ticket, work) => self.tasks.run(ticket, work),
                Work::Stop(ticket) => self.tasks.stop(ticket),
                Work::Write(bytes) => self.screen.write(&bytes)?,
                Work::Suspend { job } => {
                    self.screen.suspend(job)?;
                    self.suspended = true;
                }
                Work::TakeTerminal => self.screen.take_again()?,
                Work::Redraw => self.screen.redraw(),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
