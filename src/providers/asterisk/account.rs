//! The account that the rows of the tables are.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr as _;
use std::sync::Arc;

use phonenumber::Mode;

use crate::model::{
    E164, ExtensionNumber, Kind, LiveAccount, LiveNumber, LiveReceptionist, LiveRingGroup, Name, ObjectId, ObjectRef,
    Unreadable,
};

use super::action::Action;
use super::chain::Chain;
use super::layout::{Layout, Leads};
use super::people::People;
use super::rows::{DialplanRow, EndpointRow, Extension, MailboxRow, NOTE, UNTIL, VersionName, revision};

/// The most characters of a group's id: its versions, and the parts of these, have names of at most 40.
const MOST_ID: usize = 26;

/// What was read of the tables, at one time.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) rows: Vec<DialplanRow>,
    pub(super) endpoints: Vec<EndpointRow>,
    pub(super) mailboxes: Vec<MailboxRow>,
}

/// The rows by context and extension.
pub(super) struct Dialplan<'r> {
    layout: &'r Layout,
    contexts: HashMap<&'r str, BTreeMap<&'r str, Extension<'r>>>,
    /// The internal extensions of each ring group.
    extensions: HashMap<&'r str, Vec<&'r str>>,
    /// The ring group of each of these.
    groups: HashMap<&'r str, &'r str>,
    pub(super) people: Arc<People>,
}

impl<'r> Dialplan<'r> {
    pub(super) fn new(layout: &'r Layout, tables: &'r Tables) -> Self {
        let mut dialplan = Self::with_people(layout, &tables.rows, Arc::default());
        let internal = dialplan.context(&layout.internal);
        let others = internal.filter(|(exten, _)| !exten.starts_with('_') && !dialplan.groups.contains_key(exten));
        let others = others.map(|(exten, rows)| (exten, rows.clone())).collect();
        dialplan.people = Arc::new(People::new(layout, &tables.endpoints, &tables.mailboxes, &others));
        dialplan
    }

    /// Some rows, such as those of one object, in an account whose people are known.
    pub(super) fn with_people(layout: &'r Layout, rows: &'r [DialplanRow], people: Arc<People>) -> Self {
        let mut contexts: HashMap<&str, BTreeMap<&str, Extension<'_>>> = HashMap::new();
        for row in rows {
            let context = contexts.entry(&row.context).or_default();
            context.entry(&row.exten).or_default().insert(row.priority, row);
        }
        let (mut extensions, mut groups): (HashMap<&str, Vec<&str>>, HashMap<&str, &str>) = Default::default();
        for (exten, rows) in contexts.get(&*layout.internal).into_iter().flatten() {
            if let Some(group) = group_of(rows, layout) {
                extensions.entry(group).or_default().push(exten);
                groups.insert(exten, group);
            }
        }
        Self { layout, contexts, extensions, groups, people }
    }

    /// The extensions of a context that have rows.
    fn context(&self, context: &str) -> impl Iterator<Item = (&'r str, &Extension<'r>)> {
        self.contexts.get(context).into_iter().flatten().map(|(exten, rows)| (*exten, rows))
    }

    pub(super) fn rows(&self, context: &str, exten: &str) -> Option<&Extension<'r>> {
        self.contexts.get(context)?.get(exten)
    }

    /// The objects, but for what is known of the account itself.
    pub(super) fn account(&self, country: Option<&str>) -> LiveAccount {
        let mut live = LiveAccount {
            users: self.people.live_users.clone(),
            devices: self.people.devices.clone(),
            mailboxes: self.people.mailboxes.clone(),
            receptionists: self.receptionists(),
            conferences: self.layout.conferences(),
            ..LiveAccount::default()
        };
        for (exten, rows) in self.context(&self.layout.carrier) {
            match self.number(exten, rows, country) {
                Ok(number) => live.numbers.push(number),
                Err(why) => live.unreadable.push(self.unreadable(Kind::Number, exten, rows, why)),
            }
        }
        for (exten, rows) in self.context(&self.layout.groups) {
            if self.is_version(exten) || rows.contains_key(&UNTIL) {
                continue;
            }
            match self.group(exten, rows) {
                Ok(group) => live.ring_groups.push(group),
                Err(why) => live.unreadable.push(self.unreadable(Kind::RingGroup, exten, rows, why)),
            }
        }
        for (exten, rows) in self.context(&self.layout.internal) {
            if exten.parse::<ExtensionNumber>().is_ok()
                && !self.groups.contains_key(exten)
                && !self.people.has(Kind::User, exten)
            {
                let why = "its rows ring no phone that the tables have".to_owned();
                live.unreadable.push(self.unreadable(Kind::Other, exten, rows, why));
            }
        }
        let referrers = self.other_referrers(&live);
        live.unreadable.extend(referrers);
        live
    }

    /// Rows elsewhere in the dialplan that lead to ring groups: of users, of menus, of contexts that no setting names.
    fn other_referrers(&self, live: &LiveAccount) -> Vec<Unreadable> {
        let known: HashSet<&str> = live.unreadable.iter().map(|one| &*one.id.0).collect();
        let settings = self.layout.contexts();
        let mut found = Vec::new();
        for (context, extensions) in &self.contexts {
            if [&*self.layout.carrier, &*self.layout.groups].contains(context) {
                continue;
            }
            let is_internal = **context == *self.layout.internal;
            let is_menu = !is_internal && settings.iter().any(|menu| menu == context);
            for (exten, rows) in extensions {
                let is_known = is_internal && (self.groups.contains_key(exten) || known.contains(exten));
                if is_known || is_menu && is_key(exten) && rows.len() == 1 {
                    continue;
                }
                let name = format!("{context},{exten}");
                let why = "its rows lead to a ring group".to_owned();
                let mut one = Unreadable { extension: None, ..self.unreadable(Kind::Other, &name, rows, why) };
                one.targets.retain(|target| target.kind == Kind::RingGroup);
                found.extend((!one.targets.is_empty()).then_some(one));
            }
        }
        found
    }

    /// The receptionists, with the keys of those whose menus are in the table.
    fn receptionists(&self) -> Vec<LiveReceptionist> {
        let mut receptionists = self.layout.receptionists();
        for receptionist in &mut receptionists {
            let context = receptionist.id.0.split_once(',').map_or("", |(context, _)| context).to_owned();
            let keys = self.context(&context).filter(|(exten, _)| is_key(exten));
            receptionist.keys = keys
                .filter_map(|(key, rows)| {
                    let action = rows.get(&1)?.action()?;
                    match self.leads(&action)? {
                        Leads::To(to) => Some((key.into(), to)),
                        Leads::Nowhere => None,
                    }
                })
                .collect();
        }
        receptionists
    }

    /// Where an action leads; a ring group's extension number leads to the group.
    fn leads(&self, action: &Action) -> Option<Leads> {
        let leads = self.layout.leads(action)?;
        let Leads::To(ObjectRef { kind: Kind::User, id }) = &leads else { return Some(leads) };
        if let Some(group) = self.groups.get(&*id.0) {
            return Some(Leads::To(ObjectRef { kind: Kind::RingGroup, id: (*group).into() }));
        }
        let is_user = self.people.has(Kind::User, &id.0) || self.rows(&self.layout.internal, &id.0).is_none();
        is_user.then_some(leads)
    }

    /// A number's extension as it is read, or why it cannot be.
    pub(super) fn number(
        &self,
        exten: &str,
        rows: &Extension<'r>,
        country: Option<&str>,
    ) -> Result<LiveNumber, String> {
        let number = number(exten, country)?;
        let first = rows.get(&1).ok_or("it has no row of priority 1")?;
        if let Some((priority, row)) =
            rows.iter().find(|(priority, row)| !(**priority == 1 || **priority == NOTE && row.note("label").is_some()))
        {
            return Err(format!("priority {priority} is {}, and a number has one row and its label", row.shown()));
        }
        let leads = first.action().and_then(|action| self.leads(&action));
        let to = match leads.ok_or_else(|| format!("it leads to {}", first.shown()))? {
            Leads::To(to) => Some(to),
            Leads::Nowhere => None,
        };
        Ok(LiveNumber {
            id: exten.into(),
            number,
            to,
            label: rows.get(&NOTE).and_then(|row| row.note("label")).unwrap_or_default(),
            emergency_callback: false,
            revision: Some(revision(rows.values().copied())),
            document: None,
        })
    }

    /// A ring group as it is read, or why it cannot be.
    pub(super) fn group(&self, id: &str, rows: &Extension<'r>) -> Result<LiveRingGroup, String> {
        let version = rows.get(&1).and_then(|row| version(row, id, self.layout));
        let version = version.ok_or("its first row does not lead to a version of its chain")?;
        if id.chars().count() > MOST_ID {
            return Err(format!(
                "its id has more than {MOST_ID} characters, which leaves no room for versions of its chain"
            ));
        }
        if let Some((priority, row)) =
            rows.iter().find(|(priority, row)| !(**priority == 1 || **priority == NOTE && row.note("name").is_some()))
        {
            return Err(format!("priority {priority} is {}", row.shown()));
        }
        let chain = self.chain(&version)?;
        let name = rows.get(&NOTE).and_then(|row| row.note("name"));
        let name = Name::from_str(name.as_deref().unwrap_or(id)).map_err(|error| error.to_string())?;
        let extension = match self.extensions.get(id).map(Vec::as_slice) {
            None => None,
            Some([exten]) => Some(exten.parse().map_err(|_| format!("`{exten}` is not an extension number"))?),
            Some(_) => return Err("it has more than one extension number".to_owned()),
        };
        Ok(LiveRingGroup {
            id: id.into(),
            name,
            extension,
            ring: chain.ring,
            members: chain.members,
            ring_for: chain.ring_for,
            no_answer: chain.no_answer,
            revision: Some(revision(self.group_rows(id))),
            document: None,
        })
    }

    /// The chain of this version.
    pub(super) fn chain(&self, version: &str) -> Result<Chain, String> {
        let context = &self.layout.groups;
        let rows = self.rows(context, version).ok_or_else(|| format!("its version `{version}` has no rows"))?;
        let mut chain = Chain::read(rows, |part| self.rows(context, part).cloned(), &self.people, self.layout)?;
        if let Some(ObjectRef { kind: Kind::User, id }) = &chain.no_answer
            && let Some(group) = self.groups.get(&*id.0)
        {
            chain.no_answer = Some(ObjectRef { kind: Kind::RingGroup, id: (*group).into() });
        }
        Ok(chain)
    }

    /// All rows that a ring group is made of: its own, those of its version in force and of its extension number.
    pub(super) fn group_rows(&self, id: &str) -> Vec<&'r DialplanRow> {
        let (context, internal) = (&self.layout.groups, &self.layout.internal);
        let own = self.rows(context, id);
        let version = own.and_then(|rows| rows.get(&1)).and_then(|row| version(row, id, self.layout));
        let mut rows: Vec<&DialplanRow> = own.into_iter().flat_map(|rows| rows.values().copied()).collect();
        if let Some(version) = version {
            let all = self.contexts.get(&**context);
            let from = all.into_iter().flat_map(|all| all.range(&*version..));
            let parts = from.take_while(|(exten, _)| exten.starts_with(&*version));
            rows.extend(
                parts.filter(|(exten, _)| is_part(exten, &version)).flat_map(|(_, rows)| rows.values().copied()),
            );
        }
        for exten in self.extensions.get(id).into_iter().flatten() {
            rows.extend(self.rows(internal, exten).into_iter().flat_map(|rows| rows.values().copied()));
        }
        rows
    }

    /// Whether an extension of the groups' context is a version of a group, or a part of one.
    fn is_version(&self, exten: &str) -> bool {
        let group = VersionName::parse(exten).map(|name| name.group);
        let row = group.and_then(|group| Some((group, self.rows(&self.layout.groups, group)?.get(&1)?)));
        row.is_some_and(|(group, row)| version(row, group, self.layout).is_some())
    }

    fn unreadable(&self, kind: Kind, exten: &str, rows: &Extension<'r>, why: String) -> Unreadable {
        let led = rows.values().filter_map(|row| self.leads(&row.action()?));
        let targets = led.filter_map(|leads| if let Leads::To(to) = leads { Some(to) } else { None });
        let extension = if kind == Kind::Number { None } else { exten.parse().ok() };
        Unreadable {
            kind,
            id: ObjectId::from(exten),
            name: exten.into(),
            extension,
            targets: targets.collect(),
            why: why.into(),
        }
    }
}

/// Whether an extension of a menu is a key that a caller can press.
fn is_key(exten: &str) -> bool {
    matches!(exten.as_bytes(), [b'0'..=b'9' | b'*' | b'#'])
}

/// Whether an extension is this version of a chain, or a part of it.
pub(super) fn is_part(exten: &str, version: &str) -> bool {
    VersionName::parse(exten).is_some_and(|name| name.version == version)
}

/// The version that a group's own row leads to.
pub(super) fn version(row: &DialplanRow, id: &str, layout: &Layout) -> Option<Box<str>> {
    match row.action()? {
        Action::Goto { context, exten } if context == layout.groups => {
            let name = VersionName::parse(&exten)?;
            (name.group == id && name.version == &*exten).then_some(exten)
        }
        _ => None,
    }
}

/// The group that an internal extension is the number of: it has one row, which leads there.
fn group_of<'r>(rows: &Extension<'r>, layout: &Layout) -> Option<&'r str> {
    let (1, Some(row)) = (rows.len(), rows.get(&1)) else { return None };
    match row.action()? {
        Action::Goto { context, .. } if context == layout.groups => row.data.split(',').nth(1),
        _ => None,
    }
}

/// The number that an extension of the carrier's context is: as it is, or without its `+`, or in the country's form.
pub(super) fn number(exten: &str, country: Option<&str>) -> Result<E164, String> {
    if let Ok(number) = exten.parse() {
        return Ok(number);
    }
    let country = country.and_then(|country| country.parse().ok());
    let valid = |country: Option<_>, text: &str| {
        let number = phonenumber::parse(country, text).ok().filter(phonenumber::PhoneNumber::is_valid)?;
        number.format().mode(Mode::E164).to_string().parse::<E164>().ok()
    };
    let digits = !exten.is_empty() && exten.bytes().all(|byte| byte.is_ascii_digit());
    let international = exten.strip_prefix("00").unwrap_or(exten);
    let readings = [valid(None, &format!("+{international}")), country.and_then(|_| valid(country, exten))];
    match readings {
        [Some(one), None] | [None, Some(one)] if digits => Ok(one),
        [Some(one), Some(other)] if digits && one == other => Ok(one),
        [Some(_), Some(_)] if digits => Err("it could be a number of two countries: write it with `+`".to_owned()),
        _ => Err("it is not a phone number".to_owned()),
    }
}
