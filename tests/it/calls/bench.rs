//! The telephone system, started by `scripts/asterisk` and ended with the test.

use std::fs;
use std::io::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::call::Call;
use crate::support::telephony::{SCRIPT, Telephony};

/// A running telephone system.
pub struct Bench(Telephony);

impl Deref for Bench {
    type Target = Telephony;

    fn deref(&self) -> &Telephony {
        &self.0
    }
}

impl Bench {
    /// None where the programs are missing; the test is skipped then.
    pub fn start() -> Option<Self> {
        Telephony::start("start").map(Self)
    }

    /// Runs SQL as the owner of the database; what it prints.
    #[track_caller]
    pub fn sql(&self, text: &str) -> String {
        let mut psql = Command::new(SCRIPT)
            .arg("sql")
            .arg(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        psql.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = psql.wait_with_output().unwrap();
        assert!(output.status.success(), "{text}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Begins to dial the numbers in turn, so many calls in all, so many a second.
    pub fn dial(&self, numbers: &[&str], calls: usize, rate: usize) -> Caller {
        let process = Command::new(SCRIPT)
            .arg("call")
            .arg(&self.folder)
            .args([calls.to_string(), rate.to_string()])
            .args(numbers)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Caller { process, folder: self.folder.clone(), calls }
    }
}

/// A program that places calls, ended with the test.
pub struct Caller {
    process: Child,
    folder: PathBuf,
    calls: usize,
}

impl Caller {
    /// Whether calls are still placed or under way.
    pub fn is_calling(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Waits until all calls have ended.
    pub fn finish(mut self) -> Vec<Call> {
        // Its exit code says whether a call failed, which is what the judge finds out.
        self.process.wait().unwrap();
        let read = |name: &str| fs::read_to_string(Path::new(&self.folder).join(name)).unwrap();
        let calls = Call::all(&read("caller.log"), &read("phones.log"));
        assert_eq!(calls.len(), self.calls, "calls were not placed");
        calls
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
