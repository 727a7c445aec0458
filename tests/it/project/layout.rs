//! The shape of the code: dependencies point one way, the core is pure, files are short, and the tree is shallow.
//!
//! It reads the sources as text, which is enough to keep honest people honest.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every top-level module, and what it may use. The order is that of the dependencies: nothing uses what comes
/// after it.
const MODULES: &[(&str, &[&str])] = &[
    ("exit", &[]),
    ("text", &[]),
    ("model", &[]),
    ("diag", &["model"]),
    ("providers", &["diag", "model", "text"]),
    ("routing", &["model"]),
    ("check", &["providers", "diag", "routing", "model", "text"]),
    ("config", &["check", "providers", "diag", "model", "text"]),
    ("diff", &["diag", "routing", "model"]),
    ("plan", &["diff", "diag", "routing", "model", "text"]),
    ("ledger", &["plan", "model", "text"]),
    ("rollback", &["ledger", "plan", "routing", "model"]),
    ("render", &["diff", "plan", "diag", "routing", "model", "text"]),
    ("serve", &[]),
    ("sandbox", &["providers", "serve", "model", "text"]),
    ("apply", &["ledger", "plan", "providers", "model", "diag", "text"]),
    (
        "watch",
        &[
            "serve",
            "apply",
            "ledger",
            "plan",
            "config",
            "check",
            "providers",
            "model",
            "diag",
            "render",
            "exit",
            "text",
        ],
    ),
];

/// Only these see everything: the command line, and the crate's own two files.
const EDGE: [&str; 3] = ["cli", "lib", "main"];

/// No clock, no file, no network, no thread, no printing: whatever these modules compute follows from their
/// arguments.
const PURE: [&str; 9] = ["model", "diag", "routing", "check", "diff", "plan", "ledger", "rollback", "render"];

/// The files of the pure modules that read and write files.
const IMPURE_FILES: [&str; 3] = ["src/ledger/file.rs", "src/ledger/folder.rs", "src/ledger/state_dir.rs"];

/// What a pure module has no use for.
const IMPURE: [&str; 17] = [
    "tokio",
    "reqwest",
    "rusqlite",
    "axum",
    "std::fs",
    // An address is a value; a socket is not.
    "std::net::Tcp",
    "std::net::Udp",
    "std::process",
    "std::thread",
    "std::env",
    "std::time::",
    "SystemTime",
    "Instant::",
    "Timestamp::now",
    "Zoned",
    "println!",
    "std::io::std",
];

/// A file is one noun, and fits in one's head.
const MOST_LINES: usize = 400;

/// `src/watch/git/mirror.rs` has three: what is deeper is hard to find.
const MOST_LEVELS: usize = 3;

/// Files that are longer, with the reason why.
const LONGER: [(&str, &str); 0] = [];

/// A source file, by the top-level module that it is part of.
struct Source {
    path: PathBuf,
    module: String,
    text: String,
}

/// All files below `src`, sorted.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

fn sources() -> Vec<Source> {
    let is_source = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    let source = |path: PathBuf| {
        let first = path.components().nth(1).unwrap();
        let module = Path::new(&first).file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        Source { path, module, text }
    };
    files().into_iter().filter(is_source).map(source).collect()
}

/// The lines of code, with their numbers from 1: no comments, and nothing after the unit tests begin, which stand
/// at the end of their file and may use what they like.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]") && !line.starts_with("#[cfg(all(test, "))
        .enumerate()
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
}

/// The top-level modules that a line names: `crate::plan::Plan`, `crate::{diag, model::E164}`. The names of a
/// list that goes on over several lines are found by their own `crate::` only, which rustfmt never writes.
fn used(line: &str) -> BTreeSet<&str> {
    let mut modules = BTreeSet::new();
    for (_, rest) in line.match_indices("crate::").map(|(at, found)| (at, &line[at + found.len()..])) {
        let names = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or_default());
        let parts = if rest.starts_with('{') { names.split(", ").collect() } else { vec![names] };
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            modules.insert(&part[..end]);
        }
    }
    modules
}

#[test]
fn dependencies_point_one_way() {
    let mut breaches = Vec::new();
    for Source { path, module, text } in sources() {
        if EDGE.contains(&module.as_str()) {
            continue;
        }
        let Some((_, allowed)) = MODULES.iter().find(|(name, _)| *name == module) else {
            breaches.push(format!("{}: say in tests/it/project/layout.rs what `{module}` may use", path.display()));
            continue;
        };
        for (line, code) in code(&text) {
            for used in used(code) {
                assert!(!used.is_empty(), "{}:{line}: write one path a line", path.display());
                if used != module && !allowed.contains(&used) {
                    breaches.push(format!("{}:{line}: `{module}` may not use `{used}`", path.display()));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn the_table_itself_points_one_way() {
    for (position, (module, allowed)) in MODULES.iter().enumerate() {
        for used in *allowed {
            let before = MODULES[..position].iter().any(|(name, _)| name == used);
            assert!(before, "`{module}` uses `{used}`, which is not above it");
        }
    }
}

#[test]
fn the_core_is_pure() {
    let mut breaches = Vec::new();
    for Source { path, module, text } in sources() {
        if !PURE.contains(&module.as_str()) || IMPURE_FILES.iter().any(|file| Path::new(file) == path) {
            continue;
        }
        for (line, code) in code(&text) {
            for word in IMPURE.iter().filter(|word| code.contains(**word)) {
                breaches.push(format!("{}:{line}: `{word}` in the pure core", path.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn the_core_sees_only_what_providers_declare() {
    let mut breaches = Vec::new();
    for Source { path, module, text } in sources() {
        let declares = path.ends_with("registry.rs") || path.ends_with("settings.rs") || path.ends_with("spec.rs");
        for (line, code) in code(&text) {
            let place = format!("{}:{line}", path.display());
            if ["check", "config"].contains(&module.as_str()) {
                let uses = code.match_indices("crate::providers::").map(|(at, path)| &code[at + path.len()..]);
                let other = |name: &&str| !name.starts_with("registry") && !name.starts_with("settings");
                breaches.extend(uses.filter(other).map(|name| format!("{place}: `{module}` may not use `{name}`")));
            }
            if module == "providers" && declares {
                breaches.extend(
                    IMPURE.iter().filter(|word| code.contains(**word)).map(|word| format!("{place}: `{word}`")),
                );
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn files_are_short() {
    let long: Vec<_> = sources()
        .into_iter()
        .filter(|source| !LONGER.iter().any(|(path, _)| Path::new(path) == source.path))
        .map(|source| (source.path, source.text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .collect();
    assert!(long.is_empty(), "more than {MOST_LINES} lines: {long:?}");
}

#[test]
fn the_tree_is_at_most_three_levels_deep() {
    let is_deep = |path: &PathBuf| path.strip_prefix("src").unwrap().components().count() > MOST_LEVELS;
    let deep: Vec<_> = files().into_iter().filter(is_deep).collect();
    assert!(deep.is_empty(), "more than {MOST_LEVELS} levels below `src`: {deep:?}");
}

#[test]
fn uses_are_found_in_every_form() {
    assert_eq!(used("use crate::model::{E164, Kind};"), BTreeSet::from(["model"]));
    assert_eq!(used("use crate::{diag, model::E164};"), BTreeSet::from(["diag", "model"]));
    assert_eq!(used("    let x = crate::plan::plan(crate::diag::sort());"), BTreeSet::from(["diag", "plan"]));
    assert_eq!(code("a // crate::b\n#[cfg(test)]\nc").collect::<Vec<_>>(), [(1, "a ")]);
}

#[test]
fn programs_are_started_in_one_place_each() {
    // Git, and the command that prints a token: each with an environment of our own.
    let places = ["src/cli/secrets/command.rs", "src/config/git/command.rs"];
    let mut found = BTreeSet::new();
    for Source { path, text, .. } in sources() {
        if code(&text).any(|(_, line)| line.contains("Command::new(")) {
            found.insert(path.to_str().unwrap().replace('\\', "/"));
        }
    }
    assert_eq!(found, places.map(str::to_owned).into());
}
