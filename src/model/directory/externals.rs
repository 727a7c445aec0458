//! Numbers outside of the account. No list of the account has them: each gets a position when it is first looked up.

use std::cell::RefCell;

use foldhash::HashMap;

use super::super::{Kind, ObjectId};
use super::Handle;

#[derive(Debug, Default)]
pub(super) struct Externals(RefCell<Table>);

#[derive(Debug, Default)]
struct Table {
    ids: Vec<ObjectId>,
    positions: HashMap<ObjectId, u32>,
}

impl Externals {
    pub(super) fn handle(&self, id: &ObjectId) -> Handle {
        let Table { ids, positions } = &mut *self.0.borrow_mut();
        let index = *positions.entry(id.clone()).or_insert_with(|| {
            ids.push(id.clone());
            u32::try_from(ids.len() - 1).unwrap_or(u32::MAX)
        });
        Handle { kind: Kind::External, index }
    }

    pub(super) fn id(&self, index: u32) -> Option<ObjectId> {
        self.0.borrow().ids.get(index as usize).cloned()
    }
}
