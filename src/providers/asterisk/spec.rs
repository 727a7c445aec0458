//! What the `asterisk` provider declares, and how it is opened.

use std::future::ready;

use crate::model::{Capabilities, ExtensionChoice, Kind, RequestLimits, RingFor, RingForScope, Unassigned};
use crate::providers::open::{OpenRequest, Opened};
use crate::providers::registry::{Presence, ProviderSpec, SettingKind, SettingSpec};
use crate::providers::settings::SettingValue;
use crate::providers::snapshot;

use super::Asterisk;

/// The most members of a ring group.
pub(super) const MEMBERS: usize = 50;

const fn context(
    name: &'static str,
    default: fn(&str) -> SettingValue,
    about: &'static str,
    example: &'static str,
) -> SettingSpec {
    SettingSpec { name, kind: SettingKind::Word, presence: Presence::Default(default), about, example }
}

pub static SPEC: ProviderSpec = ProviderSpec {
    word: "asterisk",
    about: "Asterisk with its realtime tables in PostgreSQL.",
    offer: "the PostgreSQL tables of Asterisk",
    settings: &[
        SettingSpec {
            name: "database",
            kind: SettingKind::Database,
            presence: Presence::Required {
                hint: "write `database: postgresql://USER@HOST/DATABASE`",
                question: "Where is Asterisk's database?",
            },
            about: "the PostgreSQL database with Asterisk's realtime tables, without a password. The connection uses TLS \
                    unless the server is this machine.",
            example: "\"postgresql://strowger@db.example.org/asterisk\"",
        },
        SettingSpec {
            name: "password",
            kind: SettingKind::Secret,
            presence: Presence::Required {
                hint: "write `password: { env: STROWGER_TOKEN }`",
                question: "Where will the database password be?",
            },
            about: "where the password of the database user is found. A password is never written in a file.",
            example: "{\"env\": \"STROWGER_TOKEN\"}",
        },
        SettingSpec {
            name: "database_ca",
            kind: SettingKind::File,
            presence: Presence::Optional,
            about: "the certificates (PEM) that the certificate of the database is signed with, relative to this file. \
                    Without it, those that this system trusts.",
            example: "\"database-ca.pem\"",
        },
        context(
            "carrier_context",
            |_| SettingValue::Word("from-carrier".into()),
            "the context in which calls from the carrier begin: its extensions are the account's numbers.",
            "\"from-carrier\"",
        ),
        context(
            "group_context",
            |_| SettingValue::Word("ring-groups".into()),
            "the context of ring groups, which has nothing else.",
            "\"ring-groups\"",
        ),
        context(
            "internal_context",
            |_| SettingValue::Word("internal".into()),
            "the context of the phones: extension numbers are dialled in it.",
            "\"internal\"",
        ),
        context(
            "voicemail_context",
            |_| SettingValue::Word("default".into()),
            "the context of the mailboxes in the table `voicemail`.",
            "\"default\"",
        ),
        SettingSpec {
            name: "trunk",
            kind: SettingKind::Word,
            presence: Presence::Optional,
            about: "the PJSIP endpoint by which calls to outside numbers leave. Without it, no number can lead outside.",
            example: "\"carrier\"",
        },
        SettingSpec {
            name: "receptionists",
            kind: SettingKind::Dialplan,
            presence: Presence::Optional,
            about: "the virtual receptionists: what each is called, and its context and extension in the dialplan.",
            example: "{\"main\": \"ivr-main,s\"}",
        },
        SettingSpec {
            name: "conferences",
            kind: SettingKind::Dialplan,
            presence: Presence::Optional,
            about: "the conference lines: what each is called, and its context and extension in the dialplan.",
            example: "{\"board\": \"conferences,800\"}",
        },
    ],
    location: "database",
    is_read_only: false,
    is_embedded: false,
    rate_limits: &[],
    capabilities: || capabilities(true),
    workflow_remark: None,
    open: |request| Box::pin(ready(open(&request))),
};

/// What such accounts accept; outside numbers only through a trunk.
pub(super) fn capabilities(has_trunk: bool) -> Capabilities {
    let kinds = |all: &[Kind]| all.iter().copied().filter(|kind| has_trunk || *kind != Kind::External).collect();
    let seconds = |count| RingFor::from_seconds(count).unwrap_or(RingFor::SHORTEST);
    Capabilities {
        destinations: kinds(&Kind::DESTINATIONS),
        no_answer: kinds(&Kind::NO_ANSWER),
        unassigned: Unassigned::EndsCall,
        atomic_destination: true,
        ring_for_least: seconds(1),
        ring_for_most: seconds(3600),
        ring_for_scope: RingForScope::Member,
        members_most: Some(MEMBERS),
        extension_digits: (2, 8),
        extension_choice: ExtensionChoice::Always,
        // With what marks them, they fill the column.
        name_most: Some(128),
        label_most: Some(200),
        // Transactions take turns, so that none finds another in its way.
        requests: RequestLimits { per_second: None, concurrent: 1 },
        ..Capabilities::default()
    }
}

fn open(request: &OpenRequest<'_>) -> anyhow::Result<Opened> {
    let OpenRequest { settings, host, .. } = request;
    let Some((address, password)) = settings.endpoint() else { anyhow::bail!("`database` or `password` is missing") };
    let password = host.secret(password)?;
    let roots = settings.file("database_ca").map(|file| host.file("database_ca", file)).transpose()?;
    let roots = roots.map(|file| snapshot::text_of(&file, "list of certificates")).transpose()?;
    Ok(Opened::new(Asterisk::new(address, password, roots.as_ref().map(String::as_bytes), request)?))
}
