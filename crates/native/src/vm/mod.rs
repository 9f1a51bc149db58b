//! The platform `vm`: a QEMU per tenant, with a kernel of its own and the worker as its only process.
//!
//! | file | question |
//! |---|---|
//! | `kernel`, `qemu`, `initramfs` | what is booted, by which command line, with which files |
//! | `guest`, `monitor`, `port`, `clock`, `bring_back` | how one guest is started, spoken to and read |
//! | `host_side` | what it costs on this side |
//! | `amend` | what the report says of it |
//! | `by_hand` | what `--dry-run` prints beside the command line |

mod amend;
mod bring_back;
mod by_hand;
mod clock;
mod doctor;
mod guest;
mod host_side;
mod initramfs;
mod kernel;
mod monitor;
mod port;
mod qemu;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use catamaran_modules::Module;
use catamaran_scenario::calibration::Accel;
use catamaran_scenario::file_work::FileWork;
use catamaran_scenario::plan::{Guest as Kind, PlatformSettings, Tenant};
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::script::Script;
use catamaran_worker::share::Share;

use crate::disk;
use crate::interrupt::Interrupt;
use crate::launcher::{Launcher, WorkerFile};
use crate::network::{Network, Tap, is_used};
use crate::order::Order;
use crate::problem::Problem;
use crate::program;
use guest::Boot;
use qemu::{Files, Machine};

pub(crate) use amend::{Cost, amend};
pub(crate) use doctor::{MOMENT, checks};
pub(crate) use guest::Guest;

/// Memory of a guest where the scenario names none (bytes): a cloud kernel with its worker needs about half.
const MEMORY_BYTES: u64 = 256 << 20;

/// How long a guest with a whole core may take to boot: some 20 times what it takes under TCG on a core of 2.6 GHz.
const BOOT_PATIENCE: Duration = Duration::from_secs(60);
/// Longest patience, however small a share of a core a guest has.
const BOOT_PATIENCE_MOST: Duration = Duration::from_secs(600);
/// How long KVM gets to show that a guest boots: there it takes a second. Nested or paravirtual KVM may spin for ever.
const KVM_PATIENCE: Duration = Duration::from_secs(8);

/// What makes guests on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Hypervisor {
    machine: Machine,
    /// Why it is not KVM.
    not_kvm: Option<String>,
    /// What guests' kernels take for a disk, where some guest has one.
    for_a_disk: Vec<Module>,
    /// The same for a network.
    for_a_network: Vec<Module>,
    /// What shows guests the machine's programs, where some tenant is one, and what their kernels take for that.
    for_programs: Option<(PathBuf, Vec<Module>)>,
}

impl Hypervisor {
    /// For a plan, with KVM where that is open to us and the plan does not say otherwise; nothing is booted.
    pub(crate) fn find(plan: &Plan) -> Result<Self, Problem> {
        let settings = plan.settings(Platform::Vm);
        let (accelerator, not_kvm) = wanted(&settings)?;
        let kernel = kernel::Kernel::find()?;
        let has_disks = plan.tenants().iter().any(|tenant| FileWork::all(&tenant.workload).next().is_some());
        let for_a_disk = has_disks.then(|| kernel.modules("disk", &kernel::FOR_A_DISK)).transpose()?;
        let for_a_network = is_used(plan)
            .then(|| check_tap().and_then(|()| kernel.modules("network", &kernel::FOR_A_NETWORK)))
            .transpose()?;
        let has_programs = plan.tenants().iter().any(|tenant| program::is_one(&tenant.workload));
        let for_programs = has_programs
            .then(|| Ok((qemu::daemon()?, kernel.modules("programs of the machine", &kernel::FOR_A_SHARE)?)))
            .transpose()?;
        let machine = Machine {
            qemu: qemu::find()?,
            kernel,
            vcpus: settings.vcpus.unwrap_or(plan.host().cores),
            memory_bytes: memory_bytes(&settings),
            accelerator,
            clock_khz: clock::counter_khz(),
        };
        let (for_a_disk, for_a_network) = (for_a_disk.unwrap_or_default(), for_a_network.unwrap_or_default());
        Ok(Self { machine, not_kvm, for_a_disk, for_a_network, for_programs })
    }

    /// The same, where KVM was found out by trying once to boot a guest in `folder`.
    pub(crate) fn try_out(
        mut self,
        plan: &Plan,
        worker: &WorkerFile,
        folder: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self, Problem> {
        if self.machine.accelerator == Accel::Tcg {
            return Ok(self);
        }
        static TRIED: OnceLock<Option<String>> = OnceLock::new();
        let failed = match TRIED.get() {
            Some(failed) => failed.clone(),
            None => {
                let answer = self.boot_for_nothing(worker, folder, interrupt);
                if answer == Err(Problem::Interrupted) {
                    return Err(Problem::Interrupted);
                }
                let failed = answer.err().map(|problem| problem.what());
                TRIED.get_or_init(|| failed).clone()
            }
        };
        let Some(why) = failed else { return Ok(self) };
        if plan.settings(Platform::Vm).accel.is_some() {
            return Err(Problem::unavailable(
                format!("no guest boots under KVM here: {why}"),
                "set `platform.vm.accel` to \"tcg\", which emulates",
            ));
        }
        self.machine.accelerator = Accel::Tcg;
        self.not_kvm = Some(format!("no guest boots under KVM here: {why}"));
        Ok(self)
    }

    fn boot_for_nothing(
        &self,
        worker: &WorkerFile,
        folder: &Path,
        interrupt: &Interrupt,
    ) -> Result<(), Problem> {
        let mut launcher = Launcher::start(worker, "kvm-trial", Order::turns(1, 1).write()?, interrupt)?;
        let files = Files::of(folder, "kvm-trial");
        let name = "catamaran-kvm-trial";
        let machine = &self.machine;
        let boot = Boot {
            machine,
            name,
            files: &files,
            modules: &[],
            network: None,
            patience: KVM_PATIENCE,
            interrupt,
        };
        boot.boot(&mut launcher, Script::default()).map(drop)
    }

    /// Boots the guest of `tenant`, called `label`, whose work is on the launcher's tape.
    pub(crate) fn boot(
        &self,
        launcher: &mut Launcher,
        mut script: Script,
        place: (&Path, &str),
        (tenant, network): (&Tenant, Option<(&Network, Tap)>),
        interrupt: &Interrupt,
    ) -> Result<Guest, Problem> {
        let (folder, label) = place;
        let tape_bytes = (launcher.tape.words().len() * size_of::<u64>()) as u64;
        if tape_bytes > self.machine.memory_bytes / 4 {
            return Err(Problem::new(
                format!("the requests of {label} take {} MiB in its guest", tape_bytes >> 20),
                "raise `platform.vm.memory`, or lower `duration` or `rate`",
            ));
        }
        let mut files = Files::of(folder, label);
        // It is QEMU that works on it; the worker in the guest has a disk.
        files.disk = script.file.take();
        files.tap = network.as_ref().map(|(_, tap)| tap.clone());
        files.share = self.share(&script, &files);
        let network = network.map(|(network, _)| network);
        let modules = &self.modules(&files);
        let run = folder.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("catamaran-{run}-{label}");
        let patience = patience(tenant, self.machine.accelerator);
        Boot { machine: &self.machine, name: &name, files: &files, modules, network, patience, interrupt }
            .boot(launcher, script)
    }

    /// What a guest's kernel is to load for its devices, each once.
    fn modules(&self, files: &Files) -> Vec<Module> {
        let for_programs = self.for_programs.iter().flat_map(|(_, modules)| modules);
        let all = [
            (files.disk.is_some(), self.for_a_disk.iter().collect::<Vec<_>>()),
            (files.tap.is_some(), self.for_a_network.iter().collect()),
            (files.share.is_some(), for_programs.collect()),
        ];
        let mut modules: Vec<Module> = Vec::new();
        for module in all.into_iter().filter(|(has, _)| *has).flat_map(|(_, modules)| modules) {
            if !modules.contains(module) {
                modules.push(module.clone());
            }
        }
        modules
    }

    /// What shows the guest the script's programs, where it has any.
    fn share(&self, script: &Script, files: &Files) -> Option<Share> {
        let (daemon, _) = self.for_programs.as_ref().filter(|_| !script.programs.is_empty())?;
        Some(Share { daemon: daemon.clone(), socket: files.port.with_extension("share") })
    }

    /// What runs the guests' instructions.
    pub(crate) fn accelerator(&self) -> Accel {
        self.machine.accelerator
    }

    /// The command line for a person: with a port and a disk by hand, and `$INITRD` in the archive's place.
    pub(crate) fn typed(&self, label: &str, tenant: &Tenant, tap: Option<Tap>) -> Vec<String> {
        let (disk, share) = (disk::by_hand::file(tenant, label), self.typed_share(tenant, label));
        let files = Files { disk, tap, share, ..Files::of(Path::new(by_hand::FOLDER), label) };
        self.machine.typed_command_line(label, &files, INITRD)
    }
}

/// What makes devices of a network whose other end is a program.
const TUN: &str = "/dev/net/tun";

/// What stands for the guest's file system in a dry run.
pub(crate) const INITRD: &str = "$INITRD";

/// Which accelerator is to be tried, and why it is not KVM.
fn wanted(settings: &PlatformSettings) -> Result<(Accel, Option<String>), Problem> {
    let open = std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm");
    match (settings.accel.as_deref(), open) {
        (Some("tcg"), _) => Ok((Accel::Tcg, Some("the scenario wants tcg".to_owned()))),
        (_, Ok(_)) => Ok((Accel::Kvm, None)),
        (Some(_), Err(error)) => Err(Problem::unavailable(
            format!("/dev/kvm: {error}"),
            "enable virtualisation and join the group kvm, or set `platform.vm.accel` to \"tcg\"",
        )),
        (None, Err(error)) => Ok((Accel::Tcg, Some(format!("/dev/kvm: {error}")))),
    }
}

/// Whether devices with another end in a guest can be made.
fn check_tap() -> Result<(), Problem> {
    match std::fs::OpenOptions::new().read(true).write(true).open(TUN) {
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::unavailable(
            format!("guests can have no network: {TUN}: {error}"),
            "modprobe tun, and run as root; or choose another platform",
        )),
    }
}

/// How long the tenant's guest may take to boot: longer, where its limit is less than a core.
fn patience(tenant: &Tenant, accelerator: Accel) -> Duration {
    let cores = tenant.cpu.limit.map_or(1.0, |limit| (limit.0 as f64 / 1000.0).clamp(0.001, 1.0));
    let whole = match accelerator {
        Accel::Tcg => BOOT_PATIENCE,
        Accel::Kvm => BOOT_PATIENCE / 2,
    };
    whole.div_f64(cores).min(BOOT_PATIENCE_MOST)
}

/// Memory of each guest (bytes).
pub(crate) fn memory_bytes(settings: &PlatformSettings) -> u64 {
    settings.memory.map_or(MEMORY_BYTES, |memory| memory.0)
}

/// Whether the platform's guest is one that is carried out: a Linux.
pub(crate) fn is_linux(settings: &PlatformSettings) -> bool {
    settings.guest.is_none_or(|guest| guest == Kind::Linux)
}
