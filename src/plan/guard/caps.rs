//! Caps: how many objects one plan may touch, and the plans of several accounts' files that share a live account.

use foldhash::HashMap;

use crate::model::{Capped, Change, ChangeId, Desired, FieldName, FieldValue, LiveAccount, Span, Verb, WritableKind};
use crate::plan::Plan;
use crate::text::sanitized;

use super::{Guard, GuardContext, GuardViolation, PolicySource, policies};

/// How many objects a live account has, which caps are a share of.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    numbers: usize,
    ring_groups: usize,
}

/// The plan of one account among several whose files share a live account.
pub struct Sharing<'a> {
    /// The plan, which gets the blocks.
    pub plan: &'a mut Plan,
    /// What its files ask for, with their policy and those before it.
    pub desired: &'a Desired,
    /// The live account as it was read for this plan.
    pub size: Size,
}

/// A block for each cap that is exceeded; the strictest policy counts.
pub(super) fn evaluate(case: &GuardContext<'_>) -> Vec<GuardViolation> {
    let touched = Touched::new(case.changes);
    Capped::ALL.into_iter().filter_map(|capped| exceeded(case, &touched, capped)).collect()
}

/// Adds a block for each cap that plans which share a live account exceed together; the strictest policy of all counts.
///
/// What one of them changes alone is judged by its own caps only.
pub fn cap_together(shares: &mut [Sharing<'_>]) {
    let mut blocks: Vec<Vec<GuardViolation>> = vec![Vec::new(); shares.len()];
    let touched: Vec<Touched<'_>> = shares.iter().map(|share| Touched::new(&share.plan.changes)).collect();
    for capped in Capped::ALL {
        let counts: Vec<usize> = touched.iter().map(|touched| touched.count(capped)).collect();
        if counts.iter().filter(|count| **count > 0).count() < 2 {
            continue;
        }
        let limits =
            shares.iter().filter_map(|share| Some((strictest(&policies(share.desired), share.size, capped)?, share)));
        let Some(((limit, span, policy), strict)) = limits.min_by_key(|((limit, ..), _)| *limit) else { continue };
        let count = counts.iter().sum();
        if count <= limit {
            continue;
        }
        let names: Vec<&str> = shares.iter().map(|share| share.plan.account.as_str()).collect();
        let message = format!(
            "{}, counted over the accounts that are one live account ({}){}",
            says(capped, count, (limit, strict.size)),
            sanitized(&names.join(", "), 400),
            policy.suffix()
        );
        let place = span.filter(|_| policy.revision.is_none()).map(|span| strict.desired.place(span));
        for ((share, touched), blocks) in shares.iter().zip(&touched).zip(&mut blocks) {
            let changes = touched.changes(&share.plan.changes, capped);
            if !changes.is_empty() {
                blocks.push(GuardViolation {
                    guard: Guard::Cap,
                    message: message.clone(),
                    changes,
                    place: place.clone(),
                });
            }
        }
    }
    for (share, blocks) in shares.iter_mut().zip(blocks) {
        // A saved plan can have them already.
        let new = blocks.into_iter().filter(|block| !share.plan.blocked.contains(block)).collect::<Vec<_>>();
        share.plan.blocked.extend(new);
    }
}

impl Size {
    pub fn of(live: &LiveAccount) -> Self {
        Self { numbers: live.numbers.len(), ring_groups: live.ring_groups.len() }
    }

    fn count(self, capped: Capped) -> usize {
        match capped {
            Capped::NumberUpdate | Capped::NumberUnassign => self.numbers,
            Capped::GroupCreate | Capped::GroupUpdate | Capped::GroupDelete => self.ring_groups,
        }
    }
}

/// The lowest limit of these policies, where it is written, and whose it is.
fn strictest<'a>(
    policies: &[PolicySource<'a>],
    size: Size,
    capped: Capped,
) -> Option<(usize, Option<Span>, PolicySource<'a>)> {
    let limits = policies.iter().filter_map(|policy| {
        let (cap, span) = policy.guards.caps.get(capped);
        cap.map(|cap| (cap.limit(size.count(capped)), span, *policy))
    });
    limits.min_by_key(|(limit, ..)| *limit)
}

fn says(capped: Capped, count: usize, (limit, size): (usize, Size)) -> String {
    let (one, many, verb) = words(capped);
    let noun = if count == 1 { one } else { many };
    let live = size.count(capped);
    format!("{count} {noun} would be {verb}, and `caps.{}` allows {limit} in an account of {live}", capped.as_str())
}

fn exceeded(case: &GuardContext<'_>, touched: &Touched<'_>, capped: Capped) -> Option<GuardViolation> {
    let size = Size::of(case.live);
    let (limit, span, policy) = strictest(&case.policies, size, capped)?;
    let count = touched.count(capped);
    if count <= limit {
        return None;
    }
    let mut block = case.block(Guard::Cap, policy, span, says(capped, count, (limit, size)));
    block.changes = touched.changes(case.changes, capped);
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
            match change.object.kind {
                WritableKind::Number => {
                    touched.numbers += 1;
                    touched.unassigned += usize::from(unassigns(change));
                }
                WritableKind::RingGroup => {
                    let verb = touched.groups.entry(object(change)).or_insert(change.verb);
                    // An update beside it is only a step on the way there.
                    if *verb == Verb::Update {
                        *verb = change.verb;
                    }
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

    /// The changes that count.
    fn changes(&self, changes: &[Change], capped: Capped) -> Vec<ChangeId> {
        changes.iter().filter(|change| self.counts(change, capped)).map(|change| change.id).collect()
    }

    fn counts(&self, change: &Change, capped: Capped) -> bool {
        let is = |kind| change.object.kind == kind;
        let group = |wanted| is(WritableKind::RingGroup) && self.groups.get(&object(change)) == Some(&wanted);
        match capped {
            Capped::NumberUpdate => is(WritableKind::Number),
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
    change.object.kind == WritableKind::Number && change.after(FieldName::To) == Some(&FieldValue::None)
}
