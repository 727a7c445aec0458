//! Where adopted files go: a folder or a branch.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::sync::Mutex;

use crate::cli::write_file::replace_in_checkout;
use crate::render::counted;
use crate::text::sanitized;
use crate::watch::Adoption;
use crate::watch::git::{Branch, Git, RefName};

/// Where the files go.
#[derive(Debug)]
pub(super) enum Target {
    Folder(PathBuf),
    Branch(Box<Branch>),
}

/// The arguments of `watch` for adopted files.
#[derive(Debug, clap::Args)]
pub(super) struct Adopting {
    /// Folder for adopted files, where `policy.drift` says `adopt`: the account's files, edited to match the account
    #[arg(long, value_name = "FOLDER")]
    adopt: Option<PathBuf>,
    /// Commit adopted files to this branch instead, on top of the commit of the account's files
    #[arg(long, value_name = "NAME", conflicts_with = "adopt")]
    adopt_branch: Option<RefName>,
    /// Push that branch to `origin`, unless it was changed there
    #[arg(long, requires = "adopt_branch")]
    adopt_push: bool,
}

impl Adopting {
    /// Refuses a folder that is watched itself: adopted files would take effect without a review.
    pub(super) fn misplaced(&self, watched: &[PathBuf]) -> Option<String> {
        let folder = self.adopt.as_ref()?;
        let there = folder.canonicalize().ok()?;
        let is_watched = watched.iter().any(|path| path.canonicalize().is_ok_and(|path| path == there));
        let shown = sanitized(&folder.to_string_lossy(), 300);
        is_watched
            .then(|| format!("`--adopt`: {shown} is watched, so files written there would take effect immediately; give another folder"))
    }

    /// Where the files go, if anywhere.
    pub(super) fn target(&self, git: Option<&Git>) -> Option<Target> {
        let folder = self.adopt.clone().map(Target::Folder);
        let branch = || {
            let name = self.adopt_branch.clone()?;
            let branch = Branch { name, push: self.adopt_push, git: git.cloned(), one: Mutex::default() };
            Some(Target::Branch(Box::new(branch)))
        };
        folder.or_else(branch)
    }
}

/// The most objects that are listed.
const MOST_NAMED: usize = 5;

/// Writes the edited files of an account below a folder; reports it if they differ from before.
///
/// Each file is whole or not there; the account's own files are never among them.
pub(super) fn into_folder(folder: &Path, adoption: &Adoption) -> Result<Option<String>, String> {
    let own = folder.join(adoption.account.settings.file_stem());
    let (mut news, mut whole) = (false, Vec::new());
    for file in adoption.files.iter().filter(|file| file.edited) {
        let name = file.path.file_name().ok_or("a file has no name")?;
        let path = own.join(name);
        if path.canonicalize().is_ok_and(|there| file.path.canonicalize().is_ok_and(|own| own == there)) {
            return Err(format!("{} is the account's own file; give another folder", path.display()));
        }
        // Opening a pipe of that name would block.
        let is_file = fs::symlink_metadata(&path).is_ok_and(|about| about.is_file());
        if !is_file || fs::read(&path).ok().as_deref() != Some(file.text.as_bytes()) {
            replace_in_checkout(&path, &file.text).map_err(|error| format!("{error:#}"))?;
            news = true;
        }
        whole.push(path);
    }
    Ok(news.then(|| says(&adoption.objects, &whole)))
}

fn says(objects: &[String], files: &[PathBuf]) -> String {
    let mut names: Vec<String> = objects.iter().take(MOST_NAMED).map(|name| sanitized(name, 60)).collect();
    if objects.len() > MOST_NAMED {
        names.push(format!("{} more", objects.len() - MOST_NAMED));
    }
    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let objects = counted(objects.len(), "object");
    format!("the adopted files for {objects} ({}) are in {}", names.join(", "), files.join(", "))
}
