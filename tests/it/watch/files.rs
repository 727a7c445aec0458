//! `strowger watch` as a process: real files however they are saved, a real account server, real signals.
#![cfg(unix)]

use crate::support::commands;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::commands::{Server, ledgers, office};
use crate::support::process::Watch;
use serde_json::json;
use strowger::ledger::Ending;

const NUMBER: &str = "+33142685302";

fn label(server: &Server) -> String {
    server.number(NUMBER)["label"].as_str().unwrap().to_owned()
}

/// Saves `account.yaml` with another label of [`NUMBER`] in some way, and waits until the account has it.
#[track_caller]
fn saved(watch: &Watch, server: &Server, folder: &Path, label_now: &str, save: impl FnOnce(&Path, &str)) {
    let path = folder.join("account.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let old = label(server);
    let new = text.replace(&format!("label: {old} }}"), &format!("label: {label_now} }}"));
    assert_ne!(text, new, "`{old}` is not in the file");
    save(&path, &new);
    watch.until(&format!("`{label_now}` in the account"), || label(server) == label_now);
}

#[test]
fn every_way_of_saving_a_file_is_noticed_and_applied() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    // So long that nothing is found by looking now and then.
    let watch = Watch::start(folder.path(), &["--mode", "correct", "--interval", "1h"]);
    watch.until("applied", || label(&server) == "Ventes");

    saved(&watch, &server, folder.path(), "In place", |path, text| fs::write(path, text).unwrap());
    saved(&watch, &server, folder.path(), "Renamed", |path, text| {
        let beside = path.with_file_name(".account.yaml.swp");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    });
    saved(&watch, &server, folder.path(), "Backed up", |path, text| {
        fs::rename(path, path.with_extension("yaml~")).unwrap();
        fs::write(path, text).unwrap();
    });
    saved(&watch, &server, folder.path(), "In pieces", |path, text| {
        use std::io::Write as _;
        let mut file = fs::File::create(path).unwrap();
        for piece in text.as_bytes().chunks(100) {
            file.write_all(piece).unwrap();
            file.sync_all().unwrap();
        }
    });
    saved(&watch, &server, folder.path(), "Removed first", |path, text| {
        fs::remove_file(path).unwrap();
        watch.until("told", || watch.said().contains("the files have errors"));
        fs::write(path, text).unwrap();
    });
    // A second file of the account.
    let more = "version: 1\nnumbers:\n  \"+33142685305\": { to: user/203, label: Chloé }\n";
    fs::write(folder.path().join("more.yaml"), more).unwrap();
    watch.until("added", || server.number("+33142685305")["label"] == "Chloé");
    fs::remove_file(folder.path().join("more.yaml")).unwrap();
    saved(&watch, &server, folder.path(), "Without it", |path, text| fs::write(path, text).unwrap());
    assert_eq!(server.number("+33142685305")["label"], "Chloé", "what is not in the files is left alone");
    assert_eq!(watch.stop(), Some(0));
    let runs = ledgers(folder.path());
    assert!(runs.len() >= 7 && runs.iter().all(|run| run.ending() == Ending::Complete), "{runs:#?}");
}

#[test]
fn a_folder_that_a_link_leads_to_is_followed_when_the_link_is_turned() {
    // As a mounted configuration is: `account.yaml -> ..data/account.yaml`, `..data -> ..2026_1`.
    let server = Server::start("wework", &[]);
    let source = office("wework", &server.url);
    let folder = tempfile::tempdir().unwrap();
    let version = |name: &str, label: &str| {
        let version = folder.path().join(name);
        fs::create_dir(&version).unwrap();
        let text = fs::read_to_string(source.path().join("account.yaml")).unwrap();
        fs::write(version.join("account.yaml"), text.replace("label: Ventes }", &format!("label: {label} }}")))
            .unwrap();
    };
    let turn = |name: &str| {
        symlink(name, folder.path().join("..next")).unwrap();
        fs::rename(folder.path().join("..next"), folder.path().join("..data")).unwrap();
    };
    version("..2026_1", "One");
    turn("..2026_1");
    symlink("..data/account.yaml", folder.path().join("account.yaml")).unwrap();
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    let watch = Watch::start(folder.path(), &["--mode", "correct", "--interval", "1h", "--state", state]);
    watch.until("applied", || label(&server) == "One");
    let mut before = None;
    for (name, label_now) in [("..2026_2", "Two"), ("..2026_3", "Three"), ("..2026_4", "Four")] {
        version(name, label_now);
        turn(name);
        watch.until("applied", || label(&server) == label_now);
        let old = before.replace(name.to_owned());
        old.map_or(Ok(()), |old| fs::remove_dir_all(folder.path().join(old))).unwrap();
    }
    assert!(!folder.path().join(".strowger").exists(), "a mounted configuration cannot be written to");
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn a_folder_that_goes_and_comes_back_is_watched_again() {
    let server = Server::start("wework", &[]);
    let source = office("wework", &server.url);
    let above = tempfile::tempdir().unwrap();
    let (folder, state) = (above.path().join("phones"), above.path().join("state"));
    commands_copy(source.path(), &folder);
    let arguments = ["--mode", "correct", "--interval", "1h", "--state", state.to_str().unwrap()];
    let watch = Watch::start_with(above.path(), "phones", &arguments);
    watch.until("applied", || label(&server) == "Ventes");
    for round in 0..3 {
        fs::remove_dir_all(&folder).unwrap();
        watch.until("told", || watch.said().matches("the files have errors").count() > round);
        commands_copy(source.path(), &folder);
        saved(&watch, &server, &folder, &format!("Round {round}"), |path, text| fs::write(path, text).unwrap());
        // The next copy begins with the same.
        let text = fs::read_to_string(folder.join("account.yaml")).unwrap();
        fs::write(source.path().join("account.yaml"), text).unwrap();
    }
    assert_eq!(watch.stop(), Some(0));
}

fn commands_copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    commands::copy(from, to);
}

#[test]
fn drift_is_noticed_within_an_interval_and_a_signal_has_it_looked_at_once() {
    let server = Server::start("wework", &[]);
    let folder = office("wework", &server.url);
    let watch = Watch::start(folder.path(), &["--mode", "correct", "--interval", "2s"]);
    watch.until("applied", || label(&server) == "Ventes");
    server.patch(&format!("numbers/{}", server.number(NUMBER)["id"].as_str().unwrap()), &json!({ "label": "by hand" }));
    watch.until("corrected", || label(&server) == "Ventes");
    let blame = "1 change; +33142685302 was changed by administrator (portal/1.0) at 2";
    watch.until("told by whom", || watch.said().contains(blame));
    assert_eq!(watch.stop(), Some(0));

    let watch = Watch::start(folder.path(), &["--mode", "correct", "--interval", "1h", "--log", "json"]);
    watch.until("looked at", || watch.said().contains("in sync"));
    server.patch(&format!("numbers/{}", server.number(NUMBER)["id"].as_str().unwrap()), &json!({ "label": "by hand" }));
    watch.until("corrected", || {
        watch.signal("HUP");
        label(&server) == "Ventes"
    });
    for line in watch.said().lines().filter(|line| line.starts_with('{')) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn an_account_of_a_fleet_that_is_broken_from_the_start_is_told_and_the_others_are_watched() {
    let server = Server::start("wework", &[]);
    let (fleet, good) = (tempfile::tempdir().unwrap(), office("wework", &server.url));
    let broken = fleet.path().join("broken");
    fs::create_dir_all(fleet.path().join("good")).unwrap();
    fs::create_dir_all(&broken).unwrap();
    fs::copy(good.path().join("account.yaml"), fleet.path().join("good/account.yaml")).unwrap();
    fs::write(broken.join("account.yaml"), "version: 1\naccount: { name: broken\n").unwrap();
    let watch = Watch::start(fleet.path(), &["--mode", "correct", "--interval", "1h"]);
    watch.until("applied", || label(&server) == "Ventes");
    watch.until("told", || watch.said().contains("broken/account.yaml:3:1: error[yaml-syntax]"));
    // Once: it is no news when other files change.
    saved(&watch, &server, &fleet.path().join("good"), "Other", |path, text| fs::write(path, text).unwrap());
    assert_eq!(watch.said().matches("error[yaml-syntax]").count(), 1, "{}", watch.said());
    assert_eq!(watch.stop(), Some(0));
}

#[test]
fn files_that_cannot_work_end_it_at_the_start_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("account.yaml"), "version: 7\n").unwrap();
    let output = commands::strowger(folder.path(), &["watch", "."]);
    assert_eq!(output.status.code(), Some(3));
    let said = commands::stderr(&output);
    assert!(said.contains("account.yaml:1:10: error[unsupported-version]"), "{said}");
}
