//! Metrics in the Prometheus text format, version 0.0.4.
//!
//! They are computed from the status store for each request. `docs/watch-status.md` describes them.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::super::notices::{DeliveryCounters, DeliveryStats};
use super::super::status::{AccountState, AccountStatus, SourceStatus};
use super::Shared;
use super::prometheus::{Family, Text};

pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let delivery_counters: Vec<DeliveryStats> =
        shared.setup.delivery_counters.iter().map(|counters| DeliveryCounters::read(counters)).collect();
    let all = All {
        started: &shared.started_at,
        source: &shared.setup.status_store.source(),
        accounts: &shared.setup.status_store.all(),
        delivery_counters,
    };
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], all.text()).into_response()
}

struct All<'a> {
    started: &'a str,
    source: &'a SourceStatus,
    accounts: &'a [Arc<AccountStatus>],
    delivery_counters: Vec<DeliveryStats>,
}

type Gauge = (&'static str, &'static str, fn(&AccountStatus) -> Option<f64>);

const GAUGES: [Gauge; 7] = [
    ("last_check_timestamp_seconds", "When the account was last checked successfully.", |account| {
        seconds(account.last_check.as_deref())
    }),
    ("last_in_sync_timestamp_seconds", "When the account was last known to be in sync.", |account| {
        seconds(account.last_in_sync.as_deref())
    }),
    ("last_change_timestamp_seconds", "When the account was last written to.", |account| {
        seconds(account.last_change.as_deref())
    }),
    ("next_check_timestamp_seconds", "When the next check is due, unless something triggers one earlier.", |account| {
        seconds(account.next_check.as_deref())
    }),
    ("config_timestamp_seconds", "When the version of the files in use was loaded.", |account| {
        seconds(account.files.since.as_deref())
    }),
    ("skipped_objects", "Declared objects that are left out because a declaration is invalid.", |account| {
        Some(float(account.degraded.as_ref().map_or(0, |degraded| degraded.objects as u64)))
    }),
    ("config_valid", "Whether the newest version of the files has no errors, so that it is in use.", |account| {
        Some(f64::from(u8::from(account.files.valid)))
    }),
];

type Counter = (&'static str, &'static str, fn(&AccountStatus) -> f64);

const COUNTERS: [Counter; 7] = [
    ("checks_total", "Checks of the account, including failed ones.", |account| float(account.counts.checks)),
    ("unchanged_checks_total", "Checks that found everything unchanged with conditional requests alone.", |account| {
        float(account.counts.unchanged)
    }),
    ("failures_total", "Checks and corrections that failed.", |account| float(account.counts.failures)),
    ("requests_total", "Requests that were sent to the account.", |account| float(account.counts.requests)),
    ("runs_total", "Runs that wrote or tried to write.", |account| float(account.counts.runs)),
    ("changes_not_applied_total", "Changes of runs that were not applied.", |account| {
        float(account.counts.not_applied)
    }),
    ("busy_seconds_total", "Time spent on checks and runs.", |account| {
        float(account.counts.busy_milliseconds) / 1000.0
    }),
];

type NoticeCounter = (&'static str, &'static str, fn(&DeliveryStats) -> u64);

const NOTICES: [NoticeCounter; 4] = [
    ("strowger_notices_delivered_total", "Notices that were delivered.", |counters| counters.delivered),
    ("strowger_notices_failed_total", "Notices that were rejected or not accepted in time.", |counters| {
        counters.failed
    }),
    ("strowger_notices_dropped_total", "Notices that did not fit into the receiver's queue.", |counters| {
        counters.dropped
    }),
    ("strowger_notices_retried_total", "Attempts to deliver notices after the first.", |counters| counters.retried),
];

impl All<'_> {
    fn text(&self) -> String {
        let mut text = Text::default();
        self.process(&mut text);
        let mut states = text.family(
            "strowger_account_state",
            "The state of the account: 1 for the current one, 0 for the others.",
            "gauge",
        );
        for account in self.accounts {
            for state in AccountState::ALL {
                let labels = [("account", &*account.account), ("state", state.as_str())];
                states.sample(&labels, f64::from(u8::from(account.state == state)));
            }
        }
        for (name, help, value) in GAUGES {
            self.each(&mut text.family(&format!("strowger_account_{name}"), help, "gauge"), value);
        }
        let mut drift = text.family("strowger_account_drift_objects", "Objects that differ now, by kind.", "gauge");
        for account in self.accounts {
            for (kind, count) in [("number", account.drift.numbers), ("ring_group", account.drift.ring_groups)] {
                drift.sample(&[("account", &account.account), ("kind", kind)], float(count as u64));
            }
        }
        for (name, help, value) in COUNTERS {
            let mut family = text.family(&format!("strowger_account_{name}"), help, "counter");
            self.each(&mut family, |account| Some(value(account)));
        }
        let mut changes =
            text.family("strowger_account_changes_total", "Objects that were written, by verb.", "counter");
        for account in self.accounts {
            let counts = account.counts;
            for (verb, count) in [("create", counts.created), ("update", counts.updated), ("delete", counts.deleted)] {
                changes.sample(&[("account", &account.account), ("verb", verb)], float(count));
            }
        }
        for (name, help, value) in NOTICES {
            let mut family = text.family(name, help, "counter");
            for (index, counters) in self.delivery_counters.iter().enumerate() {
                family.sample(&[("receiver", &(index + 1).to_string())], float(value(counters)));
            }
        }
        text.finish()
    }

    fn process(&self, text: &mut Text) {
        text.family("strowger_build_info", "The version of Strowger; always 1.", "gauge")
            .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        text.family("strowger_accounts", "Accounts that are watched.", "gauge")
            .sample(&[], float(self.accounts.len() as u64));
        let mut start = text.family("strowger_start_time_seconds", "When the process started.", "gauge");
        start.optional(&[], seconds(Some(self.started)));
        let source = self.source;
        text.family(
            "strowger_source_last_success_timestamp_seconds",
            "When the files were last read or fetched successfully.",
            "gauge",
        )
        .optional(&[], seconds(source.last_success.as_deref()));
        text.family(
            "strowger_source_failing",
            "Whether the newest version of the files cannot be read or fetched.",
            "gauge",
        )
        .sample(&[], f64::from(u8::from(source.failing.is_some())));
        text.family("strowger_source_errors", "Lines of errors in the newest files; at most 20 are counted.", "gauge")
            .sample(&[], float(source.errors.len() as u64));
    }

    fn each(&self, family: &mut Family<'_>, value: impl Fn(&AccountStatus) -> Option<f64>) {
        for account in self.accounts {
            family.optional(&[("account", &account.account)], value(account));
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

fn seconds(stamp: Option<&str>) -> Option<f64> {
    let at = humantime::parse_rfc3339(stamp?).ok()?;
    Some(at.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::super::super::status::Counts;
    use super::*;

    #[test]
    fn samples_have_escaped_account_names() {
        let account = AccountStatus {
            account: "a\"b\\c\nd".into(),
            state: AccountState::Drifted,
            last_check: Some("2026-11-23T18:00:00.500Z".to_owned()),
            counts: Counts { checks: 3, busy_milliseconds: 1500, updated: 2, ..Counts::default() },
            ..AccountStatus::default()
        };
        let all = All {
            started: "2026-11-23T17:00:00.000Z",
            source: &SourceStatus::default(),
            accounts: &[Arc::new(account)],
            delivery_counters: vec![DeliveryStats { delivered: 7, ..DeliveryStats::default() }],
        };
        let text = all.text();
        for line in [
            "# TYPE strowger_account_state gauge",
            r#"strowger_account_state{account="a\"b\\c\nd",state="drifted"} 1"#,
            r#"strowger_account_state{account="a\"b\\c\nd",state="in_sync"} 0"#,
            r#"strowger_account_last_check_timestamp_seconds{account="a\"b\\c\nd"} 1795456800.5"#,
            "# TYPE strowger_account_checks_total counter",
            r#"strowger_account_checks_total{account="a\"b\\c\nd"} 3"#,
            r#"strowger_account_busy_seconds_total{account="a\"b\\c\nd"} 1.5"#,
            r#"strowger_account_changes_total{account="a\"b\\c\nd",verb="update"} 2"#,
            r#"strowger_notices_delivered_total{receiver="1"} 7"#,
            "strowger_accounts 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("last_in_sync_timestamp_seconds{"), "an unknown time has no sample");
    }
}
