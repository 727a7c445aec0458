//! A call as it went, by the logs of the caller and of the phones.

use std::collections::BTreeMap;

/// Seconds of the clock, which all logs share.
pub type Moment = f64;

pub struct Call {
    /// The number dialled.
    pub number: String,
    pub dialled: Moment,
    /// The phones that got an INVITE, in this order.
    pub rang: Vec<(Moment, String)>,
    /// None if the caller got no final answer.
    pub ending: Option<(Moment, Ending)>,
}

/// The final answer to the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub status: u16,
    /// Who answered, where the answer names one.
    pub by: String,
}

impl Call {
    /// All calls of a caller, in the order in which they were placed.
    pub fn all(caller: &str, phones: &str) -> Vec<Self> {
        let mut calls: BTreeMap<u32, Self> = BTreeMap::new();
        for line in caller.lines() {
            let [moment, id, event, detail] = fields(line);
            let (moment, id) = (moment.parse().unwrap(), id.parse().unwrap());
            if event == "dialled" {
                // A line for each time that the INVITE was sent, if it was sent again.
                let new = || Self { number: detail.to_owned(), dialled: moment, rang: Vec::new(), ending: None };
                calls.entry(id).or_insert_with(new);
                continue;
            }
            let ending = match event {
                "answered" => Ending { status: 200, by: detail.trim_start_matches("sip:").to_owned() },
                _ => Ending { status: detail.parse().unwrap(), by: String::new() },
            };
            calls.get_mut(&id).unwrap().ending.get_or_insert((moment, ending));
        }
        for line in phones.lines() {
            let [moment, call, phone, _] = fields(line);
            let (number, id) = call.split_once(' ').unwrap();
            let call = id.parse().ok().and_then(|id: u32| calls.get_mut(&id));
            let call = call.filter(|call| call.number == number).expect("a phone rings for a call that was placed");
            call.rang.push((moment.parse().unwrap(), phone.to_owned()));
        }
        calls.into_values().collect()
    }

    /// The time in which it was decided where the call goes after so many phones have rung: until the next one rings, or the
    /// call ends.
    pub fn between(&self, phones: usize) -> (Moment, Moment) {
        let rang = |index: usize| self.rang.get(index).map(|(moment, _)| *moment);
        let from = phones.checked_sub(1).and_then(rang).unwrap_or(self.dialled);
        let ending = self.ending.as_ref().map(|(moment, _)| *moment);
        (from, rang(phones).or(ending).unwrap_or(Moment::INFINITY))
    }
}

/// The fields of a line, of which the first follows the date and the time of day.
fn fields(line: &str) -> [&str; 4] {
    let mut fields = line.rsplit('\t').next().unwrap().split(';');
    [(); 4].map(|()| fields.next().unwrap_or_default())
}
