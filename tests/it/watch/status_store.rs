//! What the board says is so: what differs is on it before it is corrected and after that has failed, who is in sync by
//! chance is known to be, and what was given up stays given up until somebody says otherwise.

use std::sync::atomic::Ordering;
use std::time::Duration;

use strowger::model::{Kind, ObjectRef};
use strowger::providers::{Access, WriteError};
use strowger::watch::Options;
use strowger::watch::status::{AccountState, EventKind};
use tokio::time::{Instant, sleep};

use super::portal::{FILE, Watch};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn what_differs_is_shown_while_it_is_corrected_and_when_that_fails() {
    let watch = Watch::correcting(FILE).await;
    watch.portal.mood.lock().unwrap().write_takes = MINUTE;
    let lost = WriteError::Unavailable { attempts: 3, why: "the account is away".to_owned() };
    watch.portal.mood.lock().unwrap().write_fails = Some(lost);
    watch.file(&FILE.replace("label: Ventes", "label: Vente")).await;
    watch.until("shown", |status| status.drift.numbers == 1 && status.plan.is_some()).await;
    assert_eq!(watch.status().counts.runs, 1, "the write is under way");
    watch.until_state(AccountState::Failing).await;
    assert_eq!(watch.status().drift.numbers, 1, "what was not written still differs");
    assert_eq!(watch.status().plan.as_ref().unwrap().changes.len(), 1);
    watch.portal.mood.lock().unwrap().write_fails = None;
    watch.until_state(AccountState::InSync).await;
    assert_eq!((watch.status().drift.numbers, watch.status().plan.is_none()), (0, true));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_account_that_is_in_sync_is_known_to_be() {
    let watch = Watch::correcting(FILE).await;
    watch.file(&format!("{FILE}policy:\n  suspend: {{ reason: porting }}\n")).await;
    watch.until_state(AccountState::Suspended).await;
    assert!(watch.status().plan.is_none(), "nothing differs");
    let first = watch.status().last_in_sync.clone();
    sleep(HOUR).await;
    assert!(watch.status().last_in_sync > first, "it still is");
    watch.portal.relabel("+33142685302", "by hand");
    watch.until("seen", |status| status.drift.numbers == 1).await;
    let last = watch.status().last_in_sync.clone();
    sleep(HOUR).await;
    assert_eq!(watch.status().last_in_sync, last, "it is not any longer");
}

#[tokio::test(start_paused = true)]
async fn an_approval_lets_its_plan_through_and_takes_up_nothing_that_was_given_up() {
    let watch = Watch::correcting(&format!("{FILE}policy:\n  protect: [\"+33142685301\"]\n")).await;
    watch.fight().await;
    watch.portal.meddle(|live| {
        let bruno = ObjectRef { kind: Kind::User, id: live.users[1].id.clone() };
        let number = live.numbers.iter_mut().find(|one| one.label.as_ref() == "Amélie").unwrap();
        number.to = Some(bruno);
    });
    watch.until_state(AccountState::Blocked).await;
    watch.approve().await;
    watch.until("let through", |status| status.counts.runs == 5).await;
    watch.until_state(AccountState::Fighting).await;
    assert_eq!(watch.portal.label("+33142685302"), "by hand 4", "nobody asked for that");
}

#[tokio::test(start_paused = true)]
async fn other_files_end_a_fight_also_if_the_account_was_away_meanwhile() {
    let watch = Watch::correcting(FILE).await;
    watch.fight().await;
    watch.portal.mood.lock().unwrap().read_fails = Some("the account is away".to_owned());
    watch.portal.relabel("+33142685302", "by hand 5");
    watch.until_state(AccountState::Failing).await;
    watch.file(&FILE.replace("label: Amélie", "label: Amelie")).await;
    watch.until("taken up", |status| status.history[0].kind == EventKind::Files).await;
    watch.portal.mood.lock().unwrap().read_fails = None;
    watch.until_state(AccountState::InSync).await;
    assert_eq!(watch.portal.label("+33142685302"), "Ventes");
}

#[tokio::test(start_paused = true)]
async fn whoever_undoes_every_write_before_anybody_sees_it_is_found_out() {
    let watch = Watch::start(Options { access: Access::Write, ..Options::default() }, "").await;
    watch.portal.mood.lock().unwrap().undoes = true;
    let label = FILE.lines().take_while(|line| !line.contains("ring_groups")).collect::<Vec<_>>().join("\n");
    watch.file(&label).await;
    watch.until_state(AccountState::Fighting).await;
    let writes = watch.portal.written();
    sleep(10 * HOUR).await;
    assert_eq!(watch.portal.written(), writes);
    assert_eq!(watch.told(EventKind::Fight).len(), 1, "{:#?}", watch.status().history);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_the_proof_after_the_writes() {
    let watch = Watch::start(Options { access: Access::Write, ..Options::default() }, "").await;
    watch.portal.mood.lock().unwrap().write_takes = MINUTE;
    watch.file(FILE).await;
    watch.until("about to be written", |status| status.plan.is_some()).await;
    watch.portal.mood.lock().unwrap().read_takes = HOUR;
    while watch.portal.read() < 2 {
        sleep(Duration::from_secs(1)).await;
    }
    let began = Instant::now();
    watch.stop().await;
    assert!(began.elapsed() < MINUTE, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_account_that_leaves_while_it_is_looked_at_does_not_come_back_by_itself() {
    let watch = Watch::correcting(FILE).await;
    let other = FILE.replace("name: office", "name: other");
    watch.take(&[("a/account.yaml", FILE), ("b/account.yaml", &other)]).await;
    while watch.status_store.all().iter().filter(|status| status.state == AccountState::InSync).count() < 2 {
        sleep(Duration::from_secs(1)).await;
    }
    let names = || watch.status_store.all().iter().map(|status| status.account.to_string()).collect::<Vec<_>>();
    let busy = || watch.portal.under_way.load(Ordering::SeqCst);
    watch.portal.mood.lock().unwrap().read_takes = Duration::from_secs(90);
    watch.portal.relabel("+33142685302", "by hand");
    while busy() < 2 {
        sleep(Duration::from_secs(1)).await;
    }
    watch.take(&[("a/account.yaml", FILE)]).await;
    sleep(HOUR).await;
    assert_eq!(names(), ["office"], "a look that came to its end later has it on the board again");
    // Gone and back while it is looked at: one loop after the other.
    watch.portal.most_under_way.store(0, Ordering::SeqCst);
    watch.portal.relabel("+33142685302", "by hand again");
    while busy() < 1 {
        sleep(Duration::from_secs(1)).await;
    }
    watch.take(&[]).await;
    watch.take(&[("a/account.yaml", FILE)]).await;
    sleep(HOUR).await;
    assert_eq!((names(), watch.portal.label("+33142685302")), (vec!["office".to_owned()], "Ventes".to_owned()));
    assert_eq!(watch.portal.most_under_way.load(Ordering::SeqCst), 1);
}
