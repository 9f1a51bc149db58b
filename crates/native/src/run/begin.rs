//! How each tenant of a run is started.

use std::collections::BTreeMap;
use std::time::Duration;

use catamaran_scenario::Platform;
use catamaran_scenario::plan;
use catamaran_worker::facts::Facts;
use catamaran_worker::stop::stop_at;
use catamaran_worker::tape::head;

use super::{Run, Tenant};
use crate::launcher::{Launcher, WorkerFile};
use crate::network::Network;
use crate::order::Order;
use crate::problem::Problem;
use crate::tally::{Look, Tally};
use crate::trace::{Seen, Trace};
use crate::vm::{Cost, Guest};
use crate::{disk, isolation, microvm, platform};

/// Quiet before each start-up. Moving a process between groups waits for an RCU grace period (5–13 ms here), but not
/// when another move has just paid for it: without the pause, a tenant's start-up would depend on its place in the file.
const SETTLE: Duration = Duration::from_millis(60);

impl Run<'_> {
    pub(super) fn start_tenant(
        &mut self,
        worker: &WorkerFile,
        tenant: &plan::Tenant,
        replica: u32,
        order: &Order,
    ) -> Result<Tenant, Problem> {
        let label = format!("{}.{replica}", tenant.name);
        let guard = &mut self.guard;
        let mut how = guard.place(self.platform, &self.settings).plan(tenant, &label);
        how.script.file = disk::lay_out(guard, tenant, &label)?;
        how.script.layer = disk::layers::lay_out(guard, (self.plan, self.platform), tenant, &label)?;
        how.script.network = self.network.as_ref().and_then(Network::shared);
        if let Some(engine) = &mut self.engine {
            std::thread::sleep(SETTLE);
            let tape = order.write()?;
            let present = look_out(&mut self.trace, engine.processes());
            let (launcher, group) = engine.start(guard, &how, tenant, &label, &tape, self.interrupt)?;
            let seen = look_back(&mut self.trace, present, launcher.tenant);
            self.attach(&launcher)?;
            return self.received(launcher, None, label, &group, seen);
        }
        if let Some(runtime) = &self.runtime {
            runtime.lay_out(guard, &mut how, tenant, &label)?;
        }
        let (launcher, guest, seen) = self.launch(worker, how, tenant, &label, order)?;
        let group = label.clone();
        self.received(launcher, guest, label, &group, seen)
    }

    /// Has a launcher start a tenant, or a monitor its guest.
    fn launch(
        &mut self,
        worker: &WorkerFile,
        how: platform::Plan,
        tenant: &plan::Tenant,
        label: &str,
        order: &Order,
    ) -> Result<(Launcher, Option<Guest>, Option<Seen>), Problem> {
        let guard = &mut self.guard;
        let mut launcher = Launcher::start(worker, guard.id(), order.write()?, self.interrupt)?;
        launcher
            .tape
            .set(head::GUEST_BYTES, microvm::guest_bytes(self.platform, &self.settings).unwrap_or(0));
        stop_at("launcher");
        guard.receive(&how, launcher.pid(), platform::has_limits(self.platform))?;
        stop_at("groups");
        std::thread::sleep(SETTLE);
        if let Some(vm) = &self.hypervisor {
            let guest = vm.boot(&mut launcher, how.script, (guard.path(), label), tenant, self.interrupt)?;
            return Ok((launcher, Some(guest), None));
        }
        let present = look_out(&mut self.trace, vec![launcher.pid()]);
        launcher.carry_out(&how.script, self.interrupt)?;
        let seen = look_back(&mut self.trace, present, launcher.tenant);
        self.attach(&launcher)?;
        Ok((launcher, None, seen))
    }

    /// Connects the tenant that comes next to the others, where tenants talk.
    fn attach(&self, launcher: &Launcher) -> Result<(), Problem> {
        if let (Some(network), Some(pid)) = (&self.network, launcher.tenant) {
            network.attach(pid, self.tenants.len())?;
            stop_at("attached");
        }
        Ok(())
    }

    /// A tenant that is there, whose groups below the guard are called `group`.
    fn received(
        &self,
        launcher: Launcher,
        guest: Option<Guest>,
        label: String,
        group: &str,
        seen: Option<Seen>,
    ) -> Result<Tenant, Problem> {
        let accounts = self.guard.cgroup.accounts(group, platform::has_limits(self.platform));
        let pid = launcher.tenant.filter(|_| guest.is_none());
        let mut tally = Tally::open(&accounts, pid).map_err(|error| {
            Problem::by_errno(
                format!("cannot read the figures of {label}: {error}"),
                "mount /proc and the control groups",
            )
        })?;
        if self.engine.is_some() {
            tally.keep(&accounts);
        }
        Ok(Tenant {
            label,
            launcher,
            accounts,
            first: Look::default(),
            last: Look::default(),
            tally,
            // A bare guest sees nothing of what its monitor sees.
            facts: pid
                .filter(|_| self.platform != Platform::Microvm)
                .map_or_else(Facts::new, isolation::around),
            samples: Vec::new(),
            ended: None,
            guest,
            costs: (Cost::default(), Cost::default()),
            seen,
        })
    }
}

/// Forgets what was recorded so far; the names of those who are there before a start, by number.
fn look_out(trace: &mut Option<Result<Trace, String>>, processes: Vec<u32>) -> BTreeMap<u32, String> {
    let Some(Ok(trace)) = trace else { return BTreeMap::new() };
    trace.take();
    let name = |pid: u32| Some((pid, std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?));
    processes.into_iter().filter_map(name).map(|(pid, name)| (pid, name.trim_end().to_owned())).collect()
}

/// What they and their children did since; none where nobody looks.
fn look_back(
    trace: &mut Option<Result<Trace, String>>,
    present: BTreeMap<u32, String>,
    tenant: Option<u32>,
) -> Option<Seen> {
    let trace = match trace.as_mut()? {
        Ok(trace) => trace,
        Err(why) => return Some(Seen::nothing(why.clone())),
    };
    let Some(events) = trace.take() else {
        return Some(Seen::nothing(
            "the kernel lost some of its records: too much else was at work".to_owned(),
        ));
    };
    let mut seen = Seen::of(events, present, tenant.unwrap_or(0));
    seen.blind = trace.blind.clone();
    tracing::debug!(%seen, "a start");
    Some(seen)
}
