//! Where figures were measured.

use std::fs;
use std::thread;

/// Kernel, processor and how many of its threads there are, in one sentence.
pub fn described() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    format!(
        "Linux {} on {threads} threads of {}.",
        kernel.trim(),
        model(&processors).unwrap_or("a processor")
    )
}

/// Of the text of /proc/cpuinfo. Not every architecture has names.
fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

/// How many threads wanted to run during the last minute, on average.
pub fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_may_have_a_name() {
        assert_eq!(model("processor\t: 0\nmodel name\t: Some CPU @ 2GHz\n"), Some("Some CPU @ 2GHz"));
        assert_eq!(model("processor\t: 0\n"), None);
        assert!(described().starts_with("Linux ") && load_average().is_some());
    }
}
