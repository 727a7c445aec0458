//! Protected numbers and ring groups: what callers reach there changes only with an approval.
//!
//! Protection follows the caller: a group keeps it through a rename, and so do the groups that a protected number or
//! group leads to. A label, a name or an extension number is not what callers reach. The account's default number and
//! the numbers that emergency services call back are always protected.

use foldhash::{HashMap, HashSet};

use crate::model::{Change, E164, FieldName, FieldValue, Kind, LiveRingGroup, NameKey, ObjectId, Span, Verb};

use super::downstream::{From, Reason, Through};
use super::{Guard, GuardContext, GuardViolation, PolicySource};

/// A block for each protected object that is changed.
pub(super) fn evaluate(case: &GuardContext<'_>) -> Vec<GuardViolation> {
    let names = Names::new(case);
    let through = Through::new(case, names.as_ref());
    let mut blocks: Vec<GuardViolation> = Vec::new();
    // A group can be written twice.
    let mut of_group: HashMap<&ObjectId, usize> = HashMap::default();
    for change in case.changes {
        let Some(block) = number(case, change).or_else(|| group(case, (names.as_ref(), &through), change)) else {
            continue;
        };
        let place = match &change.object.id {
            Some(id) if change.object.kind == Kind::RingGroup => *of_group.entry(id).or_insert(blocks.len()),
            _ => blocks.len(),
        };
        if place == blocks.len() {
            blocks.push(block);
        }
        if let Some(block) = blocks.get_mut(place) {
            block.changes.push(change.id);
        }
    }
    blocks
}

fn number(case: &GuardContext<'_>, change: &Change) -> Option<GuardViolation> {
    change.after(FieldName::To)?;
    let number = change.number()?;
    let mut policies = case.policies.iter();
    let listed = policies.find_map(|policy| policy.guards.protect.numbers.get(&number).map(|span| (*policy, *span)));
    if let Some((policy, span)) = listed {
        let message = format!("the protected number {number} would lead elsewhere");
        return Some(case.block(Guard::Protected, policy, Some(span), message));
    }
    let message = implicit(case, number)?;
    Some(GuardViolation { guard: Guard::Protected, message, changes: Vec::new(), place: None })
}

fn implicit(case: &GuardContext<'_>, number: E164) -> Option<String> {
    if case.live.account.default_number == Some(number) {
        return Some(format!("{number}, the account's default number, would lead elsewhere"));
    }
    let found = case.live.numbers.binary_search_by_key(&number, |live| live.number).ok()?;
    let calls_back = case.live.numbers.get(found).is_some_and(|live| live.emergency_callback);
    calls_back.then(|| format!("{number}, which an emergency service calls back, would lead elsewhere"))
}

fn group(
    case: &GuardContext<'_>,
    (names, through): (Option<&Names<'_>>, &Through<'_>),
    change: &Change,
) -> Option<GuardViolation> {
    let live = case.group(change)?;
    let reroutes = change.verb == Verb::Delete || change.fields.iter().any(|field| field.field.spec().routes);
    if !reroutes {
        return None;
    }
    let verb = if change.verb == Verb::Delete { "be deleted" } else { "answer its calls in another way" };
    if let Some((policy, span)) = names.and_then(|names| names.protected(case, live)) {
        let message = format!("the protected ring group `{}` would {verb}", live.name);
        return Some(case.block(Guard::Protected, policy, Some(span), message));
    }
    let Reason { policy, span, from } = through.reason(live)?;
    let from = match from {
        From::Number(number) => format!("the protected number {number} leads"),
        From::Group(group) => format!("the protected ring group `{}` leaves unanswered calls", group.name),
    };
    let message = format!("the ring group `{}`, to which {from}, would {verb}", live.name);
    Some(case.block(Guard::Protected, *policy, Some(*span), message))
}

/// The names by which a policy may refer to a live group: its own, its new one, and its former one.
pub(super) struct Names<'a> {
    /// Names and extension numbers that groups get by this plan.
    given: HashMap<&'a ObjectId, Vec<NameKey>>,
    /// Groups that get another name by this plan.
    renamed: HashSet<&'a ObjectId>,
    /// For each name in the files the one that `renamed_from` has beside it.
    former: HashMap<NameKey, NameKey>,
}

impl<'a> Names<'a> {
    /// `None` if no policy protects a group.
    fn new(case: &GuardContext<'a>) -> Option<Self> {
        if case.policies.iter().all(|policy| policy.guards.protect.groups.is_empty()) {
            return None;
        }
        let mut given: HashMap<&ObjectId, Vec<NameKey>> = HashMap::default();
        let mut renamed = HashSet::default();
        for change in case.changes {
            let Some(live) = case.group(change) else { continue };
            for field in &change.fields {
                let text = match &field.after {
                    FieldValue::Name(name) => {
                        renamed.insert(&live.id);
                        name.as_str()
                    }
                    FieldValue::Extension(extension) => extension.as_str(),
                    _ => continue,
                };
                given.entry(&live.id).or_default().push(NameKey::of(text));
            }
        }
        let former = case.desired.ring_groups.iter().filter_map(|group| {
            let former = group.renamed_from.as_ref()?;
            Some((group.name.value.key(), former.value.key()))
        });
        Some(Self { given, renamed, former: former.collect() })
    }

    /// The policy that protects the group, and where.
    pub(super) fn protected<'c>(
        &self,
        case: &GuardContext<'c>,
        live: &LiveRingGroup,
    ) -> Option<(PolicySource<'c>, Span)> {
        let own = [Some(live.name.as_str()), live.extension.as_ref().map(crate::model::ExtensionNumber::as_str)];
        let mut keys: Vec<NameKey> = own.into_iter().flatten().map(NameKey::of).collect();
        keys.extend(self.given.get(&live.id).into_iter().flatten().cloned());
        // The name that a renamed group gives up may be that of another declaration.
        let given_up = usize::from(self.renamed.contains(&live.id));
        let former: Vec<NameKey> = keys.iter().skip(given_up).filter_map(|key| self.former.get(key)).cloned().collect();
        keys.extend(former);
        case.policies
            .iter()
            .find_map(|policy| policy.guards.protect.find(keys.iter()).map(|reference| (*policy, reference.span)))
    }
}
