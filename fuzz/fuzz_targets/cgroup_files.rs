//! Files, paths and names of cgroups.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::cgroup_files(data));
