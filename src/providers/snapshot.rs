//! The `snapshot` provider: a live account that was written down as YAML or JSON, read-only.
//!
//! For plans without a network, for pull requests from forks, for portals without an API, and as the seed of
//! an embedded account. The file is untrusted: its size is bounded before it is read, there are no aliases that
//! could make it larger, and a wrong reference is an error that names its key.

mod columns;
mod csv;
mod destination;
mod document;
mod entries;
mod error;
pub(crate) mod fields;
mod keys;
mod locate;
mod problem;
mod references;
mod resolve;
mod schema;
mod spec;
mod spreadsheet;
mod stamp;
mod write;
mod yaml;
mod yaml_scalar;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Change, LiveAccount};

use super::{BoxFuture, ChangeCheck, FetchedAccount, Provider, ReadError, WriteError, WriteReceipt};

pub use error::{DocumentError, SnapshotError};
pub use schema::schema;
pub use spec::{SPEC, settings};
pub use spreadsheet::{SheetError, account as of_spreadsheet};
use stamp::Stamp;
pub use write::write;

/// The largest file that is read: about two and a half million numbers.
const MOST_BYTES: u64 = 256 << 20;

/// How a snapshot is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As YAML.
    Yaml,
    /// The same document as JSON, which is read several times faster.
    Json,
}

/// The account as a text describes it.
///
/// The ids are derived from the keys (`ring_group/ventes`), so that a plan made from the same file twice is
/// the same plan. There are no revisions.
pub fn parse(text: &str, format: Format) -> Result<LiveAccount, SnapshotError> {
    let resolved = |document| resolve::resolve(document).map_err(|late| late.located(Some(text)));
    read(text, format).and_then(resolved).map_err(|error| if is_marked(text) { error } else { error.silent() })
}

/// Whether a text says of itself that it is a snapshot: `snapshot: 1`. Of a text that does not, messages quote nothing:
/// a commit may name any file, such as one with passwords.
pub fn is_marked(text: &str) -> bool {
    let is_number = |rest: &str| {
        let rest = rest.trim_start();
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        after.len() < rest.len() && after.chars().next().is_none_or(|c| c.is_whitespace() || ",}#".contains(c))
    };
    let key = |before: &str| before.chars().next_back().is_none_or(|c| "\u{feff}\n\r{, \"'".contains(c));
    text.match_indices("snapshot").any(|(at, word)| {
        let (before, rest) = (text.get(..at).unwrap_or_default(), text.get(at + word.len()..).unwrap_or_default());
        let rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest).trim_start_matches(' ');
        key(before) && rest.strip_prefix(':').is_some_and(is_number)
    })
}

fn read(text: &str, format: Format) -> Result<document::Document, SnapshotError> {
    // Some editors put a byte order mark in front.
    document::read(text.strip_prefix('\u{feff}').unwrap_or(text), format)
}

/// An account in a file.
#[derive(Clone, Debug)]
pub struct Snapshot {
    path: PathBuf,
    /// The file as it was when it was last read.
    seen: Arc<Mutex<Option<Stamp>>>,
}

impl Snapshot {
    /// The account in this file: JSON if its name ends in `.json`, else YAML.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), seen: Arc::default() }
    }

    /// Reads the file now, on this thread.
    pub fn load(&self) -> Result<LiveAccount, SnapshotError> {
        let json = self.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let format = if json { Format::Json } else { Format::Yaml };
        let text = text(&self.path)?;
        let marked = is_marked(&text);
        let reported = |error: SnapshotError| if marked { error } else { error.silent() }.of(&self.path);
        let document = read(&text, format).map_err(reported)?;
        // Half of the memory that is needed from here on is that of the text.
        drop(text);
        resolve::resolve(document).map_err(|late| reported(late.located(self::text(&self.path).ok().as_deref())))
    }
}

/// The text of a snapshot's file, if it is a regular one, not too large, and UTF-8.
pub fn text(path: &Path) -> Result<String, SnapshotError> {
    text_of(path, "snapshot")
}

/// The text of a file like a snapshot's, which messages call by this noun.
pub fn text_of(path: &Path, noun: &str) -> Result<String, SnapshotError> {
    let failed = |why: String| SnapshotError::file(path, why);
    let bytes = bounded(path, noun).map_err(failed)?;
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        failed(format!("line {line} is not UTF-8: save the file as UTF-8"))
    })
}

/// What is in a regular file, if it is not too large.
fn bounded(path: &Path, noun: &str) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("the {noun} cannot be read: {error}");
    // Asked before opening: opening a FIFO waits for a writer.
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(format!("a {noun} is a regular file"));
    }
    let too_large = || format!("a {noun} has at most {} MiB", MOST_BYTES >> 20);
    if about.len() > MOST_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default() + 1);
    // The file may have grown since.
    File::open(path).map_err(failed)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES { Err(too_large()) } else { Ok(bytes) }
}

impl Provider for Snapshot {
    fn read(&self) -> BoxFuture<'_, Result<FetchedAccount, ReadError>> {
        // On this thread, though it takes a second for each 200,000 numbers: it waits for nothing, and a thread
        // of its own would have a heap of its own, beside what reading the files left in this one's.
        Box::pin(async {
            // Taken before the file is opened: if it changes from here on, it has another one.
            let stamp = Stamp::settled(&self.path);
            let live = self.load()?;
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
            Ok(FetchedAccount { live, requests: 0, versions: Vec::new() })
        })
    }

    fn check_unchanged(&self) -> BoxFuture<'_, Result<ChangeCheck, ReadError>> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = seen.is_some_and(|seen| Stamp::of(&self.path) == Some(seen));
        Box::pin(std::future::ready(Ok(ChangeCheck { unchanged, requests: 0 })))
    }

    fn perform<'a>(&'a self, _: &'a Change, _: usize) -> BoxFuture<'a, Result<WriteReceipt, WriteError>> {
        Box::pin(std::future::ready(Err(WriteError::ReadOnly)))
    }

    fn inspect<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Result<super::Progress, WriteError>> {
        Box::pin(std::future::ready(Err(WriteError::ReadOnly)))
    }
}
