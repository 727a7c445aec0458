//! The plan: what to write to the account, in which order, and what it costs.
//!
//! A plan is a value, a pure function of the desired state and the live account. Renderers, guards and the
//! engine read it and nothing else. What holds for every plan (design, section 5) is tested as properties
//! in `tests/laws.rs`: it converges, it is minimal, it is safe at every prefix of every order that its
//! dependencies allow, and the same inputs give the same bytes.

mod value;

pub use value::{Plan, Price, Unmanaged};
