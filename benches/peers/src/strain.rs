//! What is measured once under each load, after all rounds: what would disturb those, or takes too long for them.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::contenders::{Contender, Id, find, sampling};
use crate::crowd::{self, Crowd};
use crate::load::{Load, Odd};
use crate::measure::{Entry, OddCost, Settings, ticked};
use crate::probe::Memory;
use crate::scrape::Form;
use crate::subject::{MeasureError, Subject, wait_until};
use crate::trace::Trace;

/// Ticks that are traced; tracing makes them many times slower.
const TRACED: u32 = 2;

/// So many ticks are due while 40 scrape.
const TICKS_IN_A_CROWD: u32 = 5;

/// From one tick to the next while history fills.
const HASTE: Duration = Duration::from_millis(250);

/// The exporter lets time go no faster.
const MOST_LAPSE: f64 = 100_000.0;

/// So much history is filled, seconds.
const HISTORY: f64 = 2.0 * 86_400.0;

/// Measures the exporter with and without odd processes: with, without, without, with, so that what drifts cancels out.
pub fn odd_cost(
    entries: &mut [Entry],
    load: &mut Load,
    settings: &Settings,
) -> Result<Option<OddCost>, MeasureError> {
    let ours = entries.iter_mut().find(|entry| entry.outcome.contender.id == Id::Defaults);
    let Some(entry) = ours.filter(|_| settings.odd != Odd::None) else { return Ok(None) };
    let mut cost = OddCost { without: 0.0, with: 0.0 };
    entry.subject.go_on()?;
    for odd in [settings.odd, Odd::None, Odd::None, settings.odd] {
        load.tell(odd)?;
        let cpu = entry.window(settings.interval, settings.ticks)?.cpu / 2.0;
        if odd == Odd::None { cost.without += cpu } else { cost.with += cpu }
    }
    entry.subject.stand_still()?;
    Ok(Some(cost))
}

/// Has 40 scrape the exporter at once.
pub fn crowds(entries: &mut [Entry], settings: &Settings) -> Result<Vec<(Id, Crowd)>, MeasureError> {
    let mut crowds = Vec::new();
    for entry in entries.iter_mut().filter(|entry| entry.outcome.contender.is_ours()) {
        let Some(port) = entry.subject.port() else { continue };
        entry.subject.go_on()?;
        entry.subject.meet(settings.interval)?;
        let before = entry.subject.ticks()?;
        let crowd = crowd::scrape(port, settings.interval * TICKS_IN_A_CROWD)?;
        // Only then all of them are told of.
        entry.subject.meet(settings.interval)?;
        let after = entry.subject.ticks()?;
        let skipped = before.zip(after).map_or(0.0, |(before, after)| after.skipped - before.skipped);
        entry.subject.stand_still()?;
        crowds.push((entry.outcome.contender.id, Crowd { skipped, ..crowd }));
    }
    Ok(crowds)
}

/// Counts system calls a tick, where there is an strace that may do so.
pub fn count_system_calls(entries: &mut [Entry], settings: &Settings) -> Result<(), MeasureError> {
    let Some(strace) = find("strace") else {
        eprintln!("system calls are not measured: there is no strace");
        return Ok(());
    };
    for entry in entries {
        entry.subject.go_on()?;
        match system_calls(&mut entry.subject, &strace, settings) {
            Ok(calls) => entry.outcome.system_calls = Some(calls),
            Err(error) => {
                eprintln!("system calls of {} are not measured: {error}", entry.outcome.contender.name)
            }
        }
        entry.subject.stand_still()?;
    }
    Ok(())
}

fn system_calls(subject: &mut Subject, strace: &Path, settings: &Settings) -> Result<f64, MeasureError> {
    let mut due = subject.meet(settings.interval)?;
    wait_until(due);
    subject.work(Form::Gzip)?;
    let before = subject.ticks()?;
    let output = settings.scratch.join("strace");
    let trace = Trace::attach(strace, subject.pid(), &output)?;
    for _ in 0..TRACED {
        due += settings.interval;
        wait_until(due);
        subject.work(Form::Gzip)?;
    }
    let calls = trace.finish()?;
    Ok(calls as f64 / ticked(before, subject.ticks()?, TRACED)?)
}

/// Memory of the exporter, as it comes and with all, once it has a history. Ticks come faster, and time goes faster.
pub fn full_history(
    contenders: &[Contender],
    settings: &Settings,
) -> Result<Vec<(Id, Memory)>, MeasureError> {
    let lapse = (HISTORY / settings.history.as_secs_f64()).ceil().min(MOST_LAPSE);
    let mut subjects = Vec::new();
    for contender in contenders.iter().filter(|contender| matches!(contender.id, Id::Defaults | Id::All)) {
        let usual = sampling(settings.interval);
        let mut args: Vec<String> =
            contender.args.iter().filter(|arg| !usual.contains(arg)).cloned().collect();
        args.push(format!("--sample.interval={}ms", HASTE.as_millis()));
        args.push(format!("--sample.time-lapse={lapse}"));
        subjects.push((contender.id, Subject::start_timed(&Contender { args, ..contender.clone() })?.0));
    }
    let begun = Instant::now();
    while begun.elapsed() < settings.history {
        for (_, subject) in &mut subjects {
            subject.work(Form::Gzip)?;
        }
        thread::sleep(4 * HASTE);
    }
    subjects.iter().map(|(id, subject)| Ok((*id, Memory::of(subject.pid())?))).collect()
}
