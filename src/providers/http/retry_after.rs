//! The wait that a server states when it answers 429 or 503.
//!
//! `Retry-After` (RFC 9110) first, then the headers of rate limits that are in use: the `IETF` drafts' `RateLimit` and
//! `RateLimit-Reset`, and the `X-RateLimit-Reset` family, whose unit only its size tells. Times of day are compared with
//! the server's own `Date`, so that neither clock has to be right. A time that is past states nothing: who obeyed it
//! would ask again at once, without end.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Headers with a number of milliseconds, used by Azure and others beside `Retry-After`.
const MILLISECONDS: [&str; 2] = ["retry-after-ms", "x-ms-retry-after-ms"];
/// Headers with a number of seconds, or a time as seconds or milliseconds since 1970, or a date.
const RESETS: [&str; 5] =
    ["ratelimit-reset", "x-ratelimit-reset-after", "x-ratelimit-reset", "x-rate-limit-reset", "x-retry-after"];

/// From here on a number of seconds is a time since 1970: as a wait it would be over thirty years.
const EPOCH_SECONDS: f64 = 1e9;
/// From here on it is in milliseconds: as seconds it would be the year 33658.
const EPOCH_MILLISECONDS: f64 = 1e12;
/// No wait is longer: clients give up after minutes.
const LONGEST: f64 = 1e9;

/// How long a server asks to wait; nothing if it states no time, or one that is past.
pub(in crate::providers) fn stated_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let now = text(DATE.as_str()).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    let asked = MILLISECONDS
        .iter()
        .find_map(|name| number(text(name)?).map(|milliseconds| milliseconds / 1000.0))
        .or_else(|| moment(text(RETRY_AFTER.as_str())?, now))
        .or_else(|| rate_limit(text("ratelimit")?))
        .or_else(|| RESETS.iter().find_map(|name| moment(text(name)?, now)))?;
    (asked > 0.0).then(|| Duration::from_secs_f64(asked.min(LONGEST)))
}

/// Seconds from now until the time that a text names; negative if it is past.
fn moment(text: &str, now: SystemTime) -> Option<f64> {
    let Some(number) = number(text) else {
        let at = httpdate::parse_http_date(text).or_else(|_| humantime::parse_rfc3339_weak(text)).ok()?;
        return Some(until(at, now));
    };
    let since_1970 = |seconds: f64| {
        // Three thousand years at the most, so it fits.
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds.min(1e11)))?;
        Some(until(at, now))
    };
    if number >= EPOCH_MILLISECONDS {
        since_1970(number / 1000.0)
    } else if number >= EPOCH_SECONDS {
        since_1970(number)
    } else {
        Some(number)
    }
}

fn until(at: SystemTime, now: SystemTime) -> f64 {
    match at.duration_since(now) {
        Ok(ahead) => ahead.as_secs_f64(),
        Err(past) => -past.duration().as_secs_f64(),
    }
}

/// A number without a sign. `inf` and `nan` are words that mean nothing here.
fn number(text: &str) -> Option<f64> {
    let plain = text.starts_with(|first: char| first.is_ascii_digit());
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

/// The `RateLimit` header in the forms of its drafts: `limit=10, remaining=0, reset=5`, or `"burst";r=0;t=5, "day";r=9;t=80000`.
/// Of several limits the exhausted ones count, and of these the longest.
fn rate_limit(text: &str) -> Option<f64> {
    let parameter = |item: &str, names: [&str; 2]| {
        let mut parts = item.split([';', ',']).filter_map(|part| part.split_once('='));
        parts.find(|(name, _)| names.contains(&name.trim())).and_then(|(_, value)| number(value.trim()))
    };
    // The older form is one limit whose fields have commas between them.
    let limits: Vec<&str> = if text.contains("reset=") { vec![text] } else { text.split(',').collect() };
    let longest = |exhausted: bool| {
        let counts = limits.iter().filter(|limit| {
            let left = parameter(limit, ["remaining", "r"]);
            if exhausted { left == Some(0.0) } else { left.is_none() }
        });
        counts.filter_map(|limit| parameter(limit, ["reset", "t"])).reduce(f64::max)
    };
    longest(true).or_else(|| longest(false))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair =
            |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        pairs.iter().map(pair).collect()
    }

    fn seconds(pairs: &[(&str, &str)]) -> Option<f64> {
        stated_wait(&headers(pairs), now()).map(|wait| wait.as_secs_f64())
    }

    fn date(offset: i64) -> String {
        let at = NOW.checked_add_signed(offset).unwrap();
        httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(at))
    }

    #[test]
    fn every_usual_header_states_a_wait() {
        let epoch = (NOW + 30).to_string();
        let milliseconds = ((NOW + 30) * 1000).to_string();
        for (name, value, wait) in [
            ("retry-after", "7", 7.0),
            ("retry-after", " 7 ", 7.0),
            ("retry-after", "2.5", 2.5),
            ("retry-after", &date(90), 90.0),
            ("retry-after-ms", "1500", 1.5),
            ("x-ms-retry-after-ms", "250", 0.25),
            ("ratelimit-reset", "12", 12.0),
            ("ratelimit", "limit=100, remaining=0, reset=50", 50.0),
            ("ratelimit", "\"default\";r=0;t=17", 17.0),
            ("ratelimit", "\"burst\";r=0;t=3, \"day\";r=900;t=80000", 3.0),
            ("ratelimit", "\"burst\";r=0;t=3,\"day\";r=0;t=80000", 80000.0),
            ("ratelimit", "\"default\";t=9", 9.0),
            ("x-ratelimit-reset", "30", 30.0),
            ("x-ratelimit-reset", &epoch, 30.0),
            ("x-ratelimit-reset", &milliseconds, 30.0),
            ("x-rate-limit-reset", &epoch, 30.0),
            ("x-ratelimit-reset-after", "1.25", 1.25),
        ] {
            assert_eq!(seconds(&[(name, value)]), Some(wait), "{name}: {value}");
        }
    }

    #[test]
    fn a_time_of_day_is_compared_with_the_servers_own_clock() {
        for skew in [-86_400, -3600, 0, 3600, 86_400] {
            assert_eq!(seconds(&[("date", &date(skew)), ("retry-after", &date(skew + 2))]), Some(2.0), "{skew}");
            let reset = NOW.checked_add_signed(skew + 5).unwrap().to_string();
            assert_eq!(seconds(&[("date", &date(skew)), ("x-ratelimit-reset", &reset)]), Some(5.0), "{skew}");
        }
        assert_eq!(seconds(&[("date", "yesterday"), ("retry-after", &date(2))]), Some(2.0), "our own clock then");
    }

    #[test]
    fn what_makes_no_sense_or_is_past_states_nothing() {
        for value in ["", "-5", "soon", "inf", "nan", "0", "0.0", "Thu, 01 Jan 1970 00:00:00 GMT", "+3", "1 hour"] {
            assert_eq!(seconds(&[("retry-after", value)]), None, "{value}");
        }
        for value in ["", "reset=", "reset=x", "limit=1, remaining=5, reset=9", "\"a\";r=3;t=4", "= ;,=;t"] {
            assert_eq!(seconds(&[("ratelimit", value)]), None, "{value}");
        }
        assert_eq!(seconds(&[("x-ratelimit-reset", &(NOW - 1).to_string())]), None);
    }

    #[test]
    fn retry_after_comes_before_the_headers_of_rate_limits() {
        assert_eq!(seconds(&[("x-ratelimit-reset", "60"), ("retry-after", "2")]), Some(2.0));
        assert_eq!(seconds(&[("x-ratelimit-reset", "60"), ("retry-after", "soon")]), Some(60.0));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic_or_wait_for_ages(name in 0_usize..9, value in "[ -~]{0,40}|[0-9]{1,60}", date in "[ -~]{0,30}") {
            let names = [&MILLISECONDS[..], &RESETS[..], &["retry-after", "ratelimit"]].concat();
            let wait = stated_wait(&headers(&[(names[name], value.trim()), ("date", date.trim())]), now());
            prop_assert!(wait.is_none_or(|wait| wait > Duration::ZERO && wait.as_secs_f64() <= LONGEST));
        }
    }
}
