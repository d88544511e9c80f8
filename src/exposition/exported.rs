//! The entities that have series of their own.

use super::entities::labels;
use super::label::{Labels, push_label};
use crate::entity::Scope;
use crate::snapshot::{Entity, Snapshot};

/// All of them, by scope.
pub(super) struct Everyone<'a>([Vec<&'a Entity>; Scope::ALL.len()]);

impl<'a> Everyone<'a> {
    /// In the snapshot's order. It is gone through once: most entities have no series.
    pub(super) fn of(snapshot: &'a Snapshot) -> Everyone<'a> {
        let mut everyone = Everyone(Default::default());
        for entity in snapshot.entities.iter().filter(|entity| entity.exported) {
            everyone.0[entity.scope() as usize].push(entity);
        }
        everyone
    }

    /// Those of one scope.
    pub(super) fn in_scope(&self, scope: Scope) -> Exported<'a> {
        Exported::of(&self.0[scope as usize])
    }

    /// Those that are suspect, by scope.
    pub(super) fn suspects(&self) -> impl Iterator<Item = &'a Entity> {
        self.0.iter().flatten().copied().filter(|entity| entity.assessment.is_suspect())
    }
}

/// Those of one scope, with the labels that all series of each have in common, written once.
pub(super) struct Exported<'a> {
    /// Each with the end of its labels in `text`; they begin where those before it end.
    entities: Vec<(&'a Entity, usize)>,
    text: Vec<u8>,
}

impl<'a> Exported<'a> {
    fn of(entities: &[&'a Entity]) -> Exported<'a> {
        let mut exported = Exported { entities: Vec::with_capacity(entities.len()), text: Vec::new() };
        for &entity in entities {
            for (at, (name, value)) in labels(entity).iter().enumerate() {
                push_label(&mut exported.text, at == 0, name, value);
            }
            exported.entities.push((entity, exported.text.len()));
        }
        exported
    }

    /// All of them and their labels.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a Entity, Labels<'_>)> {
        let mut start = 0;
        self.entities.iter().map(move |&(entity, end)| {
            let labels = Labels::written(&self.text[start..end]);
            start = end;
            (entity, labels)
        })
    }
}
