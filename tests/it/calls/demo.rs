//! The README's demonstration: an apply changes who rings, and a call shows it.

use std::fs;
use std::process::Command;

use crate::support::commands;
use crate::support::telephony::{SCRIPT, Telephony};

fn ring(number: &str) -> String {
    let output = Command::new(SCRIPT).args(["ring", number]).output().unwrap();
    assert!(output.status.success(), "{}", commands::shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_apply_changes_who_rings_and_a_call_shows_it() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, block) = page.split_once("```sh\n").unwrap();
    let shown: Vec<_> =
        block.split("```").next().unwrap().lines().map(|line| line.split(" #").next().unwrap().trim()).collect();
    let commands = [
        "scripts/asterisk setup",
        "scripts/asterisk demo",
        "scripts/asterisk ring +33142685302",
        "STROWGER_TOKEN=bench strowger apply examples/asterisk",
        "scripts/asterisk ring +33142685302",
    ];
    assert_eq!(shown, commands, "what this test does");

    let Some(demo) = Telephony::start("demo") else { return };
    assert_eq!(demo.address, "127.64.0.1");
    assert_eq!(ring("+33142685302"), "+33142685302\n  refused: 404\n");
    let folder = commands::example("asterisk");
    let apply = || {
        let mut apply = commands::command(folder.path(), &["apply", ".", "--auto-approve"]);
        apply.env("STROWGER_TOKEN", "bench").output().unwrap()
    };
    assert!(commands::expect(&apply(), 0).contains("Applied 3 of 3 changes"));
    let rings = ring("+33142685302");
    assert!(rings.starts_with("+33142685302\n  busy-bea rings\n  bruno rings\n  answered by"), "{rings}");
    assert!(ring("+33142685300").contains("answered by ivr-main"));
    assert!(commands::expect(&apply(), 0).contains("No changes"));
}
