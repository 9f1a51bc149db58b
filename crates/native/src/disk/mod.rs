//! The disk under the tenants' files: where the files go, on which device that is, and how they are laid out before a run.

pub(crate) mod bounds;
pub(crate) mod by_hand;
pub(crate) mod layers;

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use catamaran_scenario::Plan;
use catamaran_scenario::file_work::{FileWork, layers_of};
use catamaran_scenario::plan::{Io, Tenant};
use catamaran_worker::file::scatter;
use catamaran_worker::script::Step;

use crate::guard::Guard;
use crate::machine::Hierarchies;
use crate::problem::Problem;
use crate::run_folder::{FILE_ENDING, Resource};
use bounds::Bounds;

/// Most bytes of all files of a run.
const FILES_BYTES_MAX: u64 = 2 << 30;
/// The only scheduler that knows weights of groups (`BFQ_GROUP_IOSCHED`).
const WEIGHS: &str = "bfq";
/// Largest weight that it takes (`BFQ_MAX_WEIGHT` in Linux `block/bfq-iosched.h`).
const WEIGHT_MOST: u32 = 1000;
/// Bytes written at once.
const PIECE_BYTES: usize = 1 << 20;

/// A folder on a disk, and which disk that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Folder for the files.
    pub(crate) folder: PathBuf,
    /// The whole disk, `MAJOR:MINOR`, as control groups name it.
    pub(crate) device: String,
}

impl Place {
    /// The first folder of `TMPDIR`, `/var/tmp` and `/tmp` that is on a disk and can be used past the page cache.
    pub(crate) fn find() -> Result<Self, Problem> {
        let own = std::env::var_os("TMPDIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let folders = own.into_iter().chain(["/var/tmp".into(), "/tmp".into()]);
        let mut why = Vec::new();
        for folder in folders {
            match Self::at(&folder) {
                Ok(place) => return Ok(place),
                Err(reason) => why.push(format!("{} {reason}", folder.display())),
            }
        }
        Err(Problem::unavailable(
            format!("no folder for the tenants' files is on a disk: {}", why.join("; ")),
            "set TMPDIR to a folder on a file system with a disk of its own (ext4, xfs; `findmnt -T FOLDER` tells)",
        ))
    }

    fn at(folder: &Path) -> Result<Self, String> {
        let number = fs::metadata(folder).map_err(|error| format!("can't be used: {error}"))?.dev();
        let device = whole_disk(rustix::fs::major(number), rustix::fs::minor(number))
            .ok_or("is on no block device (tmpfs, overlay, btrfs)")?;
        let direct = || -> rustix::io::Result<()> {
            use rustix::fs::{Mode, OFlags};
            // Without a name, so that nothing is left behind.
            let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::DIRECT | OFlags::CLOEXEC;
            rustix::fs::open(folder, flags, Mode::from_raw_mode(0o600)).map(drop)
        };
        direct().map_err(|error| format!("takes no file with O_DIRECT: {error}"))?;
        Ok(Self { folder: folder.to_owned(), device })
    }

    /// Whether that scheduler knows the weights of control groups.
    pub(crate) fn weighs(&self) -> bool {
        self.scheduler() == WEIGHS
    }

    /// The kernel's scheduler of the disk's requests; `none` where it tells none.
    pub(crate) fn scheduler(&self) -> String {
        let path = format!("/sys/dev/block/{}/queue/scheduler", self.device);
        let text = fs::read_to_string(path).unwrap_or_default();
        let chosen = text.split_ascii_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
        chosen.unwrap_or("none").to_owned()
    }
}

/// The whole disk of a block device, which may be one of its partitions.
fn whole_disk(major: u32, minor: u32) -> Option<String> {
    let device = fs::canonicalize(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    let whole = if device.join("partition").exists() { device.parent()? } else { &device };
    Some(fs::read_to_string(whole.join("dev")).ok()?.trim().to_owned())
}

/// What a plan asks of the machine's disk.
pub(crate) struct Demand {
    /// Bounds for all tenants together.
    pub(crate) host: Option<Bounds>,
    /// Whether that takes the controller of operations.
    pub(crate) takes_controller: bool,
}

impl Demand {
    /// On a platform that has `limits` or not. Refuses what this machine has not got.
    pub(crate) fn of(plan: &Plan, limits: bool) -> Result<Self, Problem> {
        check_sizes(plan)?;
        let works = plan.tenants().iter().any(|tenant| file_bytes(tenant).is_some());
        let bounded = limits && plan.tenants().iter().any(|tenant| has_bounds(&tenant.io));
        let weighed = limits && plan.tenants().iter().any(|tenant| tenant.io.weight.is_some());
        let host = plan.host().disk.as_ref();
        if !works && !bounded && host.is_none() {
            return Ok(Self { host: None, takes_controller: false });
        }
        let place = Place::find()?;
        let flat = Hierarchies::find().v1.contains_key("blkio");
        if bounded && host.is_some() && flat {
            return Err(Problem::unavailable(
                "host.disk beside bounds of tenants (tenant.*.io): on cgroup v1 a bound holds for a group alone, so that \
                 tenants with bounds of their own would escape that of the host",
                "leave one of the two out, or boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1)",
            ));
        }
        let host = host.map(|disk| Bounds::of_host(disk, &place.device));
        let takes_controller = host.is_some() || bounded || (weighed && place.weighs());
        Ok(Self { host, takes_controller })
    }
}

/// Whether a tenant's operations are bounded.
pub(crate) fn has_bounds(io: &Io) -> bool {
    io.read.is_some() || io.write.is_some() || io.iops.is_some()
}

/// A tenant's bounds and its weight on this machine's disk, as far as they can be had.
pub(crate) fn limits(io: &Io) -> (Option<Bounds>, Option<u32>) {
    if io == &Io::default() {
        return (None, None);
    }
    let Ok(place) = Place::find() else { return (None, None) };
    let weight = io.weight.filter(|_| place.weighs()).map(|weight| weight.min(WEIGHT_MOST));
    (Bounds::of_tenant(io, &place.device), weight)
}

/// Why a weight does not count here, or not as it is; `None` where it does.
pub(crate) fn weight_not_applied(weight: u32) -> Option<String> {
    match Place::find() {
        Ok(place) if !place.weighs() => Some(format!(
            "the disk's scheduler is {}, and weights count with bfq only (/sys/dev/block/{}/queue/scheduler)",
            place.scheduler(),
            place.device
        )),
        Ok(_) => {
            (weight > WEIGHT_MOST).then(|| format!("bfq takes at most {WEIGHT_MOST}, which was applied"))
        }
        Err(problem) => Some(problem.what()),
    }
}

/// What lifts the bounds of a tenant and of all tenants together, version 1, so that one that is held up can be ended.
pub(crate) fn lift_v1(guard: &Path, tenant: &str) -> Vec<Step> {
    let Ok(place) = Place::find() else { return Vec::new() };
    [guard.join(tenant), guard.to_owned()]
        .iter()
        .flat_map(|group| Bounds::lift_v1(&place.device, group))
        .collect()
}

/// The same of version 2.
pub(crate) fn lift_v2(guard: &Path, tenant: &str) -> Vec<Step> {
    let Ok(place) = Place::find() else { return Vec::new() };
    [guard.join(tenant), guard.to_owned()].iter().map(|group| Bounds::lift_v2(&place.device, group)).collect()
}

/// Refuses a plan whose files would fill a disk.
pub(crate) fn check_sizes(plan: &Plan) -> Result<(), Problem> {
    let tenants = plan.instances().filter_map(|(index, _)| plan.tenants().get(index));
    let bytes = tenants.filter_map(file_bytes).fold(0, u64::saturating_add);
    if bytes <= FILES_BYTES_MAX {
        return Ok(());
    }
    Err(Problem::new(
        format!("the tenants' files are {} MiB together, more than {}", bytes >> 20, FILES_BYTES_MAX >> 20),
        "lower `size` or `replicas`",
    ))
}

/// Size of a tenant's file; none where it has none.
fn file_bytes(tenant: &Tenant) -> Option<u64> {
    FileWork::all(&tenant.workload).map(|work| work.file_bytes()).max()
}

/// Lays out a tenant's file, if it works on one: registered first, written whole, on the disk when this comes back, and in the
/// page cache where it is used through that.
pub(crate) fn lay_out(guard: &mut Guard, tenant: &Tenant, label: &str) -> Result<Option<PathBuf>, Problem> {
    let Some(bytes) = file_bytes(tenant).filter(|_| layers_of(&tenant.workload).is_empty()) else {
        return Ok(None);
    };
    let name = format!("catamaran-{}-{label}{FILE_ENDING}", guard.id());
    let path = Place::find()?.folder.join(name);
    guard.note(&Resource::File(path.clone()))?;
    let cached = FileWork::all(&tenant.workload).any(|work| work.cached);
    write(&path, bytes, cached).map_err(|error| {
        Problem::by_errno(
            format!("cannot lay out {} ({} MiB): {error}", path.display(), bytes >> 20),
            "set TMPDIR to a folder on another disk",
        )
    })?;
    Ok(Some(path))
}

/// A new file of that size, of bytes that no disk can pass over as nothing.
pub(crate) fn write(path: &Path, bytes: u64, cached: bool) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut piece: Vec<u8> = vec![0; PIECE_BYTES];
    for (number, word) in piece.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&scatter(bytes, number as u64).to_le_bytes());
    }
    let mut left = bytes;
    while left > 0 {
        let length = left.min(PIECE_BYTES as u64);
        file.write_all(piece.get(..length as usize).unwrap_or_default())?;
        left -= length;
    }
    file.sync_all()?;
    if !cached {
        // What lies in the page cache is not to be found there by whoever goes past it.
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    }
    Ok(())
}

/// Removes a file, or a folder of such; whether it was there.
pub(crate) fn remove(path: &Path) -> Result<bool, String> {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    match if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) } {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(format!("cannot remove {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_laid_out_whole_and_holds_no_holes() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write(&path, (1 << 20) + 4096, false).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!(found.len(), (1 << 20) + 4096);
        assert!(found.blocks() * 512 >= found.len(), "{} blocks", found.blocks());
        assert_eq!(found.mode() & 0o777, 0o600);
        assert!(write(&path, 1, false).is_err(), "nobody's file is taken for ours");
        assert_eq!((remove(&path), remove(&path)), (Ok(true), Ok(false)));
        fs::create_dir_all(path.join("work/work")).unwrap();
        assert_eq!((remove(&path), remove(&path)), (Ok(true), Ok(false)), "a folder goes with all in it");
    }

    #[test]
    fn a_folder_of_the_kernels_own_is_no_place() {
        let reason = Place::at(Path::new("/proc")).expect_err("no disk");
        assert!(reason.contains("no block device"), "{reason}");
        assert_eq!(whole_disk(0, 1), None);
    }

    #[test]
    fn the_place_is_on_a_whole_disk() {
        match Place::find() {
            Ok(place) => {
                assert!(place.device.split_once(':').is_some_and(|(major, _)| major != "0"), "{place:?}");
                assert!(!place.scheduler().is_empty());
            }
            Err(Problem::Unavailable(why, _)) => println!("skipped: a place for files: {why}"),
            Err(problem) => panic!("{problem:?}"),
        }
    }
}
