//! What somebody changed in an account, written down: the files that `policy.drift: adopt` leads to.
#![cfg(unix)]

use crate::support::accounts;
use crate::support::commands;
use std::fs;
use std::path::Path;

use crate::support::commands::{Server, office};
use crate::support::process::Watch;
use fastrand::Rng;
use proptest::prelude::*;
use serde_json::json;
use strowger::config::{self, Loaded, load};
use strowger::model::{Kind, LiveAccount, ObjectId, ObjectRef, RingFor, RingMode};
use strowger::plan::{Plan, plan};
use strowger::render::adopt::{Adopted, adopt};
use strowger::render::export::{ByFolder, ExportOptions, export};

fn read(folder: &Path, text: &str) -> Loaded {
    fs::write(folder.join("account.yaml"), text).unwrap();
    load(&[folder.to_owned()])
}

fn planned(loaded: &Loaded, live: &LiveAccount) -> Option<Plan> {
    let account = loaded.accounts.first()?;
    plan(&account.desired, live, &account.severities, 1).0
}

/// Adopts everything that differs; the new text, and what is left.
fn adopted(loaded: &Loaded, live: &LiveAccount) -> Option<(Adopted, Plan)> {
    let plan = planned(loaded, live)?;
    let changes: Vec<_> = plan.changes.iter().collect();
    Some((adopt(&loaded.sources, &loaded.accounts[0].desired, live, &changes), plan))
}

const FILE: &str = r#"version: 1
account: { name: account, provider: sandbox }

numbers:
  # The main line.
  "+33142685300": { to: user/a@example.org, label: Accueil } # never touch it
  '+33142685301':
    label: "Deux" # in quotes
    to: ring_group/ventes
  "+33142685302": {to: user/201}

ring_groups:
  # Sales.
  ventes: # the group
    extension: "300" # a name made of digits
    ring: simultaneous
    members:
      # First comes Ada.
      - user/a@example.org # Ada
      # Then Bob.
      - user/202
    ring_for: 20s
    no_answer: none
  compta: { extension: '301', ring: sequential, members: [ user/202, user/a@example.org ], ring_for: 15s }
  archive: { members: [user/202] }
# The end.
"#;

const AFTER: &str = r#"version: 1
account: { name: account, provider: sandbox }

numbers:
  # The main line.
  "+33142685300": { to: ring_group/ventes, label: "no" } # never touch it
  '+33142685301':
    label: "" # in quotes
    to: none
  "+33142685302": {to: user/201}

ring_groups:
  # Sales.
  ventes: # the group
    extension: "310" # a name made of digits
    ring: sequential
    members:
      # First comes Ada.
      - user/c@example.org
      # Then Bob.
      - user/202
    ring_for: 30s
    no_answer: user/a@example.org
  compta: { extension: '301', ring: sequential, members: [ user/a@example.org, user/202, user/c@example.org ], ring_for: 15s }
# The end.
"#;

fn user(id: &str) -> ObjectRef {
    ObjectRef { kind: Kind::User, id: id.into() }
}

fn group(id: &str) -> ObjectRef {
    ObjectRef { kind: Kind::RingGroup, id: id.into() }
}

/// An account as [`AFTER`] asks.
fn after() -> LiveAccount {
    let mut live = LiveAccount::default();
    live.account.id = "1".into();
    live.account.name = "account".into();
    for (index, mail) in ["a", "b", "c"].into_iter().enumerate() {
        live.users.push(strowger::model::LiveUser {
            id: format!("u{}", index + 1).as_str().into(),
            name: mail.into(),
            email: Some(format!("{mail}@example.org").into()),
            extension: format!("20{}", index + 1).parse().ok(),
            voicemail: None,
            always_forwarded: false,
        });
    }
    let new = |id: &str, name: &str, extension: &str, members: Vec<ObjectRef>| strowger::model::LiveRingGroup {
        id: id.into(),
        name: name.parse().unwrap(),
        extension: extension.parse().ok(),
        ring: RingMode::Sequential,
        members,
        ring_for: RingFor::from_seconds(30).ok(),
        no_answer: None,
        revision: None,
        document: None,
    };
    live.ring_groups = vec![
        new("g1", "ventes", "310", vec![user("u3"), user("u2")]),
        new("g2", "compta", "301", vec![user("u1"), user("u2"), user("u3")]),
    ];
    live.ring_groups[0].no_answer = Some(user("u1"));
    live.ring_groups[1].ring_for = RingFor::from_seconds(15).ok();
    for (index, (to, label)) in
        [(Some(group("g1")), "no"), (None, ""), (Some(user("u1")), "not managed")].into_iter().enumerate()
    {
        live.numbers.push(strowger::model::LiveNumber {
            id: format!("n{index}").as_str().into(),
            number: format!("+3314268530{index}").parse().unwrap(),
            to,
            label: label.into(),
            emergency_callback: false,
            revision: None,
            document: None,
        });
    }
    live.validated().unwrap()
}

#[test]
fn only_what_differs_is_edited_where_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let loaded = read(folder.path(), FILE);
    let live = after();
    let (adopted, plan) = adopted(&loaded, &live).unwrap();
    assert_eq!(adopted.left, Vec::<String>::new());
    assert_eq!(adopted.adopted.len(), plan.changes.len());
    assert_eq!(adopted.files.values().next().unwrap(), AFTER);
    let again = read(folder.path(), AFTER);
    assert!(planned(&again, &live).unwrap().is_empty());
}

#[test]
fn the_last_group_leaves_an_empty_section_and_a_group_that_is_there_leaves_the_absent() {
    let text = "version: 1\naccount: { name: account, provider: sandbox }\nring_groups: # none yet\n  archive:\n    \
                members: [user/202]\nabsent:\n  - ring_group/ventes # it goes\n";
    let folder = tempfile::tempdir().unwrap();
    // Nothing may lead to a group that is to go.
    let (mut live, loaded) = (after(), read(folder.path(), text));
    live.numbers[0].to = None;
    let (adopted, _) = adopted(&loaded, &live).unwrap();
    let edited = adopted.files.values().next().unwrap();
    let wanted = "version: 1\naccount: { name: account, provider: sandbox }\nring_groups: {} # none yet\nabsent: []\n";
    assert_eq!(edited, wanted);
    assert!(planned(&read(folder.path(), edited), &live).unwrap().is_empty());
}

/// Changes the account as somebody at the portal might.
fn meddle(live: &mut LiveAccount, random: &mut Rng) {
    let targets: Vec<ObjectRef> = live
        .users
        .iter()
        .map(|user| ObjectRef { kind: Kind::User, id: user.id.clone() })
        .chain(live.ring_groups.iter().map(|group| ObjectRef { kind: Kind::RingGroup, id: group.id.clone() }))
        .chain(live.conferences.iter().map(|one| ObjectRef { kind: Kind::Conference, id: one.id.clone() }))
        .collect();
    let any = |random: &mut Rng| (!targets.is_empty()).then(|| targets[random.usize(..targets.len())].clone());
    for number in &mut live.numbers {
        if random.bool() {
            number.to = any(random);
        }
        if random.bool() {
            number.label = ["", "no", "a: b", "Ventes", "#1 \"x\"", "é"][random.usize(..6)].into();
        }
    }
    let users: Vec<ObjectId> = live.users.iter().map(|user| user.id.clone()).collect();
    for (index, group) in live.ring_groups.iter_mut().enumerate() {
        if random.u8(..3) == 0 {
            group.ring = if random.bool() { RingMode::Simultaneous } else { RingMode::Sequential };
        }
        if random.u8(..3) == 0 {
            group.members = users.iter().map(|id| ObjectRef { kind: Kind::User, id: id.clone() }).collect();
            random.shuffle(&mut group.members);
            group.members.truncate(random.usize(1..6));
        }
        if random.u8(..3) == 0 {
            group.ring_for = RingFor::from_seconds(random.u64(5..60)).ok();
        }
        if random.u8(..3) == 0 {
            group.no_answer = any(random).filter(|target| target.kind == Kind::User);
        }
        if random.u8(..3) == 0 {
            group.extension = format!("7{index}{}", random.u8(..9)).parse().ok();
        }
    }
    if random.bool() && !live.ring_groups.is_empty() {
        let gone = live.ring_groups.remove(random.usize(..live.ring_groups.len())).id;
        let is_gone = |target: &ObjectRef| target.kind == Kind::RingGroup && target.id == gone;
        for number in &mut live.numbers {
            number.to = number.to.take().filter(|to| !is_gone(to));
        }
        for group in &mut live.ring_groups {
            group.no_answer = group.no_answer.take().filter(|to| !is_gone(to));
        }
    }
}

/// Other forms of the same: lists as blocks, comments behind and above.
fn restyled(text: &str, random: &mut Rng) -> String {
    let mut styled = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        match line.trim_start().strip_prefix("members: [").and_then(|rest| rest.strip_suffix(']')) {
            // Names with a comma in them stay as they are.
            Some(list) if !list.contains('"') && random.bool() => {
                styled += &format!("{}members: # those\n", " ".repeat(indent));
                for item in list.split(", ") {
                    styled += &format!("{}- {item} # one\n", " ".repeat(indent + 2));
                }
            }
            _ => {
                if random.u8(..4) == 0 {
                    styled += &format!("{}# a remark\n", " ".repeat(indent));
                }
                styled.push_str(line);
                styled.push_str(if random.bool() && !line.is_empty() { " # why\n" } else { "\n" });
            }
        }
    }
    styled
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn law_what_is_adopted_is_planned_no_longer(live in accounts::accounts(), seed in any::<u64>()) {
        let mut random = Rng::with_seed(seed);
        let options = ExportOptions {
            country: None,
            name: "account".to_owned(),
            provider: vec!["provider: sandbox".to_owned()],
            schema: String::new(),
            by_folder: ByFolder::Never,
            ..ExportOptions::default()
        };
        let text = restyled(&export(&live, &options)[0].1, &mut random);
        let folder = tempfile::tempdir().unwrap();
        let loaded = read(folder.path(), &text);
        prop_assume!(!loaded.accounts.is_empty());
        let mut now = live.clone();
        meddle(&mut now, &mut random);
        let Ok(now) = now.validated() else { return Ok(()) };
        let Some((adopted, plan)) = adopted(&loaded, &now) else { return Ok(()) };
        prop_assert_eq!(adopted.adopted.len() + adopted.left.len(), plan.changes.len());
        // Of what an account can be made into by hand, nothing has to be left but what no file can say.
        for why in &adopted.left {
            let known = ["that no file can name", "nothing that a file can say", "which is gone", "characters that a file cannot have", "no members"];
            prop_assert!(known.iter().any(|known| why.contains(known)), "{}", why);
        }
        let account = &loaded.accounts[0];
        let again = config::reread(account, &loaded.sources, &adopted.files);
        // What the account has may be what no file may ask for, such as two groups with one number.
        let Some(again) = again else { return Ok(()) };
        let Some(after) = strowger::plan::plan(&again, &now, &account.severities, 1).0 else { return Ok(()) };
        for change in &after.changes {
            let left = adopted.left.iter().any(|why| why.starts_with(&format!("{} is not adopted", change.object.name)));
            prop_assert!(left, "{:#?}\n{:?}", change, adopted);
        }
        // No comment is lost, but those of lines that go.
        if plan.changes.iter().all(|change| change.fields.iter().all(|field| field.field.as_str() != "members"))
            && plan.changes.iter().all(|change| change.verb == strowger::model::Verb::Update)
        {
            for new in adopted.files.values() {
                prop_assert_eq!(new.matches("# why").count(), text.matches("# why").count());
                prop_assert_eq!(new.matches("# a remark").count(), text.matches("# a remark").count());
            }
        }
    }
}

#[test]
fn a_watch_writes_files_whose_plan_is_empty_and_leaves_the_account_as_it_is() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let out = tempfile::tempdir().unwrap();
    let to = out.path().join("adopted");
    commands::edit(folder.path(), "ring_groups:\n", "policy: { drift: { numbers: adopt } }\nring_groups:\n");
    // The policy holds from the start on, so the account is brought to its files by an apply.
    commands::expect(&commands::strowger(folder.path(), &["apply", ".", "--auto-approve"]), 0);
    let arguments = ["--mode", "correct", "--interval", "200ms", "--adopt", to.to_str().unwrap()];
    let watch = Watch::start(folder.path(), &arguments);
    let id = server.number("+33142685302")["id"].as_str().unwrap().to_owned();
    server.patch(&format!("numbers/{id}"), &json!({ "label": "Portail" }));
    let file = to.join("wework-republique/account.yaml");
    watch.until("written", || file.exists() && watch.said().contains("the adopted files"));
    let before = fs::read_to_string(folder.path().join("account.yaml")).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, before.replace("label: Ventes }", "label: Portail }"));
    // Once more, with something else.
    server.patch(&format!("numbers/{id}"), &json!({ "label": "Encore" }));
    watch.until("written again", || fs::read_to_string(&file).unwrap().contains("label: Encore }"));
    assert_eq!(server.number("+33142685302")["label"], "Encore");
    // Taken over, it is in sync.
    fs::copy(&file, folder.path().join("account.yaml")).unwrap();
    watch.until("in sync", || watch.said().contains("in sync again"));
    assert_eq!(watch.stop(), Some(0));
    assert_eq!(server.number("+33142685302")["label"], "Encore");
}

#[test]
fn files_that_nobody_reviewed_are_not_written_among_those_that_count() {
    let server = Server::start("wework", &[]);
    let (fleet, account) = (tempfile::tempdir().unwrap(), office("wework", &server.url));
    fs::create_dir(fleet.path().join("paris")).unwrap();
    commands::copy(account.path(), &fleet.path().join("paris"));
    for folder in [".", "paris/.."] {
        let output = commands::strowger(fleet.path(), &["watch", ".", "--adopt", folder]);
        assert_eq!(output.status.code(), Some(64));
        assert!(commands::stderr(&output).contains("is watched"), "{}", commands::stderr(&output));
    }
    assert_eq!(fs::read_dir(fleet.path()).unwrap().count(), 1);
}
