//! Who may ask, and how connections are encrypted.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::web_configuration(data));
