//! Plans, findings and accounts as text. Pure: values in, text out.

pub mod export;
