//! A branch for adopted files: one commit on top of the commit in use, made with plumbing commands.
//!
//! Work trees and the index are not touched: the files are written as objects, with a temporary index. The branch must be
//! new or created by Strowger.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::config;
use crate::text::sanitized;

use super::super::adopt::Adoption;
use super::Git;
use super::names::RefName;
use super::program::{ADDRESS, Program};

/// This line and the committer identify a commit of Strowger. Amending a commit keeps the line and changes the committer.
const MARK: &str = "Made-By: strowger watch";

#[derive(Debug)]
pub struct Branch {
    pub name: RefName,
    pub push: bool,
    /// The repository of the files, with `--git`.
    pub git: Option<Git>,
    /// Held while a commit is made.
    pub one: Mutex<()>,
}

/// The repository, and the folder that the paths of files are relative to.
pub(super) struct Place {
    pub(super) git: Program,
    pub(super) top: PathBuf,
}

impl Branch {
    /// Commits an account's files on top of the commit in use; returns a message if they have changed.
    pub async fn commit(&self, adoption: &Adoption) -> Result<Option<String>, String> {
        let _one = self.one.lock().await;
        let place = self.place(adoption).await?;
        let name = format!("refs/heads/{}", self.name);
        self.is_free(&place, &name).await?;
        let parent = match &adoption.commit {
            Some(commit) => commit.clone(),
            None => place.ask(&["rev-parse", "--verify", "HEAD^{commit}"]).await?,
        };
        let tip = place.ask(&["rev-parse", "--verify", "--quiet", &name]).await.ok();
        let mut start = parent.clone();
        if let Some(tip) = &tip {
            let made = place.ask(&["cat-file", "commit", tip]).await?;
            let is_own = |line: &str| line.starts_with("committer ") && line.contains(&format!(" <{ADDRESS}> "));
            let own = |(header, message): (&str, &str)| header.lines().any(is_own) && message.contains(MARK);
            if !made.split_once("\n\n").is_some_and(own) {
                return Err(format!(
                    "the branch {} has commits that Strowger did not make; give another name",
                    self.name
                ));
            }
            // Keep what was adopted from other accounts.
            if place.ask(&["rev-parse", &format!("{tip}^")]).await.is_ok_and(|before| before == parent) {
                start.clone_from(tip);
            }
        }
        let tree = place.tree(adoption, &parent, &start).await?;
        let known = place.ask(&["rev-parse", &format!("{start}^{{tree}}")]).await?;
        let mut news = None;
        let tip = match tip {
            Some(tip) if start == tip && tree == known => tip,
            tip => {
                let title = format!("Adopt what the account {} has", adoption.account.settings.name);
                let objects = adoption.objects.iter().take(50).map(|name| format!("- {}\n", sanitized(name, 100)));
                let message = format!("{}\n\n{}\n{MARK}\n", sanitized(&title, 72), objects.collect::<String>());
                let commit = ["commit-tree", &tree, "-p", &parent, "-m", &message];
                let commit = place.ask(&commit).await?;
                // Fails if the branch was moved meanwhile.
                let before = tip.unwrap_or_else(|| "0".repeat(commit.len()));
                place.ask(&["update-ref", "--no-deref", &name, &commit, &before]).await?;
                news = Some(format!("the adopted files are on the branch {}", self.name));
                commit
            }
        };
        if self.push {
            place.push(&name, &tip).await?;
        }
        Ok(news)
    }

    async fn place(&self, adoption: &Adoption) -> Result<Place, String> {
        if let Some(git) = &self.git {
            let folder = git.folder().canonicalize().map_err(|error| error.to_string())?;
            let mut program = Program::new(folder.join("repository"), Some(git.url.clone()), git.timeout);
            program.prepare().await?;
            return Ok(Place { git: program, top: folder.join("current") });
        }
        let root = adoption.account.root.clone();
        let found =
            tokio::task::spawn_blocking(move || config::repository_above(&root).map(|top| config::locate(&top)));
        let found = found.await.map_err(|error| error.to_string())?;
        let at = found.ok_or("the files are not in a git repository")?.map_err(|error| error.to_string())?;
        Ok(Place { git: Program::new(at.repository, None, Duration::from_secs(300)), top: at.top })
    }

    /// Fails if the branch is checked out somewhere, or the files come from it.
    async fn is_free(&self, place: &Place, name: &str) -> Result<(), String> {
        let used = place.ask(&["worktree", "list", "--porcelain"]).await?;
        let followed = self.git.as_ref().is_some_and(|git| git.name.full().iter().any(|followed| followed == name));
        if followed || used.lines().any(|line| line == format!("branch {name}")) {
            return Err(format!("the branch {} is in use; give another name", self.name));
        }
        Ok(())
    }
}

impl Place {
    /// The output of git, trimmed.
    pub(super) async fn ask(&self, arguments: &[&str]) -> Result<String, String> {
        Ok(self.git.run(arguments).await?.succeeded()?.trim().to_owned())
    }

    /// The tree of `start` with the account's files replaced.
    async fn tree(&self, adoption: &Adoption, parent: &str, start: &str) -> Result<String, String> {
        let scratch =
            tempdir(self.git.repository()).map_err(|error| format!("cannot write to the repository: {error}"))?;
        let index = scratch.0.join("index");
        let staged = |arguments: Vec<String>| {
            let index = &index;
            async move { self.git.run_with(index, &arguments).await?.succeeded() }
        };
        staged(vec!["read-tree".to_owned(), start.to_owned()]).await?;
        for file in &adoption.files {
            let inside = self.inside(&file.path)?;
            let listed = self.ask(&["--literal-pathspecs", "ls-tree", "--full-tree", parent, "--", &inside]).await?;
            let mut words = listed.split_whitespace();
            let (Some(mode @ ("100644" | "100755")), Some("blob"), Some(before)) =
                (words.next(), words.next(), words.next())
            else {
                return Err(format!("{} is not a file of the commit", sanitized(&inside, 200)));
            };
            if adoption.commit.is_none() {
                let path = std::path::absolute(&file.path).map_err(|error| error.to_string())?;
                let path = path.to_str().ok_or("a file's path is not text")?;
                if self.ask(&["hash-object", "--no-filters", "--", path]).await? != before {
                    return Err(format!("{} differs from the last commit; commit it first", sanitized(&inside, 200)));
                }
            }
            let id = if file.edited {
                let text = scratch.0.join("file");
                std::fs::write(&text, &file.text).map_err(|error| error.to_string())?;
                let path = text.to_str().ok_or("the repository's path is not text")?;
                self.ask(&["hash-object", "-w", "--no-filters", "--", path]).await?
            } else {
                before.to_owned()
            };
            let entry = format!("{mode},{id},{inside}");
            staged(["update-index", "--add", "--cacheinfo", &entry].map(str::to_owned).to_vec()).await?;
        }
        Ok(staged(vec!["write-tree".to_owned()]).await?.trim().to_owned())
    }

    /// A file's path in the repository.
    fn inside(&self, path: &Path) -> Result<String, String> {
        let outside = || format!("{} is not in the repository", sanitized(&path.to_string_lossy(), 200));
        let whole = path.canonicalize().map_err(|_| outside())?;
        let inside = path.strip_prefix(&self.top).or_else(|_| whole.strip_prefix(&self.top)).map_err(|_| outside())?;
        let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
        Ok(parts.ok_or_else(outside)?.join("/"))
    }
}

/// A temporary folder.
pub(super) struct Scratch(pub(super) PathBuf);

pub(super) fn tempdir(inside: &Path) -> std::io::Result<Scratch> {
    let folder = inside.join(format!("strowger-{}-{:08x}", std::process::id(), fastrand::u32(..)));
    std::fs::create_dir(&folder)?;
    Ok(Scratch(folder))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover folder is harmless.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
