//! The rules in force, and how they change while the exporter runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::fault::RulesError;
use super::{Rules, yaml};
use crate::file;
use crate::wall_clock::unix_seconds;

/// The rules of the file `path`.
///
/// # Errors
/// When it can't be read or makes no sense.
pub fn load(path: &Path) -> Result<Rules, RulesError> {
    let text =
        file::read_text(path).map_err(|source| RulesError::Read { path: path.to_path_buf(), source })?;
    yaml::parse(&text).map_err(|(line, fault)| RulesError::Wrong { path: path.to_path_buf(), line, fault })
}

/// What the sampler goes by from its next tick on. Neither it nor who reloads ever waits for the other.
#[derive(Debug)]
pub struct LiveRules {
    path: Option<PathBuf>,
    current: ArcSwap<Rules>,
    status: ArcSwap<Option<ReloadStatus>>,
}

/// How the latest attempt to load the file went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReloadStatus {
    /// Whether it did.
    pub successful: bool,
    /// When it last did, seconds since the epoch.
    pub success_unix_seconds: f64,
}

impl LiveRules {
    /// Those of the file `path`; none without one.
    ///
    /// # Errors
    /// When the file can't be read or makes no sense.
    pub fn new(path: Option<&Path>) -> Result<LiveRules, RulesError> {
        let rules = path.map(load).transpose()?.unwrap_or_default();
        let status = path.map(|_| ReloadStatus { successful: true, success_unix_seconds: unix_seconds() });
        Ok(LiveRules {
            path: path.map(Path::to_path_buf),
            current: ArcSwap::from_pointee(rules),
            status: ArcSwap::from_pointee(status),
        })
    }

    /// The rules in force.
    pub fn current(&self) -> Arc<Rules> {
        self.current.load_full()
    }

    /// How the latest attempt went; `None` without a file.
    pub fn status(&self) -> Option<ReloadStatus> {
        **self.status.load()
    }

    /// Reads the file again. Where that fails, the rules in force stay so, and the log says why.
    ///
    /// # Errors
    /// When the file can't be read or makes no sense.
    pub fn reload(&self) -> Result<(), RulesError> {
        let path = self.path.as_deref().ok_or(RulesError::NoFile)?;
        match load(path) {
            Ok(rules) => {
                self.current.store(Arc::new(rules));
                let status = ReloadStatus { successful: true, success_unix_seconds: unix_seconds() };
                self.status.store(Arc::new(Some(status)));
                tracing::info!(path = %path.display(), "configuration reloaded");
                Ok(())
            }
            Err(error) => {
                let failed = self.status().map(|status| ReloadStatus { successful: false, ..status });
                self.status.store(Arc::new(failed));
                tracing::error!(%error, "configuration not reloaded; the one before stays in force");
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_that_fails_keeps_what_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("memleak.yml");
        std::fs::write(&path, "process_names: [{ comm: [a] }]").unwrap();
        let live = LiveRules::new(Some(&path)).unwrap();
        let (first, status) = (live.current(), live.status().unwrap());
        assert!(status.successful && status.success_unix_seconds > 1.7e9);

        std::fs::write(&path, "process_names: [{ com: [a] }]").unwrap();
        let error = live.reload().unwrap_err().to_string();
        assert_eq!(error, format!("{}:1: unknown key com; did you mean comm?", path.display()));
        assert!(Arc::ptr_eq(&first, &live.current()));
        assert_eq!(live.status(), Some(ReloadStatus { successful: false, ..status }));

        std::fs::write(&path, "process_names: [{ comm: [b] }]").unwrap();
        live.reload().unwrap();
        assert!(!Arc::ptr_eq(&first, &live.current()));
        assert!(live.status().unwrap().successful);
    }

    #[test]
    fn without_a_file_there_is_nothing_to_reload() {
        let live = LiveRules::new(None).unwrap();
        assert_eq!(live.status(), None);
        assert!(matches!(live.reload(), Err(RulesError::NoFile)));
    }
}
