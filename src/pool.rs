//! One copy of each value that many entities have in common: most processes of a host are in a few cgroups, have a few names,
//! and differ from others of their program in nothing that is ever told of them but numbers.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use crate::maps::FastSet;

/// Values are not looked through for those that nobody uses any more before there are so many.
const AT_LEAST: usize = 1024;

/// Values that are in use.
#[derive(Debug)]
pub struct Pool<T: ?Sized> {
    known: FastSet<Arc<T>>,
    /// When there are so many, those that nobody uses are forgotten.
    sweep_at: usize,
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Pool<T> {
        Pool { known: FastSet::default(), sweep_at: AT_LEAST }
    }
}

impl<T: ?Sized + Eq + Hash> Pool<T> {
    /// The one copy of `value`.
    pub fn share(&mut self, value: impl Borrow<T> + Into<Arc<T>>) -> Arc<T> {
        if let Some(known) = self.known.get(value.borrow()) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.sweep_at {
            self.known.retain(|value| Arc::strong_count(value) > 1);
            self.sweep_at = AT_LEAST.max(2 * self.known.len());
        }
        let value = value.into();
        self.known.insert(Arc::clone(&value));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_has_one_copy_and_what_is_not_is_forgotten() {
        let mut texts = Pool::<str>::default();
        let kept = texts.share("/kept");
        for number in 0..10 * AT_LEAST {
            texts.share(number.to_string());
        }
        assert!(texts.known.len() <= AT_LEAST);
        assert!(Arc::ptr_eq(&kept, &texts.share("/kept")));
        let used: Vec<_> = (0..5 * AT_LEAST).map(|number| texts.share(number.to_string())).collect();
        assert!(used.iter().all(|text| Arc::ptr_eq(text, &texts.share(&**text))));
    }
}
