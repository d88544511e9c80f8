//! What an earlier run has left.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::state(data));
