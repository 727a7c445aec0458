//! The output of one account among several: buffered until its turn, each line prefixed with the account's name.

use std::cell::RefCell;
use std::fmt::Write as _;

use crate::text::sanitized;

use super::console::OutputStream;

/// The most characters of a name before each line.
const NAME: usize = 80;

/// Where the output of one account goes.
pub(super) enum AccountOutput<'a> {
    /// At once: it is the only one.
    Direct(OutputStream),
    /// Buffered, because other accounts write at the same time.
    Kept { name: &'a str, page: RefCell<String> },
}

impl<'a> AccountOutput<'a> {
    /// For an account of several.
    pub(super) fn of(name: &'a str) -> Self {
        Self::Kept { name, page: RefCell::default() }
    }

    /// Writes a line.
    pub(super) fn say(&self, text: &str) {
        match self {
            Self::Direct(stream) => stream.say(text),
            Self::Kept { name, page } => {
                let name = sanitized(name, NAME);
                let mut page = page.borrow_mut();
                for line in text.lines() {
                    let _ = writeln!(page, "{name}: {line}");
                }
            }
        }
    }

    /// All that was kept.
    pub(super) fn page(self) -> String {
        match self {
            Self::Direct(_) => String::new(),
            Self::Kept { page, .. } => page.into_inner(),
        }
    }
}
