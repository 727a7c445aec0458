//! The `asterisk` provider on a real PostgreSQL: what it writes, and each trap of realtime tables.

use std::time::Duration;

use strowger::apply::{Options, Outcome, execute};
use strowger::ledger::ChangeOutcome;
use strowger::model::{Kind, LiveAccount};
use strowger::plan::Plan;
use strowger::providers::{ClientOptions, Provider, ReadError, Secret, WriteError};

use crate::laws::severities;
use crate::support::postgres::{self, Database, desired, of, planned, read, read_only};

const ROWS: &str = "
    insert into extensions (context, exten, priority, app, appdata) values
        ('from-carrier', '+33142685300', 1, 'Goto', 'ivr-main,s,1'),
        ('from-carrier', '+33142685301', 1, 'Goto', 'internal,201,1'),
        ('from-carrier', '+33142685302', 1, 'Goto', 'ring-groups,7f3a,1'),
        ('from-carrier', '+33142685302', 1000, 'NoOp', 'strowger:label=Ventes'),
        ('internal', '300', 1, 'Goto', 'ring-groups,7f3a,1'),
        ('ring-groups', '7f3a', 1, 'Goto', 'ring-groups,7f3a.4,1'),
        ('ring-groups', '7f3a', 1000, 'NoOp', 'strowger:name=Ventes'),
        ('ring-groups', '7f3a.4', 1, 'Dial', 'PJSIP/ana&${PJSIP_DIAL_CONTACTS(ben)}&PJSIP/ben-soft,20'),
        ('ring-groups', '7f3a.4', 2, 'Hangup', '19')";

async fn office() -> Option<Database> {
    let database = Database::new().await?;
    database.sql(ROWS).await;
    Some(database)
}

async fn apply(plan: &Plan, provider: &dyn Provider) -> Outcome {
    execute(plan, provider, Options::default(), &()).await
}

/// Applies the files, and says which rows came and which went.
async fn difference(database: &Database, text: &str) -> (Vec<String>, Vec<String>) {
    let provider = database.provider();
    let before = database.rows().await;
    let plan = planned(text, &read(&provider).await);
    let outcome = apply(&plan, &provider).await;
    assert!(outcome.is_complete(), "{outcome:#?}");
    let rest = planned(text, &read(&provider).await);
    assert!(rest.is_empty(), "{rest:#?}");
    let after = database.rows().await;
    let only = |these: &[String], those: &[String]| these.iter().filter(|row| !those.contains(row)).cloned().collect();
    (only(&after, &before), only(&before, &after))
}

#[tokio::test]
async fn a_number_is_one_row_and_its_label_another() {
    let Some(database) = office().await else { return };
    let text = |to: &str| {
        format!("policy: {{ external: [\"FR\"] }}\nnumbers: {{ \"+33142685301\": {{ to: {to}, label: L }} }}")
    };
    for (to, row) in [
        ("receptionist/main", "Goto|ivr-main,s,1"),
        ("conference/board", "Goto|conferences,800,1"),
        ("ring_group/Ventes", "Goto|ring-groups,7f3a,1"),
        ("voicemail/201", "VoiceMail|201@default,u"),
        ("voicemail/Night", "VoiceMail|900@default,u"),
        ("external/+33612345678", "Dial|PJSIP/+33612345678@carrier,60"),
        ("user/202", "Goto|internal,202,1"),
    ] {
        let (new, old) = difference(&database, &text(to)).await;
        assert!(new.contains(&format!("from-carrier|+33142685301|1|{row}")), "{to}: {new:?}");
        assert_eq!(old.len(), 1, "{to}: {old:?}");
    }
    assert!(database.rows().await.contains(&"from-carrier|+33142685301|1000|NoOp|strowger:label=L".to_owned()));
}

#[tokio::test]
async fn a_number_without_a_destination_keeps_a_row_because_no_row_is_not_always_404() {
    let Some(database) = office().await else { return };
    let (new, old) = difference(&database, "numbers: { \"+33142685302\": { to: none, label: \"\" } }").await;
    assert_eq!(new, ["from-carrier|+33142685302|1|Hangup|1"]);
    assert_eq!(old.len(), 2);
    assert_eq!(read(&database.provider()).await.numbers.len(), 3);
}

#[tokio::test]
async fn a_changed_group_gets_a_new_version_and_the_one_before_stays_until_no_call_needs_it() {
    let Some(database) = office().await else { return };
    let group = "ring_groups: { Ventes: { ring: sequential, members: [user/202, device/door], ring_for: 25s, no_answer: user/201 } }";
    let (new, old) = difference(&database, group).await;
    assert_eq!(old, ["ring-groups|7f3a|1|Goto|ring-groups,7f3a.4,1"]);
    let (until, new): (Vec<_>, Vec<_>) = new.into_iter().partition(|row| row.contains("until="));
    assert_eq!(
        new,
        [
            "ring-groups|7f3a|1|Goto|ring-groups,7f3a.5,1",
            // Ben's phones are still spelled as they were.
            "ring-groups|7f3a.5|1|Dial|${PJSIP_DIAL_CONTACTS(ben)}&PJSIP/ben-soft,25",
            "ring-groups|7f3a.5|2|Dial|PJSIP/door,25",
            "ring-groups|7f3a.5|3|Goto|internal,201,1",
        ]
    );
    let [until] = until.as_slice() else { panic!("{until:?}") };
    let until = until.strip_prefix("ring-groups|7f3a.4|1001|NoOp|strowger:until=").unwrap();
    let left = until.parse::<jiff::Timestamp>().unwrap().duration_since(jiff::Timestamp::now()).as_secs();
    assert!((60..=80).contains(&left), "20 s of ringing and a minute, not {left} s");

    // The next run removes it, once its time has come.
    let provider = database.provider();
    provider.clean_up().await;
    assert!(database.rows().await.iter().any(|row| row.starts_with("ring-groups|7f3a.4|")));
    database.sql("update extensions set appdata = 'strowger:until=2020-01-01T00:00:00Z' where priority = 1001").await;
    postgres::provider(&database.url(), read_only()).clean_up().await;
    assert!(database.rows().await.iter().any(|row| row.starts_with("ring-groups|7f3a.4|")), "a plan removes nothing");
    provider.clean_up().await;
    let rows = database.rows().await;
    assert!(!rows.iter().any(|row| row.starts_with("ring-groups|7f3a.4")), "{rows:#?}");
    assert_eq!(rows.iter().filter(|row| row.starts_with("ring-groups|7f3a.5|")).count(), 3);
}

#[tokio::test]
async fn a_deleted_group_stays_for_the_calls_that_retired_chains_still_lead_to_it() {
    let Some(database) = office().await else { return };
    database
        .sql(
            "insert into extensions (context, exten, priority, app, appdata) values
                ('ring-groups', 'b0', 1, 'Goto', 'ring-groups,b0.1,1'),
                ('ring-groups', 'b0', 1000, 'NoOp', 'strowger:name=Accueil'),
                ('ring-groups', 'b0.1', 1, 'Dial', 'PJSIP/door,10'),
                ('ring-groups', 'b0.1', 2, 'Goto', 'ring-groups,7f3a,1')",
        )
        .await;
    let files = "
absent: [ring_group/Ventes]
numbers: { \"+33142685302\": { to: ring_group/Accueil } }
ring_groups: { Accueil: { members: [device/door], ring_for: 300s, no_answer: none } }";
    let provider = database.provider();
    let plan = planned(files, &read(&provider).await);
    assert!(apply(&plan, &provider).await.is_complete());
    let rows = database.rows().await;
    let until = |exten: &str| {
        let prefix = format!("ring-groups|{exten}|1001|NoOp|strowger:until=");
        let row = rows.iter().find_map(|row| row.strip_prefix(&prefix));
        let until = row.unwrap_or_else(|| panic!("{exten} is not retired: {rows:#?}"));
        until.parse::<jiff::Timestamp>().unwrap().duration_since(jiff::Timestamp::now()).as_secs()
    };
    assert!((60..=75).contains(&until("b0.1")), "10 s and a minute");
    for exten in ["7f3a", "7f3a.4"] {
        assert!((130..=155).contains(&until(exten)), "70 s for calls on their way here, and 80 s for itself");
    }
    assert!(rows.contains(&"ring-groups|7f3a|1|Goto|ring-groups,7f3a.4,1".to_owned()));
    let live = read(&provider).await;
    assert_eq!(live.ring_groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["Accueil"]);
    // Its name and its number are free.
    let again = "ring_groups: { Ventes: { members: [user/201], extension: \"300\" } }";
    let plan = planned(again, &live);
    assert!(apply(&plan, &provider).await.is_complete());
    assert!(planned(again, &read(&provider).await).is_empty());
}

#[tokio::test]
async fn a_large_group_rings_in_parts_because_a_dial_that_is_too_long_fails_as_a_whole() {
    let Some(database) = office().await else { return };
    database
        .sql(
            "insert into ps_endpoints (id, context, callerid) select 'a-phone-with-a-long-name-' || n, 'internal',
                'P <' || n || '>' from generate_series(400, 449) as n",
        )
        .await;
    let members: Vec<_> = (400..430).map(|number| format!("user/{number}")).collect();
    let group = format!("ring_groups: {{ Ventes: {{ members: [{}], ring_for: 20s }} }}", members.join(", "));
    difference(&database, &group).await;
    let rows = database.rows().await;
    let longest = rows.iter().filter_map(|row| row.rsplit('|').next()).map(str::len).max().unwrap();
    assert!(longest <= 256, "{longest}");
    let parts = rows.iter().filter(|row| row.starts_with("ring-groups|7f3a.5-")).count();
    assert!(parts > 1, "{rows:#?}");
    // How many fit is known while planning.
    let live = read(&database.provider()).await;
    let most = live.capabilities.members_most.unwrap();
    assert!((8..50).contains(&most) || most == 50, "{most}");
    database.sql("insert into ps_endpoints (id, context) values (repeat('x', 200), 'internal')").await;
    let live = read(&database.provider()).await;
    assert_eq!(live.capabilities.members_most, Some(8), "a name of 200 characters needs a part of its own");
}

#[tokio::test]
async fn targets_are_checked_in_the_transaction_because_a_call_to_nothing_is_answered_or_refused() {
    for (to, gone) in [
        ("user/203", "delete from ps_endpoints where id = 'cleo'"),
        ("voicemail/Night", "delete from voicemail where mailbox = '900'"),
        ("ring_group/Ventes", "delete from extensions where exten = '7f3a' and priority = 1"),
        ("external/+33612345678", "delete from ps_endpoints where id = 'carrier'"),
    ] {
        let Some(database) = office().await else { return };
        let provider = database.provider();
        let text = format!("policy: {{ external: [\"FR\"] }}\nnumbers: {{ \"+33142685301\": {{ to: {to} }} }}");
        let plan = planned(&text, &read(&provider).await);
        database.sql(gone).await;
        let before = database.rows().await;
        let outcome = apply(&plan, &provider).await;
        let [(_, ChangeOutcome::Stale { what })] = outcome.changes.as_slice() else { panic!("{to}: {outcome:#?}") };
        assert!(what.contains("is gone"), "{to}: {what}");
        assert_eq!(database.rows().await, before, "{to}");
    }
    let Some(database) = office().await else { return };
    let provider = database.provider();
    let plan = planned("ring_groups: { Ventes: { members: [user/203] } }", &read(&provider).await);
    database.sql("delete from ps_endpoints where id = 'cleo'").await;
    let outcome = apply(&plan, &provider).await;
    assert!(matches!(outcome.changes.as_slice(), [(_, ChangeOutcome::Stale { .. })]), "{outcome:#?}");
}

#[tokio::test]
async fn what_another_admin_wrote_since_is_not_overwritten() {
    let files = "
numbers: { \"+33142685301\": { to: user/203 }, \"+33142685302\": { to: ring_group/Ventes, label: Sales } }
ring_groups: { Ventes: { members: [user/203], ring_for: 30s } }";
    for (foreign, name) in [
        ("update extensions set appdata = 'internal,202,1' where exten = '+33142685301'", "+33142685301"),
        ("update extensions set appdata = appdata where exten = '+33142685301'", "+33142685301"),
        ("delete from extensions where exten = '+33142685301'", "+33142685301"),
        (
            "update extensions set appdata = 'strowger:label=Vente' where priority = 1000 and exten like '+%'",
            "+33142685302",
        ),
        ("update extensions set appdata = 'PJSIP/door,5' where exten = '7f3a.4' and priority = 1", "Ventes"),
        (
            "insert into extensions (context, exten, priority, app, appdata) values ('ring-groups', '7f3a.4', 3, 'Hangup', '')",
            "Ventes",
        ),
        ("update extensions set exten = '301' where exten = '300'", "Ventes"),
    ] {
        let Some(database) = office().await else { return };
        let provider = database.provider();
        let plan = planned(files, &read(&provider).await);
        assert_eq!(plan.changes.len(), 3);
        database.sql(foreign).await;
        let outcome = apply(&plan, &provider).await;
        for change in &plan.changes {
            let end = outcome.changes.iter().find_map(|(id, end)| (*id == change.id).then_some(end)).unwrap();
            let is_stale = matches!(end, ChangeOutcome::Stale { .. });
            assert_eq!(is_stale, change.object.name == name, "{foreign}: {}: {end:?}", change.object.name);
        }
    }
}

#[tokio::test]
async fn two_groups_of_one_name_or_number_do_not_come_from_two_runs_at_once() {
    let Some(database) = office().await else { return };
    let (one, other) = (database.provider(), database.provider());
    let make = |name: &str, number: &str| {
        format!("ring_groups: {{ {name}: {{ members: [user/201], extension: \"{number}\" }} }}")
    };
    let plan = |text: &str, live: &LiveAccount| planned(text, live);
    let live = read(&one).await;
    read(&other).await;
    assert!(apply(&plan(&make("Support", "310"), &live), &one).await.is_complete());
    for text in [make("support", "320"), make("Aide", "310")] {
        let outcome = apply(&plan(&text, &live), &other).await;
        assert!(matches!(outcome.changes.as_slice(), [(_, ChangeOutcome::Stale { .. })]), "{text}: {outcome:#?}");
    }
    assert_eq!(read(&one).await.ring_groups.len(), 2);
}

#[tokio::test]
async fn an_extension_number_that_rows_lead_to_is_not_taken_away() {
    let Some(database) = office().await else { return };
    database.sql("update extensions set appdata = 'internal,300,1' where exten = '+33142685301'").await;
    let provider = database.provider();
    let live = read(&provider).await;
    let number = live.numbers.iter().find(|number| &*number.id.0 == "+33142685301").unwrap();
    assert_eq!(number.to.as_ref().unwrap().kind, Kind::RingGroup, "the number of a group leads to the group");
    let plan = planned("ring_groups: { Ventes: { members: [user/201, user/202], extension: \"301\" } }", &live);
    let outcome = apply(&plan, &provider).await;
    let [(_, ChangeOutcome::Failed { error, permanent: true })] = outcome.changes.as_slice() else {
        panic!("{outcome:#?}")
    };
    assert!(error.contains("from-carrier,+33142685301 leads to the extension number 300"), "{error}");
}

#[tokio::test]
async fn patterns_queues_and_rows_with_a_blank_are_unmanaged_and_never_written() {
    let Some(database) = office().await else { return };
    database
        .sql(
            "insert into extensions (context, exten, priority, app, appdata) values
                ('from-carrier', '_+331X.', 1, 'Goto', 'internal,201,1'),
                ('from-carrier', '+33142685310 ', 1, 'Goto', 'internal,201,1'),
                ('from-carrier', '+33142685311', 1, 'Queue', 'sales'),
                ('from-carrier', '+33142685312', 1, 'Goto', 'ivr-night,s,1'),
                ('ring-groups', 'hand', 1, 'Dial', 'PJSIP/ana,20'),
                ('internal', '700', 1, 'Queue', 'sales'),
                ('night', 's', 1, 'Goto', 'ring-groups,7f3a,1')",
        )
        .await;
    let before = database.rows().await;
    let live = read(&database.provider()).await;
    let mut unmanaged: Vec<_> = live.unreadable.iter().map(|one| &*one.name).collect();
    unmanaged.sort_unstable();
    let expected = ["+33142685310 ", "+33142685311", "+33142685312", "700", "_+331X.", "hand", "night,s"];
    assert_eq!(unmanaged, expected);
    let (new, _) = difference(&database, "numbers: { \"+33142685301\": { to: user/203 } }").await;
    assert_eq!(new.len(), 1);
    let kept = database.rows().await;
    assert_eq!(before.iter().filter(|row| !kept.contains(row)).count(), 1, "only the number's row changed");
    // A group that a row elsewhere leads to is in use.
    let absent = desired("absent: [ring_group/Ventes]\nnumbers: { \"+33142685302\": { to: user/201 } }");
    let (plan, findings) = strowger::plan::plan(&absent, &live, &severities(), 1);
    let refused = plan.is_none_or(|plan| plan.changes.iter().all(|change| change.object.name != "Ventes"));
    assert!(refused, "{findings:#?}");
}

#[tokio::test]
async fn a_table_without_its_key_or_rights_is_refused_before_the_first_write() {
    let cases = [
        ("alter table extensions drop constraint extensions_context_exten_priority_key", "has no unique key"),
        (
            "alter table extensions add column tenant integer not null default 1; alter table extensions alter tenant drop default",
            "`tenant`",
        ),
        ("revoke delete on extensions from strowger", "INSERT, UPDATE and DELETE"),
        ("revoke usage on sequence extensions_id_seq from strowger", "USAGE of the sequence"),
        ("revoke select on extensions from strowger", "rights"),
        ("drop table voicemail", "realtime tables"),
    ];
    for (sql, said) in cases {
        let Some(database) = Database::new().await else { return };
        database.sql(sql).await;
        let error = database.provider().read().await.unwrap_err();
        assert!(matches!(error, ReadError::Database(_)) && error.to_string().contains(said), "{sql}: {error}");
    }
    // Who only looks needs no right to write.
    let Some(database) = Database::new().await else { return };
    database.sql("revoke insert, update, delete on extensions from strowger").await;
    let looking = postgres::provider(&database.url(), read_only());
    assert_eq!(read(&looking).await.users.len(), 3);
}

#[tokio::test]
async fn a_database_that_is_not_there_or_does_not_accept_the_password_says_so_without_it() {
    let Some(database) = office().await else { return };
    let wrong = postgres::open(&database.url(), Secret::new("planted-7f3b"), ClientOptions::default());
    let error = wrong.read().await.unwrap_err();
    assert!(matches!(error, ReadError::DatabaseLogin { .. }), "{error}");
    assert!(!error.to_string().contains("planted"), "{error}");
    let other = format!("postgresql://strowger@{}/elsewhere", database.address);
    let error = postgres::provider(&other, ClientOptions::default()).read().await.unwrap_err().to_string();
    assert!(error.contains("check the name of the database"), "{error}");
    let error = postgres::provider("postgresql://strowger@127.0.0.1:1/asterisk", ClientOptions::default());
    let error = error.read().await.unwrap_err().to_string();
    assert!(error.contains("cannot reach the database at 127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn a_client_that_looks_writes_nothing() {
    let Some(database) = office().await else { return };
    let provider = postgres::provider(&database.url(), read_only());
    let before = database.rows().await;
    let plan = planned("numbers: { \"+33142685301\": { to: user/203 } }", &read(&provider).await);
    let refused = provider.perform(of(&plan.changes, "+33142685301"), 0).await.unwrap_err();
    assert_eq!(refused, WriteError::ReadOnlyClient);
    assert_eq!(database.rows().await, before);
}

#[tokio::test]
async fn ten_thousand_numbers_are_one_request_and_looking_again_reads_none() {
    let Some(database) = office().await else { return };
    database
        .sql(
            "insert into extensions (context, exten, priority, app, appdata)
                select 'from-carrier', '+331' || n, 1, 'Goto', 'internal,201,1' from generate_series(30000000, 30009999) as n",
        )
        .await;
    let provider = database.provider();
    let first = provider.read().await.unwrap();
    assert_eq!((first.live.numbers.len(), first.requests), (10_003, 1));
    let check = provider.check_unchanged().await.unwrap();
    assert!(check.unchanged && check.requests == 1, "{check:?}");
    for change in [
        "update extensions set appdata = appdata where exten = '+33142685301'",
        "update ps_endpoints set callerid = 'Zoe <201>' where id = 'ana'",
        "delete from voicemail where mailbox = '900'",
    ] {
        database.sql(change).await;
        assert!(!provider.check_unchanged().await.unwrap().unchanged, "{change}");
        read(&provider).await;
    }
    // What is not the account's does not count.
    database
        .sql("insert into extensions (context, exten, priority, app, appdata) values ('other', '1', 1, 'Hangup', '')")
        .await;
    assert!(provider.check_unchanged().await.unwrap().unchanged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_tells_of_changes_by_others_and_not_of_our_own() {
    let Some(database) = office().await else { return };
    database
        .sql(
            "create function strowger_notify() returns trigger language plpgsql as
                $$ begin perform pg_notify('strowger', coalesce(current_setting('strowger.run', true), '')); return null; end $$;
             create trigger strowger_notify after insert or update or delete or truncate on extensions
                for each statement execute function strowger_notify()",
        )
        .await;
    let (client, payloads) = database.listener().await;
    client.batch_execute("listen strowger").await.unwrap();
    let options = ClientOptions { nonce: "this-run".to_owned(), ..ClientOptions::default() };
    let provider = postgres::provider(&database.url(), options);
    let plan = planned("numbers: { \"+33142685301\": { to: user/203 } }", &read(&provider).await);
    assert!(apply(&plan, &provider).await.is_complete());
    database.sql("update extensions set appdata = appdata").await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|payload| payload == "this-run") {
        heard.push(payloads.recv_timeout(Duration::from_secs(60)).expect("a notice for each change"));
    }
    assert!(heard.len() > 1, "its own change had no notice: {heard:?}");

    let waits = tokio::spawn(async move { provider.changed().await });
    let listens =
        "select count(*) from pg_stat_activity where query = 'listen strowger' and datname = current_database()";
    while client.query_one(listens, &[]).await.unwrap().get::<_, i64>(0) < 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    database.sql("update extensions set appdata = appdata").await;
    tokio::time::timeout(Duration::from_secs(60), waits).await.expect("another program changed a row").unwrap();
}
