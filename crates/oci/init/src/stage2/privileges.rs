//! Capabilities of the container's process (capabilities(7)), set in the order in which the kernel lets one set them.

use catamaran_oci_init::capability::Sets;
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities, set_keep_capabilities,
};

use crate::failure::{Done, During as _, Failure};

/// What must happen while the process is still its namespace's root.
pub(crate) fn before_user(sets: &Sets) -> Done {
    for (number, capability) in all() {
        if sets.bounding & (1 << number) != 0 {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            Ok(()) => {}
            // The kernel knows no more.
            Err(Errno::INVAL) => break,
            Err(error) => {
                return Err(Failure::new("process.capabilities.bounding: drop a capability", error));
            }
        }
    }
    set_keep_capabilities(true).during(|| "keep capabilities over the change of user".to_owned())
}

/// What holds for the program in the end.
pub(crate) fn after_user(sets: &Sets) -> Done {
    set_keep_capabilities(false).during(|| "let go of the kept capabilities".to_owned())?;
    let of = CapabilitySet::from_bits_retain;
    let wanted = CapabilitySets {
        effective: of(sets.effective),
        permitted: of(sets.permitted),
        inheritable: of(sets.inheritable),
    };
    set_capabilities(None, wanted).during(|| {
        "process.capabilities: set them (the runtime itself may lack one: compare CapPrm in /proc/self/status)".to_owned()
    })?;
    clear_ambient_capability_set().during(|| "process.capabilities.ambient: clear them".to_owned())?;
    for (number, capability) in all().filter(|(number, _)| sets.ambient & (1 << number) != 0) {
        configure_capability_in_ambient_set(capability, true)
            .during(|| format!("process.capabilities.ambient: raise capability {number}"))?;
    }
    Ok(())
}

fn all() -> impl Iterator<Item = (u32, CapabilitySet)> {
    (0..64).map(|number| (number, CapabilitySet::from_bits_retain(1 << number)))
}
