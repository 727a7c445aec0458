//! The commands on Asterisk's tables, with the real binary and a real PostgreSQL.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use fastrand::Rng;
use strowger::config;

use crate::support::commands::{self, expect, stderr};
use crate::support::postgres::{Database, read};
use crate::support::process::Watch;

const NUMBERS: &str = "
    insert into extensions (context, exten, priority, app, appdata)
        select 'from-carrier', '+3314268530' || n, 1, 'Hangup', '1' from generate_series(0, 9) as n";

async fn office() -> Option<Database> {
    let database = Database::new().await?;
    database.sql(NUMBERS).await;
    Some(database)
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = commands::command(folder, arguments);
    command.env("ASTERISK_PASSWORD", "bench");
    command
}

fn strowger(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn init(folder: &Path, url: &str, more: &[&str]) -> Output {
    let arguments = ["init", "phones", "--provider", "asterisk", "--database", url, "--token-env", "ASTERISK_PASSWORD"];
    strowger(folder, &[&arguments[..], &["--country", "FR", "--yes"], more].concat())
}

/// The account section for a database.
fn head(database: &Database) -> String {
    format!(
        "version: 1\naccount:\n  name: bench\n  provider: asterisk\n  country: FR\n  database: {}\n  \
         password: {{ env: ASTERISK_PASSWORD }}\n  trunk: carrier\n  receptionists: {{ main: \"ivr-main,s\" }}\n  \
         conferences: {{ board: \"conferences,800\" }}\n",
        database.url()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn init_writes_files_whose_plan_is_empty_and_says_what_is_wrong_with_the_way_there() {
    let Some(database) = office().await else { return };
    let folder = tempfile::tempdir().unwrap();
    expect(&init(folder.path(), &database.url(), &[]), 0);
    let written = fs::read_to_string(folder.path().join("phones/account.yaml")).unwrap();
    for line in ["provider: asterisk", "password: { env: ASTERISK_PASSWORD }", "group_context: ring-groups"] {
        assert!(written.contains(line), "{written}");
    }
    assert!(expect(&strowger(folder.path(), &["plan", "phones"]), 0).contains("No changes"));

    let other = tempfile::tempdir().unwrap();
    database.sql("revoke select on voicemail from strowger; revoke select (context, mailbox, fullname, email) on voicemail from strowger").await;
    for (url, why) in [
        (database.url(), "voicemail"),
        (
            format!("postgresql://nobody@{}/{}", database.address, database.name),
            "does not accept the user or its password",
        ),
        (format!("postgresql://strowger@{}/other", database.address), "check the name of the database"),
        ("postgresql://strowger@127.0.0.1:1/other".to_owned(), "cannot reach the database"),
        ("postgresql://strowger:bench@127.0.0.1/other".to_owned(), "the address holds a password"),
        ("https://db.example.org/".to_owned(), "not one of a PostgreSQL database"),
    ] {
        let output = init(other.path(), &url, &[]);
        assert_ne!(output.status.code(), Some(0));
        let said = stderr(&output);
        assert!(said.contains(why) && !said.contains("bench"), "{url}: {said}");
        assert!(!other.path().join("phones").exists(), "{url}");
    }
}

/// Numbers and ring groups of every form that the tables can hold.
fn any_office(rng: &mut Rng) -> String {
    let pick = |rng: &mut Rng, all: &[&str]| (*rng.choice(all).unwrap()).to_owned();
    let mut text = "policy: { external: [\"FR\"], caps: { numbers: { update: off, unassign: off }, ring_groups: { update: off } } }\nring_groups:\n".to_owned();
    let names = ["Ventes", "Accueil", "\"\u{c9}t\u{e9} d'hiver\"", "\"a;b ${x} # \\\"y\\\"\""];
    let made = rng.usize(1..=names.len());
    let mut targets: Vec<String> = [
        "user/201",
        "user/202",
        "user/203",
        "voicemail/201",
        "voicemail/Night",
        "receptionist/main",
        "external/+33612345678",
    ]
    .map(str::to_owned)
    .to_vec();
    for (position, name) in names.iter().take(made).enumerate() {
        let mut members = ["user/201", "user/203", "device/door", "user/202"].to_vec();
        if rng.bool() {
            *members.last_mut().unwrap() = "device/ben-soft";
        }
        rng.shuffle(&mut members);
        members.truncate(rng.usize(1..=4));
        let order = pick(rng, &["simultaneous", "sequential"]);
        let no_answer = if rng.bool() { "none".to_owned() } else { rng.choice(&targets).unwrap().clone() };
        let seconds = rng.usize(1..=3600);
        let extension = if rng.bool() { format!("extension: \"{}\", ", 300 + position) } else { String::new() };
        let members = members.join(", ");
        text.push_str(&format!(
            "  {name}: {{ {extension}ring: {order}, members: [{members}], ring_for: {seconds}s, no_answer: {} }}\n",
            quoted(&no_answer)
        ));
        let plain = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
        targets.push(format!("ring_group/{}", plain.replace("\\\"", "\"")));
    }
    text.push_str("numbers:\n");
    targets.extend(["none", "conference/board"].map(str::to_owned));
    for number in 0..10 {
        if rng.usize(..4) > 0 {
            let to = quoted(rng.choice(&targets).unwrap());
            let label = pick(rng, &["\"\"", "Ventes", "\"strowger:label=x;${EXTEN}, \\\"z\\\"\""]);
            text.push_str(&format!("  \"+3314268530{number}\": {{ to: {to}, label: {label} }}\n"));
        }
    }
    text
}

fn quoted(text: &str) -> String {
    if text == "none" { text.to_owned() } else { serde_json::to_string(text).unwrap() }
}

/// Files that an account was made from are those that it is exported to, but for their form.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_has_an_empty_plan_whatever_the_account() {
    let Some(database) = office().await else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("phones")).unwrap();
    let head = head(&database);
    for case in 0..12 {
        let office = any_office(&mut Rng::with_seed(case));
        fs::write(folder.path().join("phones/account.yaml"), format!("{head}\n{office}")).unwrap();
        let applied = strowger(folder.path(), &["apply", "phones", "--auto-approve"]);
        assert_eq!(applied.status.code(), Some(0), "case {case}: {office}\n{}", stderr(&applied));
        let before = database.rows().await;
        let exported = expect(&strowger(folder.path(), &["export", "phones"]), 0);
        fs::write(folder.path().join("phones/account.yaml"), &exported).unwrap();
        let planned = strowger(folder.path(), &["plan", "phones"]);
        assert!(expect(&planned, 0).contains("No changes"), "case {case}: {office}\n{exported}");
        assert_eq!(database.rows().await, before, "case {case}: looking wrote something");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_corrects_what_another_admin_changed_and_removes_what_no_call_needs() {
    let Some(database) = office().await else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("phones")).unwrap();
    let head = head(&database);
    let path = folder.path().join("phones/account.yaml");
    let office = "numbers: { \"+33142685300\": { to: ring_group/Ventes } }\nring_groups: { Ventes: { members: [user/201], ring_for: 20s } }\n";
    fs::write(&path, format!("{head}\n{office}")).unwrap();
    let mut command = command(folder.path(), &["watch", "phones", "--mode", "correct", "--interval", "100ms"]);
    let watch = Watch::spawn({
        command.env("STROWGER_LOG", "info");
        command
    });
    watch.until_it_says("in sync");
    database.sql("update extensions set appdata = '17' where exten = '+33142685301'").await;
    database.sql("update extensions set app = 'Hangup', appdata = '17' where exten = '+33142685300'").await;
    let corrected = || async {
        database.rows().await.iter().any(|row| row.starts_with("from-carrier|+33142685300|1|Goto|ring-groups,"))
    };
    eventually("the number leads to its group again", corrected).await;
    assert!(database.rows().await.contains(&"from-carrier|+33142685301|1|Hangup|17".to_owned()), "it is not managed");
    fs::write(&path, format!("{head}\n{}", office.replace("user/201", "user/203"))).unwrap();
    let retired = || async { database.rows().await.iter().any(|row| row.contains("|1001|NoOp|")) };
    eventually("a version is retired", retired).await;
    database.sql("update extensions set appdata = 'strowger:until=2020-01-01T00:00:00Z' where priority = 1001").await;
    let gone = || async { !database.rows().await.iter().any(|row| row.contains("|1001|NoOp|")) };
    eventually("it is removed", gone).await;
    let (code, said) = watch.stop_and_read();
    assert_eq!(code, Some(0), "{said}");
    let live = read(&database.provider()).await;
    assert_eq!(live.ring_groups.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_hears_of_a_change_where_the_table_has_the_trigger() {
    let Some(database) = office().await else { return };
    database.sql(&trigger()).await;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("phones")).unwrap();
    let files = "numbers: { \"+33142685300\": { to: user/201 } }\n";
    fs::write(folder.path().join("phones/account.yaml"), format!("{}\n{files}", head(&database))).unwrap();
    let watch = Watch::spawn(command(folder.path(), &["watch", "phones", "--mode", "correct", "--interval", "1h"]));
    watch.until_it_says("in sync");
    let client = database.client().await;
    let listens =
        "select count(*) from pg_stat_activity where query = 'listen strowger' and datname = current_database()";
    eventually("it listens", || async { client.query_one(listens, &[]).await.unwrap().get::<_, i64>(0) > 0 }).await;
    database.sql("update extensions set appdata = 'internal,203,1' where exten = '+33142685300'").await;
    let corrected = "from-carrier|+33142685300|1|Goto|internal,201,1".to_owned();
    eventually("it is corrected long before the interval", || async { database.rows().await.contains(&corrected) })
        .await;
    assert_eq!(watch.stop(), Some(0));
}

/// The trigger of the provider's page.
fn trigger() -> String {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/providers/asterisk.md")).unwrap();
    let block = page.split("```sql\n").find(|block| block.starts_with("CREATE FUNCTION")).unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// Waits until a condition holds. Time is only what a hung machine has.
async fn eventually<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let began = std::time::Instant::now();
    while !holds().await {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[test]
fn wrong_settings_have_a_place_and_a_remedy() {
    let good = [
        ("database", "postgresql://a@db.example.org/b"),
        ("password", "{ env: P }"),
        ("carrier_context", "from-carrier"),
        ("receptionists", "{ main: \"ivr-main,s\" }"),
    ];
    let rules = |name: &str, value: &str| {
        let fields = good.iter().map(|(own, right)| format!("  {own}: {}\n", if *own == name { value } else { right }));
        let more =
            if good.iter().any(|(own, _)| *own == name) { String::new() } else { format!("  {name}: {value}\n") };
        let text = format!(
            "version: 1\naccount:\n  name: a\n  provider: asterisk\n{}{more}numbers: {{ \"+33142685300\": {{ to: user/201 }} }}\n",
            fields.collect::<String>()
        );
        let loaded = config::text(Path::new(""), "a.yaml", &text);
        assert!(
            loaded.diagnostics.iter().all(|one| one.span.is_some() && one.hint.is_some()),
            "{:#?}",
            loaded.diagnostics
        );
        loaded.diagnostics.iter().map(|finding| finding.rule.id).collect::<Vec<_>>()
    };
    assert_eq!(rules("trunk", "carrier"), Vec::<&str>::new());
    for (name, value, rule) in [
        ("database", "postgresql://db.example.org/b", "wrong-value"),
        ("database", "postgresql://a@/b", "wrong-value"),
        ("database", "postgresql://a@db.example.org", "wrong-value"),
        ("database", "postgresql://a@db.example.org/b?sslmode=disable", "wrong-value"),
        ("database", "postgresql://a:hunter2@db.example.org/b", "literal-secret"),
        ("database", "mysql://a@db.example.org/b", "wrong-value"),
        ("password", "hunter2", "literal-secret"),
        ("carrier_context", "\"from carrier\"", "wrong-value"),
        ("carrier_context", "\"a,b\"", "wrong-value"),
        ("receptionists", "{ main: ivr-main }", "wrong-value"),
        ("receptionists", "{ main: \"ivr-main,s,1\" }", "wrong-value"),
        ("receptionists", "{ main: \"a,s\", Main: \"b,s\" }", "duplicate-key"),
        ("receptionists", "[main]", "wrong-type"),
        ("url", "https://example.org", "wrong-provider-field"),
    ] {
        assert_eq!(rules(name, value), [rule], "{name}: {value}");
    }
}
