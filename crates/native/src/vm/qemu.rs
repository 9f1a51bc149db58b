//! QEMU: where it is, and the command line of a guest.

use std::path::{Path, PathBuf};

use catamaran_scenario::calibration::Accel;
use catamaran_worker::port::SHARE;
use catamaran_worker::share::Share;

use super::kernel::Kernel;
use crate::installed::Installed;
use crate::network::Tap;
use crate::problem::Problem;

const PROGRAM: &str = "qemu-system-x86_64";
/// Where QEMU 7.2 has the daemon that shows folders of a machine to its guests.
const DAEMON: &str = "/usr/lib/qemu/virtiofsd";

/// Translated code that TCG keeps (MiB). Its default grows with the guest's memory; a kernel and a worker need less.
const TRANSLATED_MIB: u32 = 64;

/// QEMU as it is installed here.
///
/// # Errors
/// [`Problem::Unavailable`] where there is none, or it does not start.
pub(crate) fn find() -> Result<Installed, Problem> {
    Installed::find(PROGRAM, "apt-get install qemu-system-x86")
}

/// The daemon that shows guests the machine's programs.
///
/// # Errors
/// [`Problem::Unavailable`] where there is none.
pub(super) fn daemon() -> Result<PathBuf, Problem> {
    let daemon = PathBuf::from(DAEMON);
    if daemon.is_file() {
        return Ok(daemon);
    }
    let why = format!("nothing shows guests the machine's programs: there is no {DAEMON}");
    let remedy = "apt-get install qemu-system-common, of QEMU 5.0 to 7.2 (Debian 12 has it); or choose another platform";
    Err(Problem::unavailable(why, remedy))
}

/// The virtual machine that each tenant of a run gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    pub(crate) qemu: Installed,
    pub(crate) kernel: Kernel,
    pub(crate) vcpus: u32,
    /// Memory of the guest (bytes).
    pub(crate) memory_bytes: u64,
    pub(crate) accelerator: Accel,
    /// Rate of this machine's time stamp counter (kHz).
    pub(crate) clock_khz: u64,
}

/// Files of one guest in the run's folder, and what its devices are on our side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    /// Its initramfs.
    pub(crate) initrd: PathBuf,
    /// Socket of QEMU's monitor.
    pub(crate) monitor: PathBuf,
    /// Socket of the guest's second serial port.
    pub(crate) port: PathBuf,
    /// What the guest's kernel says.
    pub(crate) console: PathBuf,
    /// What QEMU says.
    pub(crate) errors: PathBuf,
    /// The tenant's own file, where it works on one: the guest's disk.
    pub(crate) disk: Option<PathBuf>,
    /// Its device of the run's network, where tenants talk.
    pub(crate) tap: Option<Tap>,
    /// What shows it the machine's programs, where its tenant is one.
    pub(crate) share: Option<Share>,
}

impl Files {
    /// Of the guest `label` in `folder`.
    pub(crate) fn of(folder: &Path, label: &str) -> Self {
        let file = |ending: &str| folder.join(format!("{label}.{ending}"));
        Self {
            initrd: file("initrd"),
            monitor: file("monitor"),
            port: file("port"),
            console: file("console"),
            errors: file("errors"),
            disk: None,
            tap: None,
            share: None,
        }
    }
}

impl Machine {
    /// Program and arguments as a run starts them: halted until the monitor says otherwise, with sockets on which the
    /// runner listens.
    pub(crate) fn command_line(&self, name: &str, files: &Files) -> Vec<String> {
        let mut line = self.machine(name);
        let socket = |id: &str, path: &Path| format!("socket,id={id},path={}", path.display());
        for argument in [
            "-S".to_owned(),
            "-chardev".to_owned(),
            socket("monitor", &files.monitor),
            "-mon".to_owned(),
            "chardev=monitor,mode=control".to_owned(),
            "-serial".to_owned(),
            format!("file:{}", files.console.display()),
            "-chardev".to_owned(),
            socket("port", &files.port),
        ] {
            line.push(argument);
        }
        line.extend(self.devices(files));
        line.extend(self.boot(&files.initrd.to_string_lossy()));
        line
    }

    /// The same for a person: it runs at once, and the port waits for whoever connects.
    pub(crate) fn typed_command_line(&self, name: &str, files: &Files, initrd: &str) -> Vec<String> {
        let mut line = self.machine(name);
        let port = format!("socket,id=port,path={},server=on,wait=off", files.port.display());
        line.extend(["-serial", "stdio", "-chardev"].map(str::to_owned));
        line.push(port);
        line.extend(self.devices(files));
        line.extend(self.boot(initrd));
        line
    }

    fn machine(&self, name: &str) -> Vec<String> {
        let accelerator = match self.accelerator {
            Accel::Kvm => "kvm".to_owned(),
            Accel::Tcg => format!("tcg,thread=multi,tb-size={TRANSLATED_MIB}"),
        };
        let mut line = vec![self.qemu.program.to_string_lossy().into_owned()];
        let memory = format!("{}M", self.memory_bytes >> 20);
        let vcpus = self.vcpus.to_string();
        line.extend(
            ["-name", name, "-M", "microvm", "-accel", &accelerator, "-smp", &vcpus, "-m", &memory]
                .map(str::to_owned),
        );
        if self.accelerator == Accel::Kvm {
            line.extend(["-cpu", "host"].map(str::to_owned));
        }
        line.extend(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"].map(str::to_owned));
        line
    }

    /// A guest's devices on the bus of the microvm.
    fn devices(&self, files: &Files) -> Vec<String> {
        let mut line = disk(files.disk.as_deref());
        if let Some(Tap { device, hardware, .. }) = &files.tap {
            let ours = format!("tap,id=net,ifname={device},script=no,downscript=no");
            let theirs = format!("virtio-net-device,netdev=net,mac={hardware}");
            line.extend(["-netdev".to_owned(), ours, "-device".to_owned(), theirs]);
        }
        line.extend(files.share.iter().flat_map(|share| self.shared(&share.socket)));
        line
    }

    /// The file system of a daemon that listens on a socket. It works in the guest's memory, which therefore is a file without a
    /// name, and speaks to devices of virtio 1 alone (QEMU, `docs/tools/virtiofsd.rst`).
    fn shared(&self, socket: &Path) -> Vec<String> {
        let memory = format!("memory-backend-memfd,id=memory,size={}M,share=on", self.memory_bytes >> 20);
        let socket = format!("socket,id=share,path={}", socket.display());
        let device = format!("vhost-user-fs-device,chardev=share,tag={SHARE}");
        [
            ("-object", memory.as_str()),
            ("-machine", "memory-backend=memory"),
            ("-global", "virtio-mmio.force-legacy=false"),
            ("-chardev", &socket),
            ("-device", &device),
        ]
        .iter()
        .flat_map(|(option, value)| [(*option).to_owned(), (*value).to_owned()])
        .collect()
    }

    fn boot(&self, initrd: &str) -> Vec<String> {
        let mut append = "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t".to_owned();
        if self.accelerator == Accel::Tcg {
            // The emulated counter is this machine's own, and the microvm has no other clock to measure it by: untold,
            // the kernel takes a wrong rate for it, or hangs.
            append += &format!(" tsc=reliable tsc_early_khz={}", self.clock_khz);
        }
        let kernel = self.kernel.image.to_string_lossy().into_owned();
        let parts =
            ["-device", "isa-serial,index=1,chardev=port", "-kernel", &kernel, "-initrd", initrd, "-append"];
        parts.into_iter().map(str::to_owned).chain([append]).collect()
    }
}

/// A disk. It goes past this machine's page cache, so that whoever is bounded is the tenant's group;
/// what the guest has flushed is on this machine's disk (`cache.direct=on`, `cache.writeback=on`, `cache.no-flush=off`).
fn disk(file: Option<&Path>) -> Vec<String> {
    let Some(file) = file else { return Vec::new() };
    let file = file.to_string_lossy().replace(',', ",,");
    let drive = format!("if=none,id=disk,format=raw,cache=none,file={file}");
    ["-drive".to_owned(), drive, "-device".to_owned(), "virtio-blk-device,drive=disk".to_owned()].into()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::vm) fn machine(accelerator: Accel) -> Machine {
        Machine {
            qemu: Installed { program: "/usr/bin/qemu-system-x86_64".into(), version: String::new() },
            kernel: Kernel { image: "/boot/vmlinuz-6.1.0-45-cloud-amd64".into(), release: String::new() },
            vcpus: 2,
            memory_bytes: 256 << 20,
            accelerator,
            clock_khz: 2_596_118,
        }
    }

    #[test]
    fn the_command_line_says_what_the_scenario_asks_for() {
        let files = Files::of(Path::new("/run/catamaran/1-2"), "web.0");
        let mut with_disk = files.clone();
        with_disk.tap = Some(Tap::of(0));
        with_disk.disk = Some("/var/tmp/a,b.file".into());
        let line = machine(Accel::Tcg).command_line("x", &with_disk).join(" ");
        let disk = "-drive if=none,id=disk,format=raw,cache=none,file=/var/tmp/a,,b.file -device virtio-blk-device,drive=disk";
        let card = "-netdev tap,id=net,ifname=tenant0,script=no,downscript=no -device virtio-net-device,netdev=net,mac=52:54:00:57:00:01";
        assert!(line.contains(disk) && line.contains(card), "{line}");
        with_disk.share = Share::from_text("/usr/lib/qemu/virtiofsd\t/run/catamaran/1-2/web.0.share");
        let line = machine(Accel::Tcg).command_line("x", &with_disk).join(" ");
        let share = "size=256M,share=on -machine memory-backend=memory -global virtio-mmio.force-legacy=false -chardev \
                     socket,id=share,path=/run/catamaran/1-2/web.0.share -device vhost-user-fs-device,chardev=share,tag=machine";
        assert!(line.contains(share), "{line}");
        let line = machine(Accel::Tcg).command_line("catamaran-1-2-web.0", &files).join(" ");
        for part in [
            "-M microvm -accel tcg,thread=multi,tb-size=64 -smp 2 -m 256M",
            "-S -chardev socket,id=monitor,path=/run/catamaran/1-2/web.0.monitor",
            "-initrd /run/catamaran/1-2/web.0.initrd",
            "tsc=reliable tsc_early_khz=2596118",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
        let line = machine(Accel::Kvm).command_line("x", &files).join(" ");
        assert!(line.contains("-accel kvm") && line.contains("-cpu host") && !line.contains("tsc"), "{line}");
    }

    #[test]
    fn a_person_gets_a_line_that_runs_at_once() {
        let files = Files::of(Path::new("/tmp"), "web.0");
        let line = machine(Accel::Tcg).typed_command_line("web", &files, "INITRD");
        assert!(!line.join(" ").contains("virtio"), "{line:?}");
        assert!(!line.contains(&"-S".to_owned()));
        assert!(line.join(" ").contains("path=/tmp/web.0.port,server=on,wait=off"));
    }
}
