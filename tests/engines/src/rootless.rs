//! podman as an ordinary user: the container's root is that user, and `newuidmap` maps it some more numbers. Version 1 has
//! no limits for ordinary users, so that none are asked for.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rustix::mount::{MountFlags, mount};

use crate::engine::{Engine, How};
use crate::left::{self, Inventory};
use crate::place::Place;
use crate::podman::Podman;
use crate::tool::{Tool, find};
use crate::{image, scene};

/// `nobody`, who is on every machine.
const USER: u32 = 65534;

pub(crate) fn play(place: &Place) -> Result<()> {
    grant_numbers(place)?;
    let user = home(place)?;
    let podman = engine(&user)?;
    podman.load(&image::archive(place)?)?;
    scene::ends_with_its_code(&podman).context("a container that ends by itself")?;
    let before = Inventory::take(place)?;
    serves(&podman, place).context("a container that serves until it is stopped")?;
    before.is_restored(place)
}

/// Lets the user map 65536 numbers, in a layer over `/etc` that only we see.
fn grant_numbers(place: &Place) -> Result<()> {
    let (upper, work) = (place.folder("etc")?, place.folder("etc-work")?);
    let options = std::ffi::CString::new(format!("lowerdir=/etc,upperdir={upper},workdir={work}"))?;
    mount("catamaran", "/etc", "overlay", MountFlags::NOSUID, options.as_c_str())
        .context("a layer over /etc")?;
    for file in ["/etc/subuid", "/etc/subgid"] {
        fs::write(file, format!("{USER}:100000:65536\n")).context(file)?;
    }
    Ok(())
}

/// A place of the user's with a copy of the runtime, since folders above it may be closed to others.
fn home(place: &Place) -> Result<Place> {
    let folder = place.folder.join("user");
    fs::create_dir(&folder)?;
    chown(&folder, Some(USER), Some(USER))?;
    let name = place.runtime.file_name().context("a runtime has a name")?;
    let runtime = folder.join(name);
    fs::copy(&place.runtime, &runtime)?;
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o755))?;
    Ok(Place { folder, runtime, group: place.group.clone() })
}

fn engine(user: &Place) -> Result<Podman> {
    let podman = find("podman").context("there is no podman")?;
    let run = private(&user.folder.join("run"))?;
    let home = user.folder.display();
    let setpriv = Tool::new(&find("setpriv").context("there is no setpriv")?).with(&[
        "--clear-groups",
        &format!("--reuid={USER}"),
        &format!("--regid={USER}"),
        "env",
        "-C",
        &home.to_string(),
        &format!("HOME={home}"),
        &format!("TMPDIR={home}"),
        &format!("XDG_RUNTIME_DIR={run}"),
        &podman.display().to_string(),
        "--storage-driver=vfs",
    ]);
    let podman = Podman::new(setpriv, user, Vec::new())?;
    for made in ["podman", "podman/root", "podman/run", "podman/tmp"] {
        private(&user.folder.join(made))?;
    }
    Ok(podman)
}

/// Gives a folder to the user alone, making it if need be.
fn private(folder: &Path) -> Result<String> {
    fs::create_dir_all(folder)?;
    chown(folder, Some(USER), Some(USER))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    Ok(folder.display().to_string())
}

fn serves(podman: &Podman, place: &Place) -> Result<()> {
    podman.start("serves", How::default(), &scene::SERVES)?;
    scene::logs(podman, "serves", "ready")?;
    let (id, pid) = (podman.id("serves")?, podman.pid("serves")?);
    scene::is_apart(pid)?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let user = format!("Uid:\t{USER}\t{USER}\t{USER}\t{USER}");
    ensure!(status.contains(&user), "its root is user {USER} of ours: {status}");
    let said = podman.shell("serves", "cat /proc/self/uid_map")?;
    let numbers: Vec<&str> = said.out.split_whitespace().collect();
    ensure!(
        numbers.starts_with(&["0", "65534", "1", "1", "100000", "65536"]),
        "its numbers are mapped: {said}"
    );
    scene::executes(podman).context("exec")?;
    podman.stop("serves")?;
    let code = podman.wait("serves")?;
    ensure!(code == 43, "it answers SIGTERM by exit code 43, not {code}");
    podman.remove("serves")?;
    left::no_file_is_named_after(&id, place)
}
