//! Where a secret may have been written out, so that no excerpt shows it.
//!
//! Found apart from the readers, which stop early: also a file of another version, or a second `account` section,
//! shows nothing. The value of an unknown key may be a password under any name, so it is hidden too.

use crate::model::Span;

use super::account;
use super::document::{Document, Mapping, NodeRef, View};

/// The places in one document. What a line holds from there on is not shown.
pub(super) fn places(document: &Document<'_>, sections: &[&str]) -> Vec<Span> {
    let mut places = Vec::new();
    let View::Mapping(root) = document.root().view() else { return places };
    let mut sections_before = 0;
    for (key, value) in root.entries() {
        match (key.scalar().unwrap_or_default(), value.view()) {
            ("account", View::Mapping(fields)) => {
                of_account(fields, sections_before > 0, &mut places);
                sections_before += 1;
            }
            (known, _) if sections.contains(&known) => {}
            // Fields on lines of their own have no finding, which is the key's.
            _ if value.span().line == key.span().line => places.push(value.span()),
            _ => {}
        }
    }
    places
}

/// The reader of the first section hides what is written as its token; other sections are not read.
fn of_account(fields: Mapping<'_>, unread: bool, places: &mut Vec<Span>) {
    let names = account::field_names();
    let mut before: Vec<&str> = Vec::new();
    for (key, value) in fields.entries() {
        let name = key.scalar().unwrap_or_default();
        let known = names.contains(&name) && !before.contains(&name);
        let secret = match name {
            token if account::is_secret(token) => unread || !known,
            "url" => !known || value.scalar().is_some_and(|url| url.contains(['@', '?', '#'])),
            _ => !known,
        };
        if secret {
            places.extend(value.subtree().map(NodeRef::span));
        }
        if known {
            before.push(name);
        }
    }
}
