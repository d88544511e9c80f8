//! Whether the running exporter grows: the real binary, under everything that comes and goes.
//!
//! ```text
//! cargo bench --bench soak -- --minutes 30
//! cargo test --bench soak -- --minutes 1.2        # the unoptimized binary, as tests/run does
//! ```
//!
//! Processes come and go (`churn.rs`); clients scrape every format, ask every route, ask nonsense and leave before they have their
//! answer; the configuration is reloaded, also with what makes no sense (`load.rs`); the state is written. Meanwhile its memory,
//! descriptors and threads are looked at from outside (`exporter.rs`). One second counts as a hundred for the exporter, and for
//! the detector that judges it here: its own.
//!
//! It fails where a figure at the end is above that after a third of the time, where something is left of the clients, or, in
//! runs that are long enough for it to judge, where the detector suspects a figure or has no opinion (`judgement.rs`).

#![expect(clippy::print_stdout, reason = "this is what it is for")]

mod churn;
mod exporter;
mod judgement;
mod load;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use churn::Churn;
use exporter::{Exporter, Figures};
use judgement::Judgement;
use load::Load;

/// Time from one look at the exporter to the next.
const LOOK: Duration = Duration::from_secs(1);

/// Lines of the table.
const LINES: u32 = 15;

/// One second counts as this many.
const TIME_LAPSE: u32 = 100;

/// Says whether the running exporter grows.
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Cli {
    /// How long.
    #[arg(long, default_value = "1")]
    minutes: f64,
    /// The program.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_memleak-exporter"))]
    exporter: PathBuf,
    /// Short-lived processes that are started a second.
    #[arg(long, default_value = "5")]
    churn: f64,
    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let cli = Cli::parse();
    let directory = tempfile::tempdir()?;
    let exporter = Exporter::start(&cli.exporter, directory.path(), TIME_LAPSE)?;
    let idle = exporter.figures()?;
    let churn = Churn::start(directory.path(), cli.churn)?;
    let load = Load::start(exporter.address(), exporter.reload());
    let figures = watch(&exporter, &churn, &load, Duration::from_secs_f64(cli.minutes * 60.0))?;
    let (requests, aborted, reloads) = load.stop();
    drop(churn);
    println!("\n{requests} requests answered, {aborted} clients that left early, {reloads} reloads");
    let judgement = Judgement::of(&figures, &idle, &exporter, LOOK.as_secs_f64() * f64::from(TIME_LAPSE))?;
    println!("{judgement}");
    Ok(if judgement.has_grown() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Looks at the exporter until it is over, and prints a table meanwhile.
fn watch(
    exporter: &Exporter,
    churn: &Churn,
    load: &Load,
    duration: Duration,
) -> Result<Vec<Figures>, Box<dyn Error>> {
    println!(
        "| minute | RSS, MiB | sockets | files of /proc | other files | threads | CPU, % | processes | requests |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let (began, mut figures, mut printed) = (Instant::now(), Vec::new(), 0);
    while began.elapsed() < duration {
        load::pause(LOOK);
        let now = exporter.figures()?;
        let due = (began.elapsed().div_duration_f64(duration) * f64::from(LINES)) as u32;
        if due > printed {
            printed = due;
            let minute = began.elapsed().as_secs_f64() / 60.0;
            println!("| {minute:.1} | {now} | {} | {} |", churn.started(), load.answered());
        }
        figures.push(now);
    }
    Ok(figures)
}
