//! One line of a ledger or of an event stream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Change, ChangeId, ObjectId};
use crate::plan::{Digest, Plan};
use crate::text::sanitized;

use super::approval::Approval;
use super::outcome::{ChangeOutcome, Counts};
use super::run_id::RunId;

/// One line: what happened, when, in which run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line<R = Record> {
    /// The version of this format: 2.
    pub version: u32,
    /// When, in UTC (RFC 3339, with milliseconds).
    pub at: String,
    /// The run: one plan that is carried out for one account.
    #[schemars(with = "String")]
    pub run: RunId,
    /// What happened.
    #[serde(flatten)]
    pub record: R,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Record {
    Run(RunRecord),
    Change(ChangeRecord),
}

/// The end of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRecord {
    /// What became of it.
    #[serde(flatten)]
    pub outcome: ChangeOutcome,
    /// The change.
    pub change: ChangeId,
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum RunRecord {
    /// The plan is made: the first line of a run.
    Planned(Box<Planned>),
    /// Guards held the plan back, and exactly it was approved.
    Approved(Box<Approval>),
    /// The plan is being carried out.
    Started,
    /// The request of a step of a change is about to leave. In a ledger, this line is on the disk before the
    /// request is on the wire.
    Attempt {
        /// The change.
        change: ChangeId,
        /// Which of its steps, from 1. All before it are done.
        #[serde(default = "first_step")]
        step: u32,
        /// The object that the steps before it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<ObjectId>,
    },
    /// The run is over: the last line.
    Summary(Summary),
}

/// Version 1 knew no steps.
fn first_step() -> u32 {
    1
}

/// What a run set out to do, and who did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// The version of Strowger.
    pub strowger: String,
    /// The account's name in the file.
    pub account: String,
    /// The vendor's id of the account.
    pub account_id: String,
    /// The name of exactly this plan.
    pub digest: Digest,
    /// The Git commit of the account's files, if they are in a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// Who ran it, if the environment tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The run that this one undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub undoes: Option<RunId>,
    /// What is claimed before the first change; absent if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claimed>,
    /// The writes, with every field's value before and after.
    pub changes: Vec<Change>,
}

impl Planned {
    /// What a plan sets out to do; who runs it, and from which commit, is not known here.
    pub fn of(plan: &Plan) -> Self {
        Self {
            strowger: env!("CARGO_PKG_VERSION").to_owned(),
            account: plan.account.clone(),
            account_id: plan.account_id.clone(),
            digest: plan.digest.clone(),
            commit: None,
            actor: None,
            undoes: None,
            claim: plan.claim.as_ref().map(|claim| Claimed {
                owner: claim.owner.to_string(),
                took_over_from: claim.take_over.iter().map(|other| sanitized(&other.owner, 200)).collect(),
            }),
            changes: plan.changes.clone(),
        }
    }
}

/// A claim: who says to manage the account, or a part of it, from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Claimed {
    /// The owner.
    pub owner: String,
    /// The owners whose claims end with it. Untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub took_over_from: Vec<String>,
}

/// A Git commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Its name, in hexadecimal.
    pub id: String,
    /// Whether the account's files differed from it.
    pub dirty: bool,
}

/// The sum of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    #[serde(flatten)]
    pub counts: Counts,
    /// What ended the run early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halt: Option<Halt>,
    /// Whether the account was read again and a fresh plan was empty; absent if it was not read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_sync: Option<bool>,
    /// The exit code of this run; with several accounts, the command may end with another one's.
    pub exit: u8,
}

/// What ended a run early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Halt {
    /// A signal: what was under way was finished.
    Stopped,
    /// A second signal: what was under way was left alone.
    StoppedAtOnce,
    /// The ledger could not be written any longer, for this reason.
    Unrecorded(String),
    /// The account does not answer any longer, or does not accept the token any longer; the last failure.
    Unreachable(String),
    /// Another owner claimed the account first; what it says. Nothing was written.
    Owned(String),
    /// The account could not be claimed, for this reason. Nothing was written.
    Unclaimed(String),
}

/// What every version of a line has.
#[derive(Deserialize)]
struct Head {
    version: u32,
    #[serde(default)]
    record: String,
}

/// Why a line cannot be read.
pub(super) enum LineError {
    /// It is not even an object with a version: perhaps it is torn.
    Head(serde_json::Error),
    Record(serde_json::Error),
    /// It is of this other version.
    Version(u32),
}

impl Line {
    /// The version of the format that this code writes. It reads version 1 as well, which has no steps.
    pub const VERSION: u32 = 2;

    /// The line as JSON, with its end.
    pub fn text(&self) -> String {
        // Nothing in a line can fail to be written: keys are text and there are no fractions.
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Nothing if these bytes are not a line that this version reads.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).ok()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, LineError> {
        let head: Head = serde_json::from_slice(bytes).map_err(LineError::Head)?;
        if !(1..=Self::VERSION).contains(&head.version) {
            return Err(LineError::Version(head.version));
        }
        // By its word, not as an untagged enum, so that an error names what is wrong with the line.
        let line = if ChangeOutcome::is_word(&head.record) {
            serde_json::from_slice::<Line<ChangeRecord>>(bytes).map(|line| line.map(Record::Change))
        } else {
            serde_json::from_slice::<Line<RunRecord>>(bytes).map(|line| line.map(Record::Run))
        };
        line.map_err(LineError::Record)
    }
}

impl<R> Line<R> {
    fn map<S>(self, record: impl FnOnce(R) -> S) -> Line<S> {
        Line { version: self.version, at: self.at, run: self.run, record: record(self.record) }
    }
}

impl Record {
    /// The change that it is about.
    pub fn change(&self) -> Option<ChangeId> {
        match self {
            Self::Run(RunRecord::Attempt { change, .. }) | Self::Change(ChangeRecord { change, .. }) => Some(*change),
            Self::Run(_) => None,
        }
    }
}

impl From<RunRecord> for Record {
    fn from(record: RunRecord) -> Self {
        Self::Run(record)
    }
}

/// The JSON Schema of [`Line`].
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Line);
    schema.insert("title".to_owned(), "Strowger event, version 2".into());
    schema.insert("$id".to_owned(), "https://strowger.example/schemas/event.v2.schema.json".into());
    schema.to_value()
}
