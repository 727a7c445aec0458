//! The snapshot format: what it reads, what it refuses, and that nothing is lost on the way through it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use strowger::model::{Kind, LiveAccount, LiveRingGroup, ObjectRef, RingFor};
use strowger::providers::snapshot::{self, Format, Snapshot, SnapshotError};
use strowger::providers::{Provider as _, ReadError};

use crate::support::accounts::accounts;

/// Far more than refusing takes, far less than a hang.
const SOON: Duration = Duration::from_secs(20);

const WEWORK: &str = r#"
snapshot: 1
account: { name: wework-republique, country: FR, default_number: "+33142685300" }
locations: { République: { address: "3 place de la République" } }
users:
  amelie@example.org: { name: Amélie Durand, extension: "201", location: République, devices: { front-desk: ip_phone } }
  Bruno: { extension: 202, voicemail: false, forwarding: { mode: enabled, to: "+33612345678" } }
receptionists: { main: { extension: "100", timezone: Europe/Paris, keys: { "1": ring_group/accueil } } }
conferences: { salle-1: { extension: "400", bridges: { Room: { number: "1234", pin: "99" } } } }
ring_groups:
  accueil: { extension: "300", members: [user/amelie@example.org, user/202, device/front-desk], no_answer: voicemail/201 }
numbers:
  "+33142685300": { to: receptionist/main, label: Accueil, kind: local, emergency_callback: true }
  "+33142685301": { to: user/Amélie Durand, owner: user/amelie@example.org }
  "+33142685302": { to: ring_group/ACCUEIL }
  "+33142685303": { to: none }
"#;

fn read(text: &str) -> LiveAccount {
    snapshot::parse(text, Format::Yaml).unwrap()
}

fn refused(text: &str) -> String {
    snapshot::parse(text, Format::Yaml).unwrap_err().to_string()
}

#[test]
fn references_are_resolved_by_key_name_address_and_extension() {
    let live = read(WEWORK);
    let to: Vec<_> = live.numbers.iter().map(|number| number.to.as_ref().map(|to| to.id.to_string())).collect();
    let wanted = ["receptionist/main", "user/amelie@example.org", "ring_group/accueil"];
    assert_eq!(to, wanted.iter().map(|id| Some((*id).to_owned())).chain([None]).collect::<Vec<_>>());
    let group = &live.ring_groups[0];
    let members: Vec<_> = group.members.iter().map(|member| (member.kind, member.id.to_string())).collect();
    assert_eq!(members[1], (Kind::User, "user/Bruno".to_owned()));
    assert_eq!(members[2].0, Kind::Device);
    assert_eq!(group.no_answer.as_ref().unwrap().id.to_string(), "voicemail/amelie@example.org");
    assert_eq!(group.ring_for, RingFor::from_seconds(20).ok());
    assert!(live.numbers[0].emergency_callback);
    let bruno = live.users.iter().find(|user| &*user.name == "Bruno").unwrap();
    assert!(bruno.voicemail.is_none() && bruno.always_forwarded);
    assert_eq!(live.receptionists[0].keys[0].1.id.to_string(), "ring_group/accueil");
}

#[test]
fn json_is_the_same_document() {
    let value: serde_yaml::Value =
        serde_yaml::from_str(&WEWORK.replace("extension: 202", "extension: \"202\"")).unwrap();
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(snapshot::parse(&json, Format::Json).unwrap(), read(WEWORK));
}

/// What points at an object may stand before it, as it does where keys are sorted.
#[test]
fn references_mean_the_same_wherever_their_objects_stand() {
    // A key that looks like an extension number is none while somebody has that number.
    let text =
        WEWORK.replace("  Bruno: {", "  \"202\": {}\n  \"77\": {}\n  Bruno: {").replace("to: none", "to: user/77");
    let start = text.find("locations:").unwrap();
    let mut sections: Vec<String> = Vec::new();
    for line in text[start..].split_inclusive('\n') {
        match sections.last_mut() {
            Some(section) if line.starts_with(' ') => section.push_str(line),
            _ => sections.push(line.to_owned()),
        }
    }
    assert_eq!(sections.len(), 6);
    let live = read(&text);
    let bruno = &live.users.iter().find(|user| &*user.name == "Bruno").unwrap().id;
    assert_eq!((&live.ring_groups[0].members[1].id, &*live.numbers[3].to.as_ref().unwrap().id.0), (bruno, "user/77"));
    for turned in 0..6 {
        let order: Vec<usize> = (0..6).map(|at| (at + turned) % 6).collect();
        for order in [order.clone(), order.into_iter().rev().collect()] {
            let moved: String = order.iter().map(|at| sections[*at].as_str()).collect();
            assert_eq!(read(&format!("{}{moved}", &text[..start])), live, "{order:?}");
        }
    }
}

#[test]
fn what_is_no_reference_is_refused_though_it_is_a_key() {
    for key in ["a".repeat(129), "a\u{85}b".to_owned()] {
        let users = format!("snapshot: 1\nusers: {{ \"{key}\": {{}} }}\n");
        assert_eq!(read(&users).users.len(), 1);
        let text = format!("{users}numbers: {{ '+33142685300': {{ to: \"user/{key}\" }} }}");
        assert!(refused(&text).contains("error[bad-reference]: `user/"), "{}", refused(&text));
    }
}

#[test]
fn a_phone_stands_once_however_many_there_are() {
    for many in [1, 7, 8, 9, 20] {
        let phones = (0..many).map(|phone| format!("p{phone}: ip_phone, ")).collect::<Vec<_>>().concat();
        let text = format!("snapshot: 1\nusers: {{ u: {{ devices: {{ {phones}}} }} }}");
        assert_eq!(read(&text).devices.len(), many);
        let twice = text.replace(", } } }", ", p0: ip_phone } } }");
        assert!(refused(&twice).contains("`p0` is given twice"), "{}", refused(&twice));
    }
}

#[test]
fn scalars_without_quotes_are_text_where_text_is_needed() {
    let text =
        "snapshot: 1\nusers:\n  u: { name: ~, extension: 0202, devices: , voicemail: null, location: [{}, x] }\n";
    let live = read(text);
    assert_eq!((&*live.users[0].name, live.users[0].extension.as_ref().unwrap().as_str()), ("u", "0202"));
}

#[test]
fn deep_nesting_is_refused_at_once() {
    for deep in ["[", "{", "{a: ", "- ", "? ", "- ? ", "\n[", "[{"] {
        for before in ["", "snapshot: 1\nlocations: ", "snapshot: 1\nlocations:\n  "] {
            let text = format!("{before}{}", deep.repeat((1 << 20) / deep.len()));
            let start = Instant::now();
            assert!(!refused(&text).is_empty());
            assert!(start.elapsed() < SOON, "{deep:?}: {:?}", start.elapsed());
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_of_a_sensible_size_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("latin1.yaml"), b"snapshot: 1\naccount: { name: R\xe9publique }\n").unwrap();
    std::fs::File::create(path("huge.yaml")).unwrap().set_len(1 << 30).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path("fifo.yaml")).status().unwrap().success());
    for (name, wanted) in [
        ("latin1.yaml", "line 2 is not UTF-8"),
        ("huge.yaml", "at most 256 MiB"),
        ("fifo.yaml", "regular file"),
        (".", "regular file"),
        ("missing.yaml", "cannot be read"),
    ] {
        let start = Instant::now();
        let error = Snapshot::new(path(name)).read().await.unwrap_err();
        assert!(matches!(error, ReadError::Snapshot(SnapshotError::File { .. })), "{error:?}");
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(start.elapsed() < SOON, "{name}: {:?}", start.elapsed());
    }
    std::fs::write(path("account.JSON"), "\u{feff}{\"snapshot\": 1}").unwrap();
    assert_eq!(Snapshot::new(path("account.JSON")).read().await.unwrap().requests, 0);
}

/// Everything about an account but ids and revisions, references spelled by what they reach.
fn essence(live: &LiveAccount) -> String {
    let mut names: BTreeMap<(Kind, &str), String> = BTreeMap::new();
    for user in &live.users {
        let text = format!("{:?} {:?} {:?}", user.name, user.email, user.extension);
        if let Some(voicemail) = &user.voicemail {
            names.insert((Kind::Voicemail, &voicemail.0), text.clone());
        }
        names.insert((Kind::User, &user.id.0), text);
    }
    for device in &live.devices {
        let owner = device.owner.as_ref().and_then(|owner| names.get(&(Kind::User, &*owner.0)));
        names.insert((Kind::Device, &device.id.0), format!("{:?} of {owner:?}", device.name));
    }
    for group in &live.ring_groups {
        names.insert((Kind::RingGroup, &group.id.0), format!("{:?} {:?}", group.name, group.extension));
    }
    for line in &live.conferences {
        names.insert((Kind::Conference, &line.id.0), format!("{:?} {:?}", line.name, line.extension));
    }
    for line in &live.receptionists {
        names.insert((Kind::Receptionist, &line.id.0), format!("{:?} {:?}", line.name, line.extension));
    }
    let name = |reference: &ObjectRef| match names.get(&(reference.kind, &*reference.id.0)) {
        Some(name) => format!("{} {name}", reference.kind),
        // What is gone comes back as something not modelled.
        None if reference.kind == Kind::Other => format!("other {}", reference.id),
        None => format!("other {}/{}", reference.kind, reference.id),
    };
    let mut lines = vec![format!("{:?}", live.account)];
    for number in &live.numbers {
        let to = number.to.as_ref().map(name);
        lines.push(format!("{} {to:?} {:?} {}", number.number, number.label, number.emergency_callback));
    }
    for group in &live.ring_groups {
        let members: Vec<_> = group.members.iter().map(name).collect();
        let no_answer = group.no_answer.as_ref().map(name);
        let LiveRingGroup { name, extension, ring, ring_for, .. } = group;
        lines.push(format!("{name} {extension:?} {ring} {members:?} {ring_for:?} {no_answer:?}"));
    }
    lines.extend(live.users.iter().map(|user| {
        format!("user {} {} {:?}", names[&(Kind::User, &*user.id.0)], user.always_forwarded, user.voicemail.is_some())
    }));
    lines.extend(live.devices.iter().map(|device| format!("device {}", names[&(Kind::Device, &*device.id.0)])));
    lines.extend(live.conferences.iter().map(|line| format!("line {}", names[&(Kind::Conference, &*line.id.0)])));
    lines.extend(live.receptionists.iter().map(|line| {
        let mut keys: Vec<_> = line.keys.iter().map(|(key, target)| format!("{key:?} {}", name(target))).collect();
        keys.sort();
        format!("menu {} {keys:?}", names[&(Kind::Receptionist, &*line.id.0)])
    }));
    lines.sort();
    lines.join("\n")
}

proptest! {
    #[test]
    fn an_account_comes_back_from_its_snapshot(live in accounts()) {
        let text = snapshot::write(&live);
        let back = snapshot::parse(&text, Format::Yaml).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(essence(&back), essence(&live), "{}", text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}", at in 0..900_usize) {
        let at = WEWORK.char_indices().map(|(index, _)| index).nth(at % WEWORK.chars().count()).unwrap_or(0);
        let (before, after) = WEWORK.split_at(at);
        let _ = snapshot::parse(&format!("{before}{text}{after}"), Format::Yaml);
        let _ = snapshot::parse(&text, Format::Json);
    }
}

/// An account that the embedded one can hold, with the names that make the writer think of other keys.
fn seedable() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["Ventes", "300", "a@b", "no", "x: y", "é", "12 34", "group-1"]);
    let groups = prop::collection::btree_set(name, 1..5);
    let phones = prop::collection::btree_set(prop::sample::select(vec!["desk", "7", "soft 1", "soft 2"]), 0..4);
    (groups, phones, any::<(bool, bool)>(), 5..300_u32).prop_map(|(groups, phones, (voicemail, label), seconds)| {
        let quoted = strowger::text::quoted;
        let phones: Vec<_> = phones.iter().enumerate().map(|(at, name)| {
            let kind = if at == 0 { "ip_phone" } else { "mobile_app" };
            if label { format!("{}: {kind}", quoted(name)) } else { format!("p{at}: {{ kind: {kind}, name: {} }}", quoted(name)) }
        }).collect();
        let forwarding = if label { "enabled" } else { "disabled" };
        let mut text = format!(
            "snapshot: 1\naccount: {{ name: a b, id: x, default_number: \"+33142685300\" }}\nusers:\n  u@example.org: {{ name: U, extension: \"201\", voicemail: {voicemail}, forwarding: {{ mode: {forwarding}, to: \"+33142685399\" }}, devices: {{ {} }} }}\n  v: {{ email: v@example.org, extension: 202 }}\nring_groups:\n",
            phones.join(", ")
        );
        for (at, name) in groups.iter().enumerate() {
            let extension = 400 + at;
            let name = quoted(name);
            let fields = format!("extension: \"{extension}\", members: [user/201, user/v], ring_for: {seconds}s");
            writeln!(text, "  {name}: {{ {fields} }}").unwrap();
        }
        text += "receptionists: { \"100\": { extension: \"100\", keys: { \"1\": ring_group/400 } } }\n";
        text += "conferences: { salle: { extension: \"900\" } }\n";
        text + "numbers: { \"+33142685300\": { to: ring_group/400, label: \"a: b\" }, \"+33142685301\": { to: none } }\n"
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_is_a_seed_and_the_account_made_from_it_has_the_same_snapshot(text in seedable()) {
        use strowger::providers::ClientOptions;
        use strowger::providers::office::Office;
        use strowger::providers::Secret;
        use strowger::sandbox::{SandboxOptions, Seed, start};

        let account = |text: &str| {
            let seed = Seed::from_yaml(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = start(SandboxOptions { seed: Some(seed), ..SandboxOptions::new("t") }).await.unwrap();
                let office = Office::new(&server.url(), Secret::new("t"), ClientOptions::default()).unwrap();
                let live = office.read().await.unwrap().live;
                server.stop().await;
                live
            })
        };
        let written = snapshot::write(&account(&text));
        prop_assert!(!written.contains("kind:"), "{}", written);
        prop_assert_eq!(snapshot::write(&account(&written)), written);
    }
}
