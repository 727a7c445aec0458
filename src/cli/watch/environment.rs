//! What this process provides to the loops.

use std::path::PathBuf;
use std::sync::Arc;

use crate::apply::{Lock, Recorder};
use crate::config::Account;
use crate::ledger::{Approval, Commit, state_dir};
use crate::plan::Plan;
use crate::providers::{Access, BoxFuture, Opened, Provider};
use crate::text::sanitized;
use crate::watch::{Adoption, Connection, Environment};

use super::super::accept::Accept;
use super::super::open::open_accepted;
use super::super::request_limits::Effort;
use super::super::run_metadata::{self, RunMetadata};
use super::adopt::{Target, into_folder};
use super::refused;

/// What this process provides to the loops.
pub(super) struct Process {
    pub(super) effort: Effort,
    /// What is accepted that the files' revision before does not have.
    pub(super) accept: Accept,
    /// The folder for ledgers and locks, if not beside the files.
    pub(super) state: Option<PathBuf>,
    /// Where files go that follow an account.
    pub(super) adopt: Option<Arc<Target>>,
}

impl Process {
    /// The folder that an account's `.strowger` is in.
    fn root(&self, account: &Account) -> Result<PathBuf, String> {
        let Some(state) = &self.state else { return Ok(account.root.clone()) };
        let root = state.join(account.settings.file_stem());
        std::fs::create_dir_all(&root).map_err(|error| format!("cannot make {}: {error}", root.display()))?;
        Ok(root)
    }
}

impl Connection for Opened {
    fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(Opened::close(*self))
    }
}

impl Environment for Process {
    fn open<'a>(&'a self, account: &'a Account, access: Access) -> BoxFuture<'a, Result<Box<dyn Connection>, String>> {
        Box::pin(async move {
            if let Some(why) = self.accept.refusal(account) {
                return Err(why);
            }
            match open_accepted(account, access, self.effort).await {
                Ok(opened) => Ok(Box::new(opened) as Box<dyn Connection>),
                Err(error) => Err(sanitized(&format!("{error:#}"), 1000)),
            }
        })
    }

    fn refusal(&self, account: &Account) -> Option<String> {
        let fresh = self.accept.refusal(account);
        let name = sanitized(&account.settings.name, 200);
        let root = match self.root(account) {
            Ok(root) => root,
            Err(why) => {
                tracing::warn!("cannot save the refused address of {name} for a restart: {why}");
                return fresh;
            }
        };
        if fresh.is_some() {
            if let Err(why) = refused::keep(&root, account) {
                tracing::warn!("cannot save the refused address of {name} for a restart: {why}");
            }
            return fresh;
        }
        let before = self.accept.refusal(&refused::recall(&root, account)?);
        if before.is_none()
            && let Err(why) = refused::forget(&root)
        {
            tracing::warn!("cannot remove the saved refusal of {name}, which is accepted now: {why}");
        }
        before
    }

    fn begin(
        &self,
        account: &Account,
        plan: &Plan,
        commit: Option<&str>,
        approval: Option<Approval>,
    ) -> Result<Recorder, String> {
        let root = self.root(account)?;
        let commit = commit.map(|id| Commit { id: id.to_owned(), dirty: false });
        let about = RunMetadata { commit, ..RunMetadata::default() };
        let mut recorder = run_metadata::recorder(account, plan, about).map_err(|error| format!("{error:#}"))?;
        if let Some(approval) = approval {
            recorder.approve(approval);
        }
        recorder.start(&root).map_err(|error| {
            format!("cannot keep a ledger in {}: {error}; nothing was applied", state_dir::path(&root).display())
        })?;
        Ok(recorder)
    }

    fn adopt(&self, adoption: Adoption) -> BoxFuture<'_, Result<Option<String>, String>> {
        let target = self.adopt.clone();
        Box::pin(async move {
            match target.as_deref() {
                None => Ok(None),
                Some(Target::Folder(folder)) => into_folder(folder, &adoption),
                Some(Target::Branch(branch)) => branch.commit(&adoption).await,
            }
        })
    }

    fn adopts(&self) -> bool {
        self.adopt.is_some()
    }

    fn lock(&self, account: &Account) -> Result<Option<Lock>, String> {
        run_metadata::lock(account, &self.root(account)?).map_err(|error| format!("{error:#}"))
    }
}
