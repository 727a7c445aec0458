//! The `asterisk` provider beside people who edit the tables by hand: nothing that a call needs is lost.

use std::time::Duration;

use strowger::apply::{Options, execute};
use strowger::ledger::ChangeOutcome;
use strowger::providers::{ClientOptions, Provider, RetryPolicy, Secret};

use crate::support::postgres::{self, Database, desired, planned, read};

/// Two groups with odd ids, each with a number.
const ROWS: &str = "
    insert into extensions (context, exten, priority, app, appdata) values
        ('from-carrier', '+33142685300', 1, 'Goto', 'ring-groups,paris.sales,1'),
        ('from-carrier', '+33142685301', 1, 'Goto', 'ring-groups,paris.sales-night,1'),
        ('ring-groups', 'paris.sales', 1, 'Goto', 'ring-groups,paris.sales.1,1'),
        ('ring-groups', 'paris.sales', 1000, 'NoOp', 'strowger:name=Sales'),
        ('ring-groups', 'paris.sales.1', 1, 'Dial', 'PJSIP/ana,20'), ('ring-groups', 'paris.sales.1', 2, 'Hangup', '19'),
        ('ring-groups', 'paris.sales-night', 1, 'Goto', 'ring-groups,paris.sales-night.1,1'),
        ('ring-groups', 'paris.sales-night', 1000, 'NoOp', 'strowger:name=Night'),
        ('ring-groups', 'paris.sales-night.1', 1, 'Dial', 'PJSIP/cleo,20'),
        ('ring-groups', 'paris.sales-night.1', 2, 'Hangup', '19')";

async fn office() -> Option<Database> {
    let database = Database::new().await?;
    database.sql(ROWS).await;
    Some(database)
}

async fn apply(database: &Database, text: &str) -> Vec<ChangeOutcome> {
    let provider = database.provider();
    let plan = planned(text, &read(&provider).await);
    let outcome = execute(&plan, &provider, Options::default(), &()).await;
    outcome.changes.into_iter().map(|(_, end)| end).collect()
}

async fn applied(database: &Database, text: &str) {
    let ends = apply(database, text).await;
    assert!(!ends.is_empty() && ends.iter().all(ChangeOutcome::is_applied), "{ends:#?}");
}

/// Lets the time pass for which versions and groups are kept, and removes them.
async fn later(database: &Database) -> Vec<String> {
    database.sql("update extensions set appdata = 'strowger:until=2020-01-01T00:00:00Z' where priority = 1001").await;
    database.provider().clean_up().await;
    database.rows().await
}

const DELETED: &str = "absent: [ring_group/Sales]\nnumbers: { \"+33142685300\": { to: user/201 } }";

#[tokio::test]
async fn a_version_that_was_put_back_by_hand_is_kept() {
    let Some(database) = office().await else { return };
    applied(&database, "ring_groups: { Sales: { members: [user/203] } }").await;
    database.sql("update extensions set appdata = 'ring-groups,paris.sales.1,1' where exten = 'paris.sales' and priority = 1").await;
    let rows = later(&database).await;
    assert!(rows.contains(&"ring-groups|paris.sales.1|1|Dial|PJSIP/ana,20".to_owned()), "{rows:#?}");
    let live = read(&database.provider()).await;
    assert_eq!(live.ring_groups.len(), 2, "{:#?}", live.unreadable);
    // The next version retires it again.
    applied(&database, "ring_groups: { Sales: { members: [user/202] } }").await;
    let rows = later(&database).await;
    let versions: Vec<_> = rows.iter().filter(|row| row.contains("|paris.sales.")).collect();
    // The second version lost its note with nothing to retire it; it stays until the group goes.
    assert!(!versions.iter().any(|row| row.contains("|paris.sales.1|")), "{versions:#?}");
}

#[tokio::test]
async fn a_group_whose_id_begins_like_another_is_not_deleted_with_it() {
    let Some(database) = office().await else { return };
    applied(&database, DELETED).await;
    let rows = later(&database).await;
    assert!(!rows.iter().any(|row| row.contains("|paris.sales|") || row.contains("|paris.sales.1|")), "{rows:#?}");
    assert_eq!(rows.iter().filter(|row| row.contains("ring-groups|paris.sales-night")).count(), 4, "{rows:#?}");
}

#[tokio::test]
async fn a_deleted_group_that_a_number_was_led_to_by_hand_is_kept() {
    let Some(database) = office().await else { return };
    applied(&database, DELETED).await;
    database.sql("update extensions set appdata = 'ring-groups,paris.sales,1' where exten = '+33142685301'").await;
    let rows = later(&database).await;
    for row in
        ["ring-groups|paris.sales|1|Goto|ring-groups,paris.sales.1,1", "ring-groups|paris.sales.1|1|Dial|PJSIP/ana,20"]
    {
        assert!(rows.contains(&row.to_owned()), "{row}: {rows:#?}");
    }
}

#[tokio::test]
async fn a_group_that_a_users_own_rows_or_a_menu_lead_to_is_in_use() {
    for rows in [
        "('internal', '201', 1, 'Dial', 'PJSIP/ana,20'), ('internal', '201', 2, 'Goto', 'ring-groups,paris.sales,1')",
        "('internal', '*98', 1, 'Goto', 'ring-groups,paris.sales,1'), ('internal', '*98', 2, 'Hangup', '')",
        "('ivr-main', 't', 1, 'Goto', 'ring-groups,paris.sales,1')",
    ] {
        let Some(database) = office().await else { return };
        database.sql(&format!("insert into extensions (context, exten, priority, app, appdata) values {rows}")).await;
        let live = read(&database.provider()).await;
        let (plan, findings) = strowger::plan::plan(&desired(DELETED), &live, &crate::laws::severities(), 1);
        let found: Vec<_> = findings.iter().map(|finding| finding.rule.id).collect();
        assert!(plan.is_none() && found == ["still-in-use"], "{rows}: {findings:#?}");
    }
    // What only the transaction can see.
    for data in ["$[1]?ring-groups,paris.sales,1", "Local/paris.sales@ring-groups/n,20"] {
        let Some(database) = office().await else { return };
        let app = if data.starts_with('L') { "Dial" } else { "GotoIf" };
        database
            .sql(&format!("insert into extensions (context, exten, priority, app, appdata) values ('night', 's', 1, '{app}', '{data}')"))
            .await;
        let ends = apply(&database, DELETED).await;
        let stale = ends.iter().find_map(|end| if let ChangeOutcome::Stale { what } = end { Some(what) } else { None });
        assert!(stale.is_some_and(|what| what.contains("night,s leads to ring_group Sales")), "{data}: {ends:#?}");
        assert!(database.rows().await.iter().any(|row| row.contains("strowger:name=Sales")), "{data}");
    }
}

#[tokio::test]
async fn an_endpoint_whose_name_means_something_else_in_a_dial_is_not_one() {
    let Some(database) = office().await else { return };
    for id in ["201@acme", "a,b", "a&b", "a/b", "a b", "a(b"] {
        database
            .sql(&format!("insert into ps_endpoints (id, context, callerid) values ('{id}', 'internal', 'X <250>')"))
            .await;
    }
    let live = read(&database.provider()).await;
    let devices: Vec<_> = live.devices.iter().map(|device| &*device.name).collect();
    assert_eq!((devices, live.users.len()), (vec!["ben", "ben-soft", "door"], 3));
}

#[tokio::test]
async fn members_that_would_be_read_as_others_are_refused_with_those() {
    let Some(database) = office().await else { return };
    for members in ["device/ben, device/ben-soft", "user/202, device/ben"] {
        let ends = apply(&database, &format!("ring_groups: {{ Sales: {{ members: [{members}] }} }}")).await;
        let [ChangeOutcome::Failed { error, permanent: true }] = ends.as_slice() else { panic!("{ends:#?}") };
        assert!(error.contains("members are user/202"), "{error}");
    }
    applied(&database, "ring_groups: { Sales: { members: [device/ben] } }").await;
}

#[tokio::test]
async fn versions_that_cannot_be_counted_further_and_ids_without_room_for_them_are_errors() {
    let Some(database) = office().await else { return };
    database
        .sql(
            "update extensions set appdata = 'ring-groups,paris.sales.18446744073709551615,1'
                where exten = 'paris.sales' and priority = 1;
             update extensions set exten = 'paris.sales.18446744073709551615' where exten = 'paris.sales.1';
             insert into extensions (context, exten, priority, app, appdata) values
                ('ring-groups', repeat('x', 38), 1, 'Goto', 'ring-groups,' || repeat('x', 38) || '.9,1'),
                ('ring-groups', repeat('x', 38) || '.9', 1, 'Dial', 'PJSIP/ana,20')",
        )
        .await;
    let ends = apply(&database, "ring_groups: { Sales: { members: [user/203] } }").await;
    let [ChangeOutcome::Failed { error, .. }] = ends.as_slice() else { panic!("{ends:#?}") };
    assert!(error.contains("no more versions"), "{error}");
    let live = read(&database.provider()).await;
    assert!(live.unreadable.iter().any(|one| one.why.contains("no room for versions")), "{:#?}", live.unreadable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_another_program_inserts_meanwhile_is_not_overwritten() {
    let Some(database) = office().await else { return };
    let other = database.client().await;
    let insert = "begin; insert into extensions (context, exten, priority, app, appdata)
        values ('from-carrier', '+33142685300', 1000, 'NoOp', 'strowger:label=Theirs')";
    let provider = database.provider();
    let plan = planned("numbers: { \"+33142685300\": { to: ring_group/Sales, label: Ours } }", &read(&provider).await);
    other.batch_execute(insert).await.unwrap();
    let commits = async {
        let waits =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let looks = database.client().await;
        while looks.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        other.batch_execute("commit").await.unwrap();
    };
    let (outcome, ()) = tokio::join!(execute(&plan, &provider, Options::default(), &()), commits);
    assert!(matches!(outcome.changes.as_slice(), [(_, ChangeOutcome::Stale { .. })]), "{outcome:#?}");
    assert!(database.rows().await.contains(&"from-carrier|+33142685300|1000|NoOp|strowger:label=Theirs".to_owned()));
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_not_waited_for_without_end() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgresql://strowger@{}/asterisk", listener.local_addr().unwrap());
    let retry = RetryPolicy { attempts: 1, request: Duration::from_millis(200), ..RetryPolicy::default() };
    let provider = postgres::open(&url, Secret::new("x"), ClientOptions { retry, ..ClientOptions::default() });
    let error = tokio::time::timeout(Duration::from_secs(60), provider.read()).await.expect("an end").unwrap_err();
    assert!(error.to_string().contains("did not answer"), "{error}");
}
