//! Process 1 of the guest in which `cargo xtask test --only native-v2` runs the native tests on cgroup v2. It makes the
//! guest look like a machine of today, runs the programs that `/groups` lists, each in the control group that it asks
//! for, and switches the guest off.
//!
//! Modules of the kernel lie in `/modules` and are loaded in the order of their names; where they bring a disk, it is the folder
//! for files. One called [`PROGRAMS`] has programs that are too large for the guest's memory.
//!
//! A line of `/groups`: seconds, place (`alone`, `shared`, `root`), variables (`NAME=VALUE`), program, its arguments. [`WANTED`] says
//! which lines are run: an earlier guest may have run the others.

use std::error::Error;
use std::ffi::CStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, mount, mount_move};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use rustix::system::{RebootCommand, reboot};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The tree of control groups.
const TREE: &str = "/sys/fs/cgroup";
/// The group of process 1, which is not alone in it as long as a test runs there.
const SHARED: &str = "/sys/fs/cgroup/init.scope";
/// A group that a test has for itself.
const ALONE: &str = "/sys/fs/cgroup/test.scope";
/// Whoever looks every 20 ms and finds so much time gone has stood still with the whole guest: an emulator may lose a timer.
const STOOD_STILL: Duration = Duration::from_secs(30);
/// How often it says that it is there: whoever has booted the guest hears by that that it does not stand still.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// What it says then, before the end of a line which is none: ENQ, that nobody else writes.
const AT_WORK: char = '\x05';
/// Numbers of lines of `/groups`, with commas between them, on the kernel's command line.
const WANTED: &str = "CATAMARAN_GROUPS";
/// Folder of what is known of disks.
const DISKS: &str = "/sys/block";
/// What begins the names of virtio disks.
const VIRTIO: &str = "vd";
/// What a disk with programs calls itself, and where its folder `bin` is in the guest.
const PROGRAMS: (&str, &str) = ("programs", "/usr/local");
/// The first folder where the runner looks for a disk to put files on.
const FILES: &str = "/var/tmp";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["switched", ..] => run_all(),
        ["enter", group, program, arguments @ ..] => enter(group, program, arguments),
        _ if std::process::id() == 1 => leave_the_initramfs(),
        _ => Err("this is process 1 of a guest, never started by hand".into()),
    };
    if let Err(error) = outcome {
        println!("guest: {error}");
    }
    if std::process::id() == 1 {
        // The last lines are still on their way through the serial line.
        std::thread::sleep(Duration::from_millis(200));
        let _ = reboot(RebootCommand::Restart);
    }
}

/// The initramfs can't be the old root of `pivot_root`, which containers need: everything moves to a tmpfs.
fn leave_the_initramfs() -> Outcome<()> {
    fs::create_dir("/new")?;
    mount_new("tmpfs", "/new", c"mode=755,size=90%")?;
    for entry in fs::read_dir("/")? {
        let path = entry?.path();
        if path != Path::new("/new") && path != Path::new("/dev") && path != Path::new("/root") {
            move_tree(&path, &Path::new("/new").join(path.strip_prefix("/")?))?;
        }
    }
    std::env::set_current_dir("/new")?;
    mount_move(".", "/")?;
    rustix::process::chroot(".")?;
    std::env::set_current_dir("/")?;
    Err(Command::new("/init").arg("switched").exec().into())
}

fn move_tree(from: &Path, to: &Path) -> Outcome<()> {
    if from.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let path = entry?.path();
            move_tree(&path, &to.join(path.strip_prefix(from)?))?;
        }
        return Ok(());
    }
    fs::copy(from, to)?;
    Ok(fs::remove_file(from)?)
}

fn run_all() -> Outcome<()> {
    let file_systems = [
        ("proc", "/proc"),
        ("sysfs", "/sys"),
        ("devtmpfs", "/dev"),
        ("devpts", "/dev/pts"),
        ("tmpfs", "/dev/shm"),
        ("tmpfs", "/run"),
        ("tmpfs", "/tmp"),
    ];
    for (kind, place) in file_systems {
        fs::create_dir_all(place)?;
        mount_new(kind, place, c"")?;
    }
    load_modules();
    fs::create_dir_all(FILES)?;
    for entry in fs::read_dir(DISKS)? {
        use_disk(&entry?.file_name().to_string_lossy())?;
    }
    // As systemd mounts it.
    mount_new("cgroup2", TREE, c"nsdelegate,memory_recursiveprot")?;
    fs::create_dir(SHARED)?;
    fs::write(Path::new(SHARED).join("cgroup.procs"), "1")?;
    let controllers = fs::read_to_string(Path::new(TREE).join("cgroup.controllers"))?;
    let all: Vec<String> = controllers.split_whitespace().map(|name| format!("+{name}")).collect();
    fs::write(Path::new(TREE).join("cgroup.subtree_control"), all.join(" "))?;
    println!(
        "guest: Linux {}, controllers {}",
        fs::read_to_string("/proc/sys/kernel/osrelease")?.trim(),
        controllers.trim()
    );
    let wanted = std::env::var(WANTED)?;
    let is_wanted = |number: usize| wanted.split(',').any(|wanted| wanted == number.to_string());
    let groups = fs::read_to_string("/groups")?;
    for (number, group) in groups.lines().enumerate().filter(|(number, _)| is_wanted(*number)) {
        run_group(group)?;
        println!("guest: that was group {number}");
    }
    Ok(())
}

/// Loads the modules; what can't be loaded is a failure like that of a test.
fn load_modules() {
    for what in catamaran_worker::modules::load(Path::new(catamaran_worker::port::MODULES)) {
        println!("test a module is loaded ({what}) ... FAILED");
    }
}

/// Takes a virtio disk for files, with the scheduler that knows the weights of groups where its module is loaded, or shows its
/// programs.
fn use_disk(name: &str) -> Outcome<()> {
    if !name.starts_with(VIRTIO) {
        return Ok(());
    }
    let folder = Path::new(DISKS).join(name);
    let called = fs::read_to_string(folder.join("serial")).unwrap_or_default();
    let has_programs = called.trim() == PROGRAMS.0;
    let (at, flags) = if has_programs {
        (PROGRAMS.1, MountFlags::RDONLY | MountFlags::NODEV)
    } else {
        (FILES, MountFlags::empty())
    };
    fs::create_dir_all(at)?;
    let disk = format!("/dev/{name}");
    mount(&disk, at, "ext4", flags, c"").map_err(|error| format!("cannot mount {disk} at {at}: {error}"))?;
    if !has_programs {
        // Open to everybody, as that folder is.
        fs::set_permissions(at, fs::Permissions::from_mode(0o1777))?;
    }
    let scheduler = folder.join("queue/scheduler");
    if !has_programs && fs::read_to_string(&scheduler)?.contains("bfq") {
        fs::write(scheduler, "bfq")?;
    }
    Ok(())
}

/// Runs one line of `/groups`, until it ends or its time is up.
fn run_group(line: &str) -> Outcome<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (head, rest) = words.split_at(words.len().min(2));
    let count = rest.iter().take_while(|word| word.contains('=')).count();
    let (variables, rest) = rest.split_at(count);
    let ([seconds, place], [program, arguments @ ..]) = (head, rest) else {
        return Err(format!("not a group: {line:?}").into());
    };
    let group = match *place {
        "alone" => ALONE,
        "shared" => SHARED,
        _ => TREE,
    };
    let _ = fs::create_dir(group);
    println!("\nguest: {program} in {group}");
    let begun = Instant::now();
    let mut command = Command::new("/init");
    command.args(["enter", group, program]).args(["--test-threads=1", "--show-output"]).args(arguments);
    command
        .env_clear()
        .env("PATH", "/bin")
        .env("CATAMARAN_CGROUP", "2")
        .envs(std::env::vars().filter(|(name, _)| name.starts_with("CATAMARAN_")))
        .envs(variables.iter().filter_map(|variable| variable.split_once('=')));
    let child = command.spawn()?;
    let child = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("no number of a process")?;
    let until = begun + Duration::from_secs(seconds.parse()?);
    let mut looked = Instant::now();
    let mut said = looked;
    let status = loop {
        // Then no time limit means anything; whoever has booted the guest boots it again.
        if looked.elapsed() > STOOD_STILL {
            return Err(format!("stood still for {:.0} s", looked.elapsed().as_secs_f64()).into());
        }
        looked = Instant::now();
        if said.elapsed() > SIGN_OF_LIFE {
            said = looked;
            // Also between the beginning of a line and its end: a test's name and what came of it.
            println!("{AT_WORK}");
        }
        match wait(WaitOptions::NOHANG)? {
            Some((pid, status)) if pid == child => break Some(status),
            // Whoever was orphaned ends with us.
            Some(_) => {}
            None if Instant::now() >= until => break None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let took = begun.elapsed().as_secs_f64();
    match status {
        Some(status) if status.exit_status() == Some(0) => println!("guest: done in {took:.1} s"),
        Some(status) => println!("test {program} in {group} as a whole ({status:?}) ... FAILED"),
        None => {
            kill_process(child, Signal::KILL)?;
            println!("test {program} in {group} within {seconds} s ... FAILED");
        }
    }
    Ok(())
}

/// Goes into a control group and becomes the program.
fn enter(group: &str, program: &str, arguments: &[&str]) -> Outcome<()> {
    fs::write(Path::new(group).join("cgroup.procs"), "0")?;
    Err(Command::new(program).args(arguments).exec().into())
}

fn mount_new(kind: &str, place: &str, options: &CStr) -> Outcome<()> {
    mount(kind, place, kind, MountFlags::empty(), options)
        .map_err(|error| format!("cannot mount {kind} at {place}: {error}"))?;
    Ok(())
}
