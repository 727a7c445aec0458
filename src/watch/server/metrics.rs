//! What is known, as numbers: the Prometheus text format, version 0.0.4.
//!
//! Written anew from the board for each request, so that no number is kept twice. A table in `docs/watch-status.md`
//! says what they mean.

mod text;

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::super::notices::{DeliveryCounters, DeliveryStats};
use super::super::status::{AccountStatus, SourceStatus, State as Standing};
use super::Shared;
use text::{Family, Text};

/// All metrics, as they are now.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let tallies: Vec<DeliveryStats> = shared.tallies.iter().map(|tally| DeliveryCounters::read(tally)).collect();
    let all =
        All { started: &shared.started_at, source: &shared.board.source(), accounts: &shared.board.all(), tallies };
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], all.text()).into_response()
}

/// Everything that is measured.
struct All<'a> {
    started: &'a str,
    source: &'a SourceStatus,
    accounts: &'a [Arc<AccountStatus>],
    tallies: Vec<DeliveryStats>,
}

type Gauge = (&'static str, &'static str, fn(&AccountStatus) -> Option<f64>);

const GAUGES: [Gauge; 7] = [
    ("last_look_timestamp_seconds", "When the account was last looked at, with an answer.", |account| {
        seconds(account.last_look.as_deref())
    }),
    ("last_in_sync_timestamp_seconds", "When the account was last known to be as its files ask.", |account| {
        seconds(account.last_in_sync.as_deref())
    }),
    ("last_change_timestamp_seconds", "When something was last written to the account.", |account| {
        seconds(account.last_change.as_deref())
    }),
    (
        "next_look_timestamp_seconds",
        "When the account is looked at next, unless something happens before.",
        |account| seconds(account.next_look.as_deref()),
    ),
    ("config_timestamp_seconds", "When the state of the files that counts was taken up.", |account| {
        seconds(account.files.since.as_deref())
    }),
    ("skipped_objects", "Declared objects that are left out because a declaration is invalid.", |account| {
        Some(float(account.degraded.as_ref().map_or(0, |degraded| degraded.objects as u64)))
    }),
    ("config_valid", "Whether the newest state of the files is the one that counts.", |account| {
        Some(f64::from(u8::from(account.files.valid)))
    }),
];

type Counter = (&'static str, &'static str, fn(&AccountStatus) -> f64);

const COUNTERS: [Counter; 7] = [
    ("looks_total", "Looks at the account that came to an end, failed ones included.", |account| {
        float(account.counts.looks)
    }),
    ("unchanged_looks_total", "Looks that conditional requests alone found to be unchanged.", |account| {
        float(account.counts.unchanged)
    }),
    ("failures_total", "Looks or corrections that failed.", |account| float(account.counts.failures)),
    ("requests_total", "Requests that were sent to the account.", |account| float(account.counts.requests)),
    ("runs_total", "Runs that wrote, or tried to.", |account| float(account.counts.runs)),
    ("changes_not_applied_total", "Changes of runs that were not carried out.", |account| {
        float(account.counts.not_applied)
    }),
    ("busy_seconds_total", "Time that all looks and runs took.", |account| {
        float(account.counts.busy_milliseconds) / 1000.0
    }),
];

type NoticeCounter = (&'static str, &'static str, fn(&DeliveryStats) -> u64);

const NOTICES: [NoticeCounter; 4] = [
    ("strowger_notices_delivered_total", "Notices that the receiver took.", |tally| tally.delivered),
    ("strowger_notices_failed_total", "Notices that the receiver refused, or did not take in time.", |tally| {
        tally.failed
    }),
    ("strowger_notices_dropped_total", "Notices that did not fit into the receiver's queue.", |tally| tally.dropped),
    ("strowger_notices_retried_total", "Attempts at notices after the first.", |tally| tally.retried),
];

impl All<'_> {
    fn text(&self) -> String {
        let mut text = Text::default();
        self.process(&mut text);
        let mut states = text.family("strowger_account_state", "How the account stands: 1 for one state.", "gauge");
        for account in self.accounts {
            for state in Standing::ALL {
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
            for (index, tally) in self.tallies.iter().enumerate() {
                family.sample(&[("receiver", &(index + 1).to_string())], float(value(tally)));
            }
        }
        text.finish()
    }

    fn process(&self, text: &mut Text) {
        text.family("strowger_build_info", "The version of Strowger; always 1.", "gauge")
            .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        text.family("strowger_accounts", "Accounts that are watched.", "gauge")
            .sample(&[], float(self.accounts.len() as u64));
        let mut start = text.family("strowger_start_time_seconds", "When the process began to watch.", "gauge");
        start.optional(&[], seconds(Some(self.started)));
        let source = self.source;
        text.family(
            "strowger_source_last_success_timestamp_seconds",
            "When the files were last looked at or fetched with success.",
            "gauge",
        )
        .optional(&[], seconds(source.last_success.as_deref()));
        text.family("strowger_source_failing", "Whether the newest state of the files cannot be got.", "gauge")
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

/// No count comes near the numbers that this would round.
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
    fn numbers_stand_under_the_names_of_their_accounts_whatever_those_are() {
        let account = AccountStatus {
            account: "a\"b\\c\nd".into(),
            state: Standing::Drifted,
            last_look: Some("2026-11-23T18:00:00.500Z".to_owned()),
            counts: Counts { looks: 3, busy_milliseconds: 1500, updated: 2, ..Counts::default() },
            ..AccountStatus::default()
        };
        let all = All {
            started: "2026-11-23T17:00:00.000Z",
            source: &SourceStatus::default(),
            accounts: &[Arc::new(account)],
            tallies: vec![DeliveryStats { delivered: 7, ..DeliveryStats::default() }],
        };
        let text = all.text();
        for line in [
            "# TYPE strowger_account_state gauge",
            r#"strowger_account_state{account="a\"b\\c\nd",state="drifted"} 1"#,
            r#"strowger_account_state{account="a\"b\\c\nd",state="in_sync"} 0"#,
            r#"strowger_account_last_look_timestamp_seconds{account="a\"b\\c\nd"} 1795456800.5"#,
            "# TYPE strowger_account_looks_total counter",
            r#"strowger_account_looks_total{account="a\"b\\c\nd"} 3"#,
            r#"strowger_account_busy_seconds_total{account="a\"b\\c\nd"} 1.5"#,
            r#"strowger_account_changes_total{account="a\"b\\c\nd",verb="update"} 2"#,
            r#"strowger_notices_delivered_total{receiver="1"} 7"#,
            "strowger_accounts 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("last_in_sync_timestamp_seconds{"), "a time that is not known is no sample");
    }
}
