//! The minimal root as shell lines. The root that a run makes has nothing in it but the worker; here it also gets the
//! machine's programs, so that any of them can be the worker.

use std::path::{Path, PathBuf};

use catamaran_worker::minimal::{DEVICE_LINKS, DEVICES, FOLDERS, KEPT_CAPABILITIES, MASKED, READ_ONLY};
use catamaran_worker::script::{Root, RootWay, Script};
use catamaran_worker::seccomp::REFUSED;

use crate::dry_run::quoted;

/// Folders of the machine that hold its programs and their libraries.
pub(crate) const PROGRAMS: &str = "bin sbin lib lib64 usr";

/// Those that this machine has.
pub(crate) fn programs() -> Vec<PathBuf> {
    PROGRAMS.split(' ').map(|name| Path::new("/").join(name)).filter(|path| path.is_dir()).collect()
}

/// What the lines leave out, or do for a person only.
pub(crate) fn remark(root: &Root) -> String {
    match root.way {
        RootWay::Chroot => {
            "# Minimal roots; the machine's programs are shown in them so that any can be the WORKER.".into()
        }
        RootWay::Pivot => {
            let refused = REFUSED.map(|(name, _)| name).join(" ");
            format!(
                "# Minimal roots; the machine's programs are shown in them so that any can be the WORKER. A run also refuses system calls by a seccomp filter, which no shell command installs: {refused}."
            )
        }
    }
}

/// What is made before the tenant is there.
pub(crate) fn make(root: &Root) -> Vec<String> {
    let at = quoted(&root.at);
    let mut lines = vec![format!("mkdir -p {at}")];
    if root.way == RootWay::Chroot {
        lines.push(format!("mount -t tmpfs -o nosuid,mode=755 catamaran {at}"));
        lines.push(format!("(set -e; cd {at}; {})", furnish(false).join("; ")));
    }
    lines
}

/// What is removed at the end.
pub(crate) fn remove(root: &Root) -> Vec<String> {
    let at = quoted(&root.at);
    let unmount = (root.way == RootWay::Chroot).then(|| format!("umount --recursive {at}"));
    unmount.into_iter().chain([format!("rmdir {at}")]).collect()
}

/// What is done in the tenant's own namespaces.
pub(crate) fn inside(script: &Script) -> Vec<String> {
    let Some(root) = script.root.as_ref().filter(|root| root.way == RootWay::Pivot) else {
        return Vec::new();
    };
    let at = quoted(&root.at);
    let mut lines = vec![
        "if command -v ip > /dev/null; then ip link set lo up; fi".to_owned(),
        format!("mount -t tmpfs -o nosuid,mode=755 catamaran {at}"),
        format!("cd {at}"),
    ];
    lines.extend(furnish(script.user.is_some()));
    lines.push("mkdir old; pivot_root . old; cd /".into());
    for path in READ_ONLY {
        let remount = format!("mount -o remount,bind,ro,nosuid,nodev,noexec {path}");
        lines.push(format!("if [ -e {path} ]; then mount --bind {path} {path}; {remount}; fi"));
    }
    for path in MASKED {
        lines.push(format!(
            "if [ -d {path} ]; then mount -t tmpfs -o ro none {path}; elif [ -e {path} ]; then mount --bind /dev/null {path}; fi"
        ));
    }
    lines.push("umount -l old; rmdir old".into());
    lines
}

/// The worker, with what is taken from it before it begins.
pub(crate) fn program(script: &Script) -> String {
    match &script.root {
        Some(root) if root.way == RootWay::Chroot => format!("chroot {} $WORKER", quoted(&root.at)),
        _ if script.confined => {
            let kept: String = KEPT_CAPABILITIES.iter().map(|(name, _)| format!(",+{name}")).collect();
            format!(
                "setpriv --bounding-set=-all{kept} --inh-caps=-all --ambient-caps=-all --no-new-privs $WORKER"
            )
        }
        _ => "$WORKER".to_owned(),
    }
}

/// Fills the root in the working directory.
fn furnish(rootless: bool) -> Vec<String> {
    let mut lines: Vec<String> =
        FOLDERS.iter().map(|(folder, mode)| format!("mkdir -m {mode:o} {folder}")).collect();
    lines.push("mount -t proc -o nosuid,nodev,noexec proc proc".into());
    lines.push("mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys".into());
    for (name, major, minor) in DEVICES {
        lines.push(if rootless {
            format!("touch dev/{name}; mount --bind /dev/{name} dev/{name}")
        } else {
            format!("mknod -m 666 dev/{name} c {major} {minor}")
        });
    }
    lines.extend(DEVICE_LINKS.iter().map(|(name, target)| format!("ln -s {target} dev/{name}")));
    lines.push(format!(
        "for folder in {PROGRAMS}; do if [ -d /$folder ]; then mkdir $folder; mount --rbind -o ro /$folder $folder; fi; done"
    ));
    lines
}
