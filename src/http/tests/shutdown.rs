//! How the server ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::harness::{Client, END_OF_METRICS, GET_HEALTHY, LONG, Server, huge, listener, web};
use crate::exposition::fixture;
use crate::http::{Body, Crowded, Entrance, Limits, Places, Service, run};

fn plain<S>(answer: S) -> Service<S, impl Fn() -> Entrance, impl Fn(Crowded)> {
    Service { answer, entrance: Entrance::default, on_crowded: |_| {} }
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let server = Server::start(Some(fixture::snapshot())).await;
    let mut idle = server.connect().await;
    idle.send(GET_HEALTHY).await;
    idle.read_until("is healthy\n").await;
    let mut silent = server.connect().await;
    let address = server.address;
    let began = Instant::now();
    timeout(LONG, server.stop()).await.unwrap().unwrap();
    assert!(began.elapsed() < Limits::default().drain, "{:?}", began.elapsed());
    assert_eq!(idle.rest().await, "");
    assert_eq!(silent.rest().await, "");
    TcpStream::connect(address).await.expect_err("nobody listens any more");
}

#[tokio::test]
async fn a_request_in_flight_is_answered_and_no_other() {
    let (listener, address) = listener().await;
    let (arrived, proceed) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (stop, stopped) = oneshot::channel::<()>();
    let answer = {
        let (arrived, proceed) = (Arc::clone(&arrived), Arc::clone(&proceed));
        move |_| {
            let (arrived, proceed) = (Arc::clone(&arrived), Arc::clone(&proceed));
            async move {
                arrived.notify_one();
                proceed.notified().await;
                hyper::Response::new(Body::from("finished"))
            }
        }
    };
    let shutdown = async { drop(stopped.await) };
    let done = tokio::spawn(run(vec![listener], plain(answer), Places::new(9), shutdown, Limits::default()));

    let mut client = Client(TcpStream::connect(address).await.unwrap());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    arrived.notified().await;
    stop.send(()).unwrap();
    let began = Instant::now();
    while TcpStream::connect(address).await.is_ok() {
        assert!(began.elapsed() < LONG, "still listening");
        tokio::task::yield_now().await;
    }
    proceed.notify_one();
    assert_eq!(client.reply().await.body, "finished");
    timeout(LONG, done).await.unwrap().unwrap();
}

#[tokio::test]
async fn every_listener_is_served_and_then_closed() {
    let (first, one) = listener().await;
    let (second, other) = listener().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let answer = |_| std::future::ready(hyper::Response::new(Body::from("here")));
    let shutdown = async { drop(stopped.await) };
    let done =
        tokio::spawn(run(vec![first, second], plain(answer), Places::new(9), shutdown, Limits::default()));
    for address in [one, other, one, other] {
        let mut client = Client(TcpStream::connect(address).await.unwrap());
        client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert_eq!(client.reply().await.body, "here");
    }
    stop.send(()).unwrap();
    timeout(LONG, done).await.unwrap().unwrap();
    for address in [one, other] {
        TcpStream::connect(address).await.expect_err("nobody listens any more");
    }
}

#[tokio::test]
async fn what_does_not_end_is_dropped() {
    let (listener, address) = listener().await;
    let arrived = Arc::new(Notify::new());
    let (stop, stopped) = oneshot::channel::<()>();
    let answer = {
        let arrived = Arc::clone(&arrived);
        move |_| {
            arrived.notify_one();
            std::future::pending()
        }
    };
    let limits = Limits { drain: Duration::from_millis(100), ..Limits::default() };
    let done = tokio::spawn(run(
        vec![listener],
        plain(answer),
        Places::new(9),
        async { drop(stopped.await) },
        limits,
    ));

    let mut client = Client(TcpStream::connect(address).await.unwrap());
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    arrived.notified().await;
    stop.send(()).unwrap();
    timeout(LONG, done).await.unwrap().unwrap();
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_reply_that_is_being_read_is_read_to_its_end() {
    let server = Server::start_with(Some(huge()), &web(), Limits::default()).await;
    let mut client = server.connect().await;
    client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    client.read_until("# HELP memleak_process_leak_score").await;
    let done = server.stop();
    assert!(client.rest().await.contains(END_OF_METRICS));
    timeout(LONG, done).await.unwrap().unwrap();
}
