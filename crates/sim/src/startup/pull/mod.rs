//! Images: what is fetched, what is there already, and what waits for what.
//!
//! **Law.** A pull asks for the manifest and the configuration (two round trips), then for the layers that the node has not got, the bottom one
//! first, so many at a time: 3 of each image by Docker and containerd, 6 by CRI-O and podman, one by rkt. Layers of equal id are
//! one blob: whoever comes while it is under way waits for that transfer. Transfers that go on at the same time share the
//! node's link evenly. A layer is unpacked when it is there and the ones beneath it are unpacked, once for each stack of layers
//! beneath it (the OCI chain id); those of one pull one after the other. The kubelet lets one image be pulled at a time. An
//! image that a node has is not asked for again.
//! **Source.** moby `daemon/config/config.go` (`DefaultMaxConcurrentDownloads`), `distribution/xfer` (transfers are shared,
//! layers registered in order), containerd `internal/cri/config` (`MaxConcurrentDownloads` 3), `core/unpack/unpacker.go`; containers/image
//! `copy/copy.go` (`maxParallelDownloads` 6); rkt `rkt/image/fetcher.go`; K8-21 (serial pulls); OCI distribution-spec,
//! image-spec `config.md` ("Layer ChainID"); the even share as `models.md` has links: max-min.
//! **Judge.** `a_pull_is_as_on_paper`; `one_transfer_at_a_time_is_a_queue`.
//! **Where the model is wrong.** Handshakes, slow start, the registry's own limits; an unpack slows nobody else down. Stages before the pull
//! whose length is unknown count as nothing where pulls of different tenants meet.

mod store;

use std::collections::BTreeMap;

use catamaran_scenario::{Plan, Platform};

use store::Store;

/// How an engine pulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Habit {
    /// Layers of one image at a time.
    parallel: usize,
    /// One image at a time.
    serial: bool,
    /// Who fetches and unpacks.
    actor: &'static str,
}

/// None where the platform runs a root directory and knows no images.
fn habit(platform: Platform) -> Option<Habit> {
    let of = |parallel, actor| Some(Habit { parallel, serial: false, actor });
    match platform {
        Platform::Docker => of(3, "dockerd"),
        Platform::Containerd | Platform::Gvisor | Platform::Kata => of(3, "containerd"),
        Platform::Kubernetes => Some(Habit { parallel: 3, serial: true, actor: "containerd" }),
        Platform::CriO => of(6, "crio"),
        Platform::Podman => of(6, "podman"),
        Platform::Rkt => of(1, "rkt stage0"),
        _ => None,
    }
}

/// Whether a platform fetches images.
pub(crate) fn has_images(platform: Platform) -> bool {
    habit(platform).is_some()
}

/// A part of a pull, as one tenant waits for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) actor: &'static str,
    /// Beginning and end (ns from the tenant's request); none where a field of the scenario is missing.
    pub(crate) span: Option<(u64, u64)>,
    /// The field of the scenario from which its length follows.
    pub(crate) source: &'static str,
}

/// The parts of each pull, by instance, of those that `takes_part` names.
pub(crate) fn pulls(
    plan: &Plan,
    platform: Platform,
    takes_part: impl Fn(usize) -> bool,
) -> BTreeMap<usize, Vec<Part>> {
    let Some(habit) = habit(platform) else { return BTreeMap::new() };
    let mut stores: BTreeMap<u32, Store> = BTreeMap::new();
    for (instance, (tenant, _)) in plan.instances().enumerate().filter(|(instance, _)| takes_part(*instance))
    {
        let Some(tenant) = plan.tenants().get(tenant) else { continue };
        let name = tenant.image.as_deref();
        if let Some(image) = plan.images().iter().find(|image| name == Some(image.name.as_str())) {
            let store = stores.entry(tenant.node).or_insert_with(|| Store::new(plan, habit));
            store.ask(instance, tenant.start_at.0, image);
        }
    }
    stores.into_values().flat_map(Store::carry_out).collect()
}
