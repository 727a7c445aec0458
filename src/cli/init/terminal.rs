//! The questions on a terminal: what is shown and typed. Other modules interpret the answers.
//!
//! Esc and Ctrl-C end every question with [`Ending::Left`]. Texts that come from an account are escaped before they
//! get here.

use std::fmt;
use std::io::{self, IsTerminal as _};

use inquire::list_option::ListOption;
use inquire::validator::{StringValidator, Validation};
use inquire::{Confirm, InquireError, MultiSelect, Select, Text};

use super::Ending;

/// A terminal for questions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal(());

/// An option of a short list, with its text.
struct Shown<L, T>((L, T));

impl<L: fmt::Display, T> fmt::Display for Shown<L, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}

/// An option of a long list.
#[derive(Debug)]
pub(super) struct Row {
    /// What is seen.
    shown: String,
    /// What is looked through, in small letters.
    sought: String,
}

impl Row {
    pub(super) fn new(text: &str, columns: usize) -> Self {
        // The cursor, the box, and a column in which the terminal may wrap.
        Self { shown: fitted(text, columns.saturating_sub(8)), sought: text.to_lowercase() }
    }

    /// Whether it is found by what is typed: any part of it, or a number in the national form.
    fn fits(&self, typed: &str) -> bool {
        let typed = typed.trim().to_lowercase();
        if self.sought.contains(&typed) {
            return true;
        }
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        let is_number = !digits.is_empty() && typed.chars().all(|c| c.is_ascii_digit() || ".-/()+".contains(c));
        is_number && self.sought.contains(digits.trim_start_matches('0'))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Terminal {
    /// The terminal of this process, if it has one at both ends and that can do more than print.
    pub(super) fn here() -> Option<Self> {
        let both = io::stdin().is_terminal() && io::stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        (both && !dumb).then_some(Self(()))
    }

    /// How many columns a line may have, as the window is now.
    pub(super) fn columns(self) -> usize {
        self.size().0
    }

    #[expect(clippy::unused_self, reason = "only a terminal has a size")]
    fn size(self) -> (usize, usize) {
        let size = terminal_size::terminal_size_of(io::stderr());
        size.map_or((80, 24), |(columns, rows)| (columns.0.into(), rows.0.into()))
    }

    /// One of a few options, each with what is shown of it; the cursor starts at a position.
    pub(super) fn one_of<L: fmt::Display, T>(
        self,
        question: &str,
        options: impl IntoIterator<Item = (L, T)>,
        start: usize,
    ) -> anyhow::Result<T> {
        let select = Select::new(question, options.into_iter().map(Shown).collect())
            .with_starting_cursor(start)
            .with_page_size(self.page())
            .with_help_message("↑↓ and Enter, Esc ends");
        answered(select.prompt()).map(|Shown((_, option))| option)
    }

    /// Some of many options, by their positions; at least one.
    pub(super) fn some_of(self, question: &str, options: Vec<Row>, noun: &'static str) -> anyhow::Result<Vec<usize>> {
        let scorer = |typed: &str, row: &Row, _: &str, position: usize| {
            // A higher score comes first, so the order stays.
            row.fits(typed).then(|| -i64::try_from(position).unwrap_or(i64::MAX))
        };
        let formatter = move |chosen: &[ListOption<&Row>]| match chosen {
            [one] => one.value.shown.clone(),
            several => crate::render::counted(several.len(), noun),
        };
        let validator = |chosen: &[ListOption<&Row>]| {
            Ok(if chosen.is_empty() {
                Validation::Invalid("Choose one with the space bar at least.".into())
            } else {
                Validation::Valid
            })
        };
        let select = MultiSelect::new(question, options)
            .with_page_size(self.page())
            .with_scorer(&scorer)
            .with_formatter(&formatter)
            .with_validator(validator)
            .with_help_message("Space, → these, ← none, type to find");
        answered(select.raw_prompt()).map(|chosen| chosen.into_iter().map(|option| option.index).collect())
    }

    /// A text, which `wrong` finds nothing wrong with.
    #[expect(clippy::unused_self, reason = "only who has a terminal can ask")]
    pub(super) fn text(
        self,
        question: &str,
        default: Option<&str>,
        help: Option<&str>,
        wrong: impl Fn(&str) -> Option<String> + Clone + 'static,
    ) -> anyhow::Result<String> {
        let validator = move |typed: &str| {
            let typed = typed.trim();
            let found = if typed.is_empty() { Some("An answer is needed.".to_owned()) } else { wrong(typed) };
            Ok(found.map_or(Validation::Valid, |found| Validation::Invalid(found.into())))
        };
        let validator: Box<dyn StringValidator> = Box::new(validator);
        let mut text = Text::new(question).with_validators(&[validator]);
        text.default = default;
        text.help_message = help;
        answered(text.prompt()).map(|typed| typed.trim().to_owned())
    }

    /// Yes or no.
    #[expect(clippy::unused_self, reason = "only who has a terminal can ask")]
    pub(super) fn confirm(self, question: &str, default: bool) -> anyhow::Result<bool> {
        answered(Confirm::new(question).with_default(default).prompt())
    }

    /// As many options as leave room for the question and its help.
    fn page(self) -> usize {
        self.size().1.saturating_sub(6).clamp(3, 15)
    }
}

fn answered<T>(answer: Result<T, InquireError>) -> anyhow::Result<T> {
    answer.map_err(|error| match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => Ending::Left.into(),
        error => error.into(),
    })
}

/// The text in so many columns at most, if each character has one.
pub(super) fn fitted(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut fitted: String = text.chars().take(columns.saturating_sub(1)).collect();
    fitted.push('…');
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_every_spelling_and_a_label_in_every_case() {
        let row = Row::new("+33142685300  receptionist/main  Accueil", 40);
        for typed in ["", "+3314", "685300", "014268", "01.42.68.53.00", "accu", "MAIN"] {
            assert!(row.fits(typed), "{typed}");
        }
        for typed in ["0143", "ventes", "0142x"] {
            assert!(!row.fits(typed), "{typed}");
        }
        assert_eq!(row.to_string(), "+33142685300  receptionist/main…");
    }
}
