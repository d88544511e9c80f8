//! The web configuration file, with the clients and the checker that people use: curl, openssl and promtool.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tempfile::TempDir;

use crate::support::exporter_at;
use crate::support::exposition::value;
use crate::support::http::{connect, get};
use crate::support::process::{Process, Program};
use crate::support::servers::{Server, prometheus};
use crate::support::tool;
use crate::support::wait::{SOON, until};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/web-config.yml");

/// bcrypt of `right`, as cheap as it can be.
const HASH: &str = "$2b$04$QTGESXpIAM7BUnyUyXXF7O4fZV0g7ftIkyBAC4fqrclXjq693vvbS";

/// The files of a server: `ca.crt`, `server.crt`, `server.key`, and of a client of the same CA: `client.crt`,
/// `client.key`; its name is `prometheus.example`.
struct Site {
    directory: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Site {
    fn new() -> Site {
        let mut params = CertificateParams::default();
        // Or its certificates would look to openssl as if they had signed themselves.
        params.distinguished_name.push(DnType::CommonName, "the tests' CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let site = Site { directory: tempfile::tempdir().unwrap(), authority };
        site.write("ca.crt", &site.authority.pem());
        site.issue("server", "localhost");
        site.issue("client", "prometheus.example");
        site
    }

    fn issue(&self, file: &str, name: &str) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_string(), "127.0.0.1".to_string()]).unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        self.write(&format!("{file}.crt"), &certificate.pem());
        self.write(&format!("{file}.key"), &key.serialize_pem());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let next = self.path("next");
        fs::write(&next, text).unwrap();
        fs::rename(next, self.path(name)).unwrap();
    }

    fn config(&self, text: &str) -> PathBuf {
        self.write("web.yml", text);
        self.path("web.yml")
    }

    /// The exporter with this file.
    fn serve(&self, text: &str) -> Server {
        let config = self.config(text);
        Server::start_when(is_there, |address| {
            exporter_at(address).arg(format!("--web.config.file={}", config.display())).start()
        })
    }

    /// What curl says to a path, by HTTPS, with these arguments.
    fn curl(&self, server: &Server, path: &str, arguments: &[&str]) -> Process {
        let url = format!("https://localhost:{}{path}", server.address.port());
        let ca = format!("--cacert={}", self.path("ca.crt").display());
        let resolve = format!("localhost:{}:127.0.0.1", server.address.port());
        let mut curl = Program::new("curl")
            .args(&["--silent", "--show-error", "--max-time", "10", "--resolve", &resolve])
            .args(&ca.split('=').collect::<Vec<_>>())
            .args(arguments)
            .arg(url)
            .start();
        until("curl to end", SOON, || curl.exited());
        curl
    }
}

fn is_there(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

const TLS: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
const VERIFIED: &str = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n";

#[test]
fn curl_is_answered_by_http_2_and_by_1_1() {
    let Some(_) = tool(&["curl"]) else { return };
    let site = Site::new();
    let server = site.serve(TLS);
    for (arguments, version) in [(&["--http2"][..], "2"), (&["--http1.1"], "1.1"), (&["--no-alpn"], "1.1")] {
        let write = ["--write-out", "\n%{http_version} %{http_code}"];
        let said = site.curl(&server, "/metrics", &[arguments, &write].concat());
        let text = said.stdout();
        assert!(text.ends_with(&format!("\n{version} 200")), "{text} {}", said.stderr());
        assert!(text.contains("memleak_web_config_last_reload_successful 1\n"), "{text}");
    }
    let many = site.curl(&server, "/-/healthy", &["--http2", "--head", "--next", "--http2", "--compressed"]);
    assert!(many.stdout().starts_with("HTTP/2 200"), "{}{}", many.stdout(), many.stderr());
    let plain = get(server.address, "/metrics").unwrap();
    assert_eq!(
        (plain.status, plain.body.as_str()),
        (400, "Client sent an HTTP request to an HTTPS server.\n")
    );
}

#[test]
fn only_who_has_the_certificate_and_the_password_is_let_in() {
    let Some(_) = tool(&["curl"]) else { return };
    let site = Site::new();
    let server = site.serve(&format!(
        "{TLS}{VERIFIED}  client_allowed_sans: [prometheus.example]\nbasic_auth_users:\n  ada: {HASH}\n"
    ));
    let (certificate, key) = (site.path("client.crt"), site.path("client.key"));
    let ours = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()];
    let code = ["--output", "/dev/null", "--write-out", "%{http_code}"];
    for (arguments, expected) in [
        (&["--user", "ada:right"][..], "200"),
        (&["--user", "ada:wrong"], "401"),
        (&["--user", "bob:right"], "401"),
        (&[], "401"),
    ] {
        let said = site.curl(&server, "/metrics", &[arguments, &ours, &code].concat());
        assert_eq!(said.stdout(), expected, "{arguments:?}: {}", said.stderr());
    }
    let stranger = site.curl(&server, "/-/healthy", &code);
    assert_eq!(stranger.stdout(), "000", "{}", stranger.stderr());
    site.issue("other", "grafana.example");
    let (certificate, key) = (site.path("other.crt"), site.path("other.key"));
    let others = ["--cert", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()];
    assert_eq!(site.curl(&server, "/-/healthy", &[&others, &code[..]].concat()).stdout(), "000");
    let said = server.process.stderr();
    let password_is_there = said.split(|c: char| !c.is_alphanumeric()).any(|word| word == "right");
    assert!(!said.contains(HASH) && !password_is_there && !said.contains("PRIVATE"), "{said}");
}

#[test]
fn prometheus_scrapes_with_a_certificate_and_a_password() {
    let site = Site::new();
    let users = format!("basic_auth_users:\n  ada: {HASH}\n");
    let server = site.serve(&format!("{TLS}{VERIFIED}{users}"));
    let file = |name| site.path(name).display().to_string();
    let config = format!(
        "global: {{ scrape_interval: 1s }}\n\
         scrape_configs:\n- job_name: memleak\n  scheme: https\n  \
         basic_auth: {{ username: ada, password: right }}\n  \
         tls_config: {{ ca_file: {}, cert_file: {}, key_file: {}, server_name: localhost }}\n  \
         static_configs: [{{ targets: ['{}'] }}]\n",
        file("ca.crt"),
        file("client.crt"),
        file("client.key"),
        server.address
    );
    let Some(prometheus) = prometheus(&config, "groups: []\n") else { return };
    until("a scrape", SOON, || {
        let answer = prometheus.json("/api/v1/query?query=up");
        (answer["data"]["result"][0]["value"][1] == "1").then_some(())
    });
}

#[test]
fn a_client_that_knows_only_old_tls_is_refused() {
    let Some(openssl) = tool(&["openssl"]) else { return };
    let site = Site::new();
    let shake = |server: &Server, arguments: &[&str]| {
        let mut client = Program::new(&openssl)
            .args(&["s_client", "-connect", &server.address.to_string(), "-servername", "localhost"])
            .args(&["-cipher", "ALL:@SECLEVEL=0"])
            .args(arguments)
            .start();
        let code = client.exit_code(SOON);
        (code == Some(0), client.stdout() + &client.stderr())
    };
    let server = site.serve(TLS);
    for (version, expected) in [("-tls1", false), ("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
        let (is_shaken, said) = shake(&server, &[version]);
        assert_eq!(is_shaken, expected, "{version}: {said}");
    }
    assert!(!shake(&server, &["-alpn", "spdy/1"]).0);
    let newest = site.serve(&format!("{TLS}  min_version: TLS13\n"));
    assert!(!shake(&newest, &["-tls1_2"]).0);
    let one_cipher = site.serve(&format!(
        "{TLS}  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n"
    ));
    assert!(!shake(&one_cipher, &["-tls1_3"]).0);
    let (is_shaken, said) = shake(&one_cipher, &[]);
    assert!(is_shaken && said.contains("ECDHE-ECDSA-AES128-GCM-SHA256"), "{said}");
}

#[test]
fn a_certificate_is_renewed_while_it_runs_and_a_wrong_one_keeps_the_old() {
    let Some(_) = tool(&["curl"]) else { return };
    let site = Site::new();
    let server = site.serve(TLS);
    let successful = || {
        let metrics = site.curl(&server, "/metrics", &[]).stdout();
        value(&metrics, "memleak_web_config_last_reload_successful")
    };
    assert_eq!(successful(), Some(1.0));
    site.write("server.key", "no key\n");
    until("the failure to show", SOON, || (successful() == Some(0.0)).then_some(()));
    let said = server.process.stderr();
    assert!(said.contains("key_file has no private key that can be used"), "{said}");
    site.issue("server", "localhost");
    until("the new certificate", SOON, || (successful() == Some(1.0)).then_some(()));
    site.config("");
    server.process.hang_up();
    until("the failure to show", SOON, || (successful() == Some(0.0)).then_some(()));
    let said = server.process.stderr();
    assert!(said.contains("it no longer has a certificate for TLS"), "{said}");
}

/// What we take and promtool takes, and what only one of us does.
#[test]
fn promtool_takes_and_refuses_what_we_do() {
    let Some(promtool) = tool(&["promtool"]) else { return };
    let site = Site::new();
    let users = format!("basic_auth_users:\n  ada: {HASH}\n");
    for (text, theirs, ours) in [
        (String::new(), true, true),
        (TLS.to_string(), true, true),
        (format!("{TLS}{VERIFIED}"), true, true),
        (format!("{TLS}  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt\n"), true, true),
        (format!("{TLS}  client_auth_type: RequireAnyClientCert\n"), true, true),
        (format!("{TLS}  client_auth_type: RequireClientCert\n"), true, true),
        (format!("{TLS}  client_auth_type: RequestClientCert\n"), true, true),
        (format!("{TLS}  client_auth_type: NoClientCert\n"), true, true),
        (format!("{TLS}  min_version: TLS12\n  max_version: TLS13\n"), true, true),
        (format!("{TLS}  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n"), true, true),
        (format!("{TLS}  curve_preferences: [X25519, CurveP256, CurveP384]\n"), true, true),
        (format!("{TLS}  prefer_server_cipher_suites: false\n"), true, true),
        (format!("{TLS}http_server_config: {{ http2: false }}\n"), true, true),
        (users.clone(), true, true),
        ("http_server_config: { headers: { X-Frame-Options: deny } }\n".to_string(), true, true),
        // Both refuse.
        ("tls_server_confg: {}\n".to_string(), false, false),
        ("tls_server_config: { cert_file: server.crt }\n".to_string(), false, false),
        ("tls_server_config: { key_file: server.key }\n".to_string(), false, false),
        ("tls_server_config: { cert_file: none, key_file: server.key }\n".to_string(), false, false),
        ("tls_server_config: { cert_file: server.crt, key_file: client.key }\n".to_string(), false, false),
        (format!("{TLS}  client_auth_type: Sometimes\n"), false, false),
        (format!("{TLS}  client_ca_file: ca.crt\n"), false, false),
        (format!("{TLS}  min_version: TLS14\n"), false, false),
        (format!("{TLS}  cipher_suites: [ROT13]\n"), false, false),
        (format!("{TLS}  curve_preferences: [Bezier]\n"), false, false),
        ("http_server_config: { headers: { X-Frame-Options: maybe } }\n".to_string(), false, false),
        ("http_server_config: { headers: { X-Other: a } }\n".to_string(), false, false),
        ("basic_auth_users: { ada: plain }\n".to_string(), false, false),
        // What rustls has not: versions, ciphers and curves that are old or rare.
        (format!("{TLS}  min_version: TLS10\n"), true, false),
        (format!("{TLS}  min_version: TLS11\n"), true, false),
        (format!("{TLS}  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n"), true, false),
        (format!("{TLS}  curve_preferences: [CurveP521]\n"), true, false),
        // What would let in more than it seems to, or nobody.
        (format!("{TLS}  client_auth_type: RequireAndVerifyClientCert\n"), true, false),
        (format!("{TLS}  client_auth_type: RequireAnyClientCert\n  client_ca_file: ca.crt\n"), true, false),
        ("tls_server_config: { min_version: TLS13 }\n".to_string(), true, false),
        (format!("{TLS}  min_version: TLS13\n  max_version: TLS12\n"), true, false),
        (
            "basic_auth_users: { 'a:b': $2y$04$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi }\n"
                .to_string(),
            true,
            false,
        ),
        // What this version of promtool is too old for.
        (format!("{TLS}{VERIFIED}  client_allowed_sans: [a]\n"), false, true),
        ("rate_limit: { interval: 1s, burst: 5 }\n".to_string(), false, true),
    ] {
        let config = site.config(&text);
        let mut check = Program::new(&promtool).args(&["check", "web-config"]).arg(&config).start();
        let is_taken = check.exit_code(SOON) == Some(0);
        assert_eq!(is_taken, theirs, "promtool: {text}{}{}", check.stdout(), check.stderr());
        let mut check = check_with_us(&config);
        let expected = if ours { Some(0) } else { Some(2) };
        assert_eq!(check.exit_code(SOON), expected, "{text}{}{}", check.stdout(), check.stderr());
        assert_eq!((check.stdout() + &check.stderr()).lines().count(), 1, "{text}");
    }
}

#[test]
fn the_example_makes_sense_to_promtool_and_to_us() {
    let site = Site::new();
    let text = fs::read_to_string(EXAMPLE).unwrap();
    let config = site.config(&text);
    let mut ours = check_with_us(&config);
    assert_eq!(ours.exit_code(SOON), Some(0), "{}", ours.stderr());
    // It explains everything: what is commented out is right as well.
    let uncommented: String =
        text.lines().map(|line| format!("{}\n", line.strip_prefix("#: ").unwrap_or(line))).collect();
    assert_ne!(uncommented, text);
    let mut ours = check_with_us(&site.config(&uncommented));
    assert_eq!(ours.exit_code(SOON), Some(0), "{}", ours.stderr());

    let Some(promtool) = tool(&["promtool"]) else { return };
    let config = site.config(&text);
    let mut theirs = Program::new(&promtool).args(&["check", "web-config"]).arg(config).start();
    assert_eq!(theirs.exit_code(SOON), Some(0), "{}{}", theirs.stdout(), theirs.stderr());
}

fn check_with_us(config: &Path) -> Process {
    Program::exporter().arg(format!("--web.config.file={}", config.display())).arg("--config.check").start()
}

#[test]
fn a_wrong_file_ends_the_start_with_one_sentence() {
    let site = Site::new();
    let config = site.config("basic_auth_users:\n  ada: secret\n");
    let mut started = Program::exporter().arg(format!("--web.config.file={}", config.display())).start();
    assert_eq!(started.exit_code(SOON), Some(2));
    let expected = format!(
        "memleak-exporter: {}:2: the password of \"ada\" is no bcrypt hash; make one with: htpasswd -nBC 10 USER\n",
        config.display()
    );
    assert_eq!((started.stdout(), started.stderr()), (String::new(), expected));
}

#[test]
fn without_file_descriptors_it_waits_and_does_not_spin() {
    let server = Server::start("/-/healthy", |address| {
        exporter_at(address).args(&["--sample.interval=1h", "--log.level=warn"]).start()
    });
    until("the first sample", SOON, || (server.get("/-/ready").status == 200).then_some(()));
    let pid = Pid::from_raw(i32::try_from(server.process.pid()).unwrap()).unwrap();
    let before = descriptors(&server);
    let few = Rlimit { current: Some(before as u64 + 4), ..getrlimit(Resource::Nofile) };
    let usual = prlimit(Some(pid), Resource::Nofile, few).unwrap();

    let mut idle: Vec<_> = (0..20).map(|_| connect(server.address).unwrap()).collect();
    until("it to say so", SOON, || {
        server.process.stderr().contains("cannot accept connections").then_some(())
    });
    let (began, cpu) = (Instant::now(), cpu_ticks(&server));
    until("a second", SOON, || (began.elapsed().as_secs_f64() > 1.0).then_some(()));
    // Five attempts a second, of microseconds; one that spins takes a hundred ticks.
    let taken = cpu_ticks(&server) - cpu;
    assert!(taken < 30, "it took {taken} hundredths of a second");
    assert_eq!(server.process.stderr().matches("cannot accept").count(), 1, "{}", server.process.stderr());

    // Who has a place is answered, and all others are once there is room.
    idle[0].write_all(b"GET /-/healthy HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    idle[0].read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    prlimit(Some(pid), Resource::Nofile, usual).unwrap();
    assert_eq!(server.get("/-/healthy").status, 200);
}

fn descriptors(server: &Server) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.process.pid())).unwrap().count()
}

/// User and system time, in hundredths of a second.
fn cpu_ticks(server: &Server) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.process.pid())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}
