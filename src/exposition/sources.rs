//! Families by the source that they rest on.

use std::collections::BTreeSet;

use crate::entity::Scope;

/// The sources whose families are wanted; what is about the whole exporter is in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Option<BTreeSet<&'static str>>);

impl Sources {
    /// Every source.
    pub const ALL: Sources = Sources(None);

    /// The names of all sources there are.
    pub fn known() -> BTreeSet<&'static str> {
        Scope::ALL.into_iter().map(source).collect()
    }

    /// This one as well. To all of them, it is the first one: who names one does not want all.
    ///
    /// # Errors
    /// When there is no such source.
    pub fn with(self, name: &str) -> Result<Sources, UnknownSource> {
        let known = Sources::known().into_iter().find(|known| *known == name).ok_or(UnknownSource)?;
        let mut names = self.0.unwrap_or_default();
        names.insert(known);
        Ok(Sources(Some(names)))
    }

    /// Whether nothing is left out.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the families of this scope are wanted.
    pub(super) fn cover(&self, scope: Scope) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(source(scope)))
    }
}

/// There is no source of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownSource;

/// Groups are processes by another name, and what processes hold is read where they are.
fn source(scope: Scope) -> &'static str {
    match scope {
        Scope::Host | Scope::HostUnaccounted => "host",
        Scope::Cgroup => "cgroup",
        Scope::Group | Scope::Process | Scope::ProcessResource => "process",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{CgroupsConfig, ProcessBackend, RootsConfig, SourcesConfig, Wanted};

    fn everything(process_backend: ProcessBackend) -> SourcesConfig {
        SourcesConfig {
            host: true,
            cgroup: Wanted::IfThere,
            cgroups: CgroupsConfig { include: Vec::new(), exclude: Vec::new(), max_depth: 1 },
            process: true,
            process_backend,
            roots: RootsConfig { procfs: "/proc".into(), sysfs: "/sys".into(), rootfs: "/".into() },
        }
    }

    #[test]
    fn names_are_those_of_the_sources_themselves() {
        for backend in [ProcessBackend::Procfs, ProcessBackend::Sysinfo] {
            let sources = crate::source::all(&everything(backend), Duration::from_secs(15)).unwrap();
            let mut names: BTreeSet<_> = sources.iter().map(|source| source.name()).collect();
            // Which this machine may not have.
            names.insert("cgroup");
            assert_eq!(names, Sources::known());
        }
    }

    #[test]
    fn who_names_one_does_not_want_all() {
        let host = Sources::ALL.with("host").unwrap();
        assert!(host.cover(Scope::HostUnaccounted) && !host.cover(Scope::Group) && !host.is_all());
        let all = host.with("process").unwrap().with("host").unwrap().with("cgroup").unwrap();
        assert!(Scope::ALL.into_iter().all(|scope| all.cover(scope)));
        for name in ["", "Host", "host_unaccounted", "group"] {
            assert_eq!(Sources::ALL.with(name), Err(UnknownSource), "{name}");
        }
    }
}
