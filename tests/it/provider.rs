//! Providers: reading an account and writing to it, in front of servers that answer badly.

mod asterisk;
mod asterisk_commands;
mod asterisk_hand;
mod asterisk_tls;
mod conformance;
mod hostile_answers;
mod hostile_tls;
mod http_jwt;
mod http_pages;
mod http_rate_limits;
mod http_tokens;
mod look;
mod office_hostile;
mod office_unclear;
mod snapshot;
mod snapshot_errors;
mod snapshot_schema;
mod unreadable;
