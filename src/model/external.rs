//! Which numbers outside of the account may become destinations.
//!
//! A call that is sent to an outside number is paid for by the account, and numbers that share their revenue with the
//! attacker make that worth a manipulated file (toll fraud). So nothing outside is a destination until a policy lists it.

use std::collections::BTreeSet;

use phonenumber::{Mode, Type};

use super::E164;

/// A message shows so much of a text that is not a number.
const LONGEST: usize = 40;

/// `policy.external`: the countries and the numbers that calls may be sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalPolicy {
    /// By ISO 3166-1 alpha-2 code.
    pub countries: BTreeSet<Box<str>>,
    pub numbers: BTreeSet<E164>,
}

/// Why a policy does not list a number. The text of an invalid one is untrusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotListed {
    #[error("{0} is not a valid number of any country")]
    Invalid(Box<str>),
    /// Its country is not listed.
    #[error("{number} is in {country}")]
    Country { number: E164, country: Box<str> },
    /// A premium-rate number and the like: its country does not suffice.
    #[error("{0} may cost more than other numbers of its country, so it must be listed itself")]
    Costly(E164),
}

impl ExternalPolicy {
    /// Whether calls may be sent to this number, which comes from a plan or an account.
    pub fn check(&self, text: &str) -> Result<(), NotListed> {
        let number: E164 =
            text.parse().map_err(|_| NotListed::Invalid(text.chars().take(LONGEST).collect::<String>().into()))?;
        if self.numbers.contains(&number) {
            return Ok(());
        }
        let parsed = phonenumber::parse(None, number.to_string()).ok().filter(phonenumber::PhoneNumber::is_valid);
        // The library reads some texts in more than one way.
        let parsed = parsed.filter(|parsed| parsed.format().mode(Mode::E164).to_string() == number.to_string());
        let country = parsed.as_ref().and_then(|parsed| parsed.country().id());
        let (Some(parsed), Some(country)) = (parsed, country) else { return Err(NotListed::Invalid(text.into())) };
        let country: &str = country.as_ref();
        if !self.countries.contains(country) {
            return Err(NotListed::Country { number, country: country.into() });
        }
        match parsed.number_type(&phonenumber::metadata::DATABASE) {
            Type::FixedLine | Type::Mobile | Type::FixedLineOrMobile | Type::TollFree | Type::Voip | Type::Uan => {
                Ok(())
            }
            _ => Err(NotListed::Costly(number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listed: &[&str], number: &str) -> Result<(), NotListed> {
        let mut policy = ExternalPolicy::default();
        for entry in listed {
            match entry.parse() {
                Ok(number) => policy.numbers.insert(number),
                Err(_) => policy.countries.insert((*entry).into()),
            };
        }
        policy.check(number)
    }

    #[test]
    fn a_number_is_allowed_by_its_country_or_by_itself() {
        let is_elsewhere = |result| matches!(result, Err(NotListed::Country { .. }));
        assert_eq!(check(&["FR"], "+33612345678"), Ok(()));
        assert_eq!(check(&["+33612345678"], "+33612345678"), Ok(()));
        assert!(is_elsewhere(check(&[], "+33612345678")));
        assert!(is_elsewhere(check(&["FR", "+33612345679"], "+447400123456")));
        // Countries with one calling code.
        assert_eq!(check(&["US"], "+12125550123"), Ok(()));
        assert!(is_elsewhere(check(&["US"], "+14165550123")), "Toronto");
        assert!(is_elsewhere(check(&["US"], "+18765550123")), "Jamaica, known for fraud");
    }

    #[test]
    fn a_country_does_not_list_its_costly_numbers() {
        for number in ["+33899123456", "+19005550123", "+449098790000"] {
            let result = check(&["FR", "US", "GB"], number);
            assert!(matches!(result, Err(NotListed::Costly(_))), "{number}: {result:?}");
            assert_eq!(check(&[number], number), Ok(()));
        }
        assert!(matches!(check(&["FR"], "+33000000000"), Err(NotListed::Invalid(_))));
        assert!(matches!(check(&["FR"], "0612345678"), Err(NotListed::Invalid(_))));
        // Satellites belong to no country.
        assert!(check(&["FR", "US"], "+881612345678").is_err());
    }
}
