//! Reads the text of `/metrics`.

/// The value of a series, written with its labels just as it is exposed.
pub(crate) fn value(metrics: &str, series: &str) -> Option<f64> {
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    value.parse().ok()
}

/// Whether the group of this name is suspect; `None` while it is unknown.
pub(crate) fn group_is_suspect(metrics: &str, group: &str) -> Option<bool> {
    value(metrics, &format!("memleak_group_suspect{{group=\"{group}\"}}")).map(|suspect| suspect == 1.0)
}

/// The values of label `pid`, of all series.
pub(crate) fn pids(metrics: &str) -> Vec<u32> {
    let labelled = metrics.lines().filter_map(|line| line.split_once("pid=\""));
    labelled.filter_map(|(_, rest)| rest.split('"').next()?.parse().ok()).collect()
}

#[test]
fn series_are_found_by_name_and_labels() {
    let metrics = "\
# HELP memleak_group_suspect Whether.
memleak_group_suspect{group=\"a\"} 1
memleak_group_suspect{group=\"ab\"} 0
memleak_process_suspect{pid=\"42\",name=\"a\",group=\"a\"} 1
memleak_sample_interval_seconds 15
memleak_sample_interval_seconds_more 16
";
    assert_eq!(value(metrics, "memleak_sample_interval_seconds"), Some(15.0));
    assert_eq!(group_is_suspect(metrics, "a"), Some(true));
    assert_eq!(group_is_suspect(metrics, "ab"), Some(false));
    assert_eq!(group_is_suspect(metrics, "b"), None);
    assert_eq!(pids(metrics), [42]);
}
