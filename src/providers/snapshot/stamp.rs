//! What a file looks like from outside: as long as that stays, so does what is in it.

use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How old the last change has to be before the next one is sure to have another time: file systems count in steps of
/// up to two seconds.
const SETTLED: Duration = Duration::from_secs(3);

/// A file's length, the time of its last change, and which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    modified: SystemTime,
    file: [i128; 4],
}

impl Stamp {
    /// That of a file, if there is one.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let about = std::fs::metadata(path).ok()?;
        Some(Self { length: about.len(), modified: about.modified().ok()?, file: file(&about) })
    }

    /// The same, unless the file has only just been changed, and may be changed again without looking different.
    pub(super) fn settled(path: &Path) -> Option<Self> {
        Self::of(path).filter(|stamp| stamp.modified.elapsed().is_ok_and(|age| age > SETTLED))
    }
}

/// The device, the inode, and the time of its last change, which no program can set.
#[cfg(unix)]
fn file(about: &Metadata) -> [i128; 4] {
    use std::os::unix::fs::MetadataExt as _;
    [about.dev().into(), about.ino().into(), about.ctime().into(), about.ctime_nsec().into()]
}

#[cfg(not(unix))]
fn file(_: &Metadata) -> [i128; 4] {
    [0; 4]
}
