//! The address of an account whose paths are on this disk.

use std::path::{Path, PathBuf};

use crate::check::address::Address;
use crate::providers::settings::ProviderSettings;

use super::files::or_here;

/// The address; relative paths start at `root`, which need not exist any more.
pub(super) fn of(provider: &ProviderSettings, root: &Path) -> Option<Address> {
    let root = std::path::absolute(or_here(root)).unwrap_or_else(|_| root.to_path_buf());
    // Links are resolved before `..`, as the system does.
    provider.address(&resolved(&root)).map(|address| address.resolved(resolved))
}

/// The path without links, as far as it exists.
pub(super) fn resolved(path: &Path) -> PathBuf {
    for there in path.ancestors() {
        if let (Ok(found), Ok(rest)) = (there.canonicalize(), path.strip_prefix(there)) {
            return if rest.as_os_str().is_empty() { found } else { found.join(rest) };
        }
        // A link that leads nowhere yet: where the file will be made.
        if let Ok(target) = std::fs::read_link(there)
            && let Some(folder) = there.parent().and_then(|folder| folder.canonicalize().ok())
            && let Ok(rest) = path.strip_prefix(there)
            && let Ok(found) = std::path::absolute(folder.join(target))
        {
            return if rest.as_os_str().is_empty() { found } else { found.join(rest) };
        }
    }
    path.to_path_buf()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::providers::sandbox;
    use crate::providers::settings::StateFile;

    #[test]
    fn a_state_behind_links_is_the_same_whether_or_not_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("office");
        std::fs::create_dir_all(root.join("state")).unwrap();
        symlink("office", folder.path().join("linked")).unwrap();
        symlink("state", root.join("way")).unwrap();
        symlink("state/a.db", root.join("b.db")).unwrap();
        symlink("../office/state", folder.path().join("office/state/round")).unwrap();
        let address = |root: &str, path: &str| {
            let provider = sandbox::settings(StateFile::File(path.into()), None);
            of(&provider, &folder.path().join(root))
        };
        for _ in 0..2 {
            let expected = address("office", "state/a.db");
            assert!(expected.is_some());
            for (root, path) in
                [("linked", "state/a.db"), ("office", "way/a.db"), ("office", "b.db"), ("gone", "../office/state/a.db")]
            {
                assert_eq!(address(root, path), expected, "{root} {path}");
            }
            std::fs::write(root.join("state/a.db"), "").unwrap();
        }
    }
}
