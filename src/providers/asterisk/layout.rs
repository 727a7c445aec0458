//! Where an account's objects are in the dialplan, as its settings state.

use crate::model::{E164, Kind, LiveConference, LiveReceptionist, Name, ObjectId, ObjectRef};
use crate::providers::settings::ProviderSettings;

use super::action::{Action, Target};

/// How long an outside number rings before the call ends.
const OUTSIDE_SECONDS: u64 = 60;
/// Q.850 causes: the number is not in use; no answer.
pub(super) const UNALLOCATED: u8 = 1;
pub(super) const NO_ANSWER: u8 = 19;

/// The contexts of an account, and the objects that only the dialplan's files have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) carrier: Box<str>,
    pub(super) groups: Box<str>,
    pub(super) internal: Box<str>,
    /// Of the table `voicemail`.
    pub(super) voicemail: Box<str>,
    /// The endpoint that calls to outside numbers take.
    pub(super) trunk: Option<Box<str>>,
    /// Names, each with its `context,extension`.
    receptionists: Vec<(Name, Box<str>)>,
    conferences: Vec<(Name, Box<str>)>,
}

/// Where an action leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    To(ObjectRef),
    /// The call ends.
    Nowhere,
}

impl Layout {
    pub(super) fn of(settings: &ProviderSettings) -> Self {
        let word = |name: &str| settings.word(name).unwrap_or_default().into();
        Self {
            carrier: word("carrier_context"),
            groups: word("group_context"),
            internal: word("internal_context"),
            voicemail: word("voicemail_context"),
            trunk: settings.word("trunk").map(Into::into),
            receptionists: settings.dialplan("receptionists").to_vec(),
            conferences: settings.dialplan("conferences").to_vec(),
        }
    }

    /// The contexts whose rows are read.
    pub(super) fn contexts(&self) -> Vec<String> {
        let menus =
            self.receptionists.iter().filter_map(|(_, place)| place.split_once(',')).map(|(context, _)| context);
        [&*self.carrier, &*self.groups, &*self.internal].into_iter().chain(menus).map(ToOwned::to_owned).collect()
    }

    pub(super) fn receptionists(&self) -> Vec<LiveReceptionist> {
        let receptionist = |(name, place): &(Name, Box<str>)| LiveReceptionist {
            id: ObjectId::from(&**place),
            name: name.as_str().into(),
            extension: extension(place),
            keys: Vec::new(),
        };
        self.receptionists.iter().map(receptionist).collect()
    }

    pub(super) fn conferences(&self) -> Vec<LiveConference> {
        let conference = |(name, place): &(Name, Box<str>)| LiveConference {
            id: ObjectId::from(&**place),
            name: name.as_str().into(),
            extension: extension(place),
        };
        self.conferences.iter().map(conference).collect()
    }

    /// Where an action leads, unless it is to something that is not modelled. An internal extension is a user's: the
    /// caller knows which are those of ring groups.
    pub(super) fn leads(&self, action: &Action) -> Option<Leads> {
        let to = |kind, id: &str| Some(Leads::To(ObjectRef { kind, id: id.into() }));
        match action {
            Action::Goto { context, exten } if *context == self.groups => to(Kind::RingGroup, exten),
            Action::Goto { context, exten } => {
                let place = format!("{context},{exten}");
                let is_listed = |list: &[(Name, Box<str>)]| list.iter().any(|(_, other)| **other == *place);
                if is_listed(&self.receptionists) {
                    to(Kind::Receptionist, &place)
                } else if is_listed(&self.conferences) {
                    to(Kind::Conference, &place)
                } else if *context == self.internal {
                    to(Kind::User, exten)
                } else {
                    None
                }
            }
            Action::VoiceMail { mailbox } => to(Kind::Voicemail, mailbox),
            Action::Hangup { .. } => Some(Leads::Nowhere),
            Action::Dial { targets, seconds: Some(_) } => match targets.as_slice() {
                [Target::Trunk { number, trunk }] if Some(trunk) == self.trunk.as_ref() => {
                    number.parse::<E164>().ok()?;
                    to(Kind::External, number)
                }
                _ => None,
            },
            Action::Dial { .. } | Action::Note(_) => None,
        }
    }

    /// The action that leads to an object; the inverse of [`Self::leads`].
    pub(super) fn action(&self, kind: Kind, id: &str) -> Option<Action> {
        match kind {
            Kind::User => Some(Action::goto(&self.internal, id)),
            Kind::RingGroup => Some(Action::goto(&self.groups, id)),
            Kind::Receptionist | Kind::Conference => {
                let (context, exten) = id.split_once(',')?;
                Some(Action::goto(context, exten))
            }
            Kind::Voicemail => Some(Action::VoiceMail { mailbox: id.into() }),
            Kind::External => {
                let target = Target::Trunk { number: id.into(), trunk: self.trunk.clone()? };
                Some(Action::Dial { targets: vec![target], seconds: Some(OUTSIDE_SECONDS) })
            }
            Kind::Number | Kind::Device | Kind::Other => None,
        }
    }
}

/// The extension number of a `context,extension`, if it is one.
fn extension(place: &str) -> Option<crate::model::ExtensionNumber> {
    place.split_once(',')?.1.parse().ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn layout() -> Layout {
        Layout {
            carrier: "from-carrier".into(),
            groups: "ring-groups".into(),
            internal: "internal".into(),
            voicemail: "default".into(),
            trunk: Some("trunk".into()),
            receptionists: vec![("main".parse().unwrap(), "ivr-main,s".into())],
            conferences: vec![("board".parse().unwrap(), "conferences,800".into())],
        }
    }

    #[test]
    fn each_destination_is_read_back_from_its_row() {
        let layout = layout();
        for (kind, id) in [
            (Kind::User, "201"),
            (Kind::RingGroup, "7f3a"),
            (Kind::Receptionist, "ivr-main,s"),
            (Kind::Conference, "conferences,800"),
            (Kind::Voicemail, "201@default"),
            (Kind::External, "+33199999999"),
        ] {
            let action = layout.action(kind, id).unwrap();
            let (app, data) = action.columns();
            let read = Action::parse(app, &data).and_then(|action| layout.leads(&action));
            assert_eq!(read, Some(Leads::To(ObjectRef { kind, id: id.into() })), "{app}({data})");
        }
    }

    #[test]
    fn a_place_that_no_setting_names_is_something_else() {
        for action in [Action::goto("ivr-night", "s"), Action::goto("conferences", "801")] {
            assert_eq!(layout().leads(&action), None);
        }
        let other = Target::Trunk { number: "+33199999999".into(), trunk: "other".into() };
        assert_eq!(layout().leads(&Action::Dial { targets: vec![other], seconds: Some(60) }), None);
        assert!(layout().action(Kind::Other, "x").is_none());
    }
}
