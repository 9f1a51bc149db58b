//! LXC by its tools: no daemon and no images; a folder is the root, a file the configuration, and each container has a monitor.
//!
//! **Source.** `lxc.container.conf(5)`, `lxc-start(1)`; `lxc_error_set_and_log` in lxc `src/lxc/error.c` for the words of the log.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use catamaran_scenario::Platform;
use catamaran_worker::room_plan::Said;
use catamaran_worker::script::Step;

use super::super::MONITOR;
use super::{Call, Calls, Container, Laid, Place, owned, text};

pub(in super::super) struct Lxc;

pub(in super::super) const LXC: Lxc = Lxc;

/// Capabilities that LXC's own `common.conf` takes away.
const DROPPED: &str = "mac_admin mac_override sys_time sys_module";

/// Waits for a container's monitor to be gone, whatever it calls itself, and shows its log: its last words come after the state
/// `STOPPED`, for which `lxc-wait` would wait.
const WHEN_GONE: &str = "while grep -qsa -e \"[-]-name.$2.--lxcpath\" -e \"[l]xc monitor. $1 $2\" /proc/[0-9]*/cmdline; \
                         do sleep 0.01; done; cat \"$3\"";

impl Lxc {
    /// Folder of all containers.
    fn home(at: &Place) -> PathBuf {
        at.folder.join("lxc")
    }

    fn log(at: &Place, name: &str) -> PathBuf {
        Self::home(at).join(name).join("log")
    }

    fn configuration(at: &Place, container: &Container<'_>) -> String {
        let name = container.name;
        let folder = Self::home(at).join(name);
        let root = match container.root {
            Some(image) => format!("overlayfs:{}:{}", image.display(), folder.join("upper").display()),
            None => format!("dir:{}", folder.join("rootfs").display()),
        };
        let group = format!("{}/{name}", at.parent);
        let group = group.trim_start_matches('/');
        let mut lines = format!(
            "lxc.rootfs.path = {root}\nlxc.uts.name = {}\nlxc.net.0.type = empty\nlxc.net.0.flags = up\nlxc.mount.auto = proc:mixed sys:ro\n\
             lxc.apparmor.profile = unconfined\nlxc.cap.drop = {DROPPED}\n\
             lxc.cgroup.dir.container = {group}\nlxc.cgroup.dir.monitor = {name}{MONITOR}\n",
            container.host_name,
        );
        for (file, at) in container.binds() {
            let _ = writeln!(lines, "lxc.mount.entry = {file} {} none bind 0 0", at.trim_start_matches('/'));
        }
        for path in container.programs {
            let kind = if path.is_dir() { "dir" } else { "file" };
            let path = text(path);
            let at = path.trim_start_matches('/');
            let _ =
                writeln!(lines, "lxc.mount.entry = {path} {at} none bind,ro,nosuid,nodev,create={kind} 0 0");
        }
        let prefix = if at.version == 2 { "lxc.cgroup2" } else { "lxc.cgroup" };
        for step in container.steps {
            if let Step::Write { value, file } = step {
                let file = file.file_name().unwrap_or_default().to_string_lossy();
                let _ = writeln!(lines, "{prefix}.{file} = {value}");
            }
        }
        lines
    }
}

impl Calls for Lxc {
    fn programs(&self) -> &'static [&'static str] {
        &["lxc-start"]
    }

    fn remedy(&self) -> &'static str {
        "apt-get install lxc"
    }

    fn runtime(&self) -> Option<Platform> {
        None
    }

    /// Containers lie below the group of whoever starts them, which therefore is in the guard.
    fn stays(&self) -> bool {
        true
    }

    fn knows_images(&self) -> bool {
        false
    }

    fn load(&self, _at: &Place, _archive: &Path) -> Vec<String> {
        Vec::new()
    }

    fn start(&self, at: &Place, container: &Container<'_>) -> Call {
        let folder = Self::home(at).join(container.name);
        let root = match container.root {
            // What the container writes lies beside it.
            Some(_) => Laid::Folder(folder.join("upper")),
            None => Laid::Root(folder.join("rootfs")),
        };
        let configuration = folder.join("config");
        let text_of = Laid::File(configuration.clone(), Self::configuration(at, container));
        let mut words = vec![at.program(0)];
        words.extend(owned(["--daemon", "--logpriority=INFO", "--name", container.name]));
        for (option, path) in [
            ("--lxcpath", Self::home(at)),
            ("--rcfile", configuration),
            ("--logfile", Self::log(at, container.name)),
        ] {
            words.extend([option.to_owned(), text(&path)]);
        }
        words.push("--".to_owned());
        words.extend(container.words.iter().cloned());
        Call { laid_out: vec![root, text_of], words }
    }

    fn log_of(&self, at: &Place, name: &str) -> Option<PathBuf> {
        Some(Self::log(at, name))
    }

    fn ask_end(&self, at: &Place, name: &str) -> Vec<String> {
        let mut words = owned(["sh", "-c", WHEN_GONE, "sh"]);
        words.extend([text(&Self::home(at)), name.to_owned(), text(&Self::log(at, name))]);
        words
    }

    /// The log says nothing of a program that ended well.
    fn code_in(&self, said: &Said) -> Option<i32> {
        if !said.is_well() {
            return None;
        }
        let number = |word: &str| -> Option<i32> {
            let (_, rest) = said.out.rsplit_once(&format!("ended on {word} "))?;
            // The signal's name comes before.
            rest.split_once('(')?.1.split_once(')')?.0.parse().ok()
        };
        Some(number("signal").map(|signal| 128 + signal).or_else(|| number("error")).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_read_from_what_the_log_says() {
        let line = |end: &str| {
            format!(
                "lxc-start t 1 INFO error - error.c:lxc_error_set_and_log:31 - Child <27> ended on {end}\n"
            )
        };
        let said = |end: &str, out: String| Said { end: end.into(), out, err: String::new() };
        let table = [
            (said("0", line("error (7)")), Some(7)),
            (said("0", line("signal Killed(9)")), Some(137)),
            (said("0", "lxc-start t 1 NOTICE start - Started".into()), Some(0)),
            (said("1", line("error (7)")), None),
        ];
        for (said, expected) in table {
            assert_eq!(LXC.code_in(&said), expected, "{said:?}");
        }
    }
}
