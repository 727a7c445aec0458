//! Edits of one YAML text: values replaced, entries and items removed, lists rewritten. All else stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::model::Span;
use crate::text::quoted;

use super::places::{Id, Places, Shape};

/// One file that is being edited.
#[derive(Debug)]
pub(super) struct Editor<'t> {
    text: &'t str,
    places: Places,
    edits: Vec<(Range<usize>, String)>,
    /// What goes, by the collection that it is part of: positions among its children.
    gone: BTreeMap<Id, BTreeSet<usize>>,
}

/// Edits of several files that belong together: all of them are made, or none.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    /// A value gets another text.
    Set { at: Span, text: String },
    /// The field with this value goes.
    DropField { at: Span },
    /// The entry with this key goes.
    DropEntry { key: Span },
    /// The item goes.
    DropItem { at: Span },
    /// The list behind this key gets other items: the position of one that stays, or the text of a new one.
    Items { at: Span, items: Vec<Item> },
}

/// An item of a list.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Old(usize),
    New(String),
}

impl Edit {
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Set { at, .. } | Self::DropField { at } | Self::DropItem { at } | Self::Items { at, .. } => *at,
            Self::DropEntry { key } => *key,
        }
    }
}

impl<'t> Editor<'t> {
    pub(super) fn new(text: &'t str) -> Option<Self> {
        Some(Self { text, places: Places::of(text)?, edits: Vec::new(), gone: BTreeMap::new() })
    }

    /// Notes an edit; `None` if it cannot be made here.
    pub(super) fn take(&mut self, edit: &Edit) -> Option<()> {
        match edit {
            Edit::Set { at, text } => self.set(*at, text),
            Edit::DropField { at } => {
                let (parent, position) = self.places.position(self.scalar(*at)?)?;
                self.gone.entry(parent).or_default().insert(position / 2);
                Some(())
            }
            Edit::DropEntry { key } => {
                let (parent, position) = self.places.position(self.scalar(*key)?)?;
                (self.places.get(parent)?.shape == Shape::Mapping && position % 2 == 0).then_some(())?;
                self.gone.entry(parent).or_default().insert(position / 2);
                Some(())
            }
            Edit::DropItem { at } => {
                let (parent, position) = self.places.position(self.scalar(*at)?)?;
                (self.places.get(parent)?.shape == Shape::Sequence).then_some(())?;
                self.gone.entry(parent).or_default().insert(position);
                Some(())
            }
            Edit::Items { at, items } => self.items(*at, items),
        }
    }

    fn scalar(&self, at: Span) -> Option<Id> {
        self.places.scalar(at.line, at.column)
    }

    fn set(&mut self, at: Span, text: &str) -> Option<()> {
        let range = self.places.get(self.scalar(at)?)?.range.clone();
        let before = self.text.get(range.clone())?;
        // A value over several lines has a form that one line does not have.
        (!before.contains('\n')).then_some(())?;
        // In the quotes that it had.
        let text = if before.starts_with('"') && !text.starts_with('"') { quoted(text) } else { text.to_owned() };
        self.edits.push((range, text));
        Some(())
    }

    fn items(&mut self, at: Span, items: &[Item]) -> Option<()> {
        let (parent, position) = self.places.position(self.scalar(at)?)?;
        let list = self.places.get(*self.places.get(parent)?.children.get(position + 1)?)?;
        (list.shape == Shape::Sequence).then_some(())?;
        let old: Option<Vec<Range<usize>>> =
            list.children.iter().map(|child| self.places.get(*child).map(|node| node.range.clone())).collect();
        let old = old?;
        let range = list.range.clone();
        let edit = if self.text.get(range.clone())?.starts_with('[') {
            self.flow_items(&range, &old, items)?
        } else {
            self.block_items(&old, items)?
        };
        self.edits.push(edit);
        Some(())
    }

    fn flow_items(&self, range: &Range<usize>, old: &[Range<usize>], items: &[Item]) -> Option<(Range<usize>, String)> {
        let (first, last) = (old.first()?, old.last()?);
        // Between two items is what was there between the first two.
        let between = match old {
            [first, second, ..] => self.text.get(first.end..second.start)?,
            _ => ", ",
        };
        let texts: Option<Vec<&str>> = items
            .iter()
            .map(|item| match item {
                Item::Old(position) => self.text.get(old.get(*position)?.clone()),
                Item::New(text) => Some(text.as_str()),
            })
            .collect();
        let (start, end) = (self.text.get(range.start..first.start)?, self.text.get(last.end..range.end)?);
        Some((range.clone(), format!("{start}{}{end}", texts?.join(between))))
    }

    /// An item that stays keeps its line, with the comments behind and above it.
    fn block_items(&self, old: &[Range<usize>], items: &[Item]) -> Option<(Range<usize>, String)> {
        let first = old.first()?;
        let start = self.line_start(first.start);
        let lead = self.text.get(start..first.start)?;
        (lead.trim() == "-").then_some(())?;
        let mut from = start;
        let mut chunks = Vec::with_capacity(old.len());
        for item in old {
            let end = self.line_end(item.end);
            chunks.push(self.text.get(from..end)?);
            from = end;
        }
        let mut text = String::new();
        for item in items {
            match item {
                Item::Old(position) => text.push_str(chunks.get(*position)?),
                Item::New(new) => {
                    text.push_str(lead);
                    text.push_str(new);
                }
            }
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        Some((start..from, text))
    }

    /// The text with all edits.
    pub(super) fn finish(mut self) -> Option<String> {
        for (id, gone) in std::mem::take(&mut self.gone) {
            let edits = self.without(id, &gone)?;
            self.edits.extend(edits);
        }
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let apart = self.edits.windows(2).all(|pair| match pair {
            [(one, _), (other, _)] => one.end <= other.start,
            _ => true,
        });
        apart.then_some(())?;
        let mut text = self.text.to_owned();
        for (range, new) in self.edits.iter().rev() {
            text.get(range.clone())?;
            text.replace_range(range.clone(), new);
        }
        Some(text)
    }

    /// A collection without some of its entries.
    fn without(&self, id: Id, gone: &BTreeSet<usize>) -> Option<Vec<(Range<usize>, String)>> {
        let node = self.places.get(id)?;
        let width = if node.shape == Shape::Mapping { 2 } else { 1 };
        let entries: Option<Vec<Range<usize>>> = node
            .children
            .chunks(width)
            .map(|entry| {
                let (first, last) = (self.places.get(*entry.first()?)?, self.places.get(*entry.last()?)?);
                Some(first.range.start..last.range.end.max(first.range.end))
            })
            .collect();
        let entries = entries?;
        let (open, close) = if width == 2 { ("{", "}") } else { ("[", "]") };
        let stay = |position: &usize| !gone.contains(position);
        if self.text.get(node.range.clone())?.starts_with(open) {
            let kept: Option<Vec<&str>> =
                (0..entries.len()).filter(stay).map(|position| self.text.get(entries.get(position)?.clone())).collect();
            let kept = kept?;
            if kept.is_empty() {
                return Some(vec![(node.range.clone(), format!("{open}{close}"))]);
            }
            let (first, last) = (entries.first()?, entries.last()?);
            return Some(vec![(first.start..last.end, kept.join(", "))]);
        }
        let mut edits = Vec::new();
        for position in gone {
            let entry = entries.get(*position)?;
            let start = self.line_start(entry.start);
            let lead = self.text.get(start..entry.start)?.trim();
            (lead.is_empty() || width == 1 && lead == "-").then_some(())?;
            edits.push((start..self.line_end(entry.end), String::new()));
        }
        if gone.len() == entries.len() {
            // A key without a value is not an empty collection.
            let (parent, position) = self.places.position(id)?;
            let key = self.places.get(parent)?.children.get(position.checked_sub(1)?).copied()?;
            let end = self.places.get(key)?.range.end;
            let colon = end + self.text.get(end..)?.find(':')? + 1;
            edits.push((colon..colon, format!(" {open}{close}")));
        }
        Some(edits)
    }

    fn line_start(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1)
    }

    /// Behind the line break.
    fn line_end(&self, at: usize) -> usize {
        self.text.get(at..).and_then(|after| after.find('\n')).map_or(self.text.len(), |end| at + end + 1)
    }
}
