//! What `--config.file` does, and that `process_names` means what it means to process-exporter.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::exposition::value;
use crate::support::process::{Process, Program};
use crate::support::servers::Server;
use crate::support::wait::{SOON, until};
use crate::support::{exporter, tool};

/// The examples that process-exporter publishes, and one with every field. `BIN` is where the programs are.
const EXAMPLES: [&str; 4] = [
    r#"
process_names:
  - name: "{{.Comm}}"
    cmdline:
    - '.+'
"#,
    r#"
process_names:
  - comm:
    - bash
  - exe:
    - postgres
    - BIN/prometheus
  - name: "{{.ExeFull}}:{{.Matches.Cfgfile}}"
    exe:
    - BIN/process-exporter
    cmdline:
    - -config.path\s+(?P<Cfgfile>\S+)
"#,
    r#"
process_names:
  - comm:
    - chromium-browse
    - bash
    - prometheus
    - gvim
  - exe:
    - BIN/upstart
    cmdline:
    - --user
    name: upstart:-user
"#,
    r#"
process_names:
  - name: "{{.Comm}} {{.ExeBase}} {{.ExeFull}} {{.Username}} {{.PID}} {{.StartTime}} {{.Cgroups}}"
    exe: [postgres, upstart]
  - cmdline: ['^\S*/(?P<Program>[a-z]+) ', 'steady']
    name: 'leaks: {{ index .Matches "Program" }}'
"#,
];

#[test]
fn groups_are_those_of_process_exporter() {
    let Some(theirs) = tool(&["prometheus-process-exporter"]) else { return };
    let bin = tempfile::tempdir().unwrap();
    let _running = [
        idle(bin.path(), "bash", "shell"),
        idle(bin.path(), "postgres", "server"),
        idle(bin.path(), "prometheus", "server"),
        idle(bin.path(), "process-exporter", "x -config.path all.yml"),
        idle(bin.path(), "upstart", "--user"),
    ];
    for (number, example) in EXAMPLES.iter().enumerate() {
        let config = bin.path().join(format!("{number}.yml"));
        fs::write(&config, example.replace("BIN", &bin.path().display().to_string())).unwrap();
        let ours = exporter(&[&format!("--config.file={}", config.display()), "--sample.interval=100ms"]);
        let theirs = process_exporter(&theirs, &config);
        // The machine does other work meanwhile: what counts is that there is a moment at which both agree.
        let mut last = (BTreeMap::new(), BTreeMap::new());
        let groups = until("both to name the same groups", Duration::from_secs(60), || {
            let before = groups(&theirs, "namedprocess_namegroup_num_procs{groupname=");
            last = (groups(&ours, "memleak_group_processes{group="), before);
            (last.0 == last.1 && !last.0.is_empty()).then(|| last.0.clone())
        });
        assert!(groups.len() > 1, "{groups:?}");
    }
}

#[test]
fn a_reload_changes_what_runs_and_a_wrong_one_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("memleak.yml");
    let _postgres = idle(directory.path(), "postgres", "server");
    let name_it =
        |name: &str| fs::write(&config, format!("process_names: [{{ name: {name}, exe: [postgres] }}]"));
    name_it("first").unwrap();
    let exporter = exporter(&[&format!("--config.file={}", config.display()), "--sample.interval=100ms"]);
    let is = |series: &str, expected: f64| {
        until(series, SOON, || (value(&exporter.get("/metrics").body, series)? >= expected).then_some(()));
    };
    is("memleak_group_processes{group=\"first\"}", 1.0);
    name_it("second").unwrap();
    exporter.process.hang_up();
    is("memleak_group_processes{group=\"second\"}", 1.0);
    is("memleak_config_last_reload_successful", 1.0);

    fs::write(&config, "process_names:\n- exe: postgres\n").unwrap();
    exporter.process.hang_up();
    until("the failure to show", SOON, || {
        (value(&exporter.get("/metrics").body, "memleak_config_last_reload_successful")? == 0.0).then_some(())
    });
    is("memleak_group_processes{group=\"second\"}", 1.0);
    let stderr = exporter.process.stderr();
    assert!(stderr.contains("memleak.yml:2: this must be a list"), "{stderr}");
    assert!(!stderr.contains("steady"), "arguments are never logged: {stderr}");
}

#[test]
fn a_check_says_in_one_sentence_whether_the_file_makes_sense() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/memleak.yml");
    let mut fine = check(Path::new(example));
    assert_eq!(fine.exit_code(SOON), Some(0), "{}", fine.stderr());
    assert_eq!(fine.stdout(), format!("{example} makes sense\n"));

    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("memleak.yml");
    for (text, sentence) in [
        ("overides: []", ":1: unknown key overides; did you mean overrides?"),
        ("exclude:\n- match: { nam: x }", ":2: unknown key nam; did you mean name?"),
        ("overrides:\n- match: { name: x }\n  threshold: low", ":3: this must be a number"),
    ] {
        fs::write(&config, text).unwrap();
        let started = Program::exporter().arg(format!("--config.file={}", config.display())).start();
        for mut process in [check(&config), started] {
            assert_eq!(process.exit_code(SOON), Some(2), "{text}");
            let expected = format!("memleak-exporter: {}{sentence}\n", config.display());
            assert_eq!((process.stdout(), process.stderr()), (String::new(), expected));
        }
    }
    let mut missing = check(&directory.path().join("missing.yml"));
    assert_eq!(missing.exit_code(SOON), Some(2));
    assert!(missing.stderr().contains("missing.yml: No such file or directory"), "{}", missing.stderr());
}

fn check(config: &Path) -> Process {
    Program::exporter().arg(format!("--config.file={}", config.display())).arg("--config.check").start()
}

/// A program that was started as `bin/program` and does nothing; `mark` is one of its arguments.
fn idle(bin: &Path, program: &str, mark: &str) -> Process {
    let arguments = ["steady", "--rate", "0MB/s", &format!("--name={mark}")];
    Program::leaky_as(&bin.join(program)).args(&arguments).start()
}

fn process_exporter(program: &PathBuf, config: &Path) -> Server {
    Server::start("/metrics", |address| {
        Program::new(program)
            .arg(format!("-config.path={}", config.display()))
            .arg(format!("-web.listen-address={address}"))
            .args(&["-children=false", "-threads=false", "-recheck"])
            .start()
    })
}

/// Processes by group.
fn groups(server: &Server, series: &str) -> BTreeMap<String, u64> {
    let metrics = server.get("/metrics").body;
    let lines = metrics.lines().filter_map(|line| line.strip_prefix(series)?.rsplit_once("} "));
    let groups =
        lines.filter_map(|(name, count)| Some((name.to_string(), count.parse::<f64>().ok()? as u64)));
    groups.filter(|(_, count)| *count > 0).collect()
}
