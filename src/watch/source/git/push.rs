//! Pushing a branch: from the local copy, or on behalf of a repository that the files are in.
//!
//! The configuration of a repository that the files are in says where it is pushed to, and nothing else counts: git
//! pushes from a repository of our own that borrows the objects, so that no program runs which a checkout names.

use std::path::{Path, PathBuf};

use super::branch::{Place, Scratch, tempdir};
use super::mirror;
use super::program::Program;
use super::url::Url;

impl Place {
    /// Pushes the branch, unless somebody else did since.
    pub(super) async fn push(&self, name: &str, tip: &str) -> Result<(), String> {
        let apart = if self.git.has_url() { None } else { Some(self.apart().await?) };
        let git = apart.as_ref().map_or(&self.git, |(git, _)| git);
        let pushed = name.replacen("refs/heads/", mirror::PUSHED, 1);
        let listed = git.ask_remote(&["ls-remote", "--quiet", "origin", name]).await?.succeeded()?;
        let rows = listed.lines().filter_map(|line| line.split_once('\t'));
        let there = rows.filter(|(_, row)| *row == name).map(|(id, _)| id).next().unwrap_or_default();
        if there == tip {
            return Ok(());
        }
        let own = self.ask(&["rev-parse", "--verify", "--quiet", &pushed]).await.unwrap_or_default();
        // A branch that was merged and deleted is made again.
        if !there.is_empty() && there != own {
            return Err("somebody else has pushed to the branch; give another name".to_owned());
        }
        let lease = format!("--force-with-lease={name}:{there}");
        let spec = format!("{tip}:{name}");
        git.ask(&["push", "--quiet", &lease, "origin", &spec]).await?.succeeded()?;
        self.ask(&["update-ref", &pushed, tip]).await.map(drop)
    }

    /// A repository of our own with the objects of the one that the files are in, for as long as the folder is kept.
    async fn apart(&self) -> Result<(Program, Scratch), String> {
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

/// Lays out a repository with the objects of another one.
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
