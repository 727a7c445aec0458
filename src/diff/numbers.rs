//! Numbers: where they go and what is written beside them.

use crate::diag::{Diagnostic, Findings, Rule, attribute};
use crate::model::{Declaration, DesiredNumber, FieldName, Handle, Kind, LiveNumber, Span};

use super::delta::NumberDelta;
use super::resolve::Resolver;

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
            diagnostics.push(not_in_account(desired).of(Declaration::Number(index)));
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
        } else if !account.capabilities.unassign {
            unsupported(desired.to.span, "leave a number without a destination", diagnostics);
        }
    }
    if let Some(handle) = wanted
        && !account.capabilities.destinations.contains(&handle.kind)
    {
        unsupported(
            desired.to.span,
            &format!("send a number to a {}", handle.kind.as_str().replace('_', " ")),
            diagnostics,
        );
    }
    let same = match (&number.to, wanted) {
        (None, None) => true,
        (Some(_), Some(handle)) => resolver.directory.destination(position) == Some(handle),
        _ => false,
    };
    (!same).then_some(wanted)
}

fn label_fits(resolver: &Resolver<'_, '_>, desired: &DesiredNumber, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(most) = resolver.directory.live().capabilities.label_most
        && let Some(label) = &desired.label
        && label.value.chars().count() > most
    {
        unsupported(label.span, &format!("keep a label of more than {most} characters"), diagnostics);
    }
}

fn unsupported(span: Span, what: &str, diagnostics: &mut Vec<Diagnostic>) {
    let message = format!("this account cannot {what}");
    diagnostics.push(Diagnostic::new(Rule::UNSUPPORTED_BY_PROVIDER, Some(span), message));
}

fn not_in_account(desired: &DesiredNumber) -> Diagnostic {
    Diagnostic::new(
        Rule::NUMBER_NOT_IN_ACCOUNT,
        Some(desired.span),
        format!("the account does not have the {} {}", Kind::Number, desired.number),
    )
    .hint("order or port it first, or remove it from the file: an edit never orders a number")
}
