//! Where every value of a YAML text begins and ends, so that one can be replaced and all else stays.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, Span as Stretch};

/// A value of the text, by its number.
pub(super) type Id = usize;

/// A value and what is in it.
#[derive(Debug)]
pub(super) struct Node {
    /// Its bytes. Those of a block collection end with its last value.
    pub(super) range: Range<usize>,
    pub(super) shape: Shape,
    pub(super) parent: Option<Id>,
    /// Of a mapping the keys and values in turn.
    pub(super) children: Vec<Id>,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Scalar,
    /// It stands for a value elsewhere.
    Alias,
    Mapping,
    Sequence,
}

/// All values of a text.
#[derive(Debug)]
pub(super) struct Places {
    nodes: Vec<Node>,
    scalars: HashMap<(usize, usize), Id>,
}

impl Places {
    /// The values of a text that was read before, and so is YAML.
    pub(super) fn of(text: &str) -> Option<Self> {
        let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let at = |index: usize| bytes.get(index).copied().unwrap_or(text.len());
        let mut places = Self { nodes: Vec::new(), scalars: HashMap::new() };
        let mut open: Vec<Id> = Vec::new();
        for event in Parser::new_from_str(text) {
            let (event, stretch) = event.ok()?;
            let range = at(stretch.start.index())..at(stretch.end.index());
            match event {
                Event::Scalar(..) => drop(places.add(Shape::Scalar, trimmed(text, range), &open, stretch)),
                Event::Alias(_) => drop(places.add(Shape::Alias, trimmed(text, range), &open, stretch)),
                Event::MappingStart(..) => open.push(places.add(Shape::Mapping, range, &open, stretch)),
                Event::SequenceStart(..) => open.push(places.add(Shape::Sequence, range, &open, stretch)),
                Event::MappingEnd | Event::SequenceEnd => {
                    let id = open.pop()?;
                    let last = places.nodes.get(id)?.children.last().copied();
                    let last = last.and_then(|last| places.nodes.get(last)).map(|last| last.range.end);
                    let node = places.nodes.get_mut(id)?;
                    let flow = text.as_bytes().get(node.range.start).is_some_and(|byte| b"[{".contains(byte));
                    node.range.end = if flow { range.end } else { last.unwrap_or(node.range.end) };
                }
                _ => {}
            }
        }
        Some(places)
    }

    fn add(&mut self, shape: Shape, range: Range<usize>, open: &[Id], stretch: Stretch) -> Id {
        let id = self.nodes.len();
        let place = (stretch.start.line(), stretch.start.col() + 1);
        if shape == Shape::Scalar {
            self.scalars.insert(place, id);
        }
        let parent = open.last().copied();
        self.nodes.push(Node { range, shape, parent, children: Vec::new() });
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
            parent.children.push(id);
        }
        id
    }

    pub(super) fn get(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The text without structure that stands at a line and a column, both from 1.
    pub(super) fn scalar(&self, line: u32, column: u32) -> Option<Id> {
        self.scalars.get(&(line as usize, column as usize)).copied()
    }

    /// The position of a value among its parent's.
    pub(super) fn position(&self, id: Id) -> Option<(Id, usize)> {
        let parent = self.get(id)?.parent?;
        let position = self.get(parent)?.children.iter().position(|child| *child == id)?;
        Some((parent, position))
    }
}

/// The bytes of a text without structure: the parser counts white space, and comments behind quotes, to it as well.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let value = text.get(range.clone()).unwrap_or_default();
    let length = match value.as_bytes().first() {
        Some(quote @ (b'"' | b'\'')) => quoted_length(value.as_bytes(), *quote),
        _ => value.trim_end().len(),
    };
    range.start..range.start + length
}

/// How long a text in quotes is, with them.
fn quoted_length(value: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(&byte) = value.get(at) {
        at += 1;
        match byte {
            b'\\' if quote == b'"' => at += 1,
            // Two in a row are one of the text's own.
            _ if byte == quote && quote == b'\'' && value.get(at) == Some(&quote) => at += 1,
            _ if byte == quote => return at,
            _ => {}
        }
    }
    value.len()
}
