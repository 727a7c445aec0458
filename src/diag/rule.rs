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
    /// Whether no policy can lower the severity: a breach leaves nothing to plan with, or the policy is part of
    /// what is judged.
    pub fixed: bool,
    /// Whether a breach harms callers or hides what does, so that a policy which lowers the severity takes effect
    /// only after the change that it is part of.
    pub guards_harm: bool,
    /// What the rule demands, in one sentence.
    pub summary: &'static str,
}

impl Rule {
    pub fn find(id: &str) -> Option<&'static Self> {
        RULES.iter().copied().find(|rule| rule.id == id)
    }

    /// Whether a breach that only the account shows is about single declarations, so that a plan can be made
    /// without them.
    pub fn is_skippable(&self) -> bool {
        SKIPPABLE.contains(&self)
    }
}

/// The rules on single declarations that are held against the account.
const SKIPPABLE: [&Rule; 17] = [
    Rule::UNREADABLE_OBJECT,
    Rule::UNKNOWN_REFERENCE,
    Rule::AMBIGUOUS_REFERENCE,
    Rule::NUMBER_NOT_IN_ACCOUNT,
    Rule::EXTENSION_TAKEN,
    Rule::NAME_TAKEN,
    Rule::RENAMED_FROM_MISSING,
    Rule::STILL_IN_USE,
    Rule::DEFAULT_NUMBER_UNASSIGNED,
    Rule::UNASSIGNED_GOES_TO_DEFAULT,
    Rule::EXTERNAL_OWN_NUMBER,
    Rule::UNSUPPORTED_BY_PROVIDER,
    Rule::ALWAYS_FORWARDED_MEMBER,
    Rule::DUPLICATE_MEMBER,
    Rule::SELF_NO_ANSWER,
    Rule::NO_ANSWER_CYCLE,
    Rule::LONG_WAIT,
];

/// One line a rule: `NAME = "id", Severity, "summary";`. The word `fixed` after the severity makes it one that
/// no policy can lower, the word `harm` one that guards against harm.
macro_rules! rules {
    ($($(#[$meta:meta])* $name:ident = $id:literal, $severity:ident $($mark:ident)?, $summary:literal;)*) => {
        impl Rule {
            $(#[doc = $summary] pub const $name: &'static Self = &Self {
                id: $id,
                severity: Severity::$severity,
                fixed: matches!(concat!($(stringify!($mark))?).as_bytes(), b"fixed"),
                guards_harm: matches!(concat!($(stringify!($mark))?).as_bytes(), b"harm"),
                summary: $summary,
            };)*
        }
        /// Every rule, in the order of the documentation.
        pub const RULES: &[&Rule] = &[$(Rule::$name),*];
    };
}

rules! {
    // Files: what stops a file from being read at all.
    NO_FILES = "no-files", Error fixed,
        "A path leads to at least one YAML file.";
    UNREADABLE_FILE = "unreadable-file", Error fixed,
        "A file is a regular file that can be read.";
    FILE_TOO_LARGE = "file-too-large", Error fixed,
        "A file has at most 256 MiB.";
    NOT_UTF8 = "not-utf8", Error fixed,
        "A file is UTF-8 text.";
    CONTROL_CHARACTER = "control-character", Error fixed,
        "A file has no control characters but line breaks and tabs.";
    EMPTY_FILE = "empty-file", Error fixed,
        "A file has content.";
    // YAML: what is well formed and still not accepted, because it hides what is meant.
    YAML_SYNTAX = "yaml-syntax", Error fixed,
        "A file is well-formed YAML.";
    TAB_INDENTATION = "tab-indentation", Error fixed,
        "Lines are indented with spaces.";
    SEVERAL_DOCUMENTS = "several-documents", Error fixed,
        "A file has one YAML document.";
    YAML_TAG = "yaml-tag", Error fixed,
        "Values carry no YAML tags.";
    MERGE_KEY = "merge-key", Error fixed,
        "Mappings are written out, not merged with `<<`.";
    ALIAS_LIMIT = "alias-limit", Error fixed,
        "YAML aliases stand for a modest amount of text, never for themselves.";
    TOO_DEEP = "too-deep", Error fixed,
        "Values are nested at most 64 levels deep.";
    KEY_NOT_TEXT = "key-not-text", Error fixed,
        "Keys are text.";
    DUPLICATE_KEY = "duplicate-key", Error fixed,
        "Keys are unique in a mapping, and sections in an account.";
    // Fields: what the format knows.
    UNSUPPORTED_VERSION = "unsupported-version", Error fixed,
        "The format's version is supported.";
    MISSING_FIELD = "missing-field", Error fixed,
        "Required fields are present.";
    MISSING_VALUE = "missing-value", Error fixed,
        "Fields have a value.";
    UNKNOWN_FIELD = "unknown-field", Error fixed,
        "Fields are part of the format.";
    WRONG_TYPE = "wrong-type", Error fixed,
        "A field is text, a list or a mapping, as the format requires.";
    WRONG_VALUE = "wrong-value", Error fixed,
        "A field has a value that the format allows.";
    UNQUOTED_NUMBER = "unquoted-number", Error fixed,
        "Text that looks like a number to a YAML reader is quoted.";
    UNQUOTED_WORD = "unquoted-word", Error fixed,
        "Text that looks like a truth value or a date to a YAML reader is quoted.";
    SCHEMA = "schema", Error fixed,
        "A file is valid against the published JSON Schema.";
    // Accounts.
    MISSING_ACCOUNT = "missing-account", Error fixed,
        "The files of an account have one `account` section.";
    DUPLICATE_ACCOUNT = "duplicate-account", Error fixed,
        "Accounts of one run have different names.";
    ONE_ACCOUNT_TWICE = "one-account-twice", Error fixed,
        "Accounts of one run have different addresses, unless each has a scope and no two scopes overlap.";
    MISPLACED_FLEET = "misplaced-fleet", Error fixed,
        "A `fleet.yaml` is in the folder whose folders are the accounts.";
    UNKNOWN_ACCOUNT = "unknown-account", Error fixed,
        "A wave names accounts of its fleet.";
    ACCOUNT_IN_TWO_WAVES = "account-in-two-waves", Error fixed,
        "An account is in one wave.";
    UNSUPPORTED_PROVIDER = "unsupported-provider", Error fixed,
        "The provider is supported by this version.";
    WRONG_PROVIDER_FIELD = "wrong-provider-field", Error fixed,
        "An account has only the fields of its own provider.";
    LITERAL_SECRET = "literal-secret", Error fixed,
        "A secret is a reference, never written out in a file.";
    INSECURE_URL = "insecure-url", Error fixed,
        "An account is reached over https, or over http on this machine.";
    NOTHING_MANAGED = "nothing-managed", Info,
        "An account declares something.";
    // Numbers.
    NOT_E164 = "not-e164", Error fixed,
        "Numbers are in E.164 form.";
    DUPLICATE_NUMBER = "duplicate-number", Error fixed,
        "A number is declared once in an account.";
    BAD_LABEL = "bad-label", Error fixed,
        "A label has at most 256 characters, no control characters and no line breaks.";
    // References.
    BAD_REFERENCE = "bad-reference", Error fixed,
        "A reference is written `kind/selector`.";
    WRONG_KIND = "wrong-kind", Error fixed,
        "A reference is of a kind that its field takes.";
    UNDECLARED_RING_GROUP = "undeclared-ring-group", Warning,
        "A reference to a ring group does not narrowly miss one that is declared.";
    REFERENCE_TO_ABSENT = "reference-to-absent", Error harm,
        "Nothing points at a group that is listed in `absent`.";
    // Ring groups.
    BAD_NAME = "bad-name", Error fixed,
        "A name has 1 to 128 characters, none of them a control character or a line break, and is neither a number nor an e-mail address.";
    DUPLICATE_RING_GROUP = "duplicate-ring-group", Error fixed,
        "A ring group is declared once in an account, whatever its spelling.";
    BAD_EXTENSION = "bad-extension", Error fixed,
        "An extension number has 2 to 8 digits.";
    EXTENSION_RANGE = "extension-range", Error,
        "An extension number is in the provider's range.";
    EMERGENCY_EXTENSION = "emergency-extension", Error harm,
        "No extension number hides an emergency or a public service.";
    DUPLICATE_EXTENSION = "duplicate-extension", Error fixed,
        "An extension number belongs to one group.";
    EMPTY_MEMBERS = "empty-members", Error fixed,
        "A ring group has members.";
    DUPLICATE_MEMBER = "duplicate-member", Error fixed,
        "A member is in a group once.";
    BAD_DURATION = "bad-duration", Error fixed,
        "A duration is a whole number and a unit, from `1s` to `60m`.";
    RING_FOR_RANGE = "ring-for-range", Error,
        "A ring duration is in the provider's range.";
    LONG_WAIT = "long-wait", Warning harm,
        "No caller waits more than a minute for a group that rings one phone after the other.";
    SELF_NO_ANSWER = "self-no-answer", Error fixed,
        "A group does not send unanswered calls to itself.";
    NO_ANSWER_CYCLE = "no-answer-cycle", Error harm,
        "Unanswered calls do not form a cycle.";
    RENAMED_TO_ITSELF = "renamed-to-itself", Error fixed,
        "`renamed_from` is another name than the group's own.";
    RENAMED_TWICE = "renamed-twice", Error fixed,
        "A group is renamed to one name.";
    RENAMED_FROM_DECLARED = "renamed-from-declared", Error fixed,
        "The former name in `renamed_from` is not declared as well, unless by a group that is itself renamed.";
    DECLARED_ABSENT = "declared-absent", Error fixed,
        "A group in `absent` is neither declared nor renamed.";
    // Policy and tests.
    UNKNOWN_RULE = "unknown-rule", Error fixed,
        "`policy.rules` names rules that exist.";
    FIXED_RULE = "fixed-rule", Error fixed,
        "`policy.rules` does not lower rules that a plan depends on.";
    BAD_SCOPE = "bad-scope", Error fixed,
        "`policy.scope` lists numbers, ranges and prefixes of numbers, names and prefixes of names.";
    UNREADABLE_BASE = "unreadable-base", Warning fixed,
        "The account's policy in the previous revision can be read.";
    UNSUPPORTED_TESTS = "unsupported-tests", Error fixed,
        "`tests` is empty in this version.";
    // Rules that need the account, found while planning.
    UNKNOWN_REFERENCE = "unknown-reference", Error fixed,
        "A reference names an object that exists in the account or is declared in the file.";
    AMBIGUOUS_REFERENCE = "ambiguous-reference", Error fixed,
        "A reference names exactly one object.";
    UNREADABLE_OBJECT = "unreadable-object", Error fixed,
        "A declared or named ring group of the account has only values that this version knows.";
    NUMBER_NOT_IN_ACCOUNT = "number-not-in-account", Error fixed,
        "A number in the file belongs to the account; numbers are never ordered by an edit.";
    EXTENSION_TAKEN = "extension-taken", Error fixed,
        "An extension number is unused, or released by another group in the same plan.";
    NAME_TAKEN = "name-taken", Error fixed,
        "A group's name is not the name of another extension of the account.";
    RENAMED_FROM_MISSING = "renamed-from-missing", Warning,
        "The group that `renamed_from` names exists, or has been renamed already.";
    STILL_IN_USE = "still-in-use", Error fixed,
        "A group is deleted only if nothing points at it any more.";
    DEFAULT_NUMBER_UNASSIGNED = "default-number-unassigned", Error fixed,
        "The account's default number keeps a destination.";
    UNASSIGNED_GOES_TO_DEFAULT = "unassigned-goes-to-default", Warning harm,
        "At a provider that sends the calls of unassigned numbers to a default destination, a number has one of its own.";
    EXTERNAL_OWN_NUMBER = "external-own-number", Error,
        "An outside number is not one of the account's own numbers.";
    UNSUPPORTED_BY_PROVIDER = "unsupported-by-provider", Error fixed,
        "The provider can do what the file asks for.";
    NOTHING_LEFT = "nothing-left", Warning harm,
        "The files of an account that has numbers or ring groups declare some of them.";
    UNKNOWN_PROTECTED = "unknown-protected", Warning harm,
        "`policy.protect` lists numbers and ring groups that exist in the account or are declared in the file.";
    NEEDS_UNSELECTED = "needs-unselected", Error fixed,
        "What `--only` selects can be written without changes that it does not select.";
    ALWAYS_FORWARDED_MEMBER = "always-forwarded-member", Warning harm,
        "A member of a ring group does not forward every call, or none of their phones ring.";
}
