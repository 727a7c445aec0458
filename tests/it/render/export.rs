//! The export: it is YAML, it names everything that a file can ask for, and nothing else than the account has.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use proptest::prelude::*;
use serde::Deserialize;
use strowger::model::{Directory, ExtensionNumber, Found, Kind, LiveAccount, LiveRingGroup, ObjectRef};
use strowger::providers::snapshot::{self, Format};
use strowger::render::export::{ByFolder, ExportOptions, export};

use crate::support::accounts::accounts;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Desired {
    version: u32,
    #[serde(default)]
    account: BTreeMap<String, String>,
    #[serde(default)]
    ring_groups: BTreeMap<String, Group>,
    #[serde(default)]
    numbers: BTreeMap<String, Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    extension: Option<String>,
    ring: String,
    members: Vec<String>,
    ring_for: Option<String>,
    no_answer: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    to: String,
    label: Option<String>,
}

fn options(by_folder: ByFolder) -> ExportOptions {
    ExportOptions {
        country: None,
        name: "wework: république".into(),
        provider: vec!["provider: office".into(), "url: https://example.org".into()],
        schema: "schemas/account.v1.schema.json".into(),
        by_folder,
        ..ExportOptions::default()
    }
}

fn read(files: &[(String, String)]) -> Desired {
    let mut all = Desired { version: 1, ..Desired::default() };
    for (name, text) in files {
        let one: Desired = serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        assert_eq!(one.version, 1);
        all.account.extend(one.account);
        all.ring_groups.extend(one.ring_groups);
        all.numbers.extend(one.numbers);
    }
    all
}

/// What a reference of the file means, as the planner will understand it.
fn means(directory: &Directory<'_>, text: &str) -> Option<ObjectRef> {
    let reference = text.parse().ok()?;
    let Found::One(handle) = directory.find(&reference) else { return None };
    Some(ObjectRef { kind: reference.kind, id: directory.id(handle)?.clone() })
}

#[test]
fn a_small_office_is_exported_as_people_would_write_it() {
    let live = snapshot::parse(
        r#"
snapshot: 1
account: { name: "wework\n- trap", default_number: "+33142685300" }
users: { amelie@example.org: { name: Amélie, extension: "201", devices: { front-desk: ip_phone } } }
ring_groups:
  no: { extension: "300", members: [user/amelie@example.org, device/front-desk], no_answer: voicemail/201 }
  Empty: { extension: "301" }
  Loop: { extension: "112", members: [user/201], ring_for: none, no_answer: ring_group/Loop }
numbers:
  "+33142685300": { to: ring_group/no, label: "Accueil: ouvert" }
  "+33142685301": { to: none }
  "+33142685302": { to: "other/queue\n\"+33142685309\": { to: none }" }
"#,
        Format::Yaml,
    )
    .unwrap();
    let files = export(&live, &options(ByFolder::Auto));
    assert_eq!(files.len(), 1);
    assert_eq!(
        files[0].1,
        r#"# yaml-language-server: $schema=schemas/account.v1.schema.json
# Exported from the live account wework\u{a}- trap.
version: 1

account:
  name: "wework: république"
  provider: office
  url: https://example.org

ring_groups:
  # Empty is left out: it has no members
  # Loop: the extension 112 is not managed: it is an emergency number
  # Loop: it rings without end, which no file can ask for: ring_for is not managed
  # Loop: no_answer is not managed: it leads back to the group
  Loop:
    ring: simultaneous
    members: [user/amelie@example.org]
  "no":
    extension: "300"
    ring: simultaneous
    members: [user/amelie@example.org, device/front-desk]
    ring_for: 20s
    no_answer: voicemail/amelie@example.org

numbers:
  "+33142685300": { to: ring_group/no, label: "Accueil: ouvert" }
  "+33142685301": { to: none }
  # "+33142685302" is left out: it leads to something that no file can name (queue\u{a}"+33142685309": { to: none })
"#
    );
}

#[test]
fn a_large_account_becomes_a_folder() {
    let mut text = String::from("snapshot: 1\naccount: { name: a }\nnumbers:\n");
    for number in 0..12_000 {
        writeln!(text, "  '+331426{number:05}': {{}}").unwrap();
    }
    text.push_str("  '+44123456789': {}\n");
    let live = snapshot::parse(&text, Format::Yaml).unwrap();
    let files = export(&live, &options(ByFolder::Auto));
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["account.yaml", "numbers-3314260.yaml", "numbers-3314261.yaml", "numbers-4.yaml"]);
    assert_eq!(read(&files).numbers.len(), 12_001);
}

proptest! {
    #[test]
    fn the_export_asks_for_what_is_there_and_nothing_else(live in accounts(), folder in any::<bool>()) {
        let options = options(if folder { ByFolder::Always } else { ByFolder::Never });
        let files = export(&live, &options);
        prop_assert_eq!(&files, &export(&live, &options));
        let desired = read(&files);
        let directory = Directory::new(&live);
        prop_assert_eq!(&desired.account["name"], &options.name);
        check_numbers(&live, &directory, &desired)?;

        let by_name: HashMap<_, _> = live.ring_groups.iter().map(|group| (group.name.as_str(), group)).collect();
        for (name, group) in &desired.ring_groups {
            let Some(live_group) = by_name.get(name.as_str()) else { return Err(TestCaseError::fail(name.clone())) };
            check_group(&directory, live_group, group)?;
        }
        for group in &live.ring_groups {
            let unique = live.ring_groups.iter().filter(|other| other.name.key() == group.name.key()).count() == 1;
            let whole = !group.members.is_empty() && group.members.iter().all(|member| {
                live.capabilities.members.contains(&member.kind) && sayable(&directory, member)
            });
            let twice = (1..group.members.len()).any(|at| group.members[..at].contains(&group.members[at]));
            // What a reference would take for an address or an extension number cannot be declared.
            let name = group.name.as_str();
            let named = !name.contains(['@', '\u{2028}']) && !name.chars().all(|c| c.is_ascii_digit() || c == ' ');
            prop_assert_eq!(desired.ring_groups.contains_key(name), unique && whole && !twice && named);
        }
    }
}

fn sayable(directory: &Directory<'_>, reference: &ObjectRef) -> bool {
    directory.by_id(&reference.clone()).is_some_and(|handle| {
        let label = directory.label(handle);
        if label.trim() != label
            || label.contains('\u{2028}')
            || (label.bytes().all(|byte| byte.is_ascii_digit()) && label.len() < 2)
        {
            return false;
        }
        let text = format!("{}/{label}", reference.kind);
        means(directory, &text).as_ref() == Some(reference)
    })
}

fn check_numbers(live: &LiveAccount, directory: &Directory<'_>, desired: &Desired) -> Result<(), TestCaseError> {
    for number in &live.numbers {
        let entry = desired.numbers.get(&number.number.to_string());
        match (&number.to, entry) {
            (None, Some(entry)) => prop_assert_eq!(&entry.to, "none"),
            (Some(to), Some(entry)) => prop_assert_eq!(means(directory, &entry.to), Some(to.clone())),
            (Some(to), None) => {
                let known = live.capabilities.destinations.contains(&to.kind);
                prop_assert!(!known || !sayable(directory, to), "{} is missing", number.number);
            }
            (None, None) => prop_assert!(false, "{} is missing", number.number),
        }
        if let Some(entry) = entry {
            let label = entry.label.as_deref().unwrap_or_default();
            let sayable = if number.label.contains('\u{2028}') { "" } else { &number.label };
            prop_assert_eq!(label, sayable);
        }
    }
    prop_assert!(desired.numbers.len() <= live.numbers.len());
    Ok(())
}

fn check_group(directory: &Directory<'_>, live: &LiveRingGroup, group: &Group) -> Result<(), TestCaseError> {
    let members: Option<Vec<_>> = group.members.iter().map(|member| means(directory, member)).collect();
    prop_assert_eq!(members.as_ref(), Some(&live.members));
    prop_assert_eq!(&group.ring, live.ring.as_str());
    if let Some(extension) = &group.extension {
        prop_assert_eq!(Some(extension.as_str()), live.extension.as_ref().map(ExtensionNumber::as_str));
    }
    if let Some(ring_for) = &group.ring_for {
        prop_assert_eq!(ring_for.parse().ok(), live.ring_for);
    }
    match group.no_answer.as_deref() {
        Some("none") => prop_assert_eq!(&live.no_answer, &None),
        Some(text) => prop_assert_eq!(means(directory, text), live.no_answer.clone()),
        None => prop_assert!(live.no_answer.is_some()),
    }
    prop_assert!(
        live.no_answer.as_ref().is_none_or(|to| to.kind != Kind::RingGroup || to.id != live.id)
            || group.no_answer.is_none()
    );
    Ok(())
}
