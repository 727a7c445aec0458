//! Fingerprints: they change if and only if the HTML of an account or of the page's head does.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::super::status::{AccountStatus, SourceStatus};

/// Covers everything that is shown of an account, except the times that change with every check.
pub(super) fn fingerprint(account: &AccountStatus) -> String {
    let mut hash = DefaultHasher::new();
    let files = &account.files;
    (account.state, &account.since, &account.message, account.provider).hash(&mut hash);
    (files.valid, &files.since, &files.commit, &files.errors).hash(&mut hash);
    (&account.last_change, &account.findings, account.drift.numbers, account.drift.ring_groups).hash(&mut hash);
    account.degraded.hash(&mut hash);
    if let Some(plan) = &account.plan {
        (&plan.digest, plan.in_sync, plan.blocked.len(), account.approvable).hash(&mut hash);
    }
    if let Some(event) = account.history.front() {
        (&event.at, event.kind, &event.message, account.history.len()).hash(&mut hash);
    }
    format!("{:016x}", hash.finish())
}

/// Covers what is shown of the source of the files.
pub(super) fn source_fingerprint(source: &SourceStatus) -> String {
    let mut hash = DefaultHasher::new();
    (&source.from, &source.commit, &source.failing, &source.errors).hash(&mut hash);
    format!("{:016x}", hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::status::AccountState;

    #[test]
    fn a_check_without_changes_keeps_the_fingerprint() {
        let mut account = AccountStatus { state: AccountState::InSync, ..AccountStatus::default() };
        let before = fingerprint(&account);
        account.last_check = Some("2026-11-23T18:00:00.000Z".to_owned());
        account.counts.checks += 1;
        assert_eq!(fingerprint(&account), before);
        account.state = AccountState::Drifted;
        assert_ne!(fingerprint(&account), before);
    }
}
