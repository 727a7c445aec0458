//! No call is mixed, refused or lost while Strowger changes where numbers lead, whatever happens to it meanwhile.

use super::office::{Destination, Office};
use super::site::{Harm, Site};
use crate::support::commands;
use crate::support::process::Watch;

const APPLY: [&str; 3] = ["apply", ".", "--auto-approve"];

fn seed() -> u64 {
    std::env::var("STROWGER_CALLS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(5)
}

/// An office in which another administrator re-pointed a number.
fn repointed(office: &Office, pointed: Option<(String, Destination)>) -> Office {
    let mut office = office.clone();
    office.numbers.extend(pointed);
    office
}

#[test]
fn calls_stay_whole_while_plans_are_applied() {
    let Some(mut site) = Site::new(seed()) else { return };
    let mut caller = site.dial();
    while caller.is_calling() {
        let edit = site.editor.edit(&site.office);
        site.write(&edit);
        let office = edit.office;
        site.timeline.begin(&office);
        let all: Vec<String> = office.numbers.keys().cloned().collect();
        let (planned, pointed) = site.plan_harm(&all);
        site.timeline.begin(&repointed(&office, pointed));
        site.timeline.begin(&office);
        site.run_with(planned, &APPLY);
        site.timeline.end();
        site.office = office;
    }
    site.expect_all_whole("apply", caller);
}

/// The newest run.
fn newest(site: &Site) -> Option<String> {
    commands::ledgers(site.folder.path()).last().map(|run| run.id.to_string())
}

#[test]
fn calls_stay_whole_while_runs_are_rolled_back() {
    let Some(mut site) = Site::new(seed()) else { return };
    let mut caller = site.dial();
    while caller.is_calling() {
        let before = site.office.clone();
        let last = newest(&site);
        let edit = site.editor.edit(&before);
        site.write(&edit);
        site.timeline.begin(&edit.office);
        site.run_until_done(&APPLY);
        site.timeline.end();
        // Some edits change nothing.
        let Some(run) = newest(&site).filter(|run| Some(run) != last.as_ref()) else { continue };
        // What another administrator writes stays if the run did not write it.
        let same = |number: &&String| before.numbers[*number] == edit.office.numbers[*number];
        let free: Vec<String> = before.numbers.keys().filter(same).cloned().collect();
        site.timeline.begin(&before);
        let (planned, pointed) = site.plan_harm(&free);
        site.timeline.begin(&repointed(&before, pointed.clone()));
        let harm = site.run_with(planned, &["rollback", &run, ".", "--auto-approve"]);
        site.office = if harm == Harm::Admin { repointed(&before, pointed) } else { before };
        site.timeline.begin(&site.office);
        site.timeline.end();
    }
    site.expect_all_whole("rollback", caller);
}

#[test]
fn calls_stay_whole_while_a_watch_corrects() {
    let Some(mut site) = Site::new(seed()) else { return };
    let arguments =
        ["watch", ".", "--mode", "correct", "--interval", "1s", "--deletion-delay", "0s", "--fight-limit", "255"];
    let mut watch = Watch::spawn(site.command(&arguments));
    let mut caller = site.dial();
    while caller.is_calling() {
        let edit = site.editor.edit(&site.office);
        let office = edit.office.clone();
        let all: Vec<String> = office.numbers.keys().cloned().collect();
        site.timeline.begin(&office);
        let (planned, pointed) = site.plan_harm(&all);
        planned.aim(watch.id());
        site.timeline.begin(&repointed(&office, pointed));
        site.timeline.begin(&office);
        site.write(&edit);
        watch.until("in sync", || site.cable.is_harmed() || site.is_in_sync());
        if site.end_harm(planned) == Harm::Kill {
            drop(watch);
            watch = Watch::spawn(site.command(&arguments));
        }
        watch.until("in sync again", || site.is_in_sync());
        site.timeline.end();
        site.office = office;
    }
    assert_eq!(watch.stop(), Some(0));
    site.expect_all_whole("watch", caller);
}
