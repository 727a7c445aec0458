//! Validates raw documents: the desired state of an account, and every finding on the way.
//!
//! Pure: no file, no clock, no terminal. [`account`] reads the documents of one account, validates each
//! against the published schema, applies the rules that need no live account, and gives a [`Valid`] account
//! only if no error is left. The severity of a rule that a plan depends on cannot be lowered.

mod account;
pub mod address;
mod calls;
mod dialplan;
pub mod document;
pub mod fleet;
mod json;
mod numbers;
mod other_systems;
pub(crate) mod phone;
mod policy;
mod reader;
mod references;
mod ring_groups;
pub mod schema;
mod secrets;
mod section;
pub mod settings;
mod validator;
mod yaml_scalar;

use crate::diag::{Diagnostic, Rule, Severities, Severity, has_errors};
use crate::model::{Absent, Capabilities, Desired, GuardPolicy, Protected, Span};
use crate::providers::settings::ProviderSettings;

use document::{Document, NodeRef, View};
use numbers::Numbers;
use policy::Policies;
use reader::{Field, Reader};
use ring_groups::RingGroups;
use schema::AccountFile;
use section::Section;
use settings::Settings;

pub use validator::AccountSchema;

/// What the documents of one account say.
#[derive(Debug)]
pub struct Checked {
    /// The account, if no error is left.
    pub account: Option<Valid>,
    /// The findings, after the account's policy.
    pub findings: Vec<Diagnostic>,
    /// Places of literal secrets, which no excerpt may show.
    pub secrets: Vec<Span>,
}

/// An account without errors.
#[derive(Debug)]
pub struct Valid {
    /// How it is reached.
    pub settings: Settings,
    /// The desired state; its list of files is empty.
    pub desired: Desired,
    /// The severities of the rules, including those that are checked while planning.
    pub severities: Severities,
    /// Findings of rules that guard against harm, as they would be if the policy did not lower them.
    pub lowered: Vec<Diagnostic>,
}

/// The sections of one file.
type Sections<'d> = <AccountFile as Section>::Fields<'d>;

/// Reads and checks the documents of one account. `before` are findings that are already known, and
/// `complete` is whether all of its files could be read.
pub fn account(schema: &AccountSchema, documents: &[Document<'_>], before: Vec<Diagnostic>, complete: bool) -> Checked {
    let mut reader = Reader { findings: before.into(), secrets: Vec::new() };
    let mut files: Vec<Sections<'_>> = Vec::new();
    let mut readable: Vec<&Document<'_>> = Vec::new();
    for document in documents {
        reader.secrets.extend(secrets::places(document, AccountFile::NAMES));
        if let Some(sections) = sections(&mut reader, document) {
            files.push(sections);
            readable.push(document);
        }
    }
    let settings = account_section(&mut reader, &files, complete && readable.len() == documents.len(), documents);
    let mut policies = Policies::default();
    for policy in files.iter().filter_map(|file| file.policy) {
        policies.read(&mut reader, policy, settings.as_ref().and_then(|settings| settings.country));
    }
    let desired = desired(&mut reader, &files, settings.as_ref());
    let cut = reader.findings.is_cut();
    // More findings exist than are shown: do not add the schema's.
    for document in readable.into_iter().filter(|_| !cut) {
        let unexplained = schema.unexplained(document, &reader.findings);
        reader.findings.extend(unexplained);
    }
    if !has_errors(&reader.findings) && is_empty(&desired) {
        let span = documents.first().map(|document| document.root().span());
        reader.report(
            Diagnostic::new(Rule::NOTHING_MANAGED, span, "nothing of this account is managed")
                .hint("declare `numbers` or `ring_groups`; `strowger export` writes those that exist"),
        );
    }
    let mut findings = reader.findings.into_vec();
    let lowered = policies.severities.lowered(&findings);
    policies.severities.apply(&mut findings);
    let valid = complete && !has_errors(&findings);
    let account = settings.filter(|_| valid).map(|settings| Valid {
        desired: Desired {
            account: settings.name.clone(),
            owner: settings.owner.clone(),
            policy: policies.policy,
            ..desired
        },
        settings,
        severities: policies.severities,
        lowered,
    });
    Checked { account, findings, secrets: reader.secrets }
}

/// The name that a document gives its account, whatever else is wrong with it. A snapshot describes an account
/// and is not the file of one.
pub fn account_name<'d>(document: &'d Document<'d>) -> Option<&'d str> {
    let root = document.root();
    if root.entry("snapshot").is_some() && root.entry("version").is_none() {
        return None;
    }
    let (_, account) = root.entry("account")?;
    account.entry("name")?.1.scalar()
}

/// How the account of a document is reached, if the document says so without an error.
pub fn provider(document: &Document<'_>) -> Option<ProviderSettings> {
    let (key, value) = document.root().entry("account")?;
    account::read(&mut Reader::default(), Field { key, value }).map(|settings| settings.provider)
}

/// Whether a document without an `account` section is part of an account that has a policy: other YAML files can
/// lie beside an account of one file.
pub fn has_policy(document: &Document<'_>) -> bool {
    ["version", "policy"].into_iter().all(|name| document.root().entry(name).is_some())
}

/// What of other documents than those that are planned with still counts: the same account's, as they were.
#[derive(Clone, Debug, Default)]
pub struct Before {
    pub guards: GuardPolicy,
    /// Their severities of rules.
    pub severities: Severities,
}

/// The policy of documents as they were. The first error if it cannot be known.
pub fn before(documents: &[Document<'_>]) -> Result<Before, Box<Diagnostic>> {
    let mut reader = Reader::default();
    let mut policies = Policies::default();
    for document in documents {
        let sections = sections(&mut reader, document);
        if let Some(policy) = sections.and_then(|sections| sections.policy) {
            policies.read(&mut reader, policy, None);
        }
    }
    match reader.findings.into_vec().into_iter().find(|finding| finding.severity == Severity::Error) {
        Some(error) => Err(Box::new(error)),
        None => Ok(Before { guards: policies.policy.guards, severities: policies.severities }),
    }
}

/// Adds the other names under which documents declare the protected ring groups, as far as they can be read.
pub fn alias(protect: &mut Protected, documents: &[Document<'_>]) {
    let mut reader = Reader::default();
    let mut groups = RingGroups::new(Capabilities::of_snapshot(), None);
    for document in documents {
        let sections = sections(&mut reader, document);
        let section = sections.and_then(|sections| sections.ring_groups).and_then(|field| reader.mapping(field));
        if let Some(section) = section {
            groups.read(&mut reader, section);
        }
    }
    protect.alias(groups.declared.iter().map(|(_, group)| group));
}

/// The sections of a file whose version is known; the rest of another version's file would be misread.
fn sections<'d>(reader: &mut Reader, document: &'d Document<'d>) -> Option<Sections<'d>> {
    let root = document.root();
    let View::Mapping(mapping) = root.view() else {
        let hint = "begin with `version: 1` and an `account:` section";
        return reader.refuse(Rule::WRONG_TYPE, root.span(), "the file has no sections", hint);
    };
    known_version(reader, root)?;
    if let (None, Some((key, _))) = (root.entry("version"), root.entry("snapshot")) {
        let message = "this is a snapshot of an account, not a file that describes one";
        let hint = "move it to a folder below, such as `live/`: every YAML file beside this one is part of the account";
        return reader.refuse(Rule::UNSUPPORTED_VERSION, key.span(), message, hint);
    }
    let mut start = root.span();
    start.length = 1;
    let sections = AccountFile::read(reader, mapping, start);
    if let Some(tests) = sections.tests {
        self::tests(reader, tests);
    }
    Some(sections)
}

/// Nothing if a file states another version than this one. Before all else, because its other keys may not be those of
/// this version.
fn known_version(reader: &mut Reader, root: NodeRef<'_>) -> Option<()> {
    let Some((key, value)) = root.entry("version") else { return Some(()) };
    let field = Field { key, value };
    let written = match value.view() {
        View::Plain("1") => return Some(()),
        View::Plain(text) | View::Quoted(text) => text,
        View::Mapping(_) | View::Sequence(_) => "",
    };
    let newer = written.parse::<u32>().is_ok_and(|version| version > schema::VERSION);
    let (message, hint) = match value.view() {
        View::Quoted("1") => ("the version is text".to_owned(), "write `version: 1`, without quotes"),
        _ if newer => (
            format!("the file has version {written}, and this Strowger reads version 1"),
            "use a newer Strowger, or write the file for version 1",
        ),
        _ => ("the file's version is not one that this Strowger reads".to_owned(), "write `version: 1`"),
    };
    reader.refuse(Rule::UNSUPPORTED_VERSION, field.span(), message, hint)
}

fn tests(reader: &mut Reader, field: Field<'_>) {
    if reader.items(field).is_some_and(|items| !items.is_empty()) {
        let message = "this version of Strowger does not run call-path tests";
        let hint = "write `tests: []` or remove the section until a later version";
        reader.note(Rule::UNSUPPORTED_TESTS, field.key.span(), message, hint);
    }
}

/// The settings, from the one file that has them.
fn account_section(
    reader: &mut Reader,
    files: &[Sections<'_>],
    complete: bool,
    documents: &[Document<'_>],
) -> Option<Settings> {
    let mut found: Option<(Field<'_>, Option<Settings>)> = None;
    for section in files.iter().filter_map(|file| file.account) {
        match &found {
            Some((first, _)) => reader.repeated(section.key, first.key.span()),
            None => found = Some((section, account::read(reader, section))),
        }
    }
    // A file that could not be read may be the one that has the section.
    if found.is_none()
        && complete
        && let Some(document) = documents.first()
    {
        let mut span = document.root().span();
        span.length = 1;
        let misspelt = reader.findings.iter().any(|finding| {
            finding.rule == Rule::UNKNOWN_FIELD && finding.hint.as_deref() == Some("did you mean `account`?")
        });
        if !misspelt {
            let hint = "write `account: { name: my-office, provider: sandbox }`";
            reader.note(Rule::MISSING_ACCOUNT, span, "the `account` section is missing", hint);
        }
    }
    found.and_then(|(_, settings)| settings)
}

fn desired(reader: &mut Reader, files: &[Sections<'_>], settings: Option<&Settings>) -> Desired {
    let country = settings.and_then(|settings| settings.country);
    let capabilities =
        settings.map_or_else(Capabilities::before_reading, |settings| (settings.provider.spec().capabilities)());
    let mut numbers = Numbers::new(capabilities.destinations.clone());
    let mut groups = RingGroups::new(capabilities, country.map(|country| country.to_string()));
    let mut absent: Vec<Absent> = Vec::new();
    for file in files {
        if let Some(section) = file.numbers.and_then(|field| reader.mapping(field)) {
            numbers.read(reader, section, country);
        }
        if let Some(section) = file.ring_groups.and_then(|field| reader.mapping(field)) {
            groups.read(reader, section);
        }
        if let Some(field) = file.absent {
            absent.extend(ring_groups::absent(reader, field));
        }
    }
    let numbers = numbers.finish(reader);
    groups.finish(reader);
    calls::check(reader, &numbers, &groups, &absent);
    let ring_groups = groups.declared.into_iter().map(|(_, group)| group).collect();
    Desired { numbers, ring_groups, absent, ..Desired::default() }
}

fn is_empty(desired: &Desired) -> bool {
    desired.numbers.is_empty() && desired.ring_groups.is_empty() && desired.absent.is_empty()
}
