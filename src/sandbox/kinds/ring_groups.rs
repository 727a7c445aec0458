//! Ring groups: the only way for one number to ring several phones. A group brings no number of its own.
//!
//! A group is never its own no-answer target. Longer cycles are accepted, as real vendors do.

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{Columns, Effects, Kind, Row, extensions, require};
use crate::sandbox::collection::{Collection, Target, TargetKind};
use crate::sandbox::fields::{Change, Fields, Need};
use crate::sandbox::page::join;
use crate::sandbox::problem::{FieldError, Problem};
use crate::sandbox::text;

pub(super) struct RingGroups;

pub(in crate::sandbox) const RING_MODES: &[&str] = &["simultaneous", "sequential"];
pub(in crate::sandbox) const MEMBER_KINDS: &[TargetKind] = &[TargetKind::User, TargetKind::Device];
pub(in crate::sandbox) const MAX_MEMBERS: usize = 50;
pub(in crate::sandbox) const NO_ANSWER_KINDS: &[TargetKind] =
    &[TargetKind::User, TargetKind::Voicemail, TargetKind::RingGroup];
/// Seconds: lowest, highest, default.
pub(in crate::sandbox) const RING_FOR: (i64, i64, i64) = (5, 300, 20);

impl Kind for RingGroups {
    fn collection(&self) -> Collection {
        Collection::RingGroups
    }

    fn select(&self) -> &'static str {
        "SELECT g.key, e.name, e.extension, g.ring, g.ring_for, g.no_answer_kind, g.no_answer \
         FROM ring_groups g JOIN extensions e ON e.key = g.key \
         WHERE g.key > ?1 AND g.key <= ?2 ORDER BY g.key LIMIT ?3"
    }

    fn object(&self, key: i64, row: &Columns<'_>) -> rusqlite::Result<Value> {
        let (kind, target): (Option<String>, Option<i64>) = (row.get(5)?, row.get(6)?);
        Ok(json!({
            "id": Collection::RingGroups.id(key),
            "name": row.get::<_, String>(1)?,
            "extension": row.get::<_, String>(2)?,
            "ring": row.get::<_, String>(3)?,
            "members": [],
            "ring_for": row.get::<_, i64>(4)?,
            "no_answer": kind.zip(target).map(|(kind, key)| json!({ "id": TargetKind::id_of(&kind, key), "kind": kind })),
        }))
    }

    fn embed(&self, db: &Connection, groups: &mut [Row]) -> Result<(), Problem> {
        let sql = "SELECT ring_group, user, device FROM members WHERE ring_group BETWEEN ?1 AND ?2 \
                   ORDER BY ring_group, position";
        join(db, groups, sql, |group, row| {
            let member = match row.get(1)? {
                Some(user) => Target { kind: TargetKind::User, key: user },
                None => Target { kind: TargetKind::Device, key: row.get(2)? },
            };
            if let Some(Value::Array(members)) = group.get_mut("members") {
                members.push(json!({ "kind": member.kind.name(), "id": member.id() }));
            }
            Ok(())
        })
    }

    fn create(&self, db: &Connection, mut body: Fields<'_>) -> Result<(i64, Effects), Problem> {
        let (min, max, default) = RING_FOR;
        let name = body.text("name", Need::Required, text::name);
        let extension = body.text("extension", Need::Optional, text::extension);
        let ring = body.one_of("ring", Need::Optional, RING_MODES).unwrap_or("simultaneous");
        let members = body.targets("members", Need::Required, MEMBER_KINDS, MAX_MEMBERS);
        let ring_for = body.integer("ring_for", Need::Optional, min, max).unwrap_or(default);
        let no_answer = body.nullable_target("no_answer", NO_ANSWER_KINDS).set();
        body.finish()?;
        if let Some(target) = no_answer {
            require(db, target, "/no_answer")?;
        }
        let key = extensions::create(db, TargetKind::RingGroup, name.unwrap_or_default(), extension)?;
        insert(db, key, ring, ring_for, no_answer)?;
        set_members(db, key, &members.unwrap_or_default())?;
        Ok((key, Effects::default()))
    }

    fn update(&self, db: &Connection, key: i64, mut body: Fields<'_>) -> Result<Effects, Problem> {
        let (min, max, _) = RING_FOR;
        let name = body.text("name", Need::Optional, text::name);
        let extension = body.text("extension", Need::Optional, text::extension);
        let ring = body.one_of("ring", Need::Optional, RING_MODES);
        let members = body.targets("members", Need::Optional, MEMBER_KINDS, MAX_MEMBERS);
        let ring_for = body.integer("ring_for", Need::Optional, min, max);
        let no_answer = body.nullable_target("no_answer", NO_ANSWER_KINDS);
        body.finish()?;
        extensions::update(db, key, name, extension)?;
        db.prepare_cached(
            "UPDATE ring_groups SET ring = coalesce(?2, ring), ring_for = coalesce(?3, ring_for) WHERE key = ?1",
        )?
        .execute(params![key, ring, ring_for])?;
        match no_answer {
            Change::Keep => {}
            Change::Clear => set_no_answer(db, key, None)?,
            Change::Set(target) => set_no_answer(db, key, Some(target))?,
        }
        if let Some(members) = members {
            set_members(db, key, &members)?;
        }
        Ok(Effects::default())
    }
}

/// Adds a group to the table; its members and the extension of the same key have tables of their own.
pub(in crate::sandbox) fn insert(
    db: &Connection,
    key: i64,
    ring: &str,
    seconds: i64,
    no_answer: Option<Target>,
) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO ring_groups (key, ring, ring_for, no_answer_kind, no_answer) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let (kind, target) = (no_answer.map(|target| target.kind.name()), no_answer.map(|target| target.key));
    insert.execute(params![key, ring, seconds, kind, target]).map(drop)
}

fn set_no_answer(db: &Connection, key: i64, target: Option<Target>) -> Result<(), Problem> {
    if let Some(target) = target {
        if target == (Target { kind: TargetKind::RingGroup, key }) {
            let detail = "must not be the group itself: its callers would ring for ever".to_owned();
            return Err(Problem::invalid(&[FieldError { pointer: "/no_answer".to_owned(), detail }]));
        }
        require(db, target, "/no_answer")?;
    }
    db.prepare_cached("UPDATE ring_groups SET no_answer_kind = ?2, no_answer = ?3 WHERE key = ?1")?
        .execute(params![key, target.map(|t| t.kind.name()), target.map(|t| t.key)])?;
    Ok(())
}

fn set_members(db: &Connection, group: i64, members: &[Target]) -> Result<(), Problem> {
    db.prepare_cached("DELETE FROM members WHERE ring_group = ?1")?.execute([group])?;
    for (position, member) in members.iter().enumerate() {
        require(db, *member, &format!("/members/{position}"))?;
    }
    Ok(insert_members(db, group, members)?)
}

/// Adds the members of a group that has none.
pub(in crate::sandbox) fn insert_members(db: &Connection, group: i64, members: &[Target]) -> rusqlite::Result<()> {
    let mut insert =
        db.prepare_cached("INSERT INTO members (ring_group, position, user, device) VALUES (?1, ?2, ?3, ?4)")?;
    for (position, member) in (0_i64..).zip(members) {
        let column = |kind| (member.kind == kind).then_some(member.key);
        insert.execute(params![group, position, column(TargetKind::User), column(TargetKind::Device)])?;
    }
    Ok(())
}
