//! What reviews let through, as one line of JSON in which every text is hexadecimal, so that a comment can carry it.

use serde::{Deserialize, Serialize};

use crate::plan::{Plan, Review};

use super::json::{Report, ReportError};

/// The version of the format.
const VERSION: u32 = 1;

/// The reviews of several accounts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// The version of this format; no plan has this key.
    review: u32,
    plans: Vec<Review>,
}

/// Why a text says nothing about what was reviewed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    #[error("this review has format {0}, and this Strowger reads format {VERSION}")]
    Version(u32),
    /// It is neither a review nor a plan.
    #[error(transparent)]
    Plan(#[from] ReportError),
}

/// The reviews of these plans, in one line.
pub fn text(plans: &[Plan]) -> String {
    let document = Document { review: VERSION, plans: plans.iter().map(Review::of).collect() };
    // Digests can always be written.
    serde_json::to_string(&document).unwrap_or_default() + "\n"
}

/// Reads what [`text`] wrote, or a saved plan, which counts as reviewed as it is.
pub fn read(text: &str) -> Result<Vec<Review>, ReviewError> {
    match serde_json::from_str::<Document>(text) {
        Ok(document) if document.review == VERSION => Ok(document.plans),
        Ok(document) => Err(ReviewError::Version(document.review)),
        Err(_) => Ok(Report::read(text)?.plans.iter().map(Review::of).collect()),
    }
}
