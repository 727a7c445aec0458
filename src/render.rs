//! Values as text: for terminals, pipes, programs and pages. Pure.

pub mod diagnostics;
