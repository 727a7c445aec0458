//! The telephone system, started by `scripts/asterisk` and ended with the test.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::call::Call;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/asterisk");

/// A running telephone system. Its processes end when this is dropped, and when the test's process ends in any other way:
/// the script waits for the end of its standard input.
pub struct Bench {
    script: Child,
    input: Option<ChildStdin>,
    folder: PathBuf,
    /// The loopback address of all its servers; the database is at port 5432.
    pub address: String,
}

impl Bench {
    /// None where the programs are missing; the test is skipped then.
    pub fn start() -> Option<Self> {
        if std::env::var_os("STROWGER_ASTERISK").is_none() {
            let required = std::env::var("STROWGER_TOOLS").is_ok_and(|value| value == "required");
            let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
            assert!(!required || !is_root, "STROWGER_ASTERISK is not set");
            println!("skipped: STROWGER_ASTERISK is not set; as root, set it to what scripts/asterisk setup prints");
            return None;
        }
        let mut script =
            Command::new(SCRIPT).arg("start").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = script.stdin.take();
        let mut ready = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let (folder, address) = ready.trim().split_once(' ').expect("scripts/asterisk start says where it is");
        Some(Self { script, input, folder: folder.into(), address: address.to_owned() })
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

impl Drop for Bench {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.script.wait();
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
