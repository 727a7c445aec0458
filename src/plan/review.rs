//! Whether a plan is what several reviews let through together.
//!
//! Two pull requests may be planned against the same account and merged one after the other before either is applied.
//! What is planned then is neither of the two plans, but it was reviewed if its changes are exactly those of both. A
//! change is the same one if it does the same to the same object, over the same pre-image, and makes the same groups
//! unreachable meanwhile. Its position, and what it waits for, are the planner's: they keep callers served in any plan.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::ChangeId;

use super::Plan;
use super::digest::Digest;

/// What the review of one account's plan let through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// The account: the digest of the vendor's id.
    pub account: Digest,
    /// The digest of each change.
    pub changes: BTreeSet<Digest>,
}

/// How a plan differs from what was reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreviewed {
    /// The changes of the plan that no review has.
    pub changes: Vec<ChangeId>,
    /// How many changes of the reviews the plan does not have.
    pub missing: usize,
}

impl Review {
    pub fn of(plan: &Plan) -> Self {
        let changes = plan.changes.iter().map(|change| Digest::of_change(&plan.account_id, change));
        Self { account: Digest::of_account(&plan.account_id), changes: changes.collect() }
    }
}

/// How a plan differs from the union of the reviews of its account; `None` if it is exactly that.
pub fn unreviewed(plan: &Plan, reviews: &[Review]) -> Option<Unreviewed> {
    let account = Digest::of_account(&plan.account_id);
    let mine = reviews.iter().filter(|review| review.account == account);
    let reviewed: BTreeSet<&Digest> = mine.flat_map(|review| &review.changes).collect();
    let mut planned = BTreeSet::new();
    let mut changes = Vec::new();
    for change in &plan.changes {
        let digest = Digest::of_change(&plan.account_id, change);
        // A review is of one such change, not of two.
        if !reviewed.contains(&digest) || !planned.insert(digest) {
            changes.push(change.id);
        }
    }
    let missing = reviewed.into_iter().filter(|digest| !planned.contains(digest)).count();
    (!changes.is_empty() || missing > 0).then_some(Unreviewed { changes, missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Change, FieldChange, FieldName, FieldValue, Kind, ObjectLabel, PlannedRef, PreImage, Reason, Revision, Verb,
        WritableKind,
    };
    use crate::plan::CallEstimate;

    fn label(id: u32, number: &str, after: &str) -> Change {
        Change {
            id: ChangeId(id),
            verb: Verb::Update,
            object: ObjectLabel { kind: WritableKind::Number, id: Some(number.into()), name: number.to_owned() },
            fields: vec![FieldChange {
                field: FieldName::Label,
                before: FieldValue::None,
                after: FieldValue::Text(after.to_owned()),
            }],
            reason: Reason::Declared,
            place: None,
            depends_on: Vec::new(),
            expects: Some(PreImage("as it was".to_owned())),
            revision: None,
            unreachable_meanwhile: Vec::new(),
            gap: false,
            calls: 1,
            steps: Vec::new(),
            document: None,
        }
    }

    /// A number that is pointed at a group which this change of the same plan makes.
    fn pointed(id: u32, number: &str, maker: u32) -> Change {
        let target = PlannedRef {
            kind: Kind::RingGroup,
            id: None,
            name: "ventes".to_owned(),
            created_by: Some(ChangeId(maker)),
        };
        let after = FieldValue::Reference(target);
        let fields = vec![FieldChange { field: FieldName::To, before: FieldValue::None, after }];
        Change { fields, depends_on: vec![ChangeId(maker)], ..label(id, number, "") }
    }

    fn plan(changes: Vec<Change>) -> Plan {
        Plan {
            claim: None,
            version: Plan::VERSION,
            account: "paris".into(),
            account_id: "1".into(),
            digest: Digest::of("1", &changes),
            changes,
            in_sync: 0,
            unmanaged: crate::diff::Unmanaged::default(),
            unreadable: Vec::new(),
            estimate: CallEstimate::default(),
            blocked: Vec::new(),
            skipped: Vec::new(),
            only: Vec::new(),
        }
    }

    fn reviews(plans: &[Vec<Change>]) -> Vec<Review> {
        plans.iter().map(|changes| Review::of(&plan(changes.clone()))).collect()
    }

    #[test]
    fn exactly_the_changes_of_all_reviews_are_reviewed_in_any_order() {
        let both = plan(vec![label(1, "+1", "a"), label(2, "+2", "b"), label(3, "+3", "c")]);
        let (a, b) = (vec![label(1, "+3", "c")], vec![label(1, "+1", "a"), label(2, "+2", "b")]);
        assert_eq!(unreviewed(&both, &reviews(&[a.clone(), b.clone()])), None);
        assert_eq!(
            unreviewed(&both, &reviews(&[b.clone(), a.clone(), a.clone()])),
            None,
            "both may have the same change"
        );
        let lacks = Unreviewed { changes: vec![ChangeId(3)], missing: 0 };
        assert_eq!(unreviewed(&both, &reviews(std::slice::from_ref(&b))), Some(lacks));
        let more = Unreviewed { changes: Vec::new(), missing: 1 };
        assert_eq!(unreviewed(&both, &reviews(&[a, b, vec![label(1, "+4", "d")]])), Some(more));
        let none = Unreviewed { changes: vec![ChangeId(1), ChangeId(2), ChangeId(3)], missing: 0 };
        assert_eq!(unreviewed(&both, &[]), Some(none));
    }

    #[test]
    fn a_change_that_does_anything_else_is_another_one() {
        let reviewed = reviews(&[vec![label(1, "+1", "a")]]);
        let others = [
            label(1, "+1", "b"),
            label(1, "+2", "a"),
            Change { expects: Some(PreImage("as it is".to_owned())), ..label(1, "+1", "a") },
            Change { reason: Reason::Pruned, ..label(1, "+1", "a") },
            Change { verb: Verb::Create, ..label(1, "+1", "a") },
            Change { unreachable_meanwhile: vec!["ventes".to_owned()], ..label(1, "+1", "a") },
        ];
        for other in others {
            let difference = Unreviewed { changes: vec![ChangeId(1)], missing: 1 };
            assert_eq!(unreviewed(&plan(vec![other.clone()]), &reviewed), Some(difference), "{other:?}");
        }
        let of_another_account = Plan { account_id: "2".into(), ..plan(vec![label(1, "+1", "a")]) };
        let difference = Unreviewed { changes: vec![ChangeId(1)], missing: 0 };
        assert_eq!(unreviewed(&of_another_account, &reviewed), Some(difference));
        let twice = plan(vec![label(1, "+1", "a"), label(2, "+1", "a")]);
        let difference = Unreviewed { changes: vec![ChangeId(2)], missing: 0 };
        assert_eq!(unreviewed(&twice, &reviewed), Some(difference));
    }

    #[test]
    fn where_a_change_stands_in_its_plan_does_not_matter() {
        let alone = reviews(&[vec![label(1, "+1", "a"), pointed(2, "+2", 1)]]);
        let moved = Change {
            revision: Some(Revision("7".into())),
            calls: 2,
            steps: Vec::new(),
            document: None,
            depends_on: vec![ChangeId(1)],
            ..label(2, "+1", "a")
        };
        assert_eq!(unreviewed(&plan(vec![pointed(1, "+2", 9), moved]), &alone), None);
    }
}
