//! From the plan, the platform and the calibration to what the model is made of.

use std::collections::BTreeMap;

use catamaran_report::RunError;
use catamaran_scenario::plan::{PlatformSettings, Scheduler};
use catamaran_scenario::{Calibration, Plan, Platform};

use super::Model;
use crate::Options;
use crate::kernel::Instant;
use crate::kernel::rng::SplitMix64;
use crate::platform::memory::MemoryClaim;
use crate::platform::{self, CpuClaim};
use crate::resources::cpu::{Costs, Cpu, Fluid, Knobs, Pick};
use crate::startup;
use crate::workload::Program;

use super::disk::DiskSetting;
use super::engine::Engine;
use super::forks::ForkSetting;
use super::guests::Guests;
use super::lives::Terms;
use super::memory::MemorySetting;
use super::network::NetworkSetting;

/// Largest share of the cores' time that others can have.
const TAKEN_MOST: f64 = 0.9;

/// Everything about a simulation but its speed.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) model: Model,
    pub(super) cores: usize,
    pub(super) knobs: Knobs,
    /// Per instance of the plan, in its order.
    pub(super) claims: Vec<CpuClaim>,
    pub(super) memory: MemorySetting,
    pub(super) disk: DiskSetting,
    pub(super) network: NetworkSetting,
    pub(super) forks: ForkSetting,
    /// Of the same instances.
    pub(super) memory_claims: Vec<MemoryClaim>,
    /// Where each instance is in a guest of its own.
    pub(super) guest: Option<platform::vm::Guest>,
    /// The platform's start.
    pub(super) start: Option<startup::Start>,
    /// Parts of the pull of each instance that has an image.
    pub(super) pulls: BTreeMap<usize, Vec<startup::pull::Part>>,
    /// What no two tenants of a machine can have.
    pub(super) taken: platform::clash::Taken,
    /// Speed of the work, relative to a process's.
    speed: f64,
    /// CPU time of a request beyond its demand (ns).
    pub(super) request_overhead: u64,
    /// CPU time of a sleep beyond the switches (ns).
    pub(super) sleep_overhead: u64,
    /// From a timer's expiry to the sleeper's first instruction on an idle core (ns).
    pub(super) wakeup_idle: u64,
    /// How guests move between nodes, where they can.
    pub(super) migration: Option<platform::migration::Terms>,
    /// Whether limits are those of cgroup version 1.
    pub(super) version_1: bool,
    platform: Platform,
}

impl Setting {
    pub(super) fn of(
        plan: &Plan,
        platform: Platform,
        calibration: &Calibration,
        model: Model,
    ) -> Result<Self, RunError> {
        let rule_of = if model == Model::Exact { platform } else { Platform::BareMetal };
        let rule = platform::rule(rule_of);
        let tenants = plan.instances().filter_map(|(index, _)| plan.tenants().get(index));
        let claims: Vec<CpuClaim> = tenants.map(|tenant| rule(tenant, calibration)).collect();
        let tenants = plan.instances().filter_map(|(index, _)| plan.tenants().get(index));
        let memory_claims = tenants
            .zip(&claims)
            .map(|(tenant, claim)| platform::memory::claim(tenant, calibration, claim.own_group.is_some()))
            .collect();
        let guest =
            (model == Model::Exact).then(|| platform::vm::guest(plan, platform, calibration)).flatten();
        let system_call = platform::costs::extra(platform).system_call.map_or(0, |ns| (ns + 0.5) as u64);
        let takes_part = |instance: usize| takes_part(model, instance);
        let inside = |ns: u64| guest.map_or(ns, |guest| (ns as f64 / guest.speed) as u64);
        Ok(Self {
            disk: DiskSetting::of(plan, rule_of, calibration, (&claims, guest.as_ref()))?,
            forks: ForkSetting::of(plan, calibration, &claims, guest.as_ref())?,
            network: NetworkSetting::of(plan, rule_of, calibration, guest.as_ref())?,
            memory: MemorySetting::of(plan, rule_of, calibration, guest.as_ref())?,
            memory_claims,
            model,
            cores: plan.host().cores as usize,
            knobs: knobs(plan, platform, calibration),
            claims,
            guest,
            start: startup::start(plan, platform, calibration),
            pulls: startup::pull::pulls(plan, platform, takes_part),
            taken: platform::clash::Taken::nothing(platform, &plan.settings(platform)),
            speed: platform::bare::speed(plan, platform, calibration),
            request_overhead: inside(calibration.cpu.request_overhead_ns),
            // A sleep is a system call.
            sleep_overhead: inside(calibration.cpu.sleep_overhead_ns) + system_call,
            wakeup_idle: calibration.cpu.wakeup_idle_ns,
            migration: platform::migration::Terms::of(&plan.settings(platform), plan.host())
                .filter(|_| guest.is_some() && platform::can_migrate(platform)),
            version_1: calibration.machine.cgroup_version == 1,
            platform,
        })
    }

    /// What is agreed on an instance of the plan.
    pub(super) fn terms(&self, plan: &Plan, index: usize, (tenant, replica): (usize, u32)) -> Option<Terms> {
        let own = plan.tenants().get(tenant)?;
        let claim = self.claims.get(index)?;
        let quota = startup::quota(own, self.platform);
        // A later start finds its image unpacked.
        let startup_s = self.start.as_ref().and_then(|start| start.of(quota, &[]).whole_s).unwrap_or(0.0);
        Some(Terms {
            restart: own.restart,
            startup: libm::round(startup_s * 1e9) as u64,
            limits: claim.own_group.map(|_| (own.cpu.period.0, own.cpu.burst.0)),
            memory: self.memory_claims.get(index).cloned(),
            first: replica < own.replicas,
        })
    }

    pub(super) fn engine(&self, plan: &Plan, speed: f64, options: &Options) -> Engine {
        let dice = |whose: &str| SplitMix64::named(plan.seed(), &format!("{whose}/{}", options.throw));
        let mut knobs = self.knobs;
        knobs.costs.taken = options.taken.clamp(0.0, TAKEN_MOST);
        let speed = speed * self.speed;
        let machine = || Cpu::new(self.cores, knobs, speed, dice("kernel"), options.timeline);
        match self.model {
            Model::Fluid => Engine::Fluid(Box::new(Fluid::new(self.cores, knobs.costs, speed))),
            _ if self.guest.is_some() => Engine::Guests(Box::new(Guests::new(machine(), dice("guests")))),
            _ => Engine::Exact(Box::new(machine())),
        }
    }

    /// Whether an instance takes part.
    pub(super) fn takes_part(&self, instance: usize) -> bool {
        match self.model {
            // A client has nobody to talk to but its peer.
            Model::Alone(only) => only == instance || self.network.talks_to(only, instance),
            _ => true,
        }
    }

    /// What an instance does. The peer of a client that has the machine to itself does nothing but answer.
    pub(super) fn program(
        &self,
        plan: &Plan,
        index: usize,
        (tenant, replica): (usize, u32),
        span: (Instant, Instant),
    ) -> Option<Program> {
        let page_bytes = self.memory.page_bytes();
        let program = match self.model {
            Model::Alone(only) if only != index => Program::idle(span),
            _ => Program::new(plan, tenant, replica, span, page_bytes)?,
        };
        let program = if self.model == Model::Fluid { program.without_locks() } else { program };
        Some(if self.network.serves(index) { program.and_answers() } else { program })
    }
}

fn takes_part(model: Model, instance: usize) -> bool {
    !matches!(model, Model::Alone(only) if only != instance)
}

/// The scheduler's knobs: the scenario's where it sets them, else the machine's. What it sets for guests is the guest's.
fn knobs(plan: &Plan, platform: Platform, calibration: &Calibration) -> Knobs {
    let settings =
        if platform::has_guests(platform) { PlatformSettings::default() } else { plan.settings(platform) };
    let machine = &calibration.scheduler;
    let hz = settings.hz.unwrap_or(machine.hz).max(1);
    let pick = match settings.scheduler.unwrap_or(machine.kind) {
        Scheduler::Eevdf => Pick::Eevdf {
            delay_dequeue: machine.delay_dequeue,
            pick_buddy: machine.pick_buddy,
            places_running: machine.places_running,
        },
        Scheduler::Cfs => {
            Pick::Cfs { latency: machine.latency_ns, wakeup_granularity: machine.wakeup_granularity_ns }
        }
    };
    Knobs {
        pick,
        tick: 1_000_000_000 / u64::from(hz),
        base_slice: settings.base_slice.map_or(machine.base_slice_ns, |slice| slice.0),
        bandwidth_slice: machine.bandwidth_slice_ns,
        migration_cost: machine.migration_cost_ns,
        throttle_by_task: machine.throttle_by_task,
        run_delay_includes_throttled: machine.run_delay_includes_throttled,
        costs: Costs {
            switch: calibration.cpu.context_switch_ns,
            tick: calibration.cpu.tick_ns,
            all_busy_factor: calibration.cpu.all_busy_factor,
            taken: 0.0,
        },
    }
}
