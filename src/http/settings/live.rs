//! The settings in force, and how they change while the exporter runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::reader::Reader;
use super::{Settings, WebFileError, read};
use crate::exposition::SelfMetrics;
use crate::wall_clock::unix_seconds;

/// Time from one look at the files to the next.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// What connections and requests go by. Whoever asks for it may be the one that looks whether the file, a certificate, a
/// key or a CA has changed: that is a few calls of stat(2), at most once a second.
#[derive(Debug)]
pub struct LiveSettings {
    path: Option<PathBuf>,
    current: ArcSwap<Settings>,
    look: Mutex<Look>,
    metrics: Arc<SelfMetrics>,
}

#[derive(Debug)]
struct Look {
    last: Instant,
    files: Reader,
    /// Why the last reload failed, which the log has.
    complaint: Option<String>,
}

impl LiveSettings {
    /// Those of the file `path`; none without one. `metrics` are told how each reload went.
    ///
    /// # Errors
    /// When the file, or one that it names, can't be read or makes no sense.
    pub fn new(path: Option<&Path>, metrics: Arc<SelfMetrics>) -> Result<LiveSettings, WebFileError> {
        let mut files = Reader::default();
        let settings = path.map(|path| read(path, &mut files)).transpose()?;
        if settings.is_some() {
            metrics.web_config_is_in_force(unix_seconds());
        }
        Ok(LiveSettings {
            path: path.map(Path::to_path_buf),
            current: ArcSwap::from_pointee(settings.unwrap_or_default()),
            look: Mutex::new(Look { last: Instant::now(), files, complaint: None }),
            metrics,
        })
    }

    /// The settings in force, as the files have them now.
    pub fn current(&self) -> Arc<Settings> {
        self.look(Instant::now());
        self.current.load_full()
    }

    /// Whether there is a file to reload.
    pub fn has_file(&self) -> bool {
        self.path.is_some()
    }

    /// Reads all files again; does nothing without one. Where that fails, the settings in force stay so, and the log says
    /// why.
    ///
    /// # Errors
    /// When one can't be read or makes no sense, and when they would let in whom those in force do not.
    pub fn reload(&self) -> Result<(), WebFileError> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever asks for it wants to know.
        look.complaint = None;
        self.replace(path, &mut look)
    }

    pub(super) fn look(&self, now: Instant) {
        let Some(path) = &self.path else { return };
        let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(look.last) < BETWEEN_LOOKS {
            return;
        }
        look.last = now;
        if look.files.has_changed() {
            // How that went, the log and a metric say.
            let _ = self.replace(path, &mut look);
        }
    }

    fn replace(&self, path: &Path, look: &mut Look) -> Result<(), WebFileError> {
        let mut files = Reader::default();
        let loaded = read(path, &mut files).and_then(|settings| self.unless_open(path, settings));
        // Also those that made no sense, or there would be a line in the log each second.
        look.files = files;
        match loaded {
            Ok(settings) => {
                look.complaint = None;
                self.current.store(Arc::new(settings));
                self.metrics.web_config_is_in_force(unix_seconds());
                tracing::info!(path = %path.display(), "web configuration reloaded");
                Ok(())
            }
            Err(error) => {
                self.metrics.web_config_is_wrong();
                let complaint = Some(error.to_string());
                if look.complaint != complaint {
                    tracing::error!(%error, "web configuration not reloaded; the one before stays in force");
                }
                look.complaint = complaint;
                Err(error)
            }
        }
    }

    /// A file that is being written may be empty for a moment, and makes sense like that.
    fn unless_open(&self, path: &Path, mut settings: Settings) -> Result<Settings, WebFileError> {
        let before = self.current.load();
        match settings.opens(&before) {
            Some(what) => Err(WebFileError::Opens { path: path.to_path_buf(), what }),
            None => {
                settings.continue_from(&before);
                Ok(settings)
            }
        }
    }
}
