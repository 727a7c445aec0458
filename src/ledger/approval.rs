//! Who approved a plan that guards held back, and what that let through.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{Digest, Guard, Plan};
use crate::text::sanitized;

/// No name is longer.
const LONGEST: usize = 100;

/// An approval that let a plan through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// The plan that was approved: exactly this one.
    pub digest: Digest,
    /// Who approved it.
    pub by: Approver,
    /// What held the plan back, and was passed by this.
    pub guards: Vec<Passed>,
}

/// Who approved a plan, as far as anybody knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Approver {
    /// The name; absent if none was given. It is a claim, not a proof, and untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the name comes from.
    pub source: ApproverSource,
}

/// Where the name of an approver comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApproverSource {
    /// The option `--approve-as`.
    Option,
    /// The pipeline's environment: who started it.
    Pipeline,
    /// The user that the process runs as, by its environment.
    User,
    /// A request with the status server's token, which says so.
    Token,
}

/// A guard that an approval passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Passed {
    /// Which guard.
    pub guard: Guard,
    /// What it had against the plan. Untrusted text.
    pub message: String,
}

impl Approver {
    /// An approver of this name, if it is valid: on one line, and not too long.
    pub fn new(name: Option<&str>, source: ApproverSource) -> Self {
        let name = name.map(|name| sanitized(name.trim(), LONGEST)).filter(|name| !name.is_empty());
        Self { name, source }
    }
}

impl std::fmt::Display for Approver {
    /// `ada (as --approve-as says)`, safe to show.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.name.as_deref().map_or_else(|| "someone".to_owned(), |name| sanitized(name, LONGEST));
        let source = match self.source {
            ApproverSource::Option => "as --approve-as says",
            ApproverSource::Pipeline => "as the pipeline says",
            ApproverSource::User => "as the system says",
            ApproverSource::Token => "with the status server's token",
        };
        write!(f, "{name} ({source})")
    }
}

impl Approval {
    /// The approval of a plan; nothing if no guard holds it back, so that none was needed.
    pub fn of(plan: &Plan, by: Approver) -> Option<Self> {
        let passed =
            |block: &crate::plan::GuardViolation| Passed { guard: block.guard, message: block.message.clone() };
        let guards: Vec<Passed> = plan.blocked.iter().map(passed).collect();
        (!guards.is_empty()).then(|| Self { digest: plan.digest.clone(), by, guards })
    }

    /// The guards that it passed, each once.
    pub fn passed(&self) -> String {
        let mut guards: Vec<&str> = self.guards.iter().map(|passed| passed.guard.as_str()).collect();
        guards.dedup();
        guards.join(", ")
    }
}
