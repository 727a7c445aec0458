//! Any live account: few names, so that they clash; references to what is there, gone, or not modelled.

use proptest::prelude::*;
use strowger::model::{
    Kind, LiveAccount, LiveConference, LiveDevice, LiveNumber, LiveReceptionist, LiveRingGroup, LiveUser, ObjectId,
    ObjectRef, RingFor, RingMode,
};

/// Few names, so that they clash, and some that YAML or a terminal would misread.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "Ventes",
            "ventes",
            "no",
            "201",
            "300",
            "5",
            "12 34",
            "a@b.c",
            "@q",
            "a\u{2028}b",
            "x: y",
            "#1",
            "- a",
            "é",
            "~",
            "none"
        ])
        .prop_map(str::to_owned),
        "[ -~é\u{202e}]{1,12}",
    ]
}

fn reference(kinds: &'static [Kind]) -> impl Strategy<Value = ObjectRef> {
    (prop::sample::select(kinds), 0..8_u32)
        .prop_map(|(kind, id)| ObjectRef { kind, id: ObjectId(format!("{kind}-{id}").into()) })
}

const ANY: &[Kind] =
    &[Kind::User, Kind::RingGroup, Kind::Receptionist, Kind::Conference, Kind::Device, Kind::Voicemail, Kind::Other];

prop_compose! {
    fn users()(all in prop::collection::vec((name(), prop::option::of(name()), 200..220_u32, any::<(bool, bool)>()), 0..6))
        -> Vec<LiveUser> {
        all.into_iter().enumerate().map(|(index, (name, email, extension, (voicemail, always_forwarded)))| LiveUser {
            id: ObjectId(format!("user-{index}").into()),
            name: name.into(),
            email: email.map(Into::into),
            extension: extension.to_string().parse().ok(),
            voicemail: voicemail.then(|| ObjectId(format!("voicemail-{index}").into())),
            always_forwarded,
        }).collect()
    }
}

prop_compose! {
    fn groups()(all in prop::collection::vec(
        (name(), prop::option::of(300..320_u32), any::<bool>(), prop::collection::vec(reference(ANY), 0..4),
         prop::option::of(1..3600_u64), prop::option::of(reference(ANY))), 0..6)) -> Vec<LiveRingGroup> {
        all.into_iter().enumerate().filter_map(|(index, (name, extension, together, members, ring_for, no_answer))| {
            Some(LiveRingGroup {
                id: ObjectId(format!("ring_group-{index}").into()),
                name: name.parse().ok()?,
                extension: extension.and_then(|extension| extension.to_string().parse().ok()),
                ring: if together { RingMode::Simultaneous } else { RingMode::Sequential },
                members,
                ring_for: ring_for.and_then(|seconds| RingFor::from_seconds(seconds).ok()),
                no_answer,
                revision: None,
                document: None,
            })
        }).collect()
    }
}

prop_compose! {
    /// Any live account.
    pub fn accounts()(
        users in users(), ring_groups in groups(),
        devices in prop::collection::vec((name(), 0..8_u32), 0..6),
        lines in prop::collection::vec((name(), 400..420_u32), 0..4),
        menus in prop::collection::vec((name(), prop::collection::btree_map("[0-9*#]", reference(ANY), 0..3)), 0..3),
        numbers in prop::collection::vec((prop::option::of(reference(ANY)), prop::option::of(name()), any::<bool>()), 0..9),
    ) -> LiveAccount {
        let mut live = LiveAccount { users, ring_groups, ..LiveAccount::default() };
        live.account.name = "account".into();
        live.account.id = "id-1".into();
        live.devices = devices.into_iter().enumerate().map(|(index, (name, owner))| LiveDevice {
            id: ObjectId(format!("device-{index}").into()),
            name: name.into(),
            owner: live.users.get(owner as usize).map(|user| user.id.clone()),
        }).collect();
        live.conferences = lines.into_iter().enumerate().map(|(index, (name, extension))| LiveConference {
            id: ObjectId(format!("conference-{index}").into()),
            name: name.into(),
            extension: extension.to_string().parse().ok(),
        }).collect();
        live.receptionists = menus.into_iter().enumerate().map(|(index, (name, keys))| LiveReceptionist {
            id: ObjectId(format!("receptionist-{index}").into()),
            name: name.into(),
            extension: None,
            keys: keys.into_iter().map(|(key, target)| (key.into(), target)).collect(),
        }).collect();
        live.numbers = numbers.into_iter().enumerate().map(|(index, (to, label, emergency_callback))| {
            let number = format!("+3314268530{index}");
            LiveNumber {
                id: ObjectId(format!("number-{index}").into()),
                number: number.parse().unwrap(),
                to,
                label: label.unwrap_or_default().into(),
                emergency_callback,
                revision: None,
                document: None,
            }
        }).collect();
        live.validated().unwrap()
    }
}
