//! Law 6: no phantom change, and nothing is called applied that was not.

use std::collections::BTreeSet;
use std::sync::Mutex;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use strowger::apply::{Options, execute};
use strowger::ledger::ChangeOutcome;
use strowger::model::{
    Change, ChangeId, Desired, Directory, Found, Handle, Kind, LiveAccount, ObjectId, Reference, RingMode, Selector,
    Verb,
};
use strowger::providers::{BoxFuture, FetchedAccount, Progress, Provider, ReadError, WriteError, WriteReceipt};

use super::{config, planned, stress};
use crate::support::account::Account;
use crate::support::generate::{Size, pair};

/// Every way to write this object down that means it and nothing else.
fn spellings(directory: &Directory<'_>, kind: Kind, handle: Handle) -> Vec<Reference> {
    let live = directory.live();
    let index = handle.index as usize;
    let texts = match kind {
        Kind::User | Kind::Voicemail => {
            let Some(user) = live.users.get(index) else { return Vec::new() };
            let extension = user.extension.as_ref().map(|extension| extension.as_str().to_owned());
            [Some(user.name.to_uppercase()), user.email.as_ref().map(|email| email.to_uppercase()), extension]
        }
        Kind::RingGroup => {
            let group = &live.ring_groups[index];
            let extension = group.extension.as_ref().map(|extension| extension.as_str().to_owned());
            [Some(format!("  {}  ", group.name.as_str().to_uppercase())), None, extension]
        }
        _ => [None, None, None],
    };
    let references = texts.into_iter().flatten().filter_map(|text| Selector::parse(&text).ok());
    let references = references.map(|selector| Reference { kind, selector });
    references.filter(|reference| directory.find(reference) == Found::One(Handle { kind, ..handle })).collect()
}

fn respell(reference: &mut Reference, directory: &Directory<'_>, random: &mut fastrand::Rng) {
    if let Found::One(handle) = directory.find(reference) {
        let mut choices = spellings(directory, reference.kind, handle);
        choices.push(reference.clone());
        *reference = random.choice(choices).unwrap();
    }
}

/// The same wish in other words.
fn in_other_words(desired: &mut Desired, live: &LiveAccount, seed: u64) {
    let directory = Directory::new(live);
    let mut random = fastrand::Rng::with_seed(seed);
    for number in &mut desired.numbers {
        if let Some(to) = &mut number.to.value {
            respell(to, &directory, &mut random);
        }
    }
    for group in &mut desired.ring_groups {
        for member in &mut group.members {
            respell(&mut member.value, &directory, &mut random);
        }
        if let Some(target) = group.no_answer.as_mut().and_then(|target| target.value.as_mut()) {
            respell(target, &directory, &mut random);
        }
    }
}

/// An account that fails at random, and remembers what it really did.
struct Moody {
    account: Mutex<(Account, fastrand::Rng, Vec<ChangeId>)>,
}

impl Provider for Moody {
    fn read(&self) -> BoxFuture<'_, Result<FetchedAccount, ReadError>> {
        unreachable!("the engine only writes")
    }

    fn perform<'a>(&'a self, change: &'a Change, _: usize) -> BoxFuture<'a, Result<WriteReceipt, WriteError>> {
        let mut guard = self.account.lock().unwrap();
        let (account, random, done) = &mut *guard;
        let fate = random.u8(0..10);
        let unclear = || WriteError::Unknown("the answer was lost".to_owned());
        let result = match fate {
            0 => Err(WriteError::Unavailable { attempts: 1, why: "no connection".to_owned() }),
            1 => Err(WriteError::Stale("it moved".to_owned())),
            2 => Err(unclear()),
            _ => {
                account.apply(change).unwrap_or_else(|refusal| panic!("{refusal}: {change:#?}"));
                done.push(change.id);
                let made = || account.group_id(&change.object.name).map(|id| ObjectId::from(id.as_str()));
                let id = if change.verb == Verb::Create { made() } else { change.object.id.clone() };
                let written = WriteReceipt { id: id.unwrap(), revision: None, document: None, requests: 1 };
                if fate == 3 { Err(unclear()) } else { Ok(written) }
            }
        };
        Box::pin(std::future::ready(result))
    }

    fn inspect<'a>(&'a self, _: &'a Change) -> BoxFuture<'a, Result<Progress, WriteError>> {
        unreachable!("no change has steps")
    }
}

proptest! {
    #![proptest_config(config(stress(400)))]

    #[test]
    fn law_6_the_same_wish_in_other_words_is_no_change(pair in pair(Size::Medium), seed: u64) {
        let mut account = Account::new(&pair.live);
        for change in &planned(&pair.desired, &pair.live).changes {
            account.apply(change).unwrap();
        }
        let mut live = account.live();
        let mut desired = pair.desired.clone();
        in_other_words(&mut desired, &live, seed);
        // Vendors give the members of a group that rings all at once in any order.
        let mut random = fastrand::Rng::with_seed(seed);
        for group in live.ring_groups.iter_mut().filter(|group| group.ring == RingMode::Simultaneous) {
            random.shuffle(&mut group.members);
        }
        let again = planned(&desired, &live);
        prop_assert!(again.is_empty(), "{:#?}", again.changes);
    }

    #[test]
    fn law_6_nothing_is_called_applied_that_was_not(pair in pair(Size::Medium), seed: u64) {
        let plan = planned(&pair.desired, &pair.live);
        let account = Mutex::new((Account::new(&pair.live), fastrand::Rng::with_seed(seed), Vec::new()));
        let provider = Moody { account };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(execute(&plan, &provider, Options::default(), &()));
        let (mut account, _, done) = provider.account.into_inner().unwrap();
        let done: BTreeSet<ChangeId> = done.into_iter().collect();
        prop_assert_eq!(outcome.changes.len(), plan.changes.len());
        for (id, status) in &outcome.changes {
            match status {
                ChangeOutcome::Applied { .. } => prop_assert!(done.contains(id), "{:?} was not applied", id),
                ChangeOutcome::Unknown { .. } => {}
                _ => prop_assert!(!done.contains(id), "{:?} was applied, and is called {:?}", id, status),
            }
        }
        // Whatever was left undone, the next run does it.
        account.forget_creations();
        for change in &planned(&pair.desired, &account.live()).changes {
            account.apply(change).unwrap_or_else(|refusal| panic!("{refusal}\n{change:#?}"));
        }
        prop_assert!(planned(&pair.desired, &account.live()).is_empty());
    }
}

#[test]
fn other_words_are_found_for_most_references() {
    // Else the property above would say nothing.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut changed, mut all) = (0, 0);
    for seed in 0..20 {
        let pair = pair(Size::Medium).new_tree(&mut runner).unwrap().current();
        let mut desired = pair.desired.clone();
        in_other_words(&mut desired, &pair.live, seed);
        let members = |desired: &Desired| -> Vec<Reference> {
            desired.ring_groups.iter().flat_map(|group| &group.members).map(|member| member.value.clone()).collect()
        };
        all += members(&desired).len();
        changed += members(&desired).iter().zip(members(&pair.desired)).filter(|(now, before)| *now != before).count();
    }
    assert!(changed * 4 > all, "{changed} of {all}");
}
