//! Reading the `numbers` section.

use crate::diag::{Diagnostic, Rule};
use crate::model::{DesiredNumber, E164, E164Error, Kind, Span, Spanned, is_unprintable};

use super::document::{Mapping, NodeRef, View};
use super::phone;
use super::reader::{Advice, Field, Reader};
use super::references;
use super::section::section;
use super::settings::Country;
use super::yaml_scalar::{ScalarKind, kind};

/// The most characters that a label may have.
const LABEL_MOST: usize = 256;

section! {
    /// A phone number.
    struct NumberEntry {
        /// Where calls go: `receptionist/…`, `user/…`, `ring_group/…`, `conference/…` or `voicemail/…`, each followed by
        /// an extension number, an e-mail address or a name; `external/+…`, a number outside of the account that
        /// `policy.external` lists; or `none`, which leaves the number without a destination. Providers differ in what
        /// they accept.
        #[schemars(
            regex(pattern = r"^(none|(receptionist|user|ring_group|conference|voicemail)/.*\S|external/\+[1-9][0-9]{6,14})$"),
            example = &"receptionist/main",
            example = &"user/amelie@example.org",
            example = &"user/202",
            example = &"ring_group/ventes",
            example = &"conference/salle-1",
            example = &"none"
        )]
        to: String = "write `to:` and a destination, or `to: none`",
        /// A text beside the number in the account. Without this field the label is not managed.
        #[schemars(length(max = LABEL_MOST), regex(pattern = r"^[^\u2028\u2029]*$"), example = &"Accueil")]
        label: Option<String>,
    }
}

/// The numbers of all files of an account.
#[derive(Debug)]
pub(super) struct Numbers {
    /// What the provider can map a number to.
    kinds: Vec<Kind>,
    declared: Vec<DesiredNumber>,
    /// Numbers that are not in `declared`, because they are written in another way or their fields are
    /// wrong. They are in the file all the same.
    broken: Vec<(E164, Span)>,
}

impl Numbers {
    pub(super) fn new(kinds: Vec<Kind>) -> Self {
        Self { kinds, declared: Vec::new(), broken: Vec::new() }
    }

    /// Reads one file's section.
    pub(super) fn read(&mut self, reader: &mut Reader, section: Mapping<'_>, country: Option<Country>) {
        self.declared.reserve(section.len());
        for (key, value) in section.entries() {
            let number = self.number(reader, key, country);
            let entry = entry(reader, Field { key, value }, &self.kinds);
            let Some(number) = number else { continue };
            let span = key.span();
            match entry {
                Some((Some(to), label)) => self.declared.push(DesiredNumber { number, span, to, label }),
                _ => self.broken.push((number, span)),
            }
        }
    }

    fn number(&mut self, reader: &mut Reader, key: NodeRef<'_>, country: Option<Country>) -> Option<E164> {
        let text = key.scalar().unwrap_or_default();
        let unquoted = match key.view() {
            View::Plain(text) => Some(kind(text)).filter(|reading| *reading != ScalarKind::Text),
            _ => None,
        };
        let error = match (unquoted, text.parse::<E164>()) {
            (None, Ok(number)) => return Some(number),
            (_, Ok(number)) => {
                self.broken.push((number, key.span()));
                let hint = format!("write `\"{number}\"`");
                reader.unquoted(key, text, unquoted.unwrap_or(ScalarKind::Integer), Some(&hint));
                return None;
            }
            (_, Err(error)) => error,
        };
        let meant = phone::normalize(text, country);
        if let Some(number) = meant {
            self.broken.push((number, key.span()));
        }
        let hint = match (meant, country) {
            (Some(number), _) => format!("write `\"{number}\"`"),
            (None, None) if error == E164Error::NoPlus => {
                "write `\"+\"`, the country code and the number; with the account's `country` set, national \
                 spellings are recognised"
                    .to_owned()
            }
            (None, _) => "write `\"+\"`, the country code and the number without its leading zero".to_owned(),
        };
        if let Some(read_as) = unquoted {
            reader.unquoted(key, text, read_as, Some(&hint));
            return None;
        }
        reader.refuse(Rule::NOT_E164, key.span(), format!("`{text}` is not an E.164 number: {error}"), hint)
    }

    /// The numbers, sorted and each once.
    pub(super) fn finish(mut self, reader: &mut Reader) -> Vec<DesiredNumber> {
        // The stable order of equals is that of the files, so the first is the first that was written.
        self.declared.sort_by_key(|number| number.number);
        self.broken.sort_unstable();
        let mut previous: Option<(E164, Span)> = None;
        for (number, span) in self.broken {
            let index = self.declared.binary_search_by_key(&number, |declared| declared.number);
            let declared = index.ok().and_then(|index| self.declared.get(index)).map(|declared| declared.span);
            let other = declared.or(previous.filter(|(other, _)| *other == number).map(|(_, span)| span));
            if let Some(other) = other {
                // Reported at the later of the two places.
                reader.report(twice(number, span.max(other), span.min(other)));
            }
            previous = Some((number, span));
        }
        self.declared.dedup_by(|later, first| {
            let same = later.number == first.number;
            if same {
                reader.report(twice(later.number, later.span, first.span));
            }
            same
        });
        self.declared.shrink_to_fit();
        self.declared
    }
}

fn twice(number: E164, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Rule::DUPLICATE_NUMBER, Some(span), format!("{number} is given twice"))
        .related(first, "here as well")
        .hint("keep one of the two: a number has one destination")
}

type Entry = (Option<Spanned<Option<crate::model::Reference>>>, Option<Spanned<Box<str>>>);

fn entry(reader: &mut Reader, field: Field<'_>, kinds: &[Kind]) -> Option<Entry> {
    if let View::Plain(text) | View::Quoted(text) = field.value.view() {
        let number = field.name();
        let (rule, message, example) = if text.is_empty() || kind(text) == ScalarKind::Null {
            (Rule::MISSING_VALUE, format!("`{number}` has no destination"), references::NONE)
        } else {
            (Rule::WRONG_TYPE, format!("`{number}` must be a mapping, not a single value"), text)
        };
        return reader.refuse(rule, field.span(), message, format!("write `{{ to: {example} }}`"));
    }
    let entry = reader.section::<NumberEntry>(field)?;
    let to = entry.to.and_then(|to| to.spanned(references::optional(reader, to, kinds)));
    let label = entry.label.and_then(|label| label.spanned(text_of_label(reader, label)));
    Some((to, label))
}

fn text_of_label(reader: &mut Reader, field: Field<'_>) -> Option<Box<str>> {
    let advice = Advice { empty: Some("write `\"\"` for an empty label, or remove the field"), instead: None };
    let text = reader.text(field, advice)?;
    let problem = if text.chars().any(is_unprintable) {
        "a label has no control characters and no line breaks"
    } else if text.len() > LABEL_MOST && text.chars().count() > LABEL_MOST {
        "a label has at most 256 characters"
    } else {
        return Some(text.into());
    };
    reader.refuse(Rule::BAD_LABEL, field.span(), problem, "write a short text on one line")
}
