//! What plans, findings and exports look like.

mod diagnostics;
mod export;
mod export_plan;
mod plan;
