//! What every provider must keep, over real HTTP or SQL: reading a complete account, writing each step once, and what follows from a
//! fault before or after any single write. A later provider joins by a [`Subject`] and a line at the end.

mod asterisk;
mod faults;
mod gate;
mod kills;
mod office;
mod sql_gate;
mod stepwise;
mod subject;

use std::path::Path;

use strowger::apply::{Options, execute};
use strowger::model::{FieldName, Verb};

use gate::Gate;
use subject::{Server, Subject, desired, holdings, kinds, planned, seed};

/// Everything of the account is read, under the provider's own ids.
async fn reads_a_complete_account<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::<S>::start(folder.path()).await;
    let live = server.provider().read().await.unwrap().live;
    assert_eq!(holdings(&live), holdings(&seed()));
}

/// A plan shows and prices the calls that are made, and each write is made once.
async fn makes_the_calls_that_the_plan_shows<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::<S>::start(folder.path()).await;
    let gate = Gate::new(server.url(), None).await;
    let provider = S::provider(&gate.url);
    let plan = planned(&*provider, &desired()).await;
    assert_eq!(kinds(&plan), [(Verb::Create, 1), (Verb::Update, 3), (Verb::Delete, 1)], "{plan:#?}");
    let before = gate.requests();
    let outcome = execute(&plan, &*provider, Options::default(), &()).await;
    assert!(outcome.is_complete(), "{outcome:#?}");
    assert_eq!(gate.requests() - before, plan.estimate.writes);
    assert_eq!(outcome.requests(), plan.estimate.writes);
    let steps: usize = plan.changes.iter().map(|change| change.steps.len().max(1)).sum();
    assert_eq!(gate.writes(), steps);
    assert!(planned(&*provider, &desired()).await.is_empty());
}

/// What the model does not know of survives every write.
async fn keeps_what_is_not_modelled<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::<S>::start(folder.path()).await;
    let before = S::unmodelled(server.url()).await;
    let provider = server.provider();
    let plan = planned(&*provider, &desired()).await;
    assert!(
        plan.changes.iter().any(|change| change.after(FieldName::RingFor).is_some() && change.verb == Verb::Update)
    );
    assert!(execute(&plan, &*provider, Options::default(), &()).await.is_complete());
    let after = S::unmodelled(server.url()).await;
    let kept = before.iter().filter(|(name, _)| **name != *"old");
    assert!(kept.clone().count() > 0);
    for (name, value) in kept {
        assert_eq!(after.get(name), Some(value), "{name}");
    }
}

/// An object that changed since the account was read is not overwritten.
async fn overwrites_nothing_that_changed<S: Subject>() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::<S>::start(folder.path()).await;
    let provider = server.provider();
    let plan = planned(&*provider, &desired()).await;
    let mut other = desired();
    other.numbers.retain(|number| number.label.is_some());
    other.numbers[0].label.as_mut().unwrap().value = "By hand".into();
    other.ring_groups.clear();
    other.absent.clear();
    other.numbers[0].to.value = Some("user/202".parse().unwrap());
    let by_hand = planned(&*provider, &other).await;
    assert_eq!(by_hand.changes.len(), 1, "{by_hand:#?}");
    assert!(execute(&by_hand, &*provider, Options::default(), &()).await.is_complete());
    let outcome = execute(&plan, &*provider, Options::default(), &()).await;
    assert_eq!((outcome.counts().stale, outcome.applied()), (1, plan.changes.len() - 1), "{outcome:#?}");
    let live = provider.read().await.unwrap().live;
    assert!(live.numbers.iter().any(|number| &*number.label == "By hand"));
}

/// How the account ends if nothing happens on the way.
async fn uninterrupted<S: Subject>(folder: &Path) -> (String, usize) {
    let server = Server::<S>::start(folder).await;
    let gate = Gate::new(server.url(), None).await;
    let provider = S::provider(&gate.url);
    let plan = planned(&*provider, &desired()).await;
    let outcome = execute(&plan, &*provider, Options { concurrency: 1 }, &()).await;
    assert!(outcome.is_complete(), "{outcome:#?}");
    (holdings(&provider.read().await.unwrap().live), gate.writes())
}

macro_rules! suite {
    ($name:ident, $subject:ty) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn it_reads_a_complete_account() {
                if <$subject>::is_available() {
                    reads_a_complete_account::<$subject>().await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn it_makes_the_calls_that_the_plan_shows() {
                if <$subject>::is_available() {
                    makes_the_calls_that_the_plan_shows::<$subject>().await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn it_keeps_what_is_not_modelled() {
                if <$subject>::is_available() {
                    keeps_what_is_not_modelled::<$subject>().await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn it_overwrites_nothing_that_changed() {
                if <$subject>::is_available() {
                    overwrites_nothing_that_changed::<$subject>().await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn the_next_run_finishes_after_any_write_whose_answer_is_lost_or_wrong() {
                if <$subject>::is_available() {
                    faults::the_next_run_finishes_after_any_unclear_answer::<$subject>().await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn a_limit_on_any_write_is_waited_for() {
                if <$subject>::is_available() {
                    faults::a_limit_on_any_write_is_waited_for::<$subject>().await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn the_next_run_finishes_after_the_token_expired_at_any_write() {
                if <$subject>::is_available() {
                    faults::the_next_run_finishes_after_the_token_expired_at_any_write::<$subject>().await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn the_next_run_finishes_after_the_server_went_down_and_was_restarted() {
                if <$subject>::is_available() {
                    faults::the_next_run_finishes_after_the_server_was_restarted::<$subject>().await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn the_next_run_finishes_after_the_process_was_killed_at_any_write() {
                if <$subject>::is_available() {
                    kills::the_next_run_finishes_after_a_kill_at_any_write::<$subject>().await;
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn a_run_that_was_killed_at_any_write_can_be_taken_back() {
                if <$subject>::is_available() {
                    kills::a_killed_run_is_taken_back_from_what_is_there::<$subject>().await;
                }
            }
        }
    };
}

suite!(the_account_api, office::AccountApi);
suite!(asterisk_tables, asterisk::Tables);
suite!(a_stepwise_vendor, stepwise::Vendor);
