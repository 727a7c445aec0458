//! The embedded account over real HTTP.

mod accounts;
mod faults;
mod http;
mod openapi;
mod rules;
mod schemathesis;
