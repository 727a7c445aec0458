//! The operator's files, as far as a finding needs them: their names and lines.
//!
//! A line is what a YAML reader counts as one: it ends at a line feed, a carriage return or both. Text that
//! is or may be a secret never leaves this module. A text can be dropped to save memory, and is read again
//! when it is needed, unless the file has changed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use foldhash::quality::RandomState;

use crate::model::{FileId, Place, Span};

/// One file.
#[derive(Debug, Default)]
pub struct Source {
    display: Box<str>,
    path: PathBuf,
    /// Empty if the text was not read, or was forgotten and not asked for since.
    text: OnceLock<Box<str>>,
    forgotten: Option<Forgotten>,
    /// The byte at which each line starts; made when the first excerpt is wanted.
    starts: OnceLock<Vec<u32>>,
    /// From which column on a line is a secret, by its number.
    secrets: HashMap<u32, u32>,
}

/// How a text comes back.
#[derive(Debug)]
struct Forgotten {
    length: usize,
    /// With a random key, so that no other text can be made to match.
    hash: u64,
    key: RandomState,
    read: ReadText,
}

/// Reads a file's text as it was read first; `None` if that fails.
pub type ReadText = fn(&Path) -> Option<Box<str>>;

/// The files of a run, by [`FileId`].
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Source {
    /// A file whose text could not be read.
    pub fn unread(display: impl Into<Box<str>>, path: PathBuf) -> Self {
        Self { display: display.into(), path, ..Self::default() }
    }

    /// The same file with its text, which is at most 4 GiB.
    #[must_use]
    pub fn with_text(mut self, text: Box<str>) -> Self {
        self.text = OnceLock::from(text);
        self
    }

    /// Forgets the text until it is needed; it is read again then.
    pub fn forget(&mut self, read: ReadText) {
        if let Some(text) = self.text.take() {
            let key = RandomState::default();
            self.forgotten = Some(Forgotten { length: text.len(), hash: key.hash_one(text.as_bytes()), key, read });
            self.starts.take();
        }
    }

    /// The path as the operator gave it, with `/` between its parts.
    pub fn display(&self) -> &str {
        &self.display
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text, without a byte order mark; `None` if it could not be read, or was forgotten and is not the same
    /// any longer.
    pub fn text(&self) -> Option<&str> {
        if let (None, Some(forgotten)) = (self.text.get(), &self.forgotten) {
            let again = (forgotten.read)(&self.path).filter(|text| forgotten.was(text.as_bytes()))?;
            return Some(self.text.get_or_init(|| again));
        }
        self.text.get().map(AsRef::as_ref)
    }

    /// Whether this is the text, which is not read again for that.
    pub fn is(&self, text: &[u8]) -> bool {
        match (self.text.get(), &self.forgotten) {
            (Some(own), _) => own.as_bytes() == text,
            (None, Some(forgotten)) => forgotten.was(text),
            (None, None) => false,
        }
    }

    /// Hides the rest of a line, which is a secret.
    pub fn hide(&mut self, span: Span) {
        let column = self.secrets.entry(span.line).or_insert(span.column);
        *column = span.column.min(*column);
    }

    /// A line without its end, from 1, its secrets replaced.
    pub fn line(&self, number: u32) -> Option<Cow<'_, str>> {
        let text = self.text()?;
        let starts = self.starts.get_or_init(|| line_starts(text));
        let index = number.checked_sub(1)? as usize;
        let start = *starts.get(index)? as usize;
        let end = starts.get(index.checked_add(1)?).map_or(text.len(), |end| *end as usize);
        let line = text.get(start..end)?.trim_end_matches(['\r', '\n']);
        let hidden = self.secrets.get(&number);
        let hidden = hidden.and_then(|column| line.char_indices().nth((*column as usize).saturating_sub(1)));
        let guessed = [written_token(line), written_password(line), user_of_address(line)];
        let hidden = guessed.into_iter().chain([hidden.map(|(byte, _)| byte)]).flatten().min();
        Some(match hidden.and_then(|byte| line.get(..byte)) {
            Some(open) => Cow::Owned(format!("{open}(hidden)")),
            None => Cow::Borrowed(line),
        })
    }
}

impl Forgotten {
    fn was(&self, text: &[u8]) -> bool {
        self.length == text.len() && self.hash == self.key.hash_one(text)
    }
}

impl Sources {
    pub fn push(&mut self, source: Source) -> FileId {
        let id = self.next_id();
        self.files.push(source);
        id
    }

    /// The id that the next file will get.
    pub fn next_id(&self) -> FileId {
        FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX))
    }

    pub fn get(&self, FileId(index): FileId) -> Option<&Source> {
        self.files.get(index as usize)
    }

    /// The files, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }

    /// The place that can leave the process.
    pub fn place(&self, span: Span) -> Place {
        let file = self.get(span.file).map(|source| source.display().to_owned()).unwrap_or_default();
        Place { file, line: span.line, column: span.column }
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    let bytes = text.as_bytes();
    let after = |index: usize| u32::try_from(index + 1).unwrap_or(u32::MAX);
    std::iter::once(0)
        .chain(bytes.iter().enumerate().filter_map(|(index, byte)| match byte {
            b'\n' => Some(after(index)),
            b'\r' if bytes.get(index + 1) != Some(&b'\n') => Some(after(index)),
            _ => None,
        }))
        .collect()
}

/// Where a line that could not be read as YAML seems to write a token out.
fn written_token(line: &str) -> Option<usize> {
    let key = line.find("token")?;
    let after_key = line.get(key..)?.find(':').map(|colon| key + colon + 1)?;
    let value = line.get(after_key..)?;
    let open: String = value.chars().filter(|character| !" {\"'".contains(*character)).take(8).collect();
    let reference = ["env:", "file:", "command:"].iter().any(|word| open.starts_with(word));
    let blank = value.trim().is_empty() || value.trim_start().starts_with('#');
    (!reference && !blank).then(|| after_key + (value.len() - value.trim_start().len()))
}

/// Where a line seems to have a field, such as `password:`, whose value is secret.
fn written_password(line: &str) -> Option<usize> {
    const WORDS: [&str; 6] = ["password", "passwd", "secret", "api_key", "api-key", "apikey"];
    let lower = line.to_ascii_lowercase();
    let values = WORDS.iter().flat_map(|word| lower.match_indices(word)).filter_map(|(at, word)| {
        let after = at + word.len();
        let value = lower.get(after..)?.trim_start_matches([' ', '"', '\'']).strip_prefix(':')?;
        let written = !value.trim().is_empty() && !value.trim_start().starts_with('#');
        written.then(|| line.len() - value.trim_start().len())
    });
    values.min()
}

/// Where the user and the password of an address begin, as in `https://user:password@host`.
fn user_of_address(line: &str) -> Option<usize> {
    let has_user = |rest: &str| rest.split(['/', ' ', '"', '\'']).next().is_some_and(|server| server.contains('@'));
    let mut addresses = line.match_indices("://").map(|(at, found)| at + found.len());
    addresses.find(|at| line.get(*at..).is_some_and(has_user))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::unread("f.yaml", PathBuf::new()).with_text(text.into())
    }

    #[test]
    fn lines_end_as_a_yaml_reader_ends_them() {
        let source = source("a\r\nb\rc\nd");
        let lines: Vec<_> = (1..=5).map(|line| source.line(line)).collect();
        assert_eq!(lines, [Some("a".into()), Some("b".into()), Some("c".into()), Some("d".into()), None]);
        assert_eq!(source.line(0), None);
    }

    #[test]
    fn a_forgotten_text_comes_back_unless_it_is_another_one() {
        let mut source = source("a\nb\n");
        source.forget(|_| Some("a\nb\n".into()));
        assert!(source.is(b"a\nb\n") && !source.is(b"a\nc\n"));
        assert_eq!(source.line(2).as_deref(), Some("b"));
        source.forget(|_| Some("a\nc\n".into()));
        assert!(source.is(b"a\nb\n"), "it was the text");
        assert_eq!((source.text(), source.line(2)), (None, None), "and is not any longer");
    }

    #[test]
    fn a_secret_never_shows() {
        let mut source = source("  token: hunter2\n  token: { env: NAME }\n  value: hunter2\n");
        source.hide(Span { line: 3, column: 10, ..Span::default() });
        assert_eq!(source.line(1).as_deref(), Some("  token: (hidden)"));
        assert_eq!(source.line(2).as_deref(), Some("  token: { env: NAME }"));
        assert_eq!(source.line(3).as_deref(), Some("  value: (hidden)"));
    }

    #[test]
    fn what_seems_to_be_a_secret_does_not_show_in_a_line_that_is_no_yaml() {
        for (line, shown) in [
            ("{ name: a, Password : hunter2", "{ name: a, Password : (hidden)"),
            ("{ \"client_secret\": hunter2, token: x", "{ \"client_secret\": (hidden)"),
            ("url: https://a.example/x https://me:hunter2@b", "url: https://a.example/x https://(hidden)"),
            ("  password: # none", "  password: # none"),
            ("  secretariat: { to: user/a@b.example }", "  secretariat: { to: user/a@b.example }"),
        ] {
            assert_eq!(source(line).line(1).as_deref(), Some(shown), "{line}");
        }
    }
}
