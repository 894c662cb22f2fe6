//! Programs that follow logs while a test changes the mesh: the binary, and kubectl as the witness beside it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A program whose lines are collected.
pub struct Following {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Following {
    /// `meshscope logs -f -o json` on the namespace `default`.
    pub fn meshscope(arguments: &[&str], kubeconfig: Option<&Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshscope"));
        command.args(["-n", "default", "logs", "-f", "-o", "json"]).args(arguments);
        if let Some(kubeconfig) = kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        Self::start(command)
    }

    /// `kubectl logs -f`.
    pub fn kubectl(arguments: &[&str]) -> Self {
        let mut command = Command::new("kubectl");
        command.args(["logs", "-f"]).args(arguments);
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let collected = lines.clone();
        let reader = std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                collected.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { child, lines, reader: Some(reader) }
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The objects of JSON so far.
    pub fn objects(&self) -> Vec<Value> {
        self.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until the objects are as they should be.
    pub fn until(&self, what: &str, is_so: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let objects = self.objects();
            if is_so(&objects) {
                return objects;
            }
            let last: Vec<&Value> = objects.iter().rev().take(20).collect();
            assert!(began.elapsed() < Duration::from_secs(120), "{what} did not come, but {last:#?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Ends the program by a signal, after which it has to end well, and returns all of its lines.
    pub fn stop(mut self) -> Vec<String> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "it ends well: {status}");
        self.reader.take().unwrap().join().unwrap();
        self.lines()
    }

    /// Waits until the program ends by itself, and returns all of its lines.
    pub fn ended(mut self) -> Vec<String> {
        self.child.wait().unwrap();
        self.reader.take().unwrap().join().unwrap();
        self.lines()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The messages of a kind of event, of one container.
pub fn messages<'o>(objects: &'o [Value], pod: &str) -> Vec<&'o str> {
    let of = objects.iter().filter(|object| object["kind"] != "mark" && object["pod"].as_str().is_some_and(|name| name.starts_with(pod)));
    of.map(|object| object["raw"].as_str().unwrap()).collect()
}

/// The marks of a kind, with their texts.
pub fn marks<'o>(objects: &'o [Value], event: &str) -> Vec<&'o str> {
    let of = objects.iter().filter(|object| object["kind"] == "mark" && object["event"] == event);
    of.map(|object| object["message"].as_str().unwrap()).collect()
}
