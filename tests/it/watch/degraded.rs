//! An account whose files have invalid declarations: the others are looked after, nothing is taken away, and what is
//! left out is on the board and reported once, until it is valid again.

use std::time::Duration;

use strowger::model::LiveUser;
use strowger::providers::Access;
use strowger::watch::Options;
use strowger::watch::status::{AccountState, EventKind};
use tokio::time::sleep;

use super::portal::{FILE, Portal, Watch};

const HOUR: Duration = Duration::from_secs(3600);

/// A colleague who left is named as a member of new groups, and a number leads to one of them.
const GONE: &str = r#"
version: 1
account: { name: office, provider: sandbox }
numbers:
  "+33142685301": { to: ring_group/support }
  "+33142685302": { to: ring_group/ventes, label: Ventes }
ring_groups:
  support: { members: [user/201, user/carla@example.org] }
  nuit: { members: [user/carla@example.org] }
  ventes: { members: [user/201, user/202], ring_for: 20s }
"#;

fn correct() -> Options {
    Options { access: Access::Write, ..Options::default() }
}

fn hire(portal: &Portal) {
    portal.meddle(|live| {
        live.users.push(LiveUser {
            id: "usr_carla".into(),
            name: "Carla".into(),
            email: Some("carla@example.org".into()),
            extension: "203".parse().ok(),
            voicemail: None,
            always_forwarded: false,
        });
    });
}

#[tokio::test(start_paused = true)]
async fn what_does_not_need_the_invalid_declaration_is_corrected_and_the_rest_says_why_it_is_left_out() {
    let watch = Watch::start(correct(), GONE).await;
    watch.until_state(AccountState::Degraded).await;
    assert_eq!(watch.portal.label("+33142685302"), "Ventes");
    let live = watch.portal.live();
    assert!(live.ring_groups.iter().all(|group| group.name.as_str() != "support"));
    let status = watch.status();
    let degraded = status.degraded.as_ref().unwrap();
    assert_eq!(degraded.objects, 3, "{degraded:?}");
    let reasons = degraded.reasons.join("\n");
    for words in ["+33142685301", "carla@example.org", "ring_group/support", "ring_group/nuit"] {
        assert!(reasons.contains(words), "{words}\n{reasons}");
    }
    assert!(status.last_in_sync.is_none(), "it is not as the files ask");
    assert_eq!(watch.told(EventKind::Degraded).len(), 1);

    // It still corrects, and says nothing twice.
    watch.portal.relabel("+33142685302", "by hand");
    watch.until("corrected", |status| status.counts.runs == 2 && status.state == AccountState::Degraded).await;
    sleep(HOUR).await;
    assert_eq!(watch.portal.label("+33142685302"), "Ventes");
    assert_eq!(watch.told(EventKind::Degraded).len(), 1, "{:#?}", watch.status().history);
}

#[tokio::test(start_paused = true)]
async fn it_recovers_by_itself_when_the_declarations_are_valid_again() {
    let watch = Watch::start(correct(), GONE).await;
    watch.until_state(AccountState::Degraded).await;
    hire(&watch.portal);
    watch.until_state(AccountState::InSync).await;
    let status = watch.status();
    assert!(status.degraded.is_none());
    assert!(status.last_in_sync.is_some());
    assert_eq!(watch.told(EventKind::Recovered).len(), 1, "{:#?}", status.history);
    let live = watch.portal.live();
    assert!(live.ring_groups.iter().any(|group| group.name.as_str() == "support"));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_becomes_degraded_deletes_and_unassigns_nothing() {
    let watch = Watch::correcting(FILE).await;
    let file = GONE.replace("{ to: ring_group/support }", "{ to: none }") + "policy: { prune: ring_groups }\n";
    let file = file.replace("  ventes: {", "  other: {").replace("ring_group/ventes", "ring_group/other");
    watch.file(&file).await;
    watch.until_state(AccountState::Degraded).await;
    let live = watch.portal.live();
    assert!(live.ring_groups.iter().any(|group| group.name.as_str() == "ventes"), "not pruned");
    assert!(live.ring_groups.iter().any(|group| group.name.as_str() == "other"), "made");
    let number = live.numbers.iter().find(|one| one.number.to_string() == "+33142685301").unwrap();
    assert!(number.to.is_some(), "not unassigned");
    let reasons = watch.status().degraded.as_ref().unwrap().reasons.join("\n");
    assert!(reasons.contains("ring_group/ventes") && reasons.contains("+33142685301"), "{reasons}");
}

#[tokio::test(start_paused = true)]
async fn what_was_left_out_is_new_and_not_drift_once_it_is_valid() {
    let watch = Watch::correcting(FILE).await;
    watch.file(&format!("{GONE}policy: {{ drift: {{ numbers: report, ring_groups: report }} }}\n")).await;
    watch.until_state(AccountState::Degraded).await;
    hire(&watch.portal);
    watch.until_state(AccountState::InSync).await;
    let live = watch.portal.live();
    let support = live.ring_groups.iter().find(|group| group.name.as_str() == "support").unwrap();
    let number = live.numbers.iter().find(|one| one.number.to_string() == "+33142685301").unwrap();
    assert_eq!(number.to.as_ref().map(|to| &to.id), Some(&support.id));
    // A change by hand is drift again from now on.
    watch.portal.meddle(|live| live.numbers[1].to = None);
    watch.until_state(AccountState::Drifted).await;
}
