//! Nothing that one change does to an account's files gets past the guards that the account had: the real binary, real
//! git repositories, the embedded account.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::support::commands::{command, shown};
use crate::support::git::git;
use serde_json::Value;
use tempfile::TempDir;

fn strowger(folder: &Path, arguments: &[&str]) -> Output {
    // A submodule is a repository of its own, and the state of these accounts is above it; a link is not followed either
    // without this.
    command(folder, arguments).env("STROWGER_ALLOW_OUTSIDE_PATHS", "1").output().unwrap()
}

/// Both streams of a command that ends with a code in a case.
#[track_caller]
fn ends(output: &Output, code: i32, case: &str) -> String {
    assert_eq!(output.status.code(), Some(code), "{case}\n{}", shown(output));
    shown(output)
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Numbers of an account, all of which lead to the receptionist.
const SEED: &str = "snapshot: 1
account: { name: office, country: FR, default_number: \"+33142685399\" }
users:
  a@example.org: { name: A, extension: \"201\" }
  b@example.org: { name: B, extension: \"202\" }
receptionists:
  main: { extension: \"100\", timezone: Europe/Paris }
ring_groups:
  ventes: { extension: \"300\", members: [user/201] }
  other: { extension: \"301\", members: [user/201] }
numbers:
  \"+33142685399\": { to: receptionist/main }
  \"+33142685301\": { to: receptionist/main }
  \"+33142685302\": { to: ring_group/ventes }
  \"+33142685303\": { to: receptionist/main }
";
const POLICY: &str = "policy:\n  protect: [\"+33142685301\"]\n";
const MOVED: &str = "numbers: { \"+33142685301\": { to: user/201 } }\n";
const AS_IT_IS: &str = "numbers: { \"+33142685301\": { to: receptionist/main } }\n";

/// A repository whose folder `phones/office` is an account.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let new = Self(tempfile::tempdir().unwrap());
        new.write("seed/seed.yml.txt", SEED);
        new.write(".gitignore", ".strowger/\nstate/\n");
        fs::create_dir(new.path("state")).unwrap();
        git(new.top(), &["init", "--quiet", "--initial-branch=main"]);
        new
    }

    /// With an account in one commit, and its policy in a file of its own.
    fn with_office() -> Self {
        let new = Self::new();
        new.write("phones/office/account.yaml", &account("office", 2, ""));
        new.write("phones/office/numbers.yaml", &format!("version: 1\n{AS_IT_IS}"));
        new.write("phones/office/policy.yaml", &format!("version: 1\n{POLICY}"));
        new.commit();
        new
    }

    fn top(&self) -> &Path {
        self.0.path()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.top().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.path(path), text);
    }

    fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    fn rename(&self, from: &str, to: &str) {
        fs::create_dir_all(self.path(to).parent().unwrap()).unwrap();
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.top(), arguments)
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=change"]);
    }

    /// The guards of each plan of these paths, and what they say.
    fn guards(&self, paths: &[&str], more: &[&str]) -> Vec<String> {
        let output = strowger(self.top(), &[&["plan", "--format", "json"], paths, more].concat());
        let out = ends(&output, 0, &format!("{paths:?}"));
        let report: Value = serde_json::from_str(&String::from_utf8_lossy(&output.stdout)).expect(&out);
        let plans = report["plans"].as_array().unwrap();
        let blocks = plans.iter().flat_map(|plan| plan["blocked"].as_array().cloned().unwrap_or_default());
        blocks
            .map(|block| format!("{}: {}", block["guard"].as_str().unwrap(), block["message"].as_str().unwrap()))
            .collect()
    }

    #[track_caller]
    fn holds(&self, paths: &[&str], guard: &str, what: &str) {
        let guards = self.guards(paths, &[]);
        assert!(guards.iter().any(|said| said.starts_with(guard)), "{what}: {guards:?}");
        let apply = strowger(self.top(), &[&["apply", "--auto-approve"], paths].concat());
        ends(&apply, 4, what);
    }
}

/// An account's file, so many folders deep, with the state that all of these tests share.
fn account(name: &str, deep: usize, rest: &str) -> String {
    let up = "../".repeat(deep);
    format!(
        "version: 1\naccount: {{ name: {name}, provider: sandbox, state: {up}state/a.db, seed: {up}seed/seed.yml.txt }}\n{rest}"
    )
}

/// One change that tries to get past a protection: its name, what it does, what is planned then, and the guard.
type Evasion = (&'static str, fn(&Repository), &'static [&'static str], &'static str);

const EVASIONS: &[Evasion] = &[
    (
        "the account gets another name, and its folder too",
        |all| {
            all.remove("phones/office");
            all.write("phones/paris/account.yaml", &account("paris", 2, MOVED));
        },
        &["phones"],
        "protected",
    ),
    (
        "and another state as well",
        |all| {
            all.remove("phones/office");
            all.write("phones/paris/account.yaml", &account("paris", 2, MOVED).replace("a.db", "b.db"));
        },
        &["phones/paris"],
        "protected",
    ),
    (
        "a second folder, with another name and the same state",
        |all| all.write("phones/paris/account.yaml", &account("paris", 2, MOVED)),
        &["phones/paris"],
        "protected",
    ),
    (
        "a second folder is held whatever it changes",
        |all| {
            let other = "numbers: { \"+33142685303\": { to: user/201 } }\n";
            all.write("phones/paris/account.yaml", &account("paris", 2, other));
        },
        &["phones/paris"],
        "base: `paris` is at the address of `office`",
    ),
    (
        "the state's path is spelled in another way",
        |all| {
            let text = account("paris", 2, MOVED).replace("../../state/a.db", "../office/.././../state/../state/a.db");
            all.write("phones/paris/account.yaml", &text);
        },
        &["phones/paris"],
        "protected",
    ),
    (
        "the folder becomes a file",
        |all| {
            all.remove("phones/office");
            all.write("phones/office.yaml", &account("office", 1, MOVED));
        },
        &["phones/office.yaml"],
        "protected",
    ),
    (
        "one file of the folder is named, without the one that has the policy",
        |all| all.write("phones/office/account.yaml", &account("office", 2, MOVED)),
        &["phones/office/account.yaml"],
        "protected",
    ),
    (
        "one file is named whose extension is another now",
        |all| {
            all.remove("phones/office/account.yaml");
            all.write("phones/office/account.yml", &account("office", 2, MOVED));
        },
        &["phones/office/account.yml"],
        "protected",
    ),
    (
        "the policy goes to another account",
        |all| {
            all.write("phones/office/numbers.yaml", &format!("version: 1\n{MOVED}"));
            all.remove("phones/office/policy.yaml");
            all.write("phones/lyon/account.yaml", &account("lyon", 2, POLICY).replace("a.db", "b.db"));
        },
        &["phones"],
        "protected",
    ),
    (
        "the names of two accounts change places",
        |all| {
            all.rename("phones/office", "phones/old");
            all.remove("phones/old/policy.yaml");
            all.write("phones/old/account.yaml", &account("lyon", 2, ""));
            all.write("phones/old/numbers.yaml", &format!("version: 1\n{MOVED}"));
            all.write("phones/office/account.yaml", &account("office", 2, AS_IT_IS).replace("a.db", "b.db"));
        },
        &["phones/old"],
        "protected",
    ),
    (
        "a decoy of the old name stays behind, with another state",
        |all| {
            all.write("phones/office/account.yaml", &account("office", 2, "").replace("a.db", "decoy.db"));
            all.write("phones/paris/account.yaml", &account("paris", 2, MOVED).replace("a.db", "link.db"));
        },
        &["phones/paris"],
        "protected",
    ),
    (
        "the folder is moved out of sight, under another name",
        |all| {
            all.rename("phones/office", "x/.hidden");
            all.remove("x/.hidden/policy.yaml");
            all.write("x/.hidden/account.yaml", &account("paris", 2, ""));
            all.write("x/.hidden/numbers.yaml", &format!("version: 1\n{MOVED}"));
        },
        &["x/.hidden"],
        "protected",
    ),
    (
        "the name has capitals and escapes",
        |all| {
            all.remove("phones/office");
            all.write("phones/paris/account.yaml", &account("\"OFF\\u0049CE\"", 2, MOVED).replace("a.db", "b.db"));
        },
        &["phones/paris"],
        "protected",
    ),
    (
        "the file is JSON",
        |all| {
            all.remove("phones/office");
            let text = r#"{"version": 1, "account": {"name": "paris", "provider": "sandbox", "state": "../../state/a.db", "seed": "../../seed/seed.yml.txt"}, "numbers": {"+33142685301": {"to": "user/201"}}}"#;
            all.write("phones/paris/account.yaml", text);
        },
        &["phones/paris"],
        "protected",
    ),
];

#[test]
fn no_single_change_gets_an_account_past_the_protection_that_it_had() {
    for (what, evade, paths, guard) in EVASIONS {
        let all = Repository::with_office();
        assert_eq!(all.guards(&["phones/office"], &[]), [""; 0], "{what}: before");
        evade(&all);
        all.holds(paths, guard, &format!("{what}, not committed"));
        all.commit();
        all.holds(paths, guard, &format!("{what}, committed"));
        let guards = all.guards(paths, &["--base", "HEAD^1"]);
        assert!(guards.iter().any(|said| said.starts_with(guard)), "{what}, in a pull request: {guards:?}");
    }
}

#[test]
fn an_account_that_is_divided_is_held_as_each_part_could_do_what_the_whole_might_not() {
    let all = Repository::with_office();
    all.remove("phones/office");
    for (name, number) in [("a", "+33142685302"), ("b", "+33142685303")] {
        let scope = format!("policy: {{ scope: {{ numbers: [\"{number}\"], ring_groups: [{name}] }} }}\n");
        let number = format!("numbers: {{ \"{number}\": {{ to: user/201 }} }}\n");
        all.write(&format!("phones/{name}/account.yaml"), &account(name, 2, &(number + &scope)));
    }
    let held = |guards: Vec<String>, other: &str| {
        assert!(guards.iter().any(|said| said.contains(&format!("is at the address of `{other}`"))), "{guards:?}");
    };
    // Both are in one state file, which one process holds at a time.
    let one_by_one = ["--accounts-at-once", "1"];
    held(all.guards(&["phones"], &one_by_one), "b");
    all.commit();
    // Also one after the other.
    held(all.guards(&["phones/a"], &[]), "b");
    held(all.guards(&["phones/b"], &[]), "a");
    all.holds(&["phones/a"], "base", "one part");
    all.write("readme", "the next change");
    all.commit();
    assert_eq!(all.guards(&["phones"], &one_by_one), [""; 0]);
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_past_a_protection() {
    use std::os::unix::fs::symlink;
    for what in ["state", "file", "folder", "policy"] {
        let all = Repository::with_office();
        match what {
            "state" => {
                symlink("state", all.path("way")).unwrap();
                let text = account("paris", 2, MOVED).replace("state/a.db", "way/a.db");
                all.write("phones/paris/account.yaml", &text);
            }
            "file" => {
                all.remove("phones/office");
                all.write("apart/text", &account("paris", 2, MOVED));
                fs::create_dir_all(all.path("phones/paris")).unwrap();
                symlink("../../apart/text", all.path("phones/paris/account.yaml")).unwrap();
            }
            "folder" => {
                all.remove("phones/office");
                all.write("apart/paris/account.yaml", &account("paris", 2, MOVED));
                symlink("../apart/paris", all.path("phones/paris")).unwrap();
            }
            _ => {
                all.write("phones/office/numbers.yaml", &format!("version: 1\n{MOVED}"));
                all.write("apart/policy", "version: 1\npolicy: {}\n");
                all.remove("phones/office/policy.yaml");
                symlink("../../apart/policy", all.path("phones/office/policy.yaml")).unwrap();
            }
        }
        let path = if what == "policy" { "phones/office" } else { "phones/paris" };
        all.holds(&[path], "protected", &format!("{what}, not committed"));
        all.commit();
        all.holds(&[path], "protected", &format!("{what}, committed"));
    }
}

#[test]
fn a_second_account_section_first_and_the_move_next_leaves_the_policy_of_the_folder_in_force() {
    let all = Repository::with_office();
    all.write("phones/office/b.yaml", &account("paris", 2, "").replace("a.db", "b.db"));
    all.commit();
    all.rename("phones/office/account.yaml", "phones/new/account.yaml");
    all.write("phones/new/numbers.yaml", &format!("version: 1\n{MOVED}"));
    all.holds(&["phones/new"], "protected", "not committed");
    all.commit();
    all.holds(&["phones/new"], "protected", "committed");
}

#[test]
fn a_policy_that_is_broken_first_and_left_out_next_holds_everything() {
    let all = Repository::with_office();
    all.write("phones/office/policy.yaml", &format!("version: 1\n{POLICY}  caps: [\n"));
    all.commit();
    all.write("phones/office/account.yaml", &account("office", 2, MOVED));
    all.commit();
    all.holds(&["phones/office/account.yaml"], "base", "one file");
    // Under another name as well, also where the broken file is gone.
    all.git(&["reset", "--quiet", "--hard", "HEAD^1"]);
    all.remove("phones/office");
    all.write("phones/paris/account.yaml", &account("paris", 2, MOVED).replace("a.db", "b.db"));
    all.commit();
    all.holds(&["phones/paris"], "base", "renamed");
}

#[test]
fn a_new_account_beside_another_and_other_yaml_files_beside_an_account_are_free() {
    let all = Repository::with_office();
    all.write("phones/lyon/account.yaml", &account("lyon", 2, MOVED).replace("a.db", "b.db"));
    all.write("one/paris.yaml", &account("paris", 1, MOVED).replace("a.db", "c.db"));
    all.write("one/compose.yml", "services: { web: { restart_policy: on-failure, policy: { a: 1 } } }\n");
    all.commit();
    assert_eq!(all.guards(&["phones/lyon", "one/paris.yaml"], &[]), [""; 0]);
    all.write("one/paris.yaml", &account("paris", 1, &(MOVED.to_owned() + "tests: []\n")).replace("a.db", "c.db"));
    all.commit();
    assert_eq!(all.guards(&["one/paris.yaml"], &[]), [""; 0]);
}

#[test]
fn two_folders_that_share_an_account_are_each_held_by_what_the_other_protects_and_not_by_its_scope() {
    let all = Repository::new();
    let part = |name: &str, number: &str, rest: &str| {
        let scope = format!("scope: {{ numbers: [\"{number}\"], ring_groups: [\"{name}-*\"] }}");
        account(name, 2, &format!("policy: {{ {scope}{rest} }}\n"))
    };
    let number = |number: &str, to: &str| format!("numbers: {{ \"{number}\": {{ to: {to} }} }}\n");
    let (one, two) = ("+33142685302", "+33142685303");
    all.write("phones/a/account.yaml", &(part("a", one, "") + &number(one, "ring_group/ventes")));
    all.write("phones/b/account.yaml", &(part("b", two, "") + &number(two, "receptionist/main")));
    all.commit();
    assert_eq!(all.guards(&["phones"], &[]), [""; 0]);
    all.write("phones/b/account.yaml", &(part("b", two, "") + &number(two, "user/201")));
    all.commit();
    assert_eq!(all.guards(&["phones"], &[]), [""; 0], "its own number");
    all.write(
        "phones/a/account.yaml",
        &(part("a", one, &format!(", protect: [\"{two}\"]")) + &number(one, "ring_group/ventes")),
    );
    all.commit();
    all.holds(&["phones/b"], "protected", "by the other folder");
    // Whoever takes over what is the other's is out of the scope that it had.
    all.write("phones/a/account.yaml", &(part("a", "+33142685304", "") + &number("+33142685304", "none")));
    all.write("phones/b/account.yaml", &(part("b", one, "") + &number(one, "user/201")));
    all.commit();
    all.holds(&["phones/b"], "scope", "more than it had");
}

#[test]
fn changes_that_are_spread_over_the_folders_of_one_live_account_count_together_against_the_strictest_cap() {
    let all = Repository::new();
    let part = |name: &str, cap: &str, number: &str, to: &str| {
        let scope = format!("scope: {{ numbers: [\"{number}\"], ring_groups: [\"{name}-*\"] }}");
        let numbers = format!("numbers: {{ \"{number}\": {{ to: {to} }} }}\n");
        account(name, 2, &format!("policy: {{ {scope}{cap} }}\n{numbers}"))
    };
    let one = ", caps: { numbers: { update: { percent: 0, floor: 1 } } }";
    let off = ", caps: { numbers: { update: off } }";
    all.write("phones/a/account.yaml", &part("a", one, "+33142685302", "ring_group/ventes"));
    all.write("phones/b/account.yaml", &part("b", off, "+33142685303", "receptionist/main"));
    all.commit();
    let one_by_one = ["--accounts-at-once", "1"];
    assert_eq!(all.guards(&["phones"], &one_by_one), [""; 0]);
    all.write("phones/b/account.yaml", &part("b", off, "+33142685303", "user/201"));
    all.commit();
    assert_eq!(all.guards(&["phones"], &one_by_one), [""; 0], "what one of them changes is up to its own caps");
    all.write("phones/a/account.yaml", &part("a", one, "+33142685302", "user/201"));
    all.commit();
    let guards = all.guards(&["phones"], &one_by_one);
    let says = "cap: 2 numbers would be changed, and `caps.numbers.update` allows 1 in an account of 4, counted over the accounts that are one live account (a, b)";
    assert_eq!(guards, [says; 2]);
}

#[test]
fn an_account_in_a_submodule_is_held_and_so_is_a_history_that_begins_anew() {
    let all = Repository::with_office();
    let inner = Repository::new();
    inner.write("office/account.yaml", &account("office", 2, AS_IT_IS));
    inner.commit();
    inner.write("office/account.yaml", &account("office", 2, MOVED));
    inner.commit();
    all.git(&["rm", "-r", "--quiet", "phones"]);
    let url = inner.top().to_str().unwrap();
    all.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", url, "phones"]);
    all.holds(&["phones/office"], "base", "not committed");
    all.commit();
    all.holds(&["phones/office"], "base", "committed");
    let guards = all.guards(&["phones/office"], &["--base", "HEAD^1"]);
    assert!(guards.iter().any(|said| said.starts_with("base")), "a revision of its own: {guards:?}");

    let all = Repository::with_office();
    all.git(&["checkout", "--quiet", "--orphan", "new"]);
    all.write("phones/office/numbers.yaml", &format!("version: 1\n{MOVED}"));
    all.write("phones/office/policy.yaml", "version: 1\npolicy: {}\n");
    all.commit();
    all.holds(&["phones/office"], "base", "an orphan");
    let guards = all.guards(&["phones/office"], &["--base", "main"]);
    assert!(guards.iter().all(|said| said.starts_with("protected")) && !guards.is_empty(), "{guards:?}");
    // A first commit that is all there is lacks nothing.
    all.git(&["branch", "--quiet", "--delete", "--force", "main"]);
    assert_eq!(all.guards(&["phones/office"], &[]), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_link_into_another_repository_and_a_file_of_another_name_lead_past_nothing() {
    let (all, other) = (Repository::with_office(), Repository::new());
    other.write("phones/office/account.yaml", &account("office", 2, MOVED));
    other.commit();
    all.remove("phones");
    std::os::unix::fs::symlink(other.path("phones"), all.path("phones")).unwrap();
    all.holds(&["phones/office"], "base", "not committed");
    all.commit();
    all.holds(&["phones/office"], "base", "committed");

    let all = Repository::with_office();
    for name in ["account.json", "account.txt", "account", ".account.yaml", "account.yaml~"] {
        all.write(&format!("more/{name}"), &account("office", 1, MOVED));
        let said = ends(&strowger(all.top(), &["apply", "--auto-approve", &format!("more/{name}")]), 3, name);
        assert!(said.contains("is not called `.yaml` or `.yml`, or is hidden"), "{said}");
    }
}

#[test]
fn a_merge_is_held_by_both_of_its_parents_and_a_base_of_two_meanings_is_refused() {
    let all = Repository::with_office();
    all.git(&["switch", "--quiet", "--create", "change"]);
    all.write("phones/office/policy.yaml", "version: 1\npolicy: {}\n");
    all.commit();
    all.write("phones/office/numbers.yaml", &format!("version: 1\n{MOVED}"));
    all.commit();
    // The branch is what main is merged into, and then becomes main.
    all.git(&["switch", "--quiet", "main"]);
    all.write("readme", "x");
    all.commit();
    all.git(&["switch", "--quiet", "change"]);
    all.git(&["merge", "--quiet", "--no-ff", "--message=merge", "main"]);
    all.holds(&["phones/office"], "protected", "the parents in another order");
    all.git(&["tag", "main", "HEAD"]);
    let output = strowger(all.top(), &["plan", "phones/office", "--base", "main"]);
    let said = ends(&output, 1, "ambiguous");
    assert!(said.contains("`refs/tags/main` and `refs/heads/main` are different commits"), "{said}");
    assert!(!all.guards(&["phones/office"], &["--base", "refs/heads/main"]).is_empty());
}

#[test]
fn a_rule_that_guards_against_harm_is_switched_off_for_the_next_change_only() {
    let all = Repository::new();
    let circle = "ring_groups:\n  ventes: { members: [user/201], no_answer: ring_group/other }\n  other: { members: [user/201], no_answer: ring_group/ventes }\n";
    let off = "policy: { rules: { no-answer-cycle: off } }\n";
    all.write("phones/account.yaml", &account("office", 1, AS_IT_IS));
    all.commit();
    all.write("phones/account.yaml", &account("office", 1, &format!("{AS_IT_IS}{circle}{off}")));
    for what in ["not committed", "committed"] {
        for command in [&["plan", "phones"][..], &["apply", "phones", "--auto-approve"]] {
            let said = ends(&strowger(all.top(), command), 3, what);
            assert!(said.contains("error[no-answer-cycle]"), "{said}");
        }
        all.commit();
    }
    // It was there by then.
    assert_eq!(all.guards(&["phones"], &[]), [""; 0]);
    // Files that have nothing before them decide by themselves.
    let young = Repository::new();
    young.write("phones/account.yaml", &account("office", 1, &format!("{AS_IT_IS}{circle}{off}")));
    young.commit();
    assert_eq!(young.guards(&["phones"], &[]), [""; 0]);
}

#[test]
fn two_accounts_of_one_run_at_one_address_are_refused_by_every_command_unless_their_scopes_are_apart() {
    let fleet = tempfile::tempdir().unwrap();
    let office = |folder: &str, url: &str, rest: &str| {
        let head =
            format!("version: 1\naccount: {{ name: {folder}, provider: office, url: \"{url}\", token: {{ env: T }} }}");
        write(
            &fleet.path().join(folder).join("account.yaml"),
            &format!("{head}\n{rest}numbers: {{ \"+33142685300\": {{ to: none }} }}\n"),
        );
    };
    office("lyon", "http://127.0.0.1:9/t/a", "");
    office("paris", "http://LOCALHOST:9//t/a/", "");
    for command in ["validate", "plan", "apply"] {
        let said = ends(&strowger(fleet.path(), &[command, "."]), 3, command);
        assert!(said.contains("error[one-account-twice]"), "{command}: {said}");
        assert!(said.contains("lyon/account.yaml") && said.contains("paris/account.yaml"), "{command}: {said}");
    }
    // No rule silences it, and a scope that overlaps does not help.
    office("paris", "http://127.0.0.1:9/t/a", "policy: { rules: { one-account-twice: off } }\n");
    ends(&strowger(fleet.path(), &["validate", "."]), 3, "rule");
    let scope = |range: &str, name: &str| {
        format!("policy: {{ scope: {{ numbers: [\"{range}\"], ring_groups: [\"{name}-*\"] }} }}\n")
    };
    office("lyon", "http://127.0.0.1:9/t/a", &scope("+331426853*", "lyon"));
    office("paris", "http://127.0.0.1:9/t/a", &scope("+3314268530*", "paris"));
    ends(&strowger(fleet.path(), &["validate", "."]), 3, "overlapping");
    office("paris", "http://127.0.0.1:9/t/a", &scope("+331426854*", "paris"));
    ends(&strowger(fleet.path(), &["validate", "."]), 0, "apart");
    office("paris", "http://127.0.0.1:9/t/b", "");
    ends(&strowger(fleet.path(), &["validate", "."]), 0, "another tenant");
    let sandbox = |folder: &str, name: &str, state: &str| {
        let head = format!("version: 1\naccount: {{ name: {name}, provider: sandbox, state: \"{state}\" }}");
        write(
            &fleet.path().join(folder).join("account.yaml"),
            &format!("{head}\nnumbers: {{ \"+33142685300\": {{ to: none }} }}\n"),
        );
    };
    sandbox("lyon", "lyon", ".strowger/a.db");
    sandbox("paris", "paris", "../lyon/./.strowger/a.db");
    ends(&strowger(fleet.path(), &["validate", "."]), 3, "one state");
    sandbox("lyon", "lyon", ":memory:");
    sandbox("paris", "paris", ":memory:");
    ends(&strowger(fleet.path(), &["validate", "."]), 0, "memory");
}

#[test]
fn another_account_of_the_name_that_stays_as_it_is_holds_nothing_back_and_one_that_goes_does() {
    let all = Repository::with_office();
    all.write("tests/broken/account.yaml", &account("office", 2, AS_IT_IS).replace("a.db", "b.db"));
    all.write("tests/broken/more.yaml", "version: 1\npolicy: [\n");
    all.commit();
    all.write("readme", "the next change");
    all.commit();
    all.write("phones/office/numbers.yaml", &format!("version: 1\n{MOVED}"));
    let guards = all.guards(&["phones/office"], &[]);
    assert!(guards.iter().all(|said| said.starts_with("protected")) && !guards.is_empty(), "{guards:?}");
    // What its files said may have been this account's.
    all.remove("tests/broken");
    all.holds(&["phones/office"], "base", "it goes");
}
