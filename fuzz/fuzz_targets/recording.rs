//! What `backtest` reads.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::recording(data));
