//! One load after another, everybody in turn.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::contenders::{Contender, Id};
use crate::crowd::Crowd;
use crate::load::{Load, Odd};
use crate::probe::{self, Cpu, Memory};
use crate::scrape::{self, Form};
use crate::strain;
use crate::subject::{MeasureError, Subject, Ticks, wait_until};

/// Ticks after a halt that are not counted: the first reads what was missed.
const SETTLING: u32 = 3;

/// Scrapes while everybody warms up: those who read when they are scraped have grown by then.
const FIRST_SCRAPES: u32 = 5;

/// So long one form is scraped in one round at most, but for the fewest.
const SCRAPING: Duration = Duration::from_secs(5);

/// Fewest scrapes of one form in one round.
const FEWEST: usize = 3;

/// How to measure.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rounds of all contenders.
    pub rounds: u32,
    /// From one tick or scrape to the next.
    pub interval: Duration,
    /// Ticks before anything is measured.
    pub warm_up: u32,
    /// Ticks that are measured of each in a round.
    pub ticks: u32,
    /// Scrapes of each form besides, of each in all rounds.
    pub scrapes: u32,
    /// How long two days of history take.
    pub history: Duration,
    /// Who there is besides the usual processes.
    pub odd: Odd,
    /// For files.
    pub scratch: PathBuf,
}

/// What was measured of one contender.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Who.
    pub contender: Contender,
    /// Seconds of CPU time a tick, of each round.
    pub cpu: Vec<f64>,
    /// At the end of each round.
    pub memory: Vec<Memory>,
    /// At the end of the last round.
    pub descriptors: usize,
    /// From each start to the first useful scrape, seconds.
    pub first_useful: Vec<f64>,
    /// The first scrape after each tick that was measured, compressed, seconds.
    pub fresh: Vec<f64>,
    /// Plain scrapes, one after another, seconds.
    pub plain: Vec<f64>,
    /// Compressed ones.
    pub gzip: Vec<f64>,
    /// What one scrape brings.
    pub size: Option<Size>,
    /// System calls a tick.
    pub system_calls: Option<f64>,
}

/// What one scrape brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Series.
    pub series: usize,
    /// Bytes of text.
    pub plain: usize,
    /// Bytes, compressed.
    pub gzip: usize,
}

/// CPU seconds a tick of the exporter without odd processes and with them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OddCost {
    /// Without.
    pub without: f64,
    /// With.
    pub with: f64,
}

/// What was measured under one load.
#[derive(Clone, Debug)]
pub struct Run {
    /// Processes that were started.
    pub processes: u32,
    /// Processes that /proc listed: at the start, after each round and at the end.
    pub listed: Vec<usize>,
    /// Each contender.
    pub outcomes: Vec<Outcome>,
    /// What odd processes cost the exporter with its defaults.
    pub odd: Option<OddCost>,
    /// The exporter while 40 scrape it.
    pub crowd: Vec<(Id, Crowd)>,
    /// The exporter with two days of history.
    pub full: Vec<(Id, Memory)>,
}

impl Run {
    /// Of that contender, if it took part to the end.
    pub fn of(&self, id: Id) -> Option<&Outcome> {
        self.outcomes.iter().find(|outcome| outcome.contender.id == id)
    }
}

/// Measures everybody under a load of so many processes. Fails if one of ours or a loop does; says so and goes on without
/// if another does.
pub fn under(
    load: &Path,
    processes: u32,
    contenders: &[Contender],
    settings: &Settings,
) -> Result<Run, MeasureError> {
    let mut load = Load::start(load, processes, settings.interval)?;
    load.tell(settings.odd)?;
    let mut entries = Vec::new();
    for contender in contenders {
        match Entry::start(contender) {
            Ok(entry) => entries.push(entry),
            Err(error) => spare(contender, error)?,
        }
    }
    let mut listed = vec![probe::processes()];
    warm_up(&mut entries, settings)?;
    for round in 0..settings.rounds {
        eprintln!("{processes} processes: round {} of {}", round + 1, settings.rounds);
        if round % 2 == 1 {
            entries.reverse();
        }
        each(&mut entries, |entry| entry.round(settings))?;
        if round % 2 == 1 {
            entries.reverse();
        }
        listed.push(probe::processes());
    }
    eprintln!("{processes} processes: odd ones, system calls, 40 scrapers, history");
    let odd = strain::odd_cost(&mut entries, &mut load, settings)?;
    let crowd = strain::crowds(&mut entries, settings)?;
    strain::count_system_calls(&mut entries, settings)?;
    listed.push(probe::processes());
    let outcomes: Vec<Outcome> = entries.into_iter().map(|entry| entry.outcome).collect();
    let full = strain::full_history(contenders, settings)?;
    Ok(Run { processes, listed, outcomes, odd, crowd, full })
}

/// A contender at work, and what is known of it.
pub struct Entry {
    /// The program.
    pub subject: Subject,
    /// What was measured so far.
    pub outcome: Outcome,
}

/// What was measured from a moment between two ticks to another.
pub struct Window {
    /// Seconds of CPU time a tick.
    pub cpu: f64,
    /// What each scrape took, seconds.
    pub fresh: Vec<f64>,
}

impl Entry {
    /// Starts it, waits until it is of use and has it stand still.
    fn start(contender: &Contender) -> Result<Entry, MeasureError> {
        let (subject, first_useful) = Subject::start_timed(contender)?;
        subject.stand_still()?;
        let outcome = Outcome {
            contender: contender.clone(),
            cpu: Vec::new(),
            memory: Vec::new(),
            descriptors: 0,
            first_useful: first_useful.iter().map(Duration::as_secs_f64).collect(),
            fresh: Vec::new(),
            plain: Vec::new(),
            gzip: Vec::new(),
            size: None,
            system_calls: None,
        };
        Ok(Entry { subject, outcome })
    }

    /// Measures it once, while all others stand still.
    fn round(&mut self, settings: &Settings) -> Result<(), MeasureError> {
        self.subject.go_on()?;
        let window = match self.window(settings.interval, settings.ticks) {
            // A machine that was busy with others for all that time gets another chance.
            Err(MeasureError::NoTick) => self.window(settings.interval, settings.ticks)?,
            window => window?,
        };
        self.outcome.cpu.push(window.cpu);
        self.outcome.memory.push(Memory::of(self.subject.pid())?);
        self.outcome.descriptors = probe::descriptors(self.subject.pid())?;
        if self.subject.scraped().is_some() {
            self.outcome.fresh.extend(window.fresh);
            self.scrape(settings)?;
        }
        self.subject.stand_still()?;
        // Another one that starts, for there is but one start in a life.
        let (_, first_useful) = Subject::start_timed(&self.outcome.contender)?;
        self.outcome.first_useful.extend(first_useful.iter().map(Duration::as_secs_f64));
        Ok(())
    }

    /// CPU time a tick, each with one scrape as Prometheus makes it.
    pub fn window(&mut self, interval: Duration, ticks: u32) -> Result<Window, MeasureError> {
        let mut due = self.subject.meet(interval)?;
        for _ in 0..SETTLING {
            wait_until(due);
            self.subject.work(Form::Gzip)?;
            due += interval;
        }
        let ticks_before = self.subject.ticks()?;
        let before = Cpu::of(self.subject.pid())?;
        let mut fresh = Vec::new();
        for _ in 0..ticks {
            wait_until(due);
            fresh.push(self.subject.work(Form::Gzip)?.as_secs_f64());
            due += interval;
        }
        let spent = Cpu::of(self.subject.pid())?.since(&before);
        let ticked = ticked(ticks_before, self.subject.ticks()?, ticks)?;
        Ok(Window { cpu: spent / ticked, fresh })
    }

    /// Scrapes in both forms, one after another, for latency and size. The first of each has to be written.
    fn scrape(&mut self, settings: &Settings) -> Result<(), MeasureError> {
        let count = settings.scrapes.div_ceil(settings.rounds) as usize;
        let mut size = Size::default();
        for form in [Form::Plain, Form::Gzip] {
            let (begun, mut times) = (Instant::now(), Vec::new());
            while times.len() < count && (times.len() < FEWEST || begun.elapsed() < SCRAPING) {
                times.push(self.subject.work(form)?.as_secs_f64());
            }
            let Some(scraped) = self.subject.scraped() else { continue };
            match form {
                Form::Plain => {
                    size =
                        Size { series: scrape::series(scraped.text()), plain: scraped.body().len(), ..size };
                    self.outcome.plain.extend(times);
                }
                Form::Gzip => {
                    size.gzip = scraped.body().len();
                    self.outcome.gzip.extend(times);
                }
            }
        }
        self.outcome.size = Some(size);
        Ok(())
    }
}

/// Ticks between two moments, by what the exporter says; as many as there were scrapes, of all others.
pub fn ticked(before: Option<Ticks>, after: Option<Ticks>, scrapes: u32) -> Result<f64, MeasureError> {
    let Some((before, after)) = before.zip(after) else { return Ok(f64::from(scrapes)) };
    let ticks = after.since(&before);
    if ticks > 0.0 { Ok(ticks) } else { Err(MeasureError::NoTick) }
}

/// Says that a contender is left out, and why; fails if it can't be spared.
fn spare(contender: &Contender, error: MeasureError) -> Result<(), MeasureError> {
    let name = contender.name;
    if contender.is_ours() || matches!(contender.id, Id::Floor(_)) {
        return Err(MeasureError::Of { name, cause: Box::new(error) });
    }
    eprintln!("{name} is left out: {error}");
    Ok(())
}

/// Does it with each entry; those with which it fails are left out, if they can be spared.
fn each(
    entries: &mut Vec<Entry>,
    mut act: impl FnMut(&mut Entry) -> Result<(), MeasureError>,
) -> Result<(), MeasureError> {
    let mut index = 0;
    while let Some(entry) = entries.get_mut(index) {
        match act(entry) {
            Ok(()) => index += 1,
            Err(error) => spare(&entries.remove(index).outcome.contender, error)?,
        }
    }
    Ok(())
}

/// Has everybody run at once for some ticks.
fn warm_up(entries: &mut Vec<Entry>, settings: &Settings) -> Result<(), MeasureError> {
    each(entries, |entry| entry.subject.go_on())?;
    let begun = Instant::now();
    for tick in 0..settings.warm_up {
        wait_until(begun + (tick + 1) * settings.interval);
        if tick < FIRST_SCRAPES {
            each(entries, |entry| entry.subject.work(Form::Gzip).map(drop))?;
        }
    }
    each(entries, |entry| entry.subject.stand_still())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_tick_is_counted_by_scrapes() {
        assert_eq!(ticked(None, None, 7).unwrap(), 7.0);
        let ticks = |latest| Some(Ticks { latest, interval: 2.0, skipped: 0.0 });
        assert_eq!(ticked(ticks(10.0), ticks(26.0), 7).unwrap(), 8.0);
        assert!(matches!(ticked(ticks(10.0), ticks(10.0), 7), Err(MeasureError::NoTick)));
    }

    #[test]
    fn only_others_can_be_spared() {
        let contenders = |id| Contender {
            id,
            name: "x",
            delivers: "",
            program: PathBuf::new(),
            args: Vec::new(),
            useful: "",
        };
        assert!(spare(&contenders(Id::Lean), MeasureError::Ended).is_ok());
        assert!(spare(&contenders(Id::All), MeasureError::Ended).is_err());
    }
}
