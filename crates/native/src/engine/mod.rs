//! Platforms on which a container engine that is installed here starts the tenants: podman, containerd, docker, LXC. Each run
//! has an engine of its own, in a room that ends with the runner (decision 1360).
//!
//! A container inherits nothing of the runner's. The worker in it connects to a socket that is bound into its root; the kernel
//! tells who is at the other end, and the runner hands over the tape.

mod by_hand;
mod calls;
mod found;
mod furniture;
mod pull;
mod room;
mod tenant;

use std::path::{Path, PathBuf};

use catamaran_image::Image;
use catamaran_scenario::plan::{PlatformSettings, Tenant};
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::facts::Facts;
use catamaran_worker::minimal::{CONTROL, FILE, PROGRAM};
use catamaran_worker::script::Step;
use catamaran_worker::stop::stop_at;

use crate::cgroup::Limits;
use crate::guard::Guard;
use crate::image::{self, Images, worker};
use crate::interrupt::Interrupt;
use crate::launcher::Launcher;
use crate::platform;
use crate::problem::Problem;
use crate::runtime;

use pull::Pulls;

pub(crate) use by_hand::ByHand;
use calls::{CONTAINERD, Calls, Container, DOCKER, Daemon, LXC, PODMAN, Place};
pub(crate) use found::Found;
pub(crate) use furniture::counting_group;
use room::Room;

/// How the groups end that LXC's monitors are put into, below that of whoever starts them.
const MONITOR: &str = ".monitor";
/// Errors in a log that are told: the others come of the first.
const COMPLAINTS: usize = 2;
/// What the kernel calls the file of the worker, by which the room's own processes are told from an engine's.
const WORKER_FILE: &str = "/memfd:catamaran-worker";

/// What the image of the worker alone is called.
const WORKER_IMAGE: &str = "localhost/catamaran-worker:1";

/// What is known of the engine of a platform.
fn calls(platform: Platform) -> Option<&'static dyn Calls> {
    match platform {
        Platform::Podman => Some(&PODMAN),
        Platform::Containerd => Some(&CONTAINERD),
        Platform::Docker => Some(&DOCKER),
        Platform::Lxc => Some(&LXC),
        _ => None,
    }
}

/// Whether tenants are started by an engine.
pub(crate) fn is_used(platform: Platform) -> bool {
    calls(platform).is_some()
}

/// Whether tenants are started by an engine that unpacks images itself.
pub(crate) fn loads_images(platform: Platform) -> bool {
    calls(platform).is_some_and(Calls::knows_images)
}

/// Whether the engine of a platform, if it has one, can be told to use the OCI runtime of that name.
pub(crate) fn takes(platform: Platform, runtime: &str) -> bool {
    calls(platform).is_some_and(|calls| calls.runtime().is_some()) && runtime::named(runtime).is_some()
}

/// The OCI runtime that the engine of a platform has start its containers; none where there is none.
pub(crate) fn runtime(platform: Platform, settings: &PlatformSettings) -> Option<Platform> {
    let told = settings.runtime.as_deref().and_then(runtime::named);
    calls(platform)?.runtime().map(|own| told.unwrap_or(own))
}

/// A tenant as it is to be contained.
pub(crate) struct Contained<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) images: &'a Images,
    pub(crate) how: &'a platform::Plan,
    pub(crate) tenant: &'a Tenant,
    pub(crate) label: &'a str,
}

/// An engine that is at work.
pub(crate) struct Engine {
    calls: &'static dyn Calls,
    version: String,
    place: Place,
    room: Room,
    /// Its own processes.
    group: PathBuf,
    /// Containers so far.
    started: usize,
    pulls: Pulls,
}

impl Engine {
    /// What it says of itself and of its runtime.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Numbers of its own processes that are there now.
    pub(crate) fn processes(&self) -> Vec<u32> {
        members(&self.group)
    }

    /// What its daemons, shims and monitors hold now (bytes), pages that several processes share by their share; none where the kernel
    /// does not tell (`Pss` of `/proc/PID/smaps_rollup`, proc(5)).
    pub(crate) fn held_bytes(&self) -> Option<u64> {
        let of_room = |process: &u32| {
            let program = std::fs::read_link(format!("/proc/{process}/exe")).unwrap_or_default();
            program.to_string_lossy().starts_with(WORKER_FILE)
        };
        let held =
            |process: u32| pss(&std::fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?);
        // Of version 2 they are beside the engine's own group, of version 1 in it.
        let places = [Some(&*self.group), self.group.parent()].into_iter().flatten();
        let below = places.flat_map(std::fs::read_dir).flatten().flatten().map(|entry| entry.path());
        let monitors =
            below.filter(|path| path.to_string_lossy().ends_with(MONITOR)).flat_map(|path| members(&path));
        let all = self.processes().into_iter().chain(monitors);
        all.filter(|process| !of_room(process)).filter_map(held).reduce(|a, b| a + b)
    }

    /// Brings its daemon up, and the image in.
    fn begin(&mut self, interrupt: &Interrupt) -> Result<(), Problem> {
        if let Some(Daemon { call, answers }) = self.calls.daemon(&self.place) {
            call.lay_out().map_err(runtime::no_room(&self.place.folder))?;
            self.room.serve(call.words, &self.place.daemon_log(), &answers, interrupt)?;
        }
        stop_at("daemon");
        Ok(())
    }

    /// Brings the tenants' images in, each with the worker on top; for tenants without one there is that of the worker alone.
    fn load(
        &mut self,
        (plan, images): (&Plan, &Images),
        guard: &mut Guard,
        interrupt: &Interrupt,
    ) -> Result<(), Problem> {
        if self.calls.knows_images() {
            let folder = image::make_folder(guard, "archives")?;
            let archive = folder.join("image.tar");
            let mut bring = |name: Option<&str>, base: Option<&Image>| -> Result<(), Problem> {
                let failed = |error| images.failed(name.unwrap_or_default(), error);
                worker::write(&archive, &reference(images, name), base).map_err(failed)?;
                self.pulls.loaded(base)?;
                self.room.demand(self.calls.load(&self.place, &archive), interrupt).map(drop)
            };
            if plan.tenants().iter().any(|tenant| image::named(plan, tenant).is_none()) {
                bring(None, None)?;
            }
            images.archives().try_for_each(|(name, image)| bring(Some(name), Some(image)))?;
            // Nobody needs them any more, and they may be large.
            std::fs::remove_dir_all(&folder).map_err(runtime::no_room(&folder))?;
        }
        stop_at("image");
        Ok(())
    }

    /// Starts a tenant's container; comes back when all threads of its worker wait for the common start. Its group, from the
    /// guard's on.
    ///
    /// # Errors
    /// Where the engine does not start it, or outside of the guard.
    pub(crate) fn start(
        &mut self,
        guard: &Guard,
        birth: &Contained<'_>,
        tape: &std::fs::File,
        interrupt: &Interrupt,
    ) -> Result<(Launcher, String), Problem> {
        let file = birth.how.script.file.as_ref().map(|_| format!("/{FILE}"));
        let (connected, group, requested_ns) = self.contain(guard, birth, ("work-at", file), interrupt)?;
        connected.hand_over(tape)?;
        Ok((connected.at_work(tape, requested_ns, interrupt)?, group))
    }

    /// Has a container probe, with those arguments; comes back when it has told everything, and is still there. Its group, from
    /// the guard's on.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub(crate) fn probe(
        &mut self,
        guard: &Guard,
        birth: &Contained<'_>,
        targets: &[String],
        tape: &std::fs::File,
        interrupt: &Interrupt,
    ) -> Result<(Launcher, Facts, String), Problem> {
        let targets = targets.iter().cloned();
        let (connected, group, requested_ns) =
            self.contain(guard, birth, ("probe-at", targets), interrupt)?;
        connected.hand_over(tape)?;
        let mut launcher = connected.probing(tape, requested_ns)?;
        let found = launcher.findings(interrupt)?;
        Ok((launcher, found, group))
    }

    /// Starts a container whose worker is to do this, with those arguments; comes back when it waits for its tape. Its group, from
    /// the guard's on, and when the engine was asked (ns).
    fn contain(
        &mut self,
        guard: &Guard,
        Contained { plan, images, how, tenant, label }: &Contained<'_>,
        (role, arguments): (&str, impl IntoIterator<Item = String>),
        interrupt: &Interrupt,
    ) -> Result<(tenant::Connected, String, u64), Problem> {
        self.started += 1;
        let control = self.place.folder.join(format!("{}.control", self.started));
        let listener = tenant::Listener::bind(&control)?;
        let mut words = vec![format!("/{PROGRAM}"), role.to_owned(), format!("/{CONTROL}")];
        words.push(guard.id().to_owned());
        words.extend(arguments);
        let container = Container {
            image: self.pulls.name(images, image::named(plan, tenant).map(|image| image.name.as_str())),
            root: how.script.image.as_deref(),
            control: Some(&control),
            file: how.script.file.as_deref(),
            programs: &how.script.programs,
            words,
            ..Container::of(how, tenant, label)?
        };
        let call = self.calls.start(&self.place, &container);
        call.lay_out().map_err(runtime::no_room(&self.place.folder))?;
        let requested_ns = catamaran_worker::clock::now_ns();
        let log = self.calls.log_of(&self.place, label);
        self.room.demand(call.words, interrupt).map_err(|problem| match log {
            Some(log) => problem.with(&complaints(&log)),
            None => problem,
        })?;
        stop_at("engine");
        let connected = listener.accept(interrupt)?;
        connected.adjust(&how.script)?;
        let group = connected.group_below(&guard.inner_name())?;
        if !self.calls.takes_all_limits() {
            bound(&how.groups.make)?;
        }
        weigh(guard, &group, &how.limits)?;
        Ok((connected, group, requested_ns))
    }

    /// How the container of a tenant that is gone has ended: its exit code, or `signal N`.
    pub(crate) fn end_of(&mut self, label: &str, interrupt: &Interrupt) -> Result<String, Problem> {
        let said = self.room.run(self.calls.ask_end(&self.place, label), interrupt)?;
        let code = self.calls.code_in(&said).ok_or_else(|| {
            let what = format!("the engine does not tell how {label} ended: {}", said.last_words());
            Problem::new(what, "see what it complains of")
        })?;
        Ok(end_by_code(code))
    }
}

/// What is written to a tenant's groups, which are there once its container is, and called as it.
fn writes(steps: &[Step]) -> impl Iterator<Item = &Step> {
    steps.iter().filter(|step| matches!(step, Step::Write { .. }))
}

/// Writes it.
fn bound(steps: &[Step]) -> Result<(), Problem> {
    let done = writes(steps).try_for_each(|step| step.perform(0));
    done.map_err(|what| Problem::of_start(&what))
}

/// Lines of a log that tell of errors, the first few of them.
fn complaints(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let errors = text.lines().filter(|line| line.contains(" ERROR "));
    errors.take(COMPLAINTS).collect::<Vec<_>>().join("; ")
}

/// Version 2: gives a container the very weight of the scenario. Engines are told shares, which each runtime turns into a weight by
/// the rule of its release.
fn weigh(guard: &Guard, group: &str, limits: &Limits) -> Result<(), Problem> {
    let (Some(tree), Some(weight)) = (guard.cgroup.group(), limits.weight) else { return Ok(()) };
    let step = Step::Write { value: weight.to_string(), file: tree.join(group).join("cpu.weight") };
    step.perform(0).map_err(|what| Problem::by_errno(what, "leave the tenant's `cpu.request` out"))
}

/// What the engine knows an image by, in a form that no engine completes: names of scenarios may have what theirs may not.
fn reference(images: &Images, name: Option<&str>) -> String {
    let number = images.archives().position(|(known, _)| Some(known) == name);
    number.map_or(WORKER_IMAGE.to_owned(), |number| format!("localhost/catamaran-image-{number}:1"))
}

/// Numbers of the processes in a group.
fn members(group: &Path) -> Vec<u32> {
    let text = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

/// `Pss` of a `smaps_rollup` (bytes).
fn pss(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// By the convention of shells, which every engine follows: 128 and the signal's number (`bash(1)`, EXIT STATUS).
fn end_by_code(code: i32) -> String {
    if code > 128 { format!("signal {}", code - 128) } else { code.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_memory_are_read_in_bytes() {
        assert_eq!(
            pss("00400000-7fff [rollup]\nRss:  9 kB\nPss:   200 kB\nPss_Dirty: 1 kB\n"),
            Some(200 << 10)
        );
        assert_eq!(pss("Rss: 9 kB\nPss_Dirty: 1 kB\n"), None);
    }

    #[test]
    fn errors_of_a_log_are_told_from_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!(complaints(&log), "", "there need not be one");
        std::fs::write(&log, "x INFO start\nx ERROR a\nx ERROR b\nx ERROR c\n").unwrap();
        assert_eq!(complaints(&log), "x ERROR a; x ERROR b");
    }

    #[test]
    fn codes_above_128_are_signals() {
        let ends = [0, 1, 128, 137].map(end_by_code);
        assert_eq!(ends, ["0", "1", "128", "signal 9"]);
    }
}
