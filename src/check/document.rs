//! A YAML document as it was written: every value with its place and its quotes.
//!
//! The tree is one flat list in the order of the text, 24 bytes a value, and its texts are borrowed from the
//! source where they occur there verbatim. So a file of a million numbers costs little more than its
//! own size, and freeing it is freeing one list. A value of this type has at most [`DEEPEST`] levels, scalar
//! keys only, and no alias: the parser expands them.

use crate::model::{FileId, Span};

/// How deeply values may be nested.
pub const DEEPEST: usize = 64;

#[derive(Debug)]
pub struct Document<'s> {
    file: FileId,
    source: &'s str,
    /// The texts that differ from what stands in the source: with escapes, or over several lines.
    rewritten: String,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    line: u32,
    column: u32,
    width: u32,
    /// Of a text its first byte, of a collection the number of its children.
    start: u32,
    /// Of a text the byte after its last, of a collection the index of the node that follows it.
    end: u32,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Mapping,
    Sequence,
    /// Without quotes, so a YAML reader decides what it is.
    Plain,
    Quoted,
    /// Quoted, and its text is not the source's.
    Rewritten,
    /// Without quotes, over several lines.
    RewrittenPlain,
}

/// A value of a document.
#[derive(Clone, Copy, Debug)]
pub struct NodeRef<'d> {
    document: &'d Document<'d>,
    index: u32,
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub enum View<'d> {
    /// Keys and values.
    Mapping(Mapping<'d>),
    /// A list.
    Sequence(Sequence<'d>),
    /// Text without quotes, of which a YAML reader makes what it likes.
    Plain(&'d str),
    /// Text in quotes or as a block, which is text for every reader.
    Quoted(&'d str),
}

/// The entries of a mapping, in the order of the text. A key may come twice.
#[derive(Clone, Copy, Debug)]
pub struct Mapping<'d> {
    node: NodeRef<'d>,
}

/// The items of a list.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'d> {
    node: NodeRef<'d>,
}

/// The values from one index to another that share a parent.
#[derive(Clone, Debug)]
pub struct Siblings<'d> {
    document: &'d Document<'d>,
    next: u32,
    end: u32,
}

/// The entries of a mapping.
#[derive(Clone, Debug)]
pub struct Entries<'d>(Siblings<'d>);

impl Document<'_> {
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The outermost value.
    pub fn root(&self) -> NodeRef<'_> {
        NodeRef { document: self, index: 0 }
    }

    fn node(&self, index: u32) -> Node {
        // Indices come from the tree itself; an empty text is what a wrong one would be.
        const EMPTY: Node = Node { line: 1, column: 1, width: 1, start: 0, end: 0, shape: Shape::Quoted };
        self.nodes.get(index as usize).copied().unwrap_or(EMPTY)
    }

    fn text(&self, node: Node) -> &str {
        let from = match node.shape {
            Shape::Rewritten | Shape::RewrittenPlain => self.rewritten.as_str(),
            _ => self.source,
        };
        from.get(node.start as usize..node.end as usize).unwrap_or_default()
    }
}

impl<'d> NodeRef<'d> {
    pub fn span(self) -> Span {
        let Node { line, column, width, .. } = self.document.node(self.index);
        Span { file: self.document.file, line, column, length: width.max(1) }
    }

    pub fn view(self) -> View<'d> {
        let node = self.document.node(self.index);
        match node.shape {
            Shape::Mapping => View::Mapping(Mapping { node: self }),
            Shape::Sequence => View::Sequence(Sequence { node: self }),
            Shape::Plain | Shape::RewrittenPlain => View::Plain(self.document.text(node)),
            Shape::Quoted | Shape::Rewritten => View::Quoted(self.document.text(node)),
        }
    }

    /// The text of a scalar, whatever a YAML reader makes of it; nothing for a collection.
    pub fn scalar(self) -> Option<&'d str> {
        match self.view() {
            View::Plain(text) | View::Quoted(text) => Some(text),
            View::Mapping(_) | View::Sequence(_) => None,
        }
    }

    /// The first entry of a mapping that has this name.
    pub(super) fn entry(self, name: &str) -> Option<(Self, Self)> {
        let View::Mapping(mapping) = self.view() else { return None };
        mapping.entries().find(|(key, _)| key.scalar() == Some(name))
    }

    /// The index after the last value inside this one.
    fn after(self) -> u32 {
        let node = self.document.node(self.index);
        match node.shape {
            // A collection that says otherwise would make a walk go back, and never end.
            Shape::Mapping | Shape::Sequence => node.end.max(self.index + 1),
            _ => self.index + 1,
        }
    }

    fn children(self) -> Siblings<'d> {
        Siblings { document: self.document, next: self.index + 1, end: self.after() }
    }

    /// The position of the value in its document, unlike that of any other value.
    pub(super) fn index(self) -> u32 {
        self.index
    }

    pub(super) fn document(self) -> &'d Document<'d> {
        self.document
    }

    /// This value and all inside it.
    pub fn subtree(self) -> impl Iterator<Item = Self> {
        (self.index..self.after()).map(move |index| Self { document: self.document, index })
    }
}

impl<'d> Mapping<'d> {
    pub(super) fn len(self) -> usize {
        (self.node.document.node(self.node.index).start / 2) as usize
    }

    pub fn entries(self) -> Entries<'d> {
        Entries(self.node.children())
    }
}

impl<'d> Sequence<'d> {
    pub(super) fn len(self) -> usize {
        self.node.document.node(self.node.index).start as usize
    }

    pub fn items(self) -> Siblings<'d> {
        self.node.children()
    }
}

impl<'d> Iterator for Siblings<'d> {
    type Item = NodeRef<'d>;

    fn next(&mut self) -> Option<NodeRef<'d>> {
        if self.next >= self.end {
            return None;
        }
        let node = NodeRef { document: self.document, index: self.next };
        self.next = node.after();
        Some(node)
    }
}

impl<'d> Iterator for Entries<'d> {
    type Item = (NodeRef<'d>, NodeRef<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}

/// Builds a document in the order of its text.
#[derive(Debug)]
pub struct Builder<'s> {
    document: Document<'s>,
    open: Vec<u32>,
}

/// Where a value stands: the line and column, from 1, and the width in characters.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub line: u32,
    pub column: u32,
    /// The width on that line.
    pub width: u32,
}

/// A scalar's text.
#[derive(Clone, Copy, Debug)]
pub enum Text<'t> {
    /// It stands in the source, from this byte to before that one.
    Source(u32, u32),
    /// It is this.
    Rewritten(&'t str),
}

impl<'s> Builder<'s> {
    /// An empty document; the source has at most 4 GiB.
    pub fn new(file: FileId, source: &'s str) -> Self {
        // Account files have a value for every 13 bytes or so. Room that is not used costs nothing, and a list
        // that never moves costs a third less of the time for large files.
        let mut nodes = Vec::new();
        let _ = nodes.try_reserve(source.len() / 13);
        Self { document: Document { file, source, rewritten: String::new(), nodes }, open: Vec::new() }
    }

    /// How many collections are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    pub fn len(&self) -> u32 {
        to_u32(self.document.nodes.len())
    }

    pub fn is_empty(&self) -> bool {
        self.document.nodes.is_empty()
    }

    /// Whether the next value is a mapping's key.
    pub fn expects_key(&self) -> bool {
        self.open.last().is_some_and(|index| {
            let node = self.document.node(*index);
            node.shape == Shape::Mapping && node.start.is_multiple_of(2)
        })
    }

    /// Begins a mapping, or else a list.
    pub fn open(&mut self, mapping: bool, at: At) {
        let shape = if mapping { Shape::Mapping } else { Shape::Sequence };
        let index = self.len();
        self.add(Node { line: at.line, column: at.column, width: at.width, start: 0, end: index + 1, shape });
        self.open.push(index);
    }

    /// Ends the collection that was begun last.
    pub fn close(&mut self) {
        let end = self.len();
        if let Some(node) = self.open.pop().and_then(|index| self.document.nodes.get_mut(index as usize)) {
            node.end = end;
        }
    }

    /// Adds a text.
    pub fn scalar(&mut self, plain: bool, text: Text<'_>, at: At) {
        let (start, end, shape) = match text {
            Text::Source(start, end) => (start, end, if plain { Shape::Plain } else { Shape::Quoted }),
            Text::Rewritten(text) => {
                let start = to_u32(self.document.rewritten.len());
                self.document.rewritten.push_str(text);
                let end = to_u32(self.document.rewritten.len());
                (start, end, if plain { Shape::RewrittenPlain } else { Shape::Rewritten })
            }
        };
        self.add(Node { line: at.line, column: at.column, width: at.width, start, end, shape });
    }

    /// How many values there are inside a closed one, with itself; nothing while it is open.
    pub fn size(&self, index: u32) -> Option<u32> {
        let closed = index < self.len() && !self.open.contains(&index);
        closed.then(|| NodeRef { document: &self.document, index }.after() - index)
    }

    /// Whether the value is a text.
    pub fn is_scalar(&self, index: u32) -> bool {
        !matches!(self.document.node(index).shape, Shape::Mapping | Shape::Sequence)
    }

    /// How many levels a closed value has below itself.
    pub fn height(&self, index: u32) -> usize {
        let size = self.size(index).unwrap_or(0);
        let mut open: Vec<u32> = Vec::new();
        let mut height = 0;
        for at in index..index + size {
            while open.last().is_some_and(|end| *end <= at) {
                open.pop();
            }
            let node = self.document.node(at);
            if matches!(node.shape, Shape::Mapping | Shape::Sequence) {
                open.push(node.end);
                height = height.max(open.len());
            }
        }
        height
    }

    /// Repeats a closed value here, places and all.
    pub fn repeat(&mut self, index: u32) {
        let Some(size) = self.size(index) else { return };
        let shift = self.len() - index;
        self.count_child();
        for at in index..index + size {
            let mut node = self.document.node(at);
            if matches!(node.shape, Shape::Mapping | Shape::Sequence) {
                node.end += shift;
            }
            self.document.nodes.push(node);
        }
    }

    /// The document; nothing if it has no value.
    pub fn finish(mut self) -> Option<Document<'s>> {
        while !self.open.is_empty() {
            self.close();
        }
        (!self.is_empty()).then_some(self.document)
    }

    fn add(&mut self, node: Node) {
        self.count_child();
        self.document.nodes.push(node);
    }

    fn count_child(&mut self) {
        if let Some(parent) = self.open.last().and_then(|index| self.document.nodes.get_mut(*index as usize)) {
            parent.start += 1;
        }
    }
}

fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
