//! From YAML text to a document, in one pass over the parser's events.
//!
//! Refuses what hides its meaning from a reviewer: tags, merge keys, several documents in a file, keys
//! that are not text. Aliases are copied, within a budget, so that a kilobyte cannot stand for a gigabyte.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as Stretch};

use crate::check::document::{At, Builder, DEEPEST, Document, Text};
use crate::diag::{Diagnostic, Rule};
use crate::model::{FileId, Span};
use crate::text::forbidden_plain_start;

/// The most values that all aliases of a file may stand for.
const ALIASED_MOST: u32 = 100_000;

/// The document of a file, or the first thing that keeps it from being one. The text has at most 256 MiB,
/// no byte order mark and no control character.
pub fn parse(file: FileId, source: &str) -> Result<Document<'_>, Diagnostic> {
    let mut events = Events::new(file, source);
    for event in Parser::new_from_str(source) {
        let (event, stretch) = event.map_err(|error| syntax(file, source, &error))?;
        events.take(event, stretch)?;
    }
    let at = Span { file, line: 1, column: 1, length: 1 };
    events.builder.finish().ok_or_else(|| {
        Diagnostic::new(Rule::EMPTY_FILE, Some(at), "the file has no content")
            .hint("begin with `version: 1`, or remove the file")
    })
}

struct Events<'s> {
    file: FileId,
    builder: Builder<'s>,
    bytes: Bytes<'s>,
    documents: u32,
    /// The values that anchors name, by the parser's number of the anchor.
    anchors: HashMap<usize, u32>,
    aliased: u32,
}

impl<'s> Events<'s> {
    fn new(file: FileId, source: &'s str) -> Self {
        let builder = Builder::new(file, source);
        Self { file, builder, bytes: Bytes::new(source), documents: 0, anchors: HashMap::new(), aliased: 0 }
    }

    fn take(&mut self, event: Event<'_>, stretch: Stretch) -> Result<(), Diagnostic> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self
                        .refuse(Rule::SEVERAL_DOCUMENTS, stretch, "a second YAML document begins here")
                        .hint("put it into a file of its own, and remove the `---`"));
                }
            }
            Event::MappingStart(anchor, tag) => self.open(true, anchor, tag.is_some(), stretch)?,
            Event::SequenceStart(anchor, tag) => self.open(false, anchor, tag.is_some(), stretch)?,
            Event::MappingEnd | Event::SequenceEnd => self.builder.close(),
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.is_some(), stretch)?,
            Event::Alias(anchor) => self.alias(anchor, stretch)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn refuse(&self, rule: &'static Rule, stretch: Stretch, message: &str) -> Diagnostic {
        let At { line, column, width } = at(stretch);
        Diagnostic::new(rule, Some(Span { file: self.file, line, column, length: width.max(1) }), message)
    }

    fn value(&mut self, anchor: usize, tagged: bool, stretch: Stretch) -> Result<(), Diagnostic> {
        if tagged {
            return Err(self
                .refuse(Rule::YAML_TAG, stretch, "the value has a YAML tag")
                .hint("remove the word that begins with `!`; put text that looks like a number in quotes"));
        }
        // Zero is the parser's number for no anchor.
        if anchor != 0 {
            self.anchors.insert(anchor, self.builder.len());
        }
        Ok(())
    }

    fn open(&mut self, mapping: bool, anchor: usize, tagged: bool, stretch: Stretch) -> Result<(), Diagnostic> {
        self.value(anchor, tagged, stretch)?;
        self.key_is_text(false, stretch)?;
        if self.builder.depth() >= DEEPEST {
            return Err(self.too_deep(stretch));
        }
        self.builder.open(mapping, at(stretch));
        Ok(())
    }

    fn key_is_text(&self, scalar: bool, stretch: Stretch) -> Result<(), Diagnostic> {
        if scalar || !self.builder.expects_key() {
            return Ok(());
        }
        Err(self
            .refuse(Rule::KEY_NOT_TEXT, stretch, "a list or a mapping is used as a key")
            .hint("write a name, then `:` and the value"))
    }

    fn too_deep(&self, stretch: Stretch) -> Diagnostic {
        self.refuse(Rule::TOO_DEEP, stretch, "values are nested more than 64 levels deep")
            .hint("the format needs five levels; look for superfluous brackets or dashes")
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tagged: bool,
        stretch: Stretch,
    ) -> Result<(), Diagnostic> {
        self.value(anchor, tagged, stretch)?;
        let plain = style == ScalarStyle::Plain;
        if plain && text == "<<" && self.builder.expects_key() {
            return Err(self
                .refuse(Rule::MERGE_KEY, stretch, "`<<` merges another mapping into this one")
                .hint("write the fields out: what a line does must be visible in place"));
        }
        if let Some(first) = forbidden_plain_start(text).filter(|_| plain) {
            let message = format!("not valid YAML: text without quotes cannot begin with `{first}` here");
            let hint = "put the text in quotes; `{ }` and `[ ]` hold no text in blocks";
            return Err(self.refuse(Rule::YAML_SYNTAX, stretch, &message).hint(hint));
        }
        let quote = usize::from(matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
        let from = self.bytes.at(stretch.start.index()) + quote;
        let place = at(stretch);
        match self.bytes.range(from, text) {
            Some((start, end)) => self.builder.scalar(plain, Text::Source(start, end), place),
            None => self.builder.scalar(plain, Text::Rewritten(text), place),
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, stretch: Stretch) -> Result<(), Diagnostic> {
        let target = self.anchors.get(&anchor).copied();
        let size = target.and_then(|target| self.builder.size(target));
        let (Some(target), Some(size)) = (target, size) else {
            return Err(self
                .refuse(Rule::ALIAS_LIMIT, stretch, "the alias is inside the value that it refers to")
                .hint("write the value out"));
        };
        self.key_is_text(self.builder.is_scalar(target), stretch)?;
        self.aliased = self.aliased.saturating_add(size);
        if self.aliased > ALIASED_MOST {
            return Err(self
                .refuse(Rule::ALIAS_LIMIT, stretch, "the file's aliases expand to more than 100,000 values")
                .hint("write the values out, or divide the file"));
        }
        if self.builder.depth() + self.builder.height(target) > DEEPEST {
            return Err(self.too_deep(stretch));
        }
        self.builder.repeat(target);
        Ok(())
    }
}

/// Where characters, which the parser counts, are among the bytes of the text.
struct Bytes<'s> {
    source: &'s str,
    ascii: bool,
    character: usize,
    byte: usize,
}

impl<'s> Bytes<'s> {
    fn new(source: &'s str) -> Self {
        Self { source, ascii: source.is_ascii(), character: 0, byte: 0 }
    }

    /// The byte at which a character begins. Cheap if it is asked for in the order of the text.
    fn at(&mut self, character: usize) -> usize {
        if self.ascii {
            return character;
        }
        if let Some(back) = self.character.checked_sub(character) {
            let before = self.source.get(..self.byte).unwrap_or_default();
            self.byte -= before.chars().rev().take(back).map(char::len_utf8).sum::<usize>();
        } else {
            let after = self.source.get(self.byte..).unwrap_or_default();
            self.byte += after.chars().take(character - self.character).map(char::len_utf8).sum::<usize>();
        }
        self.character = character;
        self.byte
    }

    /// The bytes of the source that are this text, if they are.
    fn range(&self, start: usize, text: &str) -> Option<(u32, u32)> {
        let end = start.checked_add(text.len())?;
        let same = self.source.as_bytes().get(start..end)? == text.as_bytes();
        same.then(|| Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?)))?
    }
}

fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn at(Stretch { start, end }: Stretch) -> At {
    // Of a value over several lines, the place is its beginning.
    let width = if end.line() == start.line() { end.col().saturating_sub(start.col()) } else { 1 };
    At { line: to_u32(start.line()), column: to_u32(start.col() + 1), width: to_u32(width) }
}

/// What the parser could not read, in our words where a remedy is known.
fn syntax(file: FileId, source: &str, error: &ScanError) -> Diagnostic {
    let marker: &Marker = error.marker();
    let span = Span { file, line: to_u32(marker.line().max(1)), column: to_u32(marker.col() + 1), length: 1 };
    if let Some((line, column)) = indented_with_tab(source, marker.line()) {
        let span = Span { line: to_u32(line), column: to_u32(column), ..span };
        return Diagnostic::new(Rule::TAB_INDENTATION, Some(span), "the line is indented with a tab")
            .hint("indent with spaces, two for each level");
    }
    let info = error.info();
    if info.contains("recursion limit") {
        return Diagnostic::new(Rule::TOO_DEEP, Some(span), "values are nested more than 64 levels deep")
            .hint("the format needs five levels; look for superfluous brackets or dashes");
    }
    let hint = if info.contains("mapping values are not allowed") {
        "look for a superfluous `:`, or for text with `: ` in it that needs quotes"
    } else if info.contains("tab") {
        "write spaces instead of the tab"
    } else if info.contains("quoted") || info.contains("end of stream") || info.contains("eof") {
        "look for a quote, a bracket or a brace that is not closed"
    } else if info.contains("indent") {
        "align the line with the others of its level"
    } else {
        "put text with special characters in quotes, and look at the indentation and the brackets"
    };
    Diagnostic::new(Rule::YAML_SYNTAX, Some(span), format!("not valid YAML: {info}")).hint(hint)
}

/// The first tab in the indentation of this line or, if the parser only noticed afterwards, the line before.
fn indented_with_tab(source: &str, line: usize) -> Option<(usize, usize)> {
    let unified = |text: &str| text.trim_end_matches('\r').to_owned();
    let first = line.saturating_sub(2);
    source.split('\n').enumerate().skip(first).take(2).find_map(|(index, text)| {
        let text = unified(text);
        let indentation = text.len() - text.trim_start_matches([' ', '\t']).len();
        let column = text.get(..indentation)?.find('\t')?;
        (indentation < text.len()).then_some((index + 1, column + 1))
    })
}
