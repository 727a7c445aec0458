//! What a rollback would do, and what it leaves alone.

use serde_json::json;

use crate::config::Loaded;
use crate::exit::Exit;
use crate::ledger::Run;
use crate::plan::Plan;
use crate::render::{counted, diagnostics, fields, human};
use crate::rollback::Conflict;
use crate::text::sanitized;

use super::super::console::{self, OutputStream};
use super::super::history::Format;
use super::Planned;

/// The version of the JSON document.
const VERSION: u32 = 1;

/// Shows it. Returns the plan, unless a finding is an error.
pub(super) fn show<'p>(
    loaded: &Loaded,
    run: &Run,
    planned: &'p Planned,
    format: Format,
    stream: OutputStream,
) -> Option<&'p Plan> {
    let Planned { plan, conflicts, findings, .. } = planned;
    if format == Format::Json {
        let findings = diagnostics::json(findings, &loaded.sources);
        let report = json!({
            "version": VERSION, "undoes": run.id, "plan": plan, "conflicts": conflicts, "diagnostics": findings,
        });
        console::print_bytes(format!("{report:#}\n").as_bytes());
        return plan.as_ref();
    }
    console::report(loaded, findings);
    if !conflicts.is_empty() {
        stream.say("Left alone, because they changed since the run or cannot be restored:\n");
        for conflict in conflicts {
            stream.say(&line(conflict));
        }
        stream.say("");
    }
    let plan = plan.as_ref()?;
    if plan.is_empty() {
        let rest = if conflicts.is_empty() { "" } else { " else" };
        stream.say(&format!("Nothing{rest} of run {} can be rolled back.", run.id));
        return Some(plan);
    }
    stream.say(&human::plan_of(plan, console::style(), &format!("strowger rollback {}", run.id)));
    Some(plan)
}

fn line(conflict: &Conflict) -> String {
    let object = fields::label(&conflict.object);
    let field = conflict.field.map(|field| format!(" {}", field.as_str())).unwrap_or_default();
    let values = match (&conflict.left, &conflict.now) {
        (Some(left), Some(now)) => {
            format!(": was {} after the run, is {} now", fields::value(left), fields::value(now))
        }
        _ => String::new(),
    };
    format!("  ! {object}{field}: {}{values}", sanitized(&conflict.why, 300))
}

/// What to know after a rollback.
pub(super) fn rolled_back(exit: Exit, conflicts: &[Conflict], stream: OutputStream) {
    if exit != Exit::Ok {
        return;
    }
    if !conflicts.is_empty() {
        let objects = conflicts.iter().map(|conflict| (conflict.object.kind, &conflict.object.name));
        let count = objects.collect::<std::collections::BTreeSet<_>>().len();
        stream.say(&format!("{} left alone, as listed above.", counted(count, "object")));
    }
    stream.say("The files may still contain the reverted changes: revert the files too, or the next apply makes the changes again.");
}
