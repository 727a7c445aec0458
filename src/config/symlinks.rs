//! Account files that are links to somewhere else.
//!
//! A commit can call a link to any file of the machine an account file. What is wrong with such a file is therefore not
//! shown: messages and excerpts would quote it.

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Source};
use crate::model::{FileId, Span};
use crate::text::sanitized;

/// Takes the text of files that are not in the repository of the account's folder out of their findings. The ids of the
/// sources begin with `first`.
pub(super) fn hide_linked_files(root: &Path, first: FileId, sources: &mut [Source], findings: &mut [Diagnostic]) {
    if findings.is_empty() {
        return;
    }
    let outside: Vec<Option<PathBuf>> = sources.iter().map(|source| outside(source.path(), root)).collect();
    let index = |span: Span| span.file.0.checked_sub(first.0).map(|index| index as usize);
    for finding in findings {
        for span in finding.span.into_iter().chain(finding.related.iter().map(|label| label.span)) {
            if let Some(index) = index(span).filter(|index| outside.get(*index).is_some_and(Option::is_some))
                && let Some(source) = sources.get_mut(index)
            {
                source.hide(Span { column: 1, ..span });
            }
        }
        let real = finding.span.and_then(index).and_then(|index| outside.get(index)).and_then(Option::as_ref);
        if let Some(real) = real {
            "what is wrong here is not shown: the file is a link that leads out of the repository"
                .clone_into(&mut finding.message);
            finding.hint = Some(format!("run `strowger validate` on {}", sanitized(&real.to_string_lossy(), 300)));
            finding.related.clear();
        }
    }
}

/// Where a file is, if that is not in the repository of the folder, or without one not below the folder.
fn outside(path: &Path, root: &Path) -> Option<PathBuf> {
    let real = path.canonicalize().ok()?;
    let root = super::or_here(root).canonicalize().ok()?;
    let repository = root.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
    (!real.starts_with(repository.unwrap_or(&root))).then_some(real)
}
