//! A live account as files that match it exactly, to start from an existing account.
//!
//! What the format cannot ask for (a number mapped to something unmodelled, a group without members or with
//! a name that a file would misread) stands
//! in a comment that says why, and so stays unmanaged. Text of the account's never leaves its comment or its
//! quotes. The same account gives the same bytes.

mod choice;
mod group;
mod selectors;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{Directory, Kind, LiveAccount, LiveNumber, is_unprintable};
use crate::text::{sanitized, yaml};

pub(super) use selectors::reference;

pub use choice::Choice;

/// An account with more numbers becomes a folder of files by default.
const MOST_IN_ONE_FILE: usize = 1_000;
/// The most numbers of a file, if their prefixes allow it.
const MOST_IN_ONE_PART: usize = 10_000;
/// The longest text of the account's in a comment.
const LONGEST: usize = 120;

/// Whether the account becomes one file or a folder of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ByFolder {
    /// A folder for a large account.
    #[default]
    Auto,
    /// A folder.
    Always,
    /// One file.
    Never,
}

/// What an export says besides the account's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// The account's name in the file.
    pub name: String,
    /// The country that the file states, whose emergency numbers no group has as its extension.
    pub country: Option<String>,
    /// The lines of YAML that say how the account is reached, such as `provider: sandbox`, without indentation.
    pub provider: Vec<String>,
    /// The path or URL of the JSON Schema, for editors.
    pub schema: String,
    /// One file or several.
    pub by_folder: ByFolder,
    /// What of the account is exported.
    pub only: Choice,
}

/// The account as desired state: relative file names and their texts, in order.
pub fn export(live: &LiveAccount, options: &ExportOptions) -> Vec<(String, String)> {
    let directory = Directory::new(live);
    let mut account = head(live, options);
    account.push_str("\naccount:\n");
    let _ = writeln!(account, "  name: {}", yaml(&options.name));
    if let Some(country) = &options.country {
        let _ = writeln!(account, "  country: {}", yaml(country));
    }
    for line in options.provider.iter().flat_map(|line| line.lines()) {
        let _ = writeln!(account, "  {line}");
    }
    for one in &live.unreadable {
        let _ = writeln!(
            account,
            "# {} is left out: {}",
            sanitized(&format!("{}/{}", one.kind, one.name), LONGEST),
            sanitized(&one.why, 1_000)
        );
    }
    let groups = group::section(&directory, options);
    let all: Vec<&LiveNumber> = live.numbers.iter().filter(|number| options.only.has_number(number)).collect();
    let by_folder = match options.by_folder {
        ByFolder::Auto => all.len() > MOST_IN_ONE_FILE,
        ByFolder::Always => true,
        ByFolder::Never => false,
    };
    if !by_folder {
        for section in [groups, numbers(&directory, &all)].into_iter().flatten() {
            account.push('\n');
            account.push_str(&section);
        }
        return vec![("account.yaml".to_owned(), account)];
    }
    let mut files = vec![("account.yaml".to_owned(), account)];
    let mut file = |name: String, section: Option<String>| {
        if let Some(section) = section {
            files.push((name, format!("{}\n{section}", head(live, options))));
        }
    };
    file("ring_groups.yaml".to_owned(), groups);
    for (prefix, part) in parts(all) {
        file(format!("numbers-{prefix}.yaml"), numbers(&directory, &part));
    }
    files
}

fn head(live: &LiveAccount, options: &ExportOptions) -> String {
    let mut head = String::new();
    if !options.schema.is_empty() {
        let _ = writeln!(head, "# yaml-language-server: $schema={}", sanitized(&options.schema, 2_000));
    }
    let _ = writeln!(head, "# Exported from the live account {}.", sanitized(&live.account.name, LONGEST));
    head.push_str("version: 1\n");
    head
}

/// The numbers by their first digits, as few as give files of a sensible size.
fn parts(numbers: Vec<&LiveNumber>) -> BTreeMap<String, Vec<&LiveNumber>> {
    let mut parts = BTreeMap::new();
    let mut open = vec![(1, numbers)];
    while let Some((digits, numbers)) = open.pop() {
        let mut by_prefix: BTreeMap<String, Vec<&LiveNumber>> = BTreeMap::new();
        for number in numbers {
            let prefix = number.number.digits().to_string().chars().take(digits).collect();
            by_prefix.entry(prefix).or_default().push(number);
        }
        for (prefix, numbers) in by_prefix {
            if numbers.len() <= MOST_IN_ONE_PART || prefix.len() < digits {
                parts.insert(prefix, numbers);
            } else {
                open.push((digits + 1, numbers));
            }
        }
    }
    parts
}

/// The section of these numbers; nothing without numbers.
fn numbers(directory: &Directory<'_>, numbers: &[&LiveNumber]) -> Option<String> {
    if numbers.is_empty() {
        return None;
    }
    let mut section = Section::new("numbers");
    for number in numbers {
        let name = format!("\"{}\"", number.number);
        match destination(directory, number) {
            Ok(to) if !is_label(&number.label) => {
                section.comment(&format!("{name}: its label is no text for a file, and not managed"));
                section.entry(&format!("{name}: {{ to: {} }}", yaml(&to)));
            }
            Ok(to) if number.label.is_empty() => section.entry(&format!("{name}: {{ to: {} }}", yaml(&to))),
            Ok(to) => section.entry(&format!("{name}: {{ to: {}, label: {} }}", yaml(&to), yaml(&number.label))),
            Err(why) => section.comment(&format!("{name} is left out: {why}")),
        }
    }
    Some(section.end())
}

/// What the format takes as a label.
fn is_label(text: &str) -> bool {
    text.chars().count() <= 256 && !text.chars().any(is_unprintable)
}

fn destination(directory: &Directory<'_>, number: &LiveNumber) -> Result<String, String> {
    let live = directory.live();
    match &number.to {
        Some(to) if to.kind != Kind::Other && !live.capabilities.destinations.contains(&to.kind) => {
            Err(format!("the account does not list {} as a destination", to.kind))
        }
        Some(to) => reference(directory, to),
        None if live.account.default_number == Some(number.number) => {
            Err("it is the default number and has no destination, which no file may ask for".to_owned())
        }
        None => Ok("none".to_owned()),
    }
}

/// A top-level key and what is below it.
struct Section {
    name: &'static str,
    text: String,
    entries: usize,
}

impl Section {
    fn new(name: &'static str) -> Self {
        Self { name, text: String::new(), entries: 0 }
    }

    /// An entry, whose further lines are indented.
    fn entry(&mut self, text: &str) {
        self.entries += 1;
        for line in text.lines() {
            let _ = writeln!(self.text, "  {line}");
        }
    }

    /// A remark, on one line whatever is in it.
    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.text, "  # {}", sanitized(text, 1_000));
    }

    /// The section's text; a mapping also if all of it is comments.
    fn end(self) -> String {
        let braces = if self.entries == 0 { " {}" } else { "" };
        format!("{}:{braces}\n{}", self.name, self.text)
    }
}
