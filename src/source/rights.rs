//! What we may do, and what that buys.
//!
//! The kernel tells everyone of the memory of all processes. For the rest it asks two capabilities (capabilities(7)), and no
//! other one ever makes a difference to what is seen.

use rustix::thread::{CapabilitySet, capabilities};

/// The capabilities that show more than none does.
const USEFUL: CapabilitySet = CapabilitySet::SYS_PTRACE.union(CapabilitySet::DAC_READ_SEARCH);

/// What of an entity may be hidden from us; the `what` label of `memleak_source_hidden_entities`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hidden {
    /// Which file a process runs.
    Executable,
    /// How many files it has open.
    Descriptors,
    /// How many mappings it has.
    Mappings,
}

impl Hidden {
    /// The value of the `what` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Hidden::Executable => "executable",
            Hidden::Descriptors => "descriptors",
            Hidden::Mappings => "mappings",
        }
    }
}

/// Where this one alone is missing, nothing of a process is hidden but what its open files are; before Linux 6.2 how many, too.
pub(super) const SHOWS_FILES: &str = "CAP_DAC_READ_SEARCH";

/// The useful capabilities that we lack; `None` where we have all.
pub(super) fn missing() -> Option<&'static str> {
    let has = |capability| effective().contains(capability);
    match (has(CapabilitySet::SYS_PTRACE), has(CapabilitySet::DAC_READ_SEARCH)) {
        (true, true) => None,
        (false, true) => Some("CAP_SYS_PTRACE"),
        (true, false) => Some(SHOWS_FILES),
        (false, false) => Some("CAP_SYS_PTRACE CAP_DAC_READ_SEARCH"),
    }
}

/// Says so, once at the start, where we have more rights than anything here needs. A port below 1024 takes one as well.
pub(super) fn announce() {
    let superfluous = effective().difference(USEFUL | CapabilitySet::NET_BIND_SERVICE).bits();
    if superfluous != 0 {
        tracing::info!(
            superfluous = superfluous.count_ones(),
            "running with more capabilities than can be of use: CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH show all there is, none shows all memory"
        );
    }
}

/// What we may do now; nothing, where the system does not say.
fn effective() -> CapabilitySet {
    capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_both_lacks_nothing() {
        assert_eq!(missing().is_none(), effective().contains(USEFUL));
    }
}
