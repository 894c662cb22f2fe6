//! The event loop on a clock that is stopped: how often it draws, what it drops, and that it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream;

use super::*;
use crate::app::state::Waits;

#[derive(Debug, PartialEq)]
enum Msg {
    Key(char),
    Answer(Ticket, u32),
    Flood,
    Failed(Option<Ticket>, String),
    Continued,
}

enum Effect {
    Ask(Ticket, Duration),
    Stop(Ticket),
    Flood(usize),
    Panic(Ticket),
    Write,
    Suspend,
    TakeTerminal,
    Redraw,
}

#[derive(Default)]
struct Counter {
    waits: Waits,
    answers: Vec<u32>,
    failures: Vec<String>,
    flooded: usize,
    dirty: bool,
    over: bool,
}

impl Program for Counter {
    type Msg = Msg;
    type Effect = Effect;
    type Drawn = ();

    fn update(&mut self, msg: Msg) -> Vec<Effect> {
        self.dirty = true;
        match msg {
            Msg::Key('q') => self.over = true,
            Msg::Key('a') => return vec![Effect::Ask(self.waits.begin("an answer"), Duration::from_secs(5))],
            Msg::Key('x') => return self.waits.cancel().map(|wait| Effect::Stop(wait.ticket)).into_iter().collect(),
            Msg::Key('p') => return vec![Effect::Panic(self.waits.begin("a task that breaks"))],
            Msg::Key('f') => return vec![Effect::Flood(100_000)],
            Msg::Key('w') => return vec![Effect::Write],
            Msg::Key('z') => return vec![Effect::Suspend],
            Msg::Key('r') => return vec![Effect::Redraw],
            Msg::Continued => return vec![Effect::TakeTerminal],
            Msg::Key(_) => self.dirty = false,
            Msg::Answer(ticket, answer) => {
                if self.waits.end(ticket) {
                    self.answers.push(answer);
                }
            }
            Msg::Flood => self.flooded += 1,
            Msg::Failed(ticket, what) => {
                assert!(ticket.is_some_and(|ticket| self.waits.end(ticket)));
                self.failures.push(what);
            }
        }
        Vec::new()
    }

    fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    fn drawn(&mut self, (): ()) {}

    fn is_over(&self) -> bool {
        self.over
    }

    fn task_failed(ticket: Option<Ticket>, what: String) -> Msg {
        Msg::Failed(ticket, what)
    }

    fn is_continued(msg: &Msg) -> bool {
        *msg == Msg::Continued
    }
}

#[derive(Clone, Default)]
struct Paper {
    frames: Arc<AtomicUsize>,
    written: Arc<AtomicUsize>,
    suspended: Arc<AtomicUsize>,
    taken: Arc<AtomicUsize>,
    redrawn: Arc<AtomicUsize>,
}

impl Screen<Counter> for Paper {
    fn draw(&mut self, _: &Counter) -> io::Result<()> {
        self.frames.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(())
    }

    fn suspend(&mut self, _: bool) -> io::Result<()> {
        self.suspended.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn take_again(&mut self) -> io::Result<()> {
        self.taken.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn redraw(&mut self) {
        self.redrawn.fetch_add(1, Ordering::SeqCst);
    }
}

struct World;

impl Handler<Counter> for World {
    fn handle(&mut self, effect: Effect, answers: &mpsc::Sender<Msg>) -> Work {
        let answers = answers.clone();
        match effect {
            Effect::Ask(ticket, after) => Work::Run(
                Some(ticket),
                Box::pin(async move {
                    tokio::time::sleep(after).await;
                    let _ = answers.send(Msg::Answer(ticket, 4)).await;
                }),
            ),
            Effect::Stop(ticket) => Work::Stop(ticket),
            Effect::Flood(count) => Work::Run(
                None,
                Box::pin(async move {
                    for _ in 0..count {
                        let _ = answers.send(Msg::Flood).await;
                    }
                }),
            ),
            Effect::Panic(ticket) => Work::Run(Some(ticket), Box::pin(async { panic!("out of cheese") })),
            Effect::Write => Work::Write(vec![1, 2, 3]),
            Effect::Suspend => Work::Suspend { job: true },
            Effect::TakeTerminal => Work::TakeTerminal,
            Effect::Redraw => Work::Redraw,
        }
    }
}

/// Types each key after its pause, in milliseconds.
fn typed(keys: &'static [(u64, char)]) -> impl Stream<Item = io::Result<Msg>> + Unpin {
    Box::pin(stream::iter(keys).then(|(pause, key)| async move {
        if *pause > 0 {
            tokio::time::sleep(Duration::from_millis(*pause)).await;
        }
        Ok(if *key == CONTINUED { Msg::Continued } else { Msg::Key(*key) })
    }))
}

/// The signal that continues the process, among the keys.
const CONTINUED: char = '+';

async fn run(keys: &'static [(u64, char)]) -> (Counter, usize, usize) {
    let (program, paper) = run_on_paper(keys).await;
    (program, paper.frames.load(Ordering::SeqCst), paper.written.load(Ordering::SeqCst))
}

async fn run_on_paper(keys: &'static [(u64, char)]) -> (Counter, Paper) {
    let paper = Paper::default();
    let run = Run { program: Counter::default(), screen: paper.clone(), handler: World, input: typed(keys) };
    (run.until_over(Vec::new()).await.unwrap(), paper)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_drawn_where_nothing_changed() {
    let (_, frames, _) = run(&[(0, '.'), (60_000, '.'), (60_000, '.'), (0, 'q')]).await;
    assert_eq!(frames, 1, "only the first frame");
}

#[tokio::test(start_paused = true)]
async fn changes_of_one_moment_are_one_frame() {
    let (_, frames, _) = run(&[(100, 'a'), (1, 'a'), (1, 'a'), (1, 'a'), (100, 'q')]).await;
    assert_eq!(frames, 3, "the first frame, the first change, and the rest after the frame's time");
}

#[tokio::test(start_paused = true)]
async fn answers_arrive_and_late_ones_are_dropped() {
    let (program, ..) = run(&[(0, 'a'), (10_000, 'q')]).await;
    assert_eq!(program.answers, [4]);
    let (program, ..) = run(&[(0, 'a'), (1_000, 'x'), (10_000, 'q')]).await;
    assert!(program.answers.is_empty());
    assert!(program.waits.open().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_flood_keeps_neither_keys_nor_frames_waiting() {
    let (program, frames, _) = run(&[(0, 'f'), (1, '.'), (1_000, 'q')]).await;
    assert_eq!(program.flooded, 100_000);
    assert!(frames <= 1 + 1_001 / 16 + 1, "{frames} frames");
}

#[tokio::test(start_paused = true)]
async fn a_broken_task_is_told_of() {
    let (program, ..) = run(&[(0, 'p'), (10, 'q')]).await;
    assert_eq!(program.failures, ["internal error: out of cheese"]);
}

#[tokio::test(start_paused = true)]
async fn bytes_go_to_the_terminals_owner() {
    assert_eq!(run(&[(0, 'w'), (10, 'q')]).await.2, 3);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_input_is_the_end() {
    let (program, ..) = run(&[(0, 'a')]).await;
    assert!(!program.over);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_program_takes_its_terminal_once_it_is_continued() {
    let (program, paper) = run_on_paper(&[(0, 'z'), (0, 'z'), (0, 'q'), (60_000, CONTINUED), (100, 'a'), (100, 'q')]).await;
    let count = |of: &AtomicUsize| of.load(Ordering::SeqCst);
    assert_eq!((count(&paper.suspended), count(&paper.taken)), (1, 1), "the keys before the stop, such as q, are dropped");
    assert_eq!(program.waits.open().len(), 1, "a key after it is not");
    assert_eq!(count(&paper.frames), 3, "the first frame, the one after the stop, and the key's");
    let (_, paper) = run_on_paper(&[(0, CONTINUED), (100, 'z'), (0, CONTINUED), (100, 'q')]).await;
    assert_eq!(count(&paper.taken), 2, "also where somebody else stopped it");
    let (program, _) = run_on_paper(&[(0, 'z')]).await;
    assert!(!program.over, "the end of input is the end here too");
}

#[tokio::test(start_paused = true)]
async fn a_new_size_leaves_the_terminal_as_it_is() {
    let (_, paper) = run_on_paper(&[(100, 'r'), (0, 'r'), (0, 'r'), (100, 'q')]).await;
    let count = |of: &AtomicUsize| of.load(Ordering::SeqCst);
    assert_eq!((count(&paper.redrawn), count(&paper.taken), count(&paper.frames)), (3, 0, 2));
}
