//! Every metric that the exporter has: name, help, type and labels, each stated here and nowhere else.
//!
//! The `process_*` set of the exporter itself comes from the prometheus crate.

/// What there is to know about a metric before it has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Full name.
    pub name: &'static str,
    /// One sentence for a person.
    pub help: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// Its labels, in the order of output.
    pub labels: &'static [&'static str],
}

/// The types in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Goes up and down.
    Gauge,
    /// Only goes up, until a restart.
    Counter,
}

impl MetricKind {
    /// The word after `# TYPE`, in either format.
    pub fn as_str(self) -> &'static str {
        match self {
            MetricKind::Gauge => "gauge",
            MetricKind::Counter => "counter",
        }
    }
}

/// The metrics that every scope has in its own name; an absent one has no meaning for the scope.
#[derive(Clone, Copy, Debug)]
pub struct ScopeMetrics {
    /// Memory by kind.
    pub memory: Option<Metric>,
    /// The score.
    pub score: Metric,
    /// Score above the threshold.
    pub suspect: Metric,
    /// Whether a narrower suspect explains the growth.
    pub explained: Option<Metric>,
    /// The slope, in bytes.
    pub growth: Option<Metric>,
    /// How long until the limit.
    pub time_to_limit: Metric,
    /// The time scale.
    pub window: Metric,
}

impl ScopeMetrics {
    /// All of them, in the order of output.
    pub fn iter(&self) -> impl Iterator<Item = Metric> {
        let first = [self.memory, Some(self.score), Some(self.suspect), self.explained, self.growth];
        first.into_iter().flatten().chain([self.time_to_limit, self.window])
    }
}

const NONE: &[&str] = &[];
const SCOPE: &[&str] = &["scope"];
const SOURCE: &[&str] = &["source"];
const CGROUP_LABELS: &[&str] = &["cgroup"];
const GROUP_LABELS: &[&str] = &["group"];
const PROCESS_LABELS: &[&str] = &["pid", "name", "group"];
const RESOURCE_LABELS: &[&str] = &["pid", "name", "group", "resource"];

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, help, kind: MetricKind::Gauge, labels }
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, help, kind: MetricKind::Counter, labels }
}

/// Names and texts of one scope. The kinds' labels differ from the others' by `kind` alone.
macro_rules! scope_metrics {
    (
        $scope:literal, $what:literal, $labels:expr,
        memory: $memory:expr, explained: $explained:expr, growth: $growth:expr
    ) => {
        ScopeMetrics {
            memory: match $memory {
                Some(labels) => Some(gauge(
                    concat!("memleak_", $scope, "_memory_bytes"),
                    labels,
                    concat!("Memory of ", $what, " by kind; kinds never overlap."),
                )),
                None => None,
            },
            score: gauge(
                concat!("memleak_", $scope, "_leak_score"),
                $labels,
                concat!("Leak score of ", $what, ", 0 to 100; absent until there is enough history."),
            ),
            suspect: gauge(
                concat!("memleak_", $scope, "_suspect"),
                $labels,
                concat!("Whether the leak score of ", $what, " is above its threshold; 0 without a score."),
            ),
            explained: if $explained {
                Some(gauge(
                    concat!("memleak_", $scope, "_growth_explained"),
                    $labels,
                    concat!("Whether narrower suspects explain 80 % or more of the growth of ", $what, "."),
                ))
            } else {
                None
            },
            growth: if $growth {
                Some(gauge(
                    concat!("memleak_", $scope, "_leak_growth_bytes_per_second"),
                    $labels,
                    concat!("Robust slope of the floor of ", $what, "."),
                ))
            } else {
                None
            },
            time_to_limit: gauge(
                concat!("memleak_", $scope, "_time_to_limit_seconds"),
                $labels,
                concat!("Time until ", $what, " hits its limit; absent without a trend."),
            ),
            window: gauge(
                concat!("memleak_", $scope, "_leak_window_seconds"),
                $labels,
                concat!("Time scale that carries the evidence about ", $what, "."),
            ),
        }
    };
}

/// Of the whole machine.
pub const HOST: ScopeMetrics = scope_metrics!("host", "the host", NONE, memory: Some(&["kind"] as &[&str]), explained: true, growth: true);

/// Of what the kernel's counters leave unexplained.
pub const HOST_UNACCOUNTED: ScopeMetrics = scope_metrics!(
    "host_unaccounted", "host memory that no counter explains", NONE,
    memory: None::<&[&str]>, explained: false, growth: true
);

/// Of each group.
pub const GROUP: ScopeMetrics = scope_metrics!(
    "group", "the group", GROUP_LABELS, memory: Some(&["group", "kind"] as &[&str]), explained: false, growth: true
);

/// Of each control group.
pub const CGROUP: ScopeMetrics = scope_metrics!(
    "cgroup", "the cgroup", CGROUP_LABELS,
    memory: Some(&["cgroup", "kind"] as &[&str]), explained: true, growth: true
);

/// Of each process.
pub const PROCESS: ScopeMetrics = scope_metrics!(
    "process", "the process", PROCESS_LABELS,
    memory: Some(&["pid", "name", "group", "kind"] as &[&str]), explained: false, growth: true
);

/// Of each resource of a process besides memory. Its growth is not in bytes.
pub const PROCESS_RESOURCE: ScopeMetrics = ScopeMetrics {
    explained: Some(gauge(
        "memleak_process_resource_growth_explained",
        RESOURCE_LABELS,
        "Whether suspect threads of the process explain 80 % or more of the growth of its mappings; 0 for all but these.",
    )),
    ..scope_metrics!(
        "process_resource", "the resource of the process", RESOURCE_LABELS,
        memory: None::<&[&str]>, explained: false, growth: false
    )
};

/// Declares metrics as constants and lists them, so that none is left out of the list.
macro_rules! metrics {
    ($list:ident: $($constant:ident = $make:ident($name:literal, $labels:expr, $help:literal);)*) => {
        $(#[doc = $help] pub const $constant: Metric = $make($name, $labels, $help);)*
        const $list: &[Metric] = &[$($constant),*];
    };
}

metrics! { HOST_METRICS:
    HOST_TOTAL = gauge("memleak_host_memory_total_bytes", NONE, "Usable memory of the host.");
    HOST_USED = gauge("memleak_host_memory_used_bytes", NONE, "Memory in use: total less available.");
    HOST_FREE = gauge("memleak_host_memory_free_bytes", NONE, "Memory that nothing uses.");
    HOST_AVAILABLE = gauge("memleak_host_memory_available_bytes", NONE,
        "Memory that can be had without swapping.");
    HOST_USED_RATIO = gauge("memleak_host_memory_used_ratio", NONE, "Memory in use as a share of the total, 0 to 1.");
    HOST_SWAP_TOTAL = gauge("memleak_host_swap_total_bytes", NONE, "All swap space.");
    HOST_SWAP_USED = gauge("memleak_host_swap_used_bytes", NONE, "Swap space in use.");
    HOST_SLAB_UNRECLAIMABLE = gauge("memleak_host_slab_unreclaimable_bytes", NONE,
        "Kernel slab that can't be reclaimed.");
    HOST_SOCKETS = gauge("memleak_host_sockets_memory_bytes", NONE,
        "Memory in buffers of TCP and UDP sockets and IPv4 fragments. It overlaps with slab, and other protocols' buffers are not in it.");
    HOST_UNACCOUNTED_MEMORY = gauge("memleak_host_memory_unaccounted_bytes", NONE,
        "Memory that the kernel's own counters don't explain, such as that of drivers, balloons and ZFS.");
}

metrics! { CGROUP_METRICS:
    CGROUP_USAGE = gauge("memleak_cgroup_memory_usage_bytes", CGROUP_LABELS,
        "Memory that counts towards the limits of the cgroup, page cache and kernel memory included.");
    CGROUP_PEAK = gauge("memleak_cgroup_memory_peak_bytes", CGROUP_LABELS,
        "Most memory that the cgroup ever used; absent where the kernel does not say.");
    CGROUP_LIMIT = gauge("memleak_cgroup_memory_limit_bytes", CGROUP_LABELS,
        "Smallest memory.max of the cgroup and those it is below, where the kernel kills; absent without one.");
    CGROUP_HIGH = gauge("memleak_cgroup_memory_high_bytes", CGROUP_LABELS,
        "Smallest memory.high of the cgroup and those it is below, where the kernel slows it down; absent without one.");
    CGROUP_OOM_EVENTS = counter("memleak_cgroup_oom_events_total", CGROUP_LABELS,
        "Times at which the memory of the cgroup or of one below it was at its limit and nothing could be reclaimed.");
    CGROUP_OOM_KILLS = counter("memleak_cgroup_oom_kills_total", CGROUP_LABELS,
        "Processes of the cgroup that the kernel killed for want of memory.");
    CGROUP_PRESSURE_WAITING = counter("memleak_cgroup_memory_pressure_waiting_seconds_total", CGROUP_LABELS,
        "Time during which at least one task of the cgroup waited for memory.");
    CGROUP_PRESSURE_STALLED = counter("memleak_cgroup_memory_pressure_stalled_seconds_total", CGROUP_LABELS,
        "Time during which all tasks of the cgroup waited for memory.");
    CGROUP_INFO = gauge("memleak_cgroup_info",
        &["cgroup", "container_id", "pod_uid", "qos", "namespace", "pod", "container", "unit"],
        "Who is in the cgroup, as far as its path and kubelet's log directories tell, always 1.");
}

metrics! { ENTITY_METRICS:
    GROUP_PROCESSES = gauge("memleak_group_processes", GROUP_LABELS, "Processes in the group.");
    PROCESS_START_TIME = gauge("memleak_process_start_time_seconds", PROCESS_LABELS,
        "Start of the process in seconds since the epoch.");
    PROCESS_THREADS = gauge("memleak_process_threads", PROCESS_LABELS, "Threads of the process.");
    PROCESS_OPEN_FDS = gauge("memleak_process_open_fds", PROCESS_LABELS,
        "Open file descriptors of the process when they were last counted; absent where that is not allowed.");
    PROCESS_MAX_FDS = gauge("memleak_process_max_fds", PROCESS_LABELS,
        "Limit on open file descriptors of the process, RLIMIT_NOFILE; absent without one.");
    PROCESS_MEMORY_MAPS = gauge("memleak_process_memory_maps", PROCESS_LABELS,
        "Memory mappings of the process when they were last counted; absent where that is not allowed.");
    RESOURCE_GROWTH = gauge("memleak_process_resource_leak_growth_per_second", RESOURCE_LABELS,
        "Robust slope of the floor of the resource of the process, in descriptors, threads or mappings.");
    PROCESS_MEMORY_LIMIT = gauge("memleak_process_memory_limit_bytes", PROCESS_LABELS,
        "Nearest resource limit of the process on memory, RLIMIT_AS or RLIMIT_DATA; absent without one.");
    PROCESS_INFO = gauge("memleak_process_info", &["pid", "name", "group", "cgroup", "user"],
        "What is known about the process, always 1.");
    SUSPECT_INFO = gauge("memleak_suspect_info", &["scope", "entity", "reason", "kind", "window"],
        "Why each suspect is one, always 1.");
}

metrics! { WHOLE_METRICS:
    BUILD_INFO = gauge("memleak_build_info", &["version", "revision"], "What was built, always 1.");
    LEAK_SCORE = gauge("memleak_leak_score", NONE,
        "Highest leak score of all entities whose memory may be suspected; absent until one has a score.");
    LEAK_SCORE_THRESHOLD = gauge("memleak_leak_score_threshold", NONE, "Leak score above which an entity is suspect, unless an override gives it another.");
    SUSPECTS = gauge("memleak_suspects", SCOPE, "Entities whose leak score is above their threshold.");
    ENTITIES = gauge("memleak_entities", SCOPE, "Entities that are watched, whether or not they have series of their own.");
    ENTITIES_DROPPED = gauge("memleak_entities_dropped", SCOPE,
        "Entities that were seen in the last sample and are not watched for want of room. For cgroups it counts the tops of \
         subtrees that were left out, not the cgroups below them.");
    ENTITIES_UNEXPORTED = gauge("memleak_entities_unexported", SCOPE,
        "Entities that are watched and have no series of their own because of --series.max.");
    GROUPING_FOLDED_PROCESSES = gauge("memleak_grouping_folded_processes", NONE,
        "Processes in the group `other`, for their group would have had no name or been one too many.");
    CONFIG_RELOAD_SUCCESSFUL = gauge("memleak_config_last_reload_successful", NONE,
        "Whether the configuration file made sense when it was last read; absent without one.");
    CONFIG_RELOAD_TIMESTAMP = gauge("memleak_config_last_reload_success_timestamp_seconds", NONE,
        "When the configuration in force was read, in seconds since the epoch; absent without a file.");
    STATE_LOAD_SUCCESSFUL = gauge("memleak_state_load_successful", NONE,
        "Whether --state.file could be read at the start, or there was none yet; absent without that flag.");
    STATE_LAST_WRITE_SUCCESSFUL = gauge("memleak_state_last_write_successful", NONE,
        "Whether --state.file could be written when that was last tried; absent before.");
    STATE_LAST_WRITE_TIMESTAMP = gauge("memleak_state_last_write_success_timestamp_seconds", NONE,
        "When --state.file was last written, in seconds since the epoch; absent before.");
    STATE_SIZE = gauge("memleak_state_size_bytes", NONE, "Size of --state.file as it was last written.");
    STATE_WRITTEN = counter("memleak_state_written_bytes_total", NONE, "Bytes written to --state.file.");
    LAST_SAMPLE_TIMESTAMP = gauge("memleak_last_sample_timestamp_seconds", NONE,
        "Time of the last sample in seconds since the epoch.");
    SAMPLE_INTERVAL = gauge("memleak_sample_interval_seconds", NONE,
        "Time between two samples, as stretched to stay within the CPU budget.");
    SAMPLE_TIME_LAPSE = gauge("memleak_sample_time_lapse", NONE,
        "Seconds of history that one second counts as; other than 1 only in demonstrations and tests.");
    TICKS_SKIPPED = counter("memleak_ticks_skipped_total", NONE,
        "Samples that were left out because an earlier one took too long, or the exporter was stopped.");
    SOURCE_SUCCESS = gauge("memleak_source_success", SOURCE, "Whether the source could be read in the last sample.");
    SOURCE_DURATION = gauge("memleak_source_duration_seconds", SOURCE, "How long reading the source took in the last sample, with the rests between its parts.");
    SOURCE_READ_ERRORS = counter("memleak_source_read_errors_total", &["source", "reason"],
        "Files of single entities that could not be read.");
    SOURCE_HIDDEN = gauge("memleak_source_hidden_entities", &["source", "what"],
        "Entities of which this may not be seen for want of a right, as of the latest look at each: executable, descriptors, mappings.");
}

metrics! { HTTP_METRICS:
    HTTP_REQUESTS = counter("memleak_http_requests_total", &["handler", "code"],
        "Requests answered, by handler and status code.");
    HTTP_IN_FLIGHT = gauge("memleak_http_requests_in_flight", NONE,
        "Requests that are being answered, including this one.");
    HTTP_CONNECTIONS_REFUSED = counter("memleak_http_connections_refused_total", NONE,
        "Connections closed at once because too many were open, and all of them had a request in work.");
    HTTP_CONNECTIONS_GIVEN_UP = counter("memleak_http_connections_given_up_total", NONE,
        "Connections closed to make room for others: those that had waited longest for a request, or had been slowest to read the answer.");
    WEB_CONFIG_RELOAD_SUCCESSFUL = gauge("memleak_web_config_last_reload_successful", NONE,
        "Whether the web configuration file, its certificates and its keys made sense when they were last read; absent without one.");
    WEB_CONFIG_RELOAD_TIMESTAMP = gauge("memleak_web_config_last_reload_success_timestamp_seconds", NONE,
        "When the web configuration in force was read, in seconds since the epoch; absent without a file.");
}

/// Every metric there is, in the order of output.
pub fn all() -> impl Iterator<Item = Metric> {
    let scopes = [HOST, HOST_UNACCOUNTED, CGROUP, GROUP, PROCESS, PROCESS_RESOURCE];
    let by_scope = scopes.into_iter().flat_map(|scope| scope.iter().collect::<Vec<_>>());
    let plain = |list: &'static [Metric]| list.iter().copied();
    plain(WHOLE_METRICS)
        .chain(plain(HOST_METRICS))
        .chain(by_scope)
        .chain(plain(CGROUP_METRICS))
        .chain(plain(ENTITY_METRICS))
        .chain(plain(HTTP_METRICS))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_is_taken_twice() {
        let names: BTreeSet<_> = all().map(|metric| metric.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn names_and_texts_follow_the_rules() {
        for Metric { name, help, kind, labels } in all() {
            assert!(name.starts_with("memleak_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert!(help.ends_with('.') && help.chars().next().is_some_and(char::is_uppercase), "{help}");
            assert_eq!(name.ends_with("_total"), kind == MetricKind::Counter, "{name}");
            assert!(!labels.contains(&"type"), "{name}: dashboards can't use a label named type");
        }
    }
}
