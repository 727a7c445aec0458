//! The two output streams: the only place that writes to them.
//!
//! Writing never fails for the command that writes. A reader of stdout that leaves early silences it and changes no exit
//! code; any other failure of stdout is reported once, by [`ending`]. A broken stderr cannot be reported.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::OnceLock;

use crate::config::Loaded;
use crate::diag::{Diagnostic, Sources};
use crate::exit::Exit;
use crate::render::diagnostics::{self, Style};

/// Why a stream takes no more output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// Its reader has closed it.
    Closed,
    /// Writing failed, for this reason.
    Failed(Box<str>),
}

impl Broken {
    fn by(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        let text = error.to_string();
        Self::Failed(text.split(" (os error").next().unwrap_or(&text).into())
    }
}

/// The first thing that went wrong with each stream.
static STDOUT: OnceLock<Broken> = OnceLock::new();
static STDERR: OnceLock<Broken> = OnceLock::new();
/// What went wrong with `--events`.
static EVENTS: OnceLock<Broken> = OnceLock::new();

/// Where a command writes for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputStream {
    /// On stdout.
    Out,
    /// On stderr, because a machine reads stdout.
    Err,
}

impl OutputStream {
    /// Writes a line.
    pub(super) fn say(self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// Writes text as it is, without its colours if they are not wanted.
    pub(super) fn write(self, text: &str) {
        match self {
            Self::Out => stdout(|| anstream::stdout().lock(), text.as_bytes()),
            // Space may be free again later, so each text is tried.
            Self::Err => keep(&STDERR, &anstream::stderr().lock().write_all(text.as_bytes())),
        }
    }

    /// Why the output is not read, as far as that can be known: output that was lost, or a pipe whose reader
    /// has gone, even if it took everything so far.
    pub(super) fn broken(self) -> Option<Broken> {
        let (known, closed) = match self {
            Self::Out => (STDOUT.get(), is_closed(&io::stdout())),
            Self::Err => (STDERR.get(), is_closed(&io::stderr())),
        };
        known.cloned().or_else(|| closed.then_some(Broken::Closed))
    }
}

/// Writes to stdout text for people or programs, without its colours if they are not wanted.
pub(super) fn print(text: &str) {
    OutputStream::Out.write(text);
}

/// Writes exactly these bytes to stdout.
pub(super) fn print_bytes(bytes: &[u8]) {
    stdout(|| io::stdout().lock(), bytes);
}

/// Writes a line to stderr.
pub(super) fn note(text: &str) {
    OutputStream::Err.say(text);
}

/// Writes what is wrong to stderr, on a line that begins with the program's name.
pub(super) fn complain(text: &str) {
    OutputStream::Err.say(&format!("strowger: {text}"));
}

/// How a command ends, once its output is taken into account. A command that `prints` has failed if what it printed was
/// lost, unless its exit code says something worse. A reader that left early has read enough.
pub(super) fn ending(exit: Exit, prints: bool) -> Exit {
    let (mut exit, failed) = (exit, |exit| if matches!(exit, Exit::Ok | Exit::Pending) { Exit::Failure } else { exit });
    if let Some(Broken::Failed(why)) = EVENTS.get() {
        complain(&format!("cannot write all events: {why}"));
        exit = failed(exit);
    }
    if let Some(Broken::Failed(why)) = STDOUT.get() {
        complain(&format!("cannot write to standard output: {why}"));
        exit = if prints { failed(exit) } else { exit };
    }
    exit
}

/// Remembers why the stream of events ended early, for [`ending`]; the run goes on without it.
pub(super) fn lost_events(error: &io::Error) {
    if error.kind() != io::ErrorKind::Interrupted {
        let _ = EVENTS.set(Broken::by(error));
    }
}

/// Once something is lost, what would come behind it is not written either.
fn stdout<W: io::Write>(stream: impl FnOnce() -> W, bytes: &[u8]) {
    if STDOUT.get().is_none() {
        let mut stream = stream();
        keep(&STDOUT, &stream.write_all(bytes).and_then(|()| stream.flush()));
    }
}

fn keep(broken: &OnceLock<Broken>, written: &io::Result<()>) {
    if let Err(error) = written {
        // The first reason is the one to report.
        let _ = broken.set(Broken::by(error));
    }
}

/// Whether a pipe has no reader any more.
#[cfg(unix)]
fn is_closed(stream: &impl std::os::fd::AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut fds = [PollFd::new(stream, PollFlags::empty())];
    let polled = poll(&mut fds, Some(&Timespec::default()));
    polled.is_ok() && fds.iter().any(|fd| fd.revents().intersects(PollFlags::ERR | PollFlags::HUP))
}

#[cfg(not(unix))]
fn is_closed(_: &impl io::Write) -> bool {
    false
}

/// The width where there is no terminal.
const PAGE: usize = 120;

/// The style of text on stdout. Colours that are not wanted (`NO_COLOR`, a pipe) are removed on the way out.
pub(super) fn style() -> Style {
    Style { color: true, width: if io::stdout().is_terminal() { columns() } else { PAGE } }
}

/// Whether a person looks at stderr.
pub(super) fn watched() -> bool {
    io::stderr().is_terminal()
}

fn columns() -> usize {
    terminal_size::terminal_size().map_or(PAGE, |(terminal_size::Width(columns), _)| usize::from(columns))
}

/// Findings for people: with excerpts if the stream is a terminal, one line each if it is not.
pub(super) fn findings(stream: OutputStream, findings: &[Diagnostic], sources: &Sources) {
    let terminal = match stream {
        OutputStream::Out => io::stdout().is_terminal(),
        OutputStream::Err => watched(),
    };
    stream.write(&if terminal {
        diagnostics::human(findings, sources, Style { color: true, width: columns() })
    } else {
        diagnostics::plain(findings, sources)
    });
}

/// Findings on stderr.
pub(super) fn report(loaded: &Loaded, list: &[Diagnostic]) {
    findings(OutputStream::Err, list, &loaded.sources);
}
