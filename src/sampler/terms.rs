//! What each entity is judged by: the usual, unless an override says otherwise.

use std::collections::HashMap;
use std::sync::Arc;

use crate::detector::{Assessment, Reason, Standing};
use crate::entity::Scope;
use crate::group::Place;
use crate::rules::{Rules, Subject};
use crate::sample::{Limit, Sample};
use crate::snapshot::Entity;
use crate::watch::Terms;

/// Scored memory of the groups that some override speaks of as a whole.
#[derive(Debug, Default)]
pub(super) struct Totals(HashMap<Arc<str>, u64>);

impl Totals {
    /// Of the groups in one tick.
    pub(super) fn of(samples: &[(Sample, Place)]) -> Totals {
        let mut totals = Totals::default();
        for (sample, place) in samples {
            if let (Some(treatment), Some(group)) = (place.treatment(), &sample.identity.group)
                && treatment.is_of_group()
            {
                let total = totals.0.entry(Arc::clone(group)).or_default();
                *total = total.saturating_add(scored(sample));
            }
        }
        totals
    }

    /// The terms of an entity, where `usual` is the threshold of all, and `limits` are those that hold for it.
    pub(super) fn terms(
        &self,
        sample: &Sample,
        place: &Place,
        usual: f64,
        limits: impl IntoIterator<Item = Option<Limit>>,
    ) -> Terms {
        let Some(treatment) = place.treatment() else {
            return Terms { threshold: usual, limit: nearest(limits) };
        };
        let group = sample.identity.group.as_ref().filter(|_| treatment.is_of_group());
        let bytes = group.and_then(|group| self.0.get(group).copied()).unwrap_or_else(|| scored(sample));
        Terms {
            threshold: treatment.threshold(usual, bytes),
            limit: nearest(limits.into_iter().chain([treatment.limit(bytes)])),
        }
    }
}

fn scored(sample: &Sample) -> u64 {
    sample.figures.memory.scored(sample.entity.scope()).unwrap_or(0)
}

/// The limit that will be hit first.
fn nearest(limits: impl IntoIterator<Item = Option<Limit>>) -> Option<Limit> {
    limits.into_iter().flatten().min_by_key(|limit| limit.room)
}

/// A group by terms of its own, where it has any. Those of its members it has taken over already.
pub(super) fn of_group(group: Entity, rules: &Rules) -> Entity {
    let name = group.display_name();
    let Some(treatment) = rules.treatment(&Subject::group(&name)) else { return group };
    let bytes = group.memory().scored(Scope::Group).unwrap_or(0);
    let own = treatment.limit(bytes);
    let judged = group.assessment.judged_by(treatment.threshold(group.assessment.threshold, bytes));
    // All its members together grow towards a limit that they share, unless their growth is expected to end.
    let goes_on = matches!(judged.reason, Reason::Growing | Reason::Leaking)
        && matches!(judged.standing, Standing::Present | Standing::Wider);
    let growth = judged.growth_bytes_per_second.filter(|_| goes_on && judged.evidence.is_some());
    let left = own.zip(growth).and_then(time_left);
    let left = left.filter(|left| judged.time_to_limit_seconds.is_none_or(|known| *left < known));
    let assessment = Assessment {
        time_to_limit_seconds: left.or(judged.time_to_limit_seconds),
        // The range belongs to the time that it was made for.
        time_to_limit_range_seconds: judged.time_to_limit_range_seconds.filter(|_| left.is_none()),
        ..judged
    };
    Entity { limit: nearest([group.limit, own, None]), assessment: Arc::new(assessment), ..group }
}

fn time_left((limit, growth): (Limit, f64)) -> Option<f64> {
    (growth > 0.0).then(|| limit.room as f64 / growth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::LimitKind;

    #[test]
    fn the_nearest_limit_counts() {
        let near = Limit { kind: LimitKind::Data, bytes: 100, room: 10 };
        let far = Limit { kind: LimitKind::Host, bytes: 1000, room: 900 };
        assert_eq!(nearest([Some(near), Some(far), None]), Some(near));
        assert_eq!(nearest([None, Some(far), Some(near)]), Some(near));
        assert_eq!(nearest([None, None, None]), None);
    }
}
