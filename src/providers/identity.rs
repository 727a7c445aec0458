//! Which live account a reading was of, whatever its files call it and however they reach it.

use std::hash::{Hash as _, Hasher as _};

use crate::model::LiveAccount;

use super::FetchedAccount;

/// The live identity of an account.
///
/// Two are the same account if they were reached in the same place and give the same account id. A server has other
/// names as well, which cannot be known beforehand: two servers are taken for one if the account id, the numbers and the
/// users are the same there, with the same ids, and the servers do not show by the versions of their lists that they
/// keep two accounts.
#[derive(Clone, Debug)]
pub struct Identity<P> {
    /// Where it was reached; nothing if nothing else reaches it.
    place: Option<P>,
    /// Whether the place can have other names.
    remote: bool,
    account: Box<str>,
    /// Of the ids of numbers and users, neither of which Strowger makes or deletes; nothing if there are none.
    objects: Option<u64>,
    versions: Vec<Box<str>>,
}

impl<P: PartialEq> Identity<P> {
    /// The identity of the account that was read in this place.
    pub fn new(read: &FetchedAccount, place: Option<P>, remote: bool) -> Self {
        let account = read.live.account.id.clone();
        Self { place, remote, account, objects: objects(&read.live), versions: read.versions.clone() }
    }

    /// The vendor's id of the account. Untrusted text.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Whether both are one live account.
    pub fn is_same(&self, other: &Self) -> bool {
        if self.account != other.account {
            return false;
        }
        if self.place.is_some() && self.place == other.place {
            return true;
        }
        let told_apart = !self.versions.is_empty()
            && !other.versions.is_empty()
            && !self.versions.iter().any(|version| other.versions.contains(version));
        self.remote && other.remote && self.objects.is_some() && self.objects == other.objects && !told_apart
    }
}

/// A hash of what the account owns; it is compared within one process only.
fn objects(live: &LiveAccount) -> Option<u64> {
    if live.numbers.is_empty() && live.users.is_empty() {
        return None;
    }
    let mut hasher = std::hash::DefaultHasher::new();
    for number in &live.numbers {
        (&*number.id.0, number.number.digits()).hash(&mut hasher);
    }
    for user in &live.users {
        user.id.0.hash(&mut hasher);
    }
    Some(hasher.finish())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test asserts by failing")]
mod tests {
    use super::*;
    use crate::providers::snapshot::{Format, parse};

    fn read(id: &str, number: &str, versions: &[&str]) -> FetchedAccount {
        let text = format!(
            "snapshot: 1\naccount: {{ name: a, default_number: \"{number}\" }}\nreceptionists: {{ main: {{ extension: \"100\" }} }}\n\
             numbers: {{ \"{number}\": {{ to: receptionist/main }} }}\n"
        );
        let mut live = parse(&text, Format::Yaml).unwrap();
        live.account.id = id.into();
        FetchedAccount { live, requests: 1, versions: versions.iter().map(|version| Box::from(*version)).collect() }
    }

    fn at(place: &'static str, read: &FetchedAccount) -> Identity<&'static str> {
        Identity::new(read, Some(place), true)
    }

    #[test]
    fn one_account_is_found_by_its_id_in_one_place_and_by_what_it_owns_elsewhere() {
        let paris = read("acc_1", "+33142685300", &["v7", "v8"]);
        let again = read("acc_1", "+33142685300", &["v9", "v8"]);
        let silent = read("acc_1", "+33142685300", &[]);
        let copy = read("acc_1", "+33142685300", &["w1", "w2"]);
        let other = read("acc_2", "+33142685300", &["v7", "v8"]);
        let moved = read("acc_1", "+33142685301", &["v7", "v8"]);
        assert!(at("pbx", &paris).is_same(&at("alias", &paris)));
        assert!(at("pbx", &paris).is_same(&at("alias", &again)), "the account was changed between the two readings");
        assert!(at("pbx", &paris).is_same(&at("alias", &silent)), "no version tells them apart");
        assert!(at("pbx", &paris).is_same(&at("pbx", &moved)), "one place, one id");
        assert!(!at("pbx", &paris).is_same(&at("alias", &copy)), "two servers that began with one seed");
        assert!(!at("pbx", &paris).is_same(&at("pbx", &other)), "two accounts of one server");
        assert!(!at("pbx", &paris).is_same(&at("alias", &moved)));
        let here = |read| Identity::<&str>::new(read, None, false);
        assert!(!here(&paris).is_same(&here(&paris)), "two accounts in memory");
    }
}
