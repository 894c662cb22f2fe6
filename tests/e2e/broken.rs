//! What no answer may show while something is broken: a ✓, a green line or a running plugin for what is broken.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::terminal::Running;

/// How long a screen is read for at most, until it is whole.
const SETTLES: Duration = Duration::from_secs(15);

/// How long a whole screen stays the same, and one that shows as not read what nobody reads any more.
const CALM: Duration = Duration::from_millis(400);
const UNREAD: Duration = Duration::from_secs(3);

/// Why `sync` has no answer where no istiod is left.
const NO_ISTIOD: &str = "no istiod runs";

/// ANSI's green, in which an answer writes what is as it should be.
const GREEN: &str = "\u{1b}[32m";

/// What is broken, and whom it concerns.
pub struct Broken<'b> {
    /// The plugin that does not do what its object asks for; `default/helloworld` where another object is broken.
    pub plugin: &'b str,
    /// The workload in `default`, `deploy/httpbin`.
    pub workload: &'b str,
    /// What is broken, as it is named on lines: the plugin, or another object.
    pub names: &'b [&'b str],
}

impl Broken<'_> {
    /// Asks every command about it and opens every screen: none shows it as sound. To be called once the break has arrived.
    pub fn is_nowhere_sound(&self) {
        let faults = std::thread::scope(|scope| {
            let commands: Vec<_> =
                self.commands().into_iter().map(|command| scope.spawn(move || self.faults_of_command(&command))).collect();
            let screens = self.faults_of_screens();
            commands.into_iter().flat_map(|command| command.join().unwrap()).chain(screens).collect::<Vec<_>>()
        });
        assert!(faults.is_empty(), "what is broken ({:?}) is shown as sound:\n{}", self.names, faults.join("\n"));
    }

    fn commands(&self) -> Vec<Vec<&str>> {
        let Self { plugin, workload, .. } = *self;
        vec![
            vec!["plugins"],
            vec!["workloads", plugin],
            vec!["health", plugin],
            vec!["why", plugin, workload],
            vec!["chains", workload],
            vec!["order", workload],
            vec!["sync", workload],
            vec!["diff", workload],
            vec!["mtls", workload],
        ]
    }

    fn is_named(&self, line: &str) -> bool {
        self.names.iter().any(|name| line.contains(name))
    }

    fn faults_of_command(&self, command: &[&str]) -> Vec<String> {
        let run = |more: &[&str]| {
            let mut run = Command::new(env!("CARGO_BIN_EXE_meshscope"));
            let output = run.args(["-n", "default"]).args(command).args(more).stdin(Stdio::null()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() || said.contains(NO_ISTIOD), "{command:?}: {said}");
            String::from_utf8(output.stdout).unwrap()
        };
        let text = run(&["--color", "always"]);
        // What a proxy alone has is green as in every diff.
        let is_addition = |line: &str| line.trim_start().starts_with(&format!("{GREEN}+"));
        // A row of a table has other columns too; what is red or yellow on it is not shown as sound.
        let is_sound = |line: &&str| line.contains(GREEN) && ["\u{1b}[31m", "\u{1b}[33m"].iter().all(|mark| !line.contains(mark));
        let green = text.lines().filter(is_sound).filter(|line| !is_addition(line) && self.is_named(line));
        let mut faults: Vec<String> = green.map(|line| format!("{command:?} green: {line}")).collect();
        if self.names.contains(&self.plugin) {
            let answer: Value = serde_json::from_str(&run(&["-o", "json"])).unwrap();
            self.running(&answer, &mut |found| faults.push(format!("{command:?} -o json: {found}")));
        }
        faults
    }

    /// Every part of an answer that has the plugin running.
    fn running(&self, value: &Value, found: &mut dyn FnMut(String)) {
        match value {
            Value::Object(fields) => {
                let is_it = fields.get("plugin").is_some_and(|plugin| plugin == self.plugin);
                let runs =
                    fields.get("state").is_some_and(|state| state == "running") || fields.get("rollup").is_some_and(|it| it == "ready");
                if is_it && runs {
                    found(value.to_string());
                }
                fields.values().for_each(|field| self.running(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| self.running(item, found)),
            _ => {}
        }
    }

    fn faults_of_screens(&self) -> Vec<String> {
        let mut running = Running::start(&["-n", self.plugin.split_once('/').unwrap().0]);
        running.shows(&[self.plugin, "● live"]);
        running.press(&format!("/{}\r", self.plugin));
        let mut faults = self.ticks("home", &whole(&running));
        for key in ["h", "f", "\r", "w", "c", "o", "d", "s", "m"] {
            let before = running.text();
            running.press(key);
            leaves(&running, &before);
            let text = whole(&running);
            faults.extend(self.ticks(key, &text));
            // The others are asked of the workload that is selected.
            if key == "\r" {
                running.press(&format!("/{}\r", self.workload));
                whole(&running);
            } else {
                running.press("\u{1b}");
                leaves(&running, &text);
            }
        }
        running.press("q");
        running.ends();
        faults
    }

    fn ticks(&self, screen: &str, text: &str) -> Vec<String> {
        let ticks = text.lines().filter(|line| line.contains('✓') && !line.contains('✗') && self.is_named(line));
        ticks.map(|line| format!("screen {screen:?}: {line}")).collect()
    }
}

/// The screen, once it waits for nothing and has not changed for a moment.
fn whole(running: &Running) -> String {
    let began = Instant::now();
    let (mut last, mut since) = (running.text(), began);
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let text = running.text();
        if text != last {
            (last, since) = (text, Instant::now());
        }
        let shows = |words: &[&str]| words.iter().any(|word| last.contains(word));
        let calm = match () {
            () if shows(&["… reading", "eading the ", "Waiting for ", "checking…"]) => SETTLES,
            () if shows(&["not read"]) => UNREAD,
            () => CALM,
        };
        if since.elapsed() >= calm || began.elapsed() > SETTLES {
            return last;
        }
    }
}

/// Waits until a key has changed the screen: what is read before is of the screen before, and a key too close behind Esc is one with it.
fn leaves(running: &Running, text: &str) {
    let began = Instant::now();
    while running.text() == text && began.elapsed() < UNREAD {
        std::thread::sleep(Duration::from_millis(20));
    }
}
