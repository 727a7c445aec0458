//! Windows on plain days, on the days on which clocks change, and as laws.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

fn window(days: &[&str], from: &str, to: &str, zone: &str) -> Window {
    let days = days.iter().fold(Days::NONE, |days, word| days | Days::of(word).unwrap());
    Window::new(days, from.parse().unwrap(), to.parse().unwrap(), Zone::named(zone).unwrap()).unwrap()
}

fn paris(days: &[&str], from: &str, to: &str) -> Windows {
    Windows(vec![window(days, from, to, "Europe/Paris")])
}

/// The changes after a moment, in UTC and without the seconds.
fn changes(windows: &Windows, after: &str, count: usize) -> Vec<String> {
    let first = windows.next_change(after.parse().unwrap());
    let all = std::iter::successors(first, |at| windows.next_change(*at)).take(count);
    all.map(|at| at.strftime("%m-%dT%H:%M").to_string()).collect()
}

#[test]
fn a_time_is_one_that_clocks_show() {
    for text in ["00:00", "08:30", "23:59", "24:00"] {
        assert_eq!(text.parse::<ClockTime>().unwrap().to_string(), text);
    }
    for text in ["", "8:00", "24:01", "25:00", "12:60", "12", "12:0", "+1:00", "12:00:00", "１２:00", "99:99"] {
        assert_eq!(text.parse::<ClockTime>(), Err(ClockTimeError), "{text}");
    }
}

#[test]
fn hours_that_are_no_window_are_told() {
    let new = |days, from: &str, to: &str| {
        Window::new(days, from.parse().unwrap(), to.parse().unwrap(), Zone::named("UTC").unwrap()).map(|_| ())
    };
    assert_eq!(new(Days::NONE, "08:00", "09:00"), Err(WindowError::NoDays));
    assert_eq!(new(Days::ALL, "08:00", "08:00"), Err(WindowError::NoLength));
    assert_eq!(new(Days::ALL, "24:00", "08:00"), Err(WindowError::BeginsAtTheEnd));
    assert_eq!(new(Days::ALL, "00:00", "24:00"), Ok(()));
    assert_eq!(new(Days::ALL, "22:00", "00:00"), Ok(()));
}

#[test]
fn without_windows_it_is_always_open() {
    let (windows, now) = (Windows::default(), Timestamp::UNIX_EPOCH);
    assert!(windows.is_open(now));
    assert_eq!(windows.next_change(now), None);
}

#[test]
fn office_hours_open_on_their_days_and_not_on_others() {
    // 2026-11-23 is a Monday, and Paris is an hour ahead.
    let windows = paris(&["mon", "wed"], "08:00", "18:00");
    assert_eq!(changes(&windows, "2026-11-23T00:00Z", 4), ["11-23T07:00", "11-23T17:00", "11-25T07:00", "11-25T17:00"]);
    for (at, open) in [("2026-11-23T06:59:59Z", false), ("2026-11-23T07:00Z", true), ("2026-11-23T17:00Z", false)] {
        assert_eq!(windows.is_open(at.parse().unwrap()), open, "{at}");
    }
    assert_eq!(changes(&windows, "2026-11-25T17:00Z", 1), ["11-30T07:00"]);
}

#[test]
fn a_window_that_passes_midnight_begins_on_the_day_named() {
    let windows = paris(&["sat"], "22:00", "02:00");
    assert_eq!(changes(&windows, "2026-11-23T00:00Z", 3), ["11-28T21:00", "11-29T01:00", "12-05T21:00"]);
    assert!(windows.is_open("2026-11-29T00:30:00Z".parse().unwrap()), "Sunday, half past one");
    assert!(!windows.is_open("2026-11-28T00:30:00Z".parse().unwrap()), "Saturday, half past one");
}

#[test]
fn windows_that_meet_are_one_and_the_whole_week_never_closes() {
    let mut windows = paris(&["mon"], "08:00", "24:00");
    windows.extend([window(&["tue"], "00:00", "06:00", "Europe/Paris"), window(&["mon"], "20:00", "21:00", "UTC")]);
    assert_eq!(changes(&windows, "2026-11-23T00:00Z", 2), ["11-23T07:00", "11-24T05:00"]);
    let always = Windows(vec![Window { days: Days::ALL, ..window(&["mon"], "00:00", "24:00", "Europe/Paris") }]);
    assert_eq!(changes(&always, "2026-03-28T00:00Z", 1), [""; 0]);
}

#[test]
fn in_spring_an_hour_is_missing_from_the_window() {
    // At 02:00 on 2026-03-29 the clocks go on to 03:00, which is 01:00 UTC.
    let day = "2026-03-28T12:00Z";
    assert_eq!(changes(&paris(&["sun"], "01:00", "03:00"), day, 3), ["03-29T00:00", "03-29T01:00", "04-04T23:00"]);
    assert_eq!(changes(&paris(&["sun"], "01:00", "02:30"), day, 2), ["03-29T00:00", "03-29T01:00"]);
    assert_eq!(changes(&paris(&["sun"], "02:30", "04:00"), day, 2), ["03-29T01:00", "03-29T02:00"]);
    assert_eq!(changes(&paris(&["sun"], "02:00", "03:00"), day, 2), ["04-05T00:00", "04-05T01:00"], "a week later");
    assert_eq!(changes(&paris(&["sat"], "22:00", "02:30"), day, 2), ["03-28T21:00", "03-29T01:00"]);
}

#[test]
fn in_autumn_an_hour_more_is_in_the_window() {
    // At 03:00 on 2026-10-25 the clocks go back to 02:00, which is 01:00 UTC.
    let day = "2026-10-24T12:00Z";
    assert_eq!(changes(&paris(&["sun"], "01:00", "03:00"), day, 3), ["10-24T23:00", "10-25T02:00", "11-01T00:00"]);
    assert_eq!(changes(&paris(&["sun"], "01:00", "02:30"), day, 2), ["10-24T23:00", "10-25T00:30"], "the first time");
    assert_eq!(changes(&paris(&["sun"], "02:30", "04:00"), day, 2), ["10-25T00:30", "10-25T03:00"], "from the first");
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    for windows in [paris(&["sun"], "01:00", "03:00"), paris(&["fri"], "22:00", "02:00")] {
        for at in [Timestamp::MIN, Timestamp::MAX] {
            let _ = (windows.is_open(at), windows.next_change(at));
        }
    }
}

fn windows() -> impl Strategy<Value = Windows> {
    let zones = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "UTC"];
    // Mostly about the hours at which clocks change.
    let time = || prop_oneof![0..300_u16, 0..1_440_u16].prop_map(|minute| ClockTime(minute / 15 * 15));
    let one = (1..128_u8, time(), time(), prop::sample::select(zones.to_vec()));
    let one = one.prop_filter_map("it has no length", |(days, from, to, zone)| {
        Window::new(Days(days), from, to, Zone::named(zone)?).ok()
    });
    prop::collection::vec(one, 1..4).prop_map(Windows)
}

fn moments() -> impl Strategy<Value = Timestamp> {
    // About the changes of 2026 in Paris, New York and Lord Howe, and any time of these years.
    let near = prop::sample::select(vec![1_774_746_000_i64, 1_792_890_000, 1_772_953_200, 1_775_314_800])
        .prop_flat_map(|change| change - 200_000..change + 200_000);
    prop_oneof![near, 1_735_689_600..1_830_297_600_i64].prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn open_changes_exactly_at_the_next_change_and_nowhere_before(
        windows in windows(), now in moments(), between in prop::collection::vec(0.0..1.0_f64, 8),
    ) {
        let open = windows.is_open(now);
        let Some(change) = windows.next_change(now) else {
            prop_assert!(open, "what is closed opens");
            return Ok(());
        };
        prop_assert!(change > now);
        prop_assert_ne!(windows.is_open(change), open);
        prop_assert_eq!(windows.is_open(change - SignedDuration::from_nanos(1)), open);
        let length = change.duration_since(now);
        for share in between {
            let at = now + length.mul_f64(share);
            if at < change {
                prop_assert_eq!(windows.is_open(at), open, "{}", at);
                prop_assert_eq!(windows.next_change(at), Some(change));
            }
        }
    }

    #[test]
    fn on_days_without_a_change_of_clocks_it_is_open_when_the_clocks_say_so(
        from in 0..1_440_u16, to in 0..=1_440_u16, days in 1..128_u8, minute in 0..10_080_i64,
    ) {
        prop_assume!(from != to);
        let zone = Zone::named("Europe/Paris").unwrap();
        let windows = Windows(vec![Window::new(Days(days), ClockTime(from), ClockTime(to), zone).unwrap()]);
        // The week from Monday, 2026-06-01, and what the clock shows in it.
        let at = "2026-05-31T22:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute);
        let (day, shown) = (u16::try_from(minute / 1_440).unwrap(), u16::try_from(minute % 1_440).unwrap());
        let on = |day: u16| days & (1 << (day % 7)) != 0;
        let expected = if from < to {
            on(day) && from <= shown && shown < to
        } else {
            on(day) && from <= shown || on(day + 6) && shown < to
        };
        prop_assert_eq!(windows.is_open(at), expected);
    }
}
