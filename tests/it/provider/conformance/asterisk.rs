//! Asterisk's tables, in a real PostgreSQL.

use std::collections::BTreeMap;
use std::path::Path;

use strowger::providers::{ClientOptions, Provider};

use super::subject::Subject;
use crate::support::postgres::{self, Database};

pub struct Tables {
    url: String,
}

/// The account of the suite.
const SEED: &str = "
    delete from ps_endpoints; delete from voicemail;
    insert into ps_endpoints (id, context, callerid) values ('ana', 'internal', 'Ana <201>'), ('ben', 'internal', 'Ben <202>');
    insert into voicemail (context, mailbox, password, fullname, email) values
        ('default', '201', '1234', 'Ana', 'ana@example.org'), ('default', '202', '1234', 'Ben', 'ben@example.org');
    insert into extensions (context, exten, priority, app, appdata) values
        ('from-carrier', '+33142685300', 1, 'Goto', 'internal,201,1'),
        ('from-carrier', '+33142685301', 1, 'Goto', 'internal,202,1'),
        ('from-carrier', '+33142685302', 1, 'Goto', 'ring-groups,old,1'),
        ('internal', '201', 1, 'Dial', 'PJSIP/ana,20,tT'), ('internal', '201', 2, 'VoiceMail', '201@default,su'),
        ('internal', '300', 1, 'Goto', 'ring-groups,support,1'), ('internal', '309', 1, 'Goto', 'ring-groups,old,1'),
        ('ring-groups', 'support', 1, 'Goto', 'ring-groups,support.1,1'),
        ('ring-groups', 'support', 1000, 'NoOp', 'strowger:name=support'),
        ('ring-groups', 'support.1', 1, 'Dial', 'PJSIP/ana,20'), ('ring-groups', 'support.1', 2, 'Hangup', '19'),
        ('ring-groups', 'old', 1, 'Goto', 'ring-groups,old.1,1'), ('ring-groups', 'old', 1000, 'NoOp', 'strowger:name=old'),
        ('ring-groups', 'old.1', 1, 'Dial', 'PJSIP/ana,20'), ('ring-groups', 'old.1', 2, 'Hangup', '19');
";

impl Subject for Tables {
    const WORD: &'static str = "asterisk";

    fn is_available() -> bool {
        postgres::is_available()
    }

    /// The database outlives this value, and the file has its address.
    async fn start(state: &Path) -> Self {
        if let Ok(url) = std::fs::read_to_string(state) {
            return Self { url };
        }
        let database = Database::new().await.unwrap();
        database.sql(SEED).await;
        std::fs::write(state, database.url()).unwrap();
        Self { url: database.url() }
    }

    fn url(&self) -> &str {
        &self.url
    }

    fn provider(url: &str) -> Box<dyn Provider> {
        Box::new(postgres::provider(url, ClientOptions::default()))
    }

    /// Phones, mailboxes with their passwords, and how a user rings.
    async fn unmodelled(url: &str) -> BTreeMap<String, String> {
        let client = Database::of(url).client().await;
        let mut found = BTreeMap::new();
        for (what, table, condition) in [
            ("phones", "ps_endpoints", "true"),
            ("mailboxes", "voicemail", "true"),
            ("a user's own rows", "extensions", "context = 'internal' and exten = '201'"),
        ] {
            let sql = format!(
                "select json_agg(row_to_json(t) order by row_to_json(t)::text)::text from {table} as t where {condition}"
            );
            found.insert(what.to_owned(), client.query_one(&sql, &[]).await.unwrap().get(0));
        }
        found
    }
}
