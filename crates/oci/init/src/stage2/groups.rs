//! The control groups of version 1 as a container sees them: a tmpfs with a folder for each hierarchy.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use catamaran_oci_init::mount::{Attributes, Options, Reach};
use catamaran_oci_init::order::{Hierarchy, Mount, What};
use rustix::fs::symlinkat;
use rustix::io::Errno;

use super::mounts::{attach, new, place};
use super::sources;
use crate::failure::{Done, During as _, Failure};
use crate::inside::{self, Make};

/// `MOUNT_ATTR_RDONLY`.
const READ_ONLY: u64 = 1;

pub(crate) fn mount(
    root: BorrowedFd<'_>,
    mount: &Mount,
    hierarchies: &[Hierarchy],
    links: &[(String, String)],
    own_groups: bool,
) -> Done {
    let at = mount.destination.as_str();
    let mut options = mount.options.clone();
    options.data = vec!["mode=755".to_owned()];
    // Read-only only once it is filled.
    options.attributes.set &= !READ_ONLY;
    options.superblock.clear();
    let failed = |why: String| Failure::new(format!("mount {at}"), why);
    let folder = new("tmpfs", "tmpfs", &options).map_err(failed)?;
    attach(&folder, place(root, at, Make::Directory)?).during(|| format!("mount tmpfs on {at}"))?;
    for one in hierarchies {
        let tree = if own_groups { anew(one, &mount.options)? } else { bind(one, mount)? };
        let target = inside::make(folder.as_fd(), &one.name, Make::Directory);
        let target = target.during(|| format!("mount {at}: make {}", one.name))?;
        attach(tree, target).during(|| format!("mount {at}: mount {}", one.name))?;
    }
    for (name, target) in links {
        match symlinkat(target.as_str(), &folder, name.as_str()) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(Failure::new(format!("mount {at}: link {name}"), error)),
        }
    }
    let read_only = Attributes { set: mount.options.attributes.set & READ_ONLY, clear: 0 };
    sources::set(&folder, read_only, false).during(|| format!("mount {at}: make it read-only"))
}

/// The hierarchy itself, which in a control group namespace begins at the container's group.
fn anew(one: &Hierarchy, options: &Options) -> Done<OwnedFd> {
    let options = Options { data: one.words.clone(), ..options.clone() };
    new("cgroup", "cgroup", &options).map_err(Failure)
}

fn bind(one: &Hierarchy, mount: &Mount) -> Done<OwnedFd> {
    let options = Options { bind: Some(Reach::Alone), data: Vec::new(), ..mount.options.clone() };
    let destination = format!("{}/{}", mount.destination, one.name);
    let of_group = Mount { destination, what: What::Bind(one.group.clone()), options, owners: None };
    sources::open(&of_group, &one.group)
}
