//! Detects changed files by their metadata: nothing is opened or read.

use std::path::PathBuf;
use std::time::SystemTime;

use super::files::{Discovered, discover};

/// The metadata of all files that some paths lead to. Equal stamps mean that no file was written,
/// replaced, added or removed in between, as far as the system tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, Option<About>)>);

/// Behind links, so that a link which leads elsewhere is another file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct About {
    length: u64,
    modified: Option<SystemTime>,
    file: Option<(u64, u64)>,
    /// When anything of it changed last, such as who may read it.
    changed: Option<(i64, i64)>,
}

impl Stamp {
    /// The stamp of everything that the paths lead to.
    pub fn of(paths: &[PathBuf]) -> Self {
        let mut all = Vec::new();
        for path in paths {
            match discover(path) {
                Ok(Discovered { accounts, fleet }) => {
                    let files = accounts.into_iter().flat_map(|account| match account {
                        Ok(account) => account.files,
                        Err(why) => vec![why.0],
                    });
                    for file in files.chain(fleet) {
                        let about = about(&file);
                        all.push((file, about));
                    }
                }
                // A path that leads nowhere, or not to an account any longer.
                Err(_) => all.push((path.clone(), None)),
            }
        }
        Self(all)
    }
}

fn about(file: &PathBuf) -> Option<About> {
    let metadata = std::fs::metadata(file).ok()?;
    #[cfg(unix)]
    let own = {
        use std::os::unix::fs::MetadataExt as _;
        (Some((metadata.dev(), metadata.ino())), Some((metadata.ctime(), metadata.ctime_nsec())))
    };
    #[cfg(not(unix))]
    let own = (None, None);
    let (file, changed) = own;
    Some(About { length: metadata.len(), modified: metadata.modified().ok(), file, changed })
}
