//! What the two output streams are connected to, and how findings reach them.

use std::io::{self, IsTerminal as _, Write};

use crate::config::Loaded;
use crate::diag::{Diagnostic, Sources};
use crate::render::diagnostics::{self, Style};

/// Where a command speaks to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// On stdout.
    Out,
    /// On stderr, because a machine reads stdout.
    Err,
}

impl Voice {
    /// Says it, with the end of a line.
    pub(super) fn say(self, text: &str) -> io::Result<()> {
        match self {
            Self::Out => writeln!(anstream::stdout(), "{text}"),
            Self::Err => writeln!(anstream::stderr(), "{text}"),
        }
    }
}

/// The columns of a page that nobody measures.
const PAGE: usize = 120;

/// How text on stdout looks. Colours that are not wanted (`NO_COLOR`, a pipe) are removed on the way out.
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
pub(super) fn findings(
    out: &mut impl Write,
    terminal: bool,
    findings: &[Diagnostic],
    sources: &Sources,
) -> io::Result<()> {
    let text = if terminal {
        diagnostics::human(findings, sources, Style { color: true, width: columns() })
    } else {
        diagnostics::plain(findings, sources)
    };
    out.write_all(text.as_bytes())
}

/// Findings on stderr.
pub(super) fn report(loaded: &Loaded, list: &[Diagnostic]) -> io::Result<()> {
    findings(&mut anstream::stderr(), watched(), list, &loaded.sources)
}
