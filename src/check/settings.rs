//! The settings of an account: its `account` section.

use crate::model::{OwnerName, Span};
use crate::providers::settings::ProviderSettings;
use crate::text::file_stem;

/// How an account is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub name: Box<str>,
    pub name_span: Span,
    /// The country whose national spellings of numbers are recognised.
    pub country: Option<Country>,
    /// Who manages it, if the files say so.
    pub owner: Option<OwnerName>,
    /// What it is reached through.
    pub provider: ProviderSettings,
    pub provider_span: Span,
}

/// A country code that the phone-number library knows, such as `FR`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country(pub(super) phonenumber::country::Id);

impl std::fmt::Display for Country {
    /// The two capital letters of ISO 3166.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_ref())
    }
}

impl Settings {
    /// What files of this account are called, without their suffix.
    pub fn file_stem(&self) -> String {
        file_stem(&self.name)
    }
}
