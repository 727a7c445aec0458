//! The rules: ids, severities, one sentence each.

use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing may be applied.
    Error,
    /// Something is probably not meant.
    Warning,
    /// Worth knowing.
    Info,
}

/// A rule that a file, or a file together with an account, can break.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable id, in kebab case.
    pub id: &'static str,
    /// How bad a breach is, unless the operator's policy says otherwise.
    pub severity: Severity,
    /// What the rule demands, in one sentence.
    pub summary: &'static str,
}

macro_rules! rules {
    ($($(#[$meta:meta])* $name:ident = $id:literal, $severity:ident, $summary:literal;)*) => {
        impl Rule {
            $(#[doc = $summary] pub const $name: &'static Self =
                &Self { id: $id, severity: Severity::$severity, summary: $summary };)*
        }
        /// Every rule, in the order of the documentation.
        pub const RULES: &[&Rule] = &[$(Rule::$name),*];
    };
}

rules! {
    SELF_NO_ANSWER = "self-no-answer", Error,
        "A ring group does not hand an unanswered call to itself.";
    DUPLICATE_MEMBER = "duplicate-member", Error,
        "A ring group names each member once.";
    // Rules that need the account, found while planning.
    UNKNOWN_REFERENCE = "unknown-reference", Error,
        "A reference names an object that exists in the account or is declared in the file.";
    AMBIGUOUS_REFERENCE = "ambiguous-reference", Error,
        "A reference names exactly one object.";
    NUMBER_NOT_IN_ACCOUNT = "number-not-in-account", Error,
        "A number in the file belongs to the account; numbers are never ordered by an edit.";
    EXTENSION_TAKEN = "extension-taken", Error,
        "An extension number is free, or held by a group that gives it up in the same plan.";
    NAME_TAKEN = "name-taken", Error,
        "A group's name is not the name of another extension of the account.";
    RENAMED_FROM_MISSING = "renamed-from-missing", Warning,
        "The group that `renamed_from` names exists, or has been renamed already.";
    STILL_IN_USE = "still-in-use", Error,
        "A group is deleted only if nothing points at it any more.";
    DEFAULT_NUMBER_UNASSIGNED = "default-number-unassigned", Error,
        "The account's default number keeps a destination.";
    UNSUPPORTED_BY_PROVIDER = "unsupported-by-provider", Error,
        "The provider can do what the file asks for.";
    ALWAYS_FORWARDED_MEMBER = "always-forwarded-member", Warning,
        "A member of a ring group does not forward every call, or none of their phones ring.";
}
