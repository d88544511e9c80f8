//! A server to talk to, and a client that says exactly what a test wants said.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::{Listen, WebConfig};
use crate::exposition::{SelfMetrics, fixture};
use crate::http::{App, Limits, LiveSettings, Reloader, serve};
use crate::rules::LiveRules;
use crate::snapshot::{Published, Snapshot};

/// Longer than anything takes, however busy the machine.
pub(super) const LONG: Duration = Duration::from_secs(60);

pub(super) const GET_HEALTHY: &str = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";

/// The last family of all.
pub(super) const END_OF_METRICS: &str = "\nprocess_virtual_memory_bytes ";

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) metrics: Arc<SelfMetrics>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

pub(super) fn web() -> WebConfig {
    WebConfig {
        listen: Listen::Systemd,
        telemetry_path: "/metrics".to_string(),
        route_prefix: String::new(),
        max_requests: 40,
        enable_lifecycle: false,
        config_file: None,
        disable_exporter_metrics: false,
    }
}

/// More than the kernel's buffers on both sides of a connection hold.
pub(super) fn huge() -> Snapshot {
    let name = "n".repeat(10_000);
    let entities = (0..150).map(|pid| fixture::process(pid, &name, "", Some(99.0))).collect();
    Snapshot { entities, ..fixture::snapshot() }
}

pub(super) fn app(snapshot: Option<Snapshot>, web: &WebConfig, rules: LiveRules) -> App {
    let published = Arc::new(Published::default());
    if let Some(snapshot) = snapshot {
        published.publish(Arc::new(snapshot));
    }
    let metrics = Arc::new(SelfMetrics::new().unwrap().with_web_config().unwrap());
    let settings = LiveSettings::new(web.config_file.as_deref(), Arc::clone(&metrics)).unwrap();
    let reloader = Reloader { rules: Arc::new(rules), settings: Arc::new(settings) };
    App::new(web, reloader, published, metrics)
}

pub(super) async fn listener() -> (TcpListener, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    // As many may wait as where we listen ourselves.
    let listener = socket.listen(4096).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

impl Server {
    pub(super) async fn start(snapshot: Option<Snapshot>) -> Server {
        Server::start_with(snapshot, &web(), Limits::default()).await
    }

    pub(super) async fn start_with(snapshot: Option<Snapshot>, web: &WebConfig, limits: Limits) -> Server {
        Server::start_configured(snapshot, web, limits, LiveRules::new(None).unwrap()).await
    }

    pub(super) async fn start_configured(
        snapshot: Option<Snapshot>,
        web: &WebConfig,
        limits: Limits,
        rules: LiveRules,
    ) -> Server {
        let app = app(snapshot, web, rules);
        let metrics = Arc::clone(app.self_metrics());
        let (listener, address) = listener().await;
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let done = tokio::spawn(serve(vec![listener], app, shutdown, limits));
        Server { address, metrics, stop, done }
    }

    pub(super) async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// One request on a connection of its own.
    pub(super) async fn request(&self, method: &str, target: &str) -> Reply {
        self.request_with(method, target, "").await
    }

    /// The same with more headers, each with its line's end.
    pub(super) async fn request_with(&self, method: &str, target: &str, headers: &str) -> Reply {
        let mut client = self.connect().await;
        client
            .send(&format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"))
            .await;
        client.reply().await
    }

    pub(super) async fn get(&self, target: &str) -> Reply {
        self.request("GET", target).await
    }

    /// Asks it to end; the result completes once it has.
    pub(super) fn stop(self) -> JoinHandle<()> {
        self.stop.send(()).unwrap();
        self.done
    }
}

pub(super) struct Client(pub(super) TcpStream);

impl Client {
    pub(super) async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// All that comes until the server closes the connection, in whichever way.
    pub(super) async fn rest(&mut self) -> String {
        String::from_utf8(self.rest_of_bytes().await).unwrap()
    }

    async fn rest_of_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match timeout(LONG, self.0.read_to_end(&mut bytes)).await.expect("the connection stays open") {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
        bytes
    }

    /// The reply to a request after which the server closes.
    pub(super) async fn reply(&mut self) -> Reply {
        Reply::parse(&self.rest_of_bytes().await)
    }

    /// Reads until `end` has come.
    pub(super) async fn read_until(&mut self, end: &str) -> String {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        while !text.contains(end) {
            let count = timeout(LONG, self.0.read(&mut buffer)).await.expect("nothing comes").unwrap();
            assert_ne!(count, 0, "closed after {text:?}");
            text.push_str(str::from_utf8(&buffer[..count]).unwrap());
        }
        text
    }
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) bytes: Vec<u8>,
    /// The same as text; where it is none, as much of it as is.
    pub(super) body: String,
}

impl Reply {
    pub(super) fn parse(reply: &[u8]) -> Reply {
        const END: &[u8] = b"\r\n\r\n";
        let end = reply.windows(END.len()).position(|window| window == END);
        let end = end.unwrap_or_else(|| panic!("no reply: {:?}", String::from_utf8_lossy(reply)));
        let head = str::from_utf8(&reply[..end]).unwrap().to_ascii_lowercase();
        let bytes = reply[end + END.len()..].to_vec();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head, body: String::from_utf8_lossy(&bytes).into_owned(), bytes }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}
