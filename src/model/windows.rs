//! When changes may be written: hours of days of the week, by the clocks of a time zone.
//!
//! A window opens when the clocks first show its beginning and closes when they first show its end; a time that they
//! skip is reached when they skip it. So a window is one stretch of time, also on the days on which clocks change.
//!
//! Invariants: a window has at least one day, and its beginning is not its end.

use std::fmt;
use std::ops::BitOr;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};

use super::Zone;

/// The days for which a stretch of open windows is followed. What is open for longer has no end that anyone waits for.
const FOLLOWED: i64 = 400;
/// The days within which a window opens: a week, and another one for what a change of the clocks skips.
const OPENS_WITHIN: usize = 16;

/// A time that clocks show, from 00:00 to 24:00, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClockTime(u16);

/// The text is not a time such as `08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time has two digits, a colon and two digits, from 00:00 to 24:00")]
pub struct ClockTimeError;

/// Days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(u8);

/// Hours of some days of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    days: Days,
    from: ClockTime,
    to: ClockTime,
    zone: Zone,
}

/// Why hours are no window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("a window without days never opens")]
    NoDays,
    #[error("a window that ends when it begins could be the whole day or nothing")]
    NoLength,
    #[error("no window begins at 24:00")]
    BeginsAtTheEnd,
}

/// All windows; without any, it is always open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows(Vec<Window>);

impl ClockTime {
    /// The end of a day.
    pub const MIDNIGHT: Self = Self(24 * 60);

    /// The moment at which the clocks of a zone first show this on a date.
    fn first(self, date: Date, zone: &Zone) -> Option<Timestamp> {
        if self == Self::MIDNIGHT {
            return Self(0).first(date.tomorrow().ok()?, zone);
        }
        let (hour, minute) = (i8::try_from(self.0 / 60).ok()?, i8::try_from(self.0 % 60).ok()?);
        zone.first(date.at(hour, minute, 0, 0))
    }
}

impl FromStr for ClockTime {
    type Err = ClockTimeError;

    fn from_str(text: &str) -> Result<Self, ClockTimeError> {
        let two = |digits: &str| {
            let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|_| plain)
        };
        let (hours, minutes) = text.split_once(':').ok_or(ClockTimeError)?;
        let (hours, minutes) = (two(hours).ok_or(ClockTimeError)?, two(minutes).ok_or(ClockTimeError)?);
        let time = Self(hours * 60 + minutes);
        if minutes < 60 && time <= Self::MIDNIGHT { Ok(time) } else { Err(ClockTimeError) }
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Days {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(0b111_1111);
    /// The words for the days, from Monday.
    pub const WORDS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    pub fn of(word: &str) -> Option<Self> {
        let day = Self::WORDS.iter().position(|known| *known == word)?;
        Some(Self(1 << day))
    }

    fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }
}

impl BitOr for Days {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Window {
    /// The hours `from` to `to` of these days; past midnight if `to` is the earlier one.
    pub fn new(days: Days, from: ClockTime, to: ClockTime, zone: Zone) -> Result<Self, WindowError> {
        if days == Days::NONE {
            Err(WindowError::NoDays)
        } else if from == to {
            Err(WindowError::NoLength)
        } else if from == ClockTime::MIDNIGHT {
            Err(WindowError::BeginsAtTheEnd)
        } else {
            Ok(Self { days, from, to, zone })
        }
    }

    /// When it opens and closes if it begins on this date.
    fn on(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.has(date.weekday()) {
            return None;
        }
        let last = if self.to < self.from { date.tomorrow().ok()? } else { date };
        let (opens, closes) = (self.from.first(date, &self.zone)?, self.to.first(last, &self.zone)?);
        (opens < closes).then_some((opens, closes))
    }

    /// From the day before, since that may reach past midnight.
    fn dates(&self, now: Timestamp) -> impl Iterator<Item = Date> {
        let today = self.zone.clock(now).date();
        let first = today.yesterday().unwrap_or(today);
        std::iter::successors(Some(first), |date| date.tomorrow().ok())
    }

    /// When it closes, if it is open.
    fn closes(&self, now: Timestamp) -> Option<Timestamp> {
        let (_, closes) =
            self.dates(now).take(2).filter_map(|date| self.on(date)).find(|(from, to)| *from <= now && now < *to)?;
        Some(closes)
    }

    /// When it opens next.
    fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let mut all = self.dates(now).take(OPENS_WITHIN).filter_map(|date| self.on(date));
        all.find(|(opens, _)| *opens > now).map(|(opens, _)| opens)
    }
}

impl Windows {
    /// Whether changes may be written.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.0.is_empty() || self.0.iter().any(|window| window.closes(now).is_some())
    }

    /// When that changes next; `None` if there is nothing to wait for.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        if self.0.is_empty() {
            return None;
        }
        if !self.is_open(now) {
            return self.0.iter().filter_map(|window| window.opens(now)).min();
        }
        // One window may open before another one closes.
        let mut end = now;
        while let Some(later) = self.0.iter().filter_map(|window| window.closes(end)).max() {
            if later.as_second() - now.as_second() > FOLLOWED * 24 * 60 * 60 {
                return None;
            }
            end = later;
        }
        Some(end)
    }
}

impl Extend<Window> for Windows {
    fn extend<I: IntoIterator<Item = Window>>(&mut self, windows: I) {
        self.0.extend(windows);
    }
}

#[cfg(test)]
mod tests;
