//! The process (config.md, "Process").

use oci_spec::runtime::{Process, Spec};

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
    for (at, label, there, module) in labels {
        if let Some(label) = label.as_deref().filter(|label| !label.is_empty() && !there) {
            // As runc: whoever asks for confinement must not run without it.
            refuse(
                at,
                format!("{label:?}"),
                format!("this kernel runs without {module}; leave the field out"),
            )?;
        }
    }
    Ok(())
}
