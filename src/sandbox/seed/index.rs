//! The objects of a seed: resolves `kind/selector` to keys and keeps names and numbers unique.

use std::collections::HashMap;

use super::Fault;
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
        let at = |field| [path, &[field]].concat();
        text::name(name)
            .map_err(|detail| Fault::new(path, format!("the name {name:?} {detail}"), "choose another name"))?;
        text::extension(extension).map_err(|detail| {
            Fault::new(
                &at("extension"),
                format!("{extension:?} {detail}"),
                "write 3 or 4 digits in quotes, such as \"201\"",
            )
        })?;
        if self.by_name.insert(text::name_key(name), target).is_some() {
            let message = format!("the name {name:?} is used twice");
            return Err(Fault::new(
                path,
                message,
                "names are unique across users, groups, receptionists and conferences",
            ));
        }
        if self.by_extension.insert(extension.to_owned(), target).is_some() {
            return Err(Fault::new(
                &at("extension"),
                format!("extension {extension} is used twice"),
                "choose a free one",
            ));
        }
        Ok(())
    }

    /// Lets references find an object by the key of its entry, unless that is the name of another.
    pub(super) fn add_key(&mut self, target: Target, key: &str) {
        self.by_name.entry(text::name_key(key)).or_insert(target);
    }

    pub(super) fn add_email(&mut self, target: Target, email: &str, path: &[&str]) -> Result<(), Fault> {
        text::email(email)
            .map_err(|detail| Fault::new(path, format!("{email:?} {detail}"), "users are keyed by e-mail"))?;
        if self.by_email.insert(text::name_key(email), target).is_some() {
            return Err(Fault::new(
                path,
                format!("{email} is used twice"),
                "e-mail addresses are unique, ignoring case",
            ));
        }
        Ok(())
    }

    pub(super) fn add_device(&mut self, target: Target, name: &str, path: &[&str]) -> Result<(), Fault> {
        text::name(name).map_err(|detail| Fault::new(path, format!("{name:?} {detail}"), "choose another name"))?;
        if self.devices.insert(text::name_key(name), target).is_some() {
            return Err(Fault::new(
                path,
                format!("the device name {name:?} is used twice"),
                "device names are unique in the account",
            ));
        }
        Ok(())
    }

    /// The object that `reference` names, if it is of one of `kinds`.
    pub(super) fn find(&self, reference: &str, kinds: &[TargetKind], path: &[&str]) -> Result<Target, Fault> {
        let names = kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        let wrong = || {
            let remedy = format!(
                "write kind/selector with one of the kinds {names}, such as {}/201",
                names.split(',').next().unwrap_or("user")
            );
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
        found.filter(|target| target.kind.name() == kind.stored()).map(|target| Target { kind, key: target.key })
    }
}
