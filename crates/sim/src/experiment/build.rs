//! From the plan, the platform and the calibration to what the model is made of.

use catamaran_report::RunError;
use catamaran_scenario::calibration::StartupStage;
use catamaran_scenario::plan::{PlatformSettings, Scheduler};
use catamaran_scenario::{Calibration, Plan, Platform};

use super::Model;
use crate::Options;
use crate::kernel::rng::SplitMix64;
use crate::platform::memory::MemoryClaim;
use crate::platform::{self, CpuClaim};
use crate::resources::cpu::{Costs, Cpu, Fluid, Knobs, Pick};
use crate::startup;

use super::engine::Engine;
use super::guests::Guests;
use super::memory::MemorySetting;

/// Largest share of the cores' time that others can have.
const TAKEN_MOST: f64 = 0.9;

/// Everything about a simulation but its speed.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) model: Model,
    pub(super) cores: usize,
    pub(super) knobs: Knobs,
    /// Per instance of the plan, in its order.
    pub(super) claims: Vec<CpuClaim>,
    pub(super) memory: MemorySetting,
    /// Of the same instances.
    pub(super) memory_claims: Vec<MemoryClaim>,
    /// Where each instance is in a guest of its own.
    pub(super) guest: Option<platform::vm::Guest>,
    /// Stages of a start, as calibrated.
    pub(super) stages: Option<Vec<StartupStage>>,
    /// CPU time of a request beyond its demand (ns).
    pub(super) request_overhead: u64,
    /// CPU time of a sleep beyond the switches (ns).
    pub(super) sleep_overhead: u64,
    /// From a timer's expiry to the sleeper's first instruction on an idle core (ns).
    pub(super) wakeup_idle: u64,
}

impl Setting {
    pub(super) fn of(
        plan: &Plan,
        platform: Platform,
        calibration: &Calibration,
        model: Model,
    ) -> Result<Self, RunError> {
        let rule_of = if model == Model::Exact { platform } else { Platform::BareMetal };
        let claims: Vec<CpuClaim> = match platform::rule(rule_of) {
            Some(rule) => plan
                .instances()
                .filter_map(|(index, _)| plan.tenants().get(index))
                .map(|tenant| rule(tenant, calibration))
                .collect(),
            None => Vec::new(),
        };
        let tenants = plan.instances().filter_map(|(index, _)| plan.tenants().get(index));
        let memory_claims = tenants
            .zip(&claims)
            .map(|(tenant, claim)| platform::memory::claim(tenant, calibration, claim.own_group.is_some()))
            .collect();
        let guest = match (model, platform) {
            (Model::Exact, Platform::Vm) => platform::vm::guest(plan, platform, calibration),
            _ => None,
        };
        let inside = |ns: u64| guest.map_or(ns, |guest| (ns as f64 / guest.speed) as u64);
        Ok(Self {
            memory: MemorySetting::of(plan, rule_of, calibration, guest.as_ref())?,
            memory_claims,
            model,
            cores: plan.host().cores as usize,
            knobs: knobs(plan, platform, calibration),
            claims,
            guest,
            stages: startup::stages(plan, platform, calibration),
            request_overhead: inside(calibration.cpu.request_overhead_ns),
            sleep_overhead: inside(calibration.cpu.sleep_overhead_ns),
            wakeup_idle: calibration.cpu.wakeup_idle_ns,
        })
    }

    pub(super) fn engine(&self, plan: &Plan, speed: f64, options: &Options) -> Engine {
        let dice = |whose: &str| SplitMix64::named(plan.seed(), &format!("{whose}/{}", options.throw));
        let mut knobs = self.knobs;
        knobs.costs.taken = options.taken.clamp(0.0, TAKEN_MOST);
        let machine = || Cpu::new(self.cores, knobs, speed, dice("kernel"), options.timeline);
        match self.model {
            Model::Fluid => Engine::Fluid(Box::new(Fluid::new(self.cores, knobs.costs, speed))),
            _ if self.guest.is_some() => Engine::Guests(Box::new(Guests::new(machine(), dice("guests")))),
            _ => Engine::Exact(Box::new(machine())),
        }
    }

    /// Whether an instance takes part.
    pub(super) fn takes_part(&self, instance: usize) -> bool {
        !matches!(self.model, Model::Alone(only) if only != instance)
    }
}

/// The scheduler's knobs: the scenario's where it sets them, else the machine's. What it sets for `vm` is the guest's.
fn knobs(plan: &Plan, platform: Platform, calibration: &Calibration) -> Knobs {
    let settings =
        if platform == Platform::Vm { PlatformSettings::default() } else { plan.settings(platform) };
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
