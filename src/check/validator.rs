//! Validating documents against the published schema.
//!
//! The readers explain every mistake better than a schema can, so a breach of the schema is reported only
//! where no reader found anything. That makes the schema a promise (what an editor accepts is accepted, and
//! nothing passes unseen) and not a second opinion.

use std::collections::HashMap;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use jsonschema::{PatternOptions, Validator};

use crate::diag::{Diagnostic, Rule};
use crate::model::Span;

use super::document::{Document, NodeRef, View};
use super::json::{Item, Tree};
use super::schema;

/// The compiled schema.
pub struct AccountSchema {
    validator: Option<Validator<Tree>>,
}

impl AccountSchema {
    /// Compiles the schema, offline.
    pub fn new() -> Self {
        let options = jsonschema::options_for::<Tree>().offline().with_pattern_options(PatternOptions::regex());
        // A test holds that the schema compiles; if it ever did not, nothing would pass.
        Self { validator: options.build(&schema::account()).ok() }
    }

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
        let explained = Explained::new(document, findings);
        let mut index = Index::default();
        let mut unexplained = Vec::new();
        for error in validator.iter_errors(Item::Node(root)) {
            let path: Vec<LocationSegment<'_>> = error.instance_path().iter().collect();
            let place = index.find(root, &path);
            let names: Vec<&str> = match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } if path.is_empty() => {
                    unexpected.iter().map(String::as_str).collect()
                }
                _ => Vec::new(),
            };
            let explained = match names.as_slice() {
                [] => explained.covers(place.from, place.to),
                names => names.iter().all(|name| explained.covers_key(root, name)),
            };
            if !explained {
                let message = format!("{} at `{}`", error.masked(), error.instance_path());
                unexplained.push(
                    Diagnostic::new(Rule::SCHEMA, Some(place.span), message)
                        .hint("docs/format.md describes every field; an editor with the schema shows them"),
                );
            }
        }
        unexplained
    }
}

impl Default for AccountSchema {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for AccountSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccountSchema")
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

/// Entries of large mappings by their keys, so that 100,000 breaches are found in one pass each.
#[derive(Default)]
struct Index<'d> {
    keys: HashMap<u32, HashMap<&'d str, (NodeRef<'d>, NodeRef<'d>)>>,
}

impl<'d> Index<'d> {
    fn find(&mut self, root: NodeRef<'d>, path: &[LocationSegment<'_>]) -> Place {
        let mut at = root;
        let mut entry = (root, root);
        let mut span = root.span();
        for (depth, segment) in path.iter().enumerate() {
            let step = match (at.view(), segment) {
                (View::Mapping(mapping), LocationSegment::Property(name)) => {
                    let keys = self.keys.entry(at.index()).or_insert_with(|| {
                        mapping.entries().map(|(key, value)| (key.scalar().unwrap_or_default(), (key, value))).collect()
                    });
                    keys.get(name.as_ref()).copied()
                }
                (View::Sequence(items), LocationSegment::Index(index)) => {
                    items.items().nth(*index).map(|item| (item, item))
                }
                _ => None,
            };
            let Some((key, value)) = step else { break };
            at = value;
            span = value.span();
            // A section, then the entry of a section; what is deeper belongs to that entry.
            if depth < 2 {
                entry = (key, value);
            }
        }
        let (key, value) = entry;
        let last = value.subtree().map(|node| position(node.span())).max();
        Place { span, from: position(key.span()), to: last.unwrap_or(position(key.span())) }
    }
}

/// The places of the findings of one file.
struct Explained {
    positions: Vec<Position>,
}

impl Explained {
    fn new(document: &Document<'_>, findings: &[Diagnostic]) -> Self {
        let spans = findings.iter().filter_map(|finding| finding.span).filter(|span| span.file == document.file());
        let mut positions: Vec<Position> = spans.map(position).collect();
        positions.sort_unstable();
        Self { positions }
    }

    fn covers(&self, from: Position, to: Position) -> bool {
        let first = self.positions.partition_point(|position| *position < from);
        self.positions.get(first).is_some_and(|position| *position <= to)
    }

    fn covers_key(&self, root: NodeRef<'_>, name: &str) -> bool {
        let View::Mapping(mapping) = root.view() else { return false };
        let key = mapping.entries().find(|(key, _)| key.scalar() == Some(name));
        key.is_some_and(|(key, _)| self.covers(position(key.span()), position(key.span())))
    }
}
