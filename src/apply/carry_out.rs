//! Carrying out one change, step by step.

use std::sync::Mutex;

use crate::ledger::ChangeOutcome;
use crate::model::{Change, ObjectId};
use crate::providers::{Provider, WriteError, WriteReceipt};

use super::{Journal, ShutdownSignal};

/// How far a change has come, for a run that ends at once.
#[derive(Default)]
pub(super) struct Position(Mutex<Option<Reached>>);

/// A request of a change may have left.
struct Reached {
    left: Vec<usize>,
    id: Option<ObjectId>,
}

/// How a change that was started ended.
pub(super) struct End {
    pub(super) result: Result<WriteReceipt, Interrupted>,
    /// The error of the vendor's last answer, if it was one.
    pub(super) error: Option<WriteError>,
}

pub(super) enum Interrupted {
    Outcome(ChangeOutcome),
    /// The journal could not keep the next attempt, for this reason, so the step was not sent.
    Unrecorded(ChangeOutcome, String),
}

impl Position {
    /// What a run that ends at once knows of a change: nothing if no request of it can have left.
    pub(super) fn interrupted(&self, change: &Change) -> Option<ChangeOutcome> {
        let reached = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()?;
        let why = "the run was stopped while its request was under way".to_owned();
        Some(ChangeOutcome::interrupted(change, reached.left, reached.id, why))
    }

    fn set(&self, left: &[usize], id: Option<&ObjectId>) {
        let mut reached = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *reached = Some(Reached { left: left.to_vec(), id: id.cloned() });
    }
}

/// A change under way.
pub(super) struct Run<'r> {
    pub(super) provider: &'r dyn Provider,
    pub(super) journal: &'r dyn Journal,
    pub(super) stop: &'r ShutdownSignal,
    pub(super) position: &'r Position,
    /// With its references resolved; its id, revision and document follow its steps.
    pub(super) change: Change,
    /// The steps that are not known to be done.
    pub(super) left: Vec<usize>,
    pub(super) requests: u64,
}

impl Run<'_> {
    pub(super) async fn carry_out(mut self) -> End {
        // A run before this one may have died in the middle of the change.
        if !self.change.steps.is_empty()
            && let Err(error) = self.inspect().await
        {
            return End::failed(error.clone().into(), Some(error));
        }
        while let Some(step) = self.left.first().copied() {
            if self.stop.is_asked() && self.left.len() < self.change.steps.len() {
                return End::failed(self.interrupted("the run was stopped".to_owned()), None);
            }
            let number = u32::try_from(step + 1).unwrap_or(u32::MAX);
            if let Err(why) = self.journal.attempt(self.change.id, number, self.change.object.id.clone()).await {
                let outcome = match self.interrupted(why.clone()) {
                    partly @ ChangeOutcome::PartlyDone { .. } => partly,
                    _ => ChangeOutcome::NotAttempted,
                };
                return End { result: Err(Interrupted::Unrecorded(outcome, why)), error: None };
            }
            self.position.set(&self.left, self.change.object.id.as_ref());
            if let Err(error) = self.perform(step).await {
                let outcome = match self.interrupted(error.to_string()) {
                    partly @ ChangeOutcome::PartlyDone { .. } => partly,
                    _ => error.clone().into(),
                };
                return End::failed(outcome, Some(error));
            }
        }
        let Change { object, revision, document, .. } = self.change;
        let id = object.id.unwrap_or_else(|| ObjectId::from(""));
        End { result: Ok(WriteReceipt { id, revision, document, requests: self.requests }), error: None }
    }

    async fn perform(&mut self, step: usize) -> Result<(), WriteError> {
        match self.provider.perform(&self.change, step).await {
            Ok(WriteReceipt { id, revision, document, requests }) => {
                self.change.object.id = Some(id);
                (self.change.revision, self.change.document) = (revision, document);
                self.requests += requests;
                self.left.retain(|other| *other != step);
                Ok(())
            }
            Err(error @ WriteError::Unknown(_)) if !self.change.steps.is_empty() => match self.inspect().await {
                Ok(()) if !self.left.contains(&step) => Ok(()),
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn inspect(&mut self) -> Result<(), WriteError> {
        let progress = self.provider.inspect(&self.change).await?;
        if progress.id.is_some() {
            self.change.object.id = progress.id;
        }
        (self.change.revision, self.change.document) = (progress.revision, progress.document);
        self.left = progress.left;
        self.requests += progress.requests;
        Ok(())
    }

    fn interrupted(&self, why: String) -> ChangeOutcome {
        ChangeOutcome::interrupted(&self.change, self.left.iter().copied(), self.change.object.id.clone(), why)
    }
}

impl End {
    pub(super) fn failed(outcome: ChangeOutcome, error: Option<WriteError>) -> Self {
        Self { result: Err(Interrupted::Outcome(outcome)), error }
    }
}
