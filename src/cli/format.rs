//! What output looks like.

use clap::ValueEnum as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::render::runbook::Language;

/// What output looks like. A command takes the formats that it can write, and refuses the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: coloured on a terminal, plain elsewhere
    #[default]
    Human,
    /// For programs
    Json,
    /// For pull requests and job summaries
    Markdown,
    /// For the log of a GitHub workflow, which shows it beside the lines of the files
    Github,
    /// For code scanning and editors: SARIF 2.1.0
    Sarif,
    /// For people at the Ooma Office portal: what to look at and what to click
    Runbook,
    /// For `apply --reviewed`: the digest of each change
    Review,
}

/// The language of a runbook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Lang {
    /// English
    #[default]
    En,
    /// French
    Fr,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Self::English,
            Lang::Fr => Self::French,
        }
    }
}

/// Reads one of these formats; any other is a usage error that lists them.
pub(super) fn one_of(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    PossibleValuesParser::new(formats.iter().filter_map(Format::to_possible_value))
        .try_map(|text| Format::from_str(&text, false))
}
