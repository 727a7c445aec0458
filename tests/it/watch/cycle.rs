//! The promises of the loop, on a clock that stands still until it is waited for: what wakes it, what it writes and
//! leaves, how it waits after failures, and that it says things once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use strowger::providers::{Access, WriteError};
use strowger::watch::Options;
use strowger::watch::status::{AccountState, EventKind};
use tokio::time::{Instant, sleep};

use super::portal::{FILE, NAME, Watch};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

fn correct() -> Options {
    Options { access: Access::Write, ..Options::default() }
}

fn with_policy(policy: &str) -> String {
    format!("{FILE}policy:\n{policy}\n")
}

#[tokio::test(start_paused = true)]
async fn the_account_becomes_what_the_file_asks_for_and_drift_is_gone_within_an_interval() {
    let watch = Watch::correcting(FILE).await;
    assert_eq!(watch.portal.label("+33142685302"), "Ventes");
    assert_eq!(watch.told(EventKind::Applied).len(), 1);
    let began = Instant::now();
    watch.portal.relabel("+33142685302", "by hand");
    watch.until("corrected", |status| status.counts.runs == 2 && status.state == AccountState::InSync).await;
    assert!(began.elapsed() <= MINUTE, "{:?}", began.elapsed());
    assert_eq!(watch.portal.label("+33142685302"), "Ventes");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_nobody_touches_is_read_once_and_then_only_looked_at() {
    let watch = Watch::correcting(FILE).await;
    let (reads, writes) = (watch.portal.read(), watch.portal.written());
    sleep(10 * HOUR).await;
    assert_eq!((watch.portal.read(), watch.portal.written()), (reads, writes));
    let looks = watch.portal.looks.load(Ordering::SeqCst);
    assert!((600..=670).contains(&looks), "{looks} looks in ten hours");
    assert_eq!(watch.status().counts.unchanged, looks as u64);
    assert_eq!(watch.status().history.len(), 1, "{:?}", watch.status().history);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_ever_written_in_mode_report() {
    let watch = Watch::start(Options::default(), FILE).await;
    watch.until_state(AccountState::Drifted).await;
    watch.portal.relabel("+33142685302", "by hand");
    watch.file(&FILE.replace("Amélie }", "Amelie }")).await;
    watch.ask().await;
    sleep(HOUR).await;
    assert_eq!(watch.portal.written(), 0);
    let status = watch.status();
    assert_eq!((status.drift.numbers, status.drift.ring_groups), (2, 1));
    assert!(status.plan.is_some());
    // Once at the start, once for the edit and once for the change by hand, unless the two came together.
    let told = watch.told(EventKind::Drift).len();
    assert!((2..=3).contains(&told), "{:#?}", status.history);
}

#[tokio::test(start_paused = true)]
async fn wake_ups_that_come_while_it_is_busy_are_one_more_look_and_never_two_at_once() {
    let watch = Watch::correcting(FILE).await;
    let reads = watch.portal.read();
    watch.portal.mood.lock().unwrap().read_takes = Duration::from_secs(5);
    watch.ask().await;
    sleep(Duration::from_secs(1)).await;
    for _ in 0..50 {
        watch.ask().await;
    }
    watch.file(&FILE.replace("label: Ventes", "label: Vente")).await;
    sleep(Duration::from_secs(40)).await;
    // The one under way, one for all wake-ups together, and the proof after what that one wrote.
    assert_eq!(watch.portal.read() - reads, 3);
    assert_eq!(watch.portal.most_under_way.load(Ordering::SeqCst), 1);
    assert_eq!(watch.portal.label("+33142685302"), "Vente");
}

#[tokio::test(start_paused = true)]
async fn what_may_work_later_is_tried_again_with_growing_waits_and_told_once() {
    let watch = Watch::correcting(FILE).await;
    watch.portal.mood.lock().unwrap().read_fails = Some("the account is away".to_owned());
    watch.ask().await;
    watch.until_state(AccountState::Failing).await;
    let first = watch.portal.read();
    sleep(2 * HOUR).await;
    let reads: Vec<Instant> = watch.portal.reads.lock().unwrap()[first - 1..].to_vec();
    let waits: Vec<f64> = reads.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    for (count, wait) in waits.iter().enumerate() {
        let most = f64::min(300.0, f64::from(1_u32 << count.min(16)));
        assert!(*wait >= 0.49 * most && *wait <= most + 0.1, "wait {count} took {wait} s, not up to {most} s");
    }
    assert!(waits.len() > 20 && waits.iter().any(|wait| *wait > 150.0), "{waits:?}");
    assert_eq!(watch.told(EventKind::Failed).len(), 1, "{:#?}", watch.status().history);
    assert!(watch.status().message.as_ref().unwrap().contains("the account is away"));

    watch.portal.mood.lock().unwrap().read_fails = None;
    watch.until_state(AccountState::InSync).await;
    assert_eq!(watch.told(EventKind::Recovered).len(), 1);
    assert!(watch.status().message.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_the_account_refuses_waits_for_a_change() {
    let watch = Watch::correcting(FILE).await;
    let refused = WriteError::Refused { status: 422, title: "no".into(), detail: "never".into(), referrers: vec![] };
    watch.portal.mood.lock().unwrap().write_fails = Some(refused);
    watch.file(&FILE.replace("label: Ventes", "label: Vente")).await;
    watch.until_state(AccountState::Failing).await;
    let writes = watch.portal.written();
    sleep(10 * HOUR).await;
    assert_eq!(watch.portal.written(), writes, "nothing has changed, so nothing is tried");
    assert_eq!(watch.status().drift.numbers, 1, "what is refused still differs");
    watch.portal.mood.lock().unwrap().write_fails = None;
    watch.file(&FILE.replace("label: Ventes", "label: Verkauf")).await;
    watch.until_state(AccountState::InSync).await;
    assert_eq!(watch.portal.label("+33142685302"), "Verkauf");
}

#[tokio::test(start_paused = true)]
async fn what_a_guard_holds_back_waits_for_an_approval_of_exactly_that_plan() {
    let watch = Watch::correcting(FILE).await;
    let elsewhere =
        with_policy("  protect: [\"+33142685302\"]").replace("to: ring_group/ventes, label", "to: user/202, label");
    let writes = watch.portal.written();
    watch.file(&elsewhere).await;
    watch.until_state(AccountState::Blocked).await;
    let digest = watch.status().plan.as_ref().unwrap().digest.clone();
    assert!(watch.status().message.as_ref().unwrap().contains(&digest.0), "{:?}", watch.status().message);
    watch.ask().await;
    sleep(HOUR).await;
    assert_eq!(watch.portal.written(), writes);
    assert_eq!(watch.told(EventKind::Blocked).len(), 1);

    watch.approve().await;
    watch.until_state(AccountState::InSync).await;
    assert_eq!(watch.portal.written(), writes + 1);
    // The approval is used up: the same again is held back again.
    watch.portal.meddle(|live| {
        let ventes = live.ring_groups[0].id.clone();
        let number = live.numbers.iter_mut().find(|one| one.label.as_ref() == "Ventes").unwrap();
        number.to = Some(strowger::model::ObjectRef { kind: strowger::model::Kind::RingGroup, id: ventes });
    });
    watch.until_state(AccountState::Blocked).await;
    assert_eq!(watch.portal.written(), writes + 1);
}

#[tokio::test(start_paused = true)]
async fn files_with_errors_replace_nothing_and_the_state_before_is_still_defended() {
    let watch = Watch::correcting(FILE).await;
    watch.file(&FILE.replace("members: [", "members: [user/201, ")).await;
    watch.until("refused", |status| !status.files.valid && !status.files.errors.is_empty()).await;
    watch.portal.relabel("+33142685302", "by hand");
    watch.until("corrected", |status| status.counts.runs == 2).await;
    assert_eq!(watch.portal.label("+33142685302"), "Ventes");
    assert_eq!(watch.told(EventKind::Invalid).len(), 1);
    watch.file(FILE).await;
    watch.until("valid again", |status| status.files.valid).await;
    assert!(watch.status().files.errors.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_account_that_no_file_declares_any_longer_is_left_as_it_is() {
    let watch = Watch::correcting(FILE).await;
    let other = FILE.replace("name: office", "name: other");
    watch.take(&[("a/account.yaml", FILE), ("b/account.yaml", &other)]).await;
    while watch.status_store.all().len() < 2 {
        sleep(Duration::from_secs(1)).await;
    }
    let writes = watch.portal.written();
    watch.take(&[("a/account.yaml", FILE)]).await;
    while watch.status_store.all().len() > 1 {
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(&*watch.status_store.all()[0].account, NAME);
    assert_eq!(watch.portal.written(), writes);
    // One whose file is broken is not gone.
    watch.take(&[("a/account.yaml", "version: 1\n")]).await;
    watch.until("refused", |status| !status.files.valid).await;
}

#[tokio::test(start_paused = true)]
async fn a_field_that_somebody_keeps_changing_is_given_up_and_all_others_are_not() {
    let watch = Watch::correcting(FILE).await;
    watch.fight().await;
    let says = watch.status().message.clone().unwrap();
    assert!(says.contains("`label` of number/+33142685302"), "{says}");
    assert!(says.contains("the account's audit log names ada (portal/1.0) and loop (strowger/1)"), "{says}");
    let corrected = watch.told(EventKind::Applied);
    let blame = "applied 1 change; +33142685302 was changed by ada (portal/1.0) at 09:03";
    assert!(corrected.iter().any(|event| event.message == blame), "{corrected:#?}");
    for round in 5..8 {
        watch.portal.relabel("+33142685302", &format!("by hand {round}"));
        sleep(2 * MINUTE).await;
    }
    assert_eq!(watch.portal.label("+33142685302"), "by hand 7", "nobody corrects it any longer");
    assert_eq!(watch.told(EventKind::Fight).len(), 1, "and it is told once: {:#?}", watch.status().history);

    watch.portal.relabel("+33142685301", "by hand");
    watch.until("corrected", |status| status.counts.runs == 5).await;
    assert_eq!(watch.portal.label("+33142685301"), "Amélie");
    sleep(3 * HOUR).await;
    assert_eq!(watch.status().state, AccountState::Fighting, "time alone ends no fight");

    watch.ask().await;
    watch.until_state(AccountState::InSync).await;
    assert_eq!(watch.portal.label("+33142685302"), "Ventes");
}

#[tokio::test(start_paused = true)]
async fn drift_that_comes_now_and_then_is_no_fight() {
    let watch = Watch::correcting(FILE).await;
    for round in 1..=12 {
        watch.portal.relabel("+33142685302", &format!("by hand {round}"));
        watch
            .until("corrected", |status| status.counts.runs == 1 + round && status.state == AccountState::InSync)
            .await;
        sleep(25 * MINUTE).await;
    }
    assert!(watch.told(EventKind::Fight).is_empty());
}

#[tokio::test(start_paused = true)]
async fn outside_of_the_windows_it_is_only_told_and_written_when_one_opens() {
    // It is 09:00 in Paris, a Monday.
    let windows = "  windows: [{ days: [mon], from: \"20:00\", to: \"21:00\", zone: Europe/Paris }]";
    let watch = Watch::start(correct(), &with_policy(windows)).await;
    let began = Instant::now();
    watch.until_state(AccountState::Drifted).await;
    assert!(watch.status().message.as_ref().unwrap().contains("2026-11-23T19:00:00Z"), "{:?}", watch.status().message);
    watch.until_state(AccountState::InSync).await;
    let took = began.elapsed();
    assert!(took >= 11 * HOUR && took < 11 * HOUR + Duration::from_secs(2), "{took:?}");
    // After it has closed again, drift stays until the Monday that follows.
    sleep(2 * HOUR).await;
    watch.portal.relabel("+33142685302", "by hand");
    watch.until_state(AccountState::InSync).await;
    watch.until_state(AccountState::Drifted).await;
    watch.until_state(AccountState::InSync).await;
    let took = began.elapsed();
    assert!(took >= (7 * 24 + 11) * HOUR && took < (7 * 24 + 11) * HOUR + Duration::from_secs(2), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_plan_can_be_approved_and_the_approval_is_of_that_plan_alone() {
    for policy in [
        "  suspend: { reason: porting }",
        "  windows: [{ days: [tue], from: \"20:00\", to: \"21:00\", zone: Europe/Paris }]",
    ] {
        let watch = Watch::start(correct(), &with_policy(policy)).await;
        watch.until("frozen", |status| status.approvable).await;
        let says = watch.status().message.clone().unwrap();
        assert!(says.contains(&watch.status().plan.as_ref().unwrap().digest.0), "{says}");
        assert_eq!(watch.portal.written(), 0);
        watch.approve().await;
        watch.until("written", |status| status.counts.runs == 1 && status.plan.is_none()).await;
        assert!(!watch.status().approvable);
        let applied = watch.told(EventKind::Applied).remove(0);
        let approval = applied.approval.unwrap();
        assert_eq!((approval.by.name.as_deref(), approval.guards.len()), (Some("ada"), 1));
        assert!(
            applied.message.contains("approved by ada (with the status server's token), past "),
            "{}",
            applied.message
        );
        let writes = watch.portal.written();
        watch.portal.relabel("+33142685302", "by hand");
        watch.until("frozen again", |status| status.approvable).await;
        sleep(HOUR).await;
        assert_eq!(watch.portal.written(), writes);
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspended_account_is_left_alone_with_a_daily_reminder_until_its_time() {
    let suspend = "  suspend: { until: \"2026-11-26T09:30:00+01:00\", reason: porting }";
    let watch = Watch::start(correct(), &with_policy(suspend)).await;
    let began = Instant::now();
    watch.until_state(AccountState::Suspended).await;
    assert!(watch.status().message.as_ref().unwrap().contains("porting"));
    watch.until_state(AccountState::InSync).await;
    let took = began.elapsed();
    let due = 72 * HOUR + 30 * MINUTE;
    assert!(took >= due && took < due + Duration::from_secs(2), "{took:?}");
    let told = watch.told(EventKind::Suspended);
    assert_eq!(told.len(), 4, "once, and after each of three days: {told:#?}");
}

#[tokio::test(start_paused = true)]
async fn drift_of_a_kind_that_is_only_reported_stays_while_edits_of_the_file_are_carried_out() {
    // Before it was in sync once, nobody knows what is drift.
    let policy = with_policy("  drift: { ring_groups: report }");
    let watch = Watch::start(correct(), &policy).await;
    watch.until_state(AccountState::Drifted).await;
    assert_eq!(watch.portal.label("+33142685302"), "Ventes", "numbers are corrected");
    assert_eq!(watch.status().drift.ring_groups, 1);

    watch.portal.meddle(|live| {
        let bruno = strowger::model::ObjectRef { kind: strowger::model::Kind::User, id: live.users[1].id.clone() };
        live.ring_groups[0].members.push(bruno);
    });
    watch.until_state(AccountState::InSync).await;
    watch.portal.slow_down(45);
    watch.portal.relabel("+33142685302", "by hand");
    watch.until("corrected", |status| status.counts.runs == 2 && status.state == AccountState::Drifted).await;
    sleep(HOUR).await;
    let seconds = |watch: &Watch| watch.portal.live().ring_groups[0].ring_for.map(|ring_for| ring_for.to_string());
    assert_eq!(seconds(&watch).as_deref(), Some("45s"), "drift of groups stays");
    assert_eq!(watch.portal.label("+33142685302"), "Ventes", "drift of numbers does not");

    watch.file(&policy.replace("ring_for: 20s", "ring_for: 25s")).await;
    watch.until_state(AccountState::InSync).await;
    assert_eq!(seconds(&watch).as_deref(), Some("25s"), "an edit is no drift");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_the_write_in_flight_and_starts_no_other() {
    let watch = Watch::start(Options { concurrency: 1, ..correct() }, "").await;
    watch.portal.mood.lock().unwrap().write_takes = Duration::from_secs(20);
    watch.file(FILE).await;
    while watch.portal.most_under_way.load(Ordering::SeqCst) == 0 || watch.status().counts.requests == 0 {
        sleep(Duration::from_millis(100)).await;
    }
    sleep(Duration::from_secs(5)).await;
    let began = Instant::now();
    let portal = watch.stop().await;
    assert!(began.elapsed() >= Duration::from_secs(14), "{:?}", began.elapsed());
    assert_eq!(portal.written(), 1, "the write in flight is done, and no other is begun");
    assert_eq!(portal.open.load(Ordering::SeqCst), 0, "what was opened is closed");
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_left_alone_is_not_pruned_for_it() {
    let policy = with_policy("  drift: { ring_groups: report }\n  prune: ring_groups");
    let watch = Watch::start(correct(), &policy).await;
    watch.until_state(AccountState::Drifted).await;
    watch.portal.meddle(|live| {
        let bruno = strowger::model::ObjectRef { kind: strowger::model::Kind::User, id: live.users[1].id.clone() };
        live.ring_groups[0].members.push(bruno);
    });
    watch.until_state(AccountState::InSync).await;
    // The group is held back, the number is not: what is planned for the number must not know the group as gone.
    watch.portal.slow_down(45);
    watch.portal.meddle(|live| {
        let mut stranger = live.ring_groups[0].clone();
        stranger.id = "grp_2000".into();
        stranger.name = "by hand".parse().unwrap();
        stranger.extension = "310".parse().ok();
        live.ring_groups.push(stranger);
    });
    watch.portal.relabel("+33142685302", "by hand");
    watch.until("corrected", |status| status.counts.runs == 2 && status.state == AccountState::Drifted).await;
    sleep(HOUR).await;
    let mut groups: Vec<String> = watch.portal.live().ring_groups.iter().map(|group| group.name.to_string()).collect();
    groups.sort();
    assert_eq!(groups, ["by hand", "ventes"], "drift of groups stays, also where it would be pruned");
    assert_eq!((watch.status().drift.ring_groups, watch.status().drift.numbers), (2, 0));
    assert_eq!(watch.portal.label("+33142685302"), "Ventes");
}

#[tokio::test(start_paused = true)]
async fn no_more_accounts_behind_one_server_are_looked_at_than_it_may_bear() {
    let options = Options { accounts_at_once: 3, ..Options::default() };
    let watch = Watch::start(options, "").await;
    watch.portal.mood.lock().unwrap().read_takes = Duration::from_secs(5);
    let accounts: Vec<(String, String)> = (0..12)
        .map(|index| (format!("{index}/account.yaml"), FILE.replace("name: office", &format!("name: office-{index}"))))
        .collect();
    let files: Vec<(&str, &str)> = accounts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let began = Instant::now();
    watch.take(&files).await;
    while watch.status_store.all().iter().filter(|status| status.state == AccountState::Drifted).count() < 12 {
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(watch.portal.most_under_way.load(Ordering::SeqCst), 3);
    let took = began.elapsed().as_secs();
    assert!((20..=21).contains(&took), "twelve in four rounds of five seconds took {took} s");
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_breaks_begins_anew() {
    let watch = Watch::correcting(FILE).await;
    watch.portal.mood.lock().unwrap().read_panics = true;
    watch.ask().await;
    watch.until("told", |status| status.message.as_ref().is_some_and(|says| says.contains("bug"))).await;
    watch.portal.relabel("+33142685302", "by hand");
    watch.until_state(AccountState::InSync).await;
    assert_eq!(watch.portal.label("+33142685302"), "Ventes");
}

#[tokio::test(start_paused = true)]
async fn a_suspended_account_says_so_even_if_nothing_differs() {
    let watch = Watch::correcting(FILE).await;
    watch.file(&with_policy("  suspend: { reason: porting }")).await;
    watch.until_state(AccountState::Suspended).await;
    assert_eq!(watch.status().message.as_deref(), Some("suspended: porting; in sync"));
    sleep(49 * HOUR).await;
    assert_eq!(watch.told(EventKind::Suspended).len(), 3, "{:#?}", watch.status().history);
}
