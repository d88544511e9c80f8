//! Wording of an assessment: what was seen, in units that people use.

use std::fmt;

use super::{Assessment, Channel, Evidence, Gate, Reason, Standing};
use crate::human::{bytes, duration};

pub(super) struct Sentence<'a>(pub(super) &'a Assessment);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.reason == Reason::Leaking && self.0.standing == Standing::Inherited {
            return f.write_str(INHERITED);
        }
        let Some(evidence) = &self.0.evidence else {
            return f.write_str(self.without_evidence());
        };
        let window = duration(self.0.window_seconds.unwrap_or(evidence.growing_for_seconds));
        match self.0.reason {
            Reason::InsufficientData => f.write_str(self.without_evidence()),
            Reason::Leaking => self.leaking(f, evidence),
            Reason::Growing => write!(f, "{}; not for long enough yet to call it a leak", Rise(evidence)),
            Reason::WarmingUp => write!(f, "{}, as after a start; expected to level off", Rise(evidence)),
            Reason::Saturating => write!(f, "{}, ever more slowly", Rise(evidence)),
            Reason::Fluctuating => {
                write!(
                    f,
                    "floor rises and falls; what it gained in the last {window} it has given back before"
                )
            }
            Reason::Steady => write!(f, "floor does not rise steadily over the last {window}"),
        }
    }
}

const INHERITED: &str = "an earlier life of this program leaked, and this one has yet to outlive it";

impl Sentence<'_> {
    fn without_evidence(&self) -> &'static str {
        match self.0.reason {
            Reason::InsufficientData => "not enough history yet to tell",
            Reason::Leaking => "nothing grows now; the suspicion fades",
            _ => "floor does not rise",
        }
    }

    fn leaking(&self, f: &mut fmt::Formatter<'_>, evidence: &Evidence) -> fmt::Result {
        write!(f, "{}", Rise(evidence))?;
        if self.0.standing == Standing::Held {
            return f.write_str("; it has paused since, and not been given back");
        }
        if evidence.channel == Channel::Season {
            f.write_str(", day after day at the same hours")?;
        }
        if value(evidence, "give_back").is_some_and(|times| times >= UNMATCHED) {
            f.write_str("; nothing like it was ever given back")?;
        }
        if has_passed(evidence, "life") && has_passed(evidence, "slowing") {
            f.write_str("; growth has not slowed")?;
        }
        match self.0.time_to_limit_seconds {
            Some(left) => write!(f, "; its limit is {} away", duration(left)),
            None => Ok(()),
        }
    }
}

/// Growth of so many times the largest fall in the past is unlike anything that was given back.
const UNMATCHED: f64 = 4.0;

/// The value of a gate, where there is one and it could be told.
fn value(evidence: &Evidence, name: &str) -> Option<f64> {
    let gate = evidence.gates.iter().find(|gate| gate.name == name)?;
    gate.value.is_finite().then_some(gate.value)
}

fn has_passed(evidence: &Evidence, name: &str) -> bool {
    let open = |gate: &&Gate| gate.name == name && gate.pass >= 1.0;
    value(evidence, name).is_some() && evidence.gates.iter().any(|gate| open(&gate))
}

/// "floor rose 41 MiB over 6h (0.4 %/h)"
struct Rise<'a>(&'a Evidence);

impl fmt::Display for Rise<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Evidence { grown_bytes, floor_bytes, growing_for_seconds, .. } = self.0;
        write!(f, "floor rose {} over {}", bytes(grown_bytes), duration(growing_for_seconds))?;
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
    use super::*;

    fn assessment(reason: Reason, pass: f64) -> Assessment {
        let gate = |name| Gate { name, value: if pass < 1.0 { 2.0 } else { 8.0 }, pass };
        Assessment {
            score: Some(80.0),
            reason,
            time_to_limit_seconds: Some(4.0 * 86_400.0),
            window_seconds: Some(8.0 * 3600.0),
            evidence: Some(Evidence {
                channel: Channel::Trend,
                grown_bytes: 41.0 * 1024.0 * 1024.0,
                floor_bytes: 1.7e9,
                growing_for_seconds: 6.0 * 3600.0,
                gates: ["give_back", "slowing", "life"].map(gate).to_vec(),
            }),
            ..Assessment::default()
        }
    }

    #[test]
    fn a_leak_is_told_with_its_evidence() {
        assert_eq!(
            assessment(Reason::Leaking, 1.0).sentence().to_string(),
            "floor rose 41 MiB over 6h (0.4 %/h); nothing like it was ever given back; growth has not slowed; \
             its limit is 4d away",
        );
    }

    #[test]
    fn nothing_is_claimed_that_was_not_found() {
        let told = assessment(Reason::Leaking, 0.5).sentence().to_string();
        assert!(!told.contains("given back") && !told.contains("slowed"), "{told}");
        let empty = Assessment::default();
        assert_eq!(empty.sentence().to_string(), "not enough history yet to tell");
    }
}
