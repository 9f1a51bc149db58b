//! Images that a scenario names by an `archive`: opened before anything is begun, pulled where that is a registry, unpacked once for a
//! run, and the root of every tenant that names them (decisions 1390, 1392).

pub(crate) mod worker;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use catamaran_image::registry::{Pull, Reference};
use catamaran_image::unpack::Unpacking;
use catamaran_image::{Error, Image};
use catamaran_report::report::StageRow;
use catamaran_scenario::file_work::layers_of;
use catamaran_scenario::plan::{self, Tenant};
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::clock::now_ns;
use catamaran_worker::stop::stop_at;

use crate::disk::layers::check_overlays;
use crate::guard::Guard;
use crate::problem::Problem;
use crate::run_folder::{FILE_ENDING, Resource};
use crate::{engine, runtime};

/// Digits of a layer's digest by which a stage names it, as Docker does.
const DIGITS: usize = 12;
/// Who pulls and unpacks.
const ACTOR: &str = "catamaran";

/// Folder of what was pulled, for all images of a run.
pub(crate) const BLOBS: &str = "blobs";

/// What a platform makes of a tenant's image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// It is the tenant's root.
    Root,
    /// Tenants have the machine's root.
    Unseen,
    /// It should be seen, and is not yet.
    NotYet,
}

/// What a platform makes of a tenant's image.
pub(crate) fn used(platform: Platform) -> Use {
    match platform {
        Platform::BareMetal | Platform::Namespaces | Platform::Cgroups => Use::Unseen,
        Platform::Chroot | Platform::Container => Use::Root,
        _ if runtime::is_used(platform) || engine::is_used(platform) => Use::Root,
        _ => Use::NotYet,
    }
}

/// The image with an archive that a tenant names.
pub(crate) fn named<'a>(plan: &'a Plan, tenant: &Tenant) -> Option<&'a plan::Image> {
    let name = tenant.image.as_deref()?;
    plan.images().iter().find(|image| image.name == name && image.archive.is_some())
}

/// Why a tenant's image does not come to it, by the field.
pub(crate) fn not_applied(
    plan: &Plan,
    platform: Platform,
    tenant: &Tenant,
) -> Option<(&'static str, String)> {
    let unseen = used(platform) == Use::Unseen && named(plan, tenant).is_some();
    unseen.then(|| {
        (
            "tenant.image",
            format!("{platform} gives tenants the machine's root: files of an image are not seen"),
        )
    })
}

/// Why a tenant's image can't be carried out; none where it can.
pub(crate) fn refused(plan: &Plan, platform: Platform, tenant: &Tenant) -> Option<&'static str> {
    tenant.image.as_ref()?;
    match (named(plan, tenant), used(platform)) {
        (Some(_), Use::NotYet) => Some("images in guests yet"),
        (Some(_), _) => None,
        // Files of its layers are laid out without it.
        (None, _) if !layers_of(&tenant.workload).is_empty() => None,
        (None, _) => Some("an image without an archive"),
    }
}

/// What lines for a person leave out.
pub(crate) fn remark(plan: &Plan, platform: Platform, tenant: &Tenant) -> Option<String> {
    let image = named(plan, tenant).filter(|_| used(platform) == Use::Root)?;
    let what = "A run unpacks the files of image";
    Some(format!(
        "# {what} {:?}, and shows them in the root; as lines to be typed this is not there yet.",
        image.name
    ))
}

/// The images of a run.
#[derive(Default)]
pub(crate) struct Images(BTreeMap<String, Opened>);

struct Opened {
    /// Where it is pulled from.
    reference: Option<Reference>,
    /// None until it was pulled.
    image: Option<Image>,
    /// Where it comes from, as the scenario has it.
    archive: String,
    /// Whether it is there before the tenants are asked for.
    cached: bool,
    root: Option<PathBuf>,
    /// Which image it is, where an engine has pulled it.
    id: Option<String>,
}

/// The root of a tenant.
#[derive(Default)]
pub(crate) struct Root {
    /// Its folder on the machine, for all tenants with that image; none where it has no image.
    pub(crate) folder: Option<PathBuf>,
    /// What was done for this tenant to have it.
    pub(crate) fetched: Fetched,
}

/// What was done for a tenant to have its image.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Fetched {
    pub(crate) stages: Vec<StageRow>,
    /// How long the tenant waited for all of it.
    pub(crate) lasted_s: f64,
    /// Why the moments of some stages are not known.
    pub(crate) unseen: Option<String>,
}

impl Images {
    /// Opens those that tenants name.
    ///
    /// # Errors
    /// [`Problem::Input`] where an archive is none, or not for this machine.
    pub(crate) fn open(plan: &Plan, platform: Platform) -> Result<Self, Problem> {
        let mut opened = BTreeMap::new();
        for image in plan
            .tenants()
            .iter()
            .filter(|_| used(platform) == Use::Root)
            .filter_map(|tenant| named(plan, tenant))
        {
            let (Some(archive), false) = (&image.archive, opened.contains_key(&image.name)) else { continue };
            let failed = |error| of_image(&image.name, archive, error);
            let reference = Reference::parse(archive).map_err(failed)?;
            let read = match reference {
                Some(_) => None,
                None => Some(Image::open(&plan.path(archive)).map_err(failed)?),
            };
            let archive = archive.clone();
            let new = Opened { reference, image: read, archive, cached: image.cached, root: None, id: None };
            opened.insert(image.name.clone(), new);
        }
        Ok(Self(opened))
    }

    /// Fetches and unpacks those that are to be there before the run, unless an engine does that.
    pub(crate) fn prepare(&mut self, guard: &mut Guard, platform: Platform) -> Result<(), Problem> {
        if engine::loads_images(platform) {
            return Ok(());
        }
        self.cached().iter().try_for_each(|name| self.unpacked(guard, name).map(drop))
    }

    /// Names of those that are to be there before the run.
    pub(crate) fn cached(&self) -> Vec<String> {
        let cached = self.0.iter().filter(|(_, opened)| opened.cached);
        cached.map(|(name, _)| name.clone()).collect()
    }

    /// The root directory of a tenant's image, unpacked by the first one that asks.
    pub(crate) fn root(&mut self, guard: &mut Guard, tenant: &Tenant) -> Result<Root, Problem> {
        match &tenant.image {
            Some(name) if self.0.contains_key(name) => self.unpacked(guard, name),
            _ => Ok(Root::default()),
        }
    }

    fn unpacked(&mut self, guard: &mut Guard, name: &str) -> Result<Root, Problem> {
        let number = self.0.keys().position(|other| other == name).unwrap_or(0);
        if let Some(root) = self.0.get(name).and_then(|opened| opened.root.clone()) {
            return Ok(Root { folder: Some(root), ..Root::default() });
        }
        check_overlays()?;
        let watch = Watch::start();
        let mut stages = self.pulled(guard, name, watch)?;
        let folder = make_folder(guard, &number.to_string())?;
        let Some(opened) = self.0.get_mut(name) else { return Ok(Root::default()) };
        if let Some(image) = &opened.image {
            let unpacked = unpack(image, &folder, watch);
            stages.extend(unpacked.map_err(|error| of_image(name, &opened.archive, error))?);
        }
        stop_at("unpacked");
        opened.root = Some(folder.clone());
        let fetched = Fetched { stages, lasted_s: watch.now_s(), unseen: None };
        Ok(Root { folder: Some(folder), fetched })
    }

    /// Pulls an image, unless it is there.
    fn pulled(&mut self, guard: &mut Guard, name: &str, watch: Watch) -> Result<Vec<StageRow>, Problem> {
        let Some(opened) = self.0.get_mut(name) else { return Ok(Vec::new()) };
        let (Some(reference), None) = (&opened.reference, &opened.image) else { return Ok(Vec::new()) };
        let store = make_folder(guard, BLOBS)?;
        let failed = |error| of_image(name, &opened.archive, error);
        let mut stages = Vec::new();
        let pull = Pull::begin(reference, &store).map_err(failed)?;
        for layer in pull.missing() {
            let start_s = watch.now_s();
            pull.blob(layer).map_err(failed)?;
            stages.push(watch.stage("pull", layer.digest().as_ref(), start_s));
        }
        stop_at("pulled");
        opened.image = Some(Image::of_manifest(&store, pull.manifest()).map_err(failed)?);
        Ok(stages)
    }

    /// Every image by its name, for an engine that loads archives.
    pub(crate) fn archives(&self) -> impl Iterator<Item = (&str, &Image)> {
        self.0.iter().filter_map(|(name, opened)| Some((name.as_str(), opened.image.as_ref()?)))
    }

    /// Where an image is to be pulled from.
    pub(crate) fn reference(&self, name: &str) -> Option<&Reference> {
        self.0.get(name)?.reference.as_ref()
    }

    /// An engine has pulled the image with that digest of its configuration.
    pub(crate) fn know(&mut self, name: &str, id: String) {
        if let Some(opened) = self.0.get_mut(name) {
            opened.id = Some(id);
        }
    }

    /// What was wrong with an image that was opened by that name.
    pub(crate) fn failed(&self, name: &str, error: Error) -> Problem {
        of_image(name, self.0.get(name).map_or("", |opened| &opened.archive), error)
    }

    /// Which images these were, for the identity of a report.
    pub(crate) fn identity(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().filter_map(|(name, opened)| {
            let id = opened.image.as_ref().map(Image::id).or(opened.id.as_deref())?;
            Some((format!("image.{name}"), id.to_owned()))
        })
    }
}

/// A folder of this run on a disk, for nobody else; made unless it is there.
pub(crate) fn make_folder(guard: &mut Guard, name: &str) -> Result<PathBuf, Problem> {
    let own = std::env::var_os("TMPDIR").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = own
        .unwrap_or_else(|| "/var/tmp".into())
        .join(format!("catamaran-{}-images{FILE_ENDING}", guard.id()));
    let folder = home.join(name);
    let make = |path: &Path, mode: u32| {
        DirBuilder::new().mode(mode).create(path).map_err(|error| {
            let what = format!("cannot make the folder {}: {error}", path.display());
            Problem::by_errno(what, "set TMPDIR to a folder on another disk")
        })
    };
    // Others may write to the folder that it lies in: what has its name is taken only if it is ours alone.
    if !is_ours(&home) {
        guard.note(&Resource::File(home.clone()))?;
        make(&home, 0o700)?;
    }
    if !folder.exists() {
        make(&folder, 0o755)?;
        // Whatever the runner's umask: whoever is in a root has to get into it.
        let open = fs::set_permissions(&folder, fs::Permissions::from_mode(0o755));
        open.map_err(runtime::no_room(&folder))?;
    }
    Ok(folder)
}

fn is_ours(folder: &Path) -> bool {
    let us = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(folder)
        .is_ok_and(|found| found.is_dir() && found.uid() == us && found.mode().trailing_zeros() >= 6)
}

/// Since when a tenant waits for its image.
#[derive(Clone, Copy)]
struct Watch(u64);

impl Watch {
    fn start() -> Self {
        Self(now_ns())
    }

    fn now_s(self) -> f64 {
        now_ns().saturating_sub(self.0) as f64 / 1e9
    }

    /// A stage that is over now, named as the simulator names it.
    fn stage(self, what: &str, layer: &str, start_s: f64) -> StageRow {
        StageRow::measured(&format!("{what} {}", short(layer)), ACTOR, start_s, self.now_s())
    }
}

/// Lays the layers of an image, and the worker's, into a folder.
fn unpack(image: &Image, folder: &Path, watch: Watch) -> catamaran_image::Result<Vec<StageRow>> {
    let mut unpacking = Unpacking::into(folder)?;
    let mut stages = Vec::new();
    for layer in image.layers() {
        let start_s = watch.now_s();
        unpacking.layer(image, layer)?;
        stages.push(watch.stage("unpack", layer.id(), start_s));
    }
    let top = worker::layer().map_err(|error| Error::Machine(error.to_string()))?;
    unpacking.tar(&mut &*top)?;
    Ok(stages)
}

/// A digest as stages have it.
pub(crate) fn short(digest: &str) -> &str {
    let digits = digest.rsplit(':').next().unwrap_or(digest);
    digits.get(..DIGITS).unwrap_or(digits)
}

fn of_image(name: &str, archive: &str, error: Error) -> Problem {
    let field = format!("image.{name}.archive");
    match error {
        Error::Bad { what, advice } => {
            Problem::Input { field, what: format!("{archive}: {what}"), advice: advice.to_owned() }
        }
        Error::Machine(what) => {
            let what = format!("{field}: {archive}: {what}");
            Problem::by_errno(what, "set TMPDIR to a folder on another disk")
        }
    }
}

/// Puts what was done for the image before the other stages of a start.
pub(crate) fn before(fetched: &Fetched, stages: Vec<StageRow>) -> Vec<StageRow> {
    let later = |at: Option<f64>| at.map(|at_s| at_s + fetched.lasted_s);
    let moved = stages.into_iter().map(|stage| StageRow {
        start_s: later(stage.start_s),
        end_s: later(stage.end_s),
        ..stage
    });
    fetched.stages.iter().cloned().chain(moved).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_come_after_those_of_the_image() {
        let stages = vec![
            StageRow::measured("unpack a", ACTOR, 0.0, 0.5),
            StageRow::measured("unpack b", ACTOR, 0.5, 1.5),
        ];
        let fetched = Fetched { stages, lasted_s: 2.0, unseen: None };
        let own = vec![StageRow::measured("clone", "kernel", 0.0, 0.25)];
        let spans = |rows: &[StageRow]| rows.iter().map(StageRow::span).collect::<Vec<_>>();
        assert_eq!(
            spans(&before(&fetched, own.clone())),
            [Some((0.0, 0.5)), Some((0.5, 1.5)), Some((2.0, 2.25))]
        );
        assert_eq!(spans(&before(&Fetched::default(), own.clone())), spans(&own));
    }

    #[test]
    fn layers_are_called_by_the_first_digits_of_their_digests() {
        assert_eq!(short("sha256:0123456789abcdef"), "0123456789ab");
    }
}
