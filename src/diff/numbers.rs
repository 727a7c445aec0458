//! Numbers: where they go and what is written beside them.

use crate::diag::{Diagnostic, Findings, Rule, attribute};
use crate::model::{Declaration, DesiredNumber, FieldName, Handle, Kind, LiveNumber, Unassigned};

use super::delta::NumberDelta;
use super::resolve::{Resolver, unsupported};

/// So many references are looked up at once.
const BATCH: usize = 256;

/// The numbers that differ, in the order of the numbers, and how many the account does not have. Both lists are sorted, so one walk is enough.
pub(super) fn compare(resolver: &Resolver<'_, '_>, diagnostics: &mut Findings) -> (Vec<NumberDelta>, usize) {
    let (mut deltas, mut missing) = (Vec::new(), 0);
    let labels = !resolver.desired.policy.ignore.contains(&FieldName::Label);
    let mut live = (0u32..).zip(&resolver.directory.live().numbers).peekable();
    let look_up = |number: &DesiredNumber| number.to.value.as_ref().map(|to| resolver.find(to));
    // Many look-ups at a time: each waits for memory, and a machine waits for several if little stands between them.
    let found = resolver.desired.numbers.chunks(BATCH).flat_map(|batch| batch.iter().map(look_up).collect::<Vec<_>>());
    for ((index, desired), found) in (0u32..).zip(&resolver.desired.numbers).zip(found) {
        while live.next_if(|(_, number)| number.number < desired.number).is_some() {}
        let Some((position, number)) = live.next_if(|(_, number)| number.number == desired.number) else {
            diagnostics.push(missing_number(resolver, desired).of(Declaration::Number(index)));
            missing += 1;
            continue;
        };
        let mut wrong = Vec::new();
        let wanted = resolver.found(&desired.to, found, &mut wrong);
        let to = wanted.and_then(|wanted| destination(resolver, desired, (position, number), wanted, &mut wrong));
        let label = labels && desired.label.as_ref().is_some_and(|label| label.value != number.label);
        if label {
            label_fits(resolver, desired, &mut wrong);
        }
        attribute(&mut wrong, Declaration::Number(index));
        diagnostics.extend(wrong);
        if to.is_some() || label {
            deltas.push(NumberDelta { live: position, desired: index, to, label });
        }
    }
    (deltas, missing)
}

fn destination(
    resolver: &Resolver<'_, '_>,
    desired: &DesiredNumber,
    (position, number): (u32, &LiveNumber),
    wanted: Option<Handle>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Option<Handle>> {
    let account = resolver.directory.live();
    if wanted.is_none() {
        if account.account.default_number == Some(number.number) {
            diagnostics.push(
                Diagnostic::new(
                    Rule::DEFAULT_NUMBER_UNASSIGNED,
                    Some(desired.to.span),
                    format!("{} is the account's default number and must keep a destination", number.number),
                )
                .hint("map it to a receptionist, a ring group, a user or a conference"),
            );
        } else if number.to.is_some() {
            diagnostics.extend(unassigned(account.capabilities.unassigned, desired));
        }
    }
    let same = match (&number.to, wanted) {
        (None, None) => true,
        (Some(_), Some(handle)) => resolver.directory.destination(position) == Some(handle),
        _ => false,
    };
    if let Some(handle) = wanted {
        if !account.capabilities.destinations.contains(&handle.kind) {
            let what = format!("send a number to {}", handle.kind.with_article());
            diagnostics.push(unsupported(desired.to.span, &what));
        }
        diagnostics.extend(resolver.own_number(handle, desired.to.span));
        let from = Handle { kind: Kind::Number, index: position };
        diagnostics.extend(resolver.other_site(from, handle, desired.to.span).filter(|_| !same));
    }
    (!same).then_some(wanted)
}

/// What is wrong with leaving a number without a destination at this vendor.
fn unassigned(becomes: Unassigned, desired: &DesiredNumber) -> Option<Diagnostic> {
    let (number, span) = (desired.number, desired.to.span);
    match becomes {
        Unassigned::EndsCall => None,
        Unassigned::Default => {
            let message = format!("without a destination, calls to {number} go to the account's default destination");
            let finding = Diagnostic::new(Rule::UNASSIGNED_GOES_TO_DEFAULT, Some(span), message);
            Some(finding.hint("name the destination, so that a change of the default does not change this number"))
        }
        Unassigned::Unsupported => Some(unsupported(span, "leave a number without a destination")),
        Unassigned::ReleasesNumber => {
            let finding = unsupported(span, &format!("leave {number} without a destination: it would lose the number"));
            Some(finding.hint("release a number in the vendor's portal, and remove it from the file"))
        }
    }
}

fn label_fits(resolver: &Resolver<'_, '_>, desired: &DesiredNumber, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(most) = resolver.directory.live().capabilities.label_most
        && let Some(label) = &desired.label
        && label.value.chars().count() > most
    {
        diagnostics.push(unsupported(label.span, &format!("keep a label of more than {most} characters")));
    }
}

fn missing_number(resolver: &Resolver<'_, '_>, desired: &DesiredNumber) -> Diagnostic {
    let name = desired.number.to_string();
    if let Some(one) = resolver.directory.unreadable_number(&name) {
        let message = format!("the number {name} of the account cannot be managed: {}", one.why);
        return Diagnostic::new(Rule::UNREADABLE_OBJECT, Some(desired.span), message)
            .hint("remove it from the file until the account has it once and in a form that can be read");
    }
    Diagnostic::new(
        Rule::NUMBER_NOT_IN_ACCOUNT,
        Some(desired.span),
        format!("the account does not have the {} {}", Kind::Number, desired.number),
    )
    .hint("order or port it first, or remove it from the file: an edit never orders a number")
}
