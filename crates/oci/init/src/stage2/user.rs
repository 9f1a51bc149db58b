//! Who the process is: user, groups, their home, the session keyring.

use std::ffi::CString;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};

use catamaran_oci_init::order::Process;
use rustix::fs::{CWD, FileType, Gid, Mode, OFlags, Uid, fchown, fstat, openat};
use rustix::io::Errno;

use super::Stage;
use crate::failure::{Done, During as _, Failure};
use crate::inside;
use crate::sys;

/// Longest `/etc/passwd` that is looked into (bytes).
const PASSWD_MAX: u64 = 1 << 20;

/// A session keyring of the container's own: the caller's keys are none of its business.
pub(crate) fn new_keyring(stage: &Stage<'_>, name: &str) -> Done {
    let name = CString::new(name).during(|| "name of the session keyring".to_owned())?;
    match sys::join_session_keyring(&name) {
        // A kernel without keyrings, and one whose quota is used up (/proc/sys/kernel/keys/maxkeys).
        Ok(()) | Err(Errno::NOSYS) => Ok(()),
        Err(error @ (Errno::DQUOT | Errno::NOMEM | Errno::PERM | Errno::ACCESS)) => {
            stage.warn(format!("no session keyring of its own: {error}"))
        }
        Err(error) => Err(Failure::new("make a session keyring (--no-new-keyring goes without)", error)),
    }
}

/// Standard streams belong to the user, who may want to open them again by `/dev/stderr`.
pub(crate) fn own_streams(process: &Process) {
    if process.uid == 0 {
        return;
    }
    for stream in [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()] {
        let Ok(stat) = fstat(stream) else { continue };
        // A device such as /dev/null is everybody's; a terminal and a pipe are the container's own.
        let is_null = FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
            && rustix::fs::major(stat.st_rdev) == 1;
        if !is_null && stat.st_uid != process.uid {
            // What can't be given away (a read-only or a foreign file) is used as it is.
            let _ = fchown(stream, Some(Uid::from_raw(process.uid)), Some(Gid::from_raw(stat.st_gid)));
        }
    }
}

pub(crate) fn become_user(process: &Process) -> Done {
    if let Some(groups) = &process.groups {
        sys::set_groups(groups).during(|| "process.user.additionalGids: setgroups".to_owned())?;
    }
    sys::set_group(process.gid).during(|| {
        format!("process.user.gid: become group {} (is it mapped in the user namespace?)", process.gid)
    })?;
    sys::set_user(process.uid).during(|| {
        format!("process.user.uid: become user {} (is it mapped in the user namespace?)", process.uid)
    })
}

/// Home folder by the container's own `/etc/passwd`; `/` where it says nothing.
pub(crate) fn home(uid: u32) -> String {
    let text = passwd().unwrap_or_default();
    home_in(&String::from_utf8_lossy(&text), uid).unwrap_or_else(|| "/".to_owned())
}

/// The container's `/etc/passwd`, if it is a file: not a pipe or a device that would keep us waiting, not a link to what is open.
fn passwd() -> std::io::Result<Vec<u8>> {
    const PATH: &str = "/etc/passwd";
    let is_file = |of: &OwnedFd| -> Result<bool, Errno> {
        let stat = fstat(of)?;
        Ok(FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
            && stat.st_size.unsigned_abs() <= PASSWD_MAX)
    };
    let root = openat(CWD, c"/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut text = Vec::new();
    if !is_file(&inside::look(root.as_fd(), PATH)?)? {
        return Ok(text);
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = inside::open(root.as_fd(), PATH, flags)?;
    if is_file(&file)? {
        File::from(file).take(PASSWD_MAX).read_to_end(&mut text)?;
    }
    Ok(text)
}

fn home_in(passwd: &str, uid: u32) -> Option<String> {
    let line = passwd.lines().find(|line| line.split(':').nth(2).is_some_and(|id| id.parse() == Ok(uid)))?;
    line.split(':').nth(5).filter(|home| !home.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_is_that_of_the_user() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nbroken\nwww:x:33:33::/var/www:/bin/false\nnone:x:5:5::\n";
        assert_eq!(home_in(passwd, 33).as_deref(), Some("/var/www"));
        assert_eq!(home_in(passwd, 0).as_deref(), Some("/root"));
        assert_eq!(home_in(passwd, 5), None);
        assert_eq!(home_in(passwd, 7), None);
    }
}
