//! The whole program from the outside: the real binary, real leaks, real Prometheus and Alertmanager servers.
//!
//! Everything listens on free ports of the loopback interface, lives in temporary directories and is killed by its
//! process id when its test ends, however that ends. What waits for leaks to show is in `slow`; `tests/run fast`
//! leaves it out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking and says why on standard output, and its helpers do, too"
)]

mod alerting;
mod backtest;
mod cgroups;
mod configuration;
mod dashboards;
mod exporter;
mod faults;
mod formats;
mod golden;
mod hostile;
mod leaky;
mod promql;
mod queries;
mod rights;
mod slow;
mod state;
mod support;
mod systemd;
mod web;
