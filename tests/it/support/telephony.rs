//! The programs of `scripts/asterisk`: Asterisk, its database, and phones.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

pub const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/asterisk");
/// Where the programs are; the test command sets it, as root.
const VARIABLE: &str = "STROWGER_ASTERISK";

/// Some of the programs. They end when this is dropped, and when the test's process ends in any other way: the script waits
/// for the end of its standard input.
pub struct Telephony {
    script: Child,
    input: Option<ChildStdin>,
    /// What the script keeps while it runs.
    pub folder: PathBuf,
    /// The loopback address of all servers; the database is at port 5432.
    pub address: String,
}

impl Telephony {
    /// Starts what this command of the script starts; none where the programs are missing: the test is skipped then.
    pub fn start(command: &str) -> Option<Self> {
        if std::env::var_os(VARIABLE).is_none() {
            let required = std::env::var("STROWGER_TOOLS").is_ok_and(|value| value == "required");
            let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
            assert!(!required || !is_root, "{VARIABLE} is not set");
            println!("skipped: {VARIABLE} is not set; as root, set it to what scripts/asterisk setup prints");
            return None;
        }
        let mut script =
            Command::new(SCRIPT).arg(command).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = script.stdin.take();
        let mut ready = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let (folder, address) = ready.trim().split_once(' ').expect("the script prints a folder and an address");
        Some(Self { script, input, folder: folder.into(), address: address.to_owned() })
    }
}

impl Drop for Telephony {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.script.wait();
    }
}
