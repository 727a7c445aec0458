//! A `strowger watch` process under test.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::commands;

/// A `strowger watch` process, ended with the test.
pub struct Watch {
    process: Child,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches a folder that is also the current one.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_with(folder, ".", arguments)
    }

    /// Watches a path, seen from a folder.
    pub fn start_with(folder: &Path, path: &str, arguments: &[&str]) -> Self {
        Self::spawn(commands::command(folder, &[&["watch", path], arguments].concat()))
    }

    /// Runs a command line that is more than a path.
    pub fn spawn(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (stderr, into) = (process.stderr.take().unwrap(), Arc::clone(&said));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                into.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Self { process, said, reader: Some(reader) }
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until something holds. Time is only what a hung machine has.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(60), "never {what}:\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it has said this.
    #[track_caller]
    pub fn until_it_says(&self, words: &str) {
        self.until(&format!("said `{words}`"), || self.said().contains(words));
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, name: &str) {
        commands::signal(self.process.id(), name);
    }

    /// Ends it as a service manager does; its exit code.
    pub fn stop(self) -> Option<i32> {
        self.stop_and_read().0
    }

    /// Ends it as a service manager does; its exit code and all that it said. What it did elsewhere can be seen before
    /// what it said about it was read.
    pub fn stop_and_read(mut self) -> (Option<i32>, String) {
        self.signal("TERM");
        let code = self.process.wait().unwrap().code();
        self.reader.take().unwrap().join().unwrap();
        (code, self.said())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
