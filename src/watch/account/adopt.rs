//! Files that follow the account where `policy.drift` says `adopt`.

use std::sync::Arc;

use crate::config::Account;
use crate::model::{Change, OnDrift};
use crate::plan::Plan;
use crate::providers::FetchedAccount;

use super::super::adopt::{Adoption, adoption};
use super::super::desired_state::Wanted;
use super::super::status::EventKind;
use super::Watcher;

/// Files that would make the account's state the wanted one, with what is left, or why there are none.
pub(super) type Adopting = Result<(Adoption, Vec<String>), String>;

impl Watcher {
    /// Makes the files that follow the account, for [`Self::tell_adoption`]; true if nobody has a place for them.
    pub(super) fn adopt(
        &mut self,
        account: &Arc<Account>,
        wanted: &Wanted,
        read: &FetchedAccount,
        plan: &Plan,
        held: &[&Change],
    ) -> bool {
        let policy = &account.desired.policy.watch.drift;
        let adopts = |change: &&&Change| policy.of(change.object.kind) == OnDrift::Adopt;
        let changes: Vec<&Change> = held.iter().filter(adopts).copied().collect();
        if changes.is_empty() {
            return false;
        }
        if !self.context.edge.adopts() {
            return true;
        }
        let commit = wanted.files.commit.as_deref();
        self.adoption = Some(adoption((account, commit), &wanted.sources, read, plan, &changes));
        false
    }

    /// Hands the files over, and tells it if that is news.
    pub(super) async fn tell_adoption(&mut self) {
        let Some(adopting) = self.adoption.take() else { return };
        let told = match adopting {
            Ok((adoption, left)) => match self.context.edge.adopt(adoption).await {
                Ok(news) => news.into_iter().chain(left).collect::<Vec<_>>().join("; "),
                Err(why) => format!("the files that follow the account cannot be written: {why}"),
            },
            Err(why) => why,
        };
        if !told.is_empty() && self.told.adoption.as_ref() != Some(&told) {
            self.tell_event(EventKind::Drift, &told, None);
            self.told.adoption = Some(told);
        }
    }
}
