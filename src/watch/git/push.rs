//! Pushes a branch, from the local copy or from the repository of the files.
//!
//! From the configuration of the repository of the files, only the URL of the remote is used: git pushes from a temporary
//! repository that borrows its objects, so that no program runs that a checkout configures.

use std::path::{Path, PathBuf};

use super::branch::{Place, Scratch, tempdir};
use super::mirror;
use super::program::Program;
use super::url::Url;

impl Place {
    /// Pushes the branch, unless someone else pushed to it.
    pub(super) async fn push(&self, name: &str, tip: &str) -> Result<(), String> {
        let temporary = if self.git.has_url() { None } else { Some(self.temporary().await?) };
        let git = temporary.as_ref().map_or(&self.git, |(git, _)| git);
        let pushed = name.replacen("refs/heads/", mirror::PUSHED, 1);
        let listed = git.ask_remote(&["ls-remote", "--quiet", "origin", name]).await?.succeeded()?;
        let rows = listed.lines().filter_map(|line| line.split_once('\t'));
        let there = rows.filter(|(_, row)| *row == name).map(|(id, _)| id).next().unwrap_or_default();
        if there == tip {
            return Ok(());
        }
        let own = self.ask(&["rev-parse", "--verify", "--quiet", &pushed]).await.unwrap_or_default();
        // A branch that was merged and deleted is pushed again.
        if !there.is_empty() && there != own {
            return Err("someone else has pushed to the branch; give another name".to_owned());
        }
        let lease = format!("--force-with-lease={name}:{there}");
        let spec = format!("{tip}:{name}");
        git.ask(&["push", "--quiet", &lease, "origin", &spec]).await?.succeeded()?;
        self.ask(&["update-ref", &pushed, tip]).await.map(drop)
    }

    /// A temporary repository with the objects of the one that the files are in.
    async fn temporary(&self) -> Result<(Program, Scratch), String> {
        let mut remote = self.ask(&["config", "--get", "remote.origin.pushurl"]).await.unwrap_or_default();
        if remote.is_empty() {
            remote = self.ask(&["config", "--get", "remote.origin.url"]).await.unwrap_or_default();
        }
        let is_path = !remote.is_empty() && !remote.split('/').next().unwrap_or_default().contains(':');
        let path = if is_path { self.top.join(&remote) } else { PathBuf::from(remote) };
        let remote = path.to_str().ok_or("the path of the remote is not text")?;
        let url = Url::parse(remote).map_err(|error| format!("the remote `origin` cannot be pushed to: {error}"))?;
        let common = self.git.repository().join(self.ask(&["rev-parse", "--git-common-dir"]).await?);
        let failed = |error: std::io::Error| format!("cannot write to the repository: {error}");
        let scratch = tempdir(self.git.repository()).map_err(failed)?;
        borrow(&scratch.0, &common).map_err(failed)?;
        let mut git = self.git.with(scratch.0.clone(), url);
        git.prepare().await?;
        Ok((git, scratch))
    }
}

/// Creates a repository that borrows the objects of another one.
fn borrow(repository: &Path, from: &Path) -> std::io::Result<()> {
    mirror::lay_out(repository)?;
    let objects = from.join("objects").canonicalize()?;
    let objects = objects.to_str().filter(|path| !path.contains('\n'));
    let objects = objects.ok_or_else(|| std::io::Error::other("its path is not one line of text"))?;
    std::fs::create_dir_all(repository.join("objects/info"))?;
    mirror::write(&repository.join("objects/info"), "alternates", &format!("{objects}\n"))?;
    if from.join("shallow").is_file() {
        std::fs::copy(from.join("shallow"), repository.join("shallow"))?;
    }
    Ok(())
}
