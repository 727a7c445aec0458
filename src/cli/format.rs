//! Output formats.

use clap::ValueEnum as _;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// A command accepts the formats that it can write, and refuses the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text, coloured on a terminal
    #[default]
    Human,
    /// JSON
    Json,
    /// Markdown for pull requests and job summaries
    Markdown,
    /// GitHub workflow commands, shown as annotations beside the lines of the files
    Github,
    /// SARIF 2.1.0, for code scanning and editors
    Sarif,
    /// Step-by-step instructions for the Ooma Office portal
    Runbook,
    /// The digest of each change, for `apply --reviewed`
    Review,
}

/// Reads one of these formats; any other is a usage error that lists them.
pub(super) fn one_of(formats: &[Format]) -> impl TypedValueParser<Value = Format> + use<> {
    PossibleValuesParser::new(formats.iter().filter_map(Format::to_possible_value))
        .try_map(|text| Format::from_str(&text, false))
}
