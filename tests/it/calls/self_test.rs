//! The judge judges well: it finds nothing wrong where nothing is, and it finds what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::bench::Bench;
use super::call::{Call, Ending};
use super::judge::{Count, Path, Verdict, judge};
use super::office::{Destination, Office, RingGroup, phone};
use super::timeline::Timeline;

const GOOD: &str = "+33142685301";
const ROWS: &str = "+33142685302";
const HASTY: &str = "+33142685303";
const NUMBERS: [&str; 3] = [GOOD, ROWS, HASTY];

/// Two chains, each of a phone that rejects and of one that answers.
const CHAINS: [[&str; 2]; 2] = [["205", "201"], ["206", "202"]];

fn group(members: &[&str], is_simultaneous: bool, no_answer: Destination) -> RingGroup {
    let members = members.iter().map(|member| (*member).to_owned()).collect();
    RingGroup { members, is_simultaneous, ring_for: 2, no_answer, extension: String::new() }
}

fn office(chain: [&str; 2]) -> Office {
    let group = group(&chain, false, Destination::None);
    Office {
        numbers: NUMBERS.map(|number| (number.to_owned(), Destination::RingGroup("all".to_owned()))).into(),
        ring_groups: BTreeMap::from([("all".to_owned(), group)]),
        ..Office::default()
    }
}

fn chain(context: &str, exten: &str, members: [&str; 2]) -> String {
    let [first, second] = members.map(phone);
    format!(
        "insert into extensions (context, exten, priority, app, appdata) values
            ('{context}', '{exten}', 1, 'Dial', 'PJSIP/{first},5'), ('{context}', '{exten}', 2, 'Dial', 'PJSIP/{second},5'),
            ('{context}', '{exten}', 3, 'Hangup', '19');"
    )
}

fn point(number: &str, chain: &str) -> String {
    format!(
        "insert into extensions (context, exten, priority, app, appdata)
            values ('from-carrier', '{number}', 1, 'Goto', 'ring-groups,{chain},1')
            on conflict (context, exten, priority) do update set appdata = excluded.appdata;"
    )
}

/// Re-points all numbers, each in one transaction: one row over a new chain, the chain's own rows, and one row over a new
/// chain while the chain before is deleted at once.
fn change(version: usize, members: [&str; 2]) -> String {
    let remove = |context: &str, exten: &str| {
        format!("delete from extensions where context = '{context}' and exten = '{exten}';")
    };
    [
        chain("ring-groups", &format!("good.{version}"), members) + &point(GOOD, &format!("good.{version}")),
        remove("from-carrier", ROWS) + &chain("from-carrier", ROWS, members),
        remove("ring-groups", &format!("hasty.{}", version.wrapping_sub(1)))
            + &chain("ring-groups", &format!("hasty.{version}"), members)
            + &point(HASTY, &format!("hasty.{version}")),
    ]
    .map(|statements| format!("begin; {statements} commit;"))
    .concat()
}

#[test]
fn one_row_over_kept_chains_mixes_no_call_and_other_layouts_do() {
    let Some(bench) = Bench::start() else { return };
    bench.sql(&change(0, CHAINS[0]));
    let mut timeline = Timeline::new(&office(CHAINS[0]));
    let mut caller = bench.dial(&NUMBERS, 600, 40);
    let mut version = 0;
    while caller.is_calling() {
        version += 1;
        let members = CHAINS[version % CHAINS.len()];
        timeline.begin(&office(members));
        bench.sql(&change(version, members));
        timeline.end();
    }
    let calls = caller.finish();
    let of = |number: &str| Count::of(calls.iter().filter(|call| call.number == number), &timeline);
    let (good, rows, hasty) = (of(GOOD), of(ROWS), of(HASTY));
    println!("{version} changes\none row: {good}\nrows: {rows}\nwithout grace: {hasty}");
    good.expect_all_whole();
    assert!(rows.mixed > 0, "{rows}");
    assert!(hasty.refused > 0, "{hasty}");
}

#[test]
fn a_call_to_each_kind_of_destination_goes_the_way_that_the_judge_expects() {
    let Some(bench) = Bench::start() else { return };
    let ring_groups = BTreeMap::from([
        ("first".to_owned(), group(&["205", "206"], false, Destination::RingGroup("second".to_owned()))),
        ("second".to_owned(), group(&["207", "205"], true, Destination::Mailbox)),
        ("third".to_owned(), group(&["205", "202", "207"], true, Destination::None)),
        ("busy".to_owned(), group(&["205"], false, Destination::None)),
    ]);
    let outside = "+33199999999";
    let to = |group: &str| (Destination::RingGroup(group.to_owned()), "Goto", format!("ring-groups,{group},1"));
    let ways = [
        (Destination::User("201".to_owned()), "Goto", "internal,201,1".to_owned()),
        (Destination::User("205".to_owned()), "Goto", "internal,205,1".to_owned()),
        (Destination::Receptionist, "Goto", "ivr-main,s,1".to_owned()),
        (Destination::Conference, "Goto", "conferences,800,1".to_owned()),
        (Destination::Mailbox, "VoiceMail", "201@default,u".to_owned()),
        (Destination::Outside(outside.to_owned()), "Dial", format!("PJSIP/{outside}@trunk,60")),
        (Destination::None, "Hangup", "1".to_owned()),
        to("first"),
        to("third"),
        to("busy"),
    ];
    let numbers: Vec<String> = (0..ways.len()).map(|index| format!("+331426853{index:02}")).collect();
    let rows = numbers
        .iter()
        .zip(&ways)
        .map(|(number, (_, app, data))| format!("('from-carrier', '{number}', 1, '{app}', '{data}')"));
    let groups = "('ring-groups', 'first', 1, 'Dial', 'PJSIP/busy-bea,2'), ('ring-groups', 'first', 2, 'Dial', 'PJSIP/busy-ben,2'),
        ('ring-groups', 'first', 3, 'Goto', 'ring-groups,second,1'),
        ('ring-groups', 'second', 1, 'Dial', 'PJSIP/silent-sam&PJSIP/busy-bea,2'),
        ('ring-groups', 'second', 2, 'VoiceMail', '201@default,u'), ('ring-groups', 'second', 3, 'Hangup', '19'),
        ('ring-groups', 'third', 1, 'Dial', 'PJSIP/busy-bea&PJSIP/bruno&PJSIP/silent-sam,2'),
        ('ring-groups', 'third', 2, 'Hangup', '19'),
        ('ring-groups', 'busy', 1, 'Dial', 'PJSIP/busy-bea,2'), ('ring-groups', 'busy', 2, 'Hangup', '19')";
    let rows = rows.chain([groups.to_owned()]).collect::<Vec<_>>().join(", ");
    bench.sql(&format!("insert into extensions (context, exten, priority, app, appdata) values {rows}"));
    let destinations = ways.into_iter().map(|(destination, _, _)| destination);
    let office =
        Office { numbers: numbers.iter().cloned().zip(destinations).collect(), ring_groups, ..Office::default() };
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let calls = bench.dial(&numbers, 2 * numbers.len(), 20).finish();
    Count::of(&calls, &Timeline::new(&office)).expect_all_whole();
}

fn call(rang: &[&str], status: u16) -> Call {
    let rang = rang.iter().zip(1..).map(|(phone, at)| (f64::from(at), (*phone).to_owned())).collect();
    let ending = (status > 0).then(|| (9.0, Ending { status, by: String::new() }));
    Call { number: GOOD.to_owned(), dialled: 0.0, rang, ending }
}

#[test]
fn a_call_is_judged_by_all_phones_and_by_its_end() {
    let set = |phones: &[&str]| phones.iter().map(|phone| (*phone).to_owned()).collect::<BTreeSet<_>>();
    let path =
        |rings: &[&[&str]]| Path { rings: rings.iter().map(|rings| set(rings)).collect(), status: 200, by: None };
    let allowed = [path(&[&["a", "b"], &["c"]]), path(&[&["d"]])];
    for (rang, status, verdict) in [
        (&["a", "b", "c"][..], 200, Verdict::Whole),
        (&["b", "a", "c"], 200, Verdict::Whole),
        (&["d"], 200, Verdict::Whole),
        (&["a", "c", "b"], 200, Verdict::Mixed),
        (&["a", "b"], 200, Verdict::Mixed),
        (&["a", "b", "c", "c"], 200, Verdict::Mixed),
        (&["a", "b", "d"], 200, Verdict::Mixed),
        (&[], 200, Verdict::Mixed),
        (&["d"], 486, Verdict::Refused),
        (&["a", "b", "c"], 0, Verdict::Lost),
    ] {
        assert_eq!(judge(&call(rang, status), &allowed), verdict, "{rang:?} {status}");
    }
}

#[test]
fn only_a_change_under_way_allows_two_states() {
    let (before, after) = (office(CHAINS[0]), office(CHAINS[1]));
    let mut timeline = Timeline::new(&before);
    timeline.begin(&after);
    timeline.end();
    let judge_at = |dialled: f64, chain: [&str; 2]| {
        let mut call = call(&chain.map(phone), 200);
        call.dialled += dialled;
        call.rang.iter_mut().for_each(|(at, _)| *at += dialled);
        call.ending.iter_mut().for_each(|(at, _)| *at += dialled);
        judge(&call, &timeline.paths(&call))
    };
    let change = super::timeline::now();
    assert_eq!(judge_at(change - 60.0, CHAINS[0]), Verdict::Whole);
    assert_eq!(judge_at(change - 60.0, CHAINS[1]), Verdict::Mixed);
    // The first phone rings a second after the number was dialled, and the chain does not change from then on.
    assert_eq!(judge_at(change - 5.0, CHAINS[0]), Verdict::Whole);
    assert_eq!(judge_at(change - 5.0, CHAINS[1]), Verdict::Mixed);
    assert_eq!(judge_at(change - 0.5, CHAINS[0]), Verdict::Whole);
    assert_eq!(judge_at(change - 0.5, CHAINS[1]), Verdict::Whole);
    assert_eq!(judge_at(change - 0.5, [CHAINS[0][0], CHAINS[1][1]]), Verdict::Mixed);
    assert_eq!(judge_at(change + 60.0, CHAINS[0]), Verdict::Mixed);
    assert_eq!(judge_at(change + 60.0, CHAINS[1]), Verdict::Whole);
}
