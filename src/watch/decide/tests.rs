//! Each decision, from files, an account and what earlier checks left behind.

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::config;
use crate::ledger::ApproverSource;
use crate::model::{LiveClaim, Scope};
use crate::providers::{Access, snapshot};

use super::super::status::Files;
use super::*;

/// 2026-11-23, a Monday, at 09:00 in Paris.
const MORNING: Duration = Duration::from_secs(1_795_420_800);

const FILE: &str = r#"
version: 1
account: { name: office, provider: sandbox }
numbers:
  "+33142685301": { to: user/201, label: Amélie }
  "+33142685302": { to: ring_group/ventes, label: Ventes }
ring_groups:
  ventes: { members: [user/201, user/202], ring_for: 20s }
"#;

/// It matches [`FILE`].
const LIVE: &str = r#"
snapshot: 1
account: { name: office, country: FR, default_number: "+33142685300" }
users:
  amelie@example.org: { name: Amélie, extension: "201" }
  bruno@example.org: { name: Bruno, extension: "202" }
receptionists:
  main: { extension: "100" }
ring_groups:
  ventes: { extension: "300", ring: simultaneous, members: [user/201, user/202], ring_for: 20s, no_answer: none }
  old: { extension: "301", ring: simultaneous, members: [user/201], ring_for: 20s, no_answer: none }
numbers:
  "+33142685300": { to: receptionist/main }
  "+33142685301": { to: user/201, label: Amélie }
  "+33142685302": { to: ring_group/ventes, label: Ventes }
"#;

const SUSPENDED: &str = "suspend: { reason: porting }";
const CLOSED: &str = r#"windows: [{ days: [tue], from: "20:00", to: "21:00", zone: Europe/Paris }]"#;
const PROTECTED: &str = r#"protect: ["+33142685302"]"#;

fn with_policy(policy: &str) -> String {
    format!("{FILE}policy: {{ {policy} }}\n")
}

/// A number was relabelled in the account.
fn relabelled() -> String {
    LIVE.replace("label: Ventes", "label: by hand")
}

/// A group was slowed down in the account.
fn slowed() -> String {
    LIVE.replacen("ring_for: 20s", "ring_for: 45s", 1)
}

fn both() -> String {
    slowed().replace("label: Ventes", "label: by hand")
}

/// A loop's checks.
struct Checks {
    memory: Memory,
    access: Access,
    approved: BTreeMap<Digest, Approver>,
    adopts: bool,
    /// Who claims the account.
    owner: Option<&'static str>,
    now: Duration,
}

impl Checks {
    fn new() -> Self {
        let memory = Memory::new(&Options::default());
        Self { memory, access: Access::Write, approved: BTreeMap::new(), adopts: false, owner: None, now: MORNING }
    }

    /// After a check in which the account was in sync with the files.
    fn after_sync(files: &str) -> Self {
        let mut checks = Self::new();
        assert_eq!(checks.check(files, LIVE), "in sync");
        checks
    }

    fn decide(&mut self, files: &str, live: &str) -> Decided {
        // Adopting reads the text of the files again.
        let root = TempDir::new().unwrap();
        std::fs::write(root.path().join("account.yaml"), files).unwrap();
        let mut loaded = config::text(root.path(), "account.yaml", files);
        assert_eq!(loaded.diagnostics, [], "{files}");
        let (account, sources) = (Arc::new(loaded.accounts.remove(0)), Arc::new(loaded.sources));
        let mut live = snapshot::parse(live, snapshot::Format::Yaml).unwrap();
        live.account.owners = self.owner.map(|owner| {
            let (scope, since) = (Scope::default(), "2026-11-01".into());
            vec![LiveClaim { id: "claim-1".into(), owner: owner.into(), account: "office".into(), scope, since }]
        });
        let now = Timestamp::try_from(std::time::SystemTime::UNIX_EPOCH + self.now).unwrap();
        let inputs = Inputs {
            account: &account,
            desired: &DesiredState { account: Some(Arc::clone(&account)), sources, files: Files::default() },
            permission: &WritePermission::new(&account, self.access, self.memory.take_over, now),
            read: &FetchedAccount { live, requests: 1, versions: Vec::new() },
            approved: &self.approved,
            adopts: self.adopts,
            deletion_delay: Duration::from_secs(30),
            now: self.now,
        };
        decide(&inputs, &mut self.memory)
    }

    /// The decision in words, with `DIGEST` for the plan's.
    fn check(&mut self, files: &str, live: &str) -> String {
        shown(&self.decide(files, live).decision)
    }

    /// Approves what would be decided, and returns that.
    fn approve(&mut self, files: &str, live: &str) -> String {
        let decision = self.decide(files, live).decision;
        self.approved.insert(digest(&decision), Approver { name: None, source: ApproverSource::Token });
        shown(&decision)
    }
}

fn digest(decision: &Decision) -> Digest {
    match decision {
        Decision::Uncorrected(Uncorrected { plan, .. }) => plan.digest.clone(),
        Decision::Correct(work) => work.plan.digest.clone(),
        _ => panic!("{} has no plan", shown(decision)),
    }
}

fn shown(decision: &Decision) -> String {
    match decision {
        Decision::InSync => "in sync".to_owned(),
        Decision::Uncorrected(Uncorrected { state, plan, message, flapping_fields, approvable }) => {
            assert_eq!(*state == AccountState::Fighting, !flapping_fields.is_empty());
            let approvable = if *approvable { " (approvable)" } else { "" };
            format!("{state:?}: {}{approvable}", message.replace(&plan.digest.0, "DIGEST"))
        }
        Decision::Invalid { message, findings } => {
            assert!(message.ends_with(&*findings[0]), "{findings:?}");
            format!("invalid: {message}")
        }
        Decision::Rejected { message, .. } => format!("rejected: {message}"),
        Decision::Correct(work) => {
            let name = |change: &Change| {
                format!("{}{}", fields::object(change), if work.drift.contains(&change.id) { " (drift)" } else { "" })
            };
            let names: Vec<String> = work.plan.changes.iter().map(name).collect();
            let left = work.whole.changes.len() - names.len();
            format!("correct {}{}", names.join(", "), if left > 0 { format!("; leave {left}") } else { String::new() })
        }
        Decision::Unchanged | Decision::AddressRefused(_) | Decision::Failing(_) => panic!("decided elsewhere"),
    }
}

#[test]
fn what_differs_is_corrected_and_counts_as_drift_once_the_account_was_in_sync_with_the_same_files() {
    let mut checks = Checks::new();
    assert_eq!(checks.check(FILE, &relabelled()), "correct +33142685302");
    assert_eq!(checks.check(FILE, LIVE), "in sync");
    assert_eq!(checks.check(FILE, &relabelled()), "correct +33142685302 (drift)");
    let edited = FILE.replace("label: Amélie", "label: Bruno");
    assert_eq!(checks.check(&edited, &relabelled()), "correct +33142685301, +33142685302 (drift)");
}

#[test]
fn nothing_is_written_in_mode_report_or_to_a_snapshot() {
    let mut checks = Checks { access: Access::ReadOnly, ..Checks::new() };
    let report = "Drifted: 1 change not corrected (running with `--mode report`): +33142685302";
    assert_eq!(checks.check(FILE, &relabelled()), report);
    let frozen = with_policy(SUSPENDED);
    assert_eq!(checks.check(&frozen, &relabelled()), report, "nothing can be approved");
    assert_eq!(checks.check(&frozen, LIVE), "in sync");
    let snapshot = FILE.replace("provider: sandbox", "provider: snapshot, file: a.yaml");
    assert_eq!(
        Checks::new().check(&snapshot, &slowed()),
        "Drifted: 1 change not corrected (a snapshot cannot be written to): ring_group/ventes"
    );
}

#[test]
fn drift_is_handled_as_the_policy_says_for_its_kind() {
    let left = "Drifted: 1 of 1 change not corrected (`policy.drift`)";
    let no_place = "; `adopt` needs `--adopt` or `--adopt-branch`, so the drift is only reported";
    for (drift, live, expected) in [
        ("numbers: correct", relabelled(), "correct +33142685302 (drift)"),
        ("numbers: report", relabelled(), left),
        ("numbers: report", slowed(), "correct ring_group/ventes (drift)"),
        ("ring_groups: report", slowed(), left),
        ("ring_groups: report", both(), "correct +33142685302 (drift); leave 1"),
        ("numbers: report", both(), "correct ring_group/ventes (drift); leave 1"),
        ("numbers: report, ring_groups: report", both(), "Drifted: 2 of 2 changes not corrected (`policy.drift`)"),
        ("numbers: adopt", relabelled(), &format!("{left}{no_place}")),
    ] {
        let files = with_policy(&format!("drift: {{ {drift} }}"));
        assert_eq!(Checks::after_sync(&files).check(&files, &live), expected, "{drift}");
        let unknown = expected.replace(" (drift)", "");
        assert_eq!(Checks::new().check(&files, &live), unknown, "{drift}, before it was in sync");
    }
    let files = with_policy("drift: { numbers: report }");
    let mut checks = Checks::new();
    assert_eq!(checks.check(&files, &relabelled()), left);
    let edited = files.replace("label: Amélie", "label: Lea");
    assert_eq!(checks.check(&edited, &relabelled()), "correct +33142685301; leave 1", "all else was in sync");
    let edited = files.replace("label: Ventes", "label: Vente");
    assert_eq!(Checks::after_sync(&files).check(&edited, LIVE), "correct +33142685302", "an edit is not drift");
}

#[test]
fn drift_that_is_left_is_adopted_where_the_policy_asks_for_that_also_when_nothing_may_be_written() {
    let adopt = with_policy("drift: { numbers: adopt, ring_groups: report }");
    let objects = |checks: &mut Checks, files: &str, live: &str| {
        let adoption = checks.decide(files, live).adoption?;
        Some(adoption.unwrap().0.objects.concat())
    };
    let adopted = Some("+33142685302".to_owned());
    for access in [Access::Write, Access::ReadOnly] {
        let checks = || Checks { access, adopts: true, ..Checks::after_sync(&adopt) };
        assert_eq!(objects(&mut checks(), &adopt, &both()), adopted);
        assert_eq!(objects(&mut checks(), &adopt, &slowed()), None, "only reported");
        let edited = adopt.replace("label: Ventes", "label: Vente");
        assert_eq!(objects(&mut checks(), &edited, LIVE), None, "an edit is not drift");
        assert_eq!(objects(&mut Checks { adopts: false, ..checks() }, &adopt, &both()), None, "no place for files");
        let never_in_sync = &mut Checks { access, adopts: true, ..Checks::new() };
        assert_eq!(objects(never_in_sync, &adopt, &both()), adopted, "all that differs may be drift");
    }
}

#[test]
fn closed_windows_and_suspensions_and_guards_block_until_the_plan_is_approved() {
    let closed = "Drifted: no window for changes is open; the next opens at 2026-11-24T19:00:00Z";
    let suspended = "Suspended: suspended: porting";
    let guarded = "Blocked: the protected number +33142685302 would lead elsewhere";
    for (files, live, expected) in [
        (with_policy(CLOSED), &relabelled(), closed),
        (with_policy(SUSPENDED), &relabelled(), suspended),
        (with_policy(&format!("{CLOSED}, {SUSPENDED}")), &relabelled(), suspended),
        (with_policy(PROTECTED).replace("to: ring_group/ventes", "to: user/202"), &LIVE.to_owned(), guarded),
    ] {
        let (mut checks, expected) = (Checks::new(), format!("{expected}; approve DIGEST to apply it (approvable)"));
        assert_eq!(checks.approve(&files, live), expected);
        assert_eq!(checks.check(&files, live), "correct +33142685302");
        assert_eq!(checks.check(&files.replace("label: Amélie", "label: Lea"), live), expected, "another plan");
    }
    assert_eq!(Checks::new().check(&with_policy(CLOSED), LIVE), "in sync");
    assert_eq!(Checks::new().check(&with_policy(SUSPENDED), LIVE), format!("{suspended}; in sync"));
}

#[test]
fn another_owners_account_is_not_written_to_whatever_is_approved() {
    let files = FILE.replace("provider: sandbox", "provider: sandbox, owner: team-a");
    let blocked = |checks: &mut Checks, live: &str| {
        let shown = checks.approve(&files, live);
        assert!(shown.starts_with("Blocked: ") && shown.contains("team-b") && !shown.contains("approv"), "{shown}");
    };
    let mut checks = Checks { owner: Some("team-b"), ..Checks::new() };
    for live in [&relabelled(), LIVE, &relabelled()] {
        blocked(&mut checks, live);
    }
    checks.owner = Some("team-a");
    assert_eq!(checks.check(&files, &relabelled()), "correct +33142685302 (drift)");

    // Taken over once: not again from an owner who takes it over later.
    checks = Checks { owner: Some("team-b"), ..Checks::new() };
    checks.memory.take_over = true;
    assert_eq!(checks.check(&files, &relabelled()), "correct +33142685302");
    checks.owner = Some("team-a");
    assert_eq!(checks.check(&files, LIVE), "in sync");
    checks.owner = Some("team-b");
    blocked(&mut checks, &relabelled());
}

#[test]
fn a_field_whose_corrections_are_undone_is_left_and_all_else_is_corrected() {
    let mut checks = Checks::after_sync(FILE);
    for minute in 0..3 {
        checks.now = MORNING + Duration::from_secs(60 * minute);
        let decision = checks.decide(FILE, &relabelled()).decision;
        assert_eq!(shown(&decision), "correct +33142685302 (drift)");
        let Decision::Correct(work) = decision else { unreachable!() };
        checks.memory.flap_detector.record(checks.now, &work.plan.changes);
    }
    let fighting =
        "Fighting: every correction of `label` of number/+33142685302 is undone, so it is no longer corrected";
    assert_eq!(checks.check(FILE, &relabelled()), fighting);
    assert_eq!(checks.check(FILE, &both()), "correct ring_group/ventes (drift); leave 1");
    let edited = FILE.replace("label: Ventes", "label: Vente");
    assert_eq!(checks.check(&edited, &relabelled()), "correct +33142685302", "an edit is not drift");
    checks.now += Duration::from_secs(24 * 3600);
    assert_eq!(checks.check(FILE, &relabelled()), fighting, "time alone does not end it");
    let other = Checks::after_sync(FILE).check(FILE, &relabelled());
    assert_eq!(other, "correct +33142685302 (drift)", "another account knows nothing of it");
    checks.memory.reset();
    assert_eq!(checks.check(FILE, &relabelled()), "correct +33142685302 (drift)");
}

#[test]
fn a_deletion_waits_until_files_and_account_have_rested_or_it_is_approved() {
    let files = format!("{FILE}absent: [ring_group/old]\n");
    let waits = "Drifted: 1 deletion waits until files and account have not changed for 30s";
    let begun = Instant::now();
    let check = |checks: &mut Checks, seconds: u64, same_files: bool, live: &str| {
        checks.memory.deletions.begin(begun + Duration::from_secs(seconds), same_files);
        checks.check(&files, live)
    };
    let mut checks = Checks::new();
    assert_eq!(check(&mut checks, 0, true, LIVE), waits);
    assert_eq!(check(&mut checks, 29, true, &relabelled()), "correct +33142685302; leave 1");
    assert_eq!(check(&mut checks, 30, false, LIVE), waits, "other files");
    assert_eq!(check(&mut checks, 59, true, LIVE), waits);
    assert_eq!(check(&mut checks, 60, true, LIVE), "correct ring_group/old");

    let mut checks = Checks::new();
    assert_eq!(check(&mut checks, 0, true, LIVE), waits);
    checks.approve(&files, LIVE);
    assert_eq!(check(&mut checks, 1, true, LIVE), "correct ring_group/old");
    assert_eq!(check(&mut checks, 2, true, &relabelled()), "correct +33142685302; leave 1", "another plan");
}

#[test]
fn new_groups_wait_with_pruned_ones_which_they_may_be() {
    let files = FILE.replace("ring_groups:\n", "ring_groups:\n  renamed: { members: [user/201] }\n");
    let pruning = format!("{files}policy: {{ prune: ring_groups }}\n");
    assert_eq!(Checks::new().check(&files, LIVE), "correct ring_group/renamed");
    let waits = Checks::new().check(&pruning, LIVE);
    assert!(waits.ends_with("for 30s; so do new groups, which may be the deleted ones renamed"), "{waits}");
    assert_eq!(Checks::new().check(&pruning, &relabelled()), "correct +33142685302; leave 2");
}

#[test]
fn what_cannot_be_planned_without_what_is_left_out_is_not_written() {
    let protect = "protect: [ring_group/nuit], rules: { unknown-protected: error }";
    let files = |policy: &str| {
        let files = with_policy(&format!("{protect}, {policy}"));
        files.replace("ring_groups:\n", "ring_groups:\n  nuit: { members: [user/201] }\n")
    };
    assert_eq!(
        Checks::new().check(&files("drift: { ring_groups: report }"), &relabelled()),
        "Drifted: 1 of 2 changes not corrected (`policy.drift`); the other changes cannot be planned without these"
    );
    let shown = Checks::new().check(&files("prune: ring_groups"), &relabelled());
    assert!(shown.ends_with("renamed; the other changes cannot be planned without them"), "{shown}");
}

#[test]
fn what_remains_after_drift_is_left_is_guarded_and_its_deletions_wait() {
    let files = with_policy(&format!("drift: {{ ring_groups: report }}, {PROTECTED}"));
    let shown = Checks::after_sync(FILE).check(&files.replace("to: ring_group/ventes", "to: user/202"), &slowed());
    assert!(shown.starts_with("Blocked: "), "{shown}");
    let shown = Checks::after_sync(FILE).check(&format!("{files}absent: [ring_group/old]\n"), &slowed());
    assert_eq!(shown, "Drifted: 1 deletion waits until files and account have not changed for 30s");
}

#[test]
fn declarations_that_do_not_fit_the_account_are_left_out_and_the_rest_is_corrected() {
    let files = FILE.replace("members: [user/201, user/202]", "members: [user/201, user/203]");
    let mut checks = Checks::new();
    assert_eq!(checks.check(&files, &relabelled()), "correct +33142685302");
    let degraded = checks.memory.degraded.clone().unwrap();
    assert_eq!(degraded.objects, 1);
    assert!(degraded.reasons.concat().contains("ring_group/ventes"), "{degraded:?}");
    assert_eq!(checks.check(&files, LIVE), "in sync");
    let hired = "  carla@example.org: { name: Carla, extension: \"203\" }\nreceptionists:";
    let live = relabelled().replace("receptionists:", hired);
    let expected = "correct ring_group/ventes, +33142685302 (drift)";
    assert_eq!(checks.check(&files, &live), expected, "what was left out is not drift later");
    assert!(checks.memory.degraded.is_none());
}

#[test]
fn files_of_which_nothing_can_be_planned_for_the_account_are_invalid() {
    let files = with_policy(r#"protect: ["+33142685399"], rules: { unknown-protected: error }"#);
    let shown = Checks::new().check(&files, &relabelled());
    assert!(shown.starts_with("invalid: the files do not fit the account: /"), "{shown}");
    assert!(shown.contains("+33142685399"), "{shown}");
}

#[test]
fn a_plan_that_the_account_rejected_is_not_tried_again_until_something_changes() {
    let mut checks = Checks::new();
    let decision = checks.decide(FILE, &relabelled()).decision;
    let rejected = Some((digest(&decision), "422: never".to_owned()));
    checks.memory.rejected.clone_from(&rejected);
    assert_eq!(checks.check(FILE, &relabelled()), "rejected: 422: never");
    assert_eq!(checks.check(FILE, &slowed()), "correct ring_group/ventes", "another plan");
    checks.memory.reset();
    assert_eq!(checks.check(FILE, &relabelled()), "correct +33142685302");
    checks.memory.rejected = rejected;
    assert_eq!(checks.check(FILE, LIVE), "in sync");
    assert_eq!(checks.check(FILE, &relabelled()), "correct +33142685302 (drift)");
}
