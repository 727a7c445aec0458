//! The wording of a runbook, one table for each language, and the clicks that Ooma documents.
//!
//! Where the clicks come from, all read on public pages of support.ooma.com and wework-support.ooma.com:
//!
//! - where to sign in, and as whom: pages of the US, French and Australian portals;
//! - where a number leads (Settings, Phone Numbers, the number's line, the drop-down, Save): "How to change a user's
//!   extension or direct access phone number". The French labels are those of the older portal;
//! - a ring group's options (its line, the tab, Save), with a user's extension or a voicemail box as the documented
//!   no-answer targets: "How to configure a ring group's options";
//! - a ring group's members (its line, Edit Members, the arrows, Save): "How to add and remove members from a ring
//!   group";
//! - an extension number, in French: "Changer un numéro de poste", which names ring groups among the extensions
//!   that it is about;
//! - the Add menu: documented for users and conference bridges; for ring groups it is inferred.
//!
//! No page was found for: a number without a destination, a number's label, the order of members, the unit of the
//! ring duration, other no-answer targets, the creation form and the deletion of a ring group. Steps say so.

use crate::model::{FieldName, Kind};

/// The sentences and labels of one language. `{…}` is filled in; a list of clicks has one line for each.
pub(super) struct Words {
    /// `{account}`, `{count}`.
    pub(super) title: &'static str,
    pub(super) introduction: &'static [&'static str],
    pub(super) nothing: &'static str,
    /// `{account}`, `{why}`.
    pub(super) unplanned: &'static str,
    /// `{digest}`; the reasons follow.
    pub(super) blocked: &'static str,
    pub(super) left_out: &'static str,
    pub(super) sign_in: &'static str,
    pub(super) finish: &'static str,
    /// `{digest}`.
    pub(super) digest: &'static str,
    pub(super) step: StepWords,
    pub(super) clicks: Clicks,
    pub(super) gaps: Gaps,
    pub(super) notes: Notes,
    pub(super) values: Values,
    /// What the portal calls a kind of object.
    pub(super) kind: fn(Kind) -> &'static str,
    /// What the portal calls a field.
    pub(super) field: fn(FieldName) -> &'static str,
}

/// The frame of a step.
pub(super) struct StepWords {
    /// `{object}`, as the three below.
    pub(super) create: &'static str,
    pub(super) update: &'static str,
    pub(super) delete: &'static str,
    /// `{guards}`.
    pub(super) held: &'static str,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
    pub(super) note: &'static str,
    /// `{field}`, `{value}`.
    pub(super) field: &'static str,
    /// `{name}`.
    pub(super) name_is_free: &'static str,
    /// `{value}`.
    pub(super) extension_is_free: &'static str,
    pub(super) nothing_points_at_it: &'static str,
    /// `{object}`.
    pub(super) is_gone: &'static str,
}

/// What Ooma documents, click by click. `{object}` is what is clicked, `{value}` what is chosen.
pub(super) struct Clicks {
    pub(super) number: &'static [&'static str],
    pub(super) number_choose: &'static str,
    pub(super) group: &'static [&'static str],
    /// `{field}`, `{value}`.
    pub(super) group_option: &'static str,
    pub(super) extension: &'static [&'static str],
    pub(super) members: &'static [&'static str],
    pub(super) member_add: &'static str,
    pub(super) member_remove: &'static str,
    pub(super) add: &'static [&'static str],
    pub(super) save: &'static str,
}

/// What Ooma does not document.
pub(super) struct Gaps {
    pub(super) unassign: &'static str,
    pub(super) label: &'static str,
    pub(super) order: &'static str,
    pub(super) duration: &'static str,
    pub(super) no_answer: &'static str,
    pub(super) create: &'static str,
    pub(super) delete: &'static str,
}

/// What to know about a change beyond its fields.
pub(super) struct Notes {
    pub(super) renamed: &'static str,
    pub(super) pruned: &'static str,
    pub(super) extension_cycle: &'static str,
    pub(super) no_answer_cycle: &'static str,
    /// `{groups}`.
    pub(super) unreachable: &'static str,
}

/// Values that are words.
pub(super) struct Values {
    pub(super) none: &'static str,
    pub(super) chosen: &'static str,
    pub(super) simultaneous: &'static str,
    pub(super) sequential: &'static str,
    /// `{seconds}`.
    pub(super) seconds: &'static str,
    /// `{kind}`, `{name}`.
    pub(super) reference: &'static str,
}

/// A sentence with its blanks filled. What is filled in is never looked at again: it may have braces of its own.
pub(super) fn fill(sentence: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, blank)) = rest.split_once('{') {
        let (name, after) = blank.split_once('}').unwrap_or((blank, ""));
        filled.push_str(before);
        filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(fill("{a} to {b}.", &[("a", "{b}"), ("b", "x")]), "{b} to x.");
        assert_eq!(fill("plain", &[]), "plain");
    }
}
