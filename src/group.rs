//! Which group a process belongs to.

use std::sync::Arc;

use crate::entity::Identity;

/// The group of a process: its command name.
pub fn name_of(identity: &Identity) -> Arc<str> {
    Arc::clone(&identity.name)
}
