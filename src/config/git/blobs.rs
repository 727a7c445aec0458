//! One process that reads files out of a repository, each when it is asked for.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::timeout::{LIMIT, Watchdog};
use crate::config::read::MOST;

/// `git cat-file --batch`. After an error its answers are out of step, and it is of no use any more.
#[derive(Debug)]
pub(super) struct Blobs {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    watchdog: Watchdog,
}

impl Blobs {
    /// What git is started with.
    pub(super) const ARGUMENTS: [&str; 3] = ["cat-file", "--batch", "--follow-symlinks"];

    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let watchdog = Watchdog::of(&process, LIMIT);
        watchdog.busy(false);
        match (process.stdin.take(), process.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self { process, input, output: BufReader::new(output), watchdog }),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// The bytes of a file, by its object's name or by `commit:path`; `None` if that is not a file.
    pub(super) fn read(&mut self, asked: &[u8]) -> io::Result<Option<Vec<u8>>> {
        // A line break would start a second request, whose answer is not read.
        if asked.is_empty() || asked.contains(&b'\n') {
            return Ok(None);
        }
        self.watchdog.busy(true);
        let answer = self.answer(asked);
        self.watchdog.busy(false);
        answer
    }

    fn answer(&mut self, asked: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.input.write_all(asked)?;
        self.input.write_all(b"\n")?;
        self.input.flush()?;
        let head = self.line()?;
        let words: Vec<&str> = head.split(' ').collect();
        match words.as_slice() {
            [_, "blob", size] => size.parse().map_or(Ok(None), |size| self.bytes(size).map(Some)),
            // A folder; or a link that leads out of the repository, in a circle, or nowhere. Its content follows.
            [_, "tree" | "commit" | "tag", size] | ["symlink" | "dangling" | "loop" | "notdir", size] => {
                size.parse().map_or(Ok(None), |size| self.bytes(size).map(|_| None))
            }
            _ => Ok(None),
        }
    }

    fn line(&mut self) -> io::Result<String> {
        // It repeats what was asked, which need not be UTF-8.
        let mut line = Vec::new();
        if self.output.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// This many bytes, and the line break after them.
    fn bytes(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MOST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a file has more than 256 MiB"));
        }
        let mut bytes = Vec::new();
        let whole = size.saturating_add(1);
        if (&mut self.output).take(whole).read_to_end(&mut bytes)? as u64 != whole {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.pop();
        Ok(bytes)
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // It may be blocked on output that is no longer read.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
