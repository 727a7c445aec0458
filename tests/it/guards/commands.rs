//! Guards as a user meets them: the real binary, a real git repository, the embedded account.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::commands::{command, expect, stderr, strowger};
use crate::support::git::git;

/// An account in a folder of its own, in a git repository.
struct Office {
    repository: TempDir,
}

const HEAD: &str = "version: 1\naccount: { name: office, provider: sandbox, seed: seed/seed.yaml }\n";
const PROTECTED: &str = "policy: { protect: [\"+33142685301\"] }\n";

impl Office {
    /// An account with so many numbers beside its default number, all of them the receptionist's, and groups.
    fn new(numbers: usize, groups: usize) -> Self {
        let repository = tempfile::tempdir().unwrap();
        let mut seed =
            "snapshot: 1\naccount: { name: office, country: FR, default_number: \"+33142685399\" }\n".to_owned();
        seed += "users:\n  a@example.org: { name: A, extension: \"201\", devices: { a-desk: ip_phone } }\n";
        seed += "receptionists:\n  main: { extension: \"100\", timezone: Europe/Paris }\n";
        if groups > 0 {
            seed += "ring_groups:\n";
        }
        for group in 0..groups {
            writeln!(seed, "  g{group}: {{ extension: \"{}\", members: [user/201] }}", 300 + group).unwrap();
        }
        seed += "numbers:\n  \"+33142685399\": { to: receptionist/main }\n";
        for number in 0..numbers {
            writeln!(seed, "  \"{}\": {{ to: receptionist/main }}", self::number(number)).unwrap();
        }
        let office = Self { repository };
        fs::create_dir_all(office.folder().join("seed")).unwrap();
        fs::write(office.folder().join("seed/seed.yaml"), seed).unwrap();
        fs::write(office.repository.path().join(".gitignore"), ".strowger/\n").unwrap();
        office.git(&["init", "--quiet", "--initial-branch=main"]);
        office
    }

    /// The account's folder, below the repository's own.
    fn folder(&self) -> PathBuf {
        self.repository.path().join("phones/office")
    }

    fn write(&self, text: &str) {
        fs::write(self.folder().join("account.yaml"), format!("{HEAD}{text}")).unwrap();
    }

    fn commit(&self, text: &str) {
        self.write(text);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=change"]);
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(self.repository.path(), arguments)
    }

    fn strowger(&self, arguments: &[&str]) -> Output {
        strowger(&self.folder(), arguments)
    }

    fn apply(&self, more: &[&str]) -> Output {
        self.strowger(&[&["apply", ".", "--auto-approve"], more].concat())
    }

    /// Applies with an approval of whatever is planned, to bring the account to a known state.
    fn set_up(&self) {
        let digest = self.plan(&[])["digest"].as_str().unwrap().to_owned();
        expect(&self.apply(&["--approve", &digest]), 0);
    }

    fn plan(&self, more: &[&str]) -> Value {
        let output = self.strowger(&[&["plan", ".", "--format", "json"], more].concat());
        let report: Value = serde_json::from_str(&expect(&output, 0)).unwrap();
        report["plans"][0].clone()
    }

    fn guards(&self, more: &[&str]) -> Vec<String> {
        let plan = self.plan(more);
        let blocked = plan["blocked"].as_array().cloned().unwrap_or_default();
        blocked.iter().map(|block| block["guard"].as_str().unwrap().to_owned()).collect()
    }
}

fn number(index: usize) -> String {
    format!("+331426853{index:02}")
}

/// A `numbers` section that sends these numbers to a destination.
fn numbers(range: std::ops::Range<usize>, to: &str) -> String {
    let mut text = "numbers:\n".to_owned();
    for index in range {
        writeln!(text, "  \"{}\": {{ to: {to} }}", number(index)).unwrap();
    }
    text
}

/// The digest in the words that a refusal ends with.
fn approval(output: &Output) -> String {
    let err = stderr(output);
    let digest = err.split("--approve ").nth(1).and_then(|rest| rest.split_whitespace().next());
    digest.unwrap_or_else(|| panic!("no approval in:\n{err}")).to_owned()
}

fn main_line(to: &str) -> String {
    format!("numbers:\n  \"+33142685301\": {{ to: {to} }}\n")
}

#[test]
fn a_protection_that_goes_holds_until_the_next_change_committed_or_not() {
    let office = Office::new(3, 0);
    office.commit(&(PROTECTED.to_owned() + &main_line("receptionist/main")));
    expect(&office.apply(&[]), 0);

    // Not committed: HEAD has the line still.
    office.write(&main_line("user/201"));
    expect(&office.apply(&[]), 4);
    assert!(stderr(&office.apply(&[])).contains("so the policy at `HEAD` says"), "{}", stderr(&office.apply(&[])));
    // Committed: its parent has.
    office.commit(&main_line("user/201"));
    let refused = office.apply(&[]);
    expect(&refused, 4);
    assert!(stderr(&refused).contains("so the policy at `HEAD^1` says"), "{}", stderr(&refused));
    // One change later it is gone, and the number may move.
    office.commit(&(main_line("user/201") + "policy: {}\n"));
    expect(&office.apply(&[]), 0);
}

#[test]
fn a_protection_that_a_merge_takes_away_holds_for_the_merge() {
    let office = Office::new(3, 0);
    office.commit(&(PROTECTED.to_owned() + &main_line("receptionist/main")));
    expect(&office.apply(&[]), 0);
    office.git(&["switch", "--quiet", "--create", "change"]);
    office.commit(&main_line("receptionist/main"));
    office.commit(&main_line("user/201"));
    assert_eq!(office.guards(&[]), [""; 0], "two changes one after the other, seen from the branch");
    assert_eq!(office.guards(&["--base", "main"]), ["protected"], "seen from where it goes");
    office.git(&["switch", "--quiet", "main"]);
    office.git(&["merge", "--quiet", "--no-ff", "--message=merge", "change"]);
    let refused = office.apply(&[]);
    expect(&refused, 4);
    expect(&office.apply(&["--approve", &approval(&refused)]), 0);
}

#[test]
fn the_printed_words_release_exactly_this_plan_and_no_other() {
    let office = Office::new(3, 0);
    office.write(&(PROTECTED.to_owned() + &main_line("user/201")));
    let refused = office.apply(&[]);
    let out = expect(&refused, 4);
    assert!(out.contains("~ +33142685301"), "the plan is shown: {out}");
    let err = stderr(&refused);
    assert!(
        err.contains("protected: the protected number +33142685301 would lead elsewhere (./account.yaml:3:"),
        "{err}"
    );
    let digest = approval(&refused);

    office.write(&(PROTECTED.to_owned() + &main_line("user/201") + "  \"+33142685302\": { to: user/201 }\n"));
    let other = office.apply(&["--approve", &digest]);
    expect(&other, 4);
    assert!(
        stderr(&other).contains(&format!("`--approve {digest}` does not match the plan above")),
        "{}",
        stderr(&other)
    );
    assert_ne!(approval_of_last(&other), digest);
    assert_eq!(office.plan(&[])["changes"].as_array().unwrap().len(), 2, "nothing was written");

    office.write(&(PROTECTED.to_owned() + &main_line("user/201")));
    expect(&office.apply(&["--approve", &digest]), 0);
    expect(&office.strowger(&["plan", ".", "--detailed-exitcode"]), 0);
    // A pipeline that runs again has nothing left to approve.
    expect(&office.apply(&["--approve", &digest]), 0);
}

/// The digest in the last line, behind those that are refused.
fn approval_of_last(output: &Output) -> String {
    stderr(output).trim_end().rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn an_approval_that_no_plan_needs_or_that_is_no_digest_is_refused() {
    let office = Office::new(3, 0);
    office.write(&main_line("user/201"));
    let output = office.apply(&["--approve", &"0".repeat(64)]);
    expect(&output, 4);
    assert!(stderr(&output).contains("remove `--approve`"), "{}", stderr(&output));
    expect(&office.apply(&["--approve", "yes"]), 64);
    expect(&office.apply(&["--approve", &"g".repeat(64)]), 64);
    // That of a plan which needs none does no harm.
    let digest = office.plan(&[])["digest"].as_str().unwrap().to_owned();
    expect(&office.apply(&["--approve", &digest]), 0);
}

#[test]
fn a_mass_change_is_held_back_in_a_large_account_and_not_in_a_small_one() {
    let large = Office::new(60, 0);
    large.write(&numbers(0..60, "user/201"));
    assert_eq!(large.guards(&[]), ["cap"]);
    let refused = large.apply(&[]);
    expect(&refused, 4);
    assert!(stderr(&refused).contains("60 numbers would be changed, and `caps.numbers.update` allows 18"));
    large.write(&numbers(0..18, "user/201"));
    assert_eq!(large.guards(&[]), [""; 0]);
    // A higher cap of the files counts at once where there is no policy before.
    large.write(&(numbers(0..60, "user/201") + "policy: { caps: { numbers: { update: off } } }\n"));
    expect(&large.apply(&[]), 0);

    let small = Office::new(3, 0);
    small.write(&numbers(0..3, "user/201"));
    expect(&small.apply(&[]), 0);
}

#[test]
fn a_cap_that_is_raised_counts_from_the_next_change_on() {
    let office = Office::new(60, 0);
    office.commit(&numbers(0..60, "receptionist/main"));
    let raised = "policy: { caps: { numbers: { update: { percent: 100 } } } }\n";
    office.commit(&(numbers(0..60, "user/201") + raised));
    assert_eq!(office.guards(&[]), ["cap"]);
    office.commit(&(numbers(0..60, "user/201") + raised + "tests: []\n"));
    assert_eq!(office.guards(&[]), [""; 0]);
}

#[test]
fn an_emptied_file_does_not_prune_the_account() {
    let office = Office::new(1, 6);
    let mut text = "policy: { prune: ring_groups, caps: { ring_groups: { delete: off } } }\n".to_owned();
    office.write(&text);
    assert_eq!(office.guards(&[]), ["nearly_empty"]);
    let output = office.apply(&[]);
    expect(&output, 4);
    assert!(stderr(&output).contains("warning[nothing-left]"), "{}", stderr(&output));
    text += "ring_groups:\n  g0: { members: [user/201] }\n  g1: { members: [user/201] }\n";
    office.write(&text);
    assert_eq!(office.guards(&[]), ["nearly_empty"], "two of six");
    office.write(&(text + "  g2: { members: [user/201] }\n"));
    expect(&office.apply(&[]), 0);
}

#[test]
fn what_the_files_do_not_own_is_held_back_and_not_pruned() {
    let office = Office::new(3, 2);
    let policy = "policy: { prune: ring_groups, scope: { numbers: [\"+33142685300\"], ring_groups: [G0] } }\n";
    let groups = "ring_groups: { g0: { members: [user/201] } }\n";
    office.write(&(policy.to_owned() + groups + &numbers(0..2, "user/201")));
    let plan = office.plan(&[]);
    assert_eq!(plan["changes"].as_array().unwrap().len(), 2, "g1 is not pruned: {plan:#}");
    assert_eq!(plan["blocked"][0]["guard"], "scope");
    assert_eq!(plan["blocked"][0]["changes"], serde_json::json!([2]));
    office.write(&(policy.to_owned() + groups + &numbers(0..1, "user/201")));
    expect(&office.apply(&[]), 0);
}

#[test]
fn one_blocked_account_of_a_fleet_keeps_all_from_being_written() {
    let (first, second) = (Office::new(3, 0), Office::new(3, 0));
    first.write(&main_line("user/201"));
    second.write(&(PROTECTED.to_owned() + &main_line("user/201")));
    let path = second.folder().join("account.yaml");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace("name: office", "name: other")).unwrap();
    let both = [first.folder(), second.folder()];
    let run = |more: &[&str]| {
        let paths: Vec<&str> = both.iter().map(|path| path.to_str().unwrap()).collect();
        strowger(&first.folder(), &[&["apply", "--auto-approve"], paths.as_slice(), more].concat())
    };
    let refused = run(&[]);
    expect(&refused, 4);
    assert_eq!(first.plan(&[])["changes"].as_array().unwrap().len(), 1, "not even the first");
    expect(&run(&["--approve", &approval(&refused)]), 0);
}

#[test]
fn a_revision_that_was_named_is_there_or_the_run_fails_and_a_default_one_is_only_missed() {
    let office = Office::new(3, 0);
    office.write(&main_line("user/201"));
    assert_eq!(stderr(&office.strowger(&["plan", "."])), "", "no commit yet");
    office.commit(&main_line("user/201"));
    assert_eq!(stderr(&office.strowger(&["plan", "."])), "", "no parent yet");
    for (base, code, words) in [
        ("nowhere", 1, "cannot look at `nowhere`: the repository has no such commit"),
        ("--upload-pack=x", 64, "does not begin with `-`"),
        ("HEAD:phones", 1, "no such commit"),
    ] {
        let output = office.strowger(&["plan", ".", &format!("--base={base}")]);
        expect(&output, code);
        assert!(stderr(&output).contains(words), "{base}: {}", stderr(&output));
    }
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("a.yaml"), format!("{HEAD}{}", main_line("none")).replace("seed/", "")).unwrap();
    fs::copy(office.folder().join("seed/seed.yaml"), outside.path().join("seed.txt")).unwrap();
    let output = strowger(outside.path(), &["plan", "a.yaml", "--base", "main"]);
    expect(&output, 1);
    assert!(stderr(&output).contains("is in no git repository"), "{}", stderr(&output));
}

#[test]
fn where_the_commit_before_was_not_fetched_every_change_waits_for_an_approval() {
    let office = Office::new(3, 0);
    office.commit(&(PROTECTED.to_owned() + &main_line("receptionist/main")));
    office.commit(&main_line("user/201"));
    let url = format!("file://{}", office.repository.path().display());
    office.git(&["clone", "--quiet", "--depth=1", &url, "shallow"]);
    let folder = office.repository.path().join("shallow/phones/office");
    for format in ["human", "markdown", "github", "sarif", "json"] {
        let output = strowger(&folder, &["plan", ".", "--format", format]);
        let out = expect(&output, 0);
        assert!(out.contains("HEAD^1") && out.contains("was not fetched"), "{format}: {out}");
        assert!(out.contains("fetch-depth: 2"), "{format}: {out}");
    }
    let refused = strowger(&folder, &["apply", ".", "--auto-approve"]);
    expect(&refused, 4);
    assert!(stderr(&refused).contains("  base: the policy at `HEAD^1` is not known"), "{}", stderr(&refused));
    let digest = approval(&refused);
    // Saved and edited, it is held back all the same.
    let plan = folder.join("plan.json");
    expect(&strowger(&folder, &["plan", ".", "--out", "plan.json"]), 0);
    let text = fs::read_to_string(&plan).unwrap();
    let mut edited: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(edited["plans"][0]["blocked"][0]["guard"], "base");
    edited["plans"][0]["blocked"] = serde_json::json!([]);
    fs::write(&plan, edited.to_string()).unwrap();
    let saved = ["apply", "--plan", "plan.json", "--auto-approve"];
    expect(&strowger(&folder, &saved), 4);
    expect(&strowger(&folder, &[&saved[..], &["--approve", &digest]].concat()), 0);
    // Nothing to do is nothing to hold back.
    expect(&strowger(&folder, &["apply", ".", "--auto-approve"]), 0);
    // One commit more is all that is needed.
    office.git(&["clone", "--quiet", "--depth=2", &url, "deeper"]);
    let deeper = office.repository.path().join("deeper/phones/office");
    assert_eq!(guards_at(&deeper, "."), ["protected"]);
    // A clone of a repository with one commit lacks nothing.
    let young = Office::new(3, 0);
    young.commit(&main_line("user/201"));
    let url = format!("file://{}", young.repository.path().display());
    young.git(&["clone", "--quiet", "--depth=1", &url, "shallow"]);
    assert_eq!(guards_at(&young.repository.path().join("shallow/phones/office"), "."), [""; 0]);
}

/// The guards of the plan of a path.
fn guards_at(folder: &Path, path: &str) -> Vec<String> {
    let output = strowger(folder, &["plan", "--format", "json", path]);
    let report: Value = serde_json::from_str(&expect(&output, 0)).unwrap();
    let blocked = report["plans"][0]["blocked"].as_array().cloned().unwrap_or_default();
    blocked.iter().map(|block| block["guard"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_policy_before_that_cannot_be_read_holds_every_change_back_and_no_rule_silences_that() {
    let office = Office::new(3, 0);
    office.commit(&(PROTECTED.to_owned() + &main_line("receptionist/main")));
    for broken in ["policy: { protect: [33142685301] }\n", "policy: { protect: [\n", "numbers: [\n"] {
        office.commit(broken);
        office.commit(&main_line("user/201"));
        let output = office.apply(&[]);
        expect(&output, 4);
        let said = stderr(&output);
        assert!(said.contains("warning[unreadable-base]: the policy of `office` at `HEAD^1` cannot be read"), "{said}");
        assert!(said.contains("  base: the policy of `office` at `HEAD^1` cannot be read"), "{said}");
        // Nor does a move.
        office.git(&["reset", "--quiet", "--hard", "HEAD^1"]);
        office.git(&["mv", "phones/office", "phones/paris"]);
        let paris = office.repository.path().join("phones/paris");
        fs::write(paris.join("account.yaml"), format!("{HEAD}{}", main_line("user/201"))).unwrap();
        office.git(&["add", "--all"]);
        office.git(&["commit", "--quiet", "--message=move"]);
        assert_eq!(guards_at(&paris, "."), ["base"]);
        office.git(&["mv", "phones/paris", "phones/office"]);
    }
    for (severity, words) in [("off", "fixed-rule"), ("info", "fixed-rule"), ("error", "unreadable-base")] {
        office.commit("numbers: [\n");
        office.commit(&(main_line("user/201") + &format!("policy: {{ rules: {{ unreadable-base: {severity} }} }}\n")));
        let output = office.apply(&[]);
        expect(&output, 3);
        assert!(stderr(&output).contains(&format!("error[{words}]")), "{severity}: {}", stderr(&output));
    }
}

#[test]
fn another_account_in_the_place_of_one_that_moved_does_not_shake_its_guards_off() {
    let office = Office::new(3, 0);
    let phones = office.repository.path().join("phones");
    let text = |name: &str, rest: &str| format!("{HEAD}{rest}").replace("name: office", &format!("name: {name}"));
    let write = |folder: &str, text: String| {
        fs::create_dir_all(phones.join(folder).join("seed")).unwrap();
        fs::copy(phones.join("office/seed/seed.yaml"), phones.join(folder).join("seed/seed.yaml")).unwrap();
        fs::write(phones.join(folder).join("account.yaml"), text).unwrap();
    };
    fs::create_dir_all(phones.join("c")).unwrap();
    write("c", text("lyon", &main_line("user/201")));
    office.commit(&(PROTECTED.to_owned() + &main_line("receptionist/main")));
    office.git(&["mv", "phones/office", "phones/b"]);
    office.git(&["mv", "phones/c", "phones/office"]);
    fs::write(phones.join("b/account.yaml"), text("office", &main_line("user/201"))).unwrap();
    assert_eq!(guards_at(&phones, "b"), ["protected"], "not committed");
    office.git(&["add", "--all"]);
    office.git(&["commit", "--quiet", "--message=swap"]);
    assert_eq!(guards_at(&phones, "b"), ["protected"], "committed");
    assert_eq!(guards_at(&phones, "office"), [""; 0], "the other account has its own");
    // An account that nobody knew before has none.
    write("new", text("nantes", &main_line("user/201")));
    office.git(&["add", "--all"]);
    office.git(&["commit", "--quiet", "--message=new"]);
    assert_eq!(guards_at(&phones, "new"), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_an_account_does_not_shake_its_guards_off() {
    let office = Office::new(3, 0);
    let phones = office.repository.path().join("phones");
    office.commit(&(PROTECTED.to_owned() + &main_line("receptionist/main")));
    office.git(&["mv", "phones/office", "phones/real"]);
    std::os::unix::fs::symlink("real", phones.join("office")).unwrap();
    office.commit(&main_line("user/201"));
    assert_eq!(office.guards(&[]), ["protected"]);
    // Nor does one that leads out of the repository.
    let outside = tempfile::tempdir().unwrap();
    fs::rename(phones.join("real"), outside.path().join("real")).unwrap();
    fs::remove_file(phones.join("office")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("real"), phones.join("office")).unwrap();
    office.git(&["reset", "--quiet", "HEAD^1"]);
    assert_eq!(guards_at(&phones, "office"), ["protected"]);
}

/// `strowger` with other variables in its environment.
fn strowger_in(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    command(folder, arguments).envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn a_folder_or_file_that_is_moved_takes_its_guards_along() {
    let office = Office::new(3, 0);
    office.commit(&(PROTECTED.to_owned() + &main_line("receptionist/main")));
    let moved = office.repository.path().join("phones/paris");
    fs::rename(office.folder(), &moved).unwrap();
    fs::write(moved.join("account.yaml"), format!("{HEAD}{}", main_line("user/201"))).unwrap();
    let plan = |path: &str| strowger(office.repository.path(), &["plan", "--format", "json", path]);
    assert!(expect(&plan("phones/paris"), 0).contains("so the policy at `HEAD` says"), "not committed");
    office.git(&["add", "--all"]);
    office.git(&["commit", "--quiet", "--message=move"]);
    assert!(expect(&plan("phones/paris"), 0).contains("so the policy at `HEAD^1` says"), "committed");

    // One file by its name, beside another account's.
    fs::rename(moved.join("account.yaml"), moved.join("paris.yaml")).unwrap();
    let london = format!("{HEAD}{}", PROTECTED.replace("301", "302")).replace("name: office", "name: london");
    fs::write(moved.join("london.yaml"), london).unwrap();
    fs::write(moved.join("paris.yaml"), format!("{HEAD}{PROTECTED}{}", main_line("receptionist/main"))).unwrap();
    office.git(&["add", "--all"]);
    office.git(&["commit", "--quiet", "--message=more"]);
    fs::rename(moved.join("paris.yaml"), moved.join("fr.yaml")).unwrap();
    fs::remove_file(moved.join("london.yaml")).unwrap();
    let both = main_line("user/201") + "  \"+33142685302\": { to: user/201 }\n";
    fs::write(moved.join("fr.yaml"), format!("{HEAD}{both}")).unwrap();
    let out = expect(&plan("phones/paris/fr.yaml"), 0);
    assert!(out.contains("the protected number +33142685301") && !out.contains("the protected number +33142685302"));
}

#[cfg(unix)]
#[test]
fn a_git_that_fails_or_is_not_there_is_noticed_and_one_that_runs_a_hook_is_not_misled() {
    let office = Office::new(3, 0);
    office.commit(&(PROTECTED.to_owned() + &main_line("receptionist/main")));
    office.commit(&main_line("user/201"));
    let plan = ["plan", ".", "--format", "json"];
    let hook = strowger_in(&office.folder(), &plan, &[("GIT_DIR", ".git"), ("GIT_PREFIX", "phones/")]);
    assert!(expect(&hook, 0).contains("\"protected\""));
    let no_git = ("PATH", "/nowhere");
    let foreign = ("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1");
    let (global, system) = (("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null"));
    for (variables, words, help) in [
        (&[no_git, global, system], "git does not answer", "install git"),
        (&[foreign, global, system], "dubious ownership", "git config --global --add safe.directory "),
    ] {
        let missed = strowger_in(&office.folder(), &plan, variables);
        let out = expect(&missed, 0);
        assert!(out.contains("\"guard\": \"base\"") && out.contains(words) && out.contains(help), "{out}");
        let refused = strowger_in(&office.folder(), &["apply", ".", "--auto-approve"], variables);
        expect(&refused, 4);
        assert!(stderr(&refused).contains("  base: the policy before this change is not known"));
        // The reason is said once.
        let named = strowger_in(&office.folder(), &["plan", ".", "--base", "HEAD^1"], variables);
        expect(&named, 1);
        assert_eq!(stderr(&named).matches(words).count(), 1, "{}", stderr(&named));
        assert!(stderr(&named).matches("os error").count() <= 1, "{}", stderr(&named));
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_in_the_revision_before_is_noticed_and_the_next_account_is_still_guarded() {
    let office = Office::new(3, 0);
    let other = office.repository.path().join("phones/other");
    fs::create_dir_all(&other).unwrap();
    let text = format!("{HEAD}{PROTECTED}{}", main_line("receptionist/main"));
    let text = text.replace("name: office", "name: other").replace("seed/", "../office/seed/");
    fs::write(other.join("account.yaml"), &text).unwrap();
    let link = office.folder().join("policy.yaml");
    for target in ["../../../out.yaml", "gone.yaml", "policy.yaml", "seed"] {
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(target, &link).unwrap();
        fs::write(other.join("account.yaml"), &text).unwrap();
        office.commit(&main_line("receptionist/main"));
        fs::remove_file(&link).unwrap();
        fs::write(
            other.join("account.yaml"),
            text.replace("to: receptionist/main", "to: user/201").replace(PROTECTED, ""),
        )
        .unwrap();
        let output = strowger(&office.repository.path().join("phones"), &["plan", ".", "--format", "json"]);
        let out = expect(&output, 0);
        assert!(out.contains("so the policy at `HEAD` says"), "{target}: {out}");
        assert!(out.contains("policy.yaml leads to no file of the repository"), "{target}: {out}");
    }
}

#[cfg(unix)]
#[test]
fn a_policy_that_accounts_share_by_a_link_outlives_its_lines_too() {
    let office = Office::new(3, 0);
    let shared = office.repository.path().join("shared.yaml");
    fs::write(&shared, format!("version: 1\n{PROTECTED}")).unwrap();
    std::os::unix::fs::symlink("../../shared.yaml", office.folder().join("policy.yaml")).unwrap();
    office.commit(&main_line("user/201"));
    assert_eq!(office.guards(&[]), ["protected"]);
    fs::write(&shared, "version: 1\npolicy: {}\n").unwrap();
    office.commit(&main_line("user/201"));
    assert_eq!(office.guards(&[]), ["protected"]);
    office.commit(&(main_line("user/201") + "tests: []\n"));
    assert_eq!(office.guards(&[]), [""; 0]);
}

#[test]
fn the_default_number_is_protected_by_nobodys_word_and_ignored_fields_are_left_alone() {
    let office = Office::new(3, 1);
    let seed = office.folder().join("seed/seed.yaml");
    let text = fs::read_to_string(&seed).unwrap();
    fs::write(&seed, text.replace("default_number: \"+33142685399\"", "default_number: \"+33142685301\"")).unwrap();
    office.write(&main_line("user/201"));
    assert_eq!(office.guards(&[]), ["protected"]);

    let group = "ring_groups: { g0: { members: [device/a-desk], ring_for: 25s }, new: { members: [user/201], ring_for: 25s } }\n";
    let label = "numbers:\n  \"+33142685301\": { to: receptionist/main, label: Main }\n";
    let ignore = "policy: { ignore: [numbers.label, ring_groups.ring_for, ring_groups.members] }\n";
    office.write(&(group.to_owned() + label + ignore));
    let plan = office.plan(&[]);
    assert_eq!(plan["changes"].as_array().unwrap().len(), 1, "{plan:#}");
    assert_eq!(plan["changes"][0]["object"]["name"], "new");
    assert!(plan["changes"][0].to_string().contains("25s"), "a new group gets what its file says");
    office.set_up();
    assert_eq!(office.plan(&[])["changes"].as_array().unwrap().len(), 0);
}
