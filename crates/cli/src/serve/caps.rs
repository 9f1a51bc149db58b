//! What may be run from the page: less than from the terminal, because a page asks for it.

use catamaran_native::Check;
use catamaran_scenario::plan::{Action, Workload};
use catamaran_scenario::{Bytes, Nanos, Plan, Platform};
use serde::Serialize;

use super::refusal::Refusal;
use crate::units;

/// The bounds, as `GET /api/status` tells them.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Caps {
    /// Longest scenario (s).
    pub(crate) duration_s: u64,
    /// Most processes and threads of all tenants together.
    pub(crate) processes: u64,
    /// Most memory of the scenario's host (bytes).
    pub(crate) memory_bytes: u64,
    /// Most bytes of a request's body.
    pub(crate) body_bytes: usize,
}

impl Caps {
    /// The bounds on this machine: half of its memory.
    pub(crate) fn of_this_machine() -> Self {
        let info = rustix::system::sysinfo();
        let memory_bytes = info.totalram.saturating_mul(info.mem_unit.into()) / 2;
        Self { duration_s: 60, processes: 64, memory_bytes, body_bytes: super::BODY_LIMIT_BYTES }
    }

    /// Refuses what is beyond them.
    pub(crate) fn check(&self, plan: &Plan) -> Result<(), Refusal> {
        let longest = Nanos(self.duration_s * 1_000_000_000);
        if plan.duration() > longest {
            return Err(beyond(
                "duration",
                &units::seconds(plan.duration().seconds()),
                &units::seconds(longest.seconds()),
            ));
        }
        let Bytes(memory) = plan.host().memory;
        if memory > self.memory_bytes {
            let most = format!("{}, half of this machine's", units::bytes(self.memory_bytes as f64));
            return Err(beyond("host.memory", &units::bytes(memory as f64), &most));
        }
        let processes = processes(plan);
        if processes > self.processes {
            let found = format!("{processes} processes and threads in all");
            return Err(beyond("tenant", &found, &self.processes.to_string()));
        }
        own_programs(plan)
    }
}

fn beyond(field: &str, found: &str, most: &str) -> Refusal {
    Refusal::unacceptable(format!(
        "{field}: {found}; from the page at most {most}, more by `catamaran run` in a terminal"
    ))
}

/// Each replica is a process and the threads of its workload.
fn processes(plan: &Plan) -> u64 {
    let of = |name: &str, replicas: u32| {
        let most = plan.events().iter().filter_map(|event| match &event.action {
            Action::Scale { target, replicas } if target == name => Some(*replicas),
            _ => None,
        });
        u64::from(most.fold(replicas, u32::max))
    };
    plan.tenants()
        .iter()
        .map(|tenant| of(&tenant.name, tenant.replicas).saturating_mul(1 + threads(&tenant.workload)))
        .fold(0, u64::saturating_add)
}

fn threads(workload: &Workload) -> u64 {
    match workload {
        Workload::Compute { threads, .. } => (*threads).into(),
        Workload::Server(server) => server.threads.into(),
        Workload::Disk { depth, .. } => (*depth).into(),
        Workload::Fork { max, .. } => max.unwrap_or(u64::MAX),
        Workload::Phases(phases) => phases.iter().map(|phase| threads(&phase.workload)).max().unwrap_or(0),
        _ => 1,
    }
}

/// A page may ask for the built-in workloads only: no program and no file of this machine.
fn own_programs(plan: &Plan) -> Result<(), Refusal> {
    let command = |workload: &Workload| match workload {
        Workload::Phases(phases) => {
            phases.iter().any(|phase| matches!(phase.workload, Workload::Command { .. }))
        }
        other => matches!(other, Workload::Command { .. }),
    };
    if let Some(tenant) = plan.tenants().iter().find(|tenant| command(&tenant.workload)) {
        return Err(Refusal::unacceptable(format!(
            "tenant.{}.workload.kind: \"command\" starts a program of this machine, which a page may not; use `catamaran run` in a terminal",
            tenant.name
        )));
    }
    if let Some(image) = plan.images().iter().find(|image| image.archive.is_some()) {
        return Err(Refusal::unacceptable(format!(
            "image.{}.archive: names a file of this machine, which a page may not; use `catamaran run` in a terminal",
            image.name
        )));
    }
    Ok(())
}

/// The platform of that name, where this machine has it.
pub(crate) fn platform(name: &str, checks: &[Check]) -> Result<Platform, Refusal> {
    let here = || {
        let names = checks.iter().filter(|check| check.works && Platform::from_name(&check.name).is_some());
        names.map(|check| check.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let platform = Platform::from_name(name).ok_or_else(|| {
        Refusal::unacceptable(format!(
            "platform: no platform is called {name:?}; this machine has {}",
            here()
        ))
    })?;
    match checks.iter().find(|check| check.name == name) {
        Some(check) if check.works => Ok(platform),
        Some(check) => Err(Refusal::unacceptable(format!(
            "platform: {name} is not available here: {}; {}",
            check.found,
            check.remedy.as_deref().unwrap_or("no remedy is known")
        ))),
        None => Err(Refusal::unacceptable(format!(
            "platform: {name} cannot be run for real yet; this machine has {}",
            here()
        ))),
    }
}
