//! `--events`: the events of a run, as JSON lines.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;

use crate::apply::Events;

use super::console::{self, OutputStream};
use super::write_file;

/// The arguments of commands that write to an account.
#[derive(Debug, clap::Args)]
pub(super) struct EventArguments {
    /// Append events to a file, as JSON lines (`strowger schema event`); `-` is stdout
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

impl EventArguments {
    /// Opens the stream, and returns where other output goes. Opening a FIFO blocks until a process
    /// reads it.
    pub(super) fn open(&self) -> anyhow::Result<(Option<Arc<Events>>, OutputStream)> {
        let (writer, stream): (Box<dyn Write + Send>, _) = match &self.events {
            None => return Ok((None, OutputStream::Out)),
            Some(path) if path.as_path() == Path::new("-") => {
                (Box::new(FailureReporting(io::stdout())), OutputStream::Err)
            }
            Some(path) => {
                let file =
                    write_file::append(path).with_context(|| format!("cannot write events to {}", path.display()))?;
                (Box::new(FailureReporting(file)), OutputStream::Out)
            }
        };
        Ok((Some(Arc::new(Events::new(writer)?)), stream))
    }
}

/// A stream whose failure becomes the exit code. A reader that closes early is not a failure.
struct FailureReporting<W>(W);

impl<W> FailureReporting<W> {
    fn reported<T>(written: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &written {
            console::lost_events(error);
        }
        written
    }
}

impl<W: Write> Write for FailureReporting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::reported(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::reported(self.0.flush())
    }
}
