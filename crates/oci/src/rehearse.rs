//! What a configuration would have done, without doing it.

use std::path::Path;

use catamaran_oci_init::order::Order;

use crate::order::{self, Circumstances};
use crate::{Problem, Warning, bundle, check};

/// The order that the process inside would get for a configuration, on a machine with these `facts` and without control groups:
/// read, checked and decided as `create` does it. `folder` stands for the bundle's; nothing in it is looked at.
///
/// # Errors
/// What `create` would refuse before anything is made.
pub fn rehearse(
    config: &[u8],
    folder: &Path,
    facts: &check::Facts,
) -> Result<(Order, Vec<Warning>), Problem> {
    let mut warnings = Vec::new();
    let spec = bundle::parse(config, &mut warnings)?;
    warnings.extend(check::check(&spec, facts)?);
    let about = Circumstances {
        bundle: folder,
        rootfs: folder,
        groups: None,
        privileged: true,
        pivot: true,
        keyring: None,
        preserved: 0,
    };
    let order = order::of(&spec, &about, &mut warnings)?;
    Ok((order, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use catamaran_oci_init::wire;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    #[test]
    fn an_order_with_every_field_arrives_as_it_was_sent() {
        let text = include_bytes!("check/tests/everything.json");
        let facts = check::Facts {
            unified: true,
            resctrl: true,
            apparmor: true,
            selinux: true,
            hugepage_sizes: vec!["2MB".to_owned()],
            ..check::Facts::default()
        };
        // What this runtime does not carry out is the only reason against it.
        let mut config: serde_json::Value = serde_json::from_slice(text).unwrap();
        let linux = config["linux"].as_object_mut().unwrap();
        linux.retain(|name, _| name != "netDevices" && name != "intelRdt");
        let text = config.to_string();
        let (order, _) = rehearse(text.as_bytes(), Path::new("/bundle"), &facts).unwrap();
        assert!(order.root.as_ref().is_some_and(|root| !root.mounts.is_empty()));
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| wire::send(&ours, &order, &[]).unwrap());
            let (came, _) = wire::receive::<Order>(&theirs).unwrap().unwrap();
            assert_eq!(came, order);
        });
    }
}
