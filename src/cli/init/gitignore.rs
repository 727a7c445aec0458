//! What of an account's folder is not for git: what Strowger keeps beside the files, and the token.

use crate::ledger::state_dir;
use std::path::Path;

/// The lines of `.gitignore` in the account's folder; the token's file by its path from there, if it is in it.
pub(super) fn lines(token: Option<&Path>) -> Vec<String> {
    let token = token.map(|token| format!("/{}", literal(&token.to_string_lossy())));
    std::iter::once(format!("{}/", state_dir::NAME)).chain(token).collect()
}

/// The file.
pub(super) fn text(lines: &[String]) -> String {
    let mut text = "# What Strowger keeps on this machine, and secrets.\n".to_owned();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// The lines that a file which is there already lacks.
pub(super) fn lacking<'a>(lines: &'a [String], there: &str) -> Vec<&'a str> {
    let bare = |line: &str| line.trim().trim_matches('/').to_owned();
    let there: Vec<String> = there.lines().map(bare).collect();
    lines.iter().filter(|line| !there.contains(&bare(line))).map(String::as_str).collect()
}

/// A path in which no character is a pattern to git.
fn literal(path: &str) -> String {
    let mut literal = String::new();
    for c in path.replace(std::path::MAIN_SEPARATOR, "/").chars() {
        if "*?[]!#\\ ".contains(c) {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_ignored_wherever_it_is_in_the_folder() {
        let lines = lines(Some(Path::new("secret/my token*")));
        assert_eq!(lines, [".strowger/", "/secret/my\\ token\\*"]);
        assert_eq!(lacking(&lines, "/.strowger\n"), ["/secret/my\\ token\\*"]);
        assert!(lacking(&lines, &text(&lines)).is_empty());
    }
}
