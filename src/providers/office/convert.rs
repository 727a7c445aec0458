//! From the API's documents to the model. A number or a ring group with a value that has no place in the model's types is
//! [`Unreadable`]; kinds that we do not know become [`Kind::Other`], and extension numbers of other objects that cannot be
//! dialled become none.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::model::{
    AccountInfo, Capabilities, ExtensionNumber, Kind, LiveClaim, LiveConference, LiveDevice, LiveNumber,
    LiveReceptionist, LiveRingGroup, LiveUser, Name, NamePattern, NumberPattern, ObjectId, ObjectRef, RequestLimits,
    Revision, RingFor, RingMode, Scope, Unreadable,
};
use crate::text::sanitized;

use super::wire;

/// What cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) what: String,
    pub(super) why: String,
}

/// An item of a list that becomes a part of the account.
pub(super) trait Item: for<'de> serde::Deserialize<'de> + Send {
    /// What it becomes.
    type Live: Send;

    fn live(self) -> Result<Self::Live, Box<Unreadable>>;
}

/// Why a value has no place in the model.
fn unfit(field: &str, value: &str, why: impl Display) -> String {
    format!("its {field} is `{}`: {why}", sanitized(value, 80))
}

impl Item for wire::Number {
    type Live = LiveNumber;

    fn live(self) -> Result<LiveNumber, Box<Unreadable>> {
        let number = match self.e164.parse() {
            Ok(number) => number,
            Err(why) => {
                return Err(Box::new(Unreadable {
                    kind: Kind::Number,
                    id: ObjectId(self.id.0.into()),
                    why: unfit("number", &self.e164, why).into(),
                    name: self.e164,
                    extension: None,
                    targets: self.destination.map(object_ref).into_iter().collect(),
                }));
            }
        };
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

    fn live(self) -> Result<LiveRingGroup, Box<Unreadable>> {
        let (name, extension, ring, ring_for) = match self.values() {
            Ok(values) => values,
            Err(why) => {
                return Err(Box::new(Unreadable {
                    kind: Kind::RingGroup,
                    id: ObjectId(self.id.0.into()),
                    name: self.name,
                    extension: extension(self.extension.as_deref()),
                    targets: self.members.into_iter().chain(self.no_answer).map(object_ref).collect(),
                    why: why.into(),
                }));
            }
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

/// The values of a ring group that may have no place in the model.
type GroupValues = (Name, Option<ExtensionNumber>, RingMode, Option<RingFor>);

impl wire::RingGroup {
    fn values(&self) -> Result<GroupValues, String> {
        let name = self.name.parse().map_err(|why| unfit("name", &self.name, why))?;
        let extension = match self.extension.as_deref() {
            Some(text) if !text.is_empty() => Some(text.parse().map_err(|why| unfit("extension", text, why))?),
            _ => None,
        };
        let unknown = || unfit("ring mode", &self.ring, "this version does not know it");
        let ring = RingMode::parse(&self.ring).ok_or_else(unknown)?;
        let ring_for = self.ring_for.as_ref().map(|number| {
            seconds(number).ok_or_else(|| unfit("ring_for", &number.to_string(), "not 1 to 3600 seconds"))
        });
        Ok((name, extension, ring, ring_for.transpose()?))
    }
}

impl Item for wire::User {
    type Live = (LiveUser, Vec<LiveDevice>);

    fn live(self) -> Result<Self::Live, Box<Unreadable>> {
        let extension = extension(self.extension.as_deref());
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

    fn live(self) -> Result<LiveReceptionist, Box<Unreadable>> {
        let extension = extension(self.extension.as_deref());
        let keys = self.keys.unwrap_or_default().into_iter().map(|(key, target)| (key, object_ref(target))).collect();
        Ok(LiveReceptionist { id: ObjectId(self.id.0.into()), name: self.name.unwrap_or_default(), extension, keys })
    }
}

impl Item for wire::Conference {
    type Live = LiveConference;

    fn live(self) -> Result<LiveConference, Box<Unreadable>> {
        let extension = extension(self.extension.as_deref());
        Ok(LiveConference { id: ObjectId(self.id.0.into()), name: self.name.unwrap_or_default(), extension })
    }
}

/// The account, what it accepts, and its default number if that is not an E.164 number.
pub(super) fn account(account: wire::Account) -> (AccountInfo, Capabilities, Option<Box<str>>) {
    let default_number = account.default_number.as_ref().and_then(|text| text.parse().ok());
    let odd = account.default_number.filter(|_| default_number.is_none());
    let owners = account.owners.map(|owners| owners.into_iter().map(claim).collect());
    let live = AccountInfo { id: account.id.0, name: account.name.unwrap_or_default(), default_number, owners };
    (live, capabilities(account.capabilities), odd)
}

fn claim(owner: wire::Owner) -> LiveClaim {
    let wire::Owner { id, name, account, scope, since } = owner;
    let scope = scope.unwrap_or_default();
    LiveClaim {
        id: ObjectId(id.0.into()),
        owner: name,
        account: account.unwrap_or_default(),
        scope: Scope::of(patterns::<NumberPattern>(scope.numbers), patterns::<NamePattern>(scope.ring_groups)),
        since: since.unwrap_or_default(),
    }
}

/// The list; `None`, which is everything, if an entry cannot be read: what is claimed must not be taken for free.
fn patterns<P: FromStr>(list: Option<Vec<Box<str>>>) -> Option<Vec<P>> {
    list?.iter().map(|text| text.parse().ok()).collect()
}

/// Refuses a default number that is not an E.164 number, unless it is one of the numbers that cannot be read: which
/// number is protected must be known.
pub(super) fn default_number(odd: Option<&str>, unreadable: &[Unreadable]) -> Result<(), Malformed> {
    let Some(text) = odd else { return Ok(()) };
    if unreadable.iter().any(|one| one.kind == Kind::Number && *one.name == *text) {
        return Ok(());
    }
    let why = unfit("default number", text, "not an E.164 number");
    Err(Malformed { what: "the account".to_owned(), why })
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
        capabilities.ring_modes = modes.iter().filter_map(|word| RingMode::parse(word)).collect();
    }
    if let Some(range) = stated.ring_for {
        // A vendor's range may be wider than any that makes sense: it is cut to what a duration can be.
        let cut = |count: u64| RingFor::from_seconds(count.clamp(1, 3600)).unwrap_or(RingFor::SHORTEST);
        capabilities.ring_for_least = cut(range.min);
        capabilities.ring_for_most = cut(range.max);
        capabilities.ring_for_step = range.step.unwrap_or(capabilities.ring_for_step);
        capabilities.ring_for_scope = range.scope.unwrap_or(capabilities.ring_for_scope);
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
    capabilities.unassigned = stated.unassigned.unwrap_or(capabilities.unassigned);
    capabilities.atomic_destination = stated.atomic_destination.unwrap_or(capabilities.atomic_destination);
    capabilities.extension_choice = stated.extension_choice.unwrap_or(capabilities.extension_choice);
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

/// Servers write whole seconds as `20` or as `20.0`.
fn seconds(number: &serde_json::Number) -> Option<RingFor> {
    let whole = number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && (1.0..=3600.0).contains(float))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within 1 to 3600")]
        Some(float as u64)
    })?;
    RingFor::from_seconds(whole).ok()
}

/// An extension number that a file could name; no other one can be in a file's way.
fn extension(text: Option<&str>) -> Option<ExtensionNumber> {
    text?.parse().ok()
}

fn object_ref(reference: wire::Ref) -> ObjectRef {
    let kind = Kind::parse(&reference.kind).unwrap_or(Kind::Other);
    ObjectRef { kind, id: ObjectId(reference.id.0.into()) }
}
