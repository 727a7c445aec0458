//! What to write for a system that is not a provider: its own word, or that of the nearest way in.

/// Systems by the words that people write, and the nearest way in.
const SYSTEMS: [(&[&str], &str); 4] = [
    (
        &[
            "3cx",
            "8x8",
            "aircall",
            "avaya",
            "cisco",
            "dialpad",
            "fonality",
            "freepbx",
            "freeswitch",
            "fusionpbx",
            "google-voice",
            "goto",
            "gotoconnect",
            "grandstream",
            "grasshopper",
            "issabel",
            "kazoo",
            "keyyo",
            "mitel",
            "nextiva",
            "ooma",
            "orange",
            "ovh",
            "ovhcloud",
            "quo",
            "openphone",
            "ringcentral",
            "ringover",
            "sfr",
            "sipgate",
            "teams",
            "microsoft-teams",
            "msteams",
            "telnyx",
            "twilio",
            "vonage",
            "wazo",
            "webex",
            "yeastar",
            "zoom",
            "zoom-phone",
        ],
        "this version has no driver for its API; write `provider: snapshot` and a file of its numbers: docs/snapshot.md shows the way from its portal to a plan",
    ),
    (
        &["csv", "excel", "file", "spreadsheet", "yaml", "json", "manual", "portal", "none"],
        "write `provider: snapshot`; `strowger init --from numbers.csv` makes the snapshot from a spreadsheet: docs/snapshot.md",
    ),
    (
        &["ara", "asterisk-realtime", "chan-pjsip", "pjsip", "realtime"],
        "write `provider: asterisk`: docs/providers/asterisk.md",
    ),
    (
        &["account-api", "api", "http", "https", "rest", "url"],
        "write `provider: office` for a server of the Account API (`strowger schema account-api`), or `provider: snapshot` for a system without one: docs/snapshot.md",
    ),
];

/// The remedy for a word that is a known system and not a provider.
pub(super) fn nearest_way(word: &str) -> Option<&'static str> {
    let plain = word.to_lowercase().replace([' ', '_'], "-");
    SYSTEMS.iter().find(|(words, _)| words.contains(&plain.as_str())).map(|(_, way)| *way)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::registry;

    #[test]
    fn every_way_names_a_provider_and_no_system_is_a_provider() {
        for (words, way) in SYSTEMS {
            assert!(registry::words().iter().any(|word| way.contains(&format!("`provider: {word}`"))), "{way}");
            assert!(way.contains("docs/"), "{way}");
            for word in words {
                assert!(registry::find(word).is_none() && nearest_way(word) == Some(way), "{word}");
            }
        }
        assert_eq!(nearest_way("Microsoft Teams"), nearest_way("teams"));
    }
}
