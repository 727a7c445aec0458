//! Marks: texts that change if and only if a picture does.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::super::super::status::{AccountStatus, SourceStatus};

/// Stands for all that is shown of an account but the times that move with every look.
pub(in super::super) fn mark(account: &AccountStatus) -> String {
    let mut hash = DefaultHasher::new();
    let files = &account.files;
    (account.state, &account.since, &account.says, account.provider).hash(&mut hash);
    (files.valid, &files.since, &files.commit, &files.errors).hash(&mut hash);
    (&account.last_change, &account.findings, account.drift.numbers, account.drift.ring_groups).hash(&mut hash);
    account.degraded.hash(&mut hash);
    if let Some(plan) = &account.plan {
        (&plan.digest, plan.in_sync, plan.blocked.len(), account.approvable).hash(&mut hash);
    }
    if let Some(event) = account.history.front() {
        (&event.at, event.what, &event.says, account.history.len()).hash(&mut hash);
    }
    format!("{:016x}", hash.finish())
}

/// Stands for what is shown of where the files come from.
pub(in super::super) fn source_mark(source: &SourceStatus) -> String {
    let mut hash = DefaultHasher::new();
    (&source.from, &source.commit, &source.failing, &source.errors).hash(&mut hash);
    format!("{:016x}", hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::status::State;

    #[test]
    fn a_look_that_finds_the_same_changes_no_picture() {
        let mut account = AccountStatus { state: State::InSync, ..AccountStatus::default() };
        let before = mark(&account);
        account.last_look = Some("2026-11-23T18:00:00.000Z".to_owned());
        account.counts.looks += 1;
        assert_eq!(mark(&account), before);
        account.state = State::Drifted;
        assert_ne!(mark(&account), before);
    }
}
