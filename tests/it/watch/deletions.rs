//! A watch deletes nothing on a state that is seconds old: half a file, a file that is gone for a moment.

use std::time::Duration;

use strowger::providers::Access;
use strowger::watch::Options;
use strowger::watch::status::AccountState;
use tokio::time::{Instant, sleep};

use super::portal::{FILE, Watch};

const REST: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);

/// Two groups beside `ventes`, at the end of the file.
const OLD: &str = "  old1: { members: [user/201] }\n  old2: { members: [user/201] }\n";
const PRUNE: &str = "policy: { prune: ring_groups }\n";

/// The groups, each with its id.
fn groups(watch: &Watch) -> Vec<(String, String)> {
    let live = watch.portal.live();
    let mut groups: Vec<_> =
        live.ring_groups.iter().map(|group| (group.name.to_string(), group.id.to_string())).collect();
    groups.sort();
    groups
}

fn with_prune(groups: &str) -> String {
    format!("{}{groups}", FILE.replacen("numbers:", &format!("{PRUNE}numbers:"), 1))
}

/// In sync with both groups.
async fn watch(options: Options) -> Watch {
    let watch = Watch::start(options, &with_prune(OLD)).await;
    watch.until_state(AccountState::InSync).await;
    assert_eq!(groups(&watch).len(), 3);
    watch
}

fn correct() -> Options {
    Options { access: Access::Write, ..Options::default() }
}

#[tokio::test(start_paused = true)]
async fn half_a_file_deletes_nothing_and_its_other_changes_are_made_at_once() {
    let watch = watch(correct()).await;
    let before = groups(&watch);
    let began = Instant::now();
    watch.file(&with_prune("").replace("label: Ventes", "label: Vente")).await;
    watch.until("waiting", |status| status.counts.runs == 2 && status.state == AccountState::Drifted).await;
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
    assert_eq!(watch.portal.label("+33142685302"), "Vente");
    let says = watch.status().message.clone().unwrap();
    assert_eq!(says, "2 deletions wait until files and account have not changed for 30s");
    // The rest of the file arrives, again and again late, but never by a whole rest.
    for label in ["a", "b", "c"] {
        sleep(REST - SECOND).await;
        watch.file(&with_prune(OLD).replace("label: Ventes", &format!("label: {label}"))).await;
        watch.until_state(AccountState::InSync).await;
        watch.file(&with_prune("").replace("label: Ventes", &format!("label: {label}"))).await;
        watch.until_state(AccountState::Drifted).await;
    }
    assert_eq!(groups(&watch), before, "the same groups, not new ones with their names");
    assert_eq!(watch.status().counts.deleted, 0);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_is_meant_is_carried_out_after_the_rest_also_one_that_is_declared() {
    for wanted in [with_prune(""), format!("{FILE}absent: [ring_group/old1, ring_group/old2]\n")] {
        let watch = watch(correct()).await;
        watch.file(&wanted).await;
        watch.until_state(AccountState::Drifted).await;
        let began = Instant::now();
        watch.until("deleted", |status| status.counts.deleted == 2 && status.state == AccountState::InSync).await;
        let took = began.elapsed();
        assert!(took >= REST - SECOND && took < REST + 2 * SECOND, "{took:?}");
        assert_eq!(groups(&watch).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_in_the_account_meanwhile_waits_anew() {
    let watch = watch(correct()).await;
    watch.file(&with_prune("")).await;
    watch.until_state(AccountState::Drifted).await;
    let began = Instant::now();
    sleep(20 * SECOND).await;
    watch.portal.meddle(|live| {
        let old = live.ring_groups.iter_mut().find(|group| group.name == "old1".parse().unwrap()).unwrap();
        old.ring_for = strowger::model::RingFor::from_seconds(45).ok();
    });
    watch.ask().await;
    watch.until("deleted", |status| status.counts.deleted == 2).await;
    assert!(began.elapsed() >= 20 * SECOND + REST - SECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn files_that_have_errors_delete_nothing_however_long_that_lasts() {
    let watch = watch(correct()).await;
    let before = groups(&watch);
    watch.file(&with_prune("")).await;
    watch.until_state(AccountState::Drifted).await;
    watch.file("version: 1\naccount: {").await;
    watch.until("refused", |status| !status.files.valid).await;
    sleep(20 * REST).await;
    assert_eq!(groups(&watch), before);
    watch.file(&with_prune("")).await;
    watch.until("deleted", |status| status.counts.deleted == 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_rename_that_is_cut_before_its_old_name_makes_no_second_group() {
    let watch = watch(correct()).await;
    let before = groups(&watch);
    let renamed = "  old1: { members: [user/201] }\n  new2:\n    members: [user/201]\n";
    let cut = with_prune(renamed).replace("label: Ventes", "label: Vente");
    watch.file(&cut).await;
    watch.until_state(AccountState::Drifted).await;
    assert_eq!(watch.portal.label("+33142685302"), "Vente", "what has nothing to do with it is not delayed");
    assert_eq!(groups(&watch), before);
    watch.file(&format!("{cut}    renamed_from: old2\n")).await;
    watch.until_state(AccountState::InSync).await;
    let ids = |groups: &[(String, String)]| {
        let mut ids: Vec<String> = groups.iter().map(|(_, id)| id.clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&groups(&watch)), ids(&before), "the same three groups");
    assert!(groups(&watch).iter().any(|(name, _)| name == "new2"));
    // One that is meant comes once the other one may go.
    watch.file(&with_prune("  old1: { members: [user/201] }\n  other: { members: [user/202] }\n")).await;
    watch.until("replaced", |status| status.counts.deleted == 1 && status.state == AccountState::InSync).await;
    assert!(groups(&watch).iter().any(|(name, _)| name == "other"));
}

#[tokio::test(start_paused = true)]
async fn without_a_rest_a_deletion_still_needs_a_second_look() {
    let watch = watch(Options { deletion_delay: Duration::ZERO, ..correct() }).await;
    let reads = watch.portal.read();
    watch.file(&with_prune("")).await;
    watch.until("deleted", |status| status.counts.deleted == 2).await;
    assert!(watch.portal.read() >= reads + 2);
}

#[tokio::test(start_paused = true)]
async fn a_group_that_somebody_makes_in_the_account_is_pruned_after_a_second_look_as_well() {
    let watch = watch(correct()).await;
    watch.portal.meddle(|live| {
        let mut group = live.ring_groups[0].clone();
        group.name = "by hand".parse().unwrap();
        group.id = "by-hand".into();
        group.extension = "390".parse().ok();
        live.ring_groups.push(group);
    });
    watch
        .until("waiting", |status| status.message.as_ref().is_some_and(|says| says.starts_with("1 deletion waits")))
        .await;
    let began = Instant::now();
    watch.until("deleted", |status| status.counts.deleted == 1 && status.state == AccountState::InSync).await;
    assert!(began.elapsed() >= REST - SECOND, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_a_guard_holds_back_as_a_whole_is_not_carried_out_in_part() {
    // Three of four groups are more than the cap on deletions allows.
    let watch = Watch::start(correct(), &with_prune(&format!("{OLD}  old3: {{ members: [user/201] }}\n"))).await;
    watch.until_state(AccountState::InSync).await;
    let writes = watch.portal.written();
    watch.file(&with_prune("").replace("label: Ventes", "label: Vente")).await;
    watch.until_state(AccountState::Blocked).await;
    sleep(10 * REST).await;
    assert_eq!(watch.portal.written(), writes);
    // Whoever has read and approved it need not wait.
    let began = Instant::now();
    watch.approve().await;
    watch.until_state(AccountState::InSync).await;
    assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
    assert_eq!(groups(&watch).len(), 1);
}
