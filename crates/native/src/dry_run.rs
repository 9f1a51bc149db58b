//! The same steps as shell lines that a person can type, nothing carried out. They are printed from the very steps
//! that a run performs, so that they cannot say anything else.

mod starter;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use catamaran_report::RunError;
use catamaran_scenario::plan::{Action, Event, NetworkWhat, Tenant, Workload};
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::script::{Namespace, Root, Script, Step};

use crate::cgroup::{self, Base, Found, Groups, NoGroups};
use crate::guard::Shape;
use crate::image::Images;
use crate::image::worker::FOLDERS;
use crate::network::{ByHand, Tap};
use crate::platform::{self, Place};
use crate::problem::Problem;
use crate::vm::{self, Hypervisor};
use crate::{accept, engine, image, program, root_by_hand, runtime};

use starter::Starter;

/// Name of the guard that the lines make.
const NAME: &str = "catamaran-by-hand";
/// What is printed where lines would not do.
const IN_WORDS: &str = "# An engine of the run's own starts the tenants; on version 2 of the control groups that is no lines to be typed yet.";
/// Folder in which the lines make roots.
const BY_HAND: &str = "/tmp/catamaran-by-hand";

/// What a person could type to get the same (one shell line each), nothing carried out.
///
/// # Errors
/// As [`Backend::run`](catamaran_report::Backend::run).
pub fn dry_run(plan: &Plan, platform: Platform) -> Result<Vec<String>, RunError> {
    let plan = &plan.without_stand_ins();
    accept::check(plan, platform)?;
    Images::open(plan, platform).map_err(|problem| problem.on(platform))?;
    lines(plan, platform).map_err(|problem| problem.on(platform))
}

fn lines(plan: &Plan, platform: Platform) -> Result<Vec<String>, Problem> {
    let shape = Shape::of(plan, platform)?;
    let Found { cgroup, base } = groups(&shape)?;
    let settings = &plan.settings(platform);
    let mut starter = Starter::find(platform, settings, &*cgroup)?;
    if engine::is_used(platform) && cgroup.version() != 1 {
        return Ok(vec![IN_WORDS.to_owned()]);
    }
    let mut lines = opening(platform);
    let (cpus, folder) = (&*shape.confines.cpus, Path::new(BY_HAND));
    let place = Place { platform, settings, cgroup: &*cgroup, cpus, folder };
    let vm = (platform == Platform::Vm).then(|| Hypervisor::find(plan)).transpose()?;
    let mut made = Vec::new();
    let mut roots = Vec::new();
    lines.extend(base.iter().flat_map(|base| room_below(base, &mut made)));
    lines.push(format!("# The guard: all tenants share {} core(s).", plan.host().cores));
    lines.extend(cgroup.guard(&shape.confines, shape.shared_cpu).iter().map(|step| shell(step, &mut made)));
    lines.extend(starter.iter_mut().flat_map(|starter| starter.open(&*cgroup, &mut made)));
    let network = ByHand::of(plan, platform::wiring(platform, settings));
    lines.extend(network.iter().flat_map(ByHand::make));
    for (instance, (index, replica)) in plan.instances().enumerate() {
        let Some(tenant) = plan.tenants().get(index) else { continue };
        let label = format!("{}.{replica}", tenant.name);
        let mut how = place.plan(tenant, &label);
        how.script.network = network.as_ref().and_then(ByHand::shared);
        let tap = network.as_ref().map(|_| Tap::of(instance));
        how.script.exec = vm.as_ref().map(|vm| vm.typed(&label, tenant, tap)).unwrap_or_default();
        lines.push(format!("# {label}: {}.", workload(tenant)));
        let (own, others) = own_program(tenant, platform);
        lines.extend(own.into_iter().chain(image::remark(plan, platform, tenant)));
        if let Some(starter) = &starter {
            let attach = attached(network.as_ref(), platform, instance);
            lines.extend(starter.start(&how, (tenant, &label, instance), attach)?);
            lines.extend(others);
            continue;
        }
        lines.extend(how.groups.make.iter().map(|step| shell(step, &mut made)));
        if let Some(root) = &how.script.root {
            if roots.is_empty() {
                lines.push(root_by_hand::remark(root));
            }
            lines.extend(root_by_hand::make(root));
            roots.push(root.clone());
        }
        let groups = entered(&how.groups);
        lines.extend(vm.iter().flat_map(|vm| vm.furnish(plan, tenant, &label, &entering(&groups))));
        lines.push(start(&groups, &how.script, tenant.cpu.nice));
        lines.extend(network.iter().flat_map(|network| network.attach(instance)));
        lines.extend(others);
    }
    let group = |label: &str, instance| Starter::group(starter.as_ref(), label, instance);
    lines.extend(plan.events().iter().flat_map(|event| happening(plan, &place, event, &group, &mut made)));
    lines.extend(Starter::end(starter.as_ref(), plan.duration().seconds()));
    lines.extend(vm.iter().flat_map(|vm| vm.clear(plan)));
    lines.extend(network.iter().map(ByHand::remove));
    if let Some(base) = base.filter(|base| base.aside.is_some()) {
        lines.push(format!("echo $$ > {}", quoted(&base.group.join("cgroup.procs"))));
    }
    lines.extend(starter.iter().filter_map(Starter::remove));
    lines.extend(made.iter().rev().map(|group| format!("rmdir {group}")));
    lines.extend(without(&roots));
    lines.extend(starter.map(|_| format!("rm -r {BY_HAND}")));
    Ok(lines)
}

/// What connects a container that others started.
fn attached(network: Option<&ByHand>, platform: Platform, instance: usize) -> Vec<String> {
    network.map_or_else(|| runtime::loopback_by_hand(platform), |network| network.attach(instance))
}

/// What makes room for the guard, on version 2.
fn room_below(base: &Base, made: &mut Vec<String>) -> Vec<String> {
    let mut lines = vec!["# Make room for groups below our own.".to_owned()];
    lines.extend(base.step_aside().iter().chain(&base.hand_down()).map(|step| shell(step, made)));
    lines
}

/// What removes those roots, and the folder that they are in.
fn without(roots: &[Root]) -> Vec<String> {
    let folder = (!roots.is_empty()).then(|| format!("rmdir {BY_HAND}"));
    roots.iter().flat_map(root_by_hand::remove).chain(folder).collect()
}

/// An event: in words, and where it writes bounds, as lines that wait for its time.
fn happening(
    plan: &Plan,
    place: &Place<'_>,
    event: &Event,
    group: &dyn Fn(&str, usize) -> String,
    made: &mut Vec<String>,
) -> Vec<String> {
    let (at_s, target) = (event.at.seconds(), event.action.tenant().unwrap_or_default());
    let mut lines = vec![format!("# At {at_s} s: {} {target}.", event.action.word())];
    let Action::SetLimit { cpu, memory, .. } = event.action else { return lines };
    for (instance, (index, replica)) in
        plan.instances().enumerate().filter(|_| platform::has_limits(place.platform))
    {
        let Some(tenant) = plan.tenants().get(index).filter(|tenant| tenant.name == target) else { continue };
        let (mut own, label) = (tenant.clone(), group(&format!("{target}.{replica}"), instance));
        let had = own.memory.limit;
        (own.cpu.limit, own.memory.limit) = (cpu.or(own.cpu.limit), memory.or(had));
        let quota = cpu.map(|_| place.cgroup.set(&label, &platform::quota(&own.cpu), false));
        let bound = memory.map(|memory| {
            place.cgroup.set(
                &label,
                &platform::memory_bound(&own.memory),
                had.is_some_and(|had| memory > had),
            )
        });
        let steps = [quota, bound].into_iter().flatten().flatten();
        let steps = steps.map(|step| shell(&step, made).replace(engine::ByHand::GROUP, "$GROUP"));
        lines.extend(steps.map(|step| format!("(sleep {at_s}; {step}) &")));
    }
    lines
}

/// The groups that a tenant is to be in.
fn entered(groups: &Groups) -> Vec<&Path> {
    let entered = groups.enter.iter().filter_map(|step| match step {
        Step::Enter(group) => Some(group.as_path()),
        _ => None,
    });
    entered.chain(groups.born_in.as_deref()).collect()
}

/// Lines that make a tenant's own program the worker, and that take it back; none where it has none, or a guest finds it by itself.
fn own_program(tenant: &Tenant, platform: Platform) -> (Option<String>, Option<String>) {
    let own = program::typed(tenant)
        .filter(|_| platform != Platform::Vm)
        .map(|words| format!("OTHERS=$WORKER; export WORKER='{words}'"));
    let others = own.as_ref().map(|_| "export WORKER=$OTHERS".to_owned());
    (own, others)
}

/// What stands for what catamaran has of its own.
fn opening(platform: Platform) -> Vec<String> {
    let mut lines = vec![
        "# WORKER stands for the program of each tenant; catamaran has one of its own that replays the scenario.".into(),
        "export WORKER=\"${WORKER:-sleep 1}\"".into(),
    ];
    if platform == Platform::Vm {
        lines.push("# INITRD stands for a guest's file system; catamaran makes one of its worker and the scenario's requests.".into());
        lines.push("export INITRD=\"${INITRD:-/boot/initrd.img-$(uname -r)}\"".into());
    }
    if platform == Platform::Microvm {
        let remark =
            "# catamaran's own worker then makes a guest by calls on /dev/kvm, which no shell line can.";
        lines.push(remark.into());
    }
    lines
}

/// The groups that a run would use.
fn groups(shape: &Shape) -> Result<Found, Problem> {
    let none = || Found { cgroup: Arc::new(NoGroups), base: None };
    match cgroup::find(NAME, shape.needs) {
        Err(Problem::Unavailable(..)) if shape.rootless => Ok(none()),
        // On version 1 groups are the administrator's, unless somebody gave them away.
        Ok(found) if shape.rootless && found.base.is_none() && !rustix::process::geteuid().is_root() => {
            Ok(none())
        }
        found => found,
    }
}

/// One step; the groups that it makes are added to `made`.
pub(crate) fn shell(step: &Step, made: &mut Vec<String>) -> String {
    match step {
        Step::Make(group) => {
            made.push(quoted(group));
            format!("mkdir {}", quoted(group))
        }
        Step::Write { value, file } => format!("echo {value:?} > {}", quoted(file)),
        Step::Enter(group) => format!("echo $$ > {}", quoted(&group.join("cgroup.procs"))),
    }
}

/// A shell that goes into the groups, the namespaces and the root, and then becomes the worker.
fn start(groups: &[&Path], script: &Script, nice: i32) -> String {
    let adjust = script.oom_score_adj.map(|value| format!("echo {value} > /proc/self/oom_score_adj; "));
    let enter = entering(groups) + &adjust.unwrap_or_default();
    let network = script.network.as_deref().map(|file| format!("nsenter --net={} ", quoted(file)));
    let network = network.unwrap_or_default();
    let nice = if nice == 0 { String::new() } else { format!("nice -n {nice} ") };
    if !script.exec.is_empty() {
        let line: Vec<_> = script.exec.iter().map(|argument| word(argument)).collect();
        return format!("sh -c {} &", quote(&format!("{enter}exec {nice}{network}{}", line.join(" "))));
    }
    if script.namespaces.is_empty() && script.user.is_none() {
        let program = root_by_hand::program(script);
        return format!("sh -c {} &", quote(&format!("{enter}exec {nice}{network}{program}")));
    }
    let mut unshare = format!("{network}unshare --fork");
    if script.user.is_some() {
        unshare.push_str(" --user --map-root-user");
    }
    for namespace in &script.namespaces {
        unshare.push_str(" --");
        unshare.push_str(namespace.name());
    }
    let has = |namespace| script.namespaces.contains(&namespace);
    if has(Namespace::Pid) && has(Namespace::Mount) && script.root.is_none() {
        unshare.push_str(" --mount-proc");
    }
    let mut inside = vec!["set -e".to_owned()];
    inside.extend(script.host_name.as_deref().map(|name| format!("hostname {name}")));
    inside.extend(root_by_hand::inside(script));
    inside.push(format!("exec {}", root_by_hand::program(script)));
    let inside = quote(&inside.join("; "));
    format!("sh -c {} &", quote(&format!("{enter}exec {nice}{unshare} sh -c {inside}")))
}

fn workload(tenant: &Tenant) -> String {
    match &tenant.workload {
        Workload::Compute { threads, work, lock } => {
            let lock = if lock.is_some() { " that share a spin lock" } else { "" };
            format!("computes {} s on {threads} thread(s){lock}", work.seconds())
        }
        Workload::Server(server) => format!(
            "answers {} requests a second of {} ms each on {} thread(s)",
            server.arrivals.rate,
            server.service.cpu.seconds() * 1e3,
            server.threads
        ),
        Workload::Memory { start, leak, .. } => {
            format!("touches {} MiB of memory, then {} MiB a second more", start.0 >> 20, leak.0 >> 20)
        }
        Workload::Disk { size, block, depth, layer, .. } => {
            let file =
                layer.as_ref().map_or("its own file".to_owned(), |layer| format!("layer {:?}", layer.id));
            format!("moves {} MiB of {file}, {} bytes at a time, {depth} in flight", size.0 >> 20, block.0)
        }
        Workload::Network { to, size, what: NetworkWhat::Requests(requests) } => {
            format!("asks {to} {requests} times, {} bytes there and back", size.0)
        }
        Workload::Network { to, size, what: NetworkWhat::Bytes(bytes) } => {
            format!("sends {} bytes to {to}, {} at a time", bytes.0, size.0)
        }
        Workload::Command { argv, .. } => {
            format!("runs {}", argv.iter().map(|argument| word(argument)).collect::<Vec<_>>().join(" "))
        }
        Workload::Phases(phases) => format!("{} phases", phases.len()),
        _ => "does nothing".to_owned(),
    }
}

/// Stands for the worker in words and configurations, until the shell has put it in.
pub(crate) const WORKER: &str = "CATAMARAN_WORKER";
/// What puts it in.
pub(crate) const PUT_IN: &str = "sed \"s|CATAMARAN_WORKER|$WORKER|\"";

/// What a container is told to do that others start.
pub(crate) fn words() -> Vec<String> {
    ["sh", "-c", &format!("exec {WORKER}")].map(str::to_owned).into()
}

/// Makes those of a guard's groups that are not in `made`, to which they are added.
pub(crate) fn missing(groups: &[(PathBuf, PathBuf)], made: &mut Vec<String>) -> Vec<String> {
    let groups = groups.iter().map(|(group, _)| quoted(group));
    let missing: Vec<String> = groups.filter(|group| !made.contains(group)).collect();
    made.extend(missing.iter().cloned());
    missing.iter().map(|group| format!("mkdir {group}")).collect()
}

/// Shows one folder in the place of another.
pub(crate) fn show((folder, at): &(PathBuf, PathBuf)) -> String {
    format!("mount --bind {} {}", quoted(folder), quoted(at))
}

/// Hides a folder behind a file system in memory.
pub(crate) fn in_memory(at: &Path) -> String {
    format!("mount -t tmpfs -o nosuid,mode=755 catamaran {}", quoted(at))
}

/// Makes the folders of a root.
pub(crate) fn make_root(root: &Path) -> String {
    let folders = FOLDERS.map(|(name, _)| quoted(&root.join(name)));
    format!("mkdir -p {}", folders.join(" "))
}

/// Has the shell enter groups, before what it does next.
pub(crate) fn entering(groups: &[impl AsRef<Path>]) -> String {
    let paths: Vec<_> = groups.iter().map(|group| quoted(group.as_ref())).collect();
    match paths.as_slice() {
        [] => String::new(),
        paths => format!("for group in {}; do echo $$ > $group/cgroup.procs; done; ", paths.join(" ")),
    }
}

/// A path as a word of a shell line.
pub(crate) fn quoted(path: &Path) -> String {
    word(&path.to_string_lossy())
}

/// A word of a shell line; a variable stays one.
pub(crate) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._,-@:=".contains(c);
    if text == vm::INITRD || text.chars().all(plain) { text.to_owned() } else { quote(text) }
}

/// A text as one word of a shell line.
pub(crate) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
