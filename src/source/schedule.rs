//! When to read again what seldom changes.

/// Sightings after which it is read again at the latest.
pub(super) const REREAD_EVERY: u64 = 64;

/// Whether to read it at that sighting: the 1st, 2nd, 4th, … 64th, and every 64th from then on. `spread` is a number of its
/// own, such as a pid: all that we found at our start would be due at once otherwise.
pub(super) fn is_due(sightings: u64, spread: u64) -> bool {
    match sightings {
        early @ ..=REREAD_EVERY => early.is_power_of_two(),
        late => (late + spread).is_multiple_of(REREAD_EVERY),
    }
}
