//! What is judged on the files and the account together: what callers will meet, and who has a name or a number.

use strowger::config;
use strowger::diag::{Rule, Severities, Severity};
use strowger::providers::snapshot::{self, Format};

/// The findings of checking these files and of planning them: rule, severity, line and column, message.
fn findings(live: &str, files: &str) -> Vec<(&'static str, Severity, String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, format!("version: 1\naccount: {{ name: a, provider: sandbox }}\n{files}")).unwrap();
    let loaded = config::load(&[path]);
    let users = "users: { a: { extension: \"201\" }, b: { extension: \"202\" }, c: { extension: \"203\" }, d: { extension: \"204\" } }";
    let live = snapshot::parse(&format!("snapshot: 1\naccount: {{ name: a }}\n{users}\n{live}"), Format::Yaml).unwrap();
    let account = loaded.accounts.first().unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let (_, planned) = strowger::plan::plan(&account.desired, &live, &Severities::default(), 1);
    let all = loaded.diagnostics.iter().chain(&planned);
    all.map(|finding| {
        let place = finding.span.map(|span| format!("{}:{}", span.line, span.column)).unwrap_or_default();
        (finding.rule.id, finding.severity, place, finding.message.clone())
    })
    .collect()
}

const CYCLE: &str = Rule::NO_ANSWER_CYCLE.id;
const WAIT: &str = Rule::LONG_WAIT.id;

#[test]
fn a_circle_that_a_live_group_closes_is_refused() {
    let live = "ring_groups: { a: { extension: \"300\", members: [user/201], no_answer: ring_group/b }, b: { extension: \"301\", members: [user/202] } }";
    let found = findings(live, "ring_groups:\n  b: { members: [user/201], no_answer: ring_group/a }\n");
    assert_eq!(
        found,
        [(CYCLE, Severity::Error, "4:40".to_owned(), "unanswered calls form a cycle: b → a → b".to_owned())]
    );
    // The other one is declared, and its target left to the account.
    let both = "ring_groups:\n  b: { members: [user/201], no_answer: ring_group/a }\n  a: { members: [user/201] }\n";
    let found = findings(live, both);
    assert_eq!(found.iter().map(|one| one.0).collect::<Vec<_>>(), [CYCLE], "{found:#?}");
    // Ignored by policy: the file's `none` is not what callers get.
    let ignored = "policy: { ignore: [ring_groups.no_answer] }\nring_groups:\n  n: { members: [user/201], no_answer: ring_group/b }\n  b: { members: [user/202], no_answer: none }\n";
    assert!(findings(live, ignored).is_empty());
}

#[test]
fn a_circle_through_a_new_group_and_an_extension_of_the_account_is_refused() {
    let live = "ring_groups: { b: { extension: \"301\", members: [user/202], no_answer: user/201 } }";
    let files = "ring_groups:\n  n: { members: [user/201], no_answer: ring_group/301 }\n  b: { members: [user/201], no_answer: ring_group/n }\n";
    let found = findings(live, files);
    assert_eq!(found.iter().map(|one| (one.0, one.1)).collect::<Vec<_>>(), [(CYCLE, Severity::Error)], "{found:#?}");
}

#[test]
fn names_and_extension_numbers_that_others_keep_are_told() {
    // Two have one number, as snapshots can say: the user keeps it whatever becomes of the group.
    let live = "receptionists: { Main: { extension: \"100\" } }\nring_groups: { old: { extension: \"202\", members: [user/201] } }";
    let group =
        |name: &str, extension: &str| format!("  {name}: {{ extension: \"{extension}\", members: [user/201] }}\n");
    let files = format!("ring_groups:\n{}{}{}", group("new", "202"), group("MAIN", "301"), group("A", "302"));
    let told: Vec<_> = findings(live, &files).into_iter().map(|(rule, _, _, message)| (rule, message)).collect();
    let wanted = [
        (Rule::EXTENSION_TAKEN.id, "extension 202 belongs to `user/b`"),
        (Rule::NAME_TAKEN.id, "a user of the account is already called `A`"),
        (Rule::NAME_TAKEN.id, "a receptionist of the account is already called `MAIN`"),
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (rule, message) in wanted {
        assert!(told.contains(&(rule, message.to_owned())), "{message}: {told:#?}");
    }
}

#[test]
fn a_name_that_nothing_is_like_gets_what_the_account_has() {
    let hint = |users: usize| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        let files =
            "version: 1\naccount: { name: a, provider: sandbox }\nring_groups: { g: { members: [user/zzzzzzzzzz] } }";
        std::fs::write(&path, files).unwrap();
        let loaded = config::load(&[path]);
        let users: Vec<String> = (0..users).map(|at| format!("  u{at}: {{ extension: \"2{at:02}\" }}\n")).collect();
        let live = format!("snapshot: 1\naccount: {{ name: a }}\nusers:\n{}", users.concat());
        let live = snapshot::parse(&live, Format::Yaml).unwrap();
        let desired = &loaded.accounts.first().unwrap().desired;
        let (_, found) = strowger::plan::plan(desired, &live, &Severities::default(), 1);
        found.into_iter().find_map(|finding| finding.hint).unwrap()
    };
    assert_eq!(hint(2), "the account has `user/u0`, `user/u1`");
    let all = "the account has `user/u0`, `user/u1`, `user/u2`, `user/u3`, `user/u4`; `strowger export --as-snapshot` shows all";
    assert_eq!(hint(6), all);
    assert_eq!(hint(0), "`strowger export --as-snapshot` shows every user of the account");
}

#[test]
fn a_circle_that_the_plan_opens_is_none_and_one_that_it_leaves_is_a_warning() {
    let live = "ring_groups: { a: { extension: \"300\", members: [user/201], no_answer: ring_group/b }, b: { extension: \"301\", members: [user/202], no_answer: ring_group/a } }";
    assert!(findings(live, "ring_groups:\n  b: { members: [user/202], no_answer: user/201 }\n").is_empty());
    assert!(findings(live, "ring_groups:\n  b: { members: [user/202] }\n").is_empty());
    let found = findings(live, "ring_groups:\n  b: { members: [user/202], no_answer: ring_group/a }\n");
    assert_eq!(found.iter().map(|one| (one.0, one.1)).collect::<Vec<_>>(), [(CYCLE, Severity::Warning)], "{found:#?}");
}

#[test]
fn a_circle_that_the_files_show_is_told_once() {
    let files = "ring_groups:\n  n: { members: [user/201], no_answer: ring_group/m }\n  m: { members: [user/201], no_answer: ring_group/n }\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    std::fs::write(&path, format!("version: 1\naccount: {{ name: a, provider: sandbox }}\npolicy: {{ rules: {{ no-answer-cycle: warning }} }}\n{files}")).unwrap();
    let loaded = config::load(&[path]);
    assert_eq!(loaded.diagnostics.len(), 1);
    let live =
        snapshot::parse("snapshot: 1\naccount: { name: a }\nusers: { a: { extension: \"201\" } }\n", Format::Yaml)
            .unwrap();
    let (plan, planned) =
        strowger::plan::plan(&loaded.accounts.first().unwrap().desired, &live, &Severities::default(), 1);
    assert!(plan.is_some() && planned.is_empty(), "{planned:#?}");
}

#[test]
fn a_wait_that_the_account_makes_long_is_told_and_once() {
    let all = "members: [user/201, user/202, user/203, user/204]";
    // A new group gets the account's own duration.
    let found = findings("", &format!("ring_groups:\n  n: {{ {all}, ring: sequential }}\n"));
    let waits = |message: &str| vec![(WAIT, Severity::Warning, "4:65".to_owned(), message.to_owned())];
    assert_eq!(found, waits("a caller may wait 80s: 4 members, 20s each"));
    // A live group that is turned has its own.
    let live = "ring_groups: { n: { extension: \"300\", members: [user/201], ring_for: 30s } }";
    let found = findings(live, &format!("ring_groups:\n  n: {{ {all}, ring: sequential }}\n"));
    assert_eq!(found, waits("a caller may wait 120s: 4 members, 30s each"));
    // The files alone say it: nothing more to say with the account.
    let found = findings(live, &format!("ring_groups:\n  n: {{ {all}, ring: sequential, ring_for: 20s }}\n"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(findings(live, &format!("ring_groups:\n  n: {{ {all}, ring_for: 60s }}\n")).is_empty());
}
