//! How many fit: the model, with what a few tenants were measured to take here, against a count until the guard is full.
//! Where a platform is not to be had here, a test says `skipped: NAME: reason` and ends.

#![allow(clippy::panic, reason = "helpers of tests panic as tests do")]

use std::sync::Arc;

use catamaran_native::Count;
use catamaran_report::RunError;
use catamaran_scenario::calibration::{Accel, VmCosts};
use catamaran_scenario::{Calibration, Plan, Platform};
use catamaran_sim::Density;

/// How far apart the two may be, in shares of the native figure.
const APART_MOST: f64 = 0.15;
/// Tenants by which one is weighed.
const WEIGHED: u64 = 16;

const IDLE: &str = "{ kind = \"idle\" }";
/// Holds 16 MiB and touches all of it 100 times a second.
const BUSY: &str = "{ kind = \"memory\", start = \"16MiB\", touch = \"loop\" }";

fn plan(memory: &str, workload: &str, guests: &str) -> Plan {
    let text = format!(
        "schema = \"catamaran/scenario/v1\"\nname = \"density\"\nseed = 1\nduration = \"60s\"\n\
         platforms = [\"bare-metal\"]\nhost = {{ cores = 1, memory = \"{memory}\" }}\n\
         platform = {{ vm = {{ accel = \"tcg\", {guests} }} }}\n\
         [[tenant]]\nname = \"copy\"\nworkload = {workload}\n"
    );
    Plan::from_toml(&text, "density.rs").unwrap_or_else(|error| panic!("{error}"))
}

/// At most so many on this machine; none, with a printed reason, where it has not got the platform.
fn native(plan: &Plan, platform: Platform, most: u64) -> Option<Count> {
    let turns = Calibration::reference().cpu.turns_per_cpu_s;
    match catamaran_native::density(plan, platform, most, turns, &Arc::default(), &mut |_| {}) {
        Ok(count) => Some(count),
        Err(RunError::Unavailable { why, .. }) => {
            println!("skipped: density on {platform}: {}", why.replace('\n', " "));
            None
        }
        Err(error) => panic!("{platform}: {error}"),
    }
}

/// The reference machine, on which a tenant takes what `weighed` do here.
fn calibration(weighed: &Count) -> Option<Calibration> {
    let mut calibration = Calibration::reference();
    let memory = calibration.memory.as_mut()?;
    memory.tenant_bytes.insert(weighed.platform, weighed.tenant_bytes?);
    let idle_bytes = weighed.tenant_bytes;
    calibration.vm = Some(VmCosts { idle_bytes, ..VmCosts::of_speed(Accel::Tcg, 0.1) });
    Some(calibration)
}

fn simulated(plan: &Plan, platform: Platform, calibration: &Calibration) -> Density {
    catamaran_sim::density(plan, platform, calibration).unwrap_or_else(|error| panic!("{platform}: {error}"))
}

fn agree(what: &str, model: u64, machine: u64, apart_most: f64) {
    println!("{what}: {model} simulated, {machine} native");
    let apart = model.abs_diff(machine) as f64 / machine as f64;
    assert!(apart <= apart_most, "{what}: {model} simulated, {machine} native");
}

#[test]
fn as_many_processes_and_containers_fit_as_the_model_says() {
    let (few, idle, busy) = (
        plan("512MiB", IDLE, "vcpus = 1"),
        plan("96MiB", IDLE, "vcpus = 1"),
        plan("256MiB", BUSY, "vcpus = 1"),
    );
    for platform in [Platform::BareMetal, Platform::Container, Platform::Podman] {
        let Some(weighed) = native(&few, platform, WEIGHED) else { continue };
        assert!(!weighed.full && weighed.tenants == WEIGHED, "{weighed:?}");
        let Some(calibration) = calibration(&weighed) else {
            println!("skipped: density on {platform}: memory is not counted here");
            continue;
        };
        // An engine would be at work for minutes with hundreds that are idle.
        let skipped = usize::from(platform == Platform::Podman);
        for (kind, plan) in [("idle", &idle), ("busy", &busy)].into_iter().skip(skipped) {
            let Some(counted) = native(plan, platform, 10_000) else { continue };
            assert!(counted.full, "{counted:?}");
            let model = simulated(plan, platform, &calibration);
            let what = format!("{kind} tenants that fit into {} MiB on {platform}", model.host_bytes >> 20);
            agree(&what, model.tenants, counted.tenants, APART_MOST);
        }
    }
}

/// Touches 64 MiB once.
const TOUCHES: &str = "{ kind = \"memory\", start = \"64MiB\" }";
const TOUCHED_BYTES: u64 = 64 << 20;

#[test]
fn a_guest_takes_what_the_model_says() {
    let (usual, larger) = ("vcpus = 1, memory = \"256MiB\"", "vcpus = 1, memory = \"512MiB\"");
    let weighed = |workload: &str| native(&plan("1GiB", workload, usual), Platform::Vm, 1);
    let (Some(idle), Some(touching)) = (weighed(IDLE), weighed(TOUCHES)) else { return };
    let (Some(mut machine), Some(charged)) = (calibration(&idle), touching.tenant_bytes) else {
        println!("skipped: density on vm: memory is not counted here");
        return;
    };
    let given = charged.saturating_sub(idle.tenant_bytes.unwrap_or(0));
    if let Some(vm) = &mut machine.vm {
        vm.reserve_bytes = Some(TOUCHED_BYTES.saturating_sub(given));
    }
    println!("an idle guest of 256 MiB takes {:?} bytes, {given} more for 64 MiB", idle.tenant_bytes);
    for workload in [IDLE, BUSY, TOUCHES, "{ kind = \"memory\", start = \"128MiB\" }"] {
        let plan = plan("1GiB", workload, larger);
        let Some(counted) = native(&plan, Platform::Vm, 1) else { return };
        let model = simulated(&plan, Platform::Vm, &machine);
        let what = format!("bytes of a guest of 512 MiB with {workload}");
        agree(&what, model.tenant_bytes, counted.tenant_bytes.unwrap_or(0), APART_MOST);
    }
}
