//! Where a value of a snapshot is, by the keys that lead to it.
//!
//! Objects do not keep their places, which would cost memory for each. A text with an error is read once more.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fields::Text;
use super::yaml;

/// One step from a value to a value in it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Under this key.
    Key(Box<str>),
    /// The entry or item at this position, from 0.
    Nth(usize),
    /// Under this key, where it is given for the second time.
    Second(Box<str>),
}

/// The line and the column of a value, both from 1.
pub(super) fn locate(text: &str, path: &[Step]) -> Option<(usize, usize)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    yaml::read(text, Walk(path)).err()?.place
}

/// Ends with an error, whose place is that of the value.
struct Walk<'p>(&'p [Step]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of an error")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else { return Err(A::Error::custom("here")) };
        let (mut position, mut seen) = (0, false);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let found = match step {
                Step::Key(wanted) => key.as_str() == &**wanted,
                Step::Nth(wanted) => position == *wanted,
                Step::Second(wanted) => key.as_str() == &**wanted && std::mem::replace(&mut seen, true),
            };
            if found {
                return map.next_value_seed(Walk(rest));
            }
            position += 1;
            map.next_value::<IgnoredAny>()?;
        }
        Err(A::Error::custom("here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((Step::Nth(wanted), rest)) = self.0.split_first() else { return Err(A::Error::custom("here")) };
        for _ in 0..*wanted {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Walk(rest)).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_the_keys_that_lead_to_it() {
        let text = "snapshot: 1\nring_groups:\n  a: {}\n  b: { members: [user/1,\n    user/2] }\n  a: {}\n";
        let group = |steps: &[Step]| {
            let path: Vec<Step> = [Step::Key("ring_groups".into())].into_iter().chain(steps.iter().cloned()).collect();
            locate(text, &path)
        };
        assert_eq!(group(&[Step::Nth(1), Step::Key("members".into()), Step::Nth(1)]), Some((5, 5)));
        assert_eq!(group(&[Step::Second("a".into())]), Some((6, 6)));
        assert_eq!(locate("{\"snapshot\": 1,\n\"numbers\": 7}", &[Step::Key("numbers".into())]), Some((2, 12)));
        assert_eq!(locate(text, &[]), Some((1, 1)));
    }
}
