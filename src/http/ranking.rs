//! The order in which entities are shown.

use std::cmp::Ordering;

use crate::snapshot::Entity;

/// By falling score, then by falling size; what has no score comes last. Equals keep their order.
pub(super) fn ranked<'a>(entities: impl Iterator<Item = &'a Entity>) -> Vec<&'a Entity> {
    let mut ranked: Vec<&Entity> = entities.collect();
    ranked.sort_by(|one, other| by_score(other, one).then_with(|| size(other).cmp(&size(one))));
    ranked
}

fn by_score(one: &Entity, other: &Entity) -> Ordering {
    match (one.assessment.score, other.assessment.score) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        (one, other) => one.is_some().cmp(&other.is_some()),
    }
}

fn size(entity: &Entity) -> Option<u64> {
    entity.memory().scored(entity.scope())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::fixture::{memory, process};
    use crate::sample::Kind;

    #[test]
    fn scores_come_first_and_size_breaks_ties() {
        let mut large = process(3, "large", "", None);
        large.figures = memory(&[(Kind::Anon, 10_000)]);
        let entities = [
            process(1, "none", "", None),
            process(2, "low", "", Some(0.0)),
            large,
            process(4, "high", "", Some(99.0)),
        ];
        let names: Vec<_> = ranked(entities.iter()).iter().map(|entity| &*entity.identity.name).collect();
        assert_eq!(names, ["high", "low", "large", "none"]);
    }
}
