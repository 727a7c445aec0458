//! `--events`: the stream of a run, for a machine that follows it.

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
    /// Append what happens to a file, as JSON lines (`strowger schema event`); `-` is stdout
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

impl EventArguments {
    /// Opens the stream, and says where people are spoken to beside it. A FIFO is waited for until somebody
    /// reads it.
    pub(super) fn open(&self) -> anyhow::Result<(Option<Arc<Events>>, OutputStream)> {
        let (writer, voice): (Box<dyn Write + Send>, _) = match &self.events {
            None => return Ok((None, OutputStream::Out)),
            Some(path) if path.as_path() == Path::new("-") => (Box::new(Watched(io::stdout())), OutputStream::Err),
            Some(path) => {
                let file =
                    write_file::append(path).with_context(|| format!("cannot write events to {}", path.display()))?;
                (Box::new(Watched(file)), OutputStream::Out)
            }
        };
        Ok((Some(Arc::new(Events::new(writer)?)), voice))
    }
}

/// A stream whose failure the exit code tells. A reader that leaves early is not one.
struct Watched<W>(W);

impl<W> Watched<W> {
    fn noted<T>(written: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &written {
            console::lost_events(error);
        }
        written
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::noted(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::noted(self.0.flush())
    }
}
