//! A provider for the tests whose changes take several calls, and whose server has no versions: what the vendors to come are like.

mod server;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use strowger::model::{
    AccountInfo, Capabilities, Change, FieldName, FieldValue, Kind, LiveAccount, LiveNumber, LiveObject, LiveRingGroup,
    LiveUser, ObjectId, ObjectRef, PlannedRef, RingFor, RingMode, Step, Steps, VendorDocument, Verb,
};
use strowger::providers::{BoxFuture, FetchedAccount, Progress, Provider, ReadError, WriteError, WriteReceipt};

use super::subject::{Subject, seed};
use server::Server;

pub struct Stepwise {
    url: String,
    http: reqwest::Client,
}

const CREATE_GROUP: &str = "create group";
const PUT_GROUP: &str = "put group";
const PUT_MEMBERS: &str = "put members";
const PUT_FALLBACK: &str = "put fallback";
const RELEASE_EXTENSION: &str = "release extension";
const CREATE_EXTENSION: &str = "create extension";
const ASSIGN_EXTENSION: &str = "assign extension";
const DELETE_GROUP: &str = "delete group";
const PUT_NUMBER: &str = "put number";

/// The fields that the group's own document has.
const OF_GROUP: [FieldName; 3] = [FieldName::Name, FieldName::Ring, FieldName::RingFor];

/// Every change is inspected before its first step, which costs that step two readings. An extension number is looked up
/// before it is assigned.
fn steps(change: &Change, live: Option<LiveObject<'_>>) -> Vec<Step> {
    let written = |fields: &[FieldName]| -> Vec<FieldName> {
        change.fields.iter().map(|one| one.field).filter(|field| fields.contains(field)).collect()
    };
    let mut steps = Vec::new();
    let mut push = |name: &str, fields: Vec<FieldName>| {
        let readings = if steps.is_empty() { 2 } else { 0 } + u32::from(name == ASSIGN_EXTENSION);
        steps.push(Step { name: name.into(), fields, calls: 1 + readings });
    };
    if change.object.kind == Kind::Number {
        push(PUT_NUMBER, written(&[FieldName::To, FieldName::Label]));
        return steps;
    }
    let has_extension = matches!(live, Some(LiveObject::RingGroup(group)) if group.extension.is_some());
    let own = written(&OF_GROUP);
    match change.verb {
        Verb::Create => push(CREATE_GROUP, own),
        Verb::Update if !own.is_empty() => push(PUT_GROUP, own),
        Verb::Update => {}
        Verb::Delete => {
            if has_extension {
                push(RELEASE_EXTENSION, vec![FieldName::Extension]);
            }
            push(DELETE_GROUP, Vec::new());
            return steps;
        }
    }
    if change.after(FieldName::Members).is_some() {
        push(PUT_MEMBERS, vec![FieldName::Members]);
    }
    if change.after(FieldName::NoAnswer).is_some_and(|after| change.verb == Verb::Update || *after != FieldValue::None)
    {
        push(PUT_FALLBACK, vec![FieldName::NoAnswer]);
    }
    if let Some(FieldValue::Extension(_)) = change.after(FieldName::Extension) {
        if has_extension {
            push(RELEASE_EXTENSION, Vec::new());
        }
        push(CREATE_EXTENSION, Vec::new());
        push(ASSIGN_EXTENSION, vec![FieldName::Extension]);
    }
    steps
}

/// The account as three lists, and the extension numbers.
struct Lists {
    live: LiveAccount,
    /// The id of each extension number, and the group that has it.
    extensions: HashMap<String, (i64, Option<String>)>,
}

fn reference(value: &Value) -> Option<ObjectRef> {
    let kind = Kind::parse(value["kind"].as_str()?)?;
    Some(ObjectRef { kind, id: value["id"].as_str()?.into() })
}

fn document(value: &Value) -> VendorDocument {
    VendorDocument(Arc::from(value.to_string()))
}

fn group(value: &Value) -> LiveRingGroup {
    let extension = value["extension"]["exten"].as_str().map(|exten| exten.parse().unwrap());
    let sequential = value["ring_strategy"] == "sequential";
    LiveRingGroup {
        id: value["id"].as_str().unwrap().into(),
        name: value["label"].as_str().unwrap().parse().unwrap(),
        extension,
        ring: if sequential { RingMode::Sequential } else { RingMode::Simultaneous },
        members: value["members"].as_array().unwrap().iter().map(|member| reference(member).unwrap()).collect(),
        ring_for: value["timeout"].as_u64().map(|seconds| RingFor::from_seconds(seconds).unwrap()),
        no_answer: reference(&value["fallback"]),
        revision: None,
        document: Some(document(value)),
    }
}

fn number(value: &Value) -> LiveNumber {
    LiveNumber {
        id: value["id"].as_str().unwrap().into(),
        // The vendor has national spellings, which are written back as they were.
        number: value["number"].as_str().unwrap().replace(' ', "").replacen('0', "+33", 1).parse().unwrap(),
        to: reference(&value["destination"]),
        label: value["description"].as_str().unwrap().into(),
        emergency_callback: false,
        revision: None,
        document: Some(document(value)),
    }
}

fn user(value: &Value) -> LiveUser {
    LiveUser {
        id: value["id"].as_str().unwrap().into(),
        name: value["name"].as_str().unwrap().into(),
        email: value["email"].as_str().map(Into::into),
        extension: value["extension"].as_str().map(|exten| exten.parse().unwrap()),
        voicemail: None,
        always_forwarded: false,
    }
}

impl Stepwise {
    pub fn new(url: &str) -> Self {
        Self { url: url.to_owned(), http: crate::support::sandbox::client() }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<(Value, u64), WriteError> {
        for requests in 1.. {
            let mut request = self.http.request(method.clone(), format!("{}/{path}", self.url));
            if let Some(body) = &body {
                request = request.json(body);
            }
            let lost = |error: reqwest::Error| WriteError::Unknown(error.to_string());
            let answer = request.send().await.map_err(lost)?;
            let status = answer.status();
            if status == StatusCode::TOO_MANY_REQUESTS {
                let wait = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
                tokio::time::sleep(Duration::from_secs(wait)).await;
                continue;
            }
            let bytes = answer.bytes().await.map_err(lost)?;
            return match status.as_u16() {
                200..300 => Ok((serde_json::from_slice(&bytes).unwrap_or_default(), requests)),
                401 => Err(WriteError::Unauthorized { status: 401, detail: String::new() }),
                500.. => Err(WriteError::Unknown(format!("{method} {path} was answered with {status}"))),
                _ => Err(WriteError::Refused {
                    status: status.as_u16(),
                    title: format!("{method} {path}"),
                    detail: String::new(),
                    referrers: Vec::new(),
                }),
            };
        }
        unreachable!("it asks as long as it is told to wait")
    }

    /// Two readings: the objects of a kind, and the extension numbers.
    async fn lists(&self, kind: Kind) -> Result<Lists, WriteError> {
        let path = if kind == Kind::Number { "numbers" } else { "groups" };
        let (objects, _) = self.send(Method::GET, path, None).await?;
        let (all, _) = self.send(Method::GET, "extensions", None).await?;
        let mut live = LiveAccount::default();
        let objects = objects.as_array().cloned().unwrap_or_default();
        if kind == Kind::Number {
            live.numbers = objects.iter().map(number).collect();
        } else {
            live.ring_groups = objects.iter().map(group).collect();
        }
        let extension = |one: &Value| {
            let group = one["group"].as_str().map(str::to_owned);
            (one["exten"].as_str().unwrap().to_owned(), (one["id"].as_i64().unwrap(), group))
        };
        Ok(Lists { live, extensions: all.as_array().unwrap().iter().map(extension).collect() })
    }

    async fn fetch(&self) -> Result<FetchedAccount, WriteError> {
        let (fixed, _) = self.send(Method::GET, "fixed", None).await?;
        let groups = self.lists(Kind::RingGroup).await?.live;
        let (numbers, _) = self.send(Method::GET, "numbers", None).await?;
        let live = LiveAccount {
            account: AccountInfo {
                id: "stepwise".into(),
                name: "stepwise".into(),
                default_number: fixed["default"].as_str().map(|number| number.parse().unwrap()),
                owners: None,
            },
            capabilities: Capabilities { steps: Steps::new(steps), ..Capabilities::default() },
            numbers: numbers.as_array().unwrap().iter().map(number).collect(),
            users: fixed["users"].as_array().unwrap().iter().map(user).collect(),
            ..groups
        };
        Ok(FetchedAccount { live: live.validated().unwrap(), requests: 4, versions: Vec::new() })
    }

    /// The change's own object, or for a creation the one that it made: labels are not unique, so there must be one.
    fn object<'l>(change: &Change, live: &'l LiveAccount) -> Result<Option<LiveObject<'l>>, WriteError> {
        let is_own = |id: &ObjectId, name: &str| match &change.object.id {
            Some(own) => own == id,
            None => name == change.object.name,
        };
        let groups = live.ring_groups.iter().filter(|group| is_own(&group.id, group.name.as_str()));
        let numbers = live.numbers.iter().filter(|number| Some(&number.id) == change.object.id.as_ref());
        let mut found = groups.map(LiveObject::RingGroup).chain(numbers.map(LiveObject::Number));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(WriteError::Stale(format!("there are two groups {}", change.object.name))),
            (found, None) => Ok(found),
        }
    }

    async fn progress(&self, change: &Change) -> Result<Progress, WriteError> {
        let lists = self.lists(change.object.kind.into()).await?;
        let all: Vec<usize> = (0..change.steps.len()).collect();
        let progress =
            |left| Progress { id: change.object.id.clone(), revision: None, document: None, left, requests: 2 };
        let Some(object) = Self::object(change, &lists.live)? else {
            return match change.verb {
                Verb::Create => Ok(progress(all)),
                Verb::Delete => Ok(progress(Vec::new())),
                Verb::Update => Err(WriteError::Stale(format!("{} is gone", change.object.name))),
            };
        };
        let moved = change.fields.iter().find(|field| {
            let empty = FieldValue::References(Vec::new());
            let is_new = field.before == FieldValue::None && object.has(field.field, &empty);
            // Of a deletion, only the extension number goes on its own.
            let is_after = field.field == FieldName::Extension || change.verb != Verb::Delete;
            let is_released = field.field == FieldName::Extension && object.has(field.field, &FieldValue::None);
            let is_on_the_way = is_new || is_released || (is_after && object.has(field.field, &field.after));
            !object.has(field.field, &field.before) && !is_on_the_way
        });
        if let Some(field) = moved {
            return Err(WriteError::Stale(format!("{} of {} changed", field.field.as_str(), change.object.name)));
        }
        let has_all = |fields: &[FieldName]| {
            let mut written = change.fields.iter().filter(|field| fields.contains(&field.field));
            written.all(|field| object.has(field.field, &field.after))
        };
        let assigned = has_all(&[FieldName::Extension]);
        let current = match object {
            LiveObject::RingGroup(group) => group.extension.as_ref().map(ToString::to_string),
            LiveObject::Number(_) => None,
        };
        let is_done = |step: &Step| match &*step.name {
            CREATE_GROUP => true,
            DELETE_GROUP => false,
            RELEASE_EXTENSION => current.is_none() || (assigned && change.verb == Verb::Update),
            CREATE_EXTENSION => lists.extensions.contains_key(&extension(change).unwrap_or_default()),
            _ => has_all(&step.fields),
        };
        let left = all.into_iter().filter(|position| !is_done(&change.steps[*position])).collect();
        let id = match object {
            LiveObject::RingGroup(group) => &group.id,
            LiveObject::Number(number) => &number.id,
        };
        Ok(Progress { id: Some(id.clone()), document: object.document().cloned(), ..progress(left) })
    }

    async fn step(&self, change: &Change, step: usize) -> Result<WriteReceipt, WriteError> {
        let id = change.object.id.as_ref().map(ToString::to_string).unwrap_or_default();
        let name = &*change.steps[step].name;
        let own = || {
            let mut document: Value = serde_json::from_str(&change.document.as_ref().unwrap().0).unwrap();
            for field in change.fields.iter().filter(|field| change.steps[step].fields.contains(&field.field)) {
                let (key, value) = wire(field.field, &field.after);
                document[key] = value;
            }
            document
        };
        let of_change = |field| change.after(field).map_or(Value::Null, |after| wire(field, after).1);
        let extension_id = async |exten: &str| -> Result<i64, WriteError> {
            let (all, _) = self.send(Method::GET, "extensions", None).await?;
            let found = all.as_array().unwrap().iter().find(|one| one["exten"] == exten);
            found.and_then(|one| one["id"].as_i64()).ok_or_else(|| WriteError::Stale(format!("{exten} is gone")))
        };
        let (answer, requests) = match name {
            CREATE_GROUP => {
                let group = json!({ "label": of_change(FieldName::Name), "ring_strategy": of_change(FieldName::Ring),
                    "timeout": of_change(FieldName::RingFor), "fallback": null });
                self.send(Method::POST, "groups", Some(group)).await?
            }
            PUT_GROUP => self.send(Method::PUT, &format!("groups/{id}"), Some(own())).await?,
            PUT_MEMBERS => {
                let members = of_change(FieldName::Members);
                self.send(Method::PUT, &format!("groups/{id}/members"), Some(members)).await?
            }
            PUT_FALLBACK => {
                let fallback = of_change(FieldName::NoAnswer);
                self.send(Method::PUT, &format!("groups/{id}/fallback"), Some(fallback)).await?
            }
            RELEASE_EXTENSION => {
                let group: Value = serde_json::from_str(&change.document.as_ref().unwrap().0).unwrap();
                let extension = group["extension"]["id"].as_i64().unwrap();
                self.send(Method::DELETE, &format!("groups/{id}/extension/{extension}"), None).await?
            }
            CREATE_EXTENSION => {
                let exten = json!({ "exten": extension(change) });
                self.send(Method::POST, "extensions", Some(exten)).await?
            }
            ASSIGN_EXTENSION => {
                let extension = extension_id(&extension(change).unwrap()).await?;
                let (answer, requests) =
                    self.send(Method::PUT, &format!("groups/{id}/extension/{extension}"), None).await?;
                (answer, requests + 1)
            }
            DELETE_GROUP => self.send(Method::DELETE, &format!("groups/{id}"), None).await?,
            PUT_NUMBER => self.send(Method::PUT, &format!("numbers/{id}"), Some(own())).await?,
            other => return Err(WriteError::Unsupported(format!("there is no step `{other}`"))),
        };
        let made = (name == CREATE_GROUP).then(|| answer["id"].as_str().unwrap().into());
        let is_object = answer.get("label").or(answer.get("number")).is_some();
        Ok(WriteReceipt {
            id: made.or_else(|| change.object.id.clone()).unwrap(),
            revision: None,
            document: if is_object { Some(document(&answer)) } else { change.document.clone() },
            requests,
        })
    }
}

fn extension(change: &Change) -> Option<String> {
    match change.after(FieldName::Extension) {
        Some(FieldValue::Extension(extension)) => Some(extension.to_string()),
        _ => None,
    }
}

fn wire(field: FieldName, value: &FieldValue) -> (&'static str, Value) {
    let target = |to: &PlannedRef| json!({ "kind": to.kind.as_str(), "id": to.id.as_ref().unwrap().to_string() });
    let key = match field {
        FieldName::To => "destination",
        FieldName::Label => "description",
        FieldName::Name => "label",
        FieldName::Extension => "exten",
        FieldName::Ring => "ring_strategy",
        FieldName::Members => "members",
        FieldName::RingFor => "timeout",
        FieldName::NoAnswer => "fallback",
    };
    let value = match value {
        FieldValue::None if field == FieldName::Label => json!(""),
        FieldValue::None | FieldValue::ChosenByAccount => Value::Null,
        FieldValue::Text(text) => json!(text),
        FieldValue::Name(name) => json!(name.as_str()),
        FieldValue::Extension(extension) => json!(extension.as_str()),
        FieldValue::Ring(ring) => json!(ring.as_str()),
        FieldValue::RingFor(ring_for) => json!(ring_for.seconds()),
        FieldValue::Reference(to) => target(to),
        FieldValue::References(all) => all.iter().map(target).collect(),
    };
    (key, value)
}

impl Provider for Stepwise {
    fn read(&self) -> BoxFuture<'_, Result<FetchedAccount, ReadError>> {
        Box::pin(async {
            let failed = |error: WriteError| ReadError::Unavailable {
                host: self.url.clone(),
                attempts: 1,
                why: error.to_string(),
            };
            self.fetch().await.map_err(failed)
        })
    }

    fn perform<'a>(&'a self, change: &'a Change, step: usize) -> BoxFuture<'a, Result<WriteReceipt, WriteError>> {
        Box::pin(self.step(change, step))
    }

    fn inspect<'a>(&'a self, change: &'a Change) -> BoxFuture<'a, Result<Progress, WriteError>> {
        Box::pin(self.progress(change))
    }
}

/// The server under test.
pub struct Vendor(Server);

impl Subject for Vendor {
    const WORD: &'static str = "stepwise";

    async fn start(state: &Path) -> Self {
        Self(Server::start(state, &seed()).await)
    }

    fn url(&self) -> &str {
        &self.0.url
    }

    fn provider(url: &str) -> Box<dyn Provider> {
        Box::new(Stepwise::new(url))
    }

    async fn unmodelled(url: &str) -> BTreeMap<String, String> {
        let request = crate::support::sandbox::client().get(format!("{url}/groups"));
        let groups: Value = request.send().await.unwrap().json().await.unwrap();
        let groups = groups.as_array().unwrap().iter();
        let groups =
            groups.map(|group| (group["label"].as_str().unwrap().to_owned(), group["music_on_hold"].to_string()));
        let request = crate::support::sandbox::client().get(format!("{url}/numbers"));
        let numbers: Value = request.send().await.unwrap().json().await.unwrap();
        let numbers = numbers.as_array().unwrap().iter();
        let numbers = numbers.map(|one| (one["id"].to_string(), format!("{} {}", one["number"], one["recording"])));
        groups.chain(numbers).collect()
    }
}
