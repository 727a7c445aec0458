//! `policy.windows`: when changes may be written.

use crate::diag::{Diagnostic, Rule, nearest};
use crate::model::{ClockTime, Days, Freeze, Window, WindowError, Zone};

use crate::check::document::View;
use crate::check::reader::{Advice, Field, Reader, list};

/// The most windows of a file.
const MOST: usize = 100;
const FORM: &str = "write `{ days: [mon, fri], from: \"08:00\", to: \"18:00\", zone: Europe/Paris }`";
const TIME: &str = "write hours and minutes in quotes, from `\"00:00\"` to `\"24:00\"`";
const ZONE: &str = "write the name of a time zone, such as `Europe/Paris`";

/// Reads the list.
pub(super) fn read(reader: &mut Reader, section: Field<'_>, freeze: &mut Freeze) {
    let Some(items) = reader.sequence(section) else { return };
    if items.is_empty() {
        let hint = "remove the field to allow changes at any time, or write `suspend` to allow none";
        let message = "an empty list of windows allows no changes";
        return reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(section.span()), message).hint(hint));
    }
    if items.len() > MOST {
        let message = format!("a file has at most {MOST} windows");
        return reader.report(
            Diagnostic::new(Rule::WRONG_VALUE, Some(section.span()), message).hint("one window can have several days"),
        );
    }
    freeze.windows_span.get_or_insert(section.key.span());
    freeze.windows.extend(items.items().filter_map(|value| window(reader, Field { key: section.key, value })));
}

fn window(reader: &mut Reader, item: Field<'_>) -> Option<Window> {
    let View::Mapping(mapping) = item.value.view() else {
        let finding =
            Diagnostic::new(Rule::WRONG_TYPE, Some(item.span()), "a window must be a mapping of days and hours");
        reader.report(finding.hint(FORM));
        return None;
    };
    let fields = reader.fields(mapping, item.value.span(), ["days", "from", "to", "zone"]);
    let [days, ..] = fields.found;
    let days = days.map_or(Some(Days::ALL), |field| self::days(reader, field));
    let from = fields.required(1, reader, TIME).and_then(|field| time(reader, field, false));
    let last = fields.required(2, reader, TIME);
    let to = last.and_then(|field| time(reader, field, true));
    let zone = fields.required(3, reader, ZONE).and_then(|field| self::zone(reader, field));
    let (error, hint) = match Window::new(days?, from?, to?, zone?) {
        Ok(window) => return Some(window),
        Err(error @ WindowError::NoLength) => (error, "the whole day is `from: \"00:00\", to: \"24:00\"`"),
        Err(error) => (error, FORM),
    };
    reader.report(Diagnostic::new(Rule::WRONG_VALUE, last.map(Field::span), error.to_string()).hint(hint));
    None
}

/// The days; nothing if one of them is wrong, since the others would be another window.
fn days(reader: &mut Reader, field: Field<'_>) -> Option<Days> {
    let words = format!("days are {}", list(&Days::WORDS));
    let items = reader.sequence(field)?;
    if items.is_empty() {
        let finding = Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), WindowError::NoDays.to_string());
        reader.report(finding.hint("remove the field for every day"));
        return None;
    }
    let mut days = Some(Days::NONE);
    for value in items.items() {
        let item = Field { key: field.key, value };
        let advice = Advice { empty: Some(&words), instead: Some(&words) };
        let Some(word) = reader.text(item, advice) else {
            days = None;
            continue;
        };
        let Some(known) = Days::of(word) else {
            let hint = day_meant(word).map_or_else(|| words.clone(), |day| format!("did you mean `{day}`?"));
            let message = format!("there is no day `{word}`");
            reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(item.span()), message).hint(hint));
            days = None;
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
            let finding =
                Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), WindowError::BeginsAtTheEnd.to_string());
            reader.report(finding.hint("write `\"00:00\"` and the next day"));
            None
        }
        Ok(time) => Some(time),
        Err(_) => {
            let message = format!("`{text}` is not a time of day");
            reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), message).hint(hint));
            None
        }
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
    let message = format!("there is no time zone `{name}`");
    reader.report(Diagnostic::new(Rule::WRONG_VALUE, Some(field.span()), message).hint(hint));
    None
}

/// The zone with this city, or else the one with the most similar name.
fn zone_meant(name: &str) -> Option<String> {
    let names: Vec<String> = Zone::names().collect();
    let city = format!("/{}", name.trim().replace(' ', "_").to_lowercase());
    let same = names.iter().find(|known| known.to_lowercase().ends_with(&city)).map(String::as_str);
    same.or_else(|| nearest(name, names.iter().map(String::as_str))).map(ToOwned::to_owned)
}
