//! One copy of each text that many entities have in common: most processes of a host are in a few cgroups and have a few names.

use std::sync::Arc;

use crate::maps::FastSet;

/// Texts are not looked through for those that nobody uses any more before there are so many.
const AT_LEAST: usize = 1024;

/// Texts that are in use.
#[derive(Debug)]
pub(super) struct Names {
    known: FastSet<Arc<str>>,
    /// When there are so many, those that nobody uses are forgotten.
    sweep_at: usize,
}

impl Default for Names {
    fn default() -> Names {
        Names { known: FastSet::default(), sweep_at: AT_LEAST }
    }
}

impl Names {
    /// The one copy of `text`.
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.sweep_at {
            self.known.retain(|text| Arc::strong_count(text) > 1);
            self.sweep_at = AT_LEAST.max(2 * self.known.len());
        }
        let text: Arc<str> = Arc::from(text);
        self.known.insert(Arc::clone(&text));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_has_one_copy_and_what_is_not_is_forgotten() {
        let mut names = Names::default();
        let kept = names.share("/kept");
        for number in 0..10 * AT_LEAST {
            names.share(&number.to_string());
        }
        assert!(names.known.len() <= AT_LEAST);
        assert!(Arc::ptr_eq(&kept, &names.share("/kept")));
        let used: Vec<_> = (0..5 * AT_LEAST).map(|number| names.share(&number.to_string())).collect();
        assert!(used.iter().all(|text| Arc::ptr_eq(text, &names.share(text))));
    }
}
