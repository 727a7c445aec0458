//! Validating documents against the published schema.
//!
//! The readers explain every mistake better than a schema can, so a breach of the schema is reported only
//! where no reader found anything. That makes the schema a promise (what an editor accepts is accepted, and
//! nothing else is), and avoids two findings for one mistake.

use std::collections::HashMap;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, Validator};

use crate::diag::{Diagnostic, MOST, Rule};
use crate::model::Span;

use super::document::{Document, NodeRef, View};
use super::json::{Item, Tree};
use super::schema;

/// The compiled schema.
pub struct AccountSchema {
    validator: Option<Validator<Tree>>,
}

impl Default for AccountSchema {
    /// Compiles the schema, offline.
    fn default() -> Self {
        let options = jsonschema::options_for::<Tree>().offline().with_pattern_options(PatternOptions::regex());
        // A test ensures that the schema compiles; if it did not, every file would be refused.
        Self { validator: options.build(&schema::account()).ok() }
    }
}

impl AccountSchema {
    /// Whether a document is valid.
    pub fn accepts(&self, document: &Document<'_>) -> bool {
        self.validator.as_ref().is_some_and(|validator| validator.is_valid(Item::Node(document.root())))
    }

    /// The breaches that no finding explains yet.
    pub(super) fn unexplained(&self, document: &Document<'_>, findings: &[Diagnostic]) -> Vec<Diagnostic> {
        let Some(validator) = &self.validator else {
            return vec![Diagnostic::new(Rule::SCHEMA, Some(document.root().span()), "the schema does not compile")];
        };
        let root = document.root();
        if validator.is_valid(Item::Node(root)) {
            return Vec::new();
        }
        // Of two values of one key, the schema judges both and the reader one; one mistake is enough to tell.
        let mut of_file =
            findings.iter().filter(|finding| finding.span.is_some_and(|span| span.file == document.file()));
        if of_file.any(|finding| finding.rule == Rule::DUPLICATE_KEY) {
            return Vec::new();
        }
        let places = places(document, findings);
        let is_explained = |from: Position, to: Position| {
            let first = places.partition_point(|place| *place < from);
            places.get(first).is_some_and(|place| *place <= to)
        };
        let mut index = Index::default();
        let mut unexplained = Vec::new();
        for error in validator.iter_errors(Item::Node(root)) {
            let (place, entries) = index.find(root, error.instance_path().as_str());
            // An error about keys is located at their mapping, which may be as large as the file.
            let names: Vec<&str> = match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    unexpected.iter().map(String::as_str).collect()
                }
                ValidationErrorKind::PropertyNames { error } => error.instance().as_str().into_iter().collect(),
                _ => Vec::new(),
            };
            let keys: Vec<Span> = names.iter().filter_map(|name| index.key(entries, name)).collect();
            let known = match keys.as_slice() {
                [] => is_explained(place.from, place.to),
                keys => keys.iter().all(|key| is_explained(position(*key), position(*key))),
            };
            if unexplained.len() >= MOST {
                break;
            }
            if !known {
                let message = format!("{} at `{}`", error.masked(), error.instance_path());
                let span = keys.first().copied().unwrap_or(place.span);
                unexplained.push(
                    Diagnostic::new(Rule::SCHEMA, Some(span), message)
                        .hint("docs/format.md describes every field; an editor with the schema shows them"),
                );
            }
        }
        unexplained
    }
}

type Position = (u32, u32);

fn position(span: Span) -> Position {
    (span.line, span.column)
}

/// Where a breach is, and the stretch of text in which a finding explains it: its section's entry.
struct Place {
    span: Span,
    from: Position,
    to: Position,
}

/// What paths lead through, looked up once for each collection, so that 100,000 breaches stay linear.
#[derive(Default)]
struct Index<'d> {
    keys: HashMap<u32, HashMap<&'d str, (NodeRef<'d>, NodeRef<'d>)>>,
    items: HashMap<u32, Vec<NodeRef<'d>>>,
    /// Where the first and the last value inside a value stand, with its key.
    extents: HashMap<u32, (Position, Position)>,
}

impl<'d> Index<'d> {
    /// Where the breach is, and the value that the path leads to: a JSON pointer. The validator's own segments take
    /// a key like `+33142685300` for a position in a list.
    fn find(&mut self, root: NodeRef<'d>, path: &str) -> (Place, NodeRef<'d>) {
        let mut at = root;
        let mut entry = (root, root);
        let mut independent = false;
        for (depth, segment) in path.split('/').skip(1).enumerate() {
            let step = match at.view() {
                View::Mapping(_) => self.entry(at, &segment.replace("~1", "/").replace("~0", "~")),
                View::Sequence(_) => {
                    segment.parse().ok().and_then(|index| self.item(at, index)).map(|item| (item, item))
                }
                View::Plain(_) | View::Quoted(_) => None,
            };
            let Some((key, value)) = step else { break };
            at = value;
            // A section or, where they are independent of each other, one of its entries; what is deeper
            // belongs to it.
            if depth == 0 || (depth == 1 && independent) {
                entry = (key, value);
                independent = matches!(key.scalar(), Some("numbers" | "ring_groups" | "absent"));
            }
        }
        let (key, value) = entry;
        // A value that an alias repeats stands before its key.
        let first = position(key.span());
        let (from, to) = *self.extents.entry(value.index()).or_insert_with(|| {
            let positions = value.subtree().map(|node| position(node.span()));
            positions.fold((first, first), |(from, to), at| (from.min(at), to.max(at)))
        });
        (Place { span: at.span(), from, to }, at)
    }

    fn entry(&mut self, mapping: NodeRef<'d>, name: &str) -> Option<(NodeRef<'d>, NodeRef<'d>)> {
        let keys = self.keys.entry(mapping.index()).or_insert_with(|| match mapping.view() {
            View::Mapping(entries) => {
                entries.entries().map(|(key, value)| (key.scalar().unwrap_or_default(), (key, value))).collect()
            }
            _ => HashMap::new(),
        });
        keys.get(name).copied()
    }

    fn item(&mut self, list: NodeRef<'d>, index: usize) -> Option<NodeRef<'d>> {
        let items = self.items.entry(list.index()).or_insert_with(|| match list.view() {
            View::Sequence(items) => items.items().collect(),
            _ => Vec::new(),
        });
        items.get(index).copied()
    }

    fn key(&mut self, mapping: NodeRef<'d>, name: &str) -> Option<Span> {
        self.entry(mapping, name).map(|(key, _)| key.span())
    }
}

/// The places of the findings of one file, in order.
fn places(document: &Document<'_>, findings: &[Diagnostic]) -> Vec<Position> {
    let spans = findings.iter().filter_map(|finding| finding.span).filter(|span| span.file == document.file());
    let mut positions: Vec<Position> = spans.map(position).collect();
    positions.sort_unstable();
    positions
}
