//! Writes a checked seed into an empty state.

use rusqlite::Connection;

use super::{Extension, Seed};
use crate::sandbox::account;
use crate::sandbox::collection::TargetKind;
use crate::sandbox::kinds::{
    bridges, conferences, devices, extensions, locations, numbers, receptionists, ring_groups, users,
};

impl Seed {
    /// Runs inside the caller's transaction. The country is that of a seed that names none.
    ///
    /// Keys count from 1 in an empty state, so the extensions get the keys that the rest of the seed has for them.
    pub(in crate::sandbox) fn load(&self, db: &Connection, country: &str) -> rusqlite::Result<()> {
        for Extension { kind, name, digits } in &self.extensions {
            let key = extensions::insert(db, *kind, name, digits)?;
            if *kind == TargetKind::Conference {
                conferences::insert(db, key)?;
            }
        }
        for location in &self.locations {
            locations::insert(db, &location.label, &location.address)?;
        }
        for user in &self.users {
            let forwarding = (&*user.forwarding_mode, user.forwarding_to.as_deref());
            users::insert(db, user.key, &user.email, user.location, user.voicemail, forwarding)?;
        }
        for device in &self.devices {
            devices::insert(db, device.user, &device.name, &device.kind)?;
        }
        for receptionist in &self.receptionists {
            receptionists::insert(db, receptionist.key, &receptionist.timezone)?;
            for (digit, target) in &receptionist.keys {
                receptionists::set_key(db, receptionist.key, digit, *target)?;
            }
        }
        for bridge in &self.bridges {
            let pin = bridge.pin.as_deref();
            bridges::insert(db, bridge.conference, &bridge.name, &bridge.number, pin, bridge.assigned_to)?;
        }
        for group in &self.ring_groups {
            ring_groups::insert(db, group.key, group.ring.as_str(), group.seconds, group.no_answer)?;
            ring_groups::insert_members(db, group.key, &group.members)?;
        }
        for number in &self.numbers {
            let (to, callback) = (number.destination, number.emergency_callback);
            numbers::insert(db, &number.e164, &number.kind, &number.label, to, callback, number.owner)?;
        }
        account::insert_account(db, &self.name, self.country.as_deref().unwrap_or(country), &self.default_number)
    }
}
