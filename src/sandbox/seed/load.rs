//! Writes a checked seed into an empty state, with one prepared statement per table.

use rusqlite::{Connection, params};

use super::{Extension, Seed};
use crate::sandbox::account;
use crate::sandbox::collection::TargetKind;
use crate::sandbox::kinds::ring_groups;
use crate::sandbox::text;

impl Seed {
    /// Runs inside the caller's transaction. The country is that of a seed that names none.
    pub(in crate::sandbox) fn load(&self, db: &Connection, country: &str) -> rusqlite::Result<()> {
        self.load_extensions(db)?;
        self.load_users(db)?;
        self.load_receptionists(db)?;
        self.load_bridges(db)?;
        self.load_ring_groups(db)?;
        self.load_numbers(db)?;
        account::insert_account(db, &self.name, self.country.as_deref().unwrap_or(country), &self.default_number)
    }

    fn load_extensions(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut insert =
            db.prepare("INSERT INTO extensions (key, kind, name, name_key, extension) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let mut insert_conference = db.prepare("INSERT INTO conferences (key) VALUES (?1)")?;
        for (key, Extension { kind, name, digits }) in (1_i64..).zip(&self.extensions) {
            insert.execute(params![key, kind.name(), name, text::name_key(name), digits])?;
            if *kind == TargetKind::Conference {
                insert_conference.execute([key])?;
            }
        }
        Ok(())
    }

    fn load_users(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut insert = db.prepare("INSERT INTO locations (label, label_key, address) VALUES (?1, ?2, ?3)")?;
        for location in &self.locations {
            insert.execute(params![location.label, text::name_key(&location.label), location.address])?;
        }
        let mut insert = db.prepare(
            "INSERT INTO users (key, email, email_key, location, voicemail, forwarding_mode, forwarding_to) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for user in &self.users {
            let key = text::name_key(&user.email);
            insert.execute(params![
                user.key,
                user.email,
                key,
                user.location,
                user.voicemail,
                user.forwarding_mode,
                user.forwarding_to
            ])?;
        }
        let mut insert = db.prepare("INSERT INTO devices (user, name, name_key, kind) VALUES (?1, ?2, ?3, ?4)")?;
        for device in &self.devices {
            insert.execute(params![device.user, device.name, text::name_key(&device.name), device.kind])?;
        }
        Ok(())
    }

    fn load_receptionists(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut insert = db.prepare("INSERT INTO receptionists (key, timezone) VALUES (?1, ?2)")?;
        let mut insert_key =
            db.prepare("INSERT INTO keys (receptionist, digit, kind, target) VALUES (?1, ?2, ?3, ?4)")?;
        for receptionist in &self.receptionists {
            insert.execute(params![receptionist.key, receptionist.timezone])?;
            for (digit, target) in &receptionist.keys {
                insert_key.execute(params![receptionist.key, digit, target.kind.name(), target.key])?;
            }
        }
        Ok(())
    }

    fn load_bridges(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut insert = db.prepare(
            "INSERT INTO bridges (conference, name, number, pin_digest, assigned_to) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for bridge in &self.bridges {
            insert.execute(params![bridge.conference, bridge.name, bridge.number, bridge.pin, bridge.assigned_to])?;
        }
        Ok(())
    }

    fn load_ring_groups(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut insert_member =
            db.prepare("INSERT INTO members (ring_group, position, user, device) VALUES (?1, ?2, ?3, ?4)")?;
        for group in &self.ring_groups {
            ring_groups::insert(db, group.key, group.ring.as_str(), group.seconds, group.no_answer)?;
            for (position, member) in (0_i64..).zip(&group.members) {
                let column = |kind| (member.kind == kind).then_some(member.key);
                let (user, device) = (column(TargetKind::User), column(TargetKind::Device));
                insert_member.execute(params![group.key, position, user, device])?;
            }
        }
        Ok(())
    }

    fn load_numbers(&self, db: &Connection) -> rusqlite::Result<()> {
        let mut insert = db.prepare(
            "INSERT INTO numbers (number, kind, label, destination, emergency_callback, owner) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        for number in &self.numbers {
            insert.execute(params![
                number.e164,
                number.kind,
                number.label,
                number.destination,
                number.emergency_callback,
                number.owner
            ])?;
        }
        Ok(())
    }
}
