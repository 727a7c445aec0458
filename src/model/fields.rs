//! The table of the kinds that a change can write, and of their fields.
//!
//! Comparing, fingerprints, drift, rollback, adoption, export, request bodies and schemas loop over this table or
//! match it exhaustively: a new entry does not compile until [`LiveObject::field`] and [`Declared::field`] have it.

use serde::{Deserialize, Serialize};

use super::{
    DesiredNumber, DesiredRingGroup, FieldValues, Kind, LiveNumber, LiveRingGroup, Name, ObjectRef, Reference,
    Revision, RingMode, Span, Spanned, Value, VendorDocument,
};

/// A kind of object that a change can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WritableKind {
    /// A phone number (DID).
    Number,
    /// Several phones that ring for one call.
    RingGroup,
}

/// An object of one of the kinds that a change can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writable<N, G> {
    Number(N),
    RingGroup(G),
}

/// An object of the account that a change can write.
pub type LiveObject<'l> = Writable<&'l LiveNumber, &'l LiveRingGroup>;

/// An object as the files declare it.
pub type Declared<'d> = Writable<&'d DesiredNumber, &'d DesiredRingGroup>;

/// A field's entry in the table.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    pub kind: WritableKind,
    /// The field in files, plans and snapshots.
    pub name: &'static str,
    /// Whether a change of it changes the path of calls.
    pub routes: bool,
    /// Whether `policy.ignore` can leave it to the portal.
    pub ignorable: bool,
}

macro_rules! fields {
    ($($(#[$doc:meta])+ $field:ident = $kind:ident $name:literal, routes: $routes:literal, ignorable: $ignorable:literal;)+) => {
        /// A field that a change can write. The order is that of plans and fingerprints.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
        )]
        pub enum FieldName {
            $($(#[$doc])+ #[serde(rename = $name)] $field,)+
        }

        impl FieldName {
            pub const ALL: &[Self] = &[$(Self::$field),+];

            pub const fn spec(self) -> FieldSpec {
                match self {
                    $(Self::$field => FieldSpec {
                        kind: WritableKind::$kind,
                        name: $name,
                        routes: $routes,
                        ignorable: $ignorable,
                    },)+
                }
            }
        }
    };
}

fields! {
    /// A number's destination.
    To = Number "to", routes: true, ignorable: false;
    /// A number's label.
    Label = Number "label", routes: false, ignorable: true;
    /// A group's name.
    Name = RingGroup "name", routes: false, ignorable: false;
    /// A group's extension number.
    Extension = RingGroup "extension", routes: false, ignorable: true;
    /// A group's ring mode.
    Ring = RingGroup "ring", routes: true, ignorable: true;
    /// A group's members.
    Members = RingGroup "members", routes: true, ignorable: true;
    /// A group's ring duration.
    RingFor = RingGroup "ring_for", routes: true, ignorable: true;
    /// A group's no-answer target.
    NoAnswer = RingGroup "no_answer", routes: true, ignorable: true;
}

impl FieldName {
    /// The field as the file spells it.
    pub const fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// The field with the section of its kind: `numbers.label`.
    pub fn path(self) -> String {
        format!("{}.{}", self.spec().kind.section(), self.as_str())
    }

    /// The fields that `policy.ignore` may list, in the order of messages.
    pub fn ignorable() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|field| field.spec().ignorable)
    }
}

impl WritableKind {
    pub fn fields(self) -> impl Iterator<Item = FieldName> {
        FieldName::ALL.iter().copied().filter(move |field| field.spec().kind == self)
    }

    pub fn as_str(self) -> &'static str {
        Kind::from(self).as_str()
    }

    /// The key of a file, and the collection of the Account API, that has objects of this kind.
    pub fn section(self) -> &'static str {
        match self {
            Self::Number => "numbers",
            Self::RingGroup => "ring_groups",
        }
    }
}

impl From<WritableKind> for Kind {
    fn from(kind: WritableKind) -> Self {
        match kind {
            WritableKind::Number => Self::Number,
            WritableKind::RingGroup => Self::RingGroup,
        }
    }
}

impl PartialEq<Kind> for WritableKind {
    fn eq(&self, other: &Kind) -> bool {
        Kind::from(*self) == *other
    }
}

impl std::fmt::Display for WritableKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<N, G> Writable<N, G> {
    pub fn as_ref(&self) -> Writable<&N, &G> {
        match self {
            Self::Number(number) => Writable::Number(number),
            Self::RingGroup(group) => Writable::RingGroup(group),
        }
    }

    pub fn kind(&self) -> WritableKind {
        match self {
            Self::Number(_) => WritableKind::Number,
            Self::RingGroup(_) => WritableKind::RingGroup,
        }
    }
}

impl<'l> LiveObject<'l> {
    /// The field's value; `None` if objects of this kind do not have the field.
    pub fn field(self, field: FieldName) -> Option<Value<&'l ObjectRef>> {
        match self {
            Self::Number(number) => number.field(field),
            Self::RingGroup(group) => group.field(field),
        }
    }

    /// Whether the field has this value. References are compared by id; one without an id equals nothing.
    pub fn has(self, field: FieldName, value: &Value<super::PlannedRef>) -> bool {
        let Some(live) = self.field(field) else { return false };
        let live = live.map(|reference| (reference.kind, Some(&reference.id)));
        let planned = value.map(|reference| (reference.kind, reference.id.as_ref()));
        match (live, planned) {
            (Value::Extension(_), Value::ChosenByAccount) => true,
            (Value::None, Value::Text(text)) => text.is_empty(),
            (Value::References(mut live), Value::References(mut planned)) => {
                if self.is_unordered() {
                    live.sort_unstable();
                    planned.sort_unstable();
                }
                live == planned
            }
            (live, planned) => live == planned,
        }
    }

    /// If all members ring at once, their order has no effect, and a server may have its own.
    fn is_unordered(self) -> bool {
        matches!(self, Self::RingGroup(group) if group.ring == RingMode::Simultaneous)
    }

    pub fn id(self) -> &'l super::ObjectId {
        match self {
            Self::Number(number) => &number.id,
            Self::RingGroup(group) => &group.id,
        }
    }

    /// The number, or the group's name.
    pub fn name(self) -> String {
        match self {
            Self::Number(number) => number.number.to_string(),
            Self::RingGroup(group) => group.name.to_string(),
        }
    }

    /// The version that was read, if the vendor has one.
    pub fn revision(self) -> Option<&'l Revision> {
        match self {
            Self::Number(number) => number.revision.as_ref(),
            Self::RingGroup(group) => group.revision.as_ref(),
        }
    }

    pub fn document(self) -> Option<&'l VendorDocument> {
        match self {
            Self::Number(number) => number.document.as_ref(),
            Self::RingGroup(group) => group.document.as_ref(),
        }
    }
}

impl LiveNumber {
    fn field(&self, field: FieldName) -> Option<Value<&ObjectRef>> {
        match field {
            FieldName::To => Some(self.to.as_ref().into()),
            FieldName::Label => Some(Value::text(&self.label)),
            FieldName::Name
            | FieldName::Extension
            | FieldName::Ring
            | FieldName::Members
            | FieldName::RingFor
            | FieldName::NoAnswer => None,
        }
    }
}

impl LiveRingGroup {
    fn field(&self, field: FieldName) -> Option<Value<&ObjectRef>> {
        match field {
            FieldName::Name => Some(Value::Name(self.name.clone())),
            FieldName::Extension => Some(self.extension.clone().map_or(Value::None, Value::Extension)),
            FieldName::Ring => Some(Value::Ring(self.ring)),
            FieldName::Members => Some(Value::References(self.members.iter().collect())),
            FieldName::RingFor => Some(self.ring_for.map_or(Value::None, Value::RingFor)),
            FieldName::NoAnswer => Some(self.no_answer.as_ref().into()),
            FieldName::To | FieldName::Label => None,
        }
    }
}

impl<'d> Declared<'d> {
    /// The field's value and where it is written; `None` if it is not managed.
    pub fn field(self, field: FieldName) -> Option<Spanned<Value<&'d Reference>>> {
        match self {
            Self::Number(number) => number.field(field),
            Self::RingGroup(group) => group.field(field),
        }
    }

    /// The managed fields, wherever they are written. A group's former name is not one: it only says how it was found.
    pub fn values(self) -> FieldValues<&'d Reference> {
        let value = |field| self.field(field).map(|written| (field, written.value));
        self.kind().fields().filter_map(value).collect()
    }
}

fn written<T: Clone, R>(field: Option<&Spanned<T>>, value: impl FnOnce(T) -> Value<R>) -> Option<Spanned<Value<R>>> {
    field.map(|field| Spanned { value: value(field.value.clone()), span: field.span })
}

fn target(field: &Spanned<Option<Reference>>) -> Spanned<Value<&Reference>> {
    Spanned { value: field.value.as_ref().into(), span: field.span }
}

impl DesiredNumber {
    fn field(&self, field: FieldName) -> Option<Spanned<Value<&Reference>>> {
        match field {
            FieldName::To => Some(target(&self.to)),
            FieldName::Label => written(self.label.as_ref(), |label| Value::text(&label)),
            FieldName::Name
            | FieldName::Extension
            | FieldName::Ring
            | FieldName::Members
            | FieldName::RingFor
            | FieldName::NoAnswer => None,
        }
    }
}

impl DesiredRingGroup {
    fn field(&self, field: FieldName) -> Option<Spanned<Value<&Reference>>> {
        match field {
            FieldName::Name => written(Some(&self.name), Value::Name),
            FieldName::Extension => written(self.extension.as_ref(), Value::Extension),
            FieldName::Ring => written(self.ring.as_ref(), Value::Ring),
            FieldName::Members => {
                let members = self.members.iter().map(|member| &member.value).collect();
                Some(Spanned { value: Value::References(members), span: self.members_span })
            }
            FieldName::RingFor => written(self.ring_for.as_ref(), Value::RingFor),
            FieldName::NoAnswer => self.no_answer.as_ref().map(target),
            FieldName::To | FieldName::Label => None,
        }
    }
}

impl DesiredNumber {
    /// Declares a value; one that a file cannot state for this field is ignored.
    pub fn set(&mut self, field: FieldName, value: Value<Reference>, span: Span) {
        match (field, value) {
            (FieldName::To, to) => self.to = Spanned { value: to.into_reference(), span },
            (FieldName::Label, Value::Text(text)) => self.label = Some(Spanned { value: text.into(), span }),
            (FieldName::Label, _) => self.label = Some(Spanned { value: Box::default(), span }),
            (
                FieldName::Name
                | FieldName::Extension
                | FieldName::Ring
                | FieldName::Members
                | FieldName::RingFor
                | FieldName::NoAnswer,
                _,
            ) => {}
        }
    }
}

impl DesiredRingGroup {
    /// A group of which nothing but the name is managed.
    pub fn new(name: Name, span: Span) -> Self {
        Self {
            name: Spanned { value: name, span },
            extension: None,
            ring: None,
            members: Vec::new(),
            members_span: span,
            ring_for: None,
            no_answer: None,
            renamed_from: None,
        }
    }

    /// Declares a value; one that a file cannot state for this field is ignored.
    pub fn set(&mut self, field: FieldName, value: Value<Reference>, span: Span) {
        match (field, value) {
            (FieldName::Name, Value::Name(value)) => self.name = Spanned { value, span },
            (FieldName::Extension, Value::Extension(value)) => self.extension = Some(Spanned { value, span }),
            (FieldName::Ring, Value::Ring(value)) => self.ring = Some(Spanned { value, span }),
            (FieldName::Members, Value::References(members)) => {
                self.members = members.into_iter().map(|value| Spanned { value, span }).collect();
                self.members_span = span;
            }
            (FieldName::RingFor, Value::RingFor(value)) => self.ring_for = Some(Spanned { value, span }),
            (FieldName::NoAnswer, to) => self.no_answer = Some(Spanned { value: to.into_reference(), span }),
            (
                FieldName::Name
                | FieldName::Extension
                | FieldName::Ring
                | FieldName::Members
                | FieldName::RingFor
                | FieldName::To
                | FieldName::Label,
                _,
            ) => {}
        }
    }
}
