//! From the API's documents to the model. What has no place in the model's types is an error that names the
//! object; kinds that we do not know become [`Kind::Other`].

use std::fmt::Display;
use std::num::NonZeroU32;

use crate::model::{
    Capabilities, ExtensionNumber, Kind, LiveAccount, LiveConference, LiveDevice, LiveNumber, LiveReceptionist,
    LiveRingGroup, LiveUser, ObjectId, ObjectRef, RequestLimits, Revision, RingFor, RingMode,
};
use crate::text::shown;

use super::wire;

/// What cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) what: String,
    pub(super) why: String,
}

type Result<T> = std::result::Result<T, Malformed>;

/// An item of a list that becomes a part of the account.
pub(super) trait Item: for<'de> serde::Deserialize<'de> + Send {
    /// What it becomes.
    type Live: Send;

    fn live(self) -> Result<Self::Live>;
}

fn malformed(kind: Kind, id: &wire::Id, field: &str, value: &str, why: impl Display) -> Malformed {
    Malformed {
        what: format!("{kind} {}", shown(&id.0, 80)),
        why: format!("its {field} is `{}`: {why}", shown(value, 80)),
    }
}

impl Item for wire::Number {
    type Live = LiveNumber;

    fn live(self) -> Result<LiveNumber> {
        let number = self.e164.parse().map_err(|why| malformed(Kind::Number, &self.id, "number", &self.e164, why))?;
        Ok(LiveNumber {
            id: ObjectId(self.id.0.into()),
            number,
            to: self.destination.map(object_ref),
            label: self.label.unwrap_or_default(),
            emergency_callback: self.emergency_callback.unwrap_or_default(),
            revision: self.etag.map(Revision),
            document: None,
        })
    }
}

impl Item for wire::RingGroup {
    type Live = LiveRingGroup;

    fn live(self) -> Result<LiveRingGroup> {
        let kind = Kind::RingGroup;
        let name = self.name.parse().map_err(|why| malformed(kind, &self.id, "name", &self.name, why))?;
        let extension = extension(kind, &self.id, self.extension)?;
        let ring = ring_mode(&self.ring)
            .ok_or_else(|| malformed(kind, &self.id, "ring mode", &self.ring, "this version does not know it"))?;
        let ring_for =
            match self.ring_for {
                None => None,
                Some(number) => Some(seconds(&number).ok_or_else(|| {
                    malformed(kind, &self.id, "ring_for", &number.to_string(), "not 1 to 3600 seconds")
                })?),
            };
        Ok(LiveRingGroup {
            id: ObjectId(self.id.0.into()),
            name,
            extension,
            ring,
            members: self.members.into_iter().map(object_ref).collect(),
            ring_for,
            no_answer: self.no_answer.map(object_ref),
            revision: self.etag.map(Revision),
            document: None,
        })
    }
}

impl Item for wire::User {
    type Live = (LiveUser, Vec<LiveDevice>);

    fn live(self) -> Result<Self::Live> {
        let extension = extension(Kind::User, &self.id, self.extension)?;
        let id = ObjectId(self.id.0.into());
        let devices = self.devices.unwrap_or_default().into_iter().map(|device| LiveDevice {
            id: ObjectId(device.id.0.into()),
            name: device.name.unwrap_or_default(),
            owner: Some(id.clone()),
        });
        let devices = devices.collect();
        let user = LiveUser {
            id,
            name: self.name.unwrap_or_default(),
            email: self.email.filter(|email| !email.is_empty()),
            extension,
            voicemail: self
                .voicemail
                .filter(|voicemail| voicemail.enabled != Some(false))
                .map(|box_| ObjectId(box_.id.0.into())),
            always_forwarded: self.forwarding.is_some_and(|forwarding| forwarding.mode.as_deref() == Some("enabled")),
        };
        Ok((user, devices))
    }
}

impl Item for wire::Receptionist {
    type Live = LiveReceptionist;

    fn live(self) -> Result<LiveReceptionist> {
        let extension = extension(Kind::Receptionist, &self.id, self.extension)?;
        let keys = self.keys.unwrap_or_default().into_iter().map(|(key, target)| (key, object_ref(target))).collect();
        Ok(LiveReceptionist { id: ObjectId(self.id.0.into()), name: self.name.unwrap_or_default(), extension, keys })
    }
}

impl Item for wire::Conference {
    type Live = LiveConference;

    fn live(self) -> Result<LiveConference> {
        let extension = extension(Kind::Conference, &self.id, self.extension)?;
        Ok(LiveConference { id: ObjectId(self.id.0.into()), name: self.name.unwrap_or_default(), extension })
    }
}

/// The account and what it accepts.
pub(super) fn account(account: wire::Account) -> Result<(LiveAccount, Capabilities)> {
    let default_number = match account.default_number {
        None => None,
        Some(text) => Some(text.parse().map_err(|why| Malformed {
            what: "the account".to_owned(),
            why: format!("its default number is `{}`: {why}", shown(&text, 80)),
        })?),
    };
    let live = LiveAccount { id: account.id.0, name: account.name.unwrap_or_default(), default_number };
    Ok((live, capabilities(account.capabilities)))
}

/// What the account states, and our own idea of an account where it states nothing.
fn capabilities(stated: wire::Limits) -> Capabilities {
    let mut capabilities = Capabilities::default();
    if let Some(digits) = stated.extension_digits {
        capabilities.extension_digits = (digits.min, digits.max);
    }
    if let Some(reserved) = stated.reserved_extensions {
        capabilities.reserved_extensions = reserved.iter().filter_map(|text| text.parse().ok()).collect();
    }
    capabilities.name_most = stated.name_length.or(capabilities.name_most);
    capabilities.label_most = stated.label_length.or(capabilities.label_most);
    if let Some(modes) = stated.ring_modes {
        capabilities.ring_modes = modes.iter().filter_map(|word| ring_mode(word)).collect();
    }
    if let Some(range) = stated.ring_for {
        // A vendor's range may be wider than any that makes sense: it is cut to what a duration can be.
        let cut = |count: u64| RingFor::from_seconds(count.clamp(1, 3600)).unwrap_or(RingFor::SHORTEST);
        capabilities.ring_for_least = cut(range.min);
        capabilities.ring_for_most = cut(range.max);
        capabilities.ring_for_default = range.default.map_or(capabilities.ring_for_default, cut);
    }
    if let Some(members) = stated.members {
        capabilities.members = members.kinds.map_or(capabilities.members, |words| kinds(&words));
        capabilities.members_most = members.max.or(capabilities.members_most);
    }
    if let Some(words) = stated.no_answer_kinds {
        capabilities.no_answer = kinds(&words);
    }
    if let Some(words) = stated.destination_kinds {
        capabilities.destinations = kinds(&words);
    }
    if let Some(requests) = stated.requests {
        capabilities.requests = RequestLimits {
            per_second: requests.per_second.and_then(per_second),
            concurrent: requests.concurrent.unwrap_or(capabilities.requests.concurrent).max(1),
        };
    }
    capabilities
}

/// Whole requests in a second: less than one is one, the slowest that the model can say.
fn per_second(rate: f64) -> Option<NonZeroU32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
    let whole = rate as u32;
    if rate > 0.0 { NonZeroU32::new(whole.max(1)) } else { None }
}

fn kinds(words: &[Box<str>]) -> Vec<Kind> {
    words.iter().filter_map(|word| Kind::parse(word)).collect()
}

fn ring_mode(word: &str) -> Option<RingMode> {
    [RingMode::Simultaneous, RingMode::Sequential].into_iter().find(|mode| mode.as_str() == word)
}

/// Servers write whole seconds as `20` or as `20.0`.
fn seconds(number: &serde_json::Number) -> Option<RingFor> {
    let whole = number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && (1.0..=3600.0).contains(float))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within 1 to 3600")]
        Some(float as u64)
    })?;
    RingFor::from_seconds(whole).ok()
}

fn extension(kind: Kind, id: &wire::Id, text: Option<Box<str>>) -> Result<Option<ExtensionNumber>> {
    match text {
        Some(text) if !text.is_empty() => {
            text.parse().map(Some).map_err(|why| malformed(kind, id, "extension", &text, why))
        }
        _ => Ok(None),
    }
}

fn object_ref(reference: wire::Ref) -> ObjectRef {
    let kind = Kind::parse(&reference.kind).unwrap_or(Kind::Other);
    ObjectRef { kind, id: ObjectId(reference.id.0.into()) }
}
