//! What a guest costs on this side: the threads of its QEMU, how long those that execute the guest waited for a core,
//! what the others consumed, and what memory it all takes.

use std::fs;
use std::path::PathBuf;

/// CPU time and run-queue wait of a guest's threads (ns).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Run-queue wait of the threads that execute the guest's processors: time that the guest believes to run.
    pub(crate) stolen_ns: u64,
    /// CPU time of all other threads of QEMU, and of the daemon that it has for a child.
    pub(crate) overhead_ns: u64,
}

/// The threads of one QEMU.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Threads {
    pid: u32,
    vcpus: Vec<u32>,
}

impl Threads {
    pub(super) fn find(pid: u32, vcpus: &[u32]) -> Self {
        Self { pid, vcpus: vcpus.to_vec() }
    }

    /// What they have counted so far.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for task in tasks(self.pid) {
            let name = task.file_name().and_then(|name| name.to_str());
            let Some(thread) = name.and_then(|name| name.parse::<u32>().ok()) else { continue };
            let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            let mut figures = text.split_ascii_whitespace().filter_map(|figure| figure.parse::<u64>().ok());
            let (cpu_ns, wait_ns) = (figures.next().unwrap_or(0), figures.next().unwrap_or(0));
            if self.vcpus.contains(&thread) {
                counts.stolen_ns += wait_ns;
            } else {
                counts.overhead_ns += cpu_ns;
            }
        }
        counts
    }

    /// Memory that the process holds (bytes): guest, monitor and translated code.
    pub(super) fn resident_bytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        resident(&status)
    }
}

/// The threads of a process and of all that descend from it, as folders of `/proc`.
fn tasks(pid: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let own: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    let lists = own.iter().filter_map(|task| fs::read_to_string(task.join("children")).ok());
    let children: Vec<u32> = lists
        .flat_map(|list| {
            list.split_ascii_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>()
        })
        .collect();
    own.into_iter().chain(children.into_iter().flat_map(tasks)).collect()
}

/// `VmRSS` of `/proc/PID/status` (bytes).
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(resident("VmPeak:\t 9 kB\nVmRSS:\t  200 kB\n"), Some(200 << 10));
        assert_eq!(resident("VmPeak:\t 9 kB\n"), None);
    }

    #[test]
    fn children_and_theirs_count() {
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", "sh -c 'while :; do :; done' & wait"]);
        let mut shell = std::os::unix::process::CommandExt::process_group(&mut shell, 0).spawn().unwrap();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let busy = || Threads::find(shell.id(), &[]).counts().overhead_ns > 200_000_000;
        while !busy() && std::time::Instant::now() < until {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let counted = busy();
        let group = rustix::process::Pid::from_child(&shell);
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
        shell.wait().unwrap();
        assert!(counted, "the one that is busy is a grandchild");
    }

    #[test]
    fn our_own_threads_are_counted_apart() {
        let pid = std::process::id();
        let others = Threads::find(pid, &[]).counts();
        assert!(others.overhead_ns > 0 && others.stolen_ns == 0, "{others:?}");
        assert!(Threads::find(pid, &[]).resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }
}
