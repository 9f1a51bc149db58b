//! What the simulator can't carry out yet is refused by name, never ignored.

use catamaran_report::RunError;
use catamaran_scenario::plan::{Action, Guest, Io, Workload};
use catamaran_scenario::{Calibration, Plan, Platform, fork_work, network_work};

use super::{disk, memory};
use crate::{platform, startup};

/// Most layers of an image (moby `layer/layer_store.go`, `maxLayerDepth`).
const LAYERS_MOST: usize = 125;
/// Most layers of all replicas' images: what a report holds.
const LAYERS_OF_ALL_MOST: u64 = 100_000;

/// Platforms whose own layer between a tenant and the disk was not measured: guests, and a kernel in user space.
fn without_disk(platform: Platform) -> bool {
    platform::has_guests(platform) || platform == Platform::Gvisor
}

pub(super) fn refusal(field: String, what: impl Into<String>, advice: impl Into<String>) -> RunError {
    RunError::Unsupported { field, backend: "simulated", what: what.into(), advice: advice.into() }
}

pub(super) fn unsupported(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
) -> Result<(), RunError> {
    what_is_not_carried_out(plan, platform, calibration)?;
    plan.events().iter().try_for_each(|one| event(one, platform))?;
    match platform {
        _ if platform::has_guests(platform) => plan.tenants().iter().try_for_each(memory_in_guest),
        Platform::Gvisor => plan.tenants().iter().try_for_each(memory_in_sentry),
        _ => Ok(()),
    }
}

/// The same, whatever tenants do with memory.
pub(super) fn what_is_not_carried_out(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
) -> Result<(), RunError> {
    if plan.host().disk.is_some() && without_disk(platform) {
        let what = "a bound on the disk of guests yet";
        return Err(refusal("host.disk".into(), what, "choose another platform"));
    }
    network(plan, platform)?;
    if pulls(plan, platform) {
        plan.images().iter().filter(|image| is_used(plan, &image.name)).try_for_each(image)?;
        layers_of_all(plan)?;
    }
    settings(plan, platform)?;
    if platform::has_guests(platform) {
        guests(plan, platform, calibration)?;
    }
    (0..plan.tenants().len())
        .zip(plan.tenants())
        .try_for_each(|(number, one)| tenant(one, platform, u64::from(network_work::serves(plan, number))))
}

/// Events that take more than one machine, or more than is modelled of it.
fn event(event: &catamaran_scenario::plan::Event, platform: Platform) -> Result<(), RunError> {
    let at = format!("(at {} s)", event.at.seconds());
    let refuse = |field: &str, what: &str, advice: &str| {
        Err(refusal(format!("event.{field}"), format!("{what} {at}"), advice))
    };
    match &event.action {
        Action::Drain { .. } => refuse(
            "do",
            "a drain, as nobody places tenants yet",
            "use scale, or fail-node to see what is lost",
        ),
        Action::Migrate { .. } if platform == Platform::Vm => {
            refuse("do", "live migration yet", "use update, which stops each replica and starts a new one")
        }
        Action::Migrate { .. } => refuse(
            "do",
            "migrate where there are no guests: a process can't be moved",
            "use update, which stops each replica and starts a new one",
        ),
        Action::Partition { .. } => refuse(
            "do",
            "a partition, as there is no network between nodes yet",
            "remove it: nodes share nothing here, so that no tenant would notice",
        ),
        Action::SetLimit { memory: Some(_), .. } if platform == Platform::Vm => {
            refuse("memory", "memory limits of guests yet", "set only cpu, or choose another platform")
        }
        _ => Ok(()),
    }
}

/// Settings that mean nothing to the platforms that are carried out so far.
fn settings(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    let settings = plan.settings(platform);
    let has_guests = platform::has_guests(platform);
    let rootless_goes = matches!(
        platform,
        Platform::Container
            | Platform::Runc
            | Platform::Crun
            | Platform::Youki
            | Platform::Docker
            | Platform::Podman
    );
    let has_runtime = matches!(
        platform,
        Platform::Docker | Platform::Podman | Platform::Containerd | Platform::CriO | Platform::Kubernetes
    );
    let unknown_runtime = |name: &String| !startup::RUNTIMES.contains(&name.as_str());
    if has_runtime && settings.runtime.as_ref().is_some_and(unknown_runtime) {
        let advice = format!(
            "use {}; gvisor and kata are platforms of their own",
            startup::RUNTIMES.map(|name| format!("{name:?}")).join(", ")
        );
        return Err(refusal(format!("platform.{platform}.runtime"), "this runtime", advice));
    }
    let asked = [
        ("runtime", settings.runtime.is_some() && !has_runtime),
        ("rootless", settings.rootless == Some(true) && !rootless_goes),
        ("autogroup", settings.autogroup.is_some()),
        ("vcpus", settings.vcpus.is_some() && !has_guests),
        ("memory", settings.memory.is_some() && !has_guests),
        ("guest", settings.guest.is_some() && !has_guests),
        ("accel", settings.accel.is_some() && !has_guests),
        ("type", settings.hypervisor_type.is_some() && !has_guests),
        ("compat", settings.compat.is_some()),
        ("unshare", settings.unshare.is_some() && platform != Platform::Namespaces),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => {
            Err(refusal(format!("platform.{platform}.{name}"), "this setting yet", "remove the field"))
        }
        None => Ok(()),
    }
}

/// Guests that the model knows nothing of.
fn guests(plan: &Plan, platform: Platform, calibration: &Calibration) -> Result<(), RunError> {
    let settings = plan.settings(platform);
    let field = |name: &str| format!("platform.{platform}.{name}");
    if settings.guest == Some(Guest::Bare) {
        return Err(refusal(field("guest"), "guests without a kernel yet", "use guest = \"linux\""));
    }
    match (platform, settings.hypervisor_type) {
        (Platform::VmHosted, Some(1)) => {
            let what = "a hypervisor beneath every operating system on this platform";
            return Err(refusal(field("type"), what, "use the platform vm"));
        }
        (Platform::Vm | Platform::Microvm | Platform::Kata, Some(2)) => {
            let what = "a hypervisor on top of an operating system on this platform";
            let advice = "use the platform vm-hosted: KVM, of which this model is, is part of the kernel";
            return Err(refusal(field("type"), what, advice));
        }
        _ => {}
    }
    let least = platform::vm::MEMORY_LEAST;
    if settings.memory.is_some_and(|memory| memory.0 < least) {
        let advice = format!("give each guest at least {} MiB", least >> 20);
        return Err(refusal(field("memory"), "guests so small: no published figure covers them", advice));
    }
    if platform::vm::guest(plan, platform, calibration).is_none() {
        let advice = match platform {
            Platform::Microvm | Platform::Kata => "its monitor knows no emulation: use accel = \"kvm\"",
            _ => {
                "measure this machine with `catamaran calibrate` (table vm of host.toml), or use accel = \"kvm\""
            }
        };
        return Err(refusal(field("accel"), "emulation (tcg) whose slow-down was not measured", advice));
    }
    Ok(())
}

/// A guest's memory is its own, and not modelled.
fn memory_in_guest(tenant: &catamaran_scenario::plan::Tenant) -> Result<(), RunError> {
    let field = |rest: &str| format!("tenant.{}.{rest}", tenant.name);
    let memory = &tenant.memory;
    let asked = [
        ("memory.limit", memory.limit.is_some()),
        ("memory.high", memory.high.is_some()),
        ("memory.swap", memory.swap.is_some()),
        ("memory.oom_group", memory.oom_group),
        ("memory.oom_score_adj", memory.oom_score_adj != 0),
        ("workload", memory::touches(&tenant.workload)),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => {
            Err(refusal(field(name), "memory inside of guests yet", "choose another platform"))
        }
        None => Ok(()),
    }
}

/// What the Sentry takes for its program's memory was not measured.
fn memory_in_sentry(tenant: &catamaran_scenario::plan::Tenant) -> Result<(), RunError> {
    if !memory::touches(&tenant.workload) {
        return Ok(());
    }
    let field = format!("tenant.{}.workload", tenant.name);
    Err(refusal(field, "memory under gVisor, whose own was not measured", "choose another platform"))
}

/// Whether `host.network` carries something: the image of a tenant.
fn pulls(plan: &Plan, platform: Platform) -> bool {
    startup::pull::has_images(platform) && plan.tenants().iter().any(|tenant| tenant.image.is_some())
}

/// What goes over the network where nobody knows how long that takes, and a link that carries nothing.
fn network(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    let talks = |tenant: &&catamaran_scenario::plan::Tenant| network_work::talks(&tenant.workload);
    let Some(client) = plan.tenants().iter().find(talks) else {
        return match plan.host().network.is_some() && !pulls(plan, platform) {
            true => {
                Err(refusal("host.network".into(), "a network over which nothing goes", "remove the field"))
            }
            false => Ok(()),
        };
    };
    let field = format!("tenant.{}.workload", client.name);
    if let Some(what) = platform::network::unknown(platform) {
        return Err(refusal(field, what, "choose another platform"));
    }
    let apart = |other: &catamaran_scenario::plan::Tenant| other.node != client.node;
    if plan.tenants().iter().any(apart) {
        let advice = "place all tenants on one node";
        return Err(refusal(
            field,
            "tenants that talk in a cluster: the network between nodes is not modelled yet",
            advice,
        ));
    }
    Ok(())
}

/// Every replica has a row for each layer that it waited for.
fn layers_of_all(plan: &Plan) -> Result<(), RunError> {
    let layers = |name: &Option<String>| {
        let image = plan.images().iter().find(|image| Some(&image.name) == name.as_ref());
        image.map_or(0, |image| image.layers.len() as u64)
    };
    let mut left = LAYERS_OF_ALL_MOST;
    for tenant in plan.tenants() {
        let needed = u64::from(tenant.replicas) * layers(&tenant.image);
        let Some(rest) = left.checked_sub(needed) else {
            let what = format!("more than {LAYERS_OF_ALL_MOST} layers over all replicas");
            let field = format!("tenant.{}.replicas", tenant.name);
            return Err(refusal(field, what, "use fewer replicas, or images of fewer layers"));
        };
        left = rest;
    }
    Ok(())
}

fn is_used(plan: &Plan, image: &str) -> bool {
    plan.tenants().iter().any(|tenant| tenant.image.as_deref() == Some(image))
}

/// Images without layers, and with more than an overlay has room for.
fn image(image: &catamaran_scenario::plan::Image) -> Result<(), RunError> {
    let field = format!("image.{}.layers", image.name);
    match image.layers.len() {
        0 => Err(refusal(field, "an image of which only the archive is known", "give it layers")),
        count if count > LAYERS_MOST => {
            let what = format!("{count} layers, more than the {LAYERS_MOST} that engines take");
            Err(refusal(field, what, "put several layers into one"))
        }
        _ => Ok(()),
    }
}

/// `answering` threads are there beside those of the workload.
fn tenant(
    tenant: &catamaran_scenario::plan::Tenant,
    platform: Platform,
    answering: u64,
) -> Result<(), RunError> {
    let field = |rest: &str| format!("tenant.{}.{rest}", tenant.name);
    let asked = [
        (
            "pids.limit",
            tenant.pids_limit.is_some() && platform::has_guests(platform),
            "process limits in guests",
        ),
        ("io", tenant.io != Io::default() && without_disk(platform), "disk shares of guests"),
        ("workload", without_disk(platform) && disk::operates(&tenant.workload), "files in guests"),
    ];
    if let Some((name, _, what)) = asked.iter().find(|(_, asked, _)| *asked) {
        return Err(refusal(field(name), format!("{what} yet"), "remove the field"));
    }
    let needed = processes(&tenant.workload) + answering;
    let limit = tenant.pids_limit.filter(|_| platform::has_limits(platform));
    if let Some(limit) = limit.filter(|limit| *limit < needed) {
        let what = format!("fewer processes and threads ({limit}) than the {needed} of the workload");
        return Err(refusal(field("pids.limit"), what, format!("raise it to {needed}")));
    }
    if platform == Platform::Gvisor && fork_work::forks(&tenant.workload) {
        let what = "forks under gVisor, of which nobody has published what one costs";
        return Err(refusal(field("workload"), what, "choose another platform"));
    }
    workload(&tenant.workload, &field("workload"))
}

/// Processes and threads of a workload: its threads, and the one that waits for them.
pub(super) fn processes(workload: &Workload) -> u64 {
    match workload {
        Workload::Compute { threads, .. } => 1 + u64::from(*threads),
        Workload::Server(server) => 1 + u64::from(server.threads),
        Workload::Disk { depth, .. } => 1 + u64::from(*depth),
        Workload::Phases(phases) => phases.iter().map(|phase| processes(&phase.workload)).max().unwrap_or(2),
        _ => 2,
    }
}

fn workload(workload: &Workload, field: &str) -> Result<(), RunError> {
    let kind = match workload {
        Workload::Compute { .. }
        | Workload::Server(_)
        | Workload::Memory { .. }
        | Workload::Disk { .. }
        | Workload::Network { .. }
        | Workload::Fork { .. }
        | Workload::Idle => {
            return Ok(());
        }
        Workload::Phases(phases) => {
            return phases.iter().enumerate().try_for_each(|(index, phase)| {
                let field = format!("{field}.phases[{index}]");
                self::workload(&phase.workload, &field)
            });
        }
        Workload::Command { like: Some(like), .. } => return self::workload(like, &format!("{field}.like")),
        Workload::Command { .. } => "command",
        _ => "unknown",
    };
    let advice =
        "use compute, server, memory, disk, network, fork, idle or phases of these, or say what it is like";
    Err(refusal(format!("{field}.kind"), format!("workload {kind:?} yet"), advice))
}
