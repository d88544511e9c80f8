//! Files of one process, and the names of users.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::process_files(data));
