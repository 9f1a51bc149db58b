//! The program that works inside, as a file in memory that can't be changed any more: whoever in a container gets hold of
//! `/proc/PID/exe` finds a sealed copy, never a file of the caller's (CVE-2019-5736).

use std::fs::File;
use std::io::Write as _;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

use crate::Problem;

/// The static program, as built by `build.rs`.
static INIT: &[u8] = include_bytes!(env!("CATAMARAN_OCI_INIT"));

/// A sealed file with the program.
pub(crate) fn make() -> Result<File, Problem> {
    let allow = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let opened = match memfd_create("catamaran-oci-init", allow | MemfdFlags::EXEC) {
        // A kernel before 6.3, where every file in memory may be executed.
        Err(Errno::INVAL) => memfd_create("catamaran-oci-init", allow),
        other => other,
    };
    let mut file = File::from(opened.map_err(|error| match error {
        Errno::ACCESS => Problem::system(
            "memfd_create for the container's first program",
            "files in memory may not be executed here; sysctl -w vm.memfd_noexec=0",
        ),
        error => Problem::system("memfd_create for the container's first program", error),
    })?);
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    file.write_all(INIT)
        .and_then(|()| fcntl_add_seals(&file, seals).map_err(Into::into))
        .map_err(|error| Problem::system("write and seal the container's first program", error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_cannot_be_changed() {
        let mut file = make().unwrap();
        assert_eq!(file.write(b"x").unwrap_err().raw_os_error(), Some(Errno::PERM.raw_os_error()));
        assert!(file.set_len(0).is_err());
        let again = File::options()
            .write(true)
            .open(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file)));
        assert!(again.and_then(|mut file| file.write(b"x")).is_err());
    }
}
