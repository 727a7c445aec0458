//! The short numbers that must reach help, or a public service, wherever they are dialled (domain reference, I13).
//!
//! One table for what a file may ask for and what the embedded account gives out. `scripts/emergency` makes it and says
//! where it is from.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::ExtensionNumber;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("emergency.txt")));

struct Table {
    by_country: HashMap<&'static str, BTreeSet<&'static str>>,
    /// The numbers of all countries.
    all: BTreeSet<&'static str>,
}

impl Table {
    fn read(text: &'static str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let by_country: HashMap<_, BTreeSet<_>> = lines
            .filter_map(|line| line.split_once(' '))
            .map(|(country, list)| (country, list.split(' ').collect()))
            .collect();
        let all = by_country.values().flatten().copied().collect();
        Self { by_country, all }
    }
}

/// The emergency and public-service numbers of a country, by its two capital letters; those of all countries if none is
/// given, or one that is not in the table.
pub fn emergency_numbers(country: Option<&str>) -> &'static BTreeSet<&'static str> {
    country.and_then(|country| TABLE.by_country.get(country)).unwrap_or(&TABLE.all)
}

/// Whether dialling this number inside an account of a country must reach an emergency or a public service.
pub fn is_emergency(extension: &ExtensionNumber, country: Option<&str>) -> bool {
    emergency_numbers(country).contains(extension.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hides(number: &str, country: Option<&str>) -> bool {
        is_emergency(&number.parse().unwrap_or_else(|_| panic!("{number}")), country)
    }

    #[test]
    fn the_help_lines_of_each_country_are_known() {
        let known = [
            ("AE", "901 997 998 999"),
            ("AR", "100 101 107 911"),
            ("AT", "112 122 133 144 140 147"),
            ("AU", "000 106 112"),
            ("BE", "100 101 112 107"),
            ("BG", "112 150 160 166"),
            ("BR", "190 191 192 193 197 198 199"),
            ("CA", "911 988"),
            ("CH", "112 117 118 143 144 147"),
            ("CL", "131 132 133"),
            ("CN", "110 119 120 122"),
            ("CO", "112 119 123"),
            ("CZ", "112 150 155 156 158"),
            ("DE", "110 112 115 116117"),
            ("DK", "112 114"),
            ("EG", "122 123 180"),
            ("ES", "016 061 062 091 092 112"),
            ("FR", "15 17 18 112 114 115 116 119 191 196 197 116000"),
            ("GB", "101 105 111 112 999"),
            ("GR", "100 112 108 166 199"),
            ("HK", "112 992 999"),
            ("HR", "112 192 193 194 195"),
            ("HU", "104 105 107 112"),
            ("IE", "112 999"),
            ("IL", "100 101 102"),
            ("IN", "100 101 102 108 112 1098"),
            ("IT", "112 113 114 115 117 118 1522 1530"),
            ("JP", "110 118 119 171"),
            ("KR", "112 119 182"),
            ("MX", "911 066 089"),
            ("NL", "112 113 144"),
            ("NZ", "105 111"),
            ("PL", "112 986 997 998 999"),
            ("PT", "112 117 144"),
            ("RS", "192 193 194 112"),
            ("RU", "01 02 03 04 101 102 103 104 112"),
            ("SA", "911 937 997 998 999"),
            ("SG", "995 999"),
            ("SK", "112 150 155 158 159"),
            ("TR", "110 112 155 156 158 177"),
            ("UA", "101 102 103 104 112"),
            ("US", "911 933 988 411 611 711"),
            ("ZA", "112 10111 10177"),
        ];
        for (country, numbers) in known {
            for number in numbers.split(' ') {
                assert!(hides(number, Some(country)), "{country} {number}");
            }
        }
    }

    #[test]
    fn every_country_has_help_lines_and_leaves_offices_their_numbers() {
        assert!(TABLE.by_country.len() > 230);
        let information = ["211", "311", "511"];
        for (country, numbers) in &TABLE.by_country {
            assert!(numbers.contains("112") && numbers.contains("911"), "{country}");
            assert!(numbers.iter().all(|number| number.parse::<ExtensionNumber>().is_ok()), "{country}: {numbers:?}");
            for number in (200..900).map(|number| number.to_string()) {
                let known = match *country {
                    "BB" => information.contains(&number.as_str()),
                    "US" | "CA" | "AS" | "GU" | "MP" | "PR" | "VI" => ["411", "611", "711"].contains(&number.as_str()),
                    "DM" | "KN" | "KH" | "SO" | "LR" | "KP" => true,
                    "NG" => number == "767",
                    "BI" => number == "611",
                    _ => false,
                };
                assert!(known || !numbers.contains(number.as_str()), "{country} {number}");
            }
        }
        for (country, number) in
            [("FR", "100"), ("FR", "120"), ("US", "101"), ("US", "199"), ("DE", "101"), ("GB", "102"), ("IT", "100")]
        {
            assert!(!hides(number, Some(country)), "{country} {number}");
        }
    }

    #[test]
    fn a_country_that_is_not_known_has_the_numbers_of_all() {
        for country in [None, Some("AQ"), Some(""), Some("fr")] {
            for number in ["15", "190", "112", "000", "999", "150", "911", "997"] {
                assert!(hides(number, country), "{country:?} {number}");
            }
            for number in ["201", "300", "850", "2001"] {
                assert!(!hides(number, country), "{country:?} {number}");
            }
        }
        assert!(TABLE.by_country.values().all(|numbers| numbers.is_subset(&TABLE.all)));
    }
}
