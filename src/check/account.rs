//! Reading the `account` section.

use std::path::PathBuf;

use crate::diag::{Rule, list, nearest};
use crate::model::{Name, OwnerName, OwnerNameError};
use crate::providers::registry::{self, Presence, ProviderSpec, SettingKind};
use crate::providers::settings::{ProviderSettings, SecretRef, SettingValue, StateFile};
use crate::text::is_loopback_host;

use super::dialplan;
use super::document::{Mapping, View};
use super::other_systems::nearest_way;
use super::reader::{Advice, Field, NamedFields, Reader, unquoted_rule};
use super::schema::account::Provider;
use super::section::{Section as _, section};
use super::settings::{Country, Settings};
use super::yaml_scalar::{ScalarKind, kind};

/// Where a secret may be found.
const SOURCES: [&str; 3] = ["env", "file", "command"];

section! {
    /// The account: its name, its provider, and the fields of that provider.
    struct CommonFields {
        /// What the account is called in plans and logs. Each account of a run has another name.
        #[schemars(length(min = 1, max = Name::MOST), example = &"wework-republique")]
        name: String,
        /// What kind of account it is.
        provider: Provider,
        /// The country (ISO 3166-1 alpha-2, quoted) whose national spellings of phone numbers Strowger recognises
        /// when it suggests the E.164 form.
        #[schemars(regex(pattern = "^[A-Z]{2}$"), example = &"FR")]
        country: Option<String>,
        /// Who manages the account with these files, for accounts that know of owners. Without it, the `origin` of the Git
        /// repository that the files are in. Another owner's account is not written to.
        #[schemars(regex(pattern = "^[!-~]{1,200}$"), example = &"telephony-team")]
        owner: Option<String>,
    }
}

/// The fields of the section: those of every account, then those of the providers.
pub(super) fn field_names() -> Vec<&'static str> {
    CommonFields::NAMES.iter().copied().chain(registry::settings().into_iter().map(|setting| setting.name)).collect()
}

/// The settings, if all of them are right.
pub(super) fn read(reader: &mut Reader, section: Field<'_>) -> Option<Settings> {
    let mapping = reader.mapping(section)?;
    let fields = reader.named_fields(mapping, section.key.span(), &field_names());
    let name_field = fields.required("name", reader, "write `name:` and what the account is called in plans and logs");
    let name = name_field.and_then(|field| name(reader, field));
    let country = fields.get("country").map(|field| country(reader, field));
    let owner = fields.get("owner").map(|field| owner(reader, field));
    let word_field = fields.required("provider", reader, "write `provider: sandbox`, which needs no credentials");
    let spec = word_field.and_then(|field| provider_word(reader, field));
    let provider = spec.and_then(|spec| {
        foreign_fields(reader, &fields, spec);
        provider(reader, &fields, spec, name.as_deref().unwrap_or("account"))
    });
    if spec.is_none() {
        // A secret written out in the file is found even if the provider is not known.
        for field in fields.found().filter(|field| is_secret(field.name())) {
            secret(reader, field);
        }
    }
    Some(Settings {
        name: name?,
        name_span: name_field?.value.span(),
        country: country.map_or(Some(None), |country| country.map(Some))?,
        owner: owner.map_or(Some(None), |owner| owner.map(Some))?,
        provider: provider?,
        provider_span: word_field?.value.span(),
    })
}

/// Whether a setting of this name holds a secret.
pub(super) fn is_secret(name: &str) -> bool {
    registry::settings().into_iter().any(|setting| setting.name == name && setting.kind == SettingKind::Secret)
}

fn name(reader: &mut Reader, field: Field<'_>) -> Option<Box<str>> {
    let text = reader.text(field, Advice::default())?;
    match text.parse::<Name>() {
        Ok(name) if name.as_str() == text => Some(text.into()),
        Ok(name) => {
            let message = "the account's name has white space around it, or characters that have a shorter form";
            reader.refuse(Rule::BAD_NAME, field.span(), message, format!("write `{name}`"))
        }
        Err(error) => {
            let hint = "write a short name, such as `wework-republique`";
            reader.refuse(Rule::BAD_NAME, field.span(), error.to_string(), hint)
        }
    }
}

fn country(reader: &mut Reader, field: Field<'_>) -> Option<Country> {
    let text = reader.text(field, Advice::default())?;
    Country::parse(text).or_else(|| {
        let upper = text.to_ascii_uppercase();
        let hint = match Country::parse(&upper) {
            Some(_) => format!("write `{upper}`"),
            None => "write a country code of two capitals (ISO 3166-1 alpha-2), such as `FR`".to_owned(),
        };
        reader.refuse(Rule::WRONG_VALUE, field.span(), format!("`{text}` is no country code"), hint)
    })
}

fn owner(reader: &mut Reader, field: Field<'_>) -> Option<OwnerName> {
    let text = reader.text(field, Advice::default())?;
    text.parse().map_or_else(
        |error: OwnerNameError| {
            let hint = "write a short name without spaces, such as `telephony-team`";
            reader.refuse(Rule::WRONG_VALUE, field.span(), error.to_string(), hint)
        },
        Some,
    )
}

fn provider_word(reader: &mut Reader, field: Field<'_>) -> Option<&'static ProviderSpec> {
    let text = reader.text(field, Advice { empty: Some("write `provider: sandbox`"), instead: None })?;
    if let Some(spec) = registry::find(text) {
        return Some(spec);
    }
    let words = registry::words();
    let known = list(&words);
    let way = nearest_way(text).map(ToOwned::to_owned);
    let near = || nearest(text, words).map(|word| format!("did you mean `{word}`?"));
    let other = || format!("providers are {known}; docs/snapshot.md is the way in for a system without an API");
    let (message, hint) = (format!("there is no provider `{text}`"), way.or_else(near).unwrap_or_else(other));
    reader.refuse(Rule::UNSUPPORTED_PROVIDER, field.span(), message, hint)
}

fn foreign_fields(reader: &mut Reader, fields: &NamedFields<'_>, spec: &ProviderSpec) {
    for field in fields.found().filter(|field| spec.setting(field.name()).is_none()) {
        let (name, provider) = (field.name(), spec.word);
        let owners: Vec<&str> = registry::with_setting(name).into_iter().map(|owner| owner.word).collect();
        let [owner, more @ ..] = owners.as_slice() else { continue };
        let plural = if more.is_empty() { "" } else { "s" };
        let message = format!("`{name}` belongs to provider{plural} {}, not `{provider}`", list(&owners));
        let hint = format!("remove `{name}` or write `provider: {owner}`");
        reader.note(Rule::WRONG_PROVIDER_FIELD, field.key.span(), message, hint);
        if is_secret(name) {
            secret(reader, field);
        }
    }
}

/// The settings that a provider declares, if all of them are right.
fn provider(
    reader: &mut Reader,
    fields: &NamedFields<'_>,
    spec: &'static ProviderSpec,
    account: &str,
) -> Option<ProviderSettings> {
    let mut values = Vec::new();
    let mut complete = true;
    for setting in spec.settings {
        let field = match setting.presence {
            Presence::Required { hint, .. } => {
                let field = fields.required(setting.name, reader, hint);
                complete &= field.is_some();
                field
            }
            Presence::Optional | Presence::Default(_) => fields.get(setting.name),
        };
        let value = match (field, setting.presence) {
            (Some(field), _) => {
                let value = value(reader, field, setting.kind);
                complete &= value.is_some();
                value
            }
            (None, Presence::Default(default)) => Some(default(account)),
            (None, Presence::Optional | Presence::Required { .. }) => None,
        };
        values.extend(value.map(|value| (setting.name, value)));
    }
    complete.then(|| ProviderSettings::new(spec, values))
}

fn value(reader: &mut Reader, field: Field<'_>, kind: SettingKind) -> Option<SettingValue> {
    match kind {
        SettingKind::Url => url(reader, field).map(SettingValue::Url),
        SettingKind::Database => dialplan::database(reader, field).map(SettingValue::Url),
        SettingKind::Word => dialplan::word(reader, field).map(SettingValue::Word),
        SettingKind::Dialplan => dialplan::entries(reader, field).map(SettingValue::Dialplan),
        SettingKind::Secret => secret(reader, field).map(SettingValue::Secret),
        SettingKind::File => path(reader, field).map(SettingValue::File),
        SettingKind::State if reader.text(field, Advice::default())? == ":memory:" => {
            Some(SettingValue::State(StateFile::Memory))
        }
        SettingKind::State => path(reader, field).map(|file| SettingValue::State(StateFile::File(file))),
    }
}

fn path(reader: &mut Reader, field: Field<'_>) -> Option<PathBuf> {
    let text = reader.text(field, Advice::default())?;
    if text.is_empty() || text.contains('\0') {
        let message = format!("`{}` has no path", field.name());
        let hint = "write a path, relative to the folder of the file";
        return reader.refuse(Rule::MISSING_VALUE, field.span(), message, hint);
    }
    Some(PathBuf::from(text))
}

/// An address that no token leaks to: `https`, or `http` on this machine; no user name, no query.
fn url(reader: &mut Reader, field: Field<'_>) -> Option<Box<str>> {
    let text = reader.text(field, Advice::default())?;
    let scheme_and_rest = text.split_once("://");
    let (message, hint) = match scheme_and_rest {
        Some(("https" | "http", rest)) if authority(rest).contains('@') => {
            ("the address holds a user name or a password", "leave it out; the token says who asks")
        }
        Some((_, rest))
            if rest.contains(['?', '#']) || rest.contains(|c: char| c.is_whitespace() || c.is_control()) =>
        {
            ("the address has a query, a fragment or a space", "write it up to the last part of the path")
        }
        Some(("https" | "http", rest)) if host(rest).is_empty() => {
            ("the address names no server", "write `https://`, the server and the path")
        }
        Some(("https", _)) => return Some(text.into()),
        Some(("http", rest)) if is_loopback_host(host(rest)) => return Some(text.into()),
        Some(("http", _)) => ("the token would travel unencrypted", "write `https://`"),
        _ => ("the address is no https address", "write `https://`, the server and the path"),
    };
    reader.refuse(Rule::INSECURE_URL, field.span(), message, hint)
}

fn authority(rest: &str) -> &str {
    rest.split(['/', '?', '#', '\\']).next().unwrap_or_default()
}

fn host(rest: &str) -> &str {
    let authority = authority(rest);
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// A secret's reference. What is written instead of one is never repeated, neither here nor in an excerpt.
fn secret(reader: &mut Reader, field: Field<'_>) -> Option<SecretRef> {
    let hide = |reader: &mut Reader| {
        let texts = field.value.subtree().filter(|node| node.scalar().is_some());
        reader.secrets.extend(texts.map(super::document::NodeRef::span));
    };
    let reference = match field.value.view() {
        View::Mapping(mapping) if !is_bare(mapping) => Some(mapping),
        _ => None,
    };
    let Some(mapping) = reference else {
        hide(reader);
        let message = format!("`{}` holds the secret itself, not a reference to it", field.name());
        let name = field.name();
        let hint = format!("write `{name}: {{ env: STROWGER_TOKEN }}`, and treat the written {name} as stolen");
        return reader.refuse(Rule::LITERAL_SECRET, field.key.span(), message, hint);
    };
    let before = reader.findings.total();
    let fields = reader.named_fields(mapping, field.key.span(), &SOURCES);
    let secret = match SOURCES.map(|source| fields.get(source)) {
        [Some(env), None, None] => env_name(reader, env),
        [None, Some(file), None] => path(reader, file).map(SecretRef::File),
        [None, None, Some(command)] => self::command(reader, command),
        _ => {
            if reader.findings.total() == before {
                let hint = "write one of `{ env: NAME }`, `{ file: PATH }` and `{ command: [PROGRAM, ARGUMENT] }`";
                reader.note(Rule::WRONG_VALUE, field.key.span(), "a secret is found in exactly one place", hint);
            }
            None
        }
    };
    if secret.is_none() || reader.findings.total() > before {
        hide(reader);
    }
    secret
}

/// Whether there is a word that is no field and has no value: `{ hunter2 }` is a mapping to YAML.
fn is_bare(mapping: Mapping<'_>) -> bool {
    mapping.entries().any(|(key, value)| {
        let name = key.scalar().unwrap_or_default();
        !SOURCES.contains(&name) && value.scalar() == Some("")
    })
}

fn env_name(reader: &mut Reader, field: Field<'_>) -> Option<SecretRef> {
    let hint = "write the name of an environment variable, such as `STROWGER_TOKEN`";
    let form = |text: &str| {
        !text.starts_with(|character: char| character.is_ascii_digit())
            && !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match field.value.scalar() {
        Some(text) if form(text) => Some(SecretRef::Env(text.into())),
        // The value may be the secret, so no part of it is shown.
        _ => reader.refuse(Rule::WRONG_VALUE, field.key.span(), "`env` names no environment variable", hint),
    }
}

fn command(reader: &mut Reader, field: Field<'_>) -> Option<SecretRef> {
    let hint = "write `command: [PROGRAM, ARGUMENT]`";
    if misread(reader, field) {
        return None;
    }
    let words: Option<Vec<Box<str>>> = match field.value.view() {
        View::Sequence(items) => items.items().map(|item| certain_text(item.view())).collect(),
        _ => None,
    };
    let (program, arguments) = match words.as_deref() {
        Some([program, arguments @ ..]) if !program.is_empty() => (program.clone(), arguments.to_vec()),
        _ => {
            let message = "`command` is no list of a program and its arguments";
            return reader.refuse(Rule::WRONG_TYPE, field.key.span(), message, hint);
        }
    };
    Some(SecretRef::Command { program, arguments })
}

/// Finds the words of a list that YAML readers take for something else. A word may be the secret, so none is repeated.
fn misread(reader: &mut Reader, field: Field<'_>) -> bool {
    let View::Sequence(items) = field.value.view() else { return false };
    let before = reader.findings.total();
    for item in items.items() {
        if let View::Plain(text) = item.view()
            && let read_as = kind(text)
            && !matches!(read_as, ScalarKind::Text | ScalarKind::Null)
        {
            let message = format!("YAML readers take a word of `{}` for {}", field.name(), read_as.noun());
            reader.note(unquoted_rule(read_as), item.span(), message, "put the word in quotes");
        }
    }
    reader.findings.total() > before
}

fn certain_text(view: View<'_>) -> Option<Box<str>> {
    match view {
        View::Quoted(text) => Some(text.into()),
        View::Plain(text) if kind(text) == ScalarKind::Text => Some(text.into()),
        _ => None,
    }
}
