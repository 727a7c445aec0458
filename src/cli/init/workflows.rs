//! The GitHub workflows, which are examples made to fit: the account's folder and the name of the secret.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::text::yaml;

use super::place::{Place, Repository};

/// What the workflows are called, and the examples that they are.
const WORKFLOWS: [(&str, &str); 2] = [
    ("strowger-pull-request.yml", include_str!("../../../examples/workflows/pull-request.yml")),
    ("strowger-merge.yml", include_str!("../../../examples/workflows/merge.yml")),
];

/// The first line of each. What follows it in the examples is for copying them by hand, and says what else to do.
const HEAD: &str =
    "# Written by `strowger init`, which has put the folder and the name of the secret in. The rest is yours:\n#\n";

/// The comment beside the parts that only their owner knows.
const MARK: &str = "# replace";

/// The words of the examples that are replaced.
const FOLDER: &str = "phones";
const SECRET: &str = "STROWGER_TOKEN";

/// The keys whose values are no paths, whatever they are called.
const NAMES: [&str; 3] = ["name", "description", "environment"];

fn paths(repository: &Repository) -> [PathBuf; 2] {
    WORKFLOWS.map(|(name, _)| repository.root.join(".github").join("workflows").join(name))
}

/// The workflows for the account in this folder whose token is in this environment variable, unless there are some.
pub(super) fn files(place: &Place, secret: Option<&str>) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let repository = place.repository()?;
    // They are not ours.
    if let Some(path) = paths(&repository).iter().find(|path| path.exists()) {
        bail!("{} exists already", path.display());
    }
    texts(&repository, secret)
}

fn texts(repository: &Repository, secret: Option<&str>) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let folder = slashed(&repository.folder)?;
    let secret = secret.unwrap_or(SECRET);
    if secret.to_ascii_uppercase().starts_with("GITHUB_") {
        bail!("GitHub has no secrets whose names begin with `GITHUB_`, as `{secret}` does");
    }
    let text = |text: &str| {
        let lines = text.lines().map(|line| fitting(line, &folder, secret) + "\n");
        std::iter::once(HEAD.to_owned()).chain(lines).collect()
    };
    Ok(paths(repository).into_iter().zip(WORKFLOWS).map(|(path, (_, example))| (path, text(example))).collect())
}

/// What is left to do before the workflows run.
pub(super) fn to_do(files: &[(PathBuf, String)], secret: Option<&str>) -> String {
    let marked = files.iter().any(|(_, text)| text.contains(MARK));
    let replace = if marked { format!(", and replace what is marked `{MARK}`") } else { String::new() };
    let secret = secret.unwrap_or(SECRET);
    format!("Before the workflows run, make the secret {secret} on GitHub{replace}: the comments in them say how.")
}

/// The folder as workflows write it; characters that mean something to YAML, to a pattern of paths or to a shell are
/// in no folder of theirs.
fn slashed(folder: &Path) -> anyhow::Result<String> {
    let parts: Vec<_> = folder.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let plain =
        |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) && !part.starts_with('-');
    if !parts.iter().all(|part| plain(part)) {
        bail!(
            "workflows are written for folders whose names have letters, digits, dots and dashes only, and {} has others",
            folder.display()
        );
    }
    let folder = if parts.is_empty() { ".".to_owned() } else { parts.join("/") };
    if !folder.starts_with(['.', '_']) && matches!(yaml(&folder), Cow::Owned(_)) {
        bail!("workflows are written for folders whose names YAML reads as text, and {folder} is none");
    }
    Ok(folder)
}

/// The line for this folder and this secret. What is a name of something else (a title, an environment), and the prose
/// of comments, stays.
fn fitting(line: &str, folder: &str, secret: &str) -> String {
    let line = replaced(line, SECRET, |_| Some((secret, 0)));
    let trimmed = line.trim_start().trim_start_matches("- ");
    if NAMES.iter().any(|key| trimmed.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'))) {
        return line;
    }
    let (code, prose) = line.split_at(comment(&line));
    let code = no_alias(replaced(code, FOLDER, |after| Some(path(folder, after))));
    let prose = replaced(prose, FOLDER, |after| after.starts_with('/').then(|| path(folder, after)));
    code + &prose
}

/// What is written as the folder before this text, and how many bytes of the text it replaces as well: no path of a
/// repository begins with `./` or `/`, so of `phones/**` only `**` is left where the folder is the root.
fn path<'a>(folder: &'a str, after: &str) -> (&'a str, usize) {
    let below = after.strip_prefix('/').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '*'));
    if folder == "." && below { ("", 1) } else { (folder, 0) }
}

/// The code with a pattern in quotes that YAML would take for an alias, as `**` is where the folder is the root.
fn no_alias(code: String) -> String {
    let Some((before, pattern)) = code.split_once(" *") else { return code };
    let bare = pattern.trim_end();
    if bare.contains([' ', '"', '\'', '}', ']', ',']) {
        return code;
    }
    format!("{before} \"*{bare}\"{}", pattern.strip_prefix(bare).unwrap_or_default())
}

/// Where a line's comment begins; where it ends if it has none.
fn comment(line: &str) -> usize {
    let starts = |at: usize| line.get(..at).is_none_or(|before| before.is_empty() || before.ends_with([' ', '\t']));
    line.match_indices('#').map(|(at, _)| at).find(|at| starts(*at)).unwrap_or(line.len())
}

/// The text with each whole word replaced by what is said for the text behind it, and as many bytes of that.
fn replaced<'a>(text: &str, word: &str, by: impl Fn(&str) -> Option<(&'a str, usize)>) -> String {
    let of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(word) {
        result.push_str(before);
        let is_whole = !result.ends_with(of_word) && !after.starts_with(of_word);
        let (new, more) = by(after).filter(|_| is_whole).unwrap_or((word, 0));
        result.push_str(new);
        rest = after.get(more..).unwrap_or_default();
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use serde_yaml::Value;

    use super::*;

    fn written(folder: &str, secret: Option<&str>) -> Vec<(PathBuf, String)> {
        let repository = Repository { root: "/repo".into(), folder: folder.into(), is_git: true };
        texts(&repository, secret).unwrap()
    }

    /// Every text of a document that a machine reads.
    fn values(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Sequence(list) => list.iter().for_each(|value| values(value, found)),
            Value::Mapping(mapping) => {
                for (key, value) in mapping {
                    values(key, found);
                    if !key.as_str().is_some_and(|key| NAMES.contains(&key)) {
                        values(value, found);
                    }
                }
            }
            _ => {}
        }
    }

    fn words(text: &str) -> Vec<&str> {
        text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).collect()
    }

    #[test]
    fn a_workflow_is_of_the_users_folder_and_secret() {
        for (folder, glob) in [("telephony/paris", "telephony/paris/**"), ("", "**"), ("phones", "phones/**")] {
            for (path, text) in written(folder, Some("OFFICE_KEY")) {
                let document: Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
                let mut found = Vec::new();
                values(&document, &mut found);
                let left = |word| found.iter().any(|text| words(text).contains(&word));
                assert!(folder == "phones" || !left(FOLDER), "{}:\n{text}", path.display());
                assert!(!left(SECRET) && left("OFFICE_KEY"), "{}:\n{text}", path.display());
                assert!(found.iter().any(|text| text == glob), "{}: no {glob} in\n{text}", path.display());
                let whole = if folder.is_empty() { "." } else { folder };
                assert!(found.iter().any(|text| words(text) == words(whole)), "{}:\n{text}", path.display());
            }
        }
    }

    #[test]
    fn the_examples_fit_as_they_are() {
        for ((_, text), (_, example)) in written(FOLDER, None).into_iter().zip(WORKFLOWS) {
            assert_eq!(text, format!("{HEAD}{example}"));
        }
    }

    #[test]
    fn words_are_replaced_where_a_machine_reads_them() {
        let fitting = |line| fitting(line, "a/b", "KEY");
        for (line, wanted) in [
            ("          path: phones", "          path: a/b"),
            ("    paths: [\"phones/**\", 'phones/*.yaml']", "    paths: [\"a/b/**\", 'a/b/*.yaml']"),
            ("  run: strowger plan ./phones # of the phones", "  run: strowger plan ./a/b # of the phones"),
            (
                "# `phones` is the folder, phones/ too, not the phones",
                "# `phones` is the folder, a/b/ too, not the phones",
            ),
            ("  - name: Plan the phones", "  - name: Plan the phones"),
            ("  group: strowger-phones", "  group: strowger-phones"),
            ("  X: ${{ secrets.STROWGER_TOKEN }}", "  X: ${{ secrets.KEY }}"),
            ("  STROWGER_TOKENS: STROWGER_TOKEN", "  STROWGER_TOKENS: KEY"),
        ] {
            assert_eq!(fitting(line), wanted);
        }
    }

    #[test]
    fn a_pattern_below_the_root_is_no_alias() {
        for (line, wanted) in [
            ("      - phones/** # all", "      - \"**\" # all"),
            ("    path: phones/**/ledger/", "    path: \"**/ledger/\""),
            ("    paths: [\"phones/**\", phones/a.yaml]", "    paths: [\"**\", a.yaml]"),
            ("    path: phones", "    path: ."),
        ] {
            assert_eq!(fitting(line, ".", "KEY"), wanted);
        }
    }

    #[test]
    fn what_github_would_misread_is_refused() {
        let repository = |folder: &str| Repository { root: "/r".into(), folder: folder.into(), is_git: true };
        for folder in ["my phones", "a*", "x/[a]", "-a", "${{x}}", "300", "no"] {
            assert!(texts(&repository(folder), None).is_err(), "{folder}");
        }
        assert!(texts(&repository("phones"), Some("GITHUB_TOKEN")).is_err());
    }
}
