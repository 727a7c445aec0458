//! `policy.windows`: when changes may be written.

use schemars::JsonSchema;

use crate::diag::{Rule, list, nearest};
use crate::model::{ClockTime, Days, Freeze, Window, WindowError, Zone};

use crate::check::document::View;
use crate::check::reader::{Advice, Field, Reader};
use crate::check::section::{Section as _, section};

/// The most windows of a file.
pub(super) const MOST: usize = 100;
const FORM: &str = "write `{ days: [mon, fri], from: \"08:00\", to: \"18:00\", zone: Europe/Paris }`";
const TIME: &str = "write hours and minutes in quotes, from `\"00:00\"` to `\"24:00\"`";
const ZONE: &str = "write the name of a time zone, such as `Europe/Paris`";

section! {
    /// Hours of days of the week, by the clocks of a time zone.
    struct WindowEntry {
        /// The days on which it begins. Without them, every day.
        #[schemars(length(min = 1), example = ["mon", "fri"])]
        days: Option<Vec<Day>>,
        /// When it opens: hours and minutes in quotes.
        #[schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), example = &"08:00")]
        from: String = TIME,
        /// When it closes, on the next day if that is earlier than `from`; `24:00` is the end of the day.
        #[schemars(regex(pattern = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"), example = &"18:00")]
        to: String = TIME,
        /// The time zone of the clocks, by its name in the IANA database.
        #[schemars(length(min = 1), example = &"Europe/Paris")]
        zone: String = ZONE,
    }
}

/// A day of the week.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[allow(dead_code, reason = "for the schema")]
enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

pub(super) fn read(reader: &mut Reader, section: Field<'_>, freeze: &mut Freeze) {
    let Some(items) = reader.items(section) else { return };
    if items.is_empty() {
        let hint = "remove the field to allow changes at any time, or write `suspend` to allow none";
        let message = "an empty list of windows allows no changes";
        return reader.note(Rule::WRONG_VALUE, section.span(), message, hint);
    }
    if items.len() > MOST {
        let message = format!("a file has at most {MOST} windows");
        return reader.note(Rule::WRONG_VALUE, section.span(), message, "one window can have several days");
    }
    freeze.windows_span.get_or_insert(section.key.span());
    freeze.windows.extend(items.into_iter().filter_map(|item| window(reader, item)));
}

fn window(reader: &mut Reader, item: Field<'_>) -> Option<Window> {
    let View::Mapping(mapping) = item.value.view() else {
        return reader.refuse(Rule::WRONG_TYPE, item.span(), "a window must be a mapping of days and hours", FORM);
    };
    let fields = WindowEntry::read(reader, mapping, item.value.span());
    let days = fields.days.map_or(Some(Days::ALL), |field| self::days(reader, field));
    let from = fields.from.and_then(|field| time(reader, field, false));
    let to = fields.to.and_then(|field| time(reader, field, true));
    let zone = fields.zone.and_then(|field| self::zone(reader, field));
    let (error, hint) = match Window::new(days?, from?, to?, zone?) {
        Ok(window) => return Some(window),
        Err(error @ WindowError::NoLength) => (error, "the whole day is `from: \"00:00\", to: \"24:00\"`"),
        Err(error) => (error, FORM),
    };
    reader.refuse(Rule::WRONG_VALUE, fields.to?.span(), error.to_string(), hint)
}

/// The days; nothing if one of them is wrong, since the others would be another window.
fn days(reader: &mut Reader, field: Field<'_>) -> Option<Days> {
    let words = format!("days are {}", list(&Days::WORDS));
    let items = reader.items(field)?;
    if items.is_empty() {
        let message = WindowError::NoDays.to_string();
        return reader.refuse(Rule::WRONG_VALUE, field.span(), message, "remove the field for every day");
    }
    let mut days = Some(Days::NONE);
    for item in items {
        let advice = Advice { empty: Some(&words), instead: Some(&words) };
        let Some(word) = reader.text(item, advice) else {
            days = None;
            continue;
        };
        let Some(known) = Days::of(word) else {
            let hint = day_meant(word).map_or_else(|| words.clone(), |day| format!("did you mean `{day}`?"));
            days = reader.refuse(Rule::WRONG_VALUE, item.span(), format!("there is no day `{word}`"), hint);
            continue;
        };
        days = days.map(|days| days | known);
    }
    days
}

/// `Monday` and `Mon.` begin like `mon`.
fn day_meant(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let whole = Days::WORDS.into_iter().find(|day| word.starts_with(day));
    whole.or_else(|| nearest(&word, Days::WORDS))
}

/// A time; a window may end at 24:00 and not begin at it.
fn time(reader: &mut Reader, field: Field<'_>, is_end: bool) -> Option<ClockTime> {
    let meant = field.value.scalar().and_then(time_meant);
    let hint = meant.map_or_else(|| TIME.to_owned(), |time| format!("write `\"{time}\"`"));
    let text = reader.text(field, Advice { empty: Some(TIME), instead: Some(&hint) })?;
    match text.parse::<ClockTime>() {
        Ok(ClockTime::MIDNIGHT) if !is_end => {
            let message = WindowError::BeginsAtTheEnd.to_string();
            reader.refuse(Rule::WRONG_VALUE, field.span(), message, "write `\"00:00\"` and the next day")
        }
        Ok(time) => Some(time),
        Err(_) => reader.refuse(Rule::WRONG_VALUE, field.span(), format!("`{text}` is not a time of day"), hint),
    }
}

/// Other spellings of `08:00`: `8:00`, `8h`, `8h00`, `08:00:00`, `8`.
fn time_meant(text: &str) -> Option<ClockTime> {
    let plain = text.trim().replace(['h', 'H', '.'], ":");
    let mut parts = plain.splitn(3, ':');
    let mut part = || parts.next().filter(|part| part.len() <= 2);
    let hours = part()?.parse::<u8>().ok()?;
    let minutes = part().filter(|minutes| !minutes.is_empty()).map_or(Ok(0), str::parse::<u8>).ok()?;
    let rest = parts.next();
    if rest.is_some_and(|rest| rest != "00") { None } else { format!("{hours:02}:{minutes:02}").parse().ok() }
}

fn zone(reader: &mut Reader, field: Field<'_>) -> Option<Zone> {
    let name = reader.text(field, Advice { empty: Some(ZONE), instead: Some(ZONE) })?;
    if let Some(zone) = Zone::named(name) {
        return Some(zone);
    }
    let hint = zone_meant(name).map_or_else(|| ZONE.to_owned(), |zone| format!("did you mean `{zone}`?"));
    reader.refuse(Rule::WRONG_VALUE, field.span(), format!("there is no time zone `{name}`"), hint)
}

/// The zone with this city, or else the one with the most similar name.
fn zone_meant(name: &str) -> Option<String> {
    let names: Vec<String> = Zone::names().collect();
    let city = format!("/{}", name.trim().replace(' ', "_").to_lowercase());
    let same = names.iter().find(|known| known.to_lowercase().ends_with(&city)).map(String::as_str);
    same.or_else(|| nearest(name, names.iter().map(String::as_str))).map(ToOwned::to_owned)
}
