//! What systemd hands over and is told. The test stands in for it.

use std::fs::File;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

use crate::support::exporter_at;
use crate::support::http::get;
use crate::support::process::Program;
use crate::support::servers::Server;
use crate::support::wait::{SOON, until};

#[test]
fn a_socket_that_was_handed_over_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Standard input is the one file that a child is easily given; systemd's begin at 3.
    let hand_over = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" --web.systemd-socket 3<&0 </dev/null";
    let exporter = Program::new("sh")
        .args(&["-c", hand_over, env!("CARGO_BIN_EXE_memleak-exporter")])
        .stdin(File::from(OwnedFd::from(listener)))
        .start();
    let healthy = until("an answer", SOON, || get(address, "/-/healthy").ok());
    assert_eq!(healthy.status, 200, "{}", exporter.stderr());
}

#[test]
fn no_socket_that_was_handed_over_gets_one_clear_sentence() {
    let mut exporter = Program::exporter().arg("--web.systemd-socket").start();
    assert_eq!(exporter.exit_code(SOON), Some(1));
    let stderr = exporter.stderr();
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("leave out --web.systemd-socket"), "{stderr}");
}

#[test]
fn systemd_is_told_that_it_serves_is_well_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let told = || {
        let mut message = [0; 256];
        let length = socket.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    let mut exporter = Server::start("/-/healthy", |address| {
        let program = exporter_at(address).env("NOTIFY_SOCKET", &path);
        program.env("WATCHDOG_USEC", "200000").args(&["--sample.interval=100ms"]).start()
    });
    assert_eq!(told(), "READY=1\n");
    for _ in 0..3 {
        assert_eq!(told(), "WATCHDOG=1\n");
    }
    exporter.process.terminate();
    assert_eq!(exporter.process.exit_code(SOON), Some(0), "{}", exporter.process.stderr());
    let last = until("the end", SOON, || Some(told()).filter(|told| told != "WATCHDOG=1\n"));
    assert_eq!(last, "STOPPING=1\n");
}
