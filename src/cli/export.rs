//! `strowger export`: the live account as files whose plan is empty.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::check::schema;
use crate::config::{self, Account};
use crate::diag::has_errors;
use crate::exit::Exit;
use crate::providers::office::{self, Office};
use crate::providers::settings::SecretRef;
use crate::providers::snapshot::{self, Snapshot};
use crate::providers::{Access, ClientOptions, FetchedAccount, Provider as _};
use crate::render::export::{ByFolder, Choice, ExportOptions, export};
use crate::render::{counted, json};

use super::accept::Accept;
use super::open::open;
use super::read_account::runtime;
use super::request_limits::Effort;
use super::{account_section, console, progress, secrets, write_file};

/// The schema's file beside the account's, so that editors find it without a network.
pub(super) const SCHEMA: &str = "account.v1.schema.json";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files of the account: only its `account` section is used
    #[arg(value_name = "PATH", required_unless_present_any = ["url", "snapshot"])]
    path: Option<PathBuf>,
    /// A server of the Account API, instead of files
    #[arg(long, value_name = "URL", conflicts_with_all = ["path", "snapshot"], requires = "token_env")]
    url: Option<String>,
    /// The environment variable that holds the token for `--url`
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    /// A snapshot file, instead of files
    #[arg(long, value_name = "FILE", conflicts_with = "path")]
    snapshot: Option<PathBuf>,
    /// The folder for the files, made if absent; existing files stay as they are. Without it, stdout
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Freeze the account as a snapshot instead
    #[arg(long)]
    as_snapshot: bool,
    #[command(flatten)]
    accept: Accept,
}

/// What to export, and how the new files will reach it.
struct Source {
    name: String,
    country: Option<String>,
    provider: Vec<String>,
    read: FetchedAccount,
}

/// Reads the account and writes its files.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let Some(source) = runtime()?.block_on(source(arguments))? else { return Ok(Exit::Invalid) };
    let mut files = if arguments.as_snapshot {
        vec![("snapshot.yaml".to_owned(), snapshot::write(&source.read.live))]
    } else {
        let by_folder = if arguments.out.is_some() { ByFolder::Auto } else { ByFolder::Never };
        let options = ExportOptions {
            name: source.name,
            country: source.country,
            provider: source.provider,
            schema: SCHEMA.to_owned(),
            by_folder,
            only: Choice::default(),
        };
        export(&source.read.live, &options)
    };
    match &arguments.out {
        None => {
            for (_, text) in &files {
                console::print_bytes(text.as_bytes());
            }
        }
        Some(folder) => {
            if !arguments.as_snapshot {
                files.push((SCHEMA.to_owned(), json::text(&schema::account())));
            }
            save(folder, &files)?;
        }
    }
    Ok(Exit::Ok)
}

async fn source(arguments: &Arguments) -> anyhow::Result<Option<Source>> {
    if let Some(file) = &arguments.snapshot {
        let read = progress::during("reading the snapshot", Snapshot::new(file).read()).await?;
        // The new files may be put anywhere, and a path in a file is relative to that file.
        let whole = fs::canonicalize(file).with_context(|| format!("cannot find {}", file.display()))?;
        let provider = account_section::provider(&snapshot::settings(whole), &Path::to_path_buf);
        return Ok(Some(Source { name: read.live.account.name.to_string(), country: None, provider, read }));
    }
    if let (Some(url), Some(name)) = (&arguments.url, &arguments.token_env) {
        let token = SecretRef::Env(name.as_str().into());
        let options = ClientOptions { access: Access::ReadOnly, ..ClientOptions::default() };
        let provider = Office::new(url, secrets::resolve(&token, Path::new(""))?, options)?;
        let read = progress::during("reading the account", provider.read()).await?;
        let lines = account_section::provider(&office::settings(url, token), &Path::to_path_buf);
        return Ok(Some(Source { name: read.live.account.name.to_string(), country: None, provider: lines, read }));
    }
    let Some(path) = &arguments.path else { bail!("give a path, `--url` or `--snapshot`") };
    let loaded = arguments.accept.load(std::slice::from_ref(path), None)?;
    if has_errors(&loaded.diagnostics) {
        console::report(&loaded, &loaded.diagnostics);
        return Ok(None);
    }
    let [account] = loaded.accounts.as_slice() else {
        bail!("{} holds {}; export one at a time", path.display(), counted(loaded.accounts.len(), "account"));
    };
    read_account(account).await.map(Some)
}

async fn read_account(account: &Account) -> anyhow::Result<Source> {
    let opened = open(account, Access::ReadOnly, Effort::default()).await?;
    let read = progress::during("reading the account", opened.provider.read()).await;
    opened.close().await;
    let read = read.with_context(|| format!("cannot read the account {}", account.settings.name))?;
    let root = fs::canonicalize(config::or_here(&account.root))?;
    // The new files may be put anywhere.
    let provider = account_section::provider(&account.settings.provider, &|path| root.join(path));
    let country = account.settings.country.map(|country| country.to_string());
    Ok(Source { name: account.settings.name.to_string(), country, provider, read })
}

/// Writes the files; one that exists already, or cannot be written, leaves none.
fn save(folder: &Path, files: &[(String, String)]) -> anyhow::Result<()> {
    if let Some((name, _)) = files.iter().find(|(name, _)| folder.join(name).symlink_metadata().is_ok()) {
        bail!("{} exists already; choose another folder, or remove it first", folder.join(name).display());
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (folder.join(name), text.clone())).collect();
    write_file::create_all(&files)?.keep();
    for (path, _) in &files {
        console::note(&format!("wrote {}", path.display()));
    }
    Ok(())
}
