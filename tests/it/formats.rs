//! What each format makes of plans and findings, and what untrusted text cannot do in any of them.

mod blocked;
mod github;
mod markdown;
mod nasty;
mod runbook;
mod runner;
mod sample;
mod sarif;
mod unplanned;
mod untrusted;
