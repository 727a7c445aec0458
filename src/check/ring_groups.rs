//! Reading the `ring_groups` and `absent` sections.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Rule, caller};
use crate::model::{
    Absent, Capabilities, DesiredRingGroup, ExtensionNumber, Kind, Name, NameKey, Reference, RingFor, RingForError,
    RingMode, Span, Spanned, is_emergency,
};

use super::document::{Mapping, NodeRef, View};
use super::reader::{Advice, Field, Reader};
use super::references;
use super::section::section;
use super::yaml_scalar::{ScalarKind, kind};

section! {
    /// A ring group: several phones that ring for one call.
    struct RingGroupEntry {
        /// Who rings: `user/…` and `device/…`, in the order in which a `sequential` group rings them.
        #[schemars(
            length(min = 1),
            inner(regex(pattern = r"^(user|device)/.*\S$")),
            example = ["user/amelie@example.org", "user/202", "device/front-desk"]
        )]
        members: Vec<String> = "write `members:` and a list of what the group rings",
        /// The internal number, in quotes. Without it the number is not managed; a new group gets a free one.
        #[schemars(regex(pattern = "^[0-9]{2,8}$"), example = &"300")]
        extension: Option<String>,
        /// Whether members ring together or in turn. Without it the mode is not managed; a new group rings
        /// `simultaneous`.
        #[schemars(extend("default" = "simultaneous"))]
        ring: Option<RingMode>,
        /// How long the group rings, or each member of a `sequential` one: a whole number with `s` or `m`.
        /// Without it the duration is not managed; a new group gets the provider's own.
        #[schemars(regex(pattern = "^[0-9]+[sm]$"), example = &"20s", extend("default" = "20s"))]
        ring_for: Option<String>,
        /// Who takes a call that was not answered: `user/…`, `voicemail/…` (a mailbox, such as that of a user),
        /// `ring_group/…`, `receptionist/…`, or `external/+…`, a number outside of the account that `policy.external`
        /// lists; or `none`, which ends the call. Without it the target is not managed. Providers differ in what they
        /// accept.
        #[schemars(
            regex(pattern = r"^(none|(user|voicemail|ring_group|receptionist)/.*\S|external/\+[1-9][0-9]{6,14})$"),
            example = &"voicemail/amelie@example.org",
            example = &"none"
        )]
        no_answer: Option<String>,
        /// The name that the group had so far. It keeps its identity, its number and its history; it is never
        /// deleted and made anew. May stay in the file after the change.
        #[schemars(length(min = 1, max = Name::MOST), example = &"sales")]
        renamed_from: Option<String>,
    }
}

/// The ring groups of all files of an account.
#[derive(Debug)]
pub(super) struct RingGroups {
    /// In the order of the files; sorted by name and each once from [`RingGroups::finish`] on.
    pub(super) declared: Vec<(NameKey, DesiredRingGroup)>,
    /// Groups whose fields are wrong, in no order. They are in the file all the same.
    pub(super) broken: Vec<(NameKey, Spanned<Name>)>,
    capabilities: Capabilities,
    /// The country of the account, which has its own emergency numbers.
    country: Option<String>,
}

impl RingGroups {
    /// No groups yet, of an account that can do this and is in a country, if that is stated.
    pub(super) fn new(capabilities: Capabilities, country: Option<String>) -> Self {
        Self { declared: Vec::new(), broken: Vec::new(), capabilities, country }
    }

    /// Reads one file's section.
    pub(super) fn read(&mut self, reader: &mut Reader, section: Mapping<'_>) {
        self.declared.reserve(section.len());
        for (key, value) in section.entries() {
            let name = group_name(reader, key);
            let group = self.group(reader, name.clone(), Field { key, value });
            match (group, name) {
                (Some(group), _) => self.declared.push((group.name.value.key(), group)),
                (None, Some(value)) => self.broken.push((value.key(), Spanned { value, span: key.span() })),
                (None, None) => {}
            }
        }
    }

    fn group(&self, reader: &mut Reader, name: Option<Name>, field: Field<'_>) -> Option<DesiredRingGroup> {
        if let View::Sequence(_) = field.value.view() {
            let message = format!("`{}` must be a mapping, not a list", field.name());
            return reader.refuse(Rule::WRONG_TYPE, field.span(), message, "write `members:` before the list");
        }
        let entry = reader.section::<RingGroupEntry>(field)?;
        let members = entry.members.and_then(|members| self::members(reader, members));
        let extension = optional(entry.extension, |field| self.extension(reader, field));
        let ring = optional(entry.ring, |field| ring_mode(reader, field));
        let ring_for = optional(entry.ring_for, |field| self.ring_for(reader, field));
        let no_answer =
            optional(entry.no_answer, |field| references::optional(reader, field, &self.capabilities.no_answer));
        let renamed_from = optional(entry.renamed_from, |field| former_name(reader, field, name.as_ref()));
        let group = DesiredRingGroup {
            name: Spanned { value: name?, span: field.key.span() },
            extension: extension?,
            ring: ring?,
            members: members?,
            members_span: entry.members?.key.span(),
            ring_for: ring_for?,
            no_answer: no_answer?,
            renamed_from: renamed_from?,
        };
        long_wait(reader, &group);
        Some(group)
    }

    fn extension(&self, reader: &mut Reader, field: Field<'_>) -> Option<ExtensionNumber> {
        // Quotes alone do not make an extension number of `1e3`.
        let digits = field.value.scalar().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let instead = (!digits).then_some("write digits in quotes, such as `\"300\"`");
        let text = reader.text(field, Advice { instead, ..Advice::default() })?;
        let extension: ExtensionNumber = match text.parse() {
            Ok(extension) => extension,
            Err(error) => {
                let hint = "write an unused internal number in quotes, such as `\"300\"`";
                return reader.refuse(Rule::BAD_EXTENSION, field.span(), format!("`{text}`: {error}"), hint);
            }
        };
        if is_emergency(&extension, self.country.as_deref()) {
            let (place, narrower) = match &self.country {
                Some(country) => (format!(" ({country})"), ""),
                None => {
                    (String::new(), ", or state the account's `country`: without it the numbers of all countries count")
                }
            };
            let message = format!("extension {extension} hides an emergency or a public service{place}");
            let hint = format!("give the group another number, such as `\"300\"`{narrower}");
            reader.note(Rule::EMERGENCY_EXTENSION, field.span(), message, hint);
        } else if !self.capabilities.extension_fits(&extension) {
            let (least, most) = self.capabilities.extension_digits;
            let message = format!("the provider does not support extension {extension}");
            let hint = format!("write {least} to {most} digits, such as `\"300\"`");
            reader.note(Rule::EXTENSION_RANGE, field.span(), message, hint);
        }
        Some(extension)
    }

    fn ring_for(&self, reader: &mut Reader, field: Field<'_>) -> Option<RingFor> {
        // `20` and `1:30` are not text, but they need a unit rather than quotes.
        let text = match field.value.view() {
            View::Plain(text) if kind(text) != ScalarKind::Null => text,
            _ => reader.text(field, Advice { empty: Some("write `20s`, or remove the field"), instead: None })?,
        };
        let (least, most) = (self.capabilities.ring_for_least, self.capabilities.ring_for_most);
        match text.parse::<RingFor>() {
            Ok(ring_for) if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                let hint = format!("write `{ring_for}`");
                reader.refuse(Rule::BAD_DURATION, field.span(), "a duration has no white space", hint)
            }
            Ok(ring_for) => {
                if !(least..=most).contains(&ring_for) {
                    let message = format!("the provider does not support ringing for {ring_for}");
                    reader.note(Rule::RING_FOR_RANGE, field.span(), message, format!("write {least} to {most}"));
                }
                Some(ring_for)
            }
            Err(error) => {
                let seconds = text.parse().ok().and_then(|seconds| RingFor::from_seconds(seconds).ok());
                let hint = match (seconds, error) {
                    (Some(seconds), _) => format!("write `{seconds}`"),
                    (None, RingForError::Form) => "write `20s` or `1m`".to_owned(),
                    (None, RingForError::Range) => format!("write {least} to {most}"),
                };
                reader.refuse(Rule::BAD_DURATION, field.span(), format!("`{text}`: {error}"), hint)
            }
        }
    }

    /// Sorts the groups; finds names, extension numbers and former names that are given twice.
    pub(super) fn finish(&mut self, reader: &mut Reader) {
        self.declared.sort_by(|(left, _), (right, _)| left.cmp(right));
        self.declared.dedup_by(|(key, later), (first_key, first)| {
            let same = key == first_key;
            if same {
                reader.report(twice(&later.name, &first.name));
            }
            same
        });
        self.declared.shrink_to_fit();
        let mut broken: HashMap<&NameKey, &Spanned<Name>> = HashMap::new();
        for (key, name) in &self.broken {
            let declared = declared(&self.declared, key).map(|group| &group.name);
            if let Some(other) = declared.or(broken.insert(key, name)) {
                let (first, later) = if other.span < name.span { (other, name) } else { (name, other) };
                reader.report(twice(later, first));
            }
        }
        duplicate_extensions(reader, &self.declared);
        renames(reader, &self.declared);
    }
}

fn twice(later: &Spanned<Name>, first: &Spanned<Name>) -> Diagnostic {
    let message = format!("ring group `{}` is given twice", later.value);
    Diagnostic::new(Rule::DUPLICATE_RING_GROUP, Some(later.span), message)
        .related(first.span, format!("here as `{}`", first.value))
        .hint("keep one of the two: capitals, spaces and forms of a letter make no difference")
}

/// A missing field is fine; a wrong one invalidates the group.
fn optional<'d, T>(field: Option<Field<'d>>, read: impl FnOnce(Field<'d>) -> Option<T>) -> Option<Option<Spanned<T>>> {
    field.map_or(Some(None), |field| field.spanned(read(field)).map(Some))
}

/// A name that no reference could mistake for an extension number or an e-mail address.
fn group_name(reader: &mut Reader, key: NodeRef<'_>) -> Option<Name> {
    let text = key.scalar().unwrap_or_default();
    if let View::Plain(text) = key.view() {
        let read_as = kind(text);
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if read_as != ScalarKind::Text && !digits && !text.is_empty() {
            reader.unquoted(key, text, read_as, None);
            return None;
        }
    }
    checked_name(reader, text, key.span())
}

fn checked_name(reader: &mut Reader, text: &str, span: Span) -> Option<Name> {
    let problem = match text.parse::<Name>() {
        Err(error) => error.to_string(),
        Ok(name) if text.trim() != text => return white_space(reader, span, &name),
        Ok(name) => match name.of_ring_group() {
            Ok(()) => return Some(name),
            Err(why) => format!("`{text}` {why}"),
        },
    };
    let hint = "write a name with a letter in it, such as `ventes`; its number goes into `extension`";
    reader.refuse(Rule::BAD_NAME, span, problem, hint)
}

fn white_space<T>(reader: &mut Reader, span: Span, name: &Name) -> Option<T> {
    reader.refuse(Rule::BAD_NAME, span, "the name has white space around it", format!("write `{name}`"))
}

fn former_name(reader: &mut Reader, field: Field<'_>, name: Option<&Name>) -> Option<Name> {
    let text = reader.text(field, Advice::default())?;
    let hint = "write the group's current name in the account";
    match text.parse::<Name>() {
        Ok(former) if text.trim() != text => white_space(reader, field.span(), &former),
        // A rename may change only capitals: the same name, spelt differently.
        Ok(former) if name.is_some_and(|name| *name == former) => {
            let message = format!("`{text}` is the group's own name");
            reader.refuse(Rule::RENAMED_TO_ITSELF, field.span(), message, format!("{hint}, or remove the field"))
        }
        Ok(former) => Some(former),
        Err(error) => reader.refuse(Rule::BAD_NAME, field.span(), error.to_string(), hint),
    }
}

fn ring_mode(reader: &mut Reader, field: Field<'_>) -> Option<RingMode> {
    let words = "write `simultaneous` or `sequential`";
    let advice = Advice { empty: Some(words), instead: Some(words) };
    let text = reader.text(field, advice)?;
    RingMode::parse(text).or_else(|| {
        let near = crate::diag::nearest(text, RingMode::ALL.map(RingMode::as_str));
        let hint = near.map_or(words.to_owned(), |word| format!("did you mean `{word}`?"));
        reader.refuse(Rule::WRONG_VALUE, field.span(), format!("there is no ring mode `{text}`"), hint)
    })
}

fn members(reader: &mut Reader, field: Field<'_>) -> Option<Vec<Spanned<Reference>>> {
    if let View::Plain(text) | View::Quoted(text) = field.value.view()
        && text.contains('/')
    {
        let message = "`members` must be a list, not a single value";
        return reader.refuse(Rule::WRONG_TYPE, field.span(), message, format!("write `[{text}]`"));
    }
    let items = reader.items(field)?;
    if items.is_empty() {
        let hint = "write `members: [user/…]`, or remove the group from the file";
        return reader.refuse(Rule::EMPTY_MEMBERS, field.span(), "the group has no members", hint);
    }
    let members = self::references(reader, items, &Kind::MEMBERS)?;
    let mut by_key: Vec<(Kind, NameKey, Span)> =
        members.iter().map(|member| (member.value.kind, member.value.selector.key(), member.span)).collect();
    by_key.sort_unstable();
    let mut unique = true;
    for pair in by_key.windows(2) {
        if let [(kind, key, first), (other_kind, other_key, again)] = pair
            && (kind, key) == (other_kind, other_key)
        {
            unique = false;
            let message = format!("`{kind}/{}` is a member twice", key.as_str());
            let finding = Diagnostic::new(Rule::DUPLICATE_MEMBER, Some(*again), message);
            reader.report(finding.related(*first, "here as well").hint("remove one of the two"));
        }
    }
    unique.then_some(members)
}

/// The references; nothing if one of them is wrong.
fn references(reader: &mut Reader, items: Vec<Field<'_>>, kinds: &[Kind]) -> Option<Vec<Spanned<Reference>>> {
    let mut read = |item: Field<'_>| {
        let text = reader.text(item, Advice::default())?;
        item.spanned(references::required(reader, item, text, kinds))
    };
    let references: Vec<_> = items.into_iter().map(&mut read).collect();
    references.into_iter().collect()
}

/// The groups of one file's `absent` section.
pub(super) fn absent(reader: &mut Reader, field: Field<'_>) -> Vec<Absent> {
    let items = reader.items(field).unwrap_or_default();
    let references = references(reader, items, &[Kind::RingGroup]).unwrap_or_default();
    references.into_iter().map(|reference| Absent { reference }).collect()
}

fn long_wait(reader: &mut Reader, group: &DesiredRingGroup) {
    let (Some(ring), Some(ring_for)) = (group.ring, group.ring_for) else { return };
    if ring.value == RingMode::Sequential
        && let Some(finding) = caller::long_wait(ring_for.span, group.members.len(), ring_for.value)
    {
        reader.report(finding);
    }
}

/// The group of this name, among groups that are sorted by name.
fn declared<'g>(groups: &'g [(NameKey, DesiredRingGroup)], key: &NameKey) -> Option<&'g DesiredRingGroup> {
    let index = groups.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
    groups.get(index).map(|(_, group)| group)
}

fn duplicate_extensions(reader: &mut Reader, groups: &[(NameKey, DesiredRingGroup)]) {
    let mut extensions: Vec<_> = groups.iter().filter_map(|(_, group)| group.extension.as_ref()).collect();
    extensions.sort_by_key(|extension| (extension.value.as_str(), extension.span));
    for pair in extensions.windows(2) {
        if let [first, again] = pair
            && first.value == again.value
        {
            let message = format!("two groups have extension {}", again.value);
            let finding = Diagnostic::new(Rule::DUPLICATE_EXTENSION, Some(again.span), message);
            reader.report(finding.related(first.span, "here as well").hint("give one of them another number"));
        }
    }
}

fn renames(reader: &mut Reader, groups: &[(NameKey, DesiredRingGroup)]) {
    let mut renamed: HashMap<NameKey, Span> = HashMap::new();
    let former = groups.iter().filter_map(|(key, group)| group.renamed_from.as_ref().map(|name| (key, group, name)));
    for (own, group, name) in former {
        let key = name.value.key();
        if key != *own
            && let Some(other) = declared(groups, &key)
            && !gives_its_name_up(groups, other, own)
        {
            let message = format!("`{}` is renamed and declared as well", name.value);
            let finding = Diagnostic::new(Rule::RENAMED_FROM_DECLARED, Some(name.span), message);
            let hint = "remove `renamed_from` once the group has its new name, or the other group";
            reader.report(finding.related(other.name.span, "declared here").hint(hint));
        }
        if let Some(first) = renamed.insert(key, name.span) {
            let message = format!("`{}` is renamed to `{}` and to another name", name.value, group.name.value);
            let finding = Diagnostic::new(Rule::RENAMED_TWICE, Some(name.span), message);
            reader.report(finding.related(first, "here as well").hint("keep one of the two"));
        }
    }
}

/// Whether the group that has this name was itself renamed to it, in a chain that ends: `b` from `a` and `c`
/// from `b` can be done and are done only once. Names in a cycle would be exchanged again at every run.
fn gives_its_name_up(groups: &[(NameKey, DesiredRingGroup)], group: &DesiredRingGroup, start: &NameKey) -> bool {
    /// A longer chain of renames in one file is a mistake, and would make this quadratic.
    const LONGEST: usize = 100;
    let mut at = group.renamed_from.as_ref();
    for _ in 0..LONGEST {
        let Some(name) = at else { return false };
        let key = name.value.key();
        if key == *start {
            return false;
        }
        match declared(groups, &key) {
            Some(next) => at = next.renamed_from.as_ref(),
            None => return true,
        }
    }
    false
}
