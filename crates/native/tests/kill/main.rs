//! A run that is killed with SIGKILL, whatever it was at, leaves nothing behind once the next `clean` has been there; one
//! whose launcher, worker or QEMU is killed leaves nothing behind by itself; and a run that lives beside them goes on.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod inventory;
mod stages;
mod victim;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use catamaran_native::Check;
use inventory::{Inventory, Process, devices, mounts_of_others};
use stages::stages;
use victim::{
    BARE_METAL, CGROUPS, CHROOT, CONTAINER, ENGINES, GROUNDS, Ground, Homes, LIVES, MICROVM, NAMESPACES,
    ORDINARY, ROOTLESS, RUNC, VICTIM, VM, Victim,
};

/// Moments without a halt on each ground: where in a run they hit is up to the seed.
const SEEDED: u64 = 4;
/// Latest of them after the start, in the middle of most runs' work.
const LATEST: Duration = Duration::from_millis(700);
/// The same for a guest: in the middle of its boot.
const LATEST_OF_GUESTS: Duration = Duration::from_secs(3);
/// The same where an engine is started first.
const LATEST_OF_ENGINES: Duration = Duration::from_millis(2500);

/// Runs at once: they mostly wait, for grace periods of the kernel and for each other.
const AT_ONCE: usize = 6;

/// Whom to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Runner,
    Launcher,
    /// The worker or QEMU, or the process that is about to become it.
    Tenant,
}

/// When.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Halted at a stage.
    At(&'static str),
    /// So long after the start, or (where it is not the runner) after the tenants are there.
    After(Duration),
}

/// One kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kill {
    ground: Ground,
    who: Who,
    moment: Moment,
}

impl Kill {
    /// How long it waits; not at all for a run that has halted.
    fn after(&self) -> Duration {
        match self.moment {
            Moment::At(_) => Duration::ZERO,
            Moment::After(after) => after,
        }
    }
}

/// Pseudo-random numbers by Knuth's linear congruences.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_micros((self.0 >> 33) % most.as_micros() as u64)
    }
}

/// Kills of the runner: at every stage on every ground, and at seeded moments. In an emulated machine, where each takes
/// seconds, every third stage of each ground, another one on each.
fn kills_of_runners(grounds: &[Ground], emulated: bool) -> Vec<Kill> {
    let mut dice = Dice(0x5EED);
    let mut kills = Vec::new();
    for (number, &ground) in grounds.iter().enumerate() {
        let at = stages(ground).into_iter().enumerate();
        let at = at.filter(|(place, _)| !emulated || (place + number).is_multiple_of(3));
        kills.extend(at.map(|(_, stage)| Kill { ground, who: Who::Runner, moment: Moment::At(stage) }));
    }
    let moments = if emulated { 1 } else { SEEDED };
    for &ground in grounds.iter().cycle().take(grounds.len() * moments as usize) {
        let latest = match ground {
            VM => LATEST_OF_GUESTS,
            engine if ENGINES.contains(&engine) => LATEST_OF_ENGINES,
            _ => LATEST,
        };
        kills.push(Kill { ground, who: Who::Runner, moment: Moment::After(dice.below(latest)) });
    }
    kills
}

/// Kills of launchers, workers and QEMU; in an emulated machine, halted ones only.
fn kills_of_others(grounds: &[Ground], emulated: bool) -> Vec<Kill> {
    let halted = [
        (CGROUPS, Who::Launcher, "limits"),
        (CHROOT, Who::Launcher, "rootfs"),
        (NAMESPACES, Who::Launcher, "clone"),
        (CONTAINER, Who::Launcher, "join"),
        (RUNC, Who::Launcher, "runtime"),
        (ORDINARY, Who::Launcher, "clone"),
        (BARE_METAL, Who::Tenant, "isolate"),
        (NAMESPACES, Who::Tenant, "isolate"),
        (CHROOT, Who::Tenant, "pivot"),
        (CONTAINER, Who::Tenant, "rootfs"),
        (ROOTLESS, Who::Tenant, "pivot"),
        (ORDINARY, Who::Tenant, "pivot"),
    ];
    let halted = halted.into_iter().filter(|(ground, ..)| grounds.contains(ground));
    let mut kills: Vec<_> =
        halted.map(|(ground, who, stage)| Kill { ground, who, moment: Moment::At(stage) }).collect();
    let mut dice = Dice(0xD1CE);
    // Where tenants are started anew, each run has a kill of its own.
    for &ground in grounds.iter().filter(|ground| !emulated && **ground != LIVES) {
        let latest = if ground == VM { LATEST_OF_GUESTS } else { Duration::from_millis(300) };
        // Launchers are there while they start their tenant only.
        let mut later = vec![(Who::Tenant, Moment::After(dice.below(latest)))];
        let at = match ground {
            RUNC => &["runtime"][..],
            // Its room is there all the time, and the runner's only child.
            engine if ENGINES.contains(&engine) => {
                later.push((Who::Launcher, Moment::After(dice.below(LATEST_OF_ENGINES))));
                &[]
            }
            _ => &["limits", "clone"],
        };
        let at = at.iter().map(|stage| (Who::Launcher, Moment::At(stage)));
        kills.extend(at.chain(later).map(|(who, moment)| Kill { ground, who, moment }));
    }
    kills
}

/// The kills in groups that are made at once: guests two by two, for each takes a core.
fn batches(kills: Vec<Kill>) -> Vec<Vec<Kill>> {
    let (guests, others): (Vec<_>, Vec<_>) = kills.into_iter().partition(|kill| kill.ground == VM);
    others.chunks(AT_ONCE).chain(guests.chunks(2)).map(<[Kill]>::to_vec).collect()
}

/// What the kills have in common, and their count.
struct Murder {
    homes: Homes,
    mounts: BTreeSet<String>,
    devices: BTreeSet<String>,
    kills: BTreeMap<&'static str, u32>,
    held_something: u32,
}

impl Murder {
    /// Starts the runs, and brings each to its moment.
    fn start(&self, batch: &[Kill]) -> Vec<(Kill, Victim)> {
        let start = |kill: &Kill| {
            let (stage, duration) = match kill.moment {
                // A life after the first begins only while the run goes on, later where the machine is slow.
                Moment::At(stage) if kill.ground == LIVES => (Some(stage), "3s"),
                Moment::At(stage) => (Some(stage), "200ms"),
                // Others are looked for until all runs of the batch are there, and an engine takes its time.
                Moment::After(_) if kill.who != Who::Runner && ENGINES.contains(&kill.ground) => (None, "5s"),
                Moment::After(_) if kill.who != Who::Runner => (None, "1200ms"),
                Moment::After(_) => (None, "400ms"),
            };
            (*kill, self.homes.start(kill.ground, duration, stage))
        };
        let mut victims: Vec<_> = batch.iter().map(start).collect();
        for (kill, victim) in &mut victims {
            if let Moment::At(stage) = kill.moment {
                victim.wait_for_stop(stage);
            }
        }
        victims
    }

    /// Kills runners, cleans, and holds what is left against nothing.
    fn of_runners(&mut self, batch: &[Kill]) {
        let mut victims = self.start(batch);
        let due = |kill: &Kill, victim: &Victim| victim.started + kill.after();
        victims.sort_by_key(|(kill, victim)| due(kill, victim));
        for (kill, victim) in &mut victims {
            std::thread::sleep(due(kill, victim).saturating_duration_since(Instant::now()));
            // Looked at while it lives, as any other run on the machine that begins cleans up after dead ones.
            let something = !Inventory::take(victim.pid(), &victim.home).is_empty();
            victim.kill();
            let halted = matches!(kill.moment, Moment::At(_));
            assert!(something || !halted, "{kill:?}: there must be something to clean");
            self.held_something += u32::from(something);
        }
        self.homes.clean(batch.iter().any(|kill| kill.ground.ordinary));
        self.nothing_is_left(&victims);
    }

    /// Kills others of a run, which then ends by itself and removes what it made: nobody cleans.
    fn of_others(&mut self, batch: &[Kill]) {
        let mut victims = self.start(batch);
        let mut targets: Vec<_> =
            victims.iter().map(|(kill, victim)| (*kill, wait_for(*kill, victim))).collect();
        let all_there = Instant::now();
        targets.sort_by_key(|(kill, _)| kill.after());
        for (kill, target) in targets {
            std::thread::sleep((all_there + kill.after()).saturating_duration_since(Instant::now()));
            let target = rustix::process::Pid::from_raw(target.pid as i32).expect("a process");
            // It may be too late: then the run came to its end, and has to leave nothing either.
            let _ = rustix::process::kill_process(target, rustix::process::Signal::KILL);
        }
        for (kill, victim) in &mut victims {
            let said = victim.said();
            assert!(said.contains("reported") || said.contains("failed: "), "{kill:?}: {said}");
        }
        self.nothing_is_left(&victims);
    }

    fn nothing_is_left(&mut self, victims: &[(Kill, Victim)]) {
        for (kill, victim) in victims {
            let left = Inventory::take_when_settled(victim.pid(), &victim.home);
            assert!(left.is_empty(), "{kill:?}: left behind {left:#?}");
            *self.kills.entry(kill.ground.name).or_default() += 1;
        }
        assert_eq!(mounts_of_others(), self.mounts, "mounts of the machine");
        assert_eq!(devices(), self.devices, "devices of the machine's own network");
    }
}

/// The process that is to be killed, once it is there.
fn wait_for(kill: Kill, victim: &Victim) -> Process {
    let halted = matches!(kill.moment, Moment::At(_));
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        let inventory = Inventory::take(victim.pid(), &victim.home);
        let (children, tenants) = (inventory.children(victim.pid()), inventory.tenants());
        let found = match kill.who {
            Who::Launcher => children.first(),
            // Its launcher goes once it has done its own.
            _ if halted => children.first().filter(|_| children.len() == 1),
            _ => tenants.first().filter(|_| tenants.len() >= if kill.ground == VM { 1 } else { 2 }),
        };
        if let Some(found) = found {
            return (*found).clone();
        }
    }
    panic!("{kill:?}: nobody to kill in {:#?}", Inventory::take(victim.pid(), &victim.home))
}

/// The grounds that this machine has; says why it lacks the others.
fn grounds(checks: &[Check], emulated: bool) -> Vec<Ground> {
    let lacks = |ground: &Ground| -> Option<String> {
        if (ground.ordinary || ground.lives) && emulated {
            return Some("an emulated machine is too slow for all".to_owned());
        }
        let platform = if ground.rootless { "container, rootless" } else { ground.platform.name() };
        let needed = [platform, "network-bandwidth"];
        let mut needed = needed.into_iter().take(1 + usize::from(ground.talks));
        needed.find_map(|name| {
            let check = checks.iter().find(|check| check.name == name)?;
            (!check.works).then(|| check.found.clone())
        })
    };
    let here = GROUNDS.into_iter().filter(|ground| match lacks(ground) {
        None => true,
        Some(why) => {
            println!("no kills on {}: {}", ground.name, why.replace('\n', " "));
            false
        }
    });
    here.collect()
}

/// Not a test: what the other test starts and kills. Does nothing when started by anyone else.
#[test]
fn victim() {
    if let Ok(what) = std::env::var(VICTIM) {
        victim::be(&what);
    }
}

#[test]
fn a_tenant_that_runs_has_no_process_beside_it() {
    if std::env::var_os(VICTIM).is_some() {
        return;
    }
    let emulated = std::env::var_os("CATAMARAN_TURNS_PER_CPU_S").is_some();
    let homes = Homes::make();
    // An engine has many.
    let grounds = grounds(&catamaran_native::doctor(), emulated).into_iter();
    for ground in grounds.filter(|ground| !ENGINES.contains(ground)) {
        let mut victim = homes.start(ground, "200ms", Some("running"));
        victim.wait_for_stop("running");
        let inventory = Inventory::take(victim.pid(), &victim.home);
        victim.kill();
        homes.clean(ground.ordinary);
        // Of what shows a guest its program, one process waits for the other's end.
        let expected = if ground == VM { (1, 2, 3) } else { (2, 0, 2) };
        let all = inventory.processes();
        let daemons = all.iter().filter(|process| process.words.contains("virtiofsd")).count();
        let found = (inventory.tenants().len(), daemons, all.len());
        assert_eq!(found, expected, "{}: tenants, daemons, all: {inventory:#?}", ground.name);
    }
}

#[test]
fn children_of_tenants_are_gone_whoever_is_killed() {
    if std::env::var_os(VICTIM).is_some() {
        return;
    }
    let emulated = std::env::var_os("CATAMARAN_TURNS_PER_CPU_S").is_some();
    let grounds = grounds(&catamaran_native::doctor(), emulated);
    let mut murder = Murder {
        homes: Homes::make(),
        mounts: mounts_of_others(),
        devices: devices(),
        kills: BTreeMap::new(),
        held_something: 0,
    };
    // Whose parent is whose in an engine's container is not told by the runner's children.
    let with_children = |ground: &Ground| {
        ![VM, MICROVM, LIVES].contains(ground) && !ground.talks && !ENGINES.contains(ground)
    };
    for ground in grounds.into_iter().filter(with_children) {
        for who in [Who::Runner, Who::Tenant] {
            let kill = Kill { ground, who, moment: Moment::After(Duration::ZERO) };
            let mut victim = murder.homes.start_forks(ground, if who == Who::Runner { "60s" } else { "3s" });
            let deadline = Instant::now() + Duration::from_secs(20);
            // Four tenants, of which two have children that look like them.
            let parent = loop {
                let inventory = Inventory::take(victim.pid(), &victim.home);
                let (all, own) = (inventory.tenants(), inventory.children(victim.pid()));
                let children =
                    all.iter().filter(|process| process.parent != victim.pid()).collect::<Vec<_>>();
                if children.len() >= 20 {
                    let number = children.first().map_or(0, |child| child.parent);
                    assert!(own.iter().any(|process| process.pid == number), "{ground:?}: {inventory:#?}");
                    break number;
                }
                assert!(Instant::now() < deadline, "{ground:?}: no children in {inventory:#?}");
            };
            if who == Who::Runner {
                victim.kill();
                murder.homes.clean(ground.ordinary);
            } else {
                let parent = rustix::process::Pid::from_raw(parent as i32).expect("a process");
                rustix::process::kill_process(parent, rustix::process::Signal::KILL).expect("it is there");
                let said = victim.said();
                assert!(said.contains("reported"), "{kill:?}: {said}");
            }
            murder.nothing_is_left(&[(kill, victim)]);
        }
    }
}

#[test]
fn a_killed_run_leaves_nothing_after_the_next_clean_and_a_live_one_is_untouched() {
    if std::env::var_os(VICTIM).is_some() {
        return;
    }
    // The guest of `cargo xtask test --only native-v2` says so.
    let emulated = std::env::var_os("CATAMARAN_TURNS_PER_CPU_S").is_some();
    let grounds = grounds(&catamaran_native::doctor(), emulated);
    if !grounds.contains(&CGROUPS) {
        println!("skipped: kill: no control groups for the run that lives");
        return;
    }
    let began = Instant::now();
    let homes = Homes::make();
    let mut live = homes.start(CGROUPS, "300s", None);
    let deadline = Instant::now() + Duration::from_secs(20);
    // Until its exec, a tenant looks like its launcher: only then does the inventory stay as it is.
    while Inventory::take(live.pid(), &live.home).tenants().len() < 2 {
        assert!(Instant::now() < deadline, "the live run did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let alive = Inventory::take(live.pid(), &live.home);
    let mounts = mounts_of_others();
    let mut murder = Murder { homes, mounts, devices: devices(), kills: BTreeMap::new(), held_something: 0 };
    for batch in batches(kills_of_runners(&grounds, emulated)) {
        murder.of_runners(&batch);
    }
    for batch in batches(kills_of_others(&grounds, emulated)) {
        murder.of_others(&batch);
    }
    let all: u32 = murder.kills.values().sum();
    println!("kills: {:#?}", murder.kills);
    println!(
        "{all} kills in {:.0} s; {} runners held something",
        began.elapsed().as_secs_f64(),
        murder.held_something
    );
    assert!(emulated || grounds.len() < GROUNDS.len() || all >= 100, "only {all} kills");
    assert_eq!(Inventory::take(live.pid(), &live.home), alive, "the live run must be untouched");
    assert!(live.is_alive(), "the live run must go on");
    live.kill();
    murder.homes.clean(false);
    let left = Inventory::take_when_settled(live.pid(), &live.home);
    assert!(left.is_empty(), "the live run in the end: left behind {left:#?}");
}
