//! Which objects of the account the files will manage.

use std::collections::HashSet;

use crate::diag::nearest_of_any;
use crate::model::{Directory, E164, Found, Kind, ObjectId, Reference, Selector};
use crate::render::counted;
use crate::render::export::Choice;
use crate::text::sanitized;

use super::Ending;
use super::arguments::Arguments;
use super::holdings::Holdings;
use super::terminal::{Row, Terminal};

/// The longest typed text that a message repeats.
const LONGEST: usize = 60;

/// Chooses by the flags, by asking, or everything.
pub(super) fn choose(
    arguments: &Arguments,
    terminal: Option<Terminal>,
    holdings: &Holdings<'_>,
) -> anyhow::Result<Choice> {
    let live = holdings.directory.live();
    loop {
        let numbers = match (arguments.numbers.as_slice(), terminal) {
            ([], Some(terminal)) if !live.numbers.is_empty() => ask_numbers(terminal, holdings)?,
            ([], _) => None,
            (given, _) => given_numbers(given, &holdings.directory)?,
        };
        let ring_groups = match (arguments.groups.as_slice(), terminal) {
            ([], Some(terminal)) if !live.ring_groups.is_empty() => ask_groups(terminal, holdings)?,
            ([], _) => None,
            (given, _) => given_groups(given, &holdings.directory)?,
        };
        let count = |chosen: Option<usize>, all: usize| chosen.unwrap_or(all);
        let chosen = count(numbers.as_ref().map(HashSet::len), live.numbers.len())
            + count(ring_groups.as_ref().map(HashSet::len), live.ring_groups.len());
        if chosen > 0 || live.numbers.is_empty() && live.ring_groups.is_empty() {
            return Ok(Choice { numbers, ring_groups });
        }
        let nothing = "nothing would be managed: choose one number or one ring group at least";
        if terminal.is_none() || !arguments.numbers.is_empty() && !arguments.groups.is_empty() {
            return Err(Ending::Usage(nothing.to_owned()).into());
        }
        super::note(nothing);
    }
}

/// The answer to how much of a kind the files will manage.
#[derive(Clone, Copy)]
enum Share {
    All,
    Some,
    None,
}

/// The positions that are chosen; `None` is all of them.
fn ask(
    terminal: Terminal,
    noun: &'static str,
    count: usize,
    rows: impl FnOnce() -> Vec<String>,
) -> anyhow::Result<Option<Vec<usize>>> {
    let question = format!("Which {noun}s to manage?");
    let all = if count == 1 { "All: the only one".to_owned() } else { format!("All {count}") };
    let shares = [(&*all, Share::All), ("Some, to choose now", Share::Some), ("None", Share::None)];
    match terminal.one_of(&question, shares, 0)? {
        Share::All => Ok(None),
        Share::None => Ok(Some(Vec::new())),
        Share::Some => {
            let columns = terminal.columns();
            let rows = rows().iter().map(|row| Row::new(row, columns)).collect();
            terminal.some_of(&format!("Which {noun}s?"), rows, noun).map(Some)
        }
    }
}

fn ask_numbers(terminal: Terminal, holdings: &Holdings<'_>) -> anyhow::Result<Option<HashSet<E164>>> {
    let numbers = &holdings.directory.live().numbers;
    let chosen = ask(terminal, "number", numbers.len(), || holdings.numbers(usize::MAX))?;
    let number = |at: usize| numbers.get(at).map(|number| number.number);
    Ok(chosen.map(|chosen| chosen.into_iter().filter_map(number).collect()))
}

fn ask_groups(terminal: Terminal, holdings: &Holdings<'_>) -> anyhow::Result<Option<HashSet<ObjectId>>> {
    let groups = &holdings.directory.live().ring_groups;
    let chosen = ask(terminal, "ring group", groups.len(), || holdings.ring_groups(usize::MAX))?;
    let group = |position| groups.get(holdings.group_at(position)?).map(|group| group.id.clone());
    Ok(chosen.map(|chosen| chosen.into_iter().filter_map(group).collect()))
}

/// The words of a flag; `None` is everything.
fn words(given: &[String]) -> Option<Vec<&str>> {
    match given {
        [one] if one == "all" => None,
        [one] if one == "none" => Some(Vec::new()),
        given => {
            let words = given.iter().flat_map(|list| list.split(',')).map(str::trim);
            Some(words.filter(|word| !word.is_empty()).collect())
        }
    }
}

fn given_numbers(given: &[String], directory: &Directory<'_>) -> anyhow::Result<Option<HashSet<E164>>> {
    let Some(words) = words(given) else { return Ok(None) };
    let held: HashSet<E164> = directory.live().numbers.iter().map(|number| number.number).collect();
    let mut chosen = HashSet::new();
    for word in words {
        let shown = sanitized(word, LONGEST);
        let number: E164 = word.parse().map_err(|error| {
            Ending::Usage(format!("`--numbers`: `{shown}` is no number ({error}); write `all`, `none` or `+33…,+33…`"))
        })?;
        if !held.contains(&number) {
            let held = counted(held.len(), "number");
            return Err(Ending::Usage(format!("`--numbers`: {number} is none of the account's {held}")).into());
        }
        chosen.insert(number);
    }
    Ok(Some(chosen))
}

fn given_groups(given: &[String], directory: &Directory<'_>) -> anyhow::Result<Option<HashSet<ObjectId>>> {
    // A name may have a comma in it.
    if let [one] = given
        && let Found::One(handle) = find(one, directory)
    {
        return Ok(Some(directory.id(handle).cloned().into_iter().collect()));
    }
    let Some(words) = words(given) else { return Ok(None) };
    let mut chosen = HashSet::new();
    for word in words {
        let shown = sanitized(word, LONGEST);
        match find(word, directory) {
            Found::One(handle) => chosen.extend(directory.id(handle).cloned()),
            Found::Several(several) => {
                let count = several.len();
                let message =
                    format!("`--groups`: {count} ring groups of the account fit `{shown}`; choose by extension");
                return Err(Ending::Usage(message).into());
            }
            Found::None => {
                let hint = nearest_of_any(word, directory.texts(Kind::RingGroup)).map_or_else(
                    || "write `all`, `none`, or names with commas between".to_owned(),
                    |name| format!("did you mean `{}`?", crate::text::sanitized(name, LONGEST)),
                );
                return Err(
                    Ending::Usage(format!("`--groups`: the account has no ring group `{shown}`; {hint}")).into()
                );
            }
        }
    }
    Ok(Some(chosen))
}

/// A group by its name or its extension number, also in the form of a reference: `ring_group/all` is a group, and `all`
/// is all of them.
fn find(word: &str, directory: &Directory<'_>) -> Found {
    let (bare, said) = match word.strip_prefix("ring_group/") {
        Some(bare) => (bare, true),
        None => (word, false),
    };
    if !said && matches!(word, "all" | "none") {
        return Found::None;
    }
    match Selector::parse(bare) {
        Ok(selector) => directory.find(&Reference { kind: Kind::RingGroup, selector }),
        Err(_) => Found::None,
    }
}
