//! The screen of logs at more than 100,000 lines a second from 20 proxies: how long a key takes to be seen, and how much is held.
#![allow(clippy::unwrap_used)]

#[path = "../support/busy.rs"]
mod busy;

use std::time::{Duration, Instant};

use busy::{Busy, flood};

/// The bound that a screen of logs has unless it is set otherwise.
const MEMORY: usize = 64_000_000;

fn main() {
    let busy = Busy { proxies: 20, burst: 600, bursts: 10_000, pause: Duration::from_millis(100), mark: None };
    let began = Instant::now();
    let (app, seen) = flood(busy, MEMORY);
    let time = began.elapsed();
    let held = &app.screen().logs.as_deref().unwrap().held;
    let mut took = seen.took.lock().unwrap().clone();
    took.sort();
    let rate = held.end() as f64 / time.as_secs_f64();
    println!("{} lines came in {time:.1?}, {rate:.0} a second; {} were dropped for others, and are counted", held.end(), held.dropped());
    println!("{} keys: the middle one took {:.1?}, the slowest {:.1?}", took.len(), took[took.len() / 2], took[took.len() - 1]);
    println!("at most {:.1} MB were held of {:.1} MB", *seen.most.lock().unwrap() as f64 / 1e6, MEMORY as f64 / 1e6);
}
