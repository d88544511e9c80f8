//! What the path of a cgroup says by itself: container, pod, systemd unit.

/// Hexadecimal digits in the id of a container of Docker, containerd, CRI-O or Podman.
const CONTAINER_ID_DIGITS: usize = 64;

/// The names in a cgroup's path. Where names of a kind are nested, such as a container in a container or a unit in both,
/// each is the innermost one.
///
/// A cgroup below a container's own has the container's names too: what a container that runs systemd or another engine
/// makes of its memory is the container's. The container's own cgroup is the topmost of those with its id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CgroupNames {
    /// Id of the container; of LXC and systemd-nspawn its name. Monitors beside a container are not in it.
    pub container_id: Option<String>,
    /// UID of the Kubernetes pod, with dashes; of static pods 32 digits without.
    pub pod_uid: Option<String>,
    /// Quality of service of the pod or of the tier of pods.
    pub qos: Option<Qos>,
    /// The systemd unit, escaped as systemd has it.
    pub unit: Option<String>,
}

impl CgroupNames {
    /// Whether it is a container that nothing but its id tells from others. Containers in pods have names.
    pub fn is_nameless_container(&self) -> bool {
        self.pod_uid.is_none() && self.container_id.as_deref().is_some_and(is_container_id)
    }
}

/// How Kubernetes treats a pod when memory gets scarce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qos {
    /// Requests equal limits: killed last.
    Guaranteed,
    /// Something is requested.
    Burstable,
    /// Nothing is requested: killed first.
    BestEffort,
}

impl Qos {
    /// The name that cgroups have for it.
    pub fn name(self) -> &'static str {
        match self {
            Qos::Guaranteed => "guaranteed",
            Qos::Burstable => "burstable",
            Qos::BestEffort => "besteffort",
        }
    }

    /// The tier of this name. Guaranteed pods have none of their own.
    fn of_tier(name: &str) -> Option<Qos> {
        [Qos::Burstable, Qos::BestEffort].into_iter().find(|qos| qos.name() == name)
    }
}

/// Reads the names in the path of a cgroup, as [`super::cgroup::memory_path`] gives it.
///
/// ```text
/// /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice/cri-containerd-ID.scope
/// /kubepods/burstable/podUID/ID
/// /system.slice/docker-ID.scope
/// /lxc.payload.NAME/system.slice/nginx.service
/// ```
pub fn names(path: &str) -> CgroupNames {
    let mut names = CgroupNames::default();
    let mut parent = "";
    for component in path.split('/').filter(|component| !component.is_empty()) {
        names.enter(parent, component);
        parent = component;
    }
    names
}

impl CgroupNames {
    fn enter(&mut self, parent: &str, component: &str) {
        if let Some((qos, uid)) = pod_slice(component).or_else(|| pod_directory(parent, component)) {
            (self.qos, self.pod_uid) = (qos, uid);
        }
        if let Some(id) = container(parent, component) {
            self.container_id = Some(id);
        }
        if is_unit(component) {
            self.unit = Some(component.to_owned());
        }
    }
}

/// Tier and pod of a slice that the kubelet made with systemd. Slices have all names above them in their own, so that a
/// kubelet below another slice has a prefix.
fn pod_slice(component: &str) -> Option<(Option<Qos>, Option<String>)> {
    let name = component.split(':').next()?.strip_suffix(".slice")?;
    let (above, below) = name.split_once("kubepods-")?;
    if !above.is_empty() && !above.ends_with('-') {
        return None;
    }
    if let Some((tier, pod)) = below.split_once('-') {
        return Some((Some(Qos::of_tier(tier)?), Some(pod_uid(pod)?)));
    }
    match Qos::of_tier(below) {
        Some(tier) => Some((Some(tier), None)),
        None => Some((Some(Qos::Guaranteed), Some(pod_uid(below)?))),
    }
}

/// Tier and pod of a directory that the kubelet made by itself.
fn pod_directory(parent: &str, component: &str) -> Option<(Option<Qos>, Option<String>)> {
    let below_all = parent == "kubepods";
    match pod_uid(component) {
        Some(uid) if below_all => Some((Some(Qos::Guaranteed), Some(uid))),
        Some(uid) => Some((Qos::of_tier(parent), Some(uid))),
        None if below_all => Some((Some(Qos::of_tier(component)?), None)),
        None => None,
    }
}

/// The UID in `podUID`. It is a UUID, with `_` for `-` in slices; of a static pod the hash of its file.
fn pod_uid(component: &str) -> Option<String> {
    let uid = component.strip_prefix("pod")?.replace('_', "-");
    let is_uuid = || uid.len() == 36 && uid.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let is_hash = uid.len() == 32 && !uid.contains('-');
    let is_hex = uid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    (is_hex && (is_hash || is_uuid())).then_some(uid)
}

fn container(parent: &str, component: &str) -> Option<String> {
    hexadecimal_container(component)
        .or_else(|| lxc_container(parent, component))
        .or_else(|| machine(component))
}

/// An id alone, or below systemd `RUNTIME-ID.scope`. containerd that is told to use no systemd by a kubelet that does
/// names one directory `SLICE:RUNTIME:ID`. conmon watches over a container from a cgroup of its own.
fn hexadecimal_container(component: &str) -> Option<String> {
    let name = component.strip_suffix(".scope").unwrap_or(component);
    let (runtime, id) = name.split_at_checked(name.len().checked_sub(CONTAINER_ID_DIGITS)?)?;
    let is_apart = runtime.is_empty() || runtime.ends_with(['-', ':']);
    (is_apart && !runtime.contains("conmon") && is_container_id(id)).then(|| id.to_owned())
}

/// Whether this is how container engines write their ids.
pub(super) fn is_container_id(text: &str) -> bool {
    text.len() == CONTAINER_ID_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `lxc/NAME`, `lxc.payload/NAME` or `lxc.payload.NAME`. `lxc.monitor` is the part outside the container.
fn lxc_container(parent: &str, component: &str) -> Option<String> {
    let name = match parent {
        "lxc" | "lxc.payload" => component,
        _ => component.strip_prefix("lxc.payload.")?,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

/// A container that systemd-machined or a unit of systemd-nspawn runs. libvirt's virtual machines are none.
fn machine(component: &str) -> Option<String> {
    let scope = component.strip_prefix("machine-").and_then(|name| name.strip_suffix(".scope"));
    let service = || component.strip_prefix("systemd-nspawn@")?.strip_suffix(".service");
    let name = systemd_unescaped(scope.or_else(service)?);
    (!name.is_empty() && !name.starts_with("qemu-")).then_some(name)
}

/// A name without systemd's escapes: `\xHH` is one byte (systemd.unit(5)). Bytes that are no UTF-8 are replaced.
fn systemd_unescaped(name: &str) -> String {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped =
            rest.split_first_chunk::<4>().and_then(|(head, tail)| Some((hexadecimal(*head)?, tail)));
        let (byte, next) = escaped.unwrap_or((*first, after));
        plain.push(byte);
        rest = next;
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// The byte that `\xHH` stands for.
fn hexadecimal(escape: [u8; 4]) -> Option<u8> {
    let [b'\\', b'x', high, low] = escape else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

fn is_unit(component: &str) -> bool {
    let name = [".service", ".scope", ".slice"].iter().find_map(|kind| component.strip_suffix(kind));
    name.is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "ee3fc60554cd9eefdd745a10dda84e041a7883c0381d067e76185d342de64759";
    const INNER: &str = "0ca2b3cd20e5f55a2bbe8d4aa3f811cf7963b40f0542ad147054b0fcb60fc400";
    const UID: &str = "29349498-197c-4919-b13f-9a928e7d001b";
    const HASH: &str = "b1e89a2fcc688644de3eb95aee8025ce";

    /// The path with `ID`, `INNER`, `UID`, `HASH` and `U_D`, the UID with underscores, in place.
    fn names_in(path: &str) -> CgroupNames {
        let path = path.replace("INNER", INNER).replace("UID", UID).replace("U_D", &UID.replace('-', "_"));
        names(&path.replace("HASH", HASH).replace("ID", ID))
    }

    #[test]
    fn containers_are_found() {
        for (path, expected) in [
            ("/docker/ID", Some(ID)),
            ("/system.slice/docker-ID.scope", Some(ID)),
            ("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope", Some(ID)),
            ("/docker/ID/system.slice/nginx.service", Some(ID)),
            ("/docker/ID/docker/INNER", Some(INNER)),
            ("/docker/ID/docker/INNER/child", Some(INNER)),
            ("/system.slice/containerd.service/ID", Some(ID)),
            ("/../../podUID/ID", Some(ID)),
            ("/ecs/9d2d2b1b/ID", Some(ID)),
            ("/kubepods.slice/kubepods-podU_D.slice/crio-ID.scope", Some(ID)),
            ("/kubepods.slice/kubepods-podU_D.slice/crio-ID.scope/container", Some(ID)),
            ("/kubepods.slice/kubepods-podU_D.slice/crio-conmon-ID.scope", None),
            ("/kubepods/podUID/crio-ID", Some(ID)),
            ("/kubepods/podUID/crio-conmon-ID", None),
            ("/machine.slice/libpod-ID.scope", Some(ID)),
            ("/machine.slice/libpod-ID.scope/container", Some(ID)),
            ("/machine.slice/libpod-conmon-ID.scope", None),
            ("/libpod_parent/libpod-ID", Some(ID)),
            ("/libpod_parent/libpod-ID/ctr", Some(ID)),
            ("/libpod_parent/conmon", None),
            ("/system.slice/nginx.service/libpod-payload-ID", Some(ID)),
            ("/system.slice/nginx.service/runtime", None),
            ("/lxc/web", Some("web")),
            ("/lxc/101/ns", Some("101")),
            ("/lxc.payload/web/init.scope", Some("web")),
            ("/lxc.payload.web.example", Some("web.example")),
            ("/lxc.payload.web/lxc.payload.inner/x", Some("inner")),
            ("/lxc.payload.web/docker/ID", Some(ID)),
            ("/lxc.monitor.web", None),
            ("/lxc.monitor/web", None),
            ("/lxc", None),
            ("/lxc.payload.", None),
            ("/lxc.payload", None),
            (r"/machine.slice/machine-web\x2d1.scope/payload", Some("web-1")),
            ("/machine.slice/machine-b\u{fc}ro.scope", Some("b\u{fc}ro")),
            (r"/machine.slice/systemd-nspawn@web\x2d1.service/payload", Some("web-1")),
            (r"/machine.slice/machine-qemu\x2d1\x2dvm.scope", None),
            ("/machine.slice/machine-.scope", None),
            ("/machine.slice", None),
        ] {
            assert_eq!(names_in(path).container_id.as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn pods_are_found_with_both_drivers() {
        use Qos::{BestEffort, Burstable, Guaranteed};
        for (path, pod, qos, id) in [
            ("/kubepods", None, None, None),
            ("/kubepods/besteffort", None, Some(BestEffort), None),
            ("/kubepods/podUID", Some(UID), Some(Guaranteed), None),
            ("/kubepods/podUID/ID", Some(UID), Some(Guaranteed), Some(ID)),
            ("/kubepods/besteffort/podUID/ID", Some(UID), Some(BestEffort), Some(ID)),
            ("/kubepods/burstable/podHASH/ID", Some(HASH), Some(Burstable), Some(ID)),
            ("/kubelet/kubepods/burstable/podUID/ID/child", Some(UID), Some(Burstable), Some(ID)),
            ("/../../podUID/ID", Some(UID), None, Some(ID)),
            ("/kubepods.slice", None, None, None),
            ("/kubepods.slice/kubepods-burstable.slice", None, Some(Burstable), None),
            (
                "/kubepods.slice/kubepods-podU_D.slice/cri-containerd-ID.scope",
                Some(UID),
                Some(Guaranteed),
                Some(ID),
            ),
            (
                "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podU_D.slice/docker-ID.scope",
                Some(UID),
                Some(BestEffort),
                Some(ID),
            ),
            (
                "/system.slice/k3s.service/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podHASH.slice/ID",
                Some(HASH),
                Some(Burstable),
                Some(ID),
            ),
            (
                "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/\
                 kubelet-kubepods-burstable-podU_D.slice/cri-containerd-ID.scope",
                Some(UID),
                Some(Burstable),
                Some(ID),
            ),
            (
                "/docker/INNER/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podU_D.slice/crio-ID.scope",
                Some(UID),
                Some(Guaranteed),
                Some(ID),
            ),
            (
                "/system.slice/containerd.service/kubepods-burstable-podU_D.slice:cri-containerd:ID",
                Some(UID),
                Some(Burstable),
                Some(ID),
            ),
            ("/kubepods-podU_D.slice:cri-containerd:ID/child", Some(UID), Some(Guaranteed), Some(ID)),
            ("/kubepods.slice/kubepods-podU_D.slice/crio-conmon-ID.scope", Some(UID), Some(Guaranteed), None),
            ("/kubepods/podUID/INNER/kubepods/burstable/podHASH/ID", Some(HASH), Some(Burstable), Some(ID)),
            ("/kubepods/podUID/INNER/kubepods/burstable", None, Some(Burstable), Some(INNER)),
        ] {
            let names = names_in(path);
            assert_eq!(names.pod_uid.as_deref(), pod, "{path}");
            assert_eq!(names.qos, qos, "{path}");
            assert_eq!(names.container_id.as_deref(), id, "{path}");
        }
    }

    #[test]
    fn the_innermost_unit_counts() {
        for (path, expected) in [
            ("/", None),
            ("/docker/ID", None),
            ("/system.slice", Some("system.slice")),
            ("/init.scope", Some("init.scope")),
            ("/system.slice/nginx.service", Some("nginx.service")),
            ("/system.slice/nginx.service/worker/1", Some("nginx.service")),
            (r"/system.slice/foo\x2dbar.service", Some(r"foo\x2dbar.service")),
            ("/system.slice/system-getty.slice/getty@tty1.service", Some("getty@tty1.service")),
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service", Some("app-x.service")),
            ("/user.slice/user-1000.slice/session-1.scope", Some("session-1.scope")),
            ("/lxc.payload.web/system.slice/nginx.service", Some("nginx.service")),
            ("/system.slice/.service", Some("system.slice")),
            ("/foo.services", None),
        ] {
            assert_eq!(names_in(path).unit.as_deref(), expected, "{path}");
        }
        let scope = names_in("/system.slice/docker-ID.scope");
        assert_eq!(scope.unit, Some(format!("docker-{ID}.scope")));
        assert_eq!(scope.container_id.as_deref(), Some(ID));
    }

    #[test]
    fn what_only_looks_alike_is_no_name() {
        for path in [
            "",
            "//",
            "/docker/ee3fc60554cd",
            "/docker/IDff",
            "/docker/xID",
            "/docker/ID.mount",
            "/docker/gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg",
            "/docker/EE3FC60554CD9EEFDD745A10DDA84E041A7883C0381D067E76185D342DE64759",
            "/docker/\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\
             \u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}x",
            "/podman/pod123",
            "/kubepods/pod",
            "/kubepods/podUIDff",
            "/kubepods/pod--------------------------------",
            "/kubepods/pod29349498197c-4919-b13f-9a928e7d-001b",
            "/kubepods/guaranteed",
            "/burstable",
            "/mykubepods-burstable.slices",
        ] {
            assert_eq!(names_in(path), CgroupNames::default(), "{path}");
        }
        for path in
            ["/kubepods-guaranteed.slice", "/mykubepods-burstable.slice", "/kubepods-burstable-pod1.slice"]
        {
            let names = names_in(path);
            assert_eq!((names.pod_uid, names.qos, names.container_id), (None, None, None), "{path}");
        }
        assert_eq!(names(&"/a".repeat(1 << 20)), CgroupNames::default());
        assert_eq!(names(&"f".repeat(1 << 20)), CgroupNames::default());
    }

    /// Pieces of paths in any order.
    fn patchwork() -> impl Strategy<Value = String> {
        let pieces = [
            "/",
            "/",
            "-",
            ":",
            "_",
            ".",
            "pod",
            "kubepods",
            "burstable",
            ".slice",
            ".scope",
            ".service",
            "lxc",
            "lxc.payload.",
            "machine-",
            r"\x2d",
            r"\x",
            r"\xff",
            "libpod-",
            "conmon-",
            "\u{fc}",
            ID,
            UID,
            HASH,
        ];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
    }

    fn check(path: &str) {
        let names = names(path);
        assert!(names.unit.is_none_or(|unit| path.split('/').any(|component| component == unit)));
        assert!(names.container_id.is_none_or(|id| !id.is_empty() && !id.contains('/')));
        assert!(names.pod_uid.is_none_or(|uid| uid.len() == 32 || uid.len() == 36));
    }

    proptest! {
        #[test]
        fn any_path_is_survived(path in any::<String>()) {
            check(&path);
        }

        #[test]
        fn any_patchwork_is_survived(path in patchwork()) {
            check(&path);
        }
    }
}
