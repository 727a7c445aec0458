//! The wording in English, with the labels of the newest portal that Ooma documents.

use crate::model::{FieldName, Kind};

use super::words::{Clicks, Gaps, Notes, StepWords, Values, Words};

pub(super) const WORDS: Words = Words {
    title: "Runbook for the account {account} in the Ooma Office portal: {count} to do, in this order",
    introduction: &[
        "Before each step, compare the portal with \"Before\". If anything differs, stop, and make a new plan.",
        "After each step, compare it with \"After\". Only then begin the next step.",
        "Labels are those of the newest portal that Ooma documents; an older portal may use other labels.",
        "\"Not published\" marks what no public page of Ooma's describes: find it in the portal, and check that \"After\" is true.",
    ],
    nothing: "Nothing to do.",
    unplanned: "The account {account} is not planned, so it has no steps here: {why}",
    left_out: "LEFT OUT: these stay as they are, although the files declare them:",
    blocked: "BLOCKED: do not begin until an authorised person has approved exactly this plan, {digest}:",
    sign_in: "Sign in at office.ooma.com (France: office.ooma.fr, Australia: office-au.ooma.com) as administrator.",
    finish: "Update the snapshot to what the portal shows now, and run `strowger plan` again: it must show no changes.",
    digest: "Digest of the plan: {digest}",
    step: StepWords {
        create: "Create the {object}",
        update: "Change the {object}",
        delete: "Delete the {object}",
        held: "BLOCKED by {guards}: not before the plan is approved",
        before: "Before:",
        after: "After:",
        note: "Note:",
        field: "{field}: {value}",
        name_is_free: "nothing is called {name}",
        extension_is_free: "extension {value} is among the unused ones",
        nothing_points_at_it: "no number, ring group or virtual receptionist leads to it",
        is_gone: "the {object} is not in the list any more",
    },
    clicks: Clicks {
        number: &["Settings → Phone Numbers", "the line of {object}"],
        number_choose: "in the drop-down (type to filter) choose the {value}",
        group: &["Settings → the line of {object}"],
        group_option: "on the matching tab, set {field} to: {value}",
        extension: &["Settings → the line of {object}", "on the matching tab, choose the unused extension {value}"],
        members: &["Settings → the line of {object} → Edit Members"],
        member_add: "right arrow: add the {value}",
        member_remove: "left arrow: remove the {value}",
        add: &["Settings → Add"],
        save: "Save",
    },
    gaps: Gaps {
        unassign: "Not published: how a number is left without a destination.",
        label: "Not published: whether and where a number has a label.",
        order: "Not published: how members are moved. Their order matters only if they ring one after the other.",
        duration: "Not published: the unit in which the portal counts; here it is seconds.",
        no_answer: "Not published: any no-answer target but a user's extension or a voicemail box.",
        create: "Not published: that the Add menu makes ring groups; it is known for users and conference bridges.",
        delete: "Not published: how a ring group is deleted.",
    },
    notes: Notes {
        renamed: "it gets another name and stays the same ring group",
        pruned: "it is not in any file, and `policy.prune` is set",
        extension_cycle: "first of two steps: extension numbers are swapped",
        no_answer_cycle: "first of two steps: ring groups point at each other",
        unreachable: "until the next step no number leads to {groups}; every number keeps a destination",
    },
    values: Values {
        none: "(none)",
        chosen: "(the one that the portal offers)",
        simultaneous: "all together (simultaneous)",
        sequential: "one after the other (sequential)",
        seconds: "{seconds} s",
        reference: "{kind} {name}",
    },
    kind,
    field,
};

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "number",
        Kind::User => "user",
        Kind::RingGroup => "ring group",
        Kind::Receptionist => "virtual receptionist",
        Kind::Conference => "conference line",
        Kind::Device => "device",
        Kind::Voicemail => "voicemail box of",
        Kind::External => "outside number",
        Kind::Other => "object",
    }
}

fn field(field: FieldName) -> &'static str {
    match field {
        FieldName::To => "destination",
        FieldName::Label => "label",
        FieldName::Name => "name",
        FieldName::Extension => "extension number",
        FieldName::Ring => "ringing mode",
        FieldName::Members => "members",
        FieldName::RingFor => "ring duration",
        FieldName::NoAnswer => "no-answer target",
    }
}
