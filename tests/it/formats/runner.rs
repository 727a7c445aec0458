//! What the runner of a workflow takes for an order to it, by its own rules.

use std::collections::BTreeMap;

/// A workflow command.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    pub name: String,
    pub properties: BTreeMap<String, String>,
    pub message: String,
}

/// The lines that begin as commands do, white space aside, read back; the older form stands anywhere in a line.
pub fn commands(page: &str) -> Vec<Command> {
    for older in ["##[", "##vso[", "##teamcity["] {
        assert!(!page.contains(older), "{older} in {page:.2000}");
    }
    page.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        .map(str::trim_start)
        // Excerpts mark a second place with `:::`. The runner reads a command called `:`, and knows none.
        .filter(|line| !line.starts_with("::: "))
        .filter_map(|line| line.strip_prefix("::"))
        .map(|line| {
            let (head, message) = line.split_once("::").unwrap_or_else(|| panic!("half a command: {line}"));
            let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
            let properties = properties.split(',').filter(|pair| !pair.is_empty()).map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or_else(|| panic!("no property: {pair}"));
                (key.to_owned(), data(&value.replace("%3A", ":").replace("%2C", ",")))
            });
            Command { name: name.to_owned(), properties: properties.collect(), message: data(message) }
        })
        .collect()
}

fn data(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}
