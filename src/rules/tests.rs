//! What a file means, and what is said about one that means nothing.

use std::sync::Arc;

use super::*;
use crate::entity::{Identity, Launch, Scope};

fn rules(text: &str) -> Rules {
    yaml::parse(text).unwrap_or_else(|(line, fault)| panic!("{line}: {fault}\n{text}"))
}

/// The group of a process with this command name and these arguments.
fn group(rules: &Rules, comm: &str, arguments: &[&str]) -> Option<String> {
    let command_line = (!arguments.is_empty()).then(|| arguments.join("\0"));
    let launch = Some(Arc::new(Launch::new(command_line, Vec::new())));
    let identity = Identity { name: Arc::from(comm), launch, ..Identity::default() };
    rules.group(&Candidate { identity: &identity, pid: 7, start_unix_seconds: None })
}

/// The example in process-exporter's documentation, comments and all.
const DOCUMENTED: &str = r#"
process_names:
  # comm is the second field of /proc/<pid>/stat minus parens.
  - comm:
    - bash

  # exe is argv[0]. If no slashes, only basename of argv[0] need match.
  - exe:
    - postgres
    - /usr/local/bin/prometheus

  # cmdline is a list of regexps applied to argv.
  - name: "{{.ExeFull}}:{{.Matches.Cfgfile}}"
    exe:
    - /usr/local/bin/process-exporter
    cmdline:
    - -config.path\s+(?P<Cfgfile>\S+)
"#;

#[test]
fn the_documented_example_means_what_it_means_there() {
    let rules = rules(DOCUMENTED);
    let own = "/usr/local/bin/process-exporter";
    for (comm, arguments, expected) in [
        ("bash", &["-bash"][..], Some("-bash")),
        ("bash", &["/bin/bash", "x.sh"], Some("bash")),
        ("bash", &[], Some("bash")),
        ("sh", &["bash"], None),
        ("postgres", &["/usr/lib/postgresql/15/bin/postgres", "-D", "x"], Some("postgres")),
        ("postgres", &["postgres: checkpointer"], None),
        ("prometheus", &["/usr/local/bin/prometheus"], Some("prometheus")),
        ("prometheus", &["/usr/bin/prometheus"], None),
        ("prometheus", &["prometheus"], None),
        (
            "process-exporte",
            &[own, "-config.path", "a.yml", "x"],
            Some("/usr/local/bin/process-exporter:a.yml"),
        ),
        ("process-exporte", &[own, "-config.path=a.yml"], None),
        ("process-exporte", &["process-exporter", "-config.path", "a.yml"], None),
    ] {
        assert_eq!(group(&rules, comm, arguments).as_deref(), expected, "{comm} {arguments:?}");
    }
}

#[test]
fn all_matchers_of_an_item_must_match_and_the_first_item_wins() {
    let rules = rules(
        "process_names:\n\
         - { name: 'both {{.Matches.a}}{{.Matches.b}}', comm: [java], cmdline: ['-jar (?P<a>\\S+)', '-jar (?<b>x)?'] }\n\
         - { name: '{{.Comm}}', cmdline: ['.+'] }\n",
    );
    assert_eq!(group(&rules, "java", &["java", "-jar", "shop"]).as_deref(), Some("both shop"));
    assert_eq!(group(&rules, "java", &["java", "-jar", "xshop"]).as_deref(), Some("both xshopx"));
    assert_eq!(group(&rules, "java", &["java"]).as_deref(), Some("java"));
    assert_eq!(group(&rules, "python3", &["java", "-jar", "shop"]).as_deref(), Some("python3"));
    assert_eq!(group(&rules, "python3", &[]), None, "no arguments have no character");
}

#[test]
fn only_what_the_rules_ask_for_is_wanted() {
    let wants = |text: &str| {
        let wants = rules(text).wants();
        (wants.command_line, wants.cgroups)
    };
    assert_eq!(wants(""), (false, false));
    assert_eq!(wants("exclude: [{ match: { cgroup: '*' } }]"), (false, false));
    assert_eq!(wants("process_names: [{ name: '{{.Comm}}', comm: [a] }]"), (false, false));
    assert_eq!(wants("process_names: [{ comm: [a] }]"), (true, false));
    assert_eq!(wants("process_names: [{ name: a, exe: [a] }]"), (true, false));
    assert_eq!(wants("process_names: [{ name: a, cmdline: [a] }]"), (true, false));
    assert_eq!(wants("process_names: [{ name: '{{.Cgroups}}', comm: [a] }]"), (false, true));
}

#[test]
fn criteria_must_all_hold_and_the_first_override_wins() {
    let rules = rules(
        "overrides:\n\
         - { match: { group: 'my-*', cgroup: '/system.slice/*' }, threshold: 80 }\n\
         - { match: { scope: process, group: my-cache }, threshold: 70 }\n\
         - { match: { group: my-cache }, threshold: 90, limit_bytes: 8GiB }\n\
         - { match: { scope: host }, ignore: true }\n",
    );
    let identity = Identity { cgroup: Some("/system.slice/a.service".into()), ..Identity::default() };
    let threshold = |subject: &Subject<'_>| rules.treatment(subject).map(|rule| rule.threshold(60.0, 0));
    let process = |identity, group| threshold(&Subject::of(Scope::Process, identity, Some(group)));
    let nowhere = Identity::default();
    assert_eq!(process(&identity, "my-cache"), Some(80.0));
    assert_eq!(process(&nowhere, "my-cache"), Some(70.0));
    assert_eq!(process(&nowhere, "my-other"), None);
    assert_eq!(threshold(&Subject::group("my-cache")), Some(90.0));
    assert_eq!(threshold(&Subject::of(Scope::Host, &nowhere, None)), Some(f64::INFINITY));
    assert_eq!(threshold(&Subject::of(Scope::HostUnaccounted, &nowhere, None)), None);
    let limit = rules.treatment(&Subject::group("my-cache")).unwrap().limit(1 << 30).unwrap();
    assert_eq!((limit.bytes, limit.room), (8 << 30, 7 << 30));
}

#[test]
fn what_is_malformed_gets_one_sentence_with_its_line() {
    for (text, line, sentence) in [
        ("process_name: []", 1, "unknown key process_name; did you mean process_names?"),
        ("process_names:\n- comm: [a]\n  cmd_line: [b]", 3, "unknown key cmd_line; did you mean cmdline?"),
        ("\nzzz: 1", 2, "unknown key zzz; known here are process_names, exclude, overrides"),
        ("process_names: 3", 1, "this must be a list"),
        ("process_names:\n- comm: bash", 2, "this must be a list"),
        ("- comm: [bash]", 1, "this must be a mapping of keys to values"),
        (
            "process_names:\n- name: {{.Comm}}\n  comm: [a]",
            2,
            "this must be a text; put quotes around it if it has braces or brackets",
        ),
        (
            "process_names: []",
            1,
            "process_names is empty; name some, or leave it out to group by command name",
        ),
        (
            "process_names:\n- name: x",
            2,
            "nothing says which processes this is about; give comm, exe or cmdline",
        ),
        ("process_names:\n- comm: [a]\n  name: ''", 3, "name is empty; leave it out for {{.ExeBase}}"),
        ("process_names:\n- comm:\n  - a\n  - ''", 4, "comm is empty; leave it out"),
        (
            "process_names:\n- cmdline:\n  - ok\n  - '(a'",
            4,
            "the regular expression \"(a\" can't be used: unclosed group",
        ),
        ("process_names:\n- comm: [a]\n  name: 'x{{.Comm'", 3, "the template \"x{{.Comm\" has {{ without }}"),
        (
            "process_names:\n- comm: [a]\n  name: '{{ .Exe }}'",
            3,
            "the template has {{.Exe}}, which is unknown; known are .Comm, .ExeBase, .ExeFull, .Username, .PID, \
             .StartTime, .Cgroups and .Matches.NAME",
        ),
        (
            "process_names:\n- cmdline: ['(?P<Cfg>.)']\n  name: '{{.Matches.Conf}}'",
            3,
            ".Matches.Conf is caught by no cmdline of this item; caught are Cfg",
        ),
        (
            "process_names:\n- comm: [a]\n  name: '{{index .Matches \"Conf\"}}'",
            3,
            ".Matches.Conf is caught by no cmdline of this item; name a capture as in (?P<NAME>…)",
        ),
        ("process_names:\n- comm: [a]\n  comm: [b]", 3, "comm is given twice; give it once"),
        ("overrides:\n- ignore: true", 2, "match is missing"),
        ("exclude:\n- match: {}", 2, "match is empty; give scope, group, name or cgroup"),
        ("exclude:\n- match: { group: '' }", 2, "group is empty; write * for any"),
        (
            "exclude:\n- match: { scope: hosts }",
            2,
            "scope \"hosts\" is none of host, host_unaccounted, cgroup, group, process, process_resource",
        ),
        (
            "exclude:\n- match: { scope: group, name: a }",
            2,
            "scope group has no name, so that this matches nothing; leave one of them out",
        ),
        (
            "overrides:\n- match: { group: a }",
            2,
            "what this overrides is empty; give ignore, threshold, limit_bytes or expected_max_bytes",
        ),
        ("overrides:\n- match: { group: a }\n  ignore: maybe", 3, "this must be true or false"),
        ("overrides:\n- match: { group: a }\n  threshold: high", 3, "this must be a number"),
        (
            "overrides:\n- match: { group: a }\n  threshold: 100",
            3,
            "the threshold 100 is not possible; write a number from 0 up to, but not including, 100",
        ),
        (
            "overrides:\n- match: { group: a }\n  limit_bytes: 8 loads",
            3,
            "\"8 loads\" is no number of bytes; write one such as 800MiB or 8GiB",
        ),
        ("process_names:\n- name: \"x", 2, "this is no YAML: unclosed quote"),
        ("a: 1\n---\nb: 2", 1, "unknown key a; known here are process_names, exclude, overrides"),
        ("exclude: []\n---\nexclude: []", 3, "this is no YAML: it has a second document; keep one"),
    ] {
        let (at, fault) = yaml::parse(text).err().unwrap_or_else(|| panic!("nothing is wrong with {text:?}"));
        assert_eq!((at, fault.to_string().as_str()), (line, sentence), "{text}");
    }
}

#[test]
fn an_empty_file_changes_nothing() {
    for text in ["", "# nothing\n", "process_names:\n", "exclude: []"] {
        assert_eq!(group(&rules(text), "java", &["/bin/x"]).as_deref(), Some("java"), "{text:?}");
    }
}

#[test]
fn the_example_that_comes_with_the_exporter_is_valid() {
    let text = include_str!("../../examples/memleak.yml");
    let rules = rules(text);
    assert!(rules.wants().command_line);
    assert_eq!(group(&rules, "java", &["java", "-jar", "/srv/shop.jar"]).as_deref(), Some("java:shop"));
}
