//! The `policy` section: guards, ownership, severities.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde_json::json;

use crate::diag::Severity;
use crate::model::{Capped, Ignorable};

/// What Strowger may do, and how it judges.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PolicySection {
    /// Other severities for rules, by rule id (see docs/rules.md). Rules that are fixed there cannot be
    /// lowered.
    #[schemars(example = json!({"long-wait": "error"}), extend("default" = json!({})))]
    pub rules: Option<BTreeMap<String, RuleSeverity>>,
    /// What is deleted because no file declares it. Without it nothing is.
    #[schemars(example = &"ring_groups")]
    pub prune: Option<Prune>,
    /// How many objects one plan may touch before it needs an approval (see docs/guards.md).
    #[schemars(example = json!({"numbers": {"update": {"percent": 10}, "unassign": "off"}}), extend("default" = json!({})))]
    pub caps: Option<CapsSection>,
    /// Numbers and ring groups that keep their destination until a change of it is approved. The account's
    /// default number and its emergency call-back numbers always do.
    #[schemars(
        inner(regex(pattern = r"^(\+[1-9][0-9]{6,14}|ring_group/.*\S)$")),
        example = json!(["+33142685300", "ring_group/ventes"]),
        extend("default" = json!([]))
    )]
    pub protect: Option<Vec<String>>,
    /// What these files own. Changes of anything else are held back, and nothing else is pruned.
    #[schemars(example = json!({"numbers": ["+33142685300..+33142685399"], "ring_groups": ["fr-*"]}))]
    pub scope: Option<ScopeSection>,
    /// Fields of existing objects that are neither compared nor written. A new ring group still gets what its
    /// file says.
    #[schemars(transform = ignorable, example = json!(["numbers.label", "ring_groups.ring_for"]), extend("default" = json!([])))]
    pub ignore: Option<Vec<String>>,
    /// What `strowger watch` does about changes that were made in the account. Only `strowger watch` reads it.
    #[schemars(example = json!({"numbers": "correct", "ring_groups": "report"}), extend("default" = json!({})))]
    pub drift: Option<DriftSection>,
    /// When changes may be written; without it, at any time. Outside of all windows, plans are held back.
    #[schemars(
        length(min = 1, max = 100),
        example = json!([{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "18:00", "zone": "Europe/Paris"}])
    )]
    pub windows: Option<Vec<WindowEntry>>,
    /// While this is here, and until its time if it has one, nothing is written: plans are held back.
    #[schemars(example = json!({"until": "2026-12-01T08:00:00+01:00", "reason": "porting to the new carrier"}))]
    pub suspend: Option<SuspendSection>,
}

/// What becomes of drift, for each kind of object.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DriftSection {
    /// Of numbers.
    #[schemars(extend("default" = "correct"), example = &"report")]
    pub numbers: Option<OnDrift>,
    /// Of ring groups.
    #[schemars(extend("default" = "correct"), example = &"adopt")]
    pub ring_groups: Option<OnDrift>,
}

/// What happens to an object that was changed in the account.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum OnDrift {
    /// It is reported, and stays.
    Report,
    /// It becomes what the files say.
    Correct,
    /// The files are to become what it is.
    Adopt,
}

/// Hours of days of the week, by the clocks of a time zone.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WindowEntry {
    /// The days on which it begins. Without them, every day.
    #[schemars(length(min = 1), example = json!(["mon", "fri"]))]
    pub days: Option<Vec<Day>>,
    /// When it opens: hours and minutes in quotes.
    #[schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), example = &"08:00")]
    pub from: String,
    /// When it closes, on the next day if that is earlier than `from`; `24:00` is the end of the day.
    #[schemars(regex(pattern = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"), example = &"18:00")]
    pub to: String,
    /// The time zone of the clocks, by its name in the IANA database.
    #[schemars(length(min = 1), example = &"Europe/Paris")]
    pub zone: String,
}

/// A day of the week.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// Nothing is written for the time being.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SuspendSection {
    /// Until when: date, time and offset in quotes. Without it, until these lines go.
    #[schemars(
        regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})$"),
        example = &"2026-12-01T08:00:00+01:00"
    )]
    pub until: Option<String>,
    /// Why, in a few words, for those who wait for a change.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[^\u2028\u2029]*$"), example = &"porting to the new carrier")]
    pub reason: String,
}

/// Caps, for each kind of object.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CapsSection {
    /// Caps on numbers.
    pub numbers: Option<NumberCaps>,
    /// Caps on ring groups.
    pub ring_groups: Option<RingGroupCaps>,
}

/// Caps on numbers.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NumberCaps {
    /// Numbers that are changed in any way.
    #[schemars(transform = update_default)]
    pub update: Option<Cap>,
    /// Numbers that lose their destination.
    #[schemars(transform = unassign_default)]
    pub unassign: Option<Cap>,
}

/// Caps on ring groups.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RingGroupCaps {
    /// Groups that are made.
    #[schemars(transform = create_default)]
    pub create: Option<Cap>,
    /// Groups that are changed.
    #[schemars(transform = group_update_default)]
    pub update: Option<Cap>,
    /// Groups that are deleted.
    #[schemars(transform = delete_default)]
    pub delete: Option<Cap>,
}

/// A cap, or none.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Cap {
    /// The most objects that one plan may touch: the larger of `percent` and `floor`, and never above `most`.
    Limits(CapLimits),
    /// No cap.
    Off(Off),
}

/// The most objects that one plan may touch. What is left out has the default of its cap.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CapLimits {
    /// Never more than this, however large the account. Without it there is no such limit.
    #[schemars(range(min = 0, max = 10_000_000), example = 100)]
    pub most: Option<u32>,
    /// This share of the account's objects of the kind, in percent.
    #[schemars(range(min = 0, max = 100), example = 30)]
    pub percent: Option<u8>,
    /// At least this many, so that a small account is not held up by arithmetic.
    #[schemars(range(min = 0, max = 10_000_000), example = 10)]
    pub floor: Option<u32>,
}

/// What the files own, for each kind of object. A list that is not there owns everything of its kind, an empty
/// list nothing.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ScopeSection {
    /// Numbers in quotes: one, a range with both ends (`..`), or all that begin so (`*`).
    #[schemars(
        inner(regex(pattern = r"^(\+[1-9][0-9]{6,14}(\.\.\+[1-9][0-9]{6,14})?|\+[1-9][0-9]{0,14}\*)$")),
        example = json!(["+33142685300..+33142685399", "+331426854*", "+33142685300"])
    )]
    pub numbers: Option<Vec<String>>,
    /// Names of ring groups, or with `*` the beginnings of names.
    #[schemars(
        inner(
            length(min = 1, max = 129),
            regex(pattern = r"^[^*\x00-\x1f\x7f]*[^*\s\x00-\x1f\x7f][^*\x00-\x1f\x7f]*\*?$")
        ),
        example = json!(["fr-*", "ventes"])
    )]
    pub ring_groups: Option<Vec<String>>,
}

/// What to make of a rule.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum RuleSeverity {
    /// How much a breach matters.
    Severity(Severity),
    /// Not at all.
    Off(Off),
}

/// The rule is not checked.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Off {
    /// The rule is not checked.
    Off,
}

/// One kind of object, or a list of kinds.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Prune {
    /// One.
    One(Prunable),
    /// Several.
    Many(Vec<Prunable>),
}

/// What can be deleted because no file declares it.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Prunable {
    /// Ring groups that nothing points at.
    RingGroups,
}

fn ignorable(schema: &mut Schema) {
    let words: Vec<&str> = Ignorable::ALL.iter().map(|field| field.as_str()).collect();
    schema.insert("items".to_owned(), json!({"enum": words}));
}

fn cap_default(schema: &mut Schema, capped: Capped) {
    let cap = capped.default_cap();
    schema.insert("default".to_owned(), json!({"percent": cap.percent, "floor": cap.floor}));
}

fn update_default(schema: &mut Schema) {
    cap_default(schema, Capped::NumberUpdate);
}

fn unassign_default(schema: &mut Schema) {
    cap_default(schema, Capped::NumberUnassign);
}

fn create_default(schema: &mut Schema) {
    cap_default(schema, Capped::GroupCreate);
}

fn group_update_default(schema: &mut Schema) {
    cap_default(schema, Capped::GroupUpdate);
}

fn delete_default(schema: &mut Schema) {
    cap_default(schema, Capped::GroupDelete);
}
