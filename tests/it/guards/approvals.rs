//! Who approved what guards held back is on record, and a ledger that a commit brings is not believed.
#![cfg(unix)]

use std::fs;
use std::path::Path;

use crate::support::commands::{Server, command, expect, ledger_files, ledgers, office, stderr, strowger};
use crate::support::git::git;
use serde_json::{Value, json};
use strowger::ledger::ApproverSource;

/// Freezes the account, so that every plan needs an approval.
fn freeze(folder: &Path) {
    fs::write(folder.join("policy.yaml"), "version: 1\npolicy: { suspend: { reason: porting } }\n").unwrap();
}

fn digest(folder: &Path, arguments: &[&str]) -> String {
    let all = [arguments, &["--format", "json"]].concat();
    let report: Value = serde_json::from_str(&expect(&strowger(folder, &all), 0)).unwrap();
    let plan = if report["plans"].is_array() { &report["plans"][0] } else { &report["plan"] };
    plan["digest"].as_str().unwrap().to_owned()
}

#[test]
fn who_approved_and_what_that_passed_is_in_the_events_the_ledger_and_the_history() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let folder = folder.path();
    freeze(folder);
    let plan = digest(folder, &["plan", "."]);
    let named =
        ["apply", ".", "--auto-approve", "--events", "-", "--approve", &plan, "--approve-as", "Ada\u{1b}[2J L."];
    let out = expect(&strowger(folder, &named), 0);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let records: Vec<&str> = lines.iter().take(3).map(|line| line["record"].as_str().unwrap()).collect();
    assert_eq!(records, ["planned", "approved", "started"]);
    let approved = &lines[1];
    assert_eq!(approved["digest"], json!(plan));
    assert_eq!(approved["by"]["source"], "option");
    let name = approved["by"]["name"].as_str().unwrap();
    assert!(name.starts_with("Ada") && name.ends_with("L.") && !name.contains('\u{1b}'), "{name:?}");
    assert_eq!(approved["guards"], json!([{ "guard": "suspended", "message": "suspended: porting" }]));

    let run = ledgers(folder).pop().unwrap();
    assert_eq!(run.approval.as_ref().unwrap().by.source, ApproverSource::Option);
    assert_eq!(serde_json::to_value(run.approval.unwrap()).unwrap()["guards"], approved["guards"]);
    let history: Value = serde_json::from_str(&expect(&strowger(folder, &["history", "--format", "json"]), 0)).unwrap();
    assert_eq!(history["runs"][0]["approval"]["by"]["name"], json!(name));
    let shown = expect(&strowger(folder, &["history", "--run", run.id.as_str()]), 0);
    assert!(shown.contains(&format!("by {name} (as --approve-as says)")), "{shown}");
    assert!(shown.contains("suspended: suspended: porting"), "{shown}");

    // Of a pipeline that was started again, whoever did that; and rollbacks are no exception.
    let undo = digest(folder, &["rollback", run.id.as_str(), "--plan-only"]);
    let again = command(folder, &["rollback", run.id.as_str(), "--auto-approve", "--approve", &undo])
        .env("GITHUB_TRIGGERING_ACTOR", "eve")
        .output()
        .unwrap();
    expect(&again, 0);
    let by = ledgers(folder).pop().unwrap().approval.unwrap().by;
    assert_eq!((by.name.as_deref(), by.source), (Some("eve"), ApproverSource::Pipeline));
}

#[test]
fn a_plan_that_no_guard_holds_back_has_no_approval_on_record() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let plan = digest(folder.path(), &["plan", "."]);
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--approve", &plan]), 0);
    assert_eq!(ledgers(folder.path()).pop().unwrap().approval, None);
    expect(&strowger(folder.path(), &["apply", ".", "--auto-approve", "--approve-as", "ada"]), 64);
}

#[test]
fn a_ledger_that_is_part_of_the_repository_is_marked_and_only_rolled_back_by_name_of_trust() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let folder = folder.path();
    expect(&strowger(folder, &["apply", ".", "--auto-approve"]), 0);
    let after = server.state();
    let run = ledgers(folder).pop().unwrap().id.to_string();
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    // Beside a repository that does not have it, it is one that was written here.
    git(folder, &["add", "account.yaml"]);
    git(folder, &["commit", "--quiet", "--message=files"]);
    let said = strowger(folder, &["history"]);
    expect(&said, 0);
    assert!(!stderr(&said).contains("committed to the repository"), "{}", stderr(&said));

    // Staged is enough: it need not be the last commit that brought it.
    git(folder, &["add", "--force", ledger_files(folder)[0].to_str().unwrap()]);
    for committed in [false, true] {
        if committed {
            git(folder, &["commit", "--quiet", "--message=forged"]);
        }
        let said = strowger(folder, &["history"]);
        expect(&said, 0);
        assert!(
            stderr(&said).contains("committed to the repository") && stderr(&said).contains(&run),
            "{}",
            stderr(&said)
        );
        let list: Value =
            serde_json::from_str(&expect(&strowger(folder, &["history", "--format", "json"]), 0)).unwrap();
        assert!(list["runs"][0]["doubt"].as_str().unwrap().contains("committed to the repository"), "{list}");
        expect(&strowger(folder, &["history", "--run", &run]), 0);
        let refused = strowger(folder, &["rollback", &run, "--auto-approve"]);
        expect(&refused, 4);
        assert!(stderr(&refused).contains("--trust-ledger"), "{}", stderr(&refused));
        assert_eq!(server.state(), after);
    }
    // To look at what it would do writes nothing.
    expect(&strowger(folder, &["rollback", &run, "--plan-only"]), 0);
    expect(&strowger(folder, &["rollback", &run, "--auto-approve", "--trust-ledger"]), 0);
    assert_ne!(server.state(), after);
}

#[test]
fn a_ledger_in_a_repository_that_cannot_be_asked_is_not_believed_either() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let folder = folder.path();
    expect(&strowger(folder, &["apply", ".", "--auto-approve"]), 0);
    let run = ledgers(folder).pop().unwrap().id.to_string();
    fs::write(folder.join(".git"), "gitdir: nowhere\n").unwrap();
    let refused = strowger(folder, &["rollback", &run, "--auto-approve"]);
    expect(&refused, 4);
    assert!(stderr(&refused).contains("--trust-ledger"), "{}", stderr(&refused));
}
