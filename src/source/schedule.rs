//! When to read again what seldom changes.

/// Sightings after which it is read again at the latest.
pub(super) const REREAD_EVERY: u64 = 64;

/// Whether to read it at that sighting: the 1st, 2nd, 4th, … 64th, and from then on whenever its `turn` has come, which rises by
/// one from each to the next. It begins at a number of its own, such as a pid: all that we found at our start would be due at
/// once otherwise.
pub(super) fn is_due(sightings: u64, turn: u64) -> bool {
    match sightings {
        early @ ..=REREAD_EVERY => early.is_power_of_two(),
        _ => turn.is_multiple_of(REREAD_EVERY),
    }
}
