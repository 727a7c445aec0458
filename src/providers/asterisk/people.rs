//! Users, phones and mailboxes: which endpoints ring for whom.
//!
//! A user is an internal extension. Its phones are the endpoints that the extension's own row rings, if the table has that
//! row, else those whose caller id or mailbox has the extension. An endpoint that is not a user's only one, or
//! no user's, is a device of its own.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{ExtensionNumber, Kind, LiveDevice, LiveMailbox, LiveUser, ObjectId, ObjectRef};

use super::action::{Action, Target, is_plain};
use super::layout::Layout;
use super::rows::{EndpointRow, Extension, MailboxRow};

/// The users, phones and mailboxes of an account.
#[derive(Debug, Default)]
pub(super) struct People {
    /// The endpoints of each user, in order.
    users: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// The user of each endpoint, if it has one.
    owners: HashMap<Box<str>, Option<Box<str>>>,
    pub(super) live_users: Vec<LiveUser>,
    pub(super) devices: Vec<LiveDevice>,
    pub(super) mailboxes: Vec<LiveMailbox>,
}

impl People {
    /// `internal` has the rows of each internal extension that is not a ring group's.
    pub(super) fn new(
        layout: &Layout,
        endpoints: &[EndpointRow],
        mailboxes: &[MailboxRow],
        internal: &BTreeMap<&str, Extension<'_>>,
    ) -> Self {
        let mut people = Self::default();
        let by_row = rung(internal);
        // A `Dial` of another name means something else.
        let endpoints: Vec<&EndpointRow> = endpoints.iter().filter(|endpoint| is_plain(&endpoint.id)).collect();
        for endpoint in &endpoints {
            let row = by_row.get(&*endpoint.id).copied();
            let candidates = [row, caller_number(&endpoint.callerid), mailbox_number(endpoint, layout)];
            let own = candidates.into_iter().flatten().find(|own| own.parse::<ExtensionNumber>().is_ok());
            if let Some(extension) = own {
                people.users.entry(extension.into()).or_default().push(endpoint.id.clone());
            }
            people.owners.insert(endpoint.id.clone(), own.map(Into::into));
        }
        let names: HashMap<&str, &EndpointRow> = endpoints.iter().map(|endpoint| (&*endpoint.id, *endpoint)).collect();
        let boxes: HashMap<&str, &MailboxRow> = mailboxes.iter().map(|mailbox| (&*mailbox.number, mailbox)).collect();
        let mailbox_id = |number: &str| ObjectId::from(&*format!("{number}@{}", layout.voicemail));
        for (extension, phones) in &people.users {
            let phones = phones.iter().filter_map(|id| names.get(&**id));
            let number = phones.clone().find_map(|phone| mailbox_number(phone, layout)).unwrap_or(extension);
            let mailbox = boxes.get(number).copied();
            let shown = phones.clone().map(|phone| caller_name(&phone.callerid)).find(|name| !name.is_empty());
            let label = shown.or_else(|| mailbox.map(|mailbox| &*mailbox.name)).filter(|name| !name.is_empty());
            people.live_users.push(LiveUser {
                id: ObjectId::from(&**extension),
                name: label.unwrap_or(extension).into(),
                email: mailbox.map(|mailbox| mailbox.email.clone()).filter(|email| !email.is_empty()),
                extension: extension.parse().ok(),
                voicemail: mailbox.map(|mailbox| mailbox_id(&mailbox.number)),
                always_forwarded: false,
            });
        }
        for endpoint in &endpoints {
            let owner = people.owners.get(&endpoint.id).and_then(Option::as_ref);
            if owner.is_some_and(|owner| people.users.get(owner).is_some_and(|phones| phones.len() == 1)) {
                continue;
            }
            people.devices.push(LiveDevice {
                id: ObjectId::from(&*endpoint.id),
                name: endpoint.id.clone(),
                owner: owner.map(|owner| ObjectId::from(&**owner)),
            });
        }
        let owned: HashSet<&ObjectId> = people.live_users.iter().filter_map(|user| user.voicemail.as_ref()).collect();
        let others = mailboxes.iter().filter(|mailbox| !owned.contains(&mailbox_id(&mailbox.number)));
        people.mailboxes = others
            .map(|mailbox| LiveMailbox {
                id: mailbox_id(&mailbox.number),
                name: if mailbox.name.is_empty() { mailbox.number.clone() } else { mailbox.name.clone() },
                extension: mailbox.number.parse().ok(),
            })
            .collect();
        people
    }

    /// The endpoints of a member of a ring group, if there is such a member.
    pub(super) fn endpoints(&self, kind: Kind, id: &str) -> Option<Vec<Box<str>>> {
        match kind {
            Kind::User => self.users.get(id).cloned(),
            Kind::Device => self.owners.contains_key(id).then(|| vec![id.into()]),
            _ => None,
        }
    }

    /// Whether an object of this kind is in the tables.
    pub(super) fn has(&self, kind: Kind, id: &str) -> bool {
        match kind {
            Kind::Voicemail => {
                self.live_users.iter().any(|user| user.voicemail.as_ref().is_some_and(|own| *own.0 == *id))
                    || self.mailboxes.iter().any(|mailbox| *mailbox.id.0 == *id)
            }
            kind => self.endpoints(kind, id).is_some(),
        }
    }

    /// The members that these endpoints are: a user where all of the user's phones are among them, else the phones.
    pub(super) fn members(&self, endpoints: &[&str]) -> Vec<ObjectRef> {
        let mut members = Vec::new();
        for id in endpoints {
            let owner = self.owners.get(*id).and_then(Option::as_ref);
            let whole = owner.filter(|owner| {
                let phones = self.users.get(*owner);
                phones.is_some_and(|phones| phones.iter().all(|phone| endpoints.contains(&&**phone)))
            });
            let member = match whole {
                Some(owner) => ObjectRef { kind: Kind::User, id: (&**owner).into() },
                None => ObjectRef { kind: Kind::Device, id: (*id).into() },
            };
            if !members.contains(&member) {
                members.push(member);
            }
        }
        members
    }

    /// The one member that rings in its turn, where a turn has these. A user's phones ring together, also if
    /// the user has got or lost one since: the member is then a phone of the user, so that the difference shows.
    pub(super) fn in_turn(&self, found: &[ObjectRef]) -> Result<ObjectRef, String> {
        let owner = |member: &ObjectRef| match member.kind {
            Kind::Device => self.owners.get(&*member.id.0).cloned().unwrap_or_default(),
            _ => Some((&*member.id.0).into()),
        };
        let there = |member: &ObjectRef| self.has(member.kind, &member.id.0);
        let mut known = found.iter().filter(|member| there(member));
        let first = known.next().or(found.first()).cloned();
        let is_one = known.all(|other| first.as_ref().is_some_and(|first| owner(first) == owner(other)));
        first.filter(|_| is_one).ok_or_else(|| "several members ring at once, and others after them".to_owned())
    }
}

/// The extension whose row rings each endpoint.
fn rung<'r>(internal: &BTreeMap<&'r str, Extension<'r>>) -> HashMap<Box<str>, &'r str> {
    let mut rung = HashMap::new();
    for (exten, rows) in internal {
        let Some(Action::Dial { targets, .. }) = rows.values().find_map(|row| match row.action() {
            action @ Some(Action::Dial { .. }) => action,
            _ => None,
        }) else {
            continue;
        };
        for target in targets {
            if let Target::Endpoint { id, .. } = target {
                rung.entry(id).or_insert(*exten);
            }
        }
    }
    rung
}

/// The number of a caller id such as `"Amélie" <201>`.
fn caller_number(callerid: &str) -> Option<&str> {
    let (_, rest) = callerid.rsplit_once('<')?;
    rest.split_once('>').map(|(number, _)| number.trim())
}

fn caller_name(callerid: &str) -> &str {
    callerid.rsplit_once('<').map_or("", |(name, _)| name.trim().trim_matches('"').trim())
}

/// The number of an endpoint's first mailbox of the account's voicemail context.
fn mailbox_number<'e>(endpoint: &'e EndpointRow, layout: &Layout) -> Option<&'e str> {
    endpoint.mailboxes.split(',').find_map(|mailbox| {
        let (number, context) = mailbox.trim().split_once('@').unwrap_or((mailbox.trim(), "default"));
        (*context == *layout.voicemail && !number.is_empty()).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::layout;
    use super::*;

    fn endpoint(id: &str, callerid: &str, mailboxes: &str) -> EndpointRow {
        EndpointRow { id: id.into(), callerid: callerid.into(), mailboxes: mailboxes.into() }
    }

    fn people() -> People {
        let endpoints = [
            endpoint("amelie", "\"Amélie\" <201>", "201@default"),
            endpoint("bruno-desk", "Bruno <202>", ""),
            endpoint("bruno-soft", "Bruno <202>", ""),
            endpoint("door", "door", ""),
            endpoint("claire", "", "203@default,204@default"),
        ];
        let mailbox =
            |number: &str, name: &str| MailboxRow { number: number.into(), name: name.into(), email: "".into() };
        let mailboxes = [mailbox("201", "Amélie D"), mailbox("203", "Claire"), mailbox("900", "")];
        People::new(&layout(), &endpoints, &mailboxes, &BTreeMap::new())
    }

    #[test]
    fn endpoints_belong_to_the_user_whose_extension_they_have() {
        let people = people();
        let shown: Vec<_> = people.live_users.iter().map(|user| (&*user.id.0, &*user.name)).collect();
        assert_eq!(shown, [("201", "Amélie"), ("202", "Bruno"), ("203", "Claire")]);
        let devices: Vec<_> = people.devices.iter().map(|device| &*device.name).collect();
        assert_eq!(devices, ["bruno-desk", "bruno-soft", "door"], "a user's only phone is the user");
        assert_eq!(people.live_users[0].voicemail, Some("201@default".into()));
        assert_eq!(people.mailboxes.iter().map(|mailbox| &*mailbox.name).collect::<Vec<_>>(), ["900"]);
    }

    #[test]
    fn a_member_is_a_user_if_all_of_the_users_phones_ring() {
        let people = people();
        let members = |endpoints: &[&str]| {
            let members = people.members(endpoints).into_iter();
            members.map(|member| format!("{}/{}", member.kind, member.id)).collect::<Vec<_>>()
        };
        assert_eq!(members(&["bruno-desk", "amelie", "bruno-soft"]), ["user/202", "user/201"]);
        assert_eq!(members(&["bruno-desk"]), ["device/bruno-desk"]);
        assert_eq!(members(&["gone"]), ["device/gone"]);
        assert_eq!(people.endpoints(Kind::User, "202"), Some(vec!["bruno-desk".into(), "bruno-soft".into()]));
        assert_eq!(people.endpoints(Kind::User, "209"), None);
    }
}
