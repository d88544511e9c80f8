//! TLS, client certificates, users and the rate limit, over real sockets.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::harness::{Client, GET_HEALTHY, LONG, Reply, Server, web};
use crate::config::WebConfig;
use crate::exposition::fixture;
use crate::http::Limits;

/// Somebody who makes certificates.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for `name`, and its key.
    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_string()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }
}

/// A server's files, and those who know it.
pub(super) struct Site {
    directory: TempDir,
    authority: Authority,
}

impl Site {
    /// With `more` behind the certificate and the key of the file.
    pub(super) fn new(more: &str) -> Site {
        let site = Site { directory: tempfile::tempdir().unwrap(), authority: Authority::new() };
        site.renew();
        site.write("ca.crt", &site.authority.0.pem());
        site.write(
            "web.yml",
            &format!("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n{more}"),
        );
        site
    }

    fn renew(&self) {
        let (certificate, key) = self.authority.issue("localhost");
        self.write("server.crt", &certificate.pem());
        self.write("server.key", &key.serialize_pem());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(super) fn web(&self) -> WebConfig {
        WebConfig { config_file: Some(self.path("web.yml")), ..web() }
    }

    pub(super) async fn start(&self) -> Server {
        Server::start_with(Some(fixture::snapshot()), &self.web(), Limits::default()).await
    }

    /// A client that trusts the server, without a certificate.
    pub(super) fn client(&self) -> ClientConfig {
        self.trusting().with_no_client_auth()
    }

    /// The same with a certificate for `name` of `authority`.
    fn client_with(&self, authority: &Authority, name: &str) -> ClientConfig {
        let (certificate, key) = authority.issue(name);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        self.trusting().with_client_auth_cert(chain, key).unwrap()
    }

    fn trusting(&self) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.0.der().clone()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
    }
}

pub(super) async fn connect(server: &Server, client: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(client)).connect(name, stream).await
}

/// The reply to one request on a connection of its own; with TLS 1.3 the server's refusal comes only with it.
pub(super) async fn get(
    server: &Server,
    client: ClientConfig,
    path: &str,
    headers: &str,
) -> io::Result<Reply> {
    let mut stream = connect(server, client).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    match timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("an answer") {
        Ok(_) => {}
        Err(error) if !bytes.is_empty() && error.kind() == io::ErrorKind::UnexpectedEof => {}
        Err(error) => return Err(error),
    }
    Ok(Reply::parse(&bytes))
}

#[tokio::test]
async fn requests_are_answered_by_tls() {
    let site = Site::new("");
    let server = site.start().await;
    let reply = get(&server, site.client(), "/metrics", "").await.unwrap();
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("memleak_leak_score "), "{}", reply.body);
}

#[tokio::test]
async fn the_version_of_http_is_chosen_by_alpn() {
    for (more, offered, expected) in [
        ("", &["h2", "http/1.1"][..], Some("h2")),
        ("", &["http/1.1"], Some("http/1.1")),
        ("", &[], None),
        ("http_server_config: { http2: false }\n", &["h2", "http/1.1"], Some("http/1.1")),
    ] {
        let site = Site::new(more);
        let server = site.start().await;
        let mut client = site.client();
        client.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = connect(&server, client).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), expected.map(str::as_bytes));
    }
    let site = Site::new("http_server_config: { http2: false }\n");
    let mut client = site.client();
    client.alpn_protocols = vec![b"h2".to_vec()];
    let error = connect(&site.start().await, client).await.unwrap_err().to_string();
    assert!(error.contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test]
async fn whoever_talks_http_to_tls_is_told_so() {
    let site = Site::new("");
    let server = site.start().await;
    let reply = server.get("/metrics").await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.body, "Client sent an HTTP request to an HTTPS server.\n");
}

#[tokio::test]
async fn what_is_no_tls_is_closed() {
    let site = Site::new("");
    let server = site.start().await;
    for bytes in [
        &b"\x16\x03\x01\xff\xff"[..],
        b"\x16\x03\x01\x00\x02\x01\x00",
        b"\0\0\0\0\0\0\0\0",
        b"\x80\x2e\x01\x00\x02",
    ] {
        let mut client = server.connect().await;
        client.0.write_all(bytes).await.unwrap();
        let _ = client.0.shutdown().await;
        let mut got = Vec::new();
        // An alert at the most.
        let read = timeout(LONG, client.0.read_to_end(&mut got)).await.expect("the connection stays open");
        assert!(got.len() < 16 && read.is_ok_and(|_| true) || got.is_empty(), "{bytes:?}: {got:?}");
    }
}

#[tokio::test]
async fn hands_that_are_not_shaken_are_let_go() {
    let site = Site::new("");
    let limits = Limits { handshake: Duration::from_millis(200), ..Limits::default() };
    let server = Server::start_with(None, &site.web(), limits).await;
    for bytes in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut client = server.connect().await;
        let began = Instant::now();
        client.0.write_all(bytes).await.unwrap();
        assert_eq!(client.rest().await, "");
        assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn half_shaken_hands_delay_no_end_and_no_other_client() {
    let site = Site::new("");
    let server = site.start().await;
    let mut half: Client = server.connect().await;
    half.0.write_all(b"\x16\x03\x01").await.unwrap();
    assert_eq!(get(&server, site.client(), "/-/healthy", "").await.unwrap().status, 200);
    let began = Instant::now();
    timeout(LONG, server.stop()).await.unwrap().unwrap();
    assert!(began.elapsed() < Limits::default().drain, "{:?}", began.elapsed());
}

#[tokio::test]
async fn only_certificates_of_the_ca_and_for_the_name_come_in() {
    let site = Site::new(
        "  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [prometheus]\n",
    );
    let server = site.start().await;
    let stranger = Authority::new();
    for (client, expected) in [
        (site.client_with(&site.authority, "prometheus"), true),
        (site.client_with(&site.authority, "grafana"), false),
        (site.client_with(&stranger, "prometheus"), false),
        (site.client(), false),
    ] {
        let got = get(&server, client, "/-/healthy", "").await;
        assert_eq!(got.is_ok_and(|reply| reply.status == 200), expected);
    }
}

#[tokio::test]
async fn each_policy_lets_in_whom_it_says() {
    // No certificate, one of somebody else, one of the CA.
    for (policy, expected) in [
        ("NoClientCert", [true, true, true]),
        ("RequestClientCert", [true, true, true]),
        ("RequireAnyClientCert", [false, true, true]),
        ("VerifyClientCertIfGiven", [true, false, true]),
        ("RequireAndVerifyClientCert", [false, false, true]),
    ] {
        let ca = if policy.contains("Verify") { "  client_ca_file: ca.crt\n" } else { "" };
        let site = Site::new(&format!("{ca}  client_auth_type: {policy}\n"));
        let server = site.start().await;
        let stranger = Authority::new();
        let clients =
            [site.client(), site.client_with(&stranger, "a"), site.client_with(&site.authority, "a")];
        for (client, expected) in clients.into_iter().zip(expected) {
            let got = get(&server, client, "/-/healthy", "").await;
            assert_eq!(got.is_ok_and(|reply| reply.status == 200), expected, "{policy}");
        }
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_the_next_connection() {
    let site = Site::new("");
    let web = WebConfig { enable_lifecycle: true, ..site.web() };
    let server = Server::start_with(None, &web, Limits::default()).await;
    let shown = async || {
        let stream = connect(&server, site.client()).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let first = shown().await;
    let mut kept = connect(&server, site.client()).await.unwrap();
    site.renew();
    let mut stream = connect(&server, site.client()).await.unwrap();
    stream.write_all(b"POST /-/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_ne!(shown().await, first);
    // Whoever is there stays.
    kept.write_all(GET_HEALTHY.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    kept.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
}

#[tokio::test]
async fn who_may_no_longer_come_in_does_not_stay() {
    let closed = "  client_ca_file: ca.crt\n  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [grafana]\n";
    let site = Site::new(closed);
    let server = site.start().await;
    let mut kept = connect(&server, site.client_with(&site.authority, "grafana")).await.unwrap();
    kept.write_all(GET_HEALTHY.as_bytes()).await.unwrap();
    kept.read_exact(&mut [0; 12]).await.unwrap();
    let text = fs::read_to_string(site.path("web.yml")).unwrap();
    site.write("web.yml", &text.replace("grafana", "prometheus"));
    // Nobody else comes, and it says nothing.
    let mut rest = Vec::new();
    let began = Instant::now();
    let _ = timeout(LONG, kept.read_to_end(&mut rest)).await.expect("it stays");
    assert!(began.elapsed() < Limits::default().header_read, "{:?}", began.elapsed());
    let other = get(&server, site.client_with(&site.authority, "prometheus"), "/-/healthy", "").await;
    assert_eq!(other.unwrap().status, 200);
}

fn basic(name_and_password: &str) -> String {
    format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(name_and_password))
}

#[tokio::test]
async fn users_are_asked_for_everywhere_but_at_health() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("web.yml");
    let hash = bcrypt::hash("right", 4).unwrap();
    fs::write(&file, format!("basic_auth_users:\n  ada: {hash}\nhttp_server_config: {{ headers: {{ X-Frame-Options: sameorigin }} }}\n"))
        .unwrap();
    let web = WebConfig { config_file: Some(file), enable_lifecycle: true, ..web() };
    let server = Server::start_with(Some(fixture::snapshot()), &web, Limits::default()).await;
    for path in [
        "/",
        "/style.css",
        "/metrics",
        "/api/memory_usage",
        "/api/leak_indicators",
        "/api/history?scope=host",
        "/api/openapi.json",
        "/-/ready",
        "/-/reload",
        "/nowhere",
        "//-/healthy",
        "/-/healthy/",
        "/-/%68ealthy",
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 401, "{path}");
        assert_eq!(
            reply.header("www-authenticate"),
            Some("basic realm=\"memleak-exporter\", charset=\"utf-8\"")
        );
        assert_eq!(reply.header("x-frame-options"), Some("sameorigin"), "{path}");
        assert!(!reply.body.contains("nowhere") && !reply.body.contains("memleak_"), "{}", reply.body);
        assert_eq!(server.request_with("GET", path, &basic("ada:wrong")).await.status, 401);
        assert_ne!(server.request_with("GET", path, &basic("ada:right")).await.status, 401);
    }
    assert_eq!(server.request("POST", "/-/reload").await.status, 401);
    assert_eq!(server.request_with("POST", "/-/reload", &basic("ada:right")).await.status, 200);
    assert_eq!(server.get("/-/healthy").await.status, 200);
    let reply = server.request_with("GET", "/metrics", &basic("ada:right")).await;
    assert_eq!(reply.status, 200);
    assert!(
        reply.body.contains("memleak_http_requests_total{code=\"401\",handler=\"metrics\"} 2\n"),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn the_rate_is_limited_everywhere_but_at_health() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("web.yml");
    fs::write(&file, "rate_limit: { interval: 1h, burst: 2 }\n").unwrap();
    let web = WebConfig { config_file: Some(file), ..web() };
    let server = Server::start_with(Some(fixture::snapshot()), &web, Limits::default()).await;
    for (path, expected) in [
        ("/metrics", 200),
        ("/-/healthy", 200),
        ("/nowhere", 404),
        ("/metrics", 429),
        ("/-/ready", 429),
        ("/-/healthy", 200),
    ] {
        assert_eq!(server.get(path).await.status, expected, "{path}");
    }
}
