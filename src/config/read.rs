//! Reading one file, within limits.
//!
//! Nothing is opened before it is known to be a regular file, because opening a FIFO waits for a writer and
//! reading a device may never end; and never more than the limit is read, because a file may grow meanwhile.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::diag::{Diagnostic, Rule, Source};
use crate::model::{FileId, Span};

/// The most bytes that a file may have: two and a half times an account of a million numbers.
pub(super) const MOST: u64 = 256 * 1024 * 1024;

/// A file with its text, or why it has none.
pub(super) fn source(path: &Path, file: FileId) -> (Source, Option<Diagnostic>) {
    let source = Source::unread(super::files::display(path), path.to_path_buf());
    match read(path, file) {
        Ok(text) => (source.with_text(text.into()), None),
        Err(finding) => (source, Some(finding)),
    }
}

/// A file's text without its byte order mark, or why there is none.
pub(super) fn read(path: &Path, file: FileId) -> Result<String, Diagnostic> {
    let at = Span { file, line: 1, column: 1, length: 1 };
    let unreadable = |error: std::io::Error| {
        let message = format!("the file {}", super::files::reason(path, &error));
        Diagnostic::new(Rule::UNREADABLE_FILE, Some(at), message)
            .hint("check that the file exists and that you may read it")
    };
    let special = |metadata: &std::fs::Metadata| {
        let message = format!("the file is {}, not a regular file", kind(metadata));
        Diagnostic::new(Rule::UNREADABLE_FILE, Some(at), message)
            .hint("write its content to a file, and give that file")
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(special(&metadata));
    }
    let too_large = || {
        Diagnostic::new(Rule::FILE_TOO_LARGE, Some(at), "the file has more than 256 MiB")
            .hint("divide the account into several files of one folder")
    };
    if metadata.len() > MOST {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1));
    let handle = File::open(path).map_err(unreadable)?;
    // The path may have become another file's since.
    let opened = handle.metadata().map_err(unreadable)?;
    if !opened.is_file() {
        return Err(special(&opened));
    }
    handle.take(MOST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST {
        return Err(too_large());
    }
    text(bytes, file)
}

/// The text of a file's bytes: UTF-8 without control characters, and something in it.
pub(super) fn text(mut bytes: Vec<u8>, file: FileId) -> Result<String, Diagnostic> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let at = Span { file, line: 1, column: 1, length: 1 };
        return Err(Diagnostic::new(Rule::NOT_UTF8, Some(at), "the file is UTF-16, not UTF-8")
            .hint("save it as UTF-8 in your editor"));
    }
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(..'\u{feff}'.len_utf8());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
        let byte = bytes.get(valid).copied().unwrap_or_default();
        let message = format!("the byte 0x{byte:02x} is not UTF-8");
        Diagnostic::new(Rule::NOT_UTF8, Some(after(&before, file)), message)
            .hint("save the file as UTF-8 in your editor")
    })?;
    if let Some((index, character)) = first_control(&text) {
        let span = after(text.get(..index).unwrap_or_default(), file);
        let message = format!("the file has the control character U+{:04X}", u32::from(character));
        return Err(Diagnostic::new(Rule::CONTROL_CHARACTER, Some(span), message)
            .hint("remove it, or write it as an escape in double quotes"));
    }
    if !has_content(&text) {
        let at = Span { file, line: 1, column: 1, length: 1 };
        return Err(Diagnostic::new(Rule::EMPTY_FILE, Some(at), "the file has no content")
            .hint("begin with `version: 1`, or remove the file"));
    }
    Ok(text)
}

/// Something else than white space, comments and document markers.
fn has_content(text: &str) -> bool {
    text.split(['\n', '\r']).any(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && line != "---" && line != "..."
    })
}

fn first_control(text: &str) -> Option<(usize, char)> {
    // Bytes first: nearly every file has none of them, and characters are four times as slow.
    let suspicious =
        |byte: &u8| (*byte < 0x20 && !b"\t\n\r".contains(byte)) || *byte == 0x7f || *byte == 0xc2 || *byte == 0xef;
    text.as_bytes().iter().any(suspicious).then_some(())?;
    text.char_indices().find(|(_, character)| {
        (character.is_control() && !"\t\n\r\u{85}".contains(*character))
            || matches!(character, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    })
}

/// The place after a text.
fn after(text: &str, file: FileId) -> Span {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let line = unified.matches('\n').count() + 1;
    let column = unified.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Span { file, line: number(line), column: number(column), length: 1 }
}

#[cfg(unix)]
fn kind(metadata: &std::fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;

    let kind = metadata.file_type();
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_dir() {
        "a folder"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind(metadata: &std::fs::Metadata) -> &'static str {
    if metadata.is_dir() { "a folder" } else { "a device" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> Option<(&'static str, u32, u32)> {
        let finding = text(bytes.to_vec(), FileId(0)).err()?;
        let span = finding.span?;
        Some((finding.rule.id, span.line, span.column))
    }

    #[test]
    fn the_place_of_a_bad_byte_is_told() {
        assert_eq!(refused(b"a: 1\r\nb: \xe9t\xe9\r\n"), Some(("not-utf8", 2, 4)));
        assert_eq!(refused("é: \u{7}".as_bytes()), Some(("control-character", 1, 4)));
        assert_eq!(refused(b"a: \0"), Some(("control-character", 1, 4)));
        assert_eq!(refused(b"\xff\xfea\0"), Some(("not-utf8", 1, 1)));
    }

    #[test]
    fn a_file_without_content_is_told() {
        for empty in ["", " \n", "# only\n# comments", "\u{feff}", "---\n...\n"] {
            assert_eq!(refused(empty.as_bytes()), Some(("empty-file", 1, 1)), "{empty:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(text("\u{feff}a: é".as_bytes().to_vec(), FileId(0)), Ok("a: é".to_owned()));
    }
}
