//! What we write for whoever scrapes.
#![no_main]

libfuzzer_sys::fuzz_target!(|names: fuzz::Names| fuzz::exposition(&names));
