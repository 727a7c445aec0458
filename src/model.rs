//! Valid domain types, and nothing else.
//!
//! A value of a type in this module cannot be wrong in itself: an [`E164`] is a well-formed number, a
//! [`RingFor`] is a positive duration, a [`LiveAccount`] is complete and has no dangling reference.
//! Text is parsed into these types once, at the edge; nothing inside the core checks strings again.
//!
//! The module is pure: no clock, no file, no network, and it knows no other module but `diag`'s places.

mod capabilities;
mod change;
mod desired;
mod directory;
mod e164;
mod emergency;
mod extension;
mod external;
mod fields;
mod freeze;
mod kind;
mod live;
mod name;
mod owner;
mod pattern;
mod place;
mod policy;
mod reference;
mod ring;
mod scope;
mod step;
mod text;
mod unreadable;
mod value;
mod watching;
mod windows;
mod zone;

pub use capabilities::{Capabilities, ExtensionChoice, RequestLimits, RingForScope, Unassigned};
pub use change::{Change, ChangeId, FieldChange, ObjectLabel, PlannedRef, PreImage, Reason, Verb};
pub use desired::{Absent, Declaration, Desired, DesiredNumber, DesiredRingGroup};
pub use directory::{Directory, Found, Handle};
pub use e164::{E164, E164Error};
pub use emergency::{emergency_numbers, is_emergency};
pub use extension::{ExtensionError, ExtensionNumber};
pub use external::{ExternalPolicy, NotListed};
pub use fields::{Declared, FieldName, FieldSpec, LiveObject, Writable, WritableKind};
pub use freeze::{Freeze, Suspend};
pub use kind::Kind;
pub use live::{
    AccountInfo, Incomplete, LiveAccount, LiveConference, LiveDevice, LiveMailbox, LiveNumber, LiveReceptionist,
    LiveRingGroup, LiveUser, ObjectId, ObjectRef, Revision, VendorDocument,
};
pub use name::{Name, NameError, NameKey, Unsayable};
pub use owner::{Claim, LiveClaim, OwnerName, OwnerNameError};
pub use pattern::{NamePattern, NumberPattern, PatternError};
pub use place::{FileId, Place, Span, Spanned};
pub use policy::{Base, BasePolicy, Cap, Capped, Caps, GuardPolicy, Policy, Protected};
pub use reference::{Reference, ReferenceError, Selector};
pub use ring::{RingFor, RingForError, RingMode};
pub use scope::{NameSet, NumberSet, Scope};
pub use step::{Step, Steps};
pub use text::is_unprintable;
pub(crate) use text::words;
pub use unreadable::Unreadable;
pub use value::{FieldValue, FieldValues, Value};
pub use watching::{DriftPolicy, OnDrift, WatchPolicy};
pub use windows::{ClockTime, ClockTimeError, Days, Window, WindowError, Windows};
pub use zone::Zone;
