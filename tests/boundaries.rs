//! Which module may know what. Reads the sources and says which line broke which rule.
//!
//! Rules are on paths (`use` lines and paths in full, also through a module that was imported), on calls of
//! methods and on texts. Code for tests only is left out: fixtures may do what the exporter may not.

#![expect(clippy::panic, reason = "a test fails by panicking, and its helpers do")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One boundary.
struct Rule {
    /// What is not to be used.
    what: What,
    /// Where.
    place: Place,
    /// Why, for whoever broke it.
    why: &'static str,
}

/// What is not to be used.
enum What {
    /// These paths and everything below them.
    Paths(&'static [&'static str]),
    /// A method of this name.
    Method(&'static str),
    /// A text that starts like this.
    Text(&'static str),
}

/// A room is a module directly below `src`, or a single file in one. `http` is `http.rs` and all of `http/`.
enum Place {
    /// Everywhere.
    Everywhere,
    /// Everywhere but in these rooms.
    Outside(&'static [&'static str]),
    /// In these rooms.
    In(&'static [&'static str]),
    /// In a room, but for one file of it.
    Except(&'static str, &'static str),
}

use Place::{Everywhere, Except, In, Outside};
use What::{Method, Paths, Text};

const RULES: &[Rule] = &[
    // Who touches the system.
    Rule {
        what: Paths(&["std::fs", "std::os::unix::fs", "rustix::fs", "sysinfo", "tokio::fs"]),
        place: Outside(&["source", "file", "backtest/input", "state/disk"]),
        why: "the watched system is read in `source` alone, our own files in `file.rs`, recordings in `backtest/input.rs`, our state in `state/disk.rs`",
    },
    Rule {
        what: Paths(&["std::path", "std::fs", "rustix"]),
        place: In(&["parse"]),
        why: "`parse` sees text, never where it comes from",
    },
    Rule {
        what: Method("join"),
        place: Except("source", "roots.rs"),
        why: "paths below the watched roots are joined in `source/roots.rs` alone",
    },
    Rule {
        what: Text("/proc"),
        place: Except("source", "roots.rs"),
        why: "where /proc is mounted is for `source/roots.rs` to know",
    },
    Rule {
        what: Text("/sys/"),
        place: Except("source", "roots.rs"),
        why: "where /sys is mounted is for `source/roots.rs` to know",
    },
    Rule {
        what: Paths(&["std::process::Command", "tokio::process"]),
        place: Everywhere,
        why: "the exporter starts no subprocess: it must be safe to run with privileges",
    },
    Rule {
        what: Paths(&["std::io::stdin", "std::io::stdout", "std::io::stderr"]),
        place: Outside(&["main", "log", "backtest"]),
        why: "the exporter writes nothing but its log; `backtest` reads and writes for people",
    },
    // What the arithmetic does not know.
    Rule {
        what: Paths(&["std::time::Instant", "std::time::SystemTime", "tokio", "rustix"]),
        place: In(&["history", "detector"]),
        why: "history and detector know no clock: time arrives in the sample",
    },
    Rule {
        what: Paths(&["std::fs", "std::io", "std::net", "std::env", "std::thread", "tracing"]),
        place: In(&["history", "detector"]),
        why: "history and detector do no I/O and write no log",
    },
    // One owner for each library that would otherwise be everywhere.
    Rule {
        what: Paths(&["prometheus"]),
        place: Outside(&["exposition"]),
        why: "types of prometheus stay in `exposition`",
    },
    Rule {
        what: Paths(&["hyper", "hyper_util", "http_body_util"]),
        place: Outside(&["http"]),
        why: "types of hyper stay in `http`",
    },
    Rule {
        what: Paths(&["serde_json"]),
        place: Outside(&["http", "check", "backtest", "source/prometheus.rs"]),
        why: "JSON is made and read at the edges only",
    },
    Rule {
        what: Paths(&["serde_saphyr"]),
        place: Outside(&["yaml"]),
        why: "YAML is read in `yaml` alone, which puts its complaints into our words",
    },
    Rule {
        what: Paths(&["rustls", "tokio_rustls", "rustls_pki_types", "x509_cert", "bcrypt"]),
        place: Outside(&["http"]),
        why: "who is let in is for `http` to know",
    },
    Rule { what: Paths(&["clap"]), place: Outside(&["cli"]), why: "flags are read in `cli` alone" },
    // Data flows one way: sources, samples, groups, history, detector, snapshot, then out.
    Rule {
        what: Paths(&[
            "crate::group",
            "crate::history",
            "crate::detector",
            "crate::snapshot",
            "crate::sampler",
            "crate::exposition",
            "crate::http",
        ]),
        place: In(&["parse", "source"]),
        why: "data flows one way: whoever reads the system does not know what becomes of it",
    },
    Rule {
        what: Paths(&["crate::source"]),
        place: In(&["parse", "entity", "sample", "rules", "group", "history", "detector"]),
        why: "data flows one way: what works on samples does not know where they come from",
    },
    Rule {
        what: Paths(&["crate::detector"]),
        place: In(&["entity", "sample", "group", "history"]),
        why: "data flows one way: the detector reads the history, never the other way around",
    },
    Rule {
        what: Paths(&["crate::snapshot", "crate::sampler", "crate::exposition", "crate::http"]),
        place: In(&["entity", "sample", "rules", "group", "history", "detector"]),
        why: "data flows one way: the verdict does not know who asks for it",
    },
    Rule {
        what: Paths(&["crate::sampler", "crate::exposition", "crate::http"]),
        place: In(&["snapshot"]),
        why: "data flows one way: a snapshot does not know who makes or shows it",
    },
    Rule {
        what: Paths(&["crate::exposition", "crate::http"]),
        place: In(&["sampler"]),
        why: "data flows one way: the sampler publishes and does not know who reads",
    },
    Rule {
        what: Paths(&["crate::sampler", "crate::source"]),
        place: In(&["http"]),
        why: "a request reads the current snapshot: it neither samples nor waits for the sampler",
    },
    Rule {
        what: Paths(&["crate::sampler", "crate::http"]),
        place: In(&["exposition"]),
        why: "metrics are made from a snapshot alone",
    },
    Rule {
        what: Paths(&[
            "crate::source",
            "crate::group",
            "crate::rules",
            "crate::snapshot",
            "crate::sampler",
            "crate::exposition",
            "crate::http",
        ]),
        place: In(&["backtest"]),
        why: "a recording is judged by the code that judges live, and by nothing else of what runs live",
    },
    Rule {
        what: Paths(&["crate::backtest"]),
        place: Outside(&["backtest", "main", "lib", "cli"]),
        why: "what runs live does not know of recordings",
    },
    Rule {
        what: Paths(&["crate::cli"]),
        place: Outside(&["cli", "main", "lib"]),
        why: "modules get checked settings from `config`, never flags",
    },
];

#[test]
fn no_line_of_the_sources_crosses_a_boundary() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src);
    assert!(files.len() > 5, "no sources below {}", src.display());
    let crossed = violations(&files);
    assert!(crossed.is_empty(), "{} lines cross a boundary:\n{}", crossed.len(), crossed.join("\n"));
}

/// Every Rust file below `dir`, by its path relative to it.
fn rust_files(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(next) = dirs.pop() {
        let entries = fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display()));
        for path in entries.map_while(Result::ok).map(|entry| entry.path()) {
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text =
                    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                files.insert(path.strip_prefix(dir).unwrap_or(&path).to_path_buf(), text);
            }
        }
    }
    files
}

/// One text a broken rule and line.
fn violations(files: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let read: Vec<(&PathBuf, Found)> =
        files.iter().map(|(file, text)| (file, Found::in_file(file, text))).collect();
    let for_tests: BTreeSet<&Vec<String>> = read.iter().flat_map(|(_, found)| &found.test_modules).collect();

    let mut violations = BTreeSet::new();
    for (file, found) in &read {
        let module = module_of(file);
        if (1..=module.len()).any(|depth| for_tests.contains(&module[..depth].to_vec())) {
            continue;
        }
        for rule in RULES.iter().filter(|rule| rule.place.holds(file)) {
            for (line, what) in found.matching(&rule.what) {
                violations.insert((*file, line, format!("{what}: {}", rule.why)));
            }
        }
    }
    violations
        .into_iter()
        .map(|(file, line, what)| format!("src/{}:{line}: {what}", file.display()))
        .collect()
}

impl Place {
    fn holds(&self, file: &Path) -> bool {
        let in_room = |room: &str| file.starts_with(room) || file.with_extension("") == Path::new(room);
        match self {
            Everywhere => true,
            Outside(rooms) => !rooms.iter().any(|room| in_room(room)),
            In(rooms) => rooms.iter().any(|room| in_room(room)),
            Except(room, exempt) => in_room(room) && file != Path::new(room).join(exempt),
        }
    }
}

/// `http/api.rs` is `[http, api]`; the roots of the crates are `[]`.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// What one file mentions, each with its line.
#[derive(Default)]
struct Found {
    /// Paths as they are meant, from the root of a crate on. An imported glob ends in `*`.
    paths: Vec<(usize, Vec<String>)>,
    methods: Vec<(usize, String)>,
    texts: Vec<(usize, String)>,
    /// Modules that are declared for tests only, and have a file of their own.
    test_modules: Vec<Vec<String>>,
    /// What imported names stand for.
    imports: BTreeMap<String, Vec<String>>,
}

impl Found {
    fn in_file(file: &Path, text: &str) -> Found {
        let tokens: TokenStream =
            text.parse().unwrap_or_else(|error| panic!("{} is no Rust: {error}", file.display()));
        let mut found = Found::default();
        found.read(tokens, &module_of(file));
        for (_, path) in &mut found.paths {
            // `use std::time;` makes `time::Instant` mean `std::time::Instant`.
            if path.len() > 1
                && let Some(meant) = found.imports.get(&path[0])
            {
                path.splice(..1, meant.iter().cloned());
            }
        }
        found
    }

    fn read(&mut self, tokens: TokenStream, module: &[String]) {
        let mut tokens = Tokens::new(tokens);
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(attribute) = tokens.group(Delimiter::Bracket) {
                        if is_for_tests(attribute.clone()) {
                            self.skip_item(&mut tokens, module);
                        } else {
                            self.read(attribute, module);
                        }
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == '.' => {
                    if let Some((line, name)) = tokens.ident() {
                        self.methods.push((line, name));
                    }
                }
                TokenTree::Ident(ident) if ident == "use" => {
                    self.read_use(&mut tokens, Vec::new(), module);
                }
                TokenTree::Ident(ident) if ident == "mod" => {
                    if let (Some((_, name)), Some(body)) = (tokens.ident(), tokens.group(Delimiter::Brace)) {
                        self.read(body, &[module, &[name]].concat());
                    }
                }
                TokenTree::Ident(ident) => {
                    let mut path = vec![ident.to_string()];
                    while tokens.double_colon() {
                        match tokens.ident() {
                            Some((_, name)) => path.push(name),
                            None => break,
                        }
                    }
                    self.paths.push((ident.span().start().line, resolve(path, module)));
                }
                TokenTree::Group(group) => self.read(group.stream(), module),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let text = text.trim_start_matches(['b', 'c', 'r', '#']).trim_start_matches('"');
                    self.texts.push((literal.span().start().line, text.to_string()));
                }
                TokenTree::Punct(_) => {}
            }
        }
    }

    /// One tree of a `use` item, whose path so far is `path`; leaves what follows it.
    fn read_use(&mut self, tokens: &mut Tokens, mut path: Vec<String>, module: &[String]) {
        let mut line = 0;
        loop {
            if let Some((at, name)) = tokens.ident() {
                line = at;
                if name == "as" {
                    let alias = tokens.ident().map(|(_, alias)| alias);
                    return self.import(line, path, alias, module);
                }
                // `use a::{self}` is `use a`.
                if name != "self" || path.is_empty() {
                    path.push(name);
                }
            } else if let Some(at) = tokens.punct('*') {
                path.push("*".to_string());
                line = at;
            } else if let Some(group) = tokens.group(Delimiter::Brace) {
                let mut trees = Tokens::new(group);
                while trees.peek().is_some() {
                    self.read_use(&mut trees, path.clone(), module);
                    trees.punct(',');
                }
                return;
            } else if !tokens.double_colon() {
                return self.import(line, path, None, module);
            }
        }
    }

    fn import(&mut self, line: usize, path: Vec<String>, alias: Option<String>, module: &[String]) {
        let path = resolve(path, module);
        if let Some(name) = alias.or_else(|| path.last().cloned()) {
            self.imports.insert(name, path.clone());
        }
        self.paths.push((line, path));
    }

    /// Passes over an item that is compiled for tests only.
    fn skip_item(&mut self, tokens: &mut Tokens, module: &[String]) {
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    // The braces of `use a::{b};` are not the end of the item.
                    tokens.punct(';');
                    return;
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => return,
                TokenTree::Ident(ident) if ident == "mod" => {
                    if let Some((_, name)) = tokens.ident() {
                        self.test_modules.push([module, &[name]].concat());
                    }
                }
                _ => {}
            }
        }
    }

    /// Line and wording of everything in here that `what` means.
    fn matching(&self, what: &What) -> Vec<(usize, String)> {
        match what {
            Paths(forbidden) => self
                .paths
                .iter()
                .filter(|(_, path)| forbidden.iter().any(|forbidden| is_within(path, forbidden)))
                .map(|(line, path)| (*line, path.join("::")))
                .collect(),
            Method(name) => self
                .methods
                .iter()
                .filter(|(_, method)| method == name)
                .map(|(line, method)| (*line, format!(".{method}()")))
                .collect(),
            Text(start) => self
                .texts
                .iter()
                .filter(|(_, text)| text.starts_with(start))
                .map(|(line, text)| (*line, format!("\"{text}")))
                .collect(),
        }
    }
}

/// Whether `path` is `forbidden`, lies below it, or imports it along with all its neighbours.
fn is_within(path: &[String], forbidden: &str) -> bool {
    let forbidden: Vec<&str> = forbidden.split("::").collect();
    let all_the_same = || path.iter().zip(&forbidden).all(|(ours, theirs)| ours == theirs);
    match path.split_last() {
        Some((last, parent)) if last == "*" => {
            is_prefix(parent, &forbidden) || is_within(parent, &forbidden.join("::"))
        }
        _ => path.len() >= forbidden.len() && all_the_same(),
    }
}

fn is_prefix(path: &[String], of: &[&str]) -> bool {
    path.len() <= of.len() && path.iter().zip(of).all(|(ours, theirs)| ours == theirs)
}

/// The path from the root of its crate on.
fn resolve(path: Vec<String>, module: &[String]) -> Vec<String> {
    let mut base: Option<Vec<String>> = None;
    let mut rest = path.into_iter().peekable();
    while let Some(step) =
        rest.next_if(|name| matches!(name.as_str(), "crate" | "self" | "super" | "memleak_exporter"))
    {
        let within = base.get_or_insert_with(|| module.to_vec());
        match step.as_str() {
            "crate" | "memleak_exporter" => within.clear(),
            "super" => drop(within.pop()),
            _ => {}
        }
    }
    match base {
        Some(base) => std::iter::once("crate".to_string()).chain(base).chain(rest).collect(),
        None => rest.collect(),
    }
}

/// Whether an attribute is `cfg(test)`, also among others.
fn is_for_tests(attribute: TokenStream) -> bool {
    let words: Vec<String> = Tokens::new(attribute).words();
    words.first().is_some_and(|word| word == "cfg" || word == "test")
        && words.iter().any(|word| word == "test")
        && !words.iter().any(|word| word == "not")
}

/// Tokens with a look ahead.
struct Tokens(std::iter::Peekable<proc_macro2::token_stream::IntoIter>);

impl Tokens {
    fn new(tokens: TokenStream) -> Tokens {
        Tokens(tokens.into_iter().peekable())
    }

    fn peek(&mut self) -> Option<&TokenTree> {
        self.0.peek()
    }

    fn next(&mut self) -> Option<TokenTree> {
        self.0.next()
    }

    /// Takes an identifier, if it is next, with its line.
    fn ident(&mut self) -> Option<(usize, String)> {
        match self.peek() {
            Some(TokenTree::Ident(ident)) => {
                let ident = (ident.span().start().line, ident.to_string());
                self.next();
                Some(ident)
            }
            _ => None,
        }
    }

    /// Takes this character, if it is next, with its line.
    fn punct(&mut self, char: char) -> Option<usize> {
        match self.peek() {
            Some(TokenTree::Punct(punct)) if punct.as_char() == char => {
                let line = punct.span().start().line;
                self.next();
                Some(line)
            }
            _ => None,
        }
    }

    /// Takes `::`, if it is next. Passes over a single colon, which nothing here needs.
    fn double_colon(&mut self) -> bool {
        self.punct(':').is_some() && self.punct(':').is_some()
    }

    /// Takes a group with these delimiters, if it is next.
    fn group(&mut self, delimiter: Delimiter) -> Option<TokenStream> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
                let stream = group.stream();
                self.next();
                Some(stream)
            }
            _ => None,
        }
    }

    /// All identifiers, at any depth.
    fn words(mut self) -> Vec<String> {
        let mut words = Vec::new();
        while let Some(token) = self.next() {
            match token {
                TokenTree::Ident(ident) => words.push(ident.to_string()),
                TokenTree::Group(group) => words.extend(Tokens::new(group.stream()).words()),
                _ => {}
            }
        }
        words
    }
}

mod checker {
    use super::*;

    /// Lines of `text` that cross a boundary, if it stood in `file`.
    fn lines(file: &str, text: &str) -> Vec<usize> {
        let files = BTreeMap::from([(PathBuf::from(file), text.to_string())]);
        let line = |violation: &String| violation.split(':').nth(1).and_then(|line| line.parse().ok());
        violations(&files).iter().map(|violation| line(violation).unwrap_or(0)).collect()
    }

    #[test]
    fn finds_what_crosses_a_boundary() {
        for (file, text) in [
            ("group.rs", "use std::fs;"),
            ("group.rs", "use std::fs::File as Handle;"),
            ("group.rs", "use std::{collections::BTreeMap, fs::{self, File}};"),
            ("group.rs", "fn f() { let _ = ::std::fs::read(\"x\"); }"),
            ("lib.rs", "fn f() { std::process::Command::new(\"true\"); }"),
            ("detector/mod.rs", "use std::time::*;"),
            ("detector/score.rs", "fn f() { assert!(std::time::Instant::now() > x); }"),
            ("history/ring.rs", "fn f() { tracing::info!(\"x\"); }"),
            ("detector/mod.rs", "use crate::{entity, snapshot::Snapshot};"),
            ("detector/mod.rs", "use memleak_exporter::http;"),
            ("detector/deep/er.rs", "use super::super::super::http::Server;"),
            ("http/router.rs", "use crate::sampler::Sampler;"),
            ("http/router.rs", "fn f(s: &crate::source::Reading) {}"),
            ("http.rs", "use prometheus::proto::MetricFamily;"),
            ("sampler.rs", "#[derive(clap::Parser)] struct Flags;"),
            ("watch/life.rs", "use crate::backtest::Replay;"),
            ("backtest/report.rs", "use crate::snapshot::Snapshot;"),
            ("backtest/reader.rs", "use std::fs::File;"),
            ("group.rs", "fn f() { std::io::stdout(); }"),
            ("sampler.rs", "#[cfg(not(test))] use std::fs;"),
            ("parse/stat.rs", "pub fn parse(path: &std::path::Path) {}"),
            ("source/process.rs", "fn f() { root.join(\"stat\"); }"),
            ("source/process.rs", "const STAT: &str = \"/proc/stat\";"),
            ("source/process.rs", "fn f() { format!(r\"/sys/{x}\"); }"),
        ] {
            let found = lines(file, text);
            assert!(!found.is_empty() && found.iter().all(|line| *line == 1), "{file}: {text}: {found:?}");
        }
    }

    #[test]
    fn follows_a_module_that_was_imported() {
        assert_eq!(lines("detector/mod.rs", "use std::time;\nfn f() -> time::Instant {}\n"), [2]);
        assert_eq!(lines("history/mod.rs", "use std::time as t;\n\nfn f() { t::SystemTime::now(); }\n"), [3]);
    }

    #[test]
    fn leaves_alone_what_is_allowed() {
        for (file, text) in [
            ("source/process.rs", "use std::fs::File; use rustix::fs::openat;"),
            ("source/roots.rs", "fn f() { root.join(\"/proc\"); }"),
            ("detector/mod.rs", "use std::time; use std::time::Duration; use crate::history::Ring;"),
            ("detector/mod.rs", "// std::fs\n/* std::fs */ const X: &str = \"std::fs\";"),
            ("cli.rs", "use clap::Parser; use crate::config::Config;"),
            ("exposition/mod.rs", "use prometheus::Registry; use crate::source::ReadErrorReason;"),
            ("http/api.rs", "use serde_json::json; use crate::{exposition, snapshot::Snapshot};"),
            ("source/prometheus.rs", "use serde_json::Value;"),
            ("backtest/input.rs", "use std::fs::File; use std::io::stdin; use crate::watch::Life;"),
            ("sampler.rs", "fn f(s: S) { s.fs.prometheus(); }"),
            ("group.rs", "#[cfg(test)]\nmod tests { use std::fs; }\nfn f() {}"),
            ("group.rs", "#[cfg(test)] use std::{fs, io};"),
        ] {
            assert_eq!(lines(file, text), [0; 0], "{file}: {text}");
        }
    }

    #[test]
    fn leaves_files_alone_that_are_for_tests_only() {
        let files = |declaration: &str| {
            BTreeMap::from([
                (PathBuf::from("group/mod.rs"), declaration.to_string()),
                (PathBuf::from("group/fixture.rs"), "use std::fs;".to_string()),
                (PathBuf::from("group/fixture/deeper.rs"), "use std::fs;".to_string()),
            ])
        };
        assert_eq!(violations(&files("#[cfg(test)]\npub(crate) mod fixture;")).len(), 0);
        assert_eq!(violations(&files("pub(crate) mod fixture;")).len(), 2);
    }

    #[test]
    fn says_where_and_why() {
        let files = BTreeMap::from([(PathBuf::from("group.rs"), "\n\nuse clap::Args;".to_string())]);
        assert_eq!(violations(&files), ["src/group.rs:3: clap::Args: flags are read in `cli` alone"]);
    }
}
