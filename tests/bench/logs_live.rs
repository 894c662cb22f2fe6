//! 20 streams that are followed at once, from the lines to the records in their order, all on one core: how long a record is on its
//! way at 100,000 lines a second, how many bytes are held back meanwhile, and how many lines a second there could be.

#[path = "../support/fed.rs"]
mod fed;
#[path = "support/lines.rs"]
mod lines;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use meshscope::analysis::logs::merge::WINDOW;
use meshscope::analysis::logs::{Filter, FilterSpec};
use meshscope::logs::{self, View};
use meshscope::model::logs::{LogKind, LogLine, LogOrigin, LogRecord, LogTime};
use meshscope::source::logs::{BATCHES, LogFeed, LogItem, LogQuery};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

const STREAMS: usize = 20;
/// How many batches of records may wait for who shows them.
const WAITING: usize = 4;
/// How often lines come.
const TICK: Duration = Duration::from_millis(10);

/// How lines come, and how fast records are taken.
struct Load {
    name: &'static str,
    /// How many of the streams have lines.
    loud: usize,
    /// How many lines a second come, of all streams together; None for as many as are taken.
    rate: Option<usize>,
    /// How many records come in all; one of 20 has two lines.
    records: usize,
    /// How long who takes a batch of records is busy with it.
    busy: Duration,
}

const LOADS: [Load; 5] = [
    Load { name: "100,000 lines a second of 20", loud: STREAMS, rate: Some(100_000), records: 500_000, busy: Duration::ZERO },
    Load { name: "100,000 lines a second of one", loud: 1, rate: Some(100_000), records: 500_000, busy: Duration::ZERO },
    Load { name: "as many lines as are taken, of 20", loud: STREAMS, rate: None, records: 2_000_000, busy: Duration::ZERO },
    Load { name: "as many lines as are taken, of one", loud: 1, rate: None, records: 2_000_000, busy: Duration::ZERO },
    Load { name: "more lines than are shown, of 20", loud: STREAMS, rate: None, records: 200_000, busy: TICK },
];

/// Lines that were handed in and did not come out yet, and the most that there were.
#[derive(Default)]
struct Held {
    bytes: AtomicUsize,
    most: AtomicUsize,
}

impl Held {
    fn add(&self, bytes: usize) {
        let now = self.bytes.fetch_add(bytes, Relaxed) + bytes;
        self.most.fetch_max(now, Relaxed);
    }
}

/// What takes the records. The screen can be one, with keys between the batches.
trait Consumer {
    fn take(&mut self, records: Vec<LogRecord>);
}

/// Counts, and measures how long each record was on its way.
#[derive(Default)]
struct Delays {
    nanos: Vec<LogTime>,
    marks: usize,
}

impl Consumer for Delays {
    fn take(&mut self, records: Vec<LogRecord>) {
        let now = now();
        for record in records {
            match record.time.filter(|_| record.kind != LogKind::Mark) {
                Some(time) => self.nanos.push(now - time),
                None => self.marks += 1,
            }
        }
    }
}

impl Delays {
    /// The delay in milliseconds that so many of a hundred records do not exceed.
    fn percentile(&self, percent: usize) -> f64 {
        self.nanos[(self.nanos.len() - 1) * percent / 100] as f64 / 1e6
    }
}

fn now() -> LogTime {
    LogTime::try_from(Timestamp::now().as_nanosecond()).unwrap()
}

/// Hands lines in, each with the time that it is. The stream stays open.
async fn feed(mut feed: LogFeed, origin: Arc<LogOrigin>, load: &'static Load, held: Arc<Held>) -> LogFeed {
    let share = load.records / load.loud;
    let together = load.rate.map_or(200, |rate| rate / load.loud * TICK.as_millis() as usize / 1000);
    let texts: Vec<String> = (0..1000).map(|index| lines::mixed(index, "\0")).collect();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    // It has been read to its end.
    assert!(feed.at_end().await);
    for from in (0..share).step_by(together) {
        if load.rate.is_some() {
            ticks.tick().await;
        }
        let (time, taken) = (format!("{:.6}", Timestamp::now()), now());
        let mut items = Vec::with_capacity(together);
        let mut bytes = 0;
        for index in from..share.min(from + together) {
            let record = texts[index % texts.len()].replace('\0', &time);
            bytes += record.len();
            let line = |text: &str| LogLine { origin: origin.clone(), time: Some(taken), text: text.to_owned(), cut: false };
            items.extend(record.split('\n').map(line).map(LogItem::Line));
        }
        held.add(bytes);
        assert!(feed.lines(items).await);
    }
    assert!(feed.at_end().await);
    feed
}

async fn run(load: &'static Load, mut consumer: Delays) {
    let origins: Vec<_> = (0..STREAMS).map(|stream| lines::origin(&format!("web-{stream}"))).collect();
    let (source, feeds) = fed::source(&origins, BATCHES);
    let objects = lines::mesh();
    let filter = Arc::new(Filter::new(FilterSpec::default(), &objects).unwrap());
    let (views, view) = watch::channel(Arc::new(View { origins: origins.clone().into(), objects, alone: false, filter }));
    let (sender, mut records) = mpsc::channel(WAITING);
    let reading = tokio::spawn(logs::run(source, LogQuery { follow: true, ..LogQuery::default() }, view, sender));
    let held = Arc::new(Held::default());
    let began = Instant::now();
    let (mut feeding, mut quiet) = (JoinSet::new(), Vec::new());
    for (number, (mut out, origin)) in feeds.into_iter().zip(&origins).enumerate() {
        if number < load.loud {
            feeding.spawn(feed(out, origin.clone(), load, held.clone()));
        } else {
            assert!(out.at_end().await);
            quiet.push(out);
        }
    }
    while consumer.nanos.len() < load.records {
        let batch = records.recv().await.unwrap();
        held.bytes.fetch_sub(batch.iter().filter(|record| record.kind != LogKind::Mark).map(|record| record.raw.len()).sum(), Relaxed);
        consumer.take(batch);
        if !load.busy.is_zero() {
            sleep(load.busy).await;
        }
    }
    let window = WINDOW as f64 / 1e6;
    // The last record waits for it.
    let seconds = began.elapsed().as_secs_f64() - window / 1e3;
    drop(views);
    reading.await.unwrap();
    consumer.nanos.sort_unstable();
    let beyond = |percent| consumer.percentile(percent) - window;
    println!("{}:", load.name);
    println!(
        "  {:.0} records a second; at most {:.1} MB of text held back; {} marks",
        load.records as f64 / seconds,
        held.most.load(Relaxed) as f64 / 1e6,
        consumer.marks
    );
    println!("  beyond the window of {window} ms: {:.1} ms (p50), {:.1} ms (p99)", beyond(50), beyond(99));
}

/// The seconds of one core that the process took so far, and the most memory that it held, in MiB; None where the system
/// does not tell.
fn cost() -> Option<(f64, f64)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let ticks: Vec<f64> = stat.rsplit_once(')')?.1.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(((ticks.get(10)? + ticks.get(11)?) / 100.0, most.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0))
}

fn main() {
    // Only `cargo bench` measures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for load in &LOADS {
        let before = cost();
        runtime.block_on(run(load, Delays::default()));
        if let (Some((before, _)), Some((after, mebibytes))) = (before, cost()) {
            println!("  {:.2} s of one core; the process has held {mebibytes:.0} MiB at most", after - before);
        }
    }
}
