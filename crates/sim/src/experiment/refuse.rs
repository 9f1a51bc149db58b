//! What the simulator can't carry out yet is refused by name, never ignored.

mod bare;
mod layers;
mod moving;

use catamaran_report::RunError;
use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::plan::{Action, Event, Io, Tenant, Workload};
use catamaran_scenario::{Calibration, Plan, Platform, fork_work, network_work};

use super::{density, disk, memory};
use crate::{platform, startup};
use moving::{drain, migration, moves};

/// Most layers of an image (moby `layer/layer_store.go`, `maxLayerDepth`).
const LAYERS_MOST: usize = 125;
/// Most layers of all replicas' images: what a report holds.
const LAYERS_OF_ALL_MOST: u64 = 100_000;
/// What to do where a platform's way to the disk is unknown.
const NO_DISK_ADVICE: &str = "choose another platform; of guests, vm, microvm and kata with accel = \"kvm\" have figures, gVisor for \
                              cached reads of up to 4 KiB, and others where the table vm.disk of host.toml says so";

/// Whether nobody has measured a platform's own layer between a tenant and the device: of a kernel in user space, and of guests
/// under a monitor and an accelerator of which no figure is known.
fn without_disk(plan: &Plan, platform: Platform, calibration: &Calibration) -> bool {
    let guest = platform::vm::guest(plan, platform, calibration);
    platform == Platform::Gvisor
        || platform::has_guests(platform) && guest.is_none_or(|guest| guest.disk.is_none())
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
    plan.events().iter().try_for_each(|one| event(plan, one, platform))?;
    match platform {
        _ if has_kernels(plan, platform) => {
            plan.tenants().iter().try_for_each(memory_in_guest)?;
            memory_of_guests(plan, platform, calibration)
        }
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
    let without_disk = without_disk(plan, platform, calibration);
    if plan.host().disk.is_some() && without_disk {
        let what = "a bound on a disk of which no figure is known on this platform";
        return Err(refusal("host.disk".into(), what, NO_DISK_ADVICE));
    }
    network(plan, platform)?;
    layers::layers(plan, platform, calibration)?;
    if pulls(plan, platform) {
        plan.images().iter().filter(|image| is_used(plan, &image.name)).try_for_each(image)?;
        layers_of_all(plan)?;
    }
    settings(plan, platform)?;
    bare::bare_guests(plan, platform, calibration)?;
    if has_kernels(plan, platform) {
        guests(plan, platform, calibration)?;
    }
    (0..plan.tenants().len()).zip(plan.tenants()).try_for_each(|(number, one)| {
        tenant(one, platform, without_disk, u64::from(network_work::serves(plan, number)))
    })
}

/// Events that take more than one machine, or more than is modelled of it.
fn event(plan: &Plan, event: &Event, platform: Platform) -> Result<(), RunError> {
    let at = format!("(at {} s)", event.at.seconds());
    let refuse = |field: &str, what: &str, advice: &str| {
        Err(refusal(format!("event.{field}"), format!("{what} {at}"), advice))
    };
    match &event.action {
        Action::Drain { .. } => drain(plan, platform, &at),
        Action::Migrate { target, .. } => migration(plan, platform, target, &at),
        Action::Partition { .. } if moves(plan) && platform::can_migrate(platform) => Ok(()),
        Action::Partition { .. } => refuse(
            "do",
            "a partition where nothing goes over between nodes",
            "remove it: nodes share nothing here, so that no tenant would notice; it cuts live migrations of guests off",
        ),
        Action::SetLimit { memory: Some(_), .. } if platform == Platform::Vm => {
            refuse("memory", "memory limits of guests yet", "set only cpu, or choose another platform")
        }
        _ => Ok(()),
    }
}

/// Whether each tenant is in a guest with a kernel.
fn has_kernels(plan: &Plan, platform: Platform) -> bool {
    platform::has_guests(platform) && !platform::bare::is_bare(plan, platform)
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
        ("migration", settings.migration.is_some() && !platform::can_migrate(platform)),
        ("downtime", settings.downtime.is_some() && !platform::can_migrate(platform)),
        ("page_sharing", settings.page_sharing == Some(true) && !platform::can_migrate(platform)),
        ("balloon", settings.balloon == Some(true) && !platform::can_migrate(platform)),
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
    let guest = platform::vm::guest(plan, platform, calibration);
    if settings.balloon == Some(true) && guest.is_some_and(|guest| guest.reserve_bytes == 0) {
        let what = "a balloon in guests of which it was not measured what they do not use";
        let advice = "measure this machine with `catamaran calibrate` (vm.reserve_bytes of host.toml)";
        return Err(refusal(field("balloon"), what, advice));
    }
    if guest.is_none() {
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
fn memory_in_guest(tenant: &Tenant) -> Result<(), RunError> {
    let field = |rest: &str| format!("tenant.{}.{rest}", tenant.name);
    let memory = &tenant.memory;
    let asked = [
        ("memory.limit", memory.limit.is_some()),
        ("memory.high", memory.high.is_some()),
        ("memory.swap", memory.swap.is_some()),
        ("memory.oom_group", memory.oom_group),
        ("memory.oom_score_adj", memory.oom_score_adj != 0),
    ];
    match asked.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => {
            Err(refusal(field(name), "memory limits inside of guests yet", "choose another platform"))
        }
        None => Ok(()),
    }
}

/// Of what is touched in guests only that is modelled which finds room there, and in the machine's memory.
fn memory_of_guests(plan: &Plan, platform: Platform, calibration: &Calibration) -> Result<(), RunError> {
    let toucher = plan.tenants().iter().find(|tenant| memory::touches(&tenant.workload));
    let Some(toucher) = toucher else { return Ok(()) };
    if plan.host().swap.0 > 0 {
        let field = format!("tenant.{}.workload", toucher.name);
        return Err(refusal(field, "memory of guests that are swapped out yet", "leave out host.swap"));
    }
    too_much_for_guests(plan, platform, calibration)
}

/// Tenants that touch more than half of what their guests have: what their kernels would do then is not modelled.
pub(super) fn too_much_for_guests(
    plan: &Plan,
    platform: Platform,
    calibration: &Calibration,
) -> Result<(), RunError> {
    let Some(guest) = platform::vm::guest(plan, platform, calibration) else { return Ok(()) };
    let page_bytes = calibration.machine.page_bytes.max(1);
    let touched = |tenant: &Tenant| {
        let lasts = plan.duration().0.saturating_sub(tenant.start_at.0);
        density::touched_pages(&tenant.workload, lasts, page_bytes).saturating_mul(page_bytes)
    };
    match plan.tenants().iter().map(touched).max() {
        Some(bytes) if bytes > guest.memory_bytes / 2 => Err(refusal(
            format!("platform.{platform}.memory"),
            format!("{} MiB touched in a guest of {} MiB", bytes >> 20, guest.memory_bytes >> 20),
            "give each guest twice as much as its tenant touches",
        )),
        _ => Ok(()),
    }
}

/// What the Sentry takes for its program's memory was not measured.
fn memory_in_sentry(tenant: &Tenant) -> Result<(), RunError> {
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
    let talks = |tenant: &&Tenant| network_work::talks(&tenant.workload);
    let Some(client) = plan.tenants().iter().find(talks) else {
        let migrates = moves(plan);
        return match plan.host().network.is_some() && !migrates && !pulls(plan, platform) {
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
    let apart = |other: &Tenant| other.node != client.node;
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
fn tenant(tenant: &Tenant, platform: Platform, without_disk: bool, answering: u64) -> Result<(), RunError> {
    let field = |rest: &str| format!("tenant.{}.{rest}", tenant.name);
    if tenant.pids_limit.is_some() && platform::has_guests(platform) {
        return Err(refusal(field("pids.limit"), "process limits in guests yet", "remove the field"));
    }
    let covered = platform == Platform::Gvisor && is_covered(&tenant.workload);
    let at_the_disk =
        [("io", tenant.io != Io::default()), ("workload", disk::operates(&tenant.workload) && !covered)];
    if let Some((name, _)) = at_the_disk.iter().find(|(_, asked)| without_disk && *asked) {
        let what = "a disk of which no figure is known on this platform";
        return Err(refusal(field(name), what, NO_DISK_ADVICE));
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

/// Whether all that a workload does to its file under gVisor is what GV-06 covers: reading up to 4 KiB that are in memory.
fn is_covered(workload: &Workload) -> bool {
    match workload {
        Workload::Command { like: Some(like), .. } => is_covered(like),
        other => FileWork::all(other).all(|work| {
            work.cached
                && work.layer_bytes.is_none()
                && !work.writes
                && work.block_bytes <= disk::CALIBRATED_BYTES
        }),
    }
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
