//! What output looks like.

/// What output looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: coloured on a terminal, plain elsewhere
    #[default]
    Human,
    /// For programs
    Json,
    /// For pull requests and job summaries
    Markdown,
}
