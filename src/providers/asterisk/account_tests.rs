//! Reading the dialect of [`super`], and what is not of it.

use crate::model::{ObjectRef, RingFor, RingMode};

use super::account::{Dialplan, Tables, number};
use super::chain::spelling;
use super::layout::tests::layout;
use super::rows::{DialplanRow, EndpointRow, MailboxRow};

fn tables(rows: &str) -> Tables {
    let row = |line: &str| {
        let mut parts = line.splitn(5, '|').map(str::trim);
        let mut next = || parts.next().unwrap_or_default();
        let (context, exten, priority) = (next().into(), next().into(), next().parse().unwrap());
        DialplanRow { context, exten, priority, app: next().into(), data: next().into(), xmin: "7".into() }
    };
    let endpoint =
        |id: &str, callerid: &str| EndpointRow { id: id.into(), callerid: callerid.into(), mailboxes: "".into() };
    let mailbox = |number: &str| MailboxRow { number: number.into(), name: "".into(), email: "".into() };
    Tables {
        rows: rows.lines().map(str::trim).filter(|line| !line.is_empty()).map(row).collect(),
        endpoints: vec![endpoint("amelie", "A <201>"), endpoint("bruno", "B <202>"), endpoint("door", "")],
        mailboxes: vec![mailbox("201")],
    }
}

const DIALECT: &str = "
    from-carrier | +33142685300 | 1 | Goto | ivr-main,s,1
    from-carrier | +33142685301 | 1 | Goto | internal,201,1
    from-carrier | +33142685302 | 1 | Goto | ring-groups,7f3a,1
    from-carrier | +33142685302 | 1000 | NoOp | strowger:label=Ventes
    from-carrier | 33142685303 | 1 | Goto | internal,300,1
    from-carrier | 0142685304 | 1 | VoiceMail | 201@default,u
    from-carrier | +33142685305 | 1 | Dial | PJSIP/+33199999999@trunk,60
    from-carrier | +33142685309 | 1 | Hangup | 1
    internal | 300 | 1 | Goto | ring-groups,7f3a,1
    ring-groups | 7f3a | 1 | Goto | ring-groups,7f3a.4,1
    ring-groups | 7f3a | 1000 | NoOp | strowger:name=Ventes
    ring-groups | 7f3a.4 | 1 | Dial | PJSIP/amelie,20
    ring-groups | 7f3a.4 | 2 | Dial | PJSIP/bruno,20
    ring-groups | 7f3a.4 | 3 | Goto | ring-groups,91c0,1
    ring-groups | 7f3a.3 | 1 | Dial | PJSIP/amelie,20
    ring-groups | 7f3a.3 | 1001 | NoOp | strowger:until=2026-11-27T21:00:00Z
    ring-groups | 91c0 | 1 | Goto | ring-groups,91c0.1,1
    ring-groups | 91c0 | 1000 | NoOp | strowger:name=Accueil
    ring-groups | 91c0.1 | 1 | Dial | PJSIP/amelie&${PJSIP_DIAL_CONTACTS(door)},15
    ring-groups | 91c0.1 | 2 | VoiceMail | 201@default,u
    ring-groups | 91c0.1 | 3 | Hangup | 19
    ring-groups | 0dea | 1 | Goto | ring-groups,0dea.2,1
    ring-groups | 0dea | 1001 | NoOp | strowger:until=2026-11-27T21:00:00Z
    ivr-main | 1 | 1 | Goto | ring-groups,91c0,1
";

fn shown(to: &ObjectRef) -> String {
    format!("{}/{}", to.kind, to.id)
}

#[test]
fn the_dialect_is_read_as_an_account() {
    let (layout, tables) = (layout(), tables(DIALECT));
    let live = Dialplan::new(&layout, &tables).account(Some("FR"));
    assert_eq!(live.unreadable, Vec::new());
    let numbers: Vec<_> = live.numbers.iter().map(|one| (one.number.to_string(), one.to.as_ref().map(shown))).collect();
    let expected = [
        ("+33142685300", Some("receptionist/ivr-main,s")),
        ("+33142685301", Some("user/201")),
        ("+33142685302", Some("ring_group/7f3a")),
        ("+33142685303", Some("ring_group/7f3a")),
        ("+33142685304", Some("voicemail/201@default")),
        ("+33142685305", Some("external/+33199999999")),
        ("+33142685309", None),
    ];
    let sorted = |mut list: Vec<(String, Option<String>)>| {
        list.sort();
        list
    };
    let expected = expected.map(|(number, to)| (number.to_owned(), to.map(ToOwned::to_owned))).to_vec();
    assert_eq!(sorted(numbers), expected);
    let [sales, reception] = live.ring_groups.as_slice() else { panic!("{:#?}", live.ring_groups) };
    assert_eq!((sales.name.as_str(), sales.ring), ("Ventes", RingMode::Sequential));
    assert_eq!(sales.extension.as_ref().map(|extension| extension.as_str().to_owned()), Some("300".to_owned()));
    assert_eq!(sales.members.iter().map(shown).collect::<Vec<_>>(), ["user/201", "user/202"]);
    assert_eq!(sales.no_answer.as_ref().map(shown), Some("ring_group/91c0".to_owned()));
    assert_eq!(reception.members.iter().map(shown).collect::<Vec<_>>(), ["user/201", "device/door"]);
    assert_eq!(reception.ring_for, RingFor::from_seconds(15).ok());
    let keys: Vec<_> = live.receptionists[0].keys.iter().map(|(key, to)| (&**key, shown(to))).collect();
    assert_eq!(keys, [("1", "ring_group/91c0".to_owned())]);
}

#[test]
fn what_is_not_of_the_dialect_is_unmanaged_with_its_reason() {
    let layout = layout();
    for (rows, why) in [
        ("from-carrier | _+331X. | 1 | Goto | internal,201,1", "it is not a phone number"),
        ("from-carrier | +33142685300 | 1 | Queue | sales", "it leads to Queue(sales)"),
        ("from-carrier | +33142685300 | 2 | Goto | internal,201,1", "it has no row of priority 1"),
        (
            "from-carrier | +33142685300 | 1 | Goto | internal,201,1\nfrom-carrier | +33142685300 | 2 | Hangup |",
            "priority 2 is Hangup(), and a number has one row and its label",
        ),
        ("from-carrier | +33142685300 | 1 | Goto | ivr-night,s,1", "it leads to Goto(ivr-night,s,1)"),
        ("ring-groups | sales | 1 | Dial | PJSIP/amelie,20", "its first row does not lead to a version of its chain"),
        ("ring-groups | a | 1 | Goto | ring-groups,a.1,1", "its version `a.1` has no rows"),
        (
            "ring-groups | a | 1 | Goto | ring-groups,a.1,1\nring-groups | a.1 | 1 | Dial | PJSIP/amelie,20\n\
             ring-groups | a.1 | 2 | Dial | PJSIP/bruno,25",
            "its members ring for different times",
        ),
        (
            "ring-groups | a | 1 | Goto | ring-groups,a.1,1\nring-groups | a.1 | 1 | Dial | PJSIP/amelie&PJSIP/bruno,20\n\
             ring-groups | a.1 | 2 | Dial | PJSIP/door,20",
            "several members ring at once, and others after them",
        ),
        (
            "ring-groups | a | 1 | Goto | ring-groups,a.1,1\nring-groups | a.1 | 1 | Dial | PJSIP/amelie,20\n\
             ring-groups | a.1 | 3 | Hangup | 19",
            "its priorities have a gap before 3",
        ),
        ("internal | 250 | 1 | Queue | sales", "its rows ring no phone that the tables have"),
        ("night | s | 1 | Goto | ring-groups,a,1", "its rows lead to a ring group"),
    ] {
        let tables = tables(rows);
        let live = Dialplan::new(&layout, &tables).account(Some("FR"));
        let found: Vec<_> = live.unreadable.iter().map(|one| &*one.why).collect();
        assert_eq!(found, [why], "{rows}");
        assert_eq!((live.numbers.len(), live.ring_groups.len()), (0, 0), "{rows}");
    }
}

#[test]
fn a_group_is_written_as_it_is_read() {
    let layout = layout();
    let tables = tables(DIALECT);
    let dialplan = Dialplan::new(&layout, &tables);
    for version in ["7f3a.4", "91c0.1"] {
        let rows = dialplan.rows("ring-groups", version).unwrap();
        let spelling = spelling(rows.values().copied());
        let written = dialplan.chain(version).unwrap().rows(version, &dialplan.people, &layout, &spelling).unwrap();
        let written: Vec<_> = written.iter().map(|(_, priority, action)| (*priority, action.columns())).collect();
        let there: Vec<_> = rows.values().map(|row| (row.priority, row.action().unwrap().columns())).collect();
        assert_eq!(written, there, "{version}");
    }
}

#[test]
fn a_number_that_two_countries_have_is_not_guessed() {
    assert_eq!(number("0142685300", Some("FR")).map(|number| number.to_string()), Ok("+33142685300".to_owned()));
    assert_eq!(number("0033142685300", None).map(|number| number.to_string()), Ok("+33142685300".to_owned()));
    assert!(number("0142685300", None).is_err());
    assert!(number("6592345678", Some("US")).is_err(), "of Alabama, or of Singapore");
    assert!(number("s", Some("FR")).is_err());
    assert!(number("+33142685300 ", Some("FR")).is_err(), "calls do not find such a row");
}
