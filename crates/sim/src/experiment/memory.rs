//! Where threads meet memory: touching in pieces, waiting for room, being killed.

mod ends;
mod moved;
mod sampling;

use std::collections::{BTreeMap, BTreeSet};

use catamaran_report::RunError;
use catamaran_scenario::calibration::MemoryCosts;
use catamaran_scenario::leak::Leak;
use catamaran_scenario::plan::Workload;
use catamaran_scenario::{Calibration, Plan, Platform};

use super::lives::{How, Killed};
use super::refuse::refusal;
use super::world::{Event, Instance, TENANTS_SECOND, World};
use crate::kernel::trace::Cause;
use crate::platform;
use crate::platform::footprint::Footprint;
use crate::platform::memory::MemoryClaim;
use crate::platform::vm::Guest;
use crate::resources::cpu::ThreadId;
use crate::resources::memory::{
    Balloon, Bounds, Charge, GroupId, Machine, Memory, ProcessId, ProcessSpec, ROOT, Resized,
};
use crate::workload::Program;

pub(super) use moved::MovedMemory;
use moved::Sent;

/// After so long the memory of a victim that has not got to its end is taken from it (`OOM_REAPER_DELAY`, 2·HZ ticks, in
/// Linux `mm/oom_kill.c`).
const REAPER_DELAY_NS: u64 = 2_000_000_000;
/// Between two samples of what is charged (ns).
pub(super) const SAMPLE_NS: u64 = 100_000_000;

/// The machine's memory, and what it costs to use; none where the machine was calibrated without.
#[derive(Debug, Clone)]
pub(super) struct MemorySetting(Option<Counted>);

/// What is counted, and how.
#[derive(Debug, Clone)]
struct Counted {
    machine: Machine,
    root: Bounds,
    costs: MemoryCosts,
    footprint: Footprint,
    sent: Sent,
    balloon: Option<Balloon>,
    /// What the records of a scanner take (bytes).
    records_bytes: u64,
}

impl MemorySetting {
    /// Of guests only how much each holds is modelled: what goes on inside is their own affair, and none goes to swap.
    pub(super) fn of(
        plan: &Plan,
        platform: Platform,
        calibration: &Calibration,
        guest: Option<&Guest>,
    ) -> Result<Self, RunError> {
        // What the Sentry takes beside its program was not measured: a figure of the whole would be made up.
        if (guest.is_some() && plan.host().swap.0 > 0) || platform == Platform::Gvisor {
            return Ok(Self(None));
        }
        let toucher = plan.tenants().iter().find(|tenant| touches(&tenant.workload));
        let Some(costs) = &calibration.memory else {
            let what = "memory on a machine that was calibrated without it";
            let refuse = |field: String| refusal(field, what, "calibrate anew with `catamaran calibrate`");
            return match toucher {
                Some(tenant) => Err(refuse(format!("tenant.{}.workload.kind", tenant.name))),
                None => Ok(Self(None)),
            };
        };
        let host = plan.host();
        if host.swap.0 > 0 && costs.swap.is_none() {
            let what = "swap on a machine that was calibrated without it";
            return Err(refusal(
                "host.swap".into(),
                what,
                "leave it out, or give [memory.swap] in host.toml",
            ));
        }
        let sent = guest.map(Sent::of).unwrap_or_default();
        let machine = Machine {
            cores: u64::from(host.cores),
            page_bytes: calibration.machine.page_bytes,
            hz: u64::from(calibration.scheduler.hz),
            swap_out_ns: costs.swap.as_ref().map_or(0.0, |swap| swap.out_ns),
            swap_in_ns: costs.swap.as_ref().map_or(0.0, |swap| swap.in_ns),
        };
        let root = Bounds { max: Some(host.memory.0), swap: Some(host.swap.0), ..Bounds::default() };
        let settings = plan.settings(platform);
        let frames = host.memory.0 / machine.page_bytes.max(1);
        Ok(Self(Some(Counted {
            machine,
            root,
            costs: platform::memory::inside(costs, guest),
            footprint: Footprint::of(platform, calibration, costs, guest),
            sent,
            balloon: platform::sharing::balloon(&settings),
            records_bytes: platform::sharing::records_bytes(&settings, frames),
        })))
    }

    pub(super) fn page_bytes(&self) -> u64 {
        self.0.as_ref().map_or(1, |counted| counted.machine.page_bytes)
    }

    pub(super) fn world(&self) -> Option<MemoryWorld> {
        let Counted { machine, root, costs, footprint, sent, balloon, records_bytes } = self.0.as_ref()?;
        let mut model = Memory::new(*machine, *root).with_balloon(*balloon);
        model.hold(ROOT, *records_bytes);
        Some(MemoryWorld {
            model,
            costs: costs.clone(),
            footprint: *footprint,
            swap_in_ns: machine.swap_in_ns,
            page_bytes: machine.page_bytes,
            holders: BTreeMap::new(),
            owners: Vec::new(),
            touching: BTreeMap::new(),
            waiting: Vec::new(),
            samples: BTreeMap::new(),
            sampled: 0,
            sent: *sent,
            known: BTreeMap::new(),
            touched_anew: BTreeSet::new(),
        })
    }
}

/// Whether a workload touches memory.
pub(super) fn touches(workload: &Workload) -> bool {
    match workload {
        Workload::Phases(phases) => phases.iter().any(|phase| touches(&phase.workload)),
        Workload::Command { like: Some(like), .. } => touches(like),
        other => Leak::of(other).is_some(),
    }
}

/// Memory and who is at it.
#[derive(Debug, Clone)]
pub(super) struct MemoryWorld {
    pub(super) model: Memory,
    costs: MemoryCosts,
    footprint: Footprint,
    swap_in_ns: f64,
    page_bytes: u64,
    /// Group and process of each instance.
    pub(super) holders: BTreeMap<usize, (GroupId, ProcessId)>,
    /// Whose each process is or was.
    owners: Vec<usize>,
    touching: BTreeMap<ThreadId, Touching>,
    /// Threads that wait for a victim's memory.
    waiting: Vec<ThreadId>,
    /// Bytes charged to each instance at each sample.
    samples: BTreeMap<usize, Vec<u64>>,
    /// How many samples there are.
    sampled: usize,
    sent: Sent,
    /// Pages of each process that moves when its round began.
    known: BTreeMap<ProcessId, u64>,
    /// Processes that have touched everything anew since.
    touched_anew: BTreeSet<ProcessId>,
}

/// What a thread is touching.
#[derive(Debug, Clone)]
struct Touching {
    /// Pages that it still has to be granted.
    left: u64,
    from_swap: bool,
    /// Kernel time for what it was granted (ns).
    owed_ns: u64,
}

impl MemoryWorld {
    /// What an instance is charged for being there (bytes).
    pub(super) fn idle_bytes(&self, program: &Program) -> u64 {
        let own = self.footprint.own_bytes(program.threads() as u64);
        own + program.queue_bytes() + program.buffer_bytes(self.page_bytes)
    }

    /// Gives an instance its group and its process; the instances that are killed so that it fits.
    fn admit(&mut self, index: usize, claim: &MemoryClaim, program: &Program) -> Vec<usize> {
        let threads = program.threads() as u64;
        let own_bytes = self.idle_bytes(program);
        let buffers = program.buffer_bytes(self.page_bytes);
        // Whoever touches memory for long does so on every core that it is moved to, and children do where they begin.
        let is_everywhere = program.touches() || program.forks();
        let spread = if is_everywhere { u64::MAX } else { self.footprint.cores(threads) };
        let group = match self.holders.get(&index) {
            Some((group, _)) => *group,
            None => {
                self.model.hold(ROOT, self.footprint.group_bytes);
                self.model.add_group(ROOT, claim.bounds)
            }
        };
        let process = self.model.add_process(ProcessSpec {
            group,
            own_bytes,
            start_bytes: self.footprint.start_bytes,
            own_rss_bytes: self.footprint.rss_bytes + buffers,
            hot: program.is_hot(),
            oom_score_adj: claim.oom_score_adj,
            spread: spread.min(claim.cores.unwrap_or(u64::MAX)),
            cloned_bytes: if is_everywhere { 0 } else { self.footprint.cloned_bytes },
            kernels_beneath: self.footprint.kernels_beneath,
            reserve_bytes: self.footprint.reserve_bytes,
            alike_bytes: self.footprint.alike_bytes,
        });
        self.holders.insert(index, (group, process));
        self.owners.push(index);
        let victims = self.model.make_fit(process).into_iter();
        victims.filter_map(|victim| self.owner_of_process(victim)).collect()
    }

    pub(super) fn peak_bytes(&self, index: usize) -> Option<u64> {
        self.holders.get(&index).map(|(group, _)| self.model.peak_bytes(*group))
    }

    pub(super) fn host_peak_bytes(&self) -> u64 {
        self.model.peak_bytes(ROOT)
    }

    pub(super) fn samples(&self) -> &BTreeMap<usize, Vec<u64>> {
        &self.samples
    }

    pub(super) fn model(&self) -> &Memory {
        &self.model
    }

    /// Whose group that is; none for the machine's own.
    pub(super) fn owner_of_group(&self, group: GroupId) -> Option<usize> {
        self.holders.iter().find(|(_, (own, _))| *own == group).map(|(index, _)| *index)
    }

    pub(super) fn owner_of_process(&self, process: ProcessId) -> Option<usize> {
        self.owners.get(process).copied()
    }

    /// Notes what everyone is charged now.
    pub(super) fn sample(&mut self) {
        for (&index, &(group, _)) in &self.holders {
            let own = self.samples.entry(index).or_default();
            // One that came later was charged nothing before.
            own.resize(self.sampled, 0);
            own.push(self.model.usage_bytes(group));
        }
        self.sampled += 1;
    }

    /// Whether equal pages are looked for.
    pub(super) fn is_scanned(&self) -> bool {
        self.footprint.alike_bytes > 0
    }
}

impl World {
    /// Charges an instance for being there. Where that does not fit, the kernel kills before anyone has begun.
    pub(super) fn admit(&mut self, index: usize) {
        let Some(Some(instance)) = self.instances.get(index) else { return };
        let (Some(memory), Some(claim)) = (&mut self.memory, &instance.lives.terms.memory) else { return };
        let victims = memory.admit(index, claim, &instance.program);
        self.take_from_memory(None);
        for victim in victims {
            let cause = self.last_kill(victim);
            if let Some(victim) = self.instances.get_mut(victim).and_then(Option::as_mut) {
                victim.kill(Killed { gone: Some(0), how: How::Memory, cause });
                victim.program.stop(0, true);
            }
        }
    }

    /// Charges an instance for being there again, in place of what it was before. Where that does not fit, the kernel kills;
    /// the victims' memory is there at once, as when nobody has begun yet.
    pub(super) fn admit_anew(&mut self, index: usize, because: Option<Cause>) {
        let Some(Some(instance)) = self.instances.get(index) else { return };
        let (Some(memory), Some(claim)) = (&mut self.memory, &instance.lives.terms.memory) else { return };
        memory.model.set_now(self.now);
        if let Some(&(_, process)) = memory.holders.get(&index) {
            memory.model.release(process);
        }
        let victims = memory.admit(index, claim, &instance.program);
        self.take_from_memory(because);
        for victim in victims {
            let cause = self.last_kill(victim);
            self.vanish(victim, How::Memory, cause);
            self.follow_up(victim);
        }
    }

    /// Another bound for the memory of an instance (bytes).
    pub(super) fn resize(&mut self, index: usize, bytes: u64, version_1: bool) -> Option<Resized> {
        let memory = self.memory.as_mut()?;
        let (group, _) = *memory.holders.get(&index)?;
        memory.model.set_now(self.now);
        Some(memory.model.set_max(group, bytes, version_1))
    }

    fn process_of(&self, thread: ThreadId) -> Option<ProcessId> {
        let (index, _) = *self.owners.get(thread)?;
        Some(self.memory.as_ref()?.holders.get(&index)?.1)
    }

    /// Begins to touch `pages` for the first time.
    pub(super) fn touch(&mut self, thread: ThreadId, pages: u64) {
        let touching = Touching { left: pages, from_swap: false, owed_ns: self.overhead(thread, false) };
        if let Some(memory) = &mut self.memory {
            memory.touching.insert(thread, touching);
        }
        self.touch_on(thread);
    }

    /// Touches everything once more; what is in swap comes back.
    pub(super) fn touch_again(&mut self, thread: ThreadId) {
        let (process, sleep_ns) = (self.process_of(thread), self.overhead(thread, false));
        if let (Some(memory), Some(process)) = (&mut self.memory, process) {
            let again_ns = memory.model.resident_pages(process) as f64 * memory.costs.retouch_ns;
            let touching = Touching {
                left: memory.model.swapped_pages(process),
                from_swap: true,
                owed_ns: sleep_ns + again_ns as u64,
            };
            memory.touching.insert(thread, touching);
            memory.touched_anew.insert(process);
        }
        self.touch_on(thread);
    }

    pub(super) fn is_touching(&self, thread: ThreadId) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.touching.contains_key(&thread))
    }

    /// The phase is over, or the life, before the thread was done.
    pub(super) fn stop_touching(&mut self, thread: ThreadId) {
        if let Some(memory) = &mut self.memory {
            memory.touching.remove(&thread);
            memory.waiting.retain(|waiting| *waiting != thread);
        }
    }

    /// The next piece: what was granted is paid for, then more is asked for.
    pub(super) fn touch_on(&mut self, thread: ThreadId) {
        let process = self.process_of(thread);
        let (Some(memory), Some(process)) = (&mut self.memory, process) else { return };
        let Some(touching) = memory.touching.get_mut(&thread) else { return self.go_on(thread) };
        if touching.owed_ns > 0 {
            let ns = std::mem::take(&mut touching.owed_ns);
            self.engine.give_kernel_time(thread, ns);
            self.engine.wake(thread);
            return;
        }
        if touching.left == 0 {
            memory.touching.remove(&thread);
            return self.go_on(thread);
        }
        memory.model.set_now(self.now);
        match memory.model.charge(process, touching.left, touching.from_swap) {
            Charge::Granted { pages, mut delay_ns } => {
                touching.left -= pages;
                touching.owed_ns = ((pages as f64 * memory.costs.touch_ns) as u64).max(1);
                if touching.from_swap {
                    delay_ns += (pages as f64 * memory.swap_in_ns) as u64;
                }
                if delay_ns > 0 { self.stall(thread, delay_ns) } else { self.touch_on(thread) }
            }
            Charge::Reclaiming { ns } => self.stall(thread, ns.max(1)),
            Charge::Waiting => self.wait_for_memory(thread),
            Charge::Killed(victims) => {
                self.wait_for_memory(thread);
                for victim in victims {
                    self.kill(victim);
                }
            }
        }
    }

    pub(super) fn stall(&mut self, thread: ThreadId, ns: u64) {
        self.engine.block(thread);
        self.queue.push(self.now + ns, TENANTS_SECOND, Event::Wake(thread, self.life_of(thread)));
    }

    /// The kernel tries again and again until a victim's memory is there; the model sleeps until then.
    pub(super) fn wait_for_memory(&mut self, thread: ThreadId) {
        self.engine.block(thread);
        if let Some(memory) = &mut self.memory {
            memory.waiting.push(thread);
        }
    }
}
