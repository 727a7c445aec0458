//! `init --from`: an account from a spreadsheet of numbers, for systems without an API.

use std::path::Path;

use crate::check::phone;
use crate::check::settings::Country;
use crate::providers::snapshot::{self, Format};
use crate::text::sanitized;

use super::Ending;
use super::account::{self, Head};
use super::arguments::Arguments;
use super::connect::Connected;
use super::place::Place;
use super::terminal::Terminal;

/// Where the snapshot is written, from the account's folder. Not beside `account.yaml`, because every YAML file there is
/// part of the account's files.
const SNAPSHOT: &str = "snapshot/live.yaml";

/// The files of spreadsheet programs themselves.
const PROGRAM_FORMATS: [&str; 4] = ["xlsx", "xls", "ods", "numbers"];

/// Reads the spreadsheet as the account that it describes.
pub(super) fn connect(
    arguments: &Arguments,
    terminal: Option<Terminal>,
    place: &Place,
    file: &Path,
) -> anyhow::Result<Connected> {
    let shown = sanitized(&file.to_string_lossy(), 200);
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    if let Some(extension) = extension.filter(|extension| PROGRAM_FORMATS.contains(&extension.as_str())) {
        let why =
            format!("{shown}: a `.{extension}` file cannot be read: export it from the spreadsheet as CSV (UTF-8)");
        return Err(Ending::Spreadsheet(vec![why]).into());
    }
    let text = snapshot::text_of(file, "spreadsheet")?;
    let country = account::country(arguments, terminal)?;
    let name = account::name(arguments, terminal, &place.name().unwrap_or_default())?;
    let known = country.as_deref().and_then(Country::parse);
    let live = snapshot::of_spreadsheet(&text, &name, |text| phone::meant(text, known))
        .map_err(|errors| Ending::Spreadsheet(errors.into_iter().map(|error| format!("{shown}: {error}")).collect()))?;
    let written = snapshot::write(&live);
    // The ids are those of the snapshot, as when it is read again.
    let live = snapshot::parse(&written, Format::Yaml)?;
    let path = place.folder.join(SNAPSHOT);
    let provider = snapshot::settings(&path);
    Ok(Connected { provider, head: Head { name: Some(name), country }, live, files: vec![(path, written)] })
}
