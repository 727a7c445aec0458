//! What a rollback would do, and what it leaves alone.

use serde_json::json;

use crate::config::Loaded;
use crate::exit::Exit;
use crate::ledger::Run;
use crate::model::Kind;
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
    voice: OutputStream,
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
        voice.say("Left alone, because they are no longer as the run left them or cannot be brought back:\n");
        for conflict in conflicts {
            voice.say(&line(conflict));
        }
        voice.say("");
    }
    let plan = plan.as_ref()?;
    if plan.is_empty() {
        let rest = if conflicts.is_empty() { "" } else { " else" };
        voice.say(&format!("Nothing{rest} of run {} is left to roll back.", run.id));
        return Some(plan);
    }
    voice.say(&human::plan_of(plan, console::style(), &format!("strowger rollback {}", run.id)));
    Some(plan)
}

fn line(conflict: &Conflict) -> String {
    let object = match conflict.object.kind {
        Kind::Number => conflict.object.name.clone(),
        kind => format!("{kind}/{}", conflict.object.name),
    };
    let field = conflict.field.map(|field| format!(" {}", field.as_str())).unwrap_or_default();
    let values = match (&conflict.left, &conflict.now) {
        (Some(left), Some(now)) => format!(": the run left {}, now it is {}", fields::value(left), fields::value(now)),
        _ => String::new(),
    };
    format!("  ! {}{field}: {}{values}", sanitized(&object, 300), sanitized(&conflict.why, 300))
}

/// What to know after a rollback.
pub(super) fn rolled_back(exit: Exit, conflicts: &[Conflict], voice: OutputStream) {
    if exit != Exit::Ok {
        return;
    }
    if !conflicts.is_empty() {
        let objects = conflicts.iter().map(|conflict| (conflict.object.kind, &conflict.object.name));
        let count = objects.collect::<std::collections::BTreeSet<_>>().len();
        voice.say(&format!("{} left alone, as listed above.", counted(count, "object")));
    }
    voice.say("The files may still ask for what was undone: revert them too, or the next apply does it again.");
}
