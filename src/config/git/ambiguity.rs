//! What is around a commit and a repository: other history, a repository outside, two refs of one name.

use std::path::Path;

use super::{Commit, GitError, Repository, run, succeeded, text};

/// Where git looks for a short name, in this order.
const NAMESPACES: [&str; 5] = ["refs/", "refs/tags/", "refs/heads/", "refs/remotes/", "refs/remotes//HEAD"];

impl Repository {
    /// The folder that paths in commits are relative to, links resolved.
    pub(in crate::config) fn top(&self) -> &Path {
        &self.at.top
    }

    /// Whether any ref leads to a history that does not begin with this commit, which has no parent.
    pub(in crate::config) fn has_other_history(&self, root: &Commit) -> Result<bool, GitError> {
        let listed = succeeded(run(&self.at, &["rev-list", "--all", "--max-parents=0", &root.0])?)?;
        Ok(text(&listed.stdout).lines().any(|commit| commit != root.0))
    }

    /// Whether this repository has a folder of the disk among its files: in the last commit or the index, as files or
    /// as a submodule.
    pub(in crate::config) fn tracks(&mut self, folder: &Path) -> Result<bool, GitError> {
        let Some(place) = self.place(folder) else { return Ok(false) };
        let Some(place) = place.to_str() else { return Ok(true) };
        let listed = ["--literal-pathspecs", "ls-files", "--stage", "-z", "--", place];
        if !succeeded(run(&self.at, &listed)?)?.stdout.is_empty() {
            return Ok(true);
        }
        let Some(head) = self.commit("HEAD")? else { return Ok(false) };
        let listed = ["--literal-pathspecs", "ls-tree", "-z", "--full-tree", &head.0, "--", place];
        Ok(!succeeded(run(&self.at, &listed)?)?.stdout.is_empty())
    }

    /// Two refs that a short name may mean and that lead to different commits; a pushed tag could choose
    /// between them.
    pub(in crate::config) fn ambiguous(&mut self, revision: &str) -> Result<Option<[String; 2]>, GitError> {
        let name = revision.split(['~', '^', ':', '@']).next().unwrap_or_default();
        let mut found: Option<(String, Commit)> = None;
        for namespace in NAMESPACES {
            let whole = match namespace.split_once("//") {
                Some((before, after)) => format!("{before}/{name}/{after}"),
                None => format!("{namespace}{name}"),
            };
            let Some(commit) = self.commit(&whole)? else { continue };
            match &found {
                Some((first, other)) if *other != commit => return Ok(Some([first.clone(), whole])),
                Some(_) => {}
                None => found = Some((whole, commit)),
            }
        }
        Ok(None)
    }
}
