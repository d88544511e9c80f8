use std::cell::RefCell;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::rc::Rc;

use super::*;

/// What was asked of a disk, in order.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Create,
    Write(Vec<u8>),
    Sync,
    Rename,
    SyncName,
}

/// Records what it is asked for, and fails at one of the steps.
#[derive(Clone, Default)]
struct Recorder {
    steps: Rc<RefCell<Vec<Step>>>,
    fails_at: Option<usize>,
    discarded: Rc<RefCell<bool>>,
}

impl Recorder {
    fn take(&self, step: Step) -> io::Result<()> {
        if self.fails_at == Some(self.steps.borrow().len()) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.steps.borrow_mut().push(step);
        Ok(())
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // As the system may: a part of it.
        let part = &bytes[..bytes.len().min(7)];
        self.take(Step::Write(part.to_vec()))?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Disk for Recorder {
    type File = Recorder;

    fn create(&self) -> io::Result<Recorder> {
        self.take(Step::Create)?;
        Ok(self.clone())
    }

    fn sync(&self, _: &Recorder) -> io::Result<()> {
        self.take(Step::Sync)
    }

    fn rename(&self) -> io::Result<()> {
        self.take(Step::Rename)
    }

    fn sync_name(&self) -> io::Result<()> {
        self.take(Step::SyncName)
    }

    fn discard(&self) {
        *self.discarded.borrow_mut() = true;
    }
}

/// Everything that may be found under the name of the state when power is lost after `steps`, before which there was `old`. What
/// was not synced may be there in part, as zeros, or not at all, and a name may be ahead of what it names.
fn after_power_loss(steps: &[Step], old: &[u8]) -> Vec<Vec<u8>> {
    let mut worlds = Vec::new();
    let written: Vec<u8> = steps
        .iter()
        .flat_map(|step| match step {
            Step::Write(bytes) => bytes.clone(),
            _ => Vec::new(),
        })
        .collect();
    let position = |wanted: Step| steps.iter().position(|step| *step == wanted);
    let writes_before = |at: usize| steps[..at].iter().all(|step| *step != Step::Rename);
    let is_synced = position(Step::Sync).is_some_and(|at| {
        writes_before(at) && !steps[at..].iter().any(|step| matches!(step, Step::Write(_)))
    });
    if position(Step::SyncName).is_none() {
        worlds.push(old.to_vec());
    }
    if position(Step::Rename).is_some() {
        worlds.push(written.clone());
        if !is_synced {
            worlds.extend((0..written.len()).map(|length| written[..length].to_vec()));
            worlds.push(vec![0; written.len()]);
        }
    }
    worlds
}

const OLD: &[u8] = b"the state before";
const NEW: &[u8] = b"the state that takes its place";

fn recorded(replaces: impl Fn(&Recorder) -> io::Result<()>) -> Vec<Step> {
    let recorder = Recorder::default();
    replaces(&recorder).unwrap();
    recorder.steps.take()
}

fn worlds(steps: &[Step]) -> impl Iterator<Item = Vec<u8>> {
    (0..=steps.len()).flat_map(|length| after_power_loss(&steps[..length], OLD))
}

#[test]
fn whenever_power_is_lost_there_is_the_old_state_or_the_new_one() {
    let steps = recorded(|disk| replace(disk, NEW));
    assert!(worlds(&steps).count() > steps.len());
    assert!(worlds(&steps).all(|found| found == OLD || found == NEW), "{steps:?}");
    assert_eq!(after_power_loss(&steps, OLD), [NEW], "what was reported as written is written");
}

#[test]
fn a_step_left_out_or_too_late_would_be_found() {
    let steps = recorded(|disk| replace(disk, NEW));
    let without =
        |left_out: Step| -> Vec<Step> { steps.iter().filter(|step| **step != left_out).cloned().collect() };
    assert!(worlds(&without(Step::Sync)).any(|found| found != OLD && found != NEW));
    assert!(after_power_loss(&without(Step::SyncName), OLD).contains(&OLD.to_vec()));
    let mut late = without(Step::Sync);
    late.insert(late.len() - 1, Step::Sync);
    assert!(worlds(&late).any(|found| found != OLD && found != NEW));
}

#[test]
fn whatever_fails_the_old_state_stays_and_room_is_given_back() {
    let steps = recorded(|disk| replace(disk, NEW));
    for fails_at in 0..steps.len() {
        let recorder = Recorder { fails_at: Some(fails_at), ..Recorder::default() };
        let error = replace(&recorder, NEW).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let done = recorder.steps.take();
        let has_new_name = done.contains(&Step::Rename);
        assert_eq!(*recorder.discarded.borrow(), !has_new_name, "step {fails_at}");
        assert!(after_power_loss(&done, OLD).iter().all(|found| found == OLD || found == NEW));
    }
}

#[test]
fn a_file_is_replaced_and_is_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(&dir.path().join("state"));
    assert_eq!(files.read().unwrap(), None);
    for state in [OLD, NEW] {
        replace(&files, state).unwrap();
        assert_eq!(files.read().unwrap().unwrap(), state);
    }
    let names: Vec<_> = dir.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["state"]);
    assert_eq!(files.path().metadata().unwrap().permissions().mode() & 0o777, MODE);
    let aside = files.keep_aside().unwrap();
    assert_eq!((std::fs::read(aside).unwrap().as_slice(), files.read().unwrap()), (NEW, None));
}

#[test]
fn what_others_could_have_written_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(&dir.path().join("state"));
    replace(&files, NEW).unwrap();
    let mode = |mode| std::fs::set_permissions(files.path(), PermissionsExt::from_mode(mode)).unwrap();
    for others in [0o620, 0o602, 0o666] {
        mode(others);
        assert!(matches!(files.read(), Err(ReadError::Mode { .. })), "{others:o}");
    }
    mode(0o644);
    assert!(files.read().is_ok());
    if geteuid().is_root() {
        std::os::unix::fs::chown(files.path(), Some(4711), None).unwrap();
        let error = files.read().unwrap_err().to_string();
        assert_eq!(
            error,
            "it belongs to user 4711 and we are user 0; change its owner, or give another --state.file"
        );
    }
}

#[test]
fn what_is_no_file_is_neither_read_nor_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| Files::new(&dir.path().join(name));
    std::fs::create_dir(dir.path().join("directory")).unwrap();
    assert!(matches!(at("directory").read(), Err(ReadError::Kind)));
    std::fs::write(dir.path().join("file"), "").unwrap();
    symlink("file", dir.path().join("link")).unwrap();
    assert!(matches!(at("link").read(), Err(ReadError::Io(_))));
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.path().join("pipe"), 0o600.into()).unwrap();
    assert!(matches!(at("pipe").read(), Err(ReadError::Kind)));
    let large = File::create(dir.path().join("large")).unwrap();
    large.set_len(MOST_BYTES + 1).unwrap();
    assert!(matches!(at("large").read(), Err(ReadError::Size(_) | ReadError::Mode { .. })));
}

#[test]
fn a_link_in_the_way_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(&dir.path().join("state"));
    std::fs::write(dir.path().join("precious"), "precious").unwrap();
    for ending in [".tmp", ".lock"] {
        symlink("precious", files.beside(ending)).unwrap();
    }
    assert!(files.lock().is_err());
    replace(&files, NEW).unwrap();
    assert_eq!(std::fs::read(dir.path().join("precious")).unwrap(), b"precious");
    assert!(!files.path().is_symlink());
}

#[test]
fn what_was_left_under_the_temporary_name_lends_it_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(&dir.path().join("state"));
    std::fs::write(files.beside(".tmp"), "left there").unwrap();
    std::fs::set_permissions(files.beside(".tmp"), PermissionsExt::from_mode(0o666)).unwrap();
    replace(&files, NEW).unwrap();
    assert_eq!(files.path().metadata().unwrap().permissions().mode() & 0o777, MODE);
    for ending in [".tmp", ".lock"] {
        rustix::fs::mkfifoat(rustix::fs::CWD, files.beside(ending), 0o600.into()).unwrap();
    }
    replace(&files, NEW).unwrap();
    assert!(files.lock().is_err(), "nobody reads from that pipe");
}

#[test]
fn two_exporters_do_not_share_a_state() {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(&dir.path().join("state"));
    let lock = files.lock().unwrap();
    let error = files.lock().unwrap_err().to_string();
    let path = files.path().display();
    assert_eq!(error, format!("another exporter uses {path}; stop it, or give each its own --state.file"));
    drop(lock);
    assert!(files.lock().is_ok());
    let nowhere = Files::new(&dir.path().join("nowhere/state"));
    let error = nowhere.lock().unwrap_err().to_string();
    assert!(error.contains("give --state.file in a directory that this user may write to"), "{error}");
}
