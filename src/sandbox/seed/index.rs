//! The objects of a seed: resolves `kind/selector` to keys and keeps names and numbers unique.

use std::collections::HashMap;
use std::fmt::Display;

use super::{Fault, checked};
use crate::providers::snapshot::fields::Text;
use crate::sandbox::collection::{Target, TargetKind};
use crate::sandbox::text;

/// All objects that a reference can name.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_name: HashMap<String, Target>,
    by_extension: HashMap<String, Target>,
    by_email: HashMap<String, Target>,
    devices: HashMap<String, Target>,
}

impl Index {
    /// Adds an extension under its name and number.
    pub(super) fn add(&mut self, target: Target, name: &str, extension: &str, path: &[&str]) -> Result<(), Fault> {
        let at = [path, &["extension"]].concat();
        checked(text::name(name), path, format_args!("the name {name:?}"), "choose another name")?;
        let remedy = "write 3 or 4 digits in quotes, such as \"201\"";
        checked(text::extension(extension), &at, format_args!("{extension:?}"), remedy)?;
        let remedy = "names are unique across users, groups, receptionists and conferences";
        let name_is = format_args!("the name {name:?}");
        once(&mut self.by_name, text::name_key(name), target, path, name_is, remedy)?;
        let extension_is = format_args!("extension {extension}");
        once(&mut self.by_extension, extension.to_owned(), target, &at, extension_is, "choose a free one")
    }

    /// Lets references find an object by the key of its entry, unless that is the name of another.
    pub(super) fn add_key(&mut self, target: Target, key: &str) {
        self.by_name.entry(text::name_key(key)).or_insert(target);
    }

    pub(super) fn add_email(&mut self, target: Target, email: &str, path: &[&str]) -> Result<(), Fault> {
        checked(text::email(email), path, format_args!("{email:?}"), "users are keyed by e-mail")?;
        let remedy = "e-mail addresses are unique, ignoring case";
        once(&mut self.by_email, text::name_key(email), target, path, email, remedy)
    }

    pub(super) fn add_device(&mut self, target: Target, name: &str, path: &[&str]) -> Result<(), Fault> {
        checked(text::name(name), path, format_args!("{name:?}"), "choose another name")?;
        let name_is = format_args!("the device name {name:?}");
        let remedy = "device names are unique in the account";
        once(&mut self.devices, text::name_key(name), target, path, name_is, remedy)
    }

    /// The object that `reference` names, if it is of one of `kinds`.
    pub(super) fn find(&self, reference: &Text<'_>, kinds: &[TargetKind], path: &[&str]) -> Result<Target, Fault> {
        let reference = reference.as_str();
        let wrong = || {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            let example = names.first().unwrap_or(&"user");
            let remedy =
                format!("write kind/selector with one of the kinds {}, such as {example}/201", names.join(", "));
            Fault::new(path, format!("{reference:?} is not a reference that can stand here"), remedy)
        };
        let (kind, selector) = reference.split_once('/').ok_or_else(wrong)?;
        let kind = TargetKind::parse(kind.trim()).filter(|kind| kinds.contains(kind)).ok_or_else(wrong)?;
        self.select(kind, selector.trim()).ok_or_else(|| {
            let what = if kind == TargetKind::Voicemail { "user" } else { kind.name() };
            Fault::new(
                path,
                format!("{reference} refers to nothing"),
                format!("declare that {what}, or correct the reference"),
            )
        })
    }

    fn select(&self, kind: TargetKind, selector: &str) -> Option<Target> {
        let digits = !selector.is_empty() && selector.bytes().all(|b| b.is_ascii_digit());
        let key = text::name_key(selector);
        let found = if kind == TargetKind::Device {
            self.devices.get(&key)
        } else if digits {
            self.by_extension.get(selector)
        } else if selector.contains('@') && matches!(kind, TargetKind::User | TargetKind::Voicemail) {
            self.by_email.get(&key)
        } else {
            self.by_name.get(&key)
        };
        found
            .filter(|target| target.kind.collection() == kind.collection())
            .map(|target| Target { kind, key: target.key })
    }
}

/// Adds an object under a key that no other may have.
fn once(
    objects: &mut HashMap<String, Target>,
    key: String,
    target: Target,
    path: &[&str],
    what: impl Display,
    remedy: &str,
) -> Result<(), Fault> {
    match objects.insert(key, target) {
        None => Ok(()),
        Some(_) => Err(Fault::new(path, format!("{what} is used twice"), remedy)),
    }
}
