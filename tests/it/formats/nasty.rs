//! Texts that would like to be more than text. Nearly each has [`MARK`] in it, so that it can be found again.

use proptest::prelude::*;

use strowger::diag::{Diagnostic, Rule};
use strowger::model::{FieldValue, Place};
use strowger::plan::{Guard, GuardViolation, Plan};

use super::sample::{blocked, finding};

/// No sentence of ours has this in it.
pub const MARK: &str = "zqx";

/// One for each way that was thought of.
pub const TEXTS: &[&str] = &[
    "\u{1b}[2J\u{1b}[31mzqx\u{7}",
    "\u{1b}]8;;https://evil.example/zqx\u{1b}\\click\u{1b}]8;;\u{1b}\\",
    "\u{9b}2Jzqx",
    "zqx\u{8}\u{8}\u{8}ok",
    "# zqx",
    "zqx\n===\n",
    "[zqx](https://evil.example)",
    "![zqx](https://evil.example/a.png)",
    "<https://evil.example/zqx>",
    "```zqx",
    "``````````zqx``````````",
    "~~~zqx",
    "`zqx`",
    "zqx`",
    "| zqx | b |\n|---|---|\n| c | d |",
    "<img src=x onerror=alert(1)>zqx",
    "</code></pre><script>zqx</script>",
    "&lt;zqx&gt;",
    "@zqx @everyone @org/team",
    "zqx #123 GH-123 org/repo#123",
    "::error::zqx",
    "  ::error file=a,line=1::zqx",
    // As a path, before `:line:column`.
    ":",
    "zqx\n::stop-commands::x",
    "zqx\r::add-mask::a",
    "zqx\u{85}::error::a",
    "zqx\u{2028}::error::a",
    "##[group]zqx",
    "zqx ###[error]a",
    "zqx ##vso[task.complete result=Failed;]",
    "zqx%0A::error::a",
    "a,line=7::zqx: b",
    "zqx\u{202e}gpj.exe\u{2066}\u{2069}",
    "z\u{200b}\u{200d}\u{2060}\u{feff}\u{ad} zqx",
    "zqx\u{e0001}\u{e0041}",
    "zqx\n\n\n- a\n- b",
    "zqx\0",
    "zqx {0} {{1}} {account} [a](1) \\[b\\]",
    "$(zqx) ${{ secrets.zqx }}",
    "\"zqx\" 'a' \\",
    "...\nzqx: &a [*a]",
];

/// A megabyte of text.
pub fn endless() -> String {
    MARK.repeat(350_000)
}

/// Any text, with the worst of these in it.
pub fn texts() -> impl Strategy<Value = String> {
    let part =
        prop_oneof![prop::sample::select(TEXTS).prop_map(str::to_owned), any::<String>(), "[`~#:%\\[\\]@<> \r\n]{1,9}"];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

/// A plan in which every text is this one.
pub fn plan(text: &str) -> Plan {
    let mut plan = blocked();
    text.clone_into(&mut plan.account);
    let place = Some(Place { file: text.to_owned(), line: 1, column: 2 });
    for change in &mut plan.changes {
        text.clone_into(&mut change.object.name);
        change.place.clone_from(&place);
        change.unreachable_meanwhile = vec![text.to_owned()];
        for field in &mut change.fields {
            for value in [&mut field.before, &mut field.after] {
                match value {
                    FieldValue::Text(label) => text.clone_into(label),
                    FieldValue::Name(name) => *name = text.parse().unwrap_or_else(|_| name.clone()),
                    FieldValue::Reference(target) => text.clone_into(&mut target.name),
                    FieldValue::References(all) => all.iter_mut().for_each(|target| text.clone_into(&mut target.name)),
                    _ => {}
                }
            }
        }
    }
    for block in &mut plan.blocked {
        text.clone_into(&mut block.message);
        block.place.clone_from(&place);
    }
    plan.blocked.push(GuardViolation {
        guard: Guard::NearlyEmpty,
        message: text.to_owned(),
        changes: Vec::new(),
        place,
    });
    plan
}

/// A finding that says nothing but this.
pub fn diagnostic(text: &str) -> Diagnostic {
    let finding = finding(Rule::BAD_LABEL, 1, 1, 3, text);
    let span = finding.span.unwrap();
    finding.related(span, text).hint(text)
}
