//! The one way of writing files.
//!
//! A path that the operator names (`--out`, `--events`) is written through: links to what they lead to, pipes and devices
//! as they are. A file that belongs into a checkout (`export`, `init`, adoption) is new or replaces a regular file, and
//! nothing on the way there is a link that a commit may have brought: it would lead the write elsewhere. A name is either
//! a whole file or what it was before; of a file with several names (hard links) only the named one gets the new content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};

/// The most symbolic links that are followed for one path.
const MOST_LINKS: usize = 40;

/// Writes a file that the operator named. A regular file is replaced as a whole, and stays as it was if that fails. A pipe
/// is waited for until it has a reader; one that leaves early has read enough.
pub(super) fn write_through(path: &Path, text: &str) -> io::Result<()> {
    let end = end_of_links(path)?;
    match fs::metadata(&end.path) {
        Ok(about) if about.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(about) if about.is_file() && !end.is_stream => replace(&end.path, Some(&about), text),
        Ok(_) => {
            let written = OpenOptions::new().append(true).open(path).and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.flush()
            });
            written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(&end.path, None, text),
        Err(error) => Err(error),
    }
}

/// Opens a file that the operator named, to write at its end. A pipe is waited for until it has a reader.
pub(super) fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Where links lead.
struct End {
    path: PathBuf,
    /// Whether a link leads there by way of an open file, such as `/dev/stdout`: another file of the same name would not
    /// be it.
    is_stream: bool,
}

fn end_of_links(path: &Path) -> io::Result<End> {
    let mut end = End { path: path.to_path_buf(), is_stream: false };
    for _ in 0..MOST_LINKS {
        end.is_stream |=
            std::path::absolute(&end.path).is_ok_and(|path| path.starts_with("/dev") || path.starts_with("/proc"));
        match fs::read_link(&end.path) {
            // What is open and has no name is not to be found under what its link says.
            Ok(_) if end.is_stream && fs::metadata(&end.path).is_ok_and(|about| !about.is_file()) => return Ok(end),
            Ok(target) => end.path = end.path.parent().unwrap_or(Path::new("")).join(target),
            // It is not a link, or does not exist.
            Err(_) => return Ok(end),
        }
    }
    Err(io::Error::other("too many links lead to each other"))
}

/// Replaces a file by a new one, with its owner and permissions.
fn replace(path: &Path, before: Option<&fs::Metadata>, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{:08x}.tmp", fastrand::u32(..)));
    let beside = PathBuf::from(beside);
    let made = create(&beside, before.is_some()).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        if let Some(before) = before {
            keep_owner(&file, before);
            file.set_permissions(before.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if made.is_err() {
        // It is useless now, or was never created.
        let _ = fs::remove_file(&beside);
    }
    match made {
        // A file that is mounted by itself, or is in a folder where none can be made, can still be written.
        Err(error) if before.is_some() && is_in_the_way(&error) => overwrite(path, text),
        made => made,
    }
}

/// A new file; `private` to this user until it gets the permissions of the one that it replaces.
fn create(path: &Path, private: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(path)
}

/// Only the administrator can give files away; for others the new file is theirs.
fn keep_owner(file: &File, before: &fs::Metadata) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        let _ = std::os::unix::fs::fchown(file, Some(before.uid()), Some(before.gid()));
    }
    #[cfg(not(unix))]
    let _ = (file, before);
}

fn is_in_the_way(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, ResourceBusy};

    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

fn overwrite(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

/// Writes new files, with the folders that they need. If one cannot be written or is there already, nothing stays; nor
/// does it if what is returned is not kept.
pub(super) fn create_all(files: &[(PathBuf, String)]) -> anyhow::Result<Made> {
    let mut made = Made::default();
    for (path, text) in files {
        made.file(path, text)?;
    }
    Ok(made)
}

/// Writes a file of a checkout, in place of a regular file or of none.
pub(super) fn replace_in_checkout(path: &Path, text: &str) -> anyhow::Result<()> {
    let (folder, path) = located(path)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let before = match fs::symlink_metadata(&path) {
        Ok(about) if about.is_file() => Some(about),
        Ok(_) => bail!("{} is not a regular file, and is not replaced", path.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot look at {}", path.display())),
    };
    replace(&path, before.as_ref(), text).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a manual page for each command into a folder. A page of an earlier version is replaced.
pub(super) fn man_pages(command: clap::Command, folder: &Path) -> anyhow::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands().filter(|inner| !inner.is_hide_set()).cloned());
        // The library's own way to write them opens its files without looking at what is there.
        let page = clap_mangen::Man::new(command);
        let mut text = Vec::new();
        page.render(&mut text)?;
        replace_in_checkout(&folder.join(page.get_filename()), &String::from_utf8(text)?)?;
    }
    Ok(())
}

/// The folder of a file in a checkout, without links, and the file in it.
fn located(path: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let name = path.file_name().with_context(|| format!("{} has no name", path.display()))?;
    let folder = without_links(path.parent().unwrap_or(Path::new("")))?;
    let path = folder.join(name);
    Ok((folder, path))
}

/// The whole path of a folder, which need not exist. A link that is in a repository or below the current folder, where
/// a commit may have put it, and one that is the folder itself, is an error.
pub(super) fn without_links(folder: &Path) -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().and_then(fs::canonicalize).context("cannot find the current folder")?;
    let parts: Vec<Component<'_>> = folder.components().collect();
    let mut whole = if folder.is_absolute() { PathBuf::new() } else { here.clone() };
    for (index, part) in parts.iter().enumerate() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            Component::Prefix(_) | Component::RootDir => whole.push(part),
            Component::Normal(name) => {
                let next = whole.join(name);
                if fs::symlink_metadata(&next).is_ok_and(|about| about.is_symlink()) {
                    let may_be_committed = whole.starts_with(&here) || is_in_repository(&whole);
                    if may_be_committed || index + 1 == parts.len() {
                        bail!(
                            "{} is a link, and nothing is written through it; give the folder itself",
                            next.display()
                        );
                    }
                    whole = fs::canonicalize(&next).with_context(|| format!("cannot find {}", next.display()))?;
                } else {
                    whole = next;
                }
            }
        }
    }
    Ok(whole)
}

fn is_in_repository(folder: &Path) -> bool {
    folder.ancestors().any(|folder| folder.join(".git").symlink_metadata().is_ok())
}

/// What was made so far; it is removed again unless it is kept.
#[derive(Default)]
#[must_use]
pub(super) struct Made {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    fn file(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        let (folder, whole) = located(path)?;
        self.folder(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let failed = || format!("cannot write {}", path.display());
        // A link under this name is something that exists already, also if it leads nowhere.
        let mut file = create(&whole, false).with_context(failed)?;
        self.files.push(whole);
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)
    }

    fn folder(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<_> = folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_path_buf).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(&folder)?;
            self.folders.push(folder);
        }
        Ok(())
    }

    pub(super) fn keep(&mut self) {
        self.folders.clear();
        self.files.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // What cannot be removed stays; the error that led here is the one to report.
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_and_nothing_stays_of_what_failed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("there"), "before").unwrap();
        let files = ["new/a/one", "two", "there"].map(|name| (path(name), name.to_owned()));
        assert!(create_all(&files).is_err());
        assert_eq!(fs::read_to_string(path("there")).unwrap(), "before");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(create_all(&files[..2]).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        create_all(&files[..2]).unwrap().keep();
        assert_eq!(fs::read_to_string(path("new/a/one")).unwrap(), "new/a/one");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_a_checkout_leads_no_write_elsewhere() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("repository/.git")).unwrap();
        fs::create_dir(path("elsewhere")).unwrap();
        symlink(path("elsewhere"), path("repository/out")).unwrap();
        symlink(path("elsewhere/new"), path("repository/dangling")).unwrap();
        symlink(path("elsewhere"), path("link")).unwrap();
        symlink(path("repository"), path("way")).unwrap();
        for file in [
            "repository/out/x",
            "repository/out/deeper/x",
            "repository/dangling",
            "repository/dangling/x",
            "link/x",
            "way/out/x",
            "repository/.git/../out/x",
        ] {
            assert!(create_all(&[(path(file), String::new())]).is_err(), "{file}");
            assert!(replace_in_checkout(&path(file), "").is_err(), "{file}");
        }
        assert_eq!(fs::read_dir(path("elsewhere")).unwrap().count(), 0);
        // A link on the way to the repository is the operator's own.
        create_all(&[(path("way/new/x"), "x".to_owned())]).unwrap().keep();
        replace_in_checkout(&path("way/new/x"), "y").unwrap();
        assert_eq!(fs::read_to_string(path("repository/new/x")).unwrap(), "y");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_replaced_keeps_its_link_its_permissions_and_on_failure_its_content() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let names = || {
            let mut names: Vec<_> =
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        fs::write(path("plan"), "old").unwrap();
        fs::set_permissions(path("plan"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("plan", path("one")).unwrap();
        symlink(path("one"), path("two")).unwrap();
        write_through(&path("two"), "new").unwrap();
        assert_eq!(fs::read_to_string(path("plan")).unwrap(), "new");
        assert_eq!(fs::metadata(path("plan")).unwrap().permissions().mode() & 0o7777, 0o640);
        assert!(path("one").is_symlink() && path("two").is_symlink());
        symlink("made", path("dangling")).unwrap();
        write_through(&path("dangling"), "through").unwrap();
        assert_eq!(fs::read_to_string(path("made")).unwrap(), "through");
        let before = names();
        symlink(path("loop"), path("loop")).unwrap();
        assert!(write_through(&path("loop"), "x").is_err());
        fs::remove_file(path("loop")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        assert!(write_through(&path("folder"), "x").is_err());
        assert!(write_through(&path("nowhere/plan"), "x").is_err());
        fs::remove_dir(path("folder")).unwrap();
        assert_eq!(names(), before, "nothing is left of what failed");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_are_written_and_stay_devices() {
        use std::os::unix::fs::FileTypeExt as _;

        let full = write_through(Path::new("/dev/full"), "x").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        write_through(Path::new("/dev/null"), "x").unwrap();
        for device in ["/dev/full", "/dev/null"] {
            assert!(fs::metadata(device).unwrap().file_type().is_char_device(), "{device}");
        }
    }
}
