//! Reading files: what they mean, and the findings on those that are wrong.

mod desired;
mod hostile;
mod many_findings;
mod policy;
mod property;
mod rules;
mod schema;
