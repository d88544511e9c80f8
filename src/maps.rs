//! Hash maps for what is looked up for every entity at every tick. The standard library's hash function withstands whoever
//! chooses keys to collide, at a cost that counts here; this one is seeded at random, and keys are pids, start times and names
//! of which there are bounded numbers.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// A map of what is looked up often.
pub type FastMap<K, V> = HashMap<K, V, RandomState>;

/// A set of what is looked up often.
pub type FastSet<K> = HashSet<K, RandomState>;
