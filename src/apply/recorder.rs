//! Writes the lines of a run to its ledger and to its event stream.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::ledger::{Approval, ChangeOutcome, ChangeRecord, Ledger, Line, Planned, Record, RunId, RunRecord, Summary};
use crate::model::{ChangeId, ObjectId};
use crate::providers::BoxFuture;

use super::Journal;
use super::events::Events;

/// Tells the time: RFC 3339, UTC, with milliseconds.
pub type Clock = fn() -> String;

/// Records one run.
#[derive(Debug)]
pub struct Recorder {
    run: RunId,
    clock: Clock,
    events: Option<Arc<Events>>,
    /// The first line, until there is a ledger that begins with it.
    planned: Option<Line>,
    /// The second line, if the plan needed an approval.
    approved: Option<Line>,
    ledger: Option<Ledger>,
    over: bool,
}

impl Recorder {
    /// A run is planned. The event stream gets it now; the ledger begins when the run starts.
    pub fn new(run: RunId, planned: Planned, clock: Clock, events: Option<Arc<Events>>) -> Self {
        let recorder = Self { run, clock, events, planned: None, approved: None, ledger: None, over: false };
        let line = recorder.line(RunRecord::Planned(Box::new(planned)));
        recorder.publish(&line);
        Self { planned: Some(line), ..recorder }
    }

    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The plan needed an approval, and this is it. To be called before [`Self::start`].
    pub fn approve(&mut self, approval: Approval) {
        let line = self.line(RunRecord::Approved(Box::new(approval)));
        self.publish(&line);
        self.approved = Some(line);
    }

    /// The run starts: its ledger begins in the account's folder.
    pub fn start(&mut self, root: &Path) -> io::Result<()> {
        let started = self.line(RunRecord::Started);
        let before: String = self.planned.take().iter().chain(&self.approved.take()).map(Line::text).collect();
        self.ledger = Some(Ledger::create(root, &self.run, &(before + &started.text()))?);
        self.publish(&started);
        Ok(())
    }

    /// The run is over, if it was not yet. Fails if the ledger does not have all of it; a run that never started
    /// has no ledger.
    pub async fn finish(&mut self, summary: Summary) -> Result<(), String> {
        if std::mem::replace(&mut self.over, true) {
            return Ok(());
        }
        let line = self.line(RunRecord::Summary(summary));
        self.publish(&line);
        match self.ledger.take() {
            Some(ledger) => ledger.finish(line.text()).await,
            None => Ok(()),
        }
    }

    fn line(&self, record: impl Into<Record>) -> Line {
        Line { version: Line::VERSION, at: (self.clock)(), run: self.run.clone(), record: record.into() }
    }

    fn publish(&self, line: &Line) {
        if let Some(events) = &self.events {
            events.send(line.text());
        }
    }
}

impl Journal for Recorder {
    fn attempt(&self, change: ChangeId, step: u32, id: Option<ObjectId>) -> BoxFuture<'_, Result<(), String>> {
        let line = self.line(RunRecord::Attempt { change, step, id });
        Box::pin(async move {
            if let Some(ledger) = &self.ledger {
                ledger.keep(line.text()).await?;
            }
            self.publish(&line);
            Ok(())
        })
    }

    fn finished(&self, change: ChangeId, outcome: &ChangeOutcome) {
        let line = self.line(Record::Change(ChangeRecord { outcome: outcome.clone(), change }));
        if let Some(ledger) = &self.ledger {
            ledger.note(line.text());
        }
        self.publish(&line);
    }
}
