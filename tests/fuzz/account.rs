//! Accounts in files: snapshots, and the seeds of embedded accounts.

use std::time::Duration;

use strowger::diag::has_errors;
use strowger::plan;
use strowger::providers::snapshot::{self, Format};
use strowger::sandbox::{self, SandboxOptions, Seed};

use super::harness::{Target, Verdict, fuzz};
use super::plans::is_one_line;
use super::room::{Room, saved};

const WORDS: &[&str] = &[
    "snapshot: 1\n",
    "snapshot: 2\n",
    "account:",
    "name:",
    "id:",
    "country: FR",
    "default_number:",
    "locations:",
    "users:",
    "devices:",
    "voicemail: false",
    "forwarding: { mode: enabled, to: \"+33612345678\" }",
    "receptionists:",
    "keys: { \"1\": user/201 }",
    "conferences:",
    "bridges: { R: { number: \"1\", pin: \"9\" } }",
    "ring_groups:",
    "members: []",
    "ring: sequential",
    "ring_for: 3600",
    "no_answer: none",
    "numbers:",
    "to: none",
    "label: x",
    "emergency_callback: true",
    "owner: user/201",
    "kind: mobile",
    "user/201",
    "user/",
    "extension: \"201\"",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "---\n",
    "~",
    "\"+33142685300\"",
    "+33142685300",
    "- ",
];

static SNAPSHOTS: Target = Target { name: "snapshot", words: WORDS, slack: Duration::ZERO };

#[test]
fn snapshot() {
    let room = Room::new();
    fuzz(&SNAPSHOTS, move |input| {
        let text = String::from_utf8_lossy(input);
        let format = if input.starts_with(b"{") { Format::Json } else { Format::Yaml };
        let live = match snapshot::parse(&text, format) {
            Ok(live) => live,
            Err(error) => {
                is_one_line(&error.to_string());
                return Verdict::Refused;
            }
        };
        let whole = live.clone().validated().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(whole, live);
        let written = snapshot::write(&live);
        let again = snapshot::parse(&written, Format::Yaml).unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(snapshot::write(&again), written);
        let (plan, findings) = plan::plan(&room.desired, &live, &strowger::diag::Severities::default(), 1);
        assert_eq!(plan.is_none(), has_errors(&findings));
        if let Some(plan) = plan {
            saved(plan, &room.desired, &live);
        }
        Verdict::Taken
    });
}

static SEEDS: Target = Target { name: "seed", words: WORDS, slack: Duration::ZERO };

#[test]
fn seed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    fuzz(&SEEDS, move |input| {
        let text = String::from_utf8_lossy(input);
        let seed = match Seed::from_yaml(&text) {
            Ok(seed) => seed,
            Err(error) => {
                is_one_line(&error.to_string());
                return Verdict::Refused;
            }
        };
        // Whatever a seed says that was taken, an account begins with it.
        let options = SandboxOptions { seed: Some(seed), ..SandboxOptions::new("t") };
        runtime.block_on(async {
            let server = sandbox::start(options).await.unwrap_or_else(|error| panic!("{error}"));
            server.stop().await;
        });
        Verdict::Taken
    });
}
