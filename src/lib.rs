//! Strowger: a declarative GitOps reconciler for business phone accounts.
pub mod sandbox;
