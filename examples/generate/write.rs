//! The two files of an account.

use std::io::{self, Write};

use super::account::{Account, Group, Label, Number, Target};

/// What the account is reached through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Provider {
    /// A file that is only read.
    Snapshot,
    /// An embedded account that begins as the file says.
    Sandbox,
}

/// How many objects a plan has to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Numbers and groups that differ.
    pub update: u64,
    /// Groups to make.
    pub create: u64,
    /// Groups to delete.
    pub delete: u64,
}

impl Differences {
    /// One write for each.
    pub fn writes(&self) -> u64 {
        self.update + self.create + self.delete
    }
}

/// Where the live side is, relative to the wanted one. A folder below, because the YAML files of one folder are
/// one account.
pub const LIVE: &str = "live/snapshot.yaml";

/// Extension numbers that no account has to spare for one group and that reach no help line: four digits first.
fn extension(index: u64) -> Option<String> {
    match index {
        0..9000 => Some((1000 + index).to_string()),
        9000..9700 => {
            Some((200 + index - 9000).to_string()).filter(|text| !matches!(text.as_str(), "411" | "611" | "711"))
        }
        _ => None,
    }
}

/// How many extensions there can be if each needs a number.
pub const MOST_EXTENSIONS: u64 = 9000;

/// `+999` is not assigned, so no file calls a real number by accident.
fn e164(index: u64) -> u64 {
    999_100_000_000 + index
}

fn reference(account: &Account, target: Target, live: bool) -> String {
    match target {
        Target::Receptionist => "receptionist/main".to_owned(),
        Target::Conference => "conference/bridge".to_owned(),
        Target::User(user) => format!("user/{}", email(user)),
        Target::Voicemail(user) => format!("voicemail/{}", email(user)),
        Target::Device(user) => format!("device/desk-{user}"),
        Target::Group(group) => format!("ring_group/{}", name(group, live && account.is_renamed(group))),
        Target::None => "none".to_owned(),
    }
}

fn email(user: u64) -> String {
    format!("user{user}@example.org")
}

fn name(group: u64, former: bool) -> String {
    format!("{}-{group}", if former { "crew" } else { "team" })
}

fn label(index: u64, label: Label) -> String {
    match label {
        Label::Wanted => format!("Line {index}"),
        Label::Old => format!("Old line {index}"),
    }
}

/// The desired account.
pub fn wanted(account: &Account, provider: Provider, out: &mut impl Write) -> io::Result<()> {
    let shape = account.shape;
    writeln!(out, "# Made by `cargo run --example generate` from seed {}.", shape.seed)?;
    let provider = match provider {
        Provider::Snapshot => format!("provider: snapshot, file: {LIVE}"),
        Provider::Sandbox => format!("provider: sandbox, seed: {LIVE}"),
    };
    writeln!(out, "version: 1\naccount: {{ name: generated, country: FR, {provider} }}\nnumbers:")?;
    for index in 0..shape.numbers {
        number(account, index, account.wanted_number(index), false, out)?;
    }
    if shape.groups > 0 {
        writeln!(out, "ring_groups:")?;
    }
    for index in 0..shape.groups {
        group(account, index, &account.wanted_group(index), false, out)?;
    }
    let mut closing = account.closing_groups().peekable();
    if closing.peek().is_some() {
        writeln!(out, "absent:")?;
    }
    for group in closing {
        writeln!(out, "  - ring_group/closing-{group}")?;
    }
    Ok(())
}

/// The account as it is, and what has to be written to make it the desired one.
pub fn live(account: &Account, out: &mut impl Write) -> io::Result<Differences> {
    let shape = account.shape;
    let mut differences = Differences::default();
    writeln!(out, "snapshot: 1\naccount: {{ name: generated, country: FR, default_number: \"+{}\" }}", e164(0))?;
    writeln!(out, "users:")?;
    let first = shape.groups + 2;
    for user in 0..shape.users {
        let extension = written_extension(extension(first + user));
        writeln!(out, "  {}: {{ name: User {user}, {extension}devices: {{ desk-{user}: ip_phone }} }}", email(user))?;
    }
    let [main, bridge] = [0, 1].map(|index| written_extension(extension(shape.groups + index)));
    writeln!(out, "receptionists:\n  main: {{ {main}keys: {{ \"0\": user/{} }} }}", email(0))?;
    writeln!(out, "conferences:\n  bridge: {{ {bridge}}}")?;
    if shape.groups > 0 {
        writeln!(out, "ring_groups:")?;
    }
    for index in 0..shape.groups {
        match account.live_group(index) {
            Some(live) => {
                group(account, index, &live, true, out)?;
                differences.update += u64::from(live != account.wanted_group(index));
            }
            None => differences.create += 1,
        }
    }
    for (index, group) in (first + shape.users..).zip(account.closing_groups()) {
        let extension = written_extension(extension(index));
        writeln!(out, "  closing-{group}: {{ {extension}members: [user/{}] }}", email(0))?;
        differences.delete += 1;
    }
    writeln!(out, "numbers:")?;
    for index in 0..shape.numbers {
        let live = account.live_number(index);
        number(account, index, live, true, out)?;
        differences.update += u64::from(live != account.wanted_number(index));
    }
    Ok(differences)
}

fn number(account: &Account, index: u64, number: Number, live: bool, out: &mut impl Write) -> io::Result<()> {
    write!(out, "  \"+{}\": {{ to: {}", e164(index), reference(account, number.to, live))?;
    if let Some(text) = number.label {
        write!(out, ", label: {}", label(index, text))?;
    }
    writeln!(out, " }}")
}

fn group(account: &Account, index: u64, group: &Group, live: bool, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "  {}:", name(index, group.former_name))?;
    if !live && account.is_renamed(index) {
        writeln!(out, "    renamed_from: {}", name(index, true))?;
    }
    if let Some(extension) = extension(index) {
        writeln!(out, "    extension: \"{extension}\"")?;
    }
    writeln!(out, "    ring: {}", if group.sequential { "sequential" } else { "simultaneous" })?;
    let members: Vec<_> = group.members.iter().map(|member| reference(account, *member, live)).collect();
    writeln!(out, "    members: [{}]\n    ring_for: {}s", members.join(", "), group.seconds)?;
    // A seed leaves out what it has not.
    if !live || group.no_answer != Target::None {
        writeln!(out, "    no_answer: {}", reference(account, group.no_answer, live))?;
    }
    Ok(())
}

fn written_extension(extension: Option<String>) -> String {
    extension.map(|extension| format!("extension: \"{extension}\", ")).unwrap_or_default()
}
