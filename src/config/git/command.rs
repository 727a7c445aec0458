//! The one place in which a git process is made, with an environment of our own.
//!
//! A checkout may have been made to run something: by its configuration, by attributes, by the objects that it
//! lacks. So git is always given the repository, and never looks for one; only plumbing is used; no variable of ours
//! reaches it that is not needed; and what holds whatever the repository's configuration says is a setting of the
//! command, which counts for more. See `docs/hostile-input.md`.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a git process may use besides its repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: no configuration but the repository's own, and no network.
    Local,
    /// The operator's configuration: whose repositories are trusted, whose signatures are good. No network.
    Configured,
    /// The operator's configuration and environment (credentials, agents, proxies), and this protocol; all of those
    /// that prove who answers, if it is `None`.
    Remote(Option<&'static str>),
}

/// What holds whatever any configuration says.
const SETTINGS: [(&str, &str); 14] = [
    ("safe.bareRepository", "explicit"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.autocrlf", "false"),
    ("core.useReplaceRefs", "false"),
    ("core.commitGraph", "false"),
    ("core.pager", "cat"),
    ("log.showSignature", "false"),
    ("protocol.ext.allow", "never"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
];

/// Variables that hold for every process. What git says is looked at and shown, so it says it in English.
const VARIABLES: [(&str, &str); 9] = [
    ("LC_ALL", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    // An object that is missing is not fetched when it is needed, by whatever the repository names for that.
    ("GIT_NO_LAZY_FETCH", "1"),
    // A commit's parents are those that it names, and an object is what its name says.
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_GRAFT_FILE", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_PAGER", "cat"),
    ("GIT_EDITOR", "false"),
];

/// What every program needs to run at all.
const NEEDED: [&str; 6] = ["SYSTEMROOT", "WINDIR", "COMSPEC", "TMPDIR", "TEMP", "TMP"];

/// Where the operator's configuration is found. The last one is for tests of git's own, and can only make it refuse.
const CONFIGURED: [&str; 12] = [
    "HOME",
    "XDG_CONFIG_HOME",
    "USERPROFILE",
    "HOMEDRIVE",
    "HOMEPATH",
    "PROGRAMDATA",
    "GNUPGHOME",
    "SUDO_UID",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_TEST_ASSUME_DIFFERENT_OWNER",
];

/// Variables of git by which an operator says how a remote is reached. No other variable of git is passed on: the
/// rest leads git elsewhere or has it say more than it should.
const REMOTE: [&str; 8] = [
    "GIT_ASKPASS",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_PROXY_COMMAND",
    "GIT_HTTP_USER_AGENT",
    "GIT_HTTP_PROXY_AUTHMETHOD",
    "GIT_EXEC_PATH",
];

/// Git for this repository, with more settings that hold whatever its configuration says.
///
/// # Errors
///
/// If git is not on the PATH.
pub fn command(repository: &Path, access: Access, settings: &[(&str, &str)]) -> io::Result<Command> {
    let mut command = bare(access, settings)?;
    // Nothing is looked for where it runs. A repository that is about to be made has a folder above already.
    let here = if repository.is_dir() { Some(repository) } else { repository.parent() };
    if let Some(here) = here.filter(|here| !here.as_os_str().is_empty()) {
        command.current_dir(here);
    }
    command.arg("--git-dir").arg(repository);
    Ok(command)
}

/// Git that looks for a repository in this folder and not above, to learn whether the operator trusts it.
pub(super) fn discover(top: &Path) -> io::Result<Command> {
    let mut command = bare(Access::Configured, &[])?;
    command.current_dir(top);
    if let Some(parent) = top.parent() {
        command.env("GIT_CEILING_DIRECTORIES", parent);
    }
    Ok(command)
}

fn bare(access: Access, settings: &[(&str, &str)]) -> io::Result<Command> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let folders: Vec<PathBuf> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    let mut command = Command::new(program(&folders)?);
    command.env_clear();
    command.envs(std::env::vars_os().filter(|(name, _)| passes(access, name)));
    // A relative folder would be one of the checkout's.
    command.env("PATH", std::env::join_paths(folders).map_err(io::Error::other)?);
    command.envs(VARIABLES);
    match access {
        Access::Local => {
            command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
            command.env("GIT_ALLOW_PROTOCOL", "");
        }
        Access::Configured => {
            command.env("GIT_ALLOW_PROTOCOL", "");
        }
        Access::Remote(protocol) => {
            command.env("GIT_ALLOW_PROTOCOL", protocol.unwrap_or("https:ssh:file"));
        }
    }
    // The operator may have given settings in the same way, which count for less.
    let given = if access == Access::Local { None } else { std::env::var("GIT_CONFIG_COUNT").ok() };
    let before = given.and_then(|count| count.parse().ok()).unwrap_or(0_usize);
    let all = SETTINGS.iter().chain(settings);
    let count = before + all.clone().count();
    for (at, (key, value)) in (before..).zip(all) {
        command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
    }
    command.env("GIT_CONFIG_COUNT", count.to_string());
    Ok(command)
}

/// The program, by its whole path: a relative one would be looked for where it runs.
fn program(folders: &[PathBuf]) -> io::Result<PathBuf> {
    let name = format!("git{}", std::env::consts::EXE_SUFFIX);
    let mut found = folders.iter().map(|folder| folder.join(&name)).filter(|path| is_program(path));
    found.next().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "there is no git program on the PATH"))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Whether a variable of this process reaches git.
fn passes(access: Access, name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let upper = name.to_ascii_uppercase();
    let is_setting = upper.starts_with("GIT_CONFIG_KEY_") || upper.starts_with("GIT_CONFIG_VALUE_");
    let is_ssl = ["GIT_SSL_", "GIT_PROXY_SSL_"].iter().any(|start| upper.starts_with(start));
    NEEDED.contains(&upper.as_str())
        || match access {
            Access::Local => false,
            Access::Configured => is_setting || CONFIGURED.contains(&name),
            Access::Remote(_) if upper.starts_with("GIT_") => {
                is_setting || is_ssl || CONFIGURED.contains(&name) || REMOTE.contains(&name)
            }
            Access::Remote(_) => true,
        }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn no_variable_that_leads_git_elsewhere_reaches_it() {
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            "GIT_COMMON_DIR",
            "GIT_NAMESPACE",
            "GIT_REPLACE_REF_BASE",
            "GIT_SHALLOW_FILE",
            "GIT_GRAFT_FILE",
            "GIT_EXTERNAL_DIFF",
            "GIT_TRACE",
            "GIT_TRACE2_EVENT",
            "GIT_CURL_VERBOSE",
            "GIT_CONFIG_COUNT",
            "GIT_CONFIG_PARAMETERS",
            "GIT_TEMPLATE_DIR",
            "GIT_ALLOW_PROTOCOL",
            "GIT_PAGER",
            "GIT_EDITOR",
        ] {
            for access in [Access::Local, Access::Configured, Access::Remote(None)] {
                assert!(!passes(access, OsStr::new(name)), "{name} {access:?}");
            }
        }
        for (name, access) in [
            ("GIT_SSH_COMMAND", Access::Configured),
            ("SSH_AUTH_SOCK", Access::Configured),
            ("HOME", Access::Local),
            ("GIT_CONFIG_GLOBAL", Access::Local),
            ("STROWGER_TOKEN", Access::Configured),
        ] {
            assert!(!passes(access, OsStr::new(name)), "{name} {access:?}");
            assert!(passes(Access::Remote(None), OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_program_is_looked_for_only_where_a_whole_path_leads() {
        assert!(program(&[]).is_err());
        assert!(program(&[std::env::temp_dir().join("no such folder")]).is_err());
    }

    #[test]
    fn every_process_is_given_its_repository_and_the_settings_that_count() {
        let given = command(Path::new("/nowhere/.git"), Access::Local, &[("a.b", "c")]).unwrap();
        let arguments: Vec<&OsStr> = given.get_args().collect();
        assert_eq!(arguments, ["--git-dir", "/nowhere/.git"]);
        let of = |name: &str| {
            given.get_envs().find(|(key, _)| *key == name).and_then(|(_, value)| value).map(OsString::from)
        };
        assert_eq!(of("GIT_NO_LAZY_FETCH"), Some("1".into()));
        assert_eq!(of("GIT_ALLOW_PROTOCOL"), Some("".into()));
        assert_eq!(of("GIT_CONFIG_COUNT"), Some((SETTINGS.len() + 1).to_string().into()));
        assert_eq!(of(&format!("GIT_CONFIG_KEY_{}", SETTINGS.len())), Some("a.b".into()));
    }
}
