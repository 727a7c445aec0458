//! Caps: how many objects one plan may touch.

use foldhash::HashMap;

use crate::model::{Capped, Change, FieldName, FieldValue, Kind, Verb};

use super::{Block, Case, Guard};

/// A block for each cap that is exceeded; the strictest policy counts.
pub(super) fn judge(case: &Case<'_>) -> Vec<Block> {
    let touched = Touched::new(case.changes);
    Capped::ALL.into_iter().filter_map(|capped| exceeded(case, &touched, capped)).collect()
}

fn exceeded(case: &Case<'_>, touched: &Touched<'_>, capped: Capped) -> Option<Block> {
    let live = match capped {
        Capped::NumberUpdate | Capped::NumberUnassign => case.live.numbers.len(),
        Capped::GroupCreate | Capped::GroupUpdate | Capped::GroupDelete => case.live.ring_groups.len(),
    };
    let limits = case.policies.iter().filter_map(|policy| {
        let (cap, span) = policy.guards.caps.get(capped);
        cap.map(|cap| (cap.limit(live), span, *policy))
    });
    let (limit, span, policy) = limits.min_by_key(|(limit, ..)| *limit)?;
    let count = touched.count(capped);
    if count <= limit {
        return None;
    }
    let (one, many, verb) = words(capped);
    let noun = if count == 1 { one } else { many };
    let message = format!(
        "{count} {noun} would be {verb}, and `caps.{}` allows {limit} in an account of {live}",
        capped.as_str()
    );
    let mut block = case.block(Guard::Cap, policy, span, message);
    block.changes =
        case.changes.iter().filter(|change| touched.counts(change, capped)).map(|change| change.id).collect();
    Some(block)
}

fn words(capped: Capped) -> (&'static str, &'static str, &'static str) {
    let (number, group) = (("number", "numbers"), ("ring group", "ring groups"));
    let ((one, many), verb) = match capped {
        Capped::NumberUpdate => (number, "changed"),
        Capped::NumberUnassign => (number, "left without a destination"),
        Capped::GroupCreate => (group, "made"),
        Capped::GroupUpdate => (group, "changed"),
        Capped::GroupDelete => (group, "deleted"),
    };
    (one, many, verb)
}

/// What happens to each object in all: one that is written twice counts once.
struct Touched<'a> {
    numbers: usize,
    unassigned: usize,
    /// Only groups are ever written twice. Those that the plan makes have no id yet, but a name of their own.
    groups: HashMap<(bool, &'a str), Verb>,
}

impl<'a> Touched<'a> {
    fn new(changes: &'a [Change]) -> Self {
        let mut touched = Self { numbers: 0, unassigned: 0, groups: HashMap::default() };
        for change in changes {
            if change.object.kind == Kind::Number {
                touched.numbers += 1;
                touched.unassigned += usize::from(unassigns(change));
            } else {
                let verb = touched.groups.entry(object(change)).or_insert(change.verb);
                // An update beside it is only a step on the way there.
                if *verb == Verb::Update {
                    *verb = change.verb;
                }
            }
        }
        touched
    }

    fn count(&self, capped: Capped) -> usize {
        let groups = |wanted| self.groups.values().filter(|verb| **verb == wanted).count();
        match capped {
            Capped::NumberUpdate => self.numbers,
            Capped::NumberUnassign => self.unassigned,
            Capped::GroupCreate => groups(Verb::Create),
            Capped::GroupUpdate => groups(Verb::Update),
            Capped::GroupDelete => groups(Verb::Delete),
        }
    }

    fn counts(&self, change: &Change, capped: Capped) -> bool {
        let number = change.object.kind == Kind::Number;
        let group = |wanted| !number && self.groups.get(&object(change)) == Some(&wanted);
        match capped {
            Capped::NumberUpdate => number,
            Capped::NumberUnassign => unassigns(change),
            Capped::GroupCreate => group(Verb::Create),
            Capped::GroupUpdate => group(Verb::Update),
            Capped::GroupDelete => group(Verb::Delete),
        }
    }
}

fn object(change: &Change) -> (bool, &str) {
    match &change.object.id {
        Some(id) => (true, &id.0),
        None => (false, &change.object.name),
    }
}

fn unassigns(change: &Change) -> bool {
    change.object.kind == Kind::Number && change.after(FieldName::To) == Some(&FieldValue::None)
}
