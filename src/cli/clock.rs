//! What time it is for a plan: closed windows and suspensions hold it back as they are now.

use jiff::Timestamp;

use crate::config::Account;
use crate::plan::Plan;

/// The plan with what the account's policy, and the policies before it, freeze at this moment.
pub(super) fn now(plan: Plan, account: &Account) -> Plan {
    plan.frozen_at(&account.desired, Timestamp::now())
}
