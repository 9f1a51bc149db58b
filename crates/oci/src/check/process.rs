//! The process (config.md, "Process").

use oci_spec::runtime::{Linux, Process, Spec};

use super::namespaces::Namespaces;
use super::{Facts, Found, refuse, rlimits, scheduler, text, user};

pub(super) fn check(process: &Process, spec: &Spec, namespaces: &Namespaces<'_>, facts: &Facts) -> Found {
    text::absolute_path(process.cwd(), "process.cwd", "\"This value MUST be an absolute path\"")?;
    let args = process.args().as_deref().unwrap_or_default();
    if args.is_empty() {
        refuse("process.args", "none", "\"at least one entry is REQUIRED\": the program to run")?;
    }
    text::arguments(args, "process.args")?;
    text::environment(process.env().as_deref().unwrap_or_default(), "process.env")?;
    user::check(process.user(), spec.linux().as_ref(), namespaces)?;
    rlimits::check(process.rlimits().as_deref().unwrap_or_default())?;
    scheduler::check(process)?;
    let labels = [
        ("process.apparmorProfile", process.apparmor_profile(), facts.apparmor, "AppArmor"),
        ("process.selinuxLabel", process.selinux_label(), facts.selinux, "SELinux"),
    ];
    labels.into_iter().try_for_each(|(at, label, there, module)| carried_out(at, label, there, module))
}

/// The label of the container's mounts.
pub(super) fn mount_label(linux: &Linux, facts: &Facts) -> Found {
    carried_out("linux.mountLabel", linux.mount_label(), facts.selinux, "SELinux")
}

/// As runc: whoever asks for confinement must not run without it.
fn carried_out(at: &str, label: &Option<String>, there: bool, module: &str) -> Found {
    match label.as_deref().filter(|label| !label.is_empty() && !there) {
        None => Ok(()),
        Some(label) => refuse(
            at,
            format!("{label:?}"),
            format!("this kernel runs without {module}; leave the field out"),
        ),
    }
}
