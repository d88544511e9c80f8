//! Makes a configuration file run faster, so that a test waits for seconds and not for hours.

/// Settings that are durations, in Prometheus' rules and in Alertmanager's configuration.
const DURATIONS: [&str; 6] =
    ["for", "keep_firing_for", "group_wait", "group_interval", "repeat_interval", "interval"];

/// The same text with every duration divided by `factor`.
pub(crate) fn faster(yaml: &str, factor: u64) -> String {
    let lines = yaml.lines().map(|line| faster_line(line, factor).unwrap_or_else(|| line.to_string()));
    lines.map(|line| line + "\n").collect()
}

fn faster_line(line: &str, factor: u64) -> Option<String> {
    let (key, value) = line.split_once(": ")?;
    DURATIONS.contains(&key.trim_start_matches(['-', ' '])).then_some(())?;
    let duration = humantime::parse_duration(value.trim()).ok()?;
    Some(format!("{key}: {}ms", duration.as_millis() / u128::from(factor)))
}

#[test]
fn durations_are_divided_and_nothing_else() {
    let yaml = "\
groups:
  - name: for 5m
    interval: 30s
    rules:
      - alert: A
        expr: x[5m] > 3600
        for: 5m
        keep_firing_for: 1h30m
        annotations:
          summary: waits for: 5m
";
    let expected = "\
groups:
  - name: for 5m
    interval: 500ms
    rules:
      - alert: A
        expr: x[5m] > 3600
        for: 5000ms
        keep_firing_for: 90000ms
        annotations:
          summary: waits for: 5m
";
    assert_eq!(faster(yaml, 60), expected);
    assert_eq!(faster("  group_wait: 10s\n", 1), "  group_wait: 10000ms\n");
}
