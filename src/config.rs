//! The operator's files: from paths to checked accounts.
//!
//! A path is a file, a folder whose YAML files are one account, or a folder of such folders: a fleet. Every
//! file is read once, in one pass, within limits that a hostile file cannot exceed; see
//! `docs/decisions/0001-yaml.md`. Nothing is thrown: what cannot be read is a finding like any other. The guards
//! of earlier revisions come from git (`base`).

mod account;
mod address;
mod base;
mod duplicate_accounts;
mod file_stamp;
mod files;
mod fleet;
mod git;
mod load;
mod read;
mod symlinks;
mod yaml;

pub use account::{Account, InvalidAccount, Loaded, NewTargets, Reach, Wave};
pub use base::{BaseError, Revision, RevisionError, load_guarded};
pub use file_stamp::Stamp;
pub use files::{folders, is_read, or_here};
pub use git::{
    Access, GitError, Place, TrackedNames, command as git, head, locate, owner_of, repository_above, tracked_names,
};
pub use load::{load, reread, text};
pub use yaml::parse;
