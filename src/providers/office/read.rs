//! Reading the whole account.

use std::sync::atomic::Ordering;

use reqwest::Url;

use crate::model::{AccountInfo, Incomplete, LiveAccount};
use crate::providers::http::{Answer, Failure, SendError};
use crate::providers::{FetchedAccount, ReadError};
use crate::text::sanitized;

use super::change_check::{Reading, Source};
use super::problem::Problem;
use super::{Office, PAGE_LIMIT, convert, wire};

/// How often an account is read that changes meanwhile so that a list has an object twice.
const READINGS: usize = 3;

impl Office {
    /// The account, read again if it was changing under the reading.
    pub(super) async fn read_account(&self) -> Result<FetchedAccount, ReadError> {
        let (mut requests, mut readings) = (0, 1);
        loop {
            let reading = Reading::default();
            let live = self.read_once(&reading).await.map_err(|error| self.redact(error))?;
            requests += reading.requests();
            match live.validated() {
                Ok(live) => {
                    let versions = reading.versions();
                    self.remember(reading);
                    return Ok(FetchedAccount { live, requests, versions });
                }
                Err(incomplete) if readings == READINGS => return Err(self.redact(ReadError::Inconsistent(incomplete))),
                Err(_) => readings += 1,
            }
        }
    }

    /// The error without the token: a server that echoes it in a problem may also echo it in a malformed value.
    pub(super) fn redact(&self, error: ReadError) -> ReadError {
        let safe = |text: &str| self.http.redacted(text);
        match error {
            ReadError::Malformed { what, why } => ReadError::Malformed { what: safe(&what), why: safe(&why) },
            ReadError::WrongServer { host, why } => ReadError::WrongServer { host, why: safe(&why) },
            ReadError::Inconsistent(Incomplete::Repeated { kind, id }) => {
                ReadError::Inconsistent(Incomplete::Repeated { kind, id: safe(&id).into() })
            }
            other => other,
        }
    }

    async fn read_once(&self, reading: &Reading) -> Result<LiveAccount, ReadError> {
        let body = self.get(Source::Account, reading).await?;
        let account: wire::Account = serde_json::from_slice(&body).map_err(|error| ReadError::WrongServer {
            host: self.host(),
            why: format!("its account cannot be read ({})", sanitized(&error.to_string(), 200)),
        })?;
        let limit = account.capabilities.page_limit.unwrap_or(PAGE_LIMIT).clamp(1, PAGE_LIMIT);
        self.page_limit.store(limit, Ordering::Relaxed);
        let (account, capabilities, odd): (AccountInfo, _, _) = convert::account(account);
        let before = self.id.get_or_init(|| account.id.clone());
        if *before != account.id {
            let sanitized = |id: &str| self.http.sanitized(id);
            return Err(ReadError::OtherAccount {
                host: self.host(),
                before: sanitized(before),
                now: sanitized(&account.id),
            });
        }
        self.http.learn(capabilities.requests);
        let (numbers, ring_groups, (users, _), (receptionists, _), (conferences, _)) = tokio::try_join!(
            self.list::<wire::Number>("numbers", reading),
            self.list::<wire::RingGroup>("ring_groups", reading),
            self.list::<wire::User>("users", reading),
            self.list::<wire::Receptionist>("receptionists", reading),
            self.list::<wire::Conference>("conferences", reading),
        )?;
        let (users, devices): (Vec<_>, Vec<_>) = users.into_iter().unzip();
        let devices = devices.into_iter().flatten().collect();
        let ((numbers, mut unreadable), (ring_groups, groups)) = (numbers, ring_groups);
        unreadable.extend(groups);
        convert::default_number(odd.as_deref(), &unreadable)?;
        Ok(LiveAccount {
            mailboxes: Vec::new(),
            sites: std::collections::BTreeMap::new(),
            account,
            capabilities,
            numbers,
            ring_groups,
            users,
            devices,
            receptionists,
            conferences,
            unreadable,
        })
    }

    /// What it means that there is no answer.
    pub(super) fn transport_error(&self, error: SendError, attempts: u32) -> ReadError {
        let host = self.host();
        match error {
            SendError::NotDone(Failure::NotSent(why)) => ReadError::Unreachable { host, why },
            SendError::NotDone(Failure::NoToken(_)) => ReadError::Unauthorized { host },
            SendError::NotDone(Failure::Untrusted(why)) => ReadError::Untrusted { host, why },
            SendError::NotDone(Failure::TooLarge) => {
                ReadError::WrongServer { host, why: "an answer is larger than 64 MiB".to_owned() }
            }
            SendError::NotDone(Failure::InvalidRequest(why)) => ReadError::Settings(why),
            SendError::Forbidden => ReadError::Settings(crate::providers::WriteError::ReadOnlyClient.to_string()),
            SendError::Limited(why) | SendError::NotDone(Failure::Lost(why)) | SendError::OutcomeUnknown(why) => {
                ReadError::Unavailable { host, attempts, why }
            }
        }
    }

    /// What an answer means that is not the wanted document.
    pub(super) fn unexpected_status(&self, url: &Url, answer: &Answer) -> ReadError {
        let host = self.host();
        let problem = Problem::read(&self.http, answer);
        match answer.status.as_u16() {
            401 => ReadError::Unauthorized { host },
            403 => ReadError::Forbidden { detail: problem.as_suffix() },
            status @ 300..=399 => ReadError::WrongServer {
                host,
                why: format!("it redirects {} elsewhere ({status}), where the token must not go", url.path()),
            },
            status => ReadError::WrongServer {
                host,
                why: format!("GET {} answers {status}{}", sanitized(url.path(), 100), problem.as_suffix()),
            },
        }
    }
}
