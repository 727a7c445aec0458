//! The operator's files: one file, or two of one folder where the input has a line `=====`.
//!
//! What is accepted, the published schema accepts; it plans, and its plan can be saved and read back.

use std::time::Duration;

use serde_json::Value;
use strowger::check::{AccountSchema, schema};
use strowger::config;
use strowger::diag::has_errors;
use strowger::model::FileId;
use strowger::plan;

use super::harness::{Target, Verdict, fuzz};
use super::room::{Room, saved, shown};

static TARGET: Target = Target {
    name: "config",
    words: &[
        "version: 1\n",
        "version: 2\n",
        "account:",
        "provider: office",
        "provider: sandbox",
        "provider: snapshot",
        "token: { env: T }",
        "token: secret",
        "url: https://example.org",
        "file: live.yaml",
        "country: FR",
        "numbers:",
        "ring_groups:",
        "absent: [ring_group/x]",
        "policy:",
        "rules: { long-wait: off }",
        "prune: ring_groups",
        "protect: [\"+33142685300\"]",
        "scope: { numbers: ['+331*'] }",
        "ignore: [numbers.label]",
        "tests: []",
        "caps: { numbers: { update: { most: 0 } } }",
        "to: none",
        "renamed_from: x",
        "ring: sequential",
        "ring_for: 3600s",
        "no_answer: none",
        "members: []",
        "members: [ring_group/ventes]",
        "device/front-desk",
        "voicemail/amelie@example.org",
        "receptionist/main",
        "user/202",
        "user/",
        "/",
        "&a ",
        "*a",
        "<<: *a",
        "!!int ",
        "? ",
        "- ",
        "|\n",
        ">-\n",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "#",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "=====\n",
        "\t",
        "no",
        "off",
        "~",
        "null",
        "true",
        "300",
        "+33142685300",
        "01 42 68 53 00",
        "\"+33142685300\"",
    ],
    slack: Duration::ZERO,
};

#[test]
fn config() {
    let room = Room::new();
    let folder = tempfile::tempdir().unwrap();
    let in_place = AccountSchema::default();
    let published = jsonschema::options().offline().build(&schema::account()).unwrap();
    fuzz(&TARGET, move |input| {
        let divide = input.windows(7).position(|seven| seven == b"\n=====\n");
        let parts = match divide {
            Some(at) => vec![&input[..at], &input[at + 7..]],
            None => vec![input],
        };
        let paths = ["a.yaml", "b.yaml"].map(|name| folder.path().join(name));
        for path in &paths {
            let _ = std::fs::remove_file(path);
        }
        for (path, part) in paths.iter().zip(&parts) {
            std::fs::write(path, part).unwrap();
        }
        let loaded = config::load(&[folder.path().to_owned()]);
        assert_eq!(loaded.accounts.is_empty(), has_errors(&loaded.diagnostics), "{:#?}", loaded.diagnostics);
        // A reader and a schema that disagree would leave this rule to explain it.
        let unexplained = loaded.diagnostics.iter().find(|finding| finding.rule.id == "schema");
        assert!(unexplained.is_none(), "{unexplained:?}");
        let Some(account) = loaded.accounts.first() else {
            shown(&[], &loaded.diagnostics, &loaded.sources);
            return Verdict::Refused;
        };
        for part in parts {
            // A byte order mark is no part of the text.
            let text = std::str::from_utf8(part).unwrap().trim_start_matches('\u{feff}');
            assert!(in_place.accepts(&config::parse(FileId(0), text).unwrap()));
            // The other reader is libyaml, which knows YAML 1.1: more characters end a line, and no block of lines
            // stands inside of braces.
            if text.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
                continue;
            }
            let Ok(value) = serde_yaml::from_str::<Value>(text) else { continue };
            let wrong: Vec<_> = published.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{wrong:?}");
        }
        let (plan, mut findings) = plan::plan(&account.desired, &room.live, &account.severities, 6);
        assert_eq!(plan.is_none(), has_errors(&findings));
        findings.extend(loaded.diagnostics.iter().cloned());
        let plans: Vec<_> = plan.into_iter().collect();
        shown(&plans, &findings, &loaded.sources);
        for plan in plans {
            saved(plan, &account.desired, &room.live);
        }
        Verdict::Taken
    });
}
