//! The machine of the guest with cgroup v2: an emulated microvm, its kernel with the modules that tests need, its disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use catamaran_modules::Modules;

use super::initramfs::Initramfs;
use crate::shell::{Workspace, capture};

/// Turns of the fixed loop that stand for a CPU second in the guest: an emulated core makes a fraction of a real one's.
const TURNS_PER_CPU_S: &str = "6e8";
/// What the runner's networks are made of.
const FOR_NETWORKS: [&str; 8] =
    ["veth", "bridge", "ifb", "sch_tbf", "sch_netem", "sch_ingress", "cls_u32", "act_mirred"];
/// What a disk takes.
const FOR_A_DISK: [&str; 4] = ["virtio_mmio", "virtio_blk", "ext4", "overlay"];
/// Of e2fsprogs; Debian has it in a folder that only root has on PATH.
const MKFS: [&str; 2] = ["mkfs.ext4", "/usr/sbin/mkfs.ext4"];
/// Size of the disk (bytes): several times what the tests put on it.
const DISK_BYTES: u64 = 256 << 20;
/// What a disk with programs calls itself; the guest's first process knows it by that.
const PROGRAMS: &str = "programs";
/// Room on it beside the programs (bytes), for its own tables.
const TABLES_BYTES: u64 = 32 << 20;

/// A machine to be booted.
pub(super) struct Machine {
    kernel: PathBuf,
    archive: PathBuf,
    disk: Option<Disk>,
    /// Programs that are not in its first file system.
    programs: Option<PathBuf>,
    /// What the tests are told to find, so that they skip nothing: process 1 has such words of the kernel's command line as
    /// variables.
    promised: Vec<&'static str>,
}

struct Disk {
    /// What makes its file system.
    mkfs: PathBuf,
    file: PathBuf,
}

impl Machine {
    /// With that kernel, whose modules go into its file system, for the disk also those named in `schedulers`; what is made for
    /// it lies in `folder`.
    pub(super) fn prepare(
        workspace: &Workspace,
        kernel: PathBuf,
        schedulers: &[&'static str],
        folder: &Path,
        image: &mut Initramfs,
    ) -> Result<Self> {
        let modules = Modules::of(&kernel);
        let archive = folder.join("initramfs.cpio");
        let mut machine = Self { kernel, archive, disk: None, programs: None, promised: Vec::new() };
        let mut wanted = Vec::new();
        match modules.in_order(&FOR_NETWORKS) {
            Ok(_) => {
                wanted.extend(FOR_NETWORKS);
                machine.promised.push("CATAMARAN_NETWORK");
            }
            Err(why) => println!("the guest has no networks: {why:#}"),
        }
        let for_a_disk = [&FOR_A_DISK[..], schedulers].concat();
        match modules.in_order(&for_a_disk).map_err(Into::into).and_then(|_| mkfs(workspace)) {
            Ok(mkfs) => {
                wanted.extend(for_a_disk);
                machine.promised.push("CATAMARAN_DISK");
                machine.programs = programs(workspace, &mkfs, folder, image)?;
                machine.disk = Some(Disk { mkfs, file: folder.join("disk") });
            }
            Err(why) => println!("the guest has no disk: {why:#}"),
        }
        for (number, module) in modules.in_order(&wanted)?.into_iter().enumerate() {
            image.file(&format!("/modules/{number:02}-{}.ko", module.name), module.bytes);
        }
        Ok(machine)
    }

    /// Where its first file system is to lie.
    pub(super) fn archive(&self) -> &Path {
        &self.archive
    }

    /// What boots it, with an empty disk and with its serial line on our standard output; it runs these groups.
    pub(super) fn boot(&self, workspace: &Workspace, groups: &[usize]) -> Result<Command> {
        let mut qemu = workspace.command("qemu-system-x86_64");
        qemu.args(["-M", "microvm", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1G", "-nodefaults"]);
        qemu.args(["-no-user-config", "-display", "none", "-serial", "stdio", "-no-reboot"]);
        qemu.arg("-kernel").arg(&self.kernel).arg("-initrd").arg(&self.archive);
        if let Some(disk) = &self.disk {
            disk.make(workspace)?;
            // Nobody needs what is on it after the guest.
            let drive = format!("if=none,id=disk,format=raw,cache=unsafe,file={}", as_value(&disk.file));
            qemu.args(["-device", "virtio-blk-device,drive=disk", "-drive", &drive]);
        }
        if let Some(programs) = &self.programs {
            let drive = format!("if=none,id=programs,format=raw,readonly=on,file={}", as_value(programs));
            let device = format!("virtio-blk-device,drive=programs,serial={PROGRAMS}");
            qemu.args(["-device", &device, "-drive", &drive]);
        }
        let mut append = format!(
            "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t tsc=reliable tsc_early_khz={} CATAMARAN_TURNS_PER_CPU_S={TURNS_PER_CPU_S}",
            clock_khz()
        );
        let groups: Vec<String> = groups.iter().map(usize::to_string).collect();
        append += &format!(" CATAMARAN_GROUPS={}", groups.join(","));
        for what in &self.promised {
            append += &format!(" {what}=1");
        }
        qemu.args(["-append", &append]);
        Ok(qemu)
    }
}

impl Disk {
    /// Makes it anew, with an empty ext4 on it, whose tables are written now and not while tests run.
    fn make(&self, workspace: &Workspace) -> Result<()> {
        fs::File::create(&self.file)?.set_len(DISK_BYTES)?;
        let mut mkfs = workspace.command(&self.mkfs.to_string_lossy());
        mkfs.args(["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"]).arg(&self.file);
        capture(&mut mkfs).map(drop)
    }
}

/// A path as a value among QEMU's options.
fn as_value(path: &Path) -> String {
    path.to_string_lossy().replace(',', ",,")
}

/// A disk with the programs that are to lie on one, made in `folder`; none where there are none.
fn programs(workspace: &Workspace, mkfs: &Path, folder: &Path, image: &Initramfs) -> Result<Option<PathBuf>> {
    if image.on_disk().is_empty() {
        return Ok(None);
    }
    let (tree, disk) = (folder.join("on-disk"), folder.join("programs"));
    let bin = tree.join("bin");
    fs::create_dir_all(&bin)?;
    let mut bytes = TABLES_BYTES;
    for (name, program) in image.on_disk() {
        bytes += fs::copy(program, bin.join(name)).with_context(|| program.display().to_string())?;
    }
    fs::File::create(&disk)?.set_len(bytes + bytes / 16)?;
    let mut command = workspace.command(&mkfs.to_string_lossy());
    command.args(["-q", "-F", "-m", "0", "-O", "^has_journal", "-d"]).arg(&tree).arg(&disk);
    capture(&mut command)?;
    fs::remove_dir_all(&tree)?;
    Ok(Some(disk))
}

fn mkfs(workspace: &Workspace) -> Result<PathBuf> {
    let found = MKFS.iter().find_map(|name| workspace.find(name));
    found.context("there is no mkfs.ext4 (of e2fsprogs) on this machine")
}

/// Rate of the clock that the emulator lends to its guests (kHz): on the microvm the kernel can't measure it. Wrong
/// where the processor runs at another rate than its time stamp counter; then the guest's seconds are shorter or longer.
fn clock_khz() -> u64 {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let megahertz = text.lines().find_map(|line| line.strip_prefix("cpu MHz")?.split(": ").nth(1));
    megahertz
        .and_then(|value| value.trim().parse::<f64>().ok())
        .map_or(2_000_000, |value| (value * 1e3) as u64)
}
