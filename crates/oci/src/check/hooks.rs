//! Hooks (config.md, "POSIX-platform Hooks").

use oci_spec::runtime::{Hook, Hooks};

use super::{Found, refuse, text};

pub(super) fn check(hooks: Option<&Hooks>) -> Found {
    let Some(hooks) = hooks else { return Ok(()) };
    let kinds = [
        ("prestart", hooks.prestart()),
        ("createRuntime", hooks.create_runtime()),
        ("createContainer", hooks.create_container()),
        ("startContainer", hooks.start_container()),
        ("poststart", hooks.poststart()),
        ("poststop", hooks.poststop()),
    ];
    for (kind, hooks) in kinds {
        for (place, hook) in hooks.iter().flatten().enumerate() {
            check_one(hook, &format!("hooks.{kind}[{place}]"))?;
        }
    }
    Ok(())
}

fn check_one(hook: &Hook, at: &str) -> Found {
    text::absolute_path(hook.path(), &format!("{at}.path"), "\"`path` MUST be absolute\"")?;
    text::arguments(hook.args().as_deref().unwrap_or_default(), &format!("{at}.args"))?;
    text::environment(hook.env().as_deref().unwrap_or_default(), &format!("{at}.env"))?;
    match hook.timeout() {
        Some(seconds) if seconds <= 0 => refuse(
            format!("{at}.timeout"),
            seconds.to_string(),
            "\"If set, `timeout` MUST be greater than zero\"",
        ),
        _ => Ok(()),
    }
}
