//! Documents that name files of the project name files that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What a document names as `src/…`, `tests/…`, `docs/…` or `scripts/…`.
fn paths(text: &str) -> BTreeSet<&str> {
    let named = text.split(|c: char| !(c.is_ascii_alphanumeric() || "/._-".contains(c)));
    let folders = ["src/", "tests/", "docs/", "scripts/"];
    let named = named.filter(|word| folders.iter().any(|folder| word.starts_with(folder)));
    named.map(|word| word.trim_end_matches(['.', '/'])).collect()
}

#[test]
fn every_source_that_the_documents_name_exists() {
    let mut named = 0;
    let mut missing = Vec::new();
    for document in ["CONTRIBUTING.md", "docs/glossary.md"] {
        let text = fs::read_to_string(document).unwrap();
        for path in paths(&text) {
            named += 1;
            if !Path::new(path).exists() {
                missing.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(named > 50, "only {named} paths were found");
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}
