//! The real binary at a real pseudo-terminal: what is typed, and what is to be seen.
//!
//! Nothing here sleeps: a test waits until the screen shows what it waits for.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};

pub const ENTER: &str = "\r";
pub const ESC: &str = "\u{1b}";
pub const DOWN: &str = "\u{1b}[B";
pub const UP: &str = "\u{1b}[A";
pub const RIGHT: &str = "\u{1b}[C";
pub const CTRL_C: &str = "\u{3}";
/// Takes back what was typed, up to eighty characters of it.
pub fn clear() -> String {
    "\u{7f}".repeat(80)
}

/// Longer than anything takes, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Terminal {
    keyboard: Arc<Pty>,
    process: Child,
    screen: Arc<(Mutex<Seen>, Condvar)>,
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    over: bool,
}

impl Terminal {
    /// Runs a command line of a shell, in which `strowger` is the binary under test.
    pub fn run(folder: &Path, line: &str, (rows, columns): (u16, u16), variables: &[(&str, &str)]) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_strowger")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh").args(["-c", line]).current_dir(folder).env("PATH", path);
        for name in ["RUST_LOG", "NO_COLOR", "COLUMNS", "STROWGER_TOKEN"] {
            command = command.env_remove(name);
        }
        command = command.env("TERM", "xterm-256color").envs(variables.iter().copied());
        let process = command.spawn(pts).unwrap();
        let sizes = [rows, columns].map(|size| NonZeroU16::new(size).unwrap());
        let seen = Seen { parser: vt100::Parser::new(sizes[0], sizes[1], 0), bytes: Vec::new(), over: false };
        let screen = Arc::new((Mutex::new(seen), Condvar::new()));
        let keyboard = Arc::new(pty);
        let (shown, output) = (screen.clone(), keyboard.clone());
        std::thread::spawn(move || {
            let mut packet = [0; 4096];
            // The last one to close the other end makes reading fail.
            while let Ok(length @ 1..) = (&*output).read(&mut packet) {
                // A test that failed holds the screen no longer, and nobody looks at it.
                let Ok(mut seen) = shown.0.lock() else { return };
                seen.parser.process(&packet[..length]);
                seen.bytes.extend_from_slice(&packet[..length]);
                shown.1.notify_all();
            }
            if let Ok(mut seen) = shown.0.lock() {
                seen.over = true;
            }
            shown.1.notify_all();
        });
        Self { keyboard, process, screen }
    }

    /// `strowger` with these arguments, on a screen on which everything has room.
    pub fn start(folder: &Path, arguments: &str) -> Self {
        Self::run(folder, &format!("strowger {arguments}"), (60, 100), &[])
    }

    pub fn keys(&self, keys: &str) {
        (&*self.keyboard).write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for this text on the screen, and answers.
    #[track_caller]
    pub fn answer(&self, question: &str, keys: &str) {
        self.wait(question);
        self.keys(keys);
    }

    /// Waits for this text on the screen, wherever the line breaks are.
    #[track_caller]
    pub fn wait(&self, text: &str) -> String {
        let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let wanted = squeezed(text);
        self.until(|screen| squeezed(screen).contains(&wanted), text)
    }

    #[track_caller]
    pub fn until(&self, is_so: impl Fn(&str) -> bool, what: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.screen.0.lock().unwrap();
        loop {
            let screen = seen.parser.screen().contents();
            // While a question is drawn there is no cursor, and half of it may be from before.
            if !seen.parser.screen().hide_cursor() && is_so(&screen) {
                return screen;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.over, "no {what:?} on the screen:\n{screen}");
            seen = self.screen.1.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// What was written to the terminal.
    pub fn bytes(&self) -> Vec<u8> {
        self.screen.0.lock().unwrap().bytes.clone()
    }

    /// Whether the cursor is seen, and pasted text comes as if it were typed.
    pub fn is_as_before(&self) -> bool {
        let seen = self.screen.0.lock().unwrap();
        let screen = seen.parser.screen();
        !screen.hide_cursor() && !screen.bracketed_paste()
    }

    /// Waits for the end: how it ended, and what is on the screen then.
    #[track_caller]
    pub fn end(mut self) -> (i32, String) {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.screen.0.lock().unwrap();
        while !seen.over {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end:\n{}", seen.parser.screen().contents());
            seen = self.screen.1.wait_timeout(seen, left).unwrap().0;
        }
        let screen = seen.parser.screen().contents();
        drop(seen);
        let status = self.process.wait().unwrap();
        (status.code().unwrap_or_else(|| 128 + status.signal().unwrap()), screen)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
