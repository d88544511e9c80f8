//! Everything that was found out about one set of traces.

use crate::baselines::Family;
use crate::measure::{Figures, Outcome, best};
use crate::method::Method;
use crate::ours::{Ours, THRESHOLD};
use crate::run::run;
use crate::trace::Make;

/// A baseline at its best threshold.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// As its users write it.
    pub name: String,
    /// Its figures there.
    pub figures: Figures,
    /// For its curve.
    pub outcomes: Vec<Outcome>,
}

/// Everything that was found out about one set of traces.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What the set is called.
    pub name: &'static str,
    /// Of the project's own score.
    pub ours: Vec<Outcome>,
    /// Each in its best form.
    pub baselines: Vec<Baseline>,
}

impl Findings {
    /// Runs the project's detector and the baselines over `traces`.
    pub fn of(
        name: &'static str,
        traces: impl Iterator<Item: Make> + Send,
        ours: &Ours,
        families: Vec<Family>,
    ) -> Findings {
        let mut methods: Vec<&dyn Method> = vec![ours];
        methods.extend(families.iter().flatten().map(AsRef::as_ref));
        let mut outcomes = run(traces, &methods).into_iter();
        let ours = outcomes.next().unwrap_or_default();
        let forms = |family: &Family| -> Vec<Baseline> {
            let forms = family.iter().zip(outcomes.by_ref());
            forms.filter_map(|(method, outcomes)| Baseline::new(method.name(), outcomes)).collect()
        };
        let better = |forms: Vec<Baseline>| forms.into_iter().max_by(|a, b| f64::total_cmp(&a.f1(), &b.f1()));
        Findings { name, ours, baselines: families.iter().map(forms).filter_map(better).collect() }
    }

    /// Ours at its threshold.
    pub fn figures(&self) -> Figures {
        Figures::at(&self.ours, THRESHOLD)
    }
}

impl Baseline {
    fn new(name: &str, outcomes: Vec<Outcome>) -> Option<Baseline> {
        Some(Baseline { name: name.to_owned(), figures: best(&outcomes)?, outcomes })
    }

    fn f1(&self) -> f64 {
        self.figures.f1().unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baselines::{Pace, families};
    use crate::report::Section;
    use crate::testing::{leak, series};
    use crate::trace::Label;

    #[test]
    fn a_line_against_a_flat_series() {
        let mut line = series(leak(86_400.0), 60.0, 3 * 1440, |time| 1e8 + 1e3 * (time - 86_400.0).max(0.0));
        let mut flat = series(Label::Benign, 60.0, 3 * 1440, |_| 1e8);
        flat.class = "flat";
        line.limit = Some(1 << 30);
        flat.limit = line.limit;
        let traces = [line, flat];
        let found = || {
            let traces = traces.iter().map(|trace| || trace.clone());
            Findings::of("two", traces, &Ours::default(), families(Pace::Days))
        };
        let findings = found();
        assert_eq!(findings.figures().f1(), Some(1.0));
        assert_eq!(findings.baselines.len(), families(Pace::Days).len());
        let text = || Section::of_traces(&found(), "Made up.").to_string();
        assert!(text().contains("1 leak, 1 do not.") && text().contains("deriv[1h]"), "{}", text());
        assert_eq!(text(), text(), "the same again");
    }
}
