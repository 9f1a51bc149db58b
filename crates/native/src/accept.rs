//! What the native runner does not carry out is refused by name, before anything is begun.

mod events;

use catamaran_report::RunError;
use catamaran_scenario::Platform;
use catamaran_scenario::file_work::layers_of;
use catamaran_scenario::network_work::{self, NetworkWork};
use catamaran_scenario::plan::{Plan, PlatformSettings, Tenant, Workload};

use crate::disk::layers::is_on_several_files;
use crate::{engine, forks, image, microvm, network, platform, program, runtime, vm};

/// Refuses whatever would have to be ignored; nothing is begun.
///
/// # Errors
/// As [`Backend::run`](catamaran_report::Backend::run), as far as can be told beforehand.
pub fn check(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    check_but_bounds_in_guests(plan, platform)?;
    if platform == Platform::Vm {
        return plan.tenants().iter().try_for_each(check_bounds_in_guest);
    }
    Ok(())
}

/// The same, where bounds of a tenant's memory may be those of its whole guest.
pub(crate) fn check_but_bounds_in_guests(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    check_platform(platform, platform::has_users(platform, &plan.settings(platform)))?;
    check_settings(&plan.settings(platform), platform)?;
    let rootless = plan.settings(platform).rootless == Some(true);
    let in_layers = rootless && plan.tenants().iter().any(|tenant| !layers_of(&tenant.workload).is_empty());
    let what = "files of layers in a rootless container yet";
    refuse(in_layers, &format!("platform.{platform}.rootless"), what, "leave it out, or simulate")?;
    if rootless && platform == Platform::Podman {
        check_rootless_podman(plan)?;
    }
    check_runtime(plan, platform)?;
    if platform == Platform::Microvm {
        microvm::check(plan)?;
    }
    let host = plan.host();
    // Nodes on which nothing is placed need no machine; a tenant elsewhere is refused with its field.
    refuse(host.unpack.is_some(), "host.unpack", "a bound on unpacking", "leave it out, or simulate")?;
    events::check(plan, platform)?;
    forks::check(plan, platform)?;
    for tenant in plan.tenants() {
        let what = image::refused(plan, platform, tenant);
        let advice = "give the image an archive, choose a platform with a root of its own, or simulate";
        refuse(what.is_some(), &format!("tenant.{}.image", tenant.name), what.unwrap_or_default(), advice)?;
    }
    let tenants = plan.tenants().iter().enumerate();
    tenants.into_iter().try_for_each(|(index, tenant)| {
        check_tenant(tenant, platform, u64::from(network_work::serves(plan, index)))?;
        program::check(plan, tenant, platform)
    })?;
    check_network(plan, platform)
}

/// An ordinary user's podman is that user's.
fn check_rootless_podman(plan: &Plan) -> Result<(), RunError> {
    if rustix::process::geteuid().is_root() {
        return Err(RunError::Unavailable {
            platform: Platform::Podman,
            why: "rootless podman is an ordinary user's, and this is root".to_owned(),
            remedy:
                "systemd-run --user --scope -p Delegate=yes catamaran … as that user, or leave `rootless` out"
                    .to_owned(),
        });
    }
    let with_image = plan.tenants().iter().find(|tenant| tenant.image.is_some());
    let field = with_image.map_or_else(String::new, |tenant| format!("tenant.{}.image", tenant.name));
    refuse(
        with_image.is_some(),
        &field,
        "an image of one's own in rootless podman yet",
        "leave it out, or run podman as root",
    )
}

/// Who talks needs devices and namespaces of the run, and somebody who listens.
fn check_network(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    if !network::is_used(plan) {
        return Ok(());
    }
    for client in plan.tenants() {
        for work in NetworkWork::all(&client.workload) {
            let peer = plan.tenants().iter().find(|tenant| tenant.name == work.to);
            let late = peer.is_some_and(|peer| peer.start_at > client.start_at);
            let field = format!("tenant.{}.start_at", work.to);
            refuse(
                late,
                &field,
                "a tenant that starts after those who talk to it",
                "have it start with them",
            )?;
        }
    }
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    Err(RunError::Unavailable {
        platform,
        why: "it takes root to make a network between tenants (CAP_NET_ADMIN, CAP_SYS_ADMIN)".to_owned(),
        remedy: "sudo catamaran …, or leave out `network` workloads".to_owned(),
    })
}

/// A guest's memory is its own: what bounds a tenant elsewhere would bound its machine.
fn check_bounds_in_guest(tenant: &Tenant) -> Result<(), RunError> {
    let memory = &tenant.memory;
    let table = [
        ("memory.limit", memory.limit.is_some()),
        ("memory.high", memory.high.is_some()),
        ("memory.swap", memory.swap.is_some()),
        ("memory.oom_group", memory.oom_group),
        ("memory.oom_score_adj", memory.oom_score_adj != 0),
    ];
    table.into_iter().try_for_each(|(name, set)| {
        let field = format!("tenant.{}.{name}", tenant.name);
        refuse(
            set,
            &field,
            "bounds of memory inside of guests yet",
            "set platform.vm.memory, which bounds it, or choose another platform",
        )
    })
}

/// Refuses a platform for which there is no code, or which takes more than this user has: a root of one's own takes the
/// machine's administrator, or a user namespace (`has_users`).
pub(crate) fn check_platform(platform: Platform, has_users: bool) -> Result<(), RunError> {
    let unavailable = |why: &str, remedy: &str| {
        Err(RunError::Unavailable { platform, why: why.to_owned(), remedy: remedy.to_owned() })
    };
    if let Some((why, remedy)) = not_carried_out(platform) {
        return unavailable(why, remedy);
    }
    let is_root = rustix::process::geteuid().is_root();
    match platform {
        Platform::Chroot if !is_root => unavailable(
            "it takes root to change the root (CAP_SYS_CHROOT, CAP_SYS_ADMIN)",
            "sudo catamaran …, or as an ordinary user the platform container with `rootless = true`",
        ),
        Platform::Namespaces if !is_root && !has_users => unavailable(
            "it takes root to make namespaces, or a user namespace (CAP_SYS_ADMIN)",
            "sudo catamaran …, or as an ordinary user the platform container with `rootless = true`",
        ),
        Platform::Container if !is_root && !has_users => unavailable(
            "it takes root, or a user namespace, to change the root",
            "sudo catamaran …; a run goes without, with `[platform.container] rootless = true` in its scenario",
        ),
        Platform::Podman if !is_root && has_users => Ok(()),
        _ if !is_root && engine::is_used(platform) => unavailable(
            "it takes root to start an engine of the run's own, with limits",
            "sudo catamaran …, or as an ordinary user the platform container with `rootless = true`",
        ),
        Platform::Runc | Platform::Crun | Platform::Youki if !is_root => unavailable(
            "it takes root to have a runtime make containers with limits",
            "sudo catamaran …, or as an ordinary user the platform container with `rootless = true`",
        ),
        Platform::Microvm => microvm::check_device(),
        _ => Ok(()),
    }
}

/// What a runtime of the machine can't be told, or not in a way that all of them understand.
fn check_runtime(plan: &Plan, platform: Platform) -> Result<(), RunError> {
    if !runtime::is_used(platform) && !engine::is_used(platform) {
        return Ok(());
    }
    let advice = "leave it out, or choose the platform container";
    // Version 1 bounds a group alone, not those below it, and each container has a group of its own.
    refuse(
        plan.host().disk.is_some(),
        "host.disk",
        "a bound on the disk of all containers together",
        advice,
    )?;
    plan.tenants().iter().try_for_each(|tenant| {
        let table = [
            ("cpu.burst", tenant.cpu.burst.0 > 0, "a burst, which runc knows since 1.2 and crun since 1.8.5"),
            ("io.weight", tenant.io.weight.is_some(), "a weight of a container's disk operations"),
            ("workload", !layers_of(&tenant.workload).is_empty(), "files of layers in a runtime's container"),
        ];
        table.into_iter().try_for_each(|(name, set, what)| {
            refuse(set, &format!("tenant.{}.{name}", tenant.name), what, advice)
        })
    })
}

/// Why there is no code for it, and what to do; none where there is.
fn not_carried_out(platform: Platform) -> Option<(&'static str, &'static str)> {
    match platform {
        Platform::Rkt => Some((
            "rkt is not carried out natively: its project ended in 2020, and nobody packages it any more",
            "simulate it (catamaran sim), or run it on podman, which like rkt has no daemon",
        )),
        Platform::VmHosted => Some((
            "vm-hosted is not carried out natively: a hosted hypervisor brings a kernel module of its own, which no package of \
             Debian's has",
            "simulate it (catamaran sim), or run it on vm",
        )),
        Platform::Gvisor => Some((
            "gvisor is not carried out natively: its runsc is neither in Debian nor on crates.io",
            "simulate it (catamaran sim), or run it on container or microvm",
        )),
        Platform::Kata => Some((
            "kata is not carried out natively: its runtime is neither in Debian nor on crates.io",
            "simulate it (catamaran sim), or run it on microvm",
        )),
        Platform::CriO => Some((
            "cri-o is not carried out natively: it is neither in Debian nor on crates.io",
            "simulate it (catamaran sim), or run it on containerd, which has the same runtimes",
        )),
        Platform::Kubernetes => Some((
            "kubernetes is not carried out natively yet",
            "simulate it (catamaran sim), or run it on bare-metal, chroot, namespaces, cgroups, container, runc, crun, youki, \
             lxc, docker, podman, containerd, vm or microvm",
        )),
        _ => None,
    }
}

fn check_settings(settings: &PlatformSettings, platform: Platform) -> Result<(), RunError> {
    let (on_vm, on_microvm) = (platform == Platform::Vm, platform == Platform::Microvm);
    let table = [
        ("runtime", settings.runtime.as_deref().is_some_and(|name| !engine::takes(platform, name))),
        (
            "rootless",
            settings.rootless == Some(true) && ![Platform::Container, Platform::Podman].contains(&platform),
        ),
        ("scheduler", settings.scheduler.is_some()),
        ("hz", settings.hz.is_some()),
        ("base_slice", settings.base_slice.is_some()),
        ("autogroup", settings.autogroup.is_some()),
        ("vcpus", settings.vcpus.is_some() && !on_vm),
        ("memory", settings.memory.is_some() && !on_vm && !on_microvm),
        ("guest", settings.guest.is_some() && !(on_vm && vm::is_linux(settings) || on_microvm)),
        ("accel", settings.accel.is_some() && !on_vm && !on_microvm),
        ("type", settings.hypervisor_type.is_some()),
        ("compat", settings.compat.is_some()),
        ("migration", settings.migration.is_some()),
        ("downtime", settings.downtime.is_some()),
        ("page_sharing", settings.page_sharing == Some(true)),
        ("balloon", settings.balloon == Some(true)),
        ("unshare", settings.unshare.is_some() && platform != Platform::Namespaces),
    ];
    table.into_iter().try_for_each(|(name, set)| {
        refuse(set, &format!("platform.{platform}.{name}"), "a setting of the platform", "leave it out")
    })
}

/// `served`: threads that serve others.
fn check_tenant(tenant: &Tenant, platform: Platform, served: u64) -> Result<(), RunError> {
    let field = |name: &str| format!("tenant.{}.{name}", tenant.name);
    let later = "leave it out, or simulate";
    let table = [
        ("node", tenant.node != 0, "more than one node"),
        ("pids.limit", tenant.pids_limit.is_some() && platform == Platform::Vm, "process limits in guests"),
        ("ports", !tenant.ports.is_empty(), "ports"),
        ("needs", !tenant.needs.is_empty(), "library versions"),
        ("workload", is_on_several_files(tenant), "several files of one tenant"),
    ];
    for (name, set, what) in table {
        refuse(set, &field(name), &format!("{what} yet"), later)?;
    }
    if platform::has_limits(platform) {
        check_pids(tenant, served)?;
    }
    let on_vm = platform == Platform::Vm && !layers_of(&tenant.workload).is_empty();
    refuse(
        on_vm,
        &field("workload"),
        "files of layers in guests yet",
        "leave `layer` out, or choose another platform",
    )?;
    check_workload(&tenant.workload, &field("workload"))
}

/// The worker is a process with a thread that waits for the others.
fn check_pids(tenant: &Tenant, served: u64) -> Result<(), RunError> {
    let needed = 1 + served + u64::from(threads(&tenant.workload));
    let limit = tenant.pids_limit.unwrap_or(u64::MAX);
    refuse(
        limit < needed,
        &format!("tenant.{}.pids.limit", tenant.name),
        &format!("fewer processes and threads than the {needed} of the workload"),
        &format!("raise it to {needed}"),
    )
}

/// Threads of a workload.
pub(crate) fn threads(workload: &Workload) -> u32 {
    match workload {
        Workload::Compute { threads, .. } => *threads,
        Workload::Server(server) => server.threads,
        Workload::Disk { depth, .. } => *depth,
        // One that looks after it, and the program itself.
        Workload::Command { .. } => 2,
        Workload::Phases(phases) => phases.iter().map(|phase| threads(&phase.workload)).max().unwrap_or(1),
        _ => 1,
    }
}

fn check_workload(workload: &Workload, field: &str) -> Result<(), RunError> {
    match workload {
        Workload::Compute { .. }
        | Workload::Server(_)
        | Workload::Memory { .. }
        | Workload::Disk { .. }
        | Workload::Network { .. }
        | Workload::Fork { .. }
        | Workload::Command { .. }
        | Workload::Idle => {
            return Ok(());
        }
        Workload::Phases(phases) => {
            return phases.iter().enumerate().try_for_each(|(number, phase)| {
                check_workload(&phase.workload, &format!("{field}.phases[{number}]"))
            });
        }
        _ => {}
    }
    refuse(
        true,
        &format!("{field}.kind"),
        "a workload of this kind yet",
        "take compute, server, memory, disk, network, fork, command, idle or phases of them, or simulate",
    )
}

pub(crate) fn refuse(wrong: bool, field: &str, what: &str, advice: &str) -> Result<(), RunError> {
    if !wrong {
        return Ok(());
    }
    Err(RunError::Unsupported {
        field: field.to_owned(),
        backend: "native",
        what: what.to_owned(),
        advice: advice.to_owned(),
    })
}
