//! Wording of an assessment: what was seen, in units that people use, the most telling facts first.

use std::fmt;

use super::{Assessment, Channel, Evidence, Gate, Reason, Standing, Test};
use crate::human::duration;
use crate::resources::Unit;

/// Growth of so many times the largest fall in the past is unlike anything that was given back.
const UNMATCHED: f64 = 4.0;

/// Growth is told to be older than the window that shows it from so many times its length on.
const OLDER: f64 = 1.25;

pub(super) struct Sentence<'a> {
    pub(super) found: &'a Assessment,
    /// What was found is counted in it.
    pub(super) unit: Unit,
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let floor = self.floor();
        match (self.found.reason, &self.found.evidence) {
            (Reason::InsufficientData, _) => f.write_str("not enough history yet to tell"),
            (Reason::Leaking, evidence) => self.leaking(f, evidence.as_ref()),
            (_, None) => self.clean(f, format_args!("{floor} does not rise")),
            (Reason::Growing, Some(evidence)) => {
                self.clean(f, format_args!("{}{}", self.rise(evidence), self.not_called()))
            }
            (Reason::WarmingUp, Some(evidence)) => self
                .clean(f, format_args!("{}, as after a start; expected to level off", self.rise(evidence))),
            (Reason::Saturating, Some(evidence)) => {
                self.clean(f, format_args!("{}, ever more slowly", self.rise(evidence)))
            }
            (Reason::Fluctuating, Some(evidence)) => {
                let window = self.window(evidence);
                let given = "what it gained in the last";
                self.clean(
                    f,
                    format_args!("{floor} rises and falls; {given} {window} it has given back before"),
                )
            }
            (Reason::Steady, Some(evidence)) => self.clean(
                f,
                format_args!("{floor} does not rise steadily over the last {}", self.window(evidence)),
            ),
        }
    }
}

impl Sentence<'_> {
    fn leaking(&self, f: &mut fmt::Formatter<'_>, evidence: Option<&Evidence>) -> fmt::Result {
        match (self.found.standing, evidence) {
            (Standing::Inherited, evidence) => {
                f.write_str("an earlier run of this program leaked, and this one has yet to outlive it")?;
                match evidence.filter(|evidence| evidence.grown_bytes > 0.0) {
                    Some(evidence) => write!(f, "; so far its {}", self.rise(evidence)),
                    None => Ok(()),
                }
            }
            (_, None) => f.write_str("nothing grows now; the suspicion fades"),
            (Standing::Held, Some(evidence)) => {
                write!(f, "{}{}", self.rise(evidence), steadily(evidence))?;
                self.write_beginning(f, evidence)?;
                f.write_str("; it shows less clearly now, and stays suspect until that is given back ")?;
                f.write_str("or the floor has long been flat")
            }
            (Standing::Wider, Some(evidence)) => {
                self.growing_now(f, evidence)?;
                f.write_str("; what it is in grows by it, and shows that more clearly")
            }
            (Standing::Present, Some(evidence)) => self.growing_now(f, evidence),
        }
    }

    /// What is about to hit its limit begins with that.
    fn growing_now(&self, f: &mut fmt::Formatter<'_>, evidence: &Evidence) -> fmt::Result {
        let is_urgent = evidence.channel == Channel::Urgency;
        if let Some(left) = self.found.time_to_limit_seconds.filter(|_| is_urgent) {
            write!(f, "limit reached in {}{}; ", duration(left), self.range())?;
        }
        write!(f, "{}{}", self.rise(evidence), steadily(evidence))?;
        self.write_beginning(f, evidence)?;
        if value(evidence, Test::GiveBack).is_some_and(|times| times >= UNMATCHED) {
            f.write_str("; nothing like it was seen to be given back")?;
        }
        if has_passed(evidence, Test::Life) && has_passed(evidence, Test::Slowing) {
            f.write_str("; growth has not slowed")?;
        }
        match self.found.time_to_limit_seconds.filter(|_| !is_urgent) {
            Some(left) => write!(f, "; limit reached in {}{}", duration(left), self.range()),
            None => Ok(()),
        }
    }

    /// What is not suspect, with what is left of a suspicion.
    fn clean(&self, f: &mut fmt::Formatter<'_>, seen: impl fmt::Display) -> fmt::Result {
        write!(f, "{seen}")?;
        match self.found.standing {
            Standing::Present => Ok(()),
            Standing::Held => f.write_str("; an earlier suspicion is fading"),
            Standing::Inherited => f.write_str("; an earlier run of this program was suspect"),
            Standing::Wider => f.write_str("; what it is in is suspect, and grows by it"),
        }
    }

    /// Why what grows is not called a leak.
    fn not_called(&self) -> &'static str {
        match self.found.threshold.is_finite() {
            true => "; not for long enough yet to call it a leak",
            false => "; the configuration excuses it",
        }
    }

    fn write_beginning(&self, f: &mut fmt::Formatter<'_>, evidence: &Evidence) -> fmt::Result {
        let older = |since: &f64| *since > OLDER * evidence.growing_for_seconds;
        match evidence.since_onset_seconds.filter(older) {
            Some(since) => write!(f, "; it began {} ago", duration(since)),
            None => Ok(()),
        }
    }

    /// " (9m to 20m)" where the ends differ.
    fn range(&self) -> String {
        let ends = self.found.time_to_limit_range_seconds.map(|range| range.map(duration));
        match ends {
            Some([soonest, latest]) if soonest != latest => format!(" ({soonest} to {latest})"),
            _ => String::new(),
        }
    }

    fn rise<'a>(&self, evidence: &'a Evidence) -> Rise<'a> {
        Rise { evidence, unit: self.unit }
    }

    /// The floor of what.
    fn floor(&self) -> String {
        match self.unit {
            Unit::Bytes => "floor".to_string(),
            Unit::Count(resource) => format!("floor of {}", resource.plain_name()),
        }
    }

    fn window(&self, evidence: &Evidence) -> String {
        duration(self.found.window_seconds.unwrap_or(evidence.growing_for_seconds))
    }
}

/// How it rose, where nothing speaks against that.
fn steadily(evidence: &Evidence) -> &'static str {
    match evidence.channel {
        Channel::Season => ", day after day at the same hours",
        _ if has_passed(evidence, Test::Spread) => ", steadily",
        _ => "",
    }
}

/// The value of a gate, where there is one and it could be told.
fn value(evidence: &Evidence, test: Test) -> Option<f64> {
    let gate = evidence.gates.iter().find(|gate| gate.test == test)?;
    gate.value.is_finite().then_some(f64::from(gate.value))
}

fn has_passed(evidence: &Evidence, test: Test) -> bool {
    let open = |gate: &&Gate| gate.test == test && gate.pass >= 1.0;
    value(evidence, test).is_some() && evidence.gates.iter().any(|gate| open(&gate))
}

/// "floor rose 41 MiB over 6h (0.4 %/h)", "open files rose by 1,200 over 6h"
struct Rise<'a> {
    evidence: &'a Evidence,
    unit: Unit,
}

impl fmt::Display for Rise<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Evidence { grown_bytes, floor_bytes, growing_for_seconds, .. } = self.evidence;
        let (grown, duration) = (self.unit.text(grown_bytes), duration(growing_for_seconds));
        match self.unit {
            Unit::Bytes => write!(f, "floor rose {grown} over {duration}")?,
            Unit::Count(resource) => write!(f, "{} rose by {grown} over {duration}", resource.plain_name())?,
        }
        let before = floor_bytes - grown_bytes;
        let percent = 100.0 * grown_bytes / before / (growing_for_seconds / 3600.0);
        // Of next to nothing, a percentage says nothing.
        if before > grown_bytes && percent >= 0.01 {
            write!(f, " ({} %/h)", Figures(percent))
        } else {
            Ok(())
        }
    }
}

/// Two figures where the number is small.
struct Figures(f64);

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = match self.0.abs() {
            x if x >= 9.95 => 0,
            x if x >= 0.095 => 1,
            _ => 2,
        };
        write!(f, "{:.places$}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::entity::Resource;

    const HOUR: f64 = 3600.0;

    fn assessment(reason: Reason, standing: Standing, pass: f64) -> Assessment {
        let gate = |test| Gate::passing(test, if pass < 1.0 { 2.0 } else { 8.0 }, pass);
        let goes_on = standing == Standing::Present && matches!(reason, Reason::Growing | Reason::Leaking);
        Assessment {
            score: Some(80.0),
            threshold: 60.0,
            reason,
            standing,
            time_to_limit_seconds: goes_on.then_some(96.0 * HOUR),
            time_to_limit_range_seconds: goes_on.then_some([84.0 * HOUR, 120.0 * HOUR]),
            window_seconds: Some(8.0 * HOUR),
            evidence: Some(Evidence {
                channel: Channel::Trend,
                grown_bytes: 41.0 * 1024.0 * 1024.0,
                floor_bytes: 1.7e9,
                growing_for_seconds: 6.0 * HOUR,
                onset_time: Some(1.7e9),
                since_onset_seconds: Some(54.0 * HOUR),
                gates: [Test::GiveBack, Test::Spread, Test::Slowing, Test::Life].map(gate).to_vec(),
            }),
            ..Assessment::default()
        }
    }

    /// Every sentence: the difference to `sentences.txt` is the review of any change to the wording.
    #[test]
    fn these_are_all_the_sentences() {
        let mut told = String::new();
        let mut tell =
            |name: &str, found: &Assessment| writeln!(told, "{name}: {}", found.sentence()).unwrap();
        let reasons = [
            Reason::InsufficientData,
            Reason::WarmingUp,
            Reason::Steady,
            Reason::Fluctuating,
            Reason::Saturating,
            Reason::Growing,
            Reason::Leaking,
        ];
        for reason in reasons {
            for (name, standing) in [
                ("present", Standing::Present),
                ("held", Standing::Held),
                ("inherited", Standing::Inherited),
                ("wider", Standing::Wider),
            ] {
                let found = assessment(reason, standing, 1.0);
                tell(&format!("{} {name}", reason.as_str()), &found);
                let bare = Assessment { evidence: None, ..found };
                tell(&format!("{} {name}, no evidence", reason.as_str()), &bare);
            }
        }
        let leak = assessment(Reason::Leaking, Standing::Present, 1.0);
        let of = |channel, since| {
            let evidence = leak.evidence.clone().unwrap();
            let evidence = Evidence { channel, since_onset_seconds: Some(since), ..evidence };
            Assessment { evidence: Some(evidence), ..leak.clone() }
        };
        tell("leaking, urgent", &of(Channel::Urgency, 6.0 * HOUR));
        tell("leaking, by the day", &of(Channel::Season, 54.0 * HOUR));
        tell("leaking, gates half open", &assessment(Reason::Leaking, Standing::Present, 0.5));
        tell("leaking, no limit", &Assessment { time_to_limit_seconds: None, ..leak.clone() });
        tell("leaking, no range", &Assessment { time_to_limit_range_seconds: None, ..leak.clone() });
        tell("leaking, excused", &leak.judged_by(f64::INFINITY));

        let weighed = |count| Unit::weighed(count) as f64;
        let counted = Evidence {
            grown_bytes: weighed(1200),
            floor_bytes: weighed(61_200),
            ..leak.evidence.clone().unwrap()
        };
        let counted = Assessment { evidence: Some(counted), ..leak };
        for resource in Resource::ALL {
            for reason in reasons {
                let found = Assessment { reason, ..counted.clone() };
                let sentence = found.sentence_in(Unit::Count(resource));
                writeln!(told, "{}, {}: {sentence}", resource.as_str(), reason.as_str()).unwrap();
            }
            let bare = Assessment { evidence: None, reason: Reason::Steady, ..counted.clone() };
            let sentence = bare.sentence_in(Unit::Count(resource));
            writeln!(told, "{}, no evidence: {sentence}", resource.as_str()).unwrap();
        }

        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/src/detector/sentences.txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(golden, &told).unwrap();
        }
        let expected = std::fs::read_to_string(golden).unwrap();
        for (is, should_be) in told.lines().zip(expected.lines()) {
            assert_eq!(is, should_be, "UPDATE_GOLDEN=1 accepts all changes");
        }
        assert_eq!(told.lines().count(), expected.lines().count(), "UPDATE_GOLDEN=1 accepts all changes");
    }

    #[test]
    fn nothing_is_claimed_that_was_not_found() {
        let told = assessment(Reason::Leaking, Standing::Present, 0.5).sentence().to_string();
        for claim in ["given back", "slowed", "steadily"] {
            assert!(!told.contains(claim), "{told}");
        }
    }
}
