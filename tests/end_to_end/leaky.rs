//! Whether `examples/leaky` does what the other tests rely on.

use crate::support::leaky;
use crate::support::process::Program;
use crate::support::wait::{SOON, until};

#[test]
fn says_so_and_ends_when_its_limit_is_reached() {
    let mut leaky = leaky("limited", &["steady", "--rate", "1GB/s", "--limit-data", "64MiB"]);
    assert_eq!(leaky.exit_code(SOON), Some(3));
    assert!(leaky.stdout().contains("leaks 1GB/s"), "{}", leaky.stdout());
    assert!(
        leaky.stderr().starts_with("leaky: limit reached: no more memory to be had, holding "),
        "{}",
        leaky.stderr()
    );
}

#[test]
fn really_holds_what_it_says_and_gives_it_back() {
    const MB: u64 = 1_000_000;
    let shape = ["sawtooth", "--rate", "0MB/s", "--size", "100MB", "--period", "4s"];
    let leaky = leaky("saw", &shape);
    until("the first tooth", SOON, || (leaky.resident_bytes() > 80 * MB).then_some(()));
    until("its end", SOON, || (leaky.resident_bytes() < 40 * MB).then_some(()));
}

#[test]
fn ends_when_its_time_is_over() {
    let mut leaky = Program::leaky().args(&["idle", "--for", "100ms"]).start();
    assert_eq!(leaky.exit_code(SOON), Some(0));
}
