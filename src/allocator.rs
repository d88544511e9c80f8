//! The allocator, and the only unsafe code there is.
//!
//! Most of our memory is many small pieces of one thread, which are given up at another time than their neighbours.
//! mimalloc gives such pages back to the system: after a host has run ten thousand processes, and where lives fall asleep.

use libmimalloc_sys::mi_option_t;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, for which the bindings have no name: milliseconds from when a page is free to when
/// it may be given back.
const PURGE_DELAY: mi_option_t = 15;

/// Has free pages given back at once, unless `MIMALLOC_PURGE_DELAY` says otherwise. With a delay they are given back when
/// something else is freed after it: in the next tick, just before they are needed again. To be called before there are threads.
#[expect(unsafe_code, reason = "the bindings have no safe way")]
pub(crate) fn give_back_at_once() {
    // SAFETY: it writes a number into a table of mimalloc's own, below whose length the index lies; no thread reads it yet.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, 0) }
}

#[cfg(test)]
mod tests {
    use std::ffi::c_long;

    use super::*;

    #[expect(unsafe_code, reason = "the bindings have no safe way")]
    fn value() -> c_long {
        // SAFETY: it reads a number from a table of mimalloc's own, below whose length the index lies.
        unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) }
    }

    #[test]
    fn the_option_is_the_one_that_is_meant() {
        if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
            assert_eq!(value(), 10, "mimalloc has another default, or its options another order");
            give_back_at_once();
            assert_eq!(value(), 0);
        }
    }
}
