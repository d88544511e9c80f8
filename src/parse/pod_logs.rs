//! Names of Kubernetes pods and containers, from how the kubelet names their logs.
//!
//! Namespaces, pods and containers are DNS names, which have no underscore, so that each name splits one way only.

use super::cgroup_names::is_container_id;

/// What the name of a pod's directory of logs says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodLogs<'a> {
    /// The namespace of the pod.
    pub namespace: &'a str,
    /// The name of the pod.
    pub pod: &'a str,
    /// The UID of the pod as the kubelet knows it: for static pods a hash without dashes, like in cgroups.
    pub uid: &'a str,
}

/// What the name of a container's log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerLog<'a> {
    /// The namespace of the pod.
    pub namespace: &'a str,
    /// The name of the pod.
    pub pod: &'a str,
    /// The name of the container in its pod.
    pub container: &'a str,
    /// The id of the container, without the name of its runtime.
    pub id: &'a str,
}

/// Reads the name of a directory in /var/log/pods; `None` where it is another.
///
/// ```text
/// kube-system_coredns-5d78c9869d-abcde_29349498-197c-4919-b13f-9a928e7d001b
/// ```
pub fn pod(directory: &str) -> Option<PodLogs<'_>> {
    let [namespace, pod, uid] = three(directory)?;
    Some(PodLogs { namespace, pod, uid })
}

/// Reads the name of a link in /var/log/containers; `None` where it is another.
///
/// ```text
/// coredns-5d78c9869d-abcde_kube-system_coredns-ee3fc60554cd9eefdd745a10dda84e041a7883c0381d067e76185d342de64759.log
/// ```
pub fn container(link: &str) -> Option<ContainerLog<'_>> {
    let (names, id) = link.strip_suffix(".log")?.rsplit_once('-')?;
    let [pod, namespace, container] = three(names)?;
    is_container_id(id).then_some(ContainerLog { namespace, pod, container, id })
}

/// Exactly three names between underscores.
fn three(names: &str) -> Option<[&str; 3]> {
    let mut parts = names.split('_');
    let three = [parts.next()?, parts.next()?, parts.next()?];
    (parts.next().is_none() && three.iter().all(|name| !name.is_empty())).then_some(three)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "ee3fc60554cd9eefdd745a10dda84e041a7883c0381d067e76185d342de64759";

    #[test]
    fn directories_name_pods() {
        for uid in ["29349498-197c-4919-b13f-9a928e7d001b", "b1e89a2fcc688644de3eb95aee8025ce"] {
            let name = format!("kube-system_etcd-node-1.example_{uid}");
            let expected = PodLogs { namespace: "kube-system", pod: "etcd-node-1.example", uid };
            assert_eq!(pod(&name), Some(expected));
        }
    }

    #[test]
    fn links_name_containers() {
        let name = format!("web-0_shop_side-car-{ID}.log");
        let expected = ContainerLog { namespace: "shop", pod: "web-0", container: "side-car", id: ID };
        assert_eq!(container(&name), Some(expected));
    }

    #[test]
    fn other_names_say_nothing() {
        for name in
            ["", "_", "__", "a_b", "a_b_", "_b_c", "a__c", "a_b_c_d", "29349498-197c-4919-b13f-9a928e7d001b"]
        {
            assert_eq!(pod(name), None, "{name}");
        }
        for name in [
            "".to_owned(),
            ".log".to_owned(),
            "a_b_c.log".to_owned(),
            "a_b_c-abc.log".to_owned(),
            format!("a_b_c-{ID}"),
            format!("a_b_c{ID}.log"),
            format!("a_b_-{ID}.log"),
            format!("a_b-{ID}.log"),
            format!("a_b_c_d-{ID}.log"),
            format!("a_b_c-{}.log", ID.to_uppercase()),
            format!("a_b_c-{ID}\u{fc}.log"),
        ] {
            assert_eq!(container(&name), None, "{name}");
        }
    }
}
