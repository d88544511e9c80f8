//! The entities that have series of their own.

use super::entities::labels;
use super::label::{Labels, push_label};
use crate::entity::Scope;
use crate::snapshot::{Entity, Snapshot};

/// Those of one scope, with the labels that all series of each have in common, written once.
pub(super) struct Exported<'a> {
    /// Each with the end of its labels in `text`; they begin where those before it end.
    entities: Vec<(&'a Entity, usize)>,
    text: Vec<u8>,
}

impl<'a> Exported<'a> {
    /// In the snapshot's order.
    pub(super) fn of(snapshot: &'a Snapshot, scope: Scope) -> Exported<'a> {
        let mut exported = Exported { entities: Vec::new(), text: Vec::new() };
        let of_scope = |entity: &&Entity| entity.exported && entity.scope() == scope;
        for entity in snapshot.entities.iter().filter(of_scope) {
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
