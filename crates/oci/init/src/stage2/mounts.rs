//! Mounts of `config.json`, put one after the other onto descriptors of places inside the root.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use catamaran_oci_init::mount::Options;
use catamaran_oci_init::order::{Mount, What};
use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, move_mount,
};

use super::mask::View;
use super::{groups, long, sources};
use crate::failure::{Done, During as _, Failure};
use crate::inside::{self, Make};

/// Attributes that fsmount(2) takes at once; the others are set on the mount.
const AT_ONCE: u64 = 0x20_00ff;

/// Puts a mount that is not in place yet onto `place`.
pub(crate) fn attach(tree: impl AsFd, place: impl AsFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, c"", place, c"", flags)
}

/// Carries out one mount inside of `root`; a handle on a view of the kernel, whose paths may have to be hidden.
pub(crate) fn mount(
    root: BorrowedFd<'_>,
    mount: &Mount,
    early: Option<OwnedFd>,
    own_groups: bool,
) -> Done<Option<View>> {
    let at = mount.destination.as_str();
    if mount.options.remount {
        return change(root, mount).map(|()| None);
    }
    match &mount.what {
        What::Bind(source) => {
            let tree = match early {
                Some(tree) => tree,
                None => sources::open(mount, source)?,
            };
            let stat = fstat(&tree).during(|| format!("mount {at}: look at {source}"))?;
            let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            let place = place(root, at, if is_directory { Make::Directory } else { Make::File })?;
            attach(&tree, place).during(|| format!("mount {source} on {at}"))?;
            Ok(None)
        }
        What::New { kind, source } => {
            let options = &mount.options;
            let is_view = matches!(kind.as_str(), "proc" | "sysfs");
            if !is_view && !can_be_set(kind, options) {
                return at_once(root, mount, kind, source).map(|()| None);
            }
            let tree = new(kind, source, options).map_err(|why| Failure::new(format!("mount {at}"), why))?;
            let place = if is_view { plain_place(root, at)? } else { place(root, at, Make::Directory)? };
            if options.copy_up {
                copy_up(&place, &tree, at)?;
            }
            attach(&tree, place).during(|| format!("mount {kind} on {at}"))?;
            Ok(is_view.then(|| View { at: at.to_owned(), tree }))
        }
        What::Groups { hierarchies, links } => {
            groups::mount(root, mount, hierarchies, links, own_groups).map(|()| None)
        }
    }
}

/// Whether fsconfig(2) takes all words.
fn can_be_set(kind: &str, options: &Options) -> bool {
    let long = options.data.iter().filter(|word| long::is_among(std::slice::from_ref(word)));
    long.clone().count() == 0 || long.clone().all(|word| long::layers(kind, word).is_some() && takes_layers())
}

/// Whether the kernel has `lowerdir+`: an overlay that is never made tells. Before Linux 6.5 overlays take any word now, and look at
/// all of them only when they are made (`fs/fs_context.c`, `legacy_parse_param`).
fn takes_layers() -> bool {
    fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).is_ok_and(|context| {
        let takes = |word: &str| fsconfig_set_string(&context, word, "/").is_ok();
        takes("lowerdir+") && !takes("no-such-word")
    })
}

/// A new file system whose options are too long to be set one by one.
fn at_once(root: BorrowedFd<'_>, mount: &Mount, kind: &str, source: &str) -> Done {
    let (at, options) = (mount.destination.as_str(), &mount.options);
    let place = place(root, at, Make::Directory)?;
    long::mount(kind, source, options, &place).map_err(|why| Failure::new(format!("mount {at}"), why))?;
    let what = || format!("mount {at}: set the options of {kind}");
    let top = inside::look(root, at).during(what)?;
    sources::set(&top, options.attributes, false).during(what)?;
    sources::set(&top, options.recursive, true).during(what)?;
    sources::propagate(&top, &options.propagation).during(what)
}

/// A handle on the place of a mount, made where it is missing.
pub(crate) fn place(root: BorrowedFd<'_>, at: &str, make: Make) -> Done<OwnedFd> {
    inside::make(root, at, make)
        .during(|| format!("mount {at}: open or make the place in the root file system"))
}

/// The place of a view of the kernel, which no link may lead to: what is said of `/proc` would not hold of where it is then
/// (CVE-2019-19921, CVE-2023-27561).
fn plain_place(root: BorrowedFd<'_>, at: &str) -> Done<OwnedFd> {
    inside::make_plain(root, at, Make::Directory).map_err(|error| {
        let hint = if error == Errno::LOOP {
            " (must be mounted on ordinary directory, to which no link leads)"
        } else {
            ""
        };
        Failure::new(format!("mount {at}: open or make the place in the root file system{hint}"), error)
    })
}

/// Other options for what is mounted there already.
fn change(root: BorrowedFd<'_>, mount: &Mount) -> Done {
    let at = &mount.destination;
    let what = || format!("mount {at}: remount");
    let place = inside::look(root, at).during(what)?;
    sources::set(&place, mount.options.attributes, false).during(what)?;
    sources::set(&place, mount.options.recursive, true).during(what)?;
    sources::propagate(&place, &mount.options.propagation).during(what)
}

/// A new file system, mounted but not in place yet.
pub(crate) fn new(kind: &str, source: &str, options: &Options) -> Result<OwnedFd, String> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).map_err(|error| match error {
        Errno::NODEV => format!("the kernel has no file system `{kind}`"),
        error => format!("fsopen {kind}: {error}"),
    })?;
    let refused = |what: &str, error: Errno| format!("{kind}: {what}: {error}{}", told(&context));
    if !source.is_empty() {
        fsconfig_set_string(&context, "source", source).map_err(|error| refused("source", error))?;
    }
    // A hierarchy of control groups is there once for all: only the mount of it is the container's.
    let of_all = if kind.starts_with("cgroup") { &[][..] } else { &options.superblock };
    for word in of_all.iter().chain(&options.data) {
        let set = match word.split_once('=') {
            Some(_) if long::is_among(std::slice::from_ref(word)) => long::layers(kind, word)
                .unwrap_or_default()
                .iter()
                .try_for_each(|layer| fsconfig_set_string(&context, "lowerdir+", layer.as_str())),
            Some((key, value)) => fsconfig_set_string(&context, key, value),
            None => fsconfig_set_flag(&context, word.as_str()),
        };
        set.map_err(|error| refused(word, error))?;
    }
    fsconfig_create(&context).map_err(|error| refused("make it", error))?;
    let at_once = MountAttrFlags::from_bits_retain((options.attributes.set & AT_ONCE) as u32);
    let tree = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, at_once)
        .map_err(|error| refused("mount it", error))?;
    let mut rest = options.attributes;
    rest.set &= !AT_ONCE;
    rest.clear = 0;
    sources::set(&tree, rest, false)
        .and_then(|()| sources::set(&tree, options.recursive, true))
        .and_then(|()| sources::propagate(&tree, &options.propagation))
        .map_err(|error| refused("set its options", error))?;
    Ok(tree)
}

/// What the kernel says about a file system that it refused: the messages of its context.
fn told(context: &OwnedFd) -> String {
    let mut said = String::new();
    let mut line = [0; 256];
    while let Ok(length) = rustix::io::read(context, &mut line)
        && length > 0
    {
        let text = String::from_utf8_lossy(line.get(..length).unwrap_or_default()).into_owned();
        said.push_str(&format!(" ({})", text.trim()));
    }
    said
}

/// Copies what is at the place of a tmpfs into it (`tmpcopyup`).
fn copy_up(place: &OwnedFd, tree: &OwnedFd, at: &str) -> Done {
    // Neither handle can be read or changed as it is: they are `O_PATH`.
    let open = |what: &OwnedFd| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(what, c".", flags, rustix::fs::Mode::empty())
            .during(|| format!("mount {at}: open what is there"))
    };
    super::copy::tree(&open(place)?, &open(tree)?).during(|| format!("mount {at}: copy what is there"))
}
