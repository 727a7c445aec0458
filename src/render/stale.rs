//! What changed since a plan was saved, for people.

use std::fmt::Write as _;

use crate::model::FieldValue;
use crate::plan::{StaleChange, StaleReason};

use super::fields::{label, sanitized, value};

/// The most objects that are listed; the rest are counted.
const LISTED: usize = 50;

/// A block of lines for each object.
pub fn human(list: &[StaleChange]) -> String {
    let mut text = String::new();
    for moved in list.iter().take(LISTED) {
        let _ = writeln!(text, "  {}", label(&moved.object));
        for how in &moved.how {
            let _ = writeln!(text, "      {}", line(how));
        }
    }
    if list.len() > LISTED {
        let _ = writeln!(text, "  and {} more", list.len() - LISTED);
    }
    text
}

fn line(how: &StaleReason) -> String {
    match how {
        StaleReason::Gone => "it no longer exists".to_owned(),
        StaleReason::Field { field, planned, now, done } => {
            let done = if *done { ", as planned" } else { "" };
            format!("{}: was {} when the plan was made, is {} now{done}", field.as_str(), value(planned), value(now))
        }
        StaleReason::Name { now } => format!("it is now called {}", sanitized(now)),
        StaleReason::OtherField => "a field that the plan does not write has changed".to_owned(),
        StaleReason::Taken { field, by } => format!("its {} is now used by {}", field.as_str(), sanitized(by)),
        StaleReason::TargetGone { field, target } => {
            format!("{}: {} no longer exists", field.as_str(), value(&FieldValue::Reference(target.clone())))
        }
        StaleReason::TargetName { field, target, now } => {
            let target = value(&FieldValue::Reference(target.clone()));
            format!("{}: {target} is now called {}", field.as_str(), sanitized(now))
        }
        StaleReason::Used { by } => format!("{} now points at it", sanitized(by)),
    }
}
