//! Names that others choose: whatever is in them, nothing but a label, or the text in which they are quoted, is another.
//!
//! Two hosts differ in nothing but their names, of which one has harmless ones; what is said of both is compared.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::cgroups::fixture;
use crate::formats::samples_read;
use crate::support::servers::Server;
use crate::support::wait::{SOON, until};
use crate::support::{exporter, exporter_of, leaky, promtool_says, tree};

/// What stands in the middle of the names. None has a slash, which no name of a cgroup has.
const HOSTILE: [&[u8]; 17] = [
    b"\nlevel=error ",
    b"\r\n# HELP x y\nx 1\n",
    b"quo\"te",
    br"back\slash\n\",
    b"\"} 1\nx{y=\"",
    b"}{",
    b"{{.Comm}}",
    b"<script>alert(1)<script>",
    b"\"><img src=x onerror=alert(1)>",
    b"' onmouseover='alert(1)",
    b"&lt;&#60;&amp;",
    b"\x1b[2J\x1b[31m\x07\x08\x7f",
    "\u{202e}rtl\u{2066}\u{200f}".as_bytes(),
    "\u{2028}\u{2029}\u{85}\u{feff}".as_bytes(),
    b"\xff\xfe\xc3",
    b"  ",
    &[b'x'; 200],
];

/// The id of the first process.
const FIRST: usize = 1001;

/// A host on which processes, cgroups, users and arguments are called like this.
struct Host {
    directory: TempDir,
    /// The names as they were given.
    names: Vec<Vec<u8>>,
}

impl Host {
    /// Each name has `middle` of its number in it.
    fn new(middle: impl Fn(usize) -> Vec<u8>) -> Host {
        let names = (0..HOSTILE.len()).map(|at| {
            let (before, after) = (format!("p{at}a"), format!("z{at}q"));
            [before.as_bytes(), &middle(at), after.as_bytes()].concat()
        });
        let host = Host { directory: tempfile::tempdir().unwrap(), names: names.collect() };
        tree::expand(&(fixture("common.tree") + tree::BARE), host.directory.path());
        for (pid, name) in (FIRST..).zip(&host.names) {
            host.process(pid, name);
            host.cgroup(pid, name);
            host.pod(pid, name);
        }
        host.users();
        host.write(
            "memleak.yml",
            b"process_names:\n- name: '{{.ExeFull}} {{.Username}}'\n  cmdline: ['.*']\n",
        );
        host
    }

    fn process(&self, pid: usize, name: &[u8]) {
        let file = |file: &str, text: &[&[u8]]| self.write(&format!("proc/{pid}/{file}"), &text.concat());
        let stat = format!(") S 1 1 1 0 -1 4194560 9 0 0 0 25 7 0 0 20 0 1 0 {pid} 1000000 300 0\n");
        file("stat", &[format!("{pid} (").as_bytes(), name, stat.as_bytes()]);
        let memory = format!(
            "Name:\tx\nUid:\t{pid}\t{pid}\t{pid}\t{pid}\nVmSize:\t{0} kB\nVmRSS:\t{0} kB\nRssAnon:\t{0} kB\n\
             RssFile:\t0 kB\nRssShmem:\t0 kB\nVmData:\t{0} kB\nVmSwap:\t0 kB\nThreads:\t1\n",
            4 * pid
        );
        file("status", &[memory.as_bytes()]);
        // The kernel makes no cgroup with a line feed in its name.
        let cgroup = if HOSTILE[pid - FIRST].contains(&b'\n') { b"" } else { name };
        file("cgroup", &[b"0::/", cgroup, b"\n"]);
        file("cmdline", &[name, b"\0--secret\0"]);
    }

    /// Each process has one of its own, by its id.
    fn users(&self) {
        let user = |(uid, name): (usize, &Vec<u8>)| {
            may_be_user(uid - FIRST).then(|| [name, format!(":x:{uid}:{uid}::/:\n").as_bytes()].concat())
        };
        let users: Vec<_> = (FIRST..).zip(&self.names).filter_map(user).collect();
        self.write("etc/passwd", &users.concat());
    }

    fn cgroup(&self, pid: usize, name: &[u8]) {
        let place = Path::new("sys/fs/cgroup").join(OsStr::from_bytes(name));
        let directory = self.directory.path().join(place);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("memory.stat"), format!("anon {}\nfile 0\nshmem 0\n", 8192 * pid)).unwrap();
        // Which the log says, with the name.
        fs::write(directory.join("memory.max"), "lots\n").unwrap();
    }

    /// A container that kubelet calls like this, and its pod and namespace.
    fn pod(&self, pid: usize, name: &[u8]) {
        if !may_be_pod(pid - FIRST) {
            return;
        }
        let (uid, id) = (format!("29349498-197c-4919-b13f-{pid:012}"), format!("{pid:064x}"));
        let pod = format!("sys/fs/cgroup/kubepods/pod{uid}");
        for cgroup in ["sys/fs/cgroup/kubepods", &pod, &format!("{pod}/{id}")] {
            self.write(&format!("{cgroup}/memory.stat"), b"anon 8192\nfile 0\nshmem 0\n");
        }
        let name = String::from_utf8_lossy(name);
        self.write(&format!("var/log/pods/{name}_{name}_{uid}/log"), b"");
        self.write(&format!("var/log/containers/{name}_{name}_{name}-{id}.log"), b"");
    }

    fn write(&self, name: &str, text: &[u8]) {
        let path = self.directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn exporter(&self, log_format: &str) -> Server {
        let config = format!("--config.file={}", self.directory.path().join("memleak.yml").display());
        let log = format!("--log.format={log_format}");
        exporter_of(self.directory.path(), &[&config, &log, "--log.level=debug"])
    }
}

/// Whether a name is one that /etc/passwd can say, and short enough for the name of a group to have it twice.
fn may_be_user(at: usize) -> bool {
    let name = HOSTILE[at];
    name.len() < 100 && !name.iter().any(|byte| matches!(byte, b':' | b'\n'))
}

/// Whether a name is text, which those of kubelet are, and short enough for the name of a file to have it three times.
fn may_be_pod(at: usize) -> bool {
    HOSTILE[at].len() < 50 && str::from_utf8(HOSTILE[at]).is_ok()
}

fn hostile() -> Host {
    Host::new(|at| HOSTILE[at].to_vec())
}

fn harmless() -> Host {
    Host::new(|_| Vec::new())
}

/// The names of a host as a harmless one has them.
fn tamed(text: &str) -> String {
    (0..HOSTILE.len()).fold(text.to_string(), |text, at| {
        let middle = String::from_utf8_lossy(HOSTILE[at]);
        text.replace(&format!("p{at}a{middle}z{at}q"), &format!("p{at}az{at}q"))
    })
}

/// Lines of the text format as name, labels and value, for what does not change from one run to the next.
fn series(metrics: &str) -> Vec<(String, BTreeMap<String, String>, String)> {
    let stable = ["memleak_cgroup_", "memleak_process_", "memleak_group_", "memleak_entities"];
    // Not by lines(): a carriage return ends none.
    let lines = metrics.split('\n').filter(|line| stable.iter().any(|stable| line.starts_with(stable)));
    let mut all: Vec<_> = lines.map(one_series).collect();
    all.sort();
    all
}

fn one_series(line: &str) -> (String, BTreeMap<String, String>, String) {
    let (name, mut rest) = line.split_at(line.find(['{', ' ']).unwrap());
    let mut labels = BTreeMap::new();
    while let Some(more) = rest.strip_prefix(['{', ',']) {
        let (label, value) = more.split_once("=\"").unwrap();
        let (value, after) = quoted(value);
        assert_eq!(labels.insert(label.to_string(), tamed(&value)), None, "{line:?}");
        rest = after;
    }
    let value = rest.strip_prefix('}').unwrap_or(rest);
    (name.to_string(), labels, value.to_string())
}

/// What stands before the quote that ends it, and what after.
fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match chars.next().map(|(_, char)| char) {
                Some('n') => '\n',
                Some(char @ ('\\' | '"')) => char,
                other => panic!("\\{other:?} in {text:?}"),
            }),
            char => value.push(char),
        }
    }
    panic!("no end of {text:?}");
}

/// All texts of an answer without what changes with time.
fn settled(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(tamed(&text)),
        Value::Array(all) => Value::Array(all.into_iter().map(settled).collect()),
        Value::Object(all) => all
            .into_iter()
            .filter(|(key, _)| !key.contains("time"))
            .map(|(key, one)| (tamed(&key), settled(one)))
            .collect(),
        Value::Number(_) | Value::Bool(_) | Value::Null => value,
    }
}

/// The tags of a page, each with the names of its attributes, sorted.
fn tags(page: &str) -> Vec<String> {
    let mut tags: Vec<String> = page
        .split('<')
        .skip(1)
        .map(|tag| {
            let (mut names, mut is_quoted) = (String::new(), false);
            for char in tag.chars() {
                match char {
                    '"' => is_quoted = !is_quoted,
                    '>' if !is_quoted => break,
                    char if !is_quoted => names.push(char),
                    _ => {}
                }
            }
            names
        })
        .collect();
    tags.sort();
    tags
}

#[test]
fn hostile_names_change_nothing_but_labels_and_text() {
    let (hostile, harmless) = (hostile(), harmless());
    let (one, other) = (hostile.exporter("logfmt"), harmless.exporter("logfmt"));
    let [metrics, expected] = [&one, &other].map(|exporter| exporter.get("/metrics").body);
    let (found, should_be) = (series(&metrics), series(&expected));
    let surplus: Vec<_> = found.iter().filter(|one| !should_be.contains(one)).collect();
    assert!(found == should_be, "{surplus:#?}");
    assert!(found.iter().filter(|(name, ..)| name == "memleak_group_processes").count() == HOSTILE.len());
    let named = |label: &str| {
        let has_name =
            |labels: &BTreeMap<_, String>| labels.get(label).is_some_and(|name| name.starts_with('p'));
        found.iter().filter(|(_, labels, _)| has_name(labels)).count()
    };
    let count = |is_one: fn(usize) -> bool| (0..HOSTILE.len()).filter(|at| is_one(*at)).count();
    assert_eq!(named("user"), count(may_be_user));
    assert_eq!(named("container"), count(may_be_pod));
    assert_eq!([named("namespace"), named("pod")], [2 * count(may_be_pod); 2], "of the pod, too");
    assert!(!metrics.contains('\u{1b}') || metrics.contains("\u{1b}[2J"), "as it is: UTF-8 needs no escape");

    for path in ["/api/leak_indicators", "/api/leak_indicators?scope=group", "/api/memory_usage"] {
        assert_eq!(settled(one.json(path)), settled(other.json(path)), "{path}");
        assert!(!one.get(path).body.contains(|char| char < ' '), "{path}: not even within a text");
    }
    let [page, plain] = [&one, &other].map(|exporter| exporter.get("/").body);
    assert_eq!(tags(&page), tags(&plain));
    let bad = page
        .chars()
        .find(|char| (char.is_control() && *char != '\n') || ('\u{202a}'..='\u{202e}').contains(char));
    assert_eq!(bad, None, "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("secret"));
    assert!(!metrics.contains("secret"));
}

#[test]
fn promtool_has_no_complaint_about_hostile_names() {
    let metrics = hostile().exporter("logfmt").get("/metrics").body;
    if let Some(said) = promtool_says(&metrics) {
        assert_eq!(said, (Some(0), String::new()));
    }
}

#[test]
fn a_strict_parser_reads_hostile_names_in_every_form() {
    let host = hostile();
    if let Some(count) = samples_read(&host.exporter("logfmt"), &["--constant"]) {
        assert!(count > 100, "{count}");
    }
}

#[test]
fn hostile_names_are_one_field_of_one_log_line() {
    let host = hostile();
    for (format, start) in [("logfmt", "ts="), ("json", "{\"")] {
        let log = host.exporter(format).process.stderr();
        let mentions =
            log.lines().filter(|line| line.contains("limits of a cgroup could not be read")).count();
        assert_eq!(mentions, HOSTILE.len(), "{log}");
        for line in log.split_terminator('\n') {
            assert!(line.starts_with(start), "{line:?}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
            let told = serde_json::from_str::<Value>(line);
            assert!(format == "logfmt" || told.is_ok(), "{line:?}");
            assert!(!line.contains(" level=error"), "{line:?}");
        }
    }
}

/// One that gives itself its name.
#[test]
fn a_process_may_call_itself_anything() {
    let exporter = exporter(&["--sample.interval=100ms", "--process.top=all"]);
    let name = "a\"}\n<b>\\\u{1b}[31m";
    let process = leaky(name, &["steady", "--rate", "0MB/s"]);
    let labels = format!("{{pid=\"{}\",name=\"a\\\"}}\\n<b>\\\\\u{1b}[31m\"", process.pid());
    until("it to be seen", SOON, || {
        exporter.get("/metrics").body.contains(&format!("memleak_process_threads{labels}")).then_some(())
    });
    assert!(exporter.get("/").body.contains("<bdi>a&quot;}\u{fffd}&lt;b&gt;\\\u{fffd}[31m"));
}
