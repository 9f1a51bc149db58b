//! `host.toml` to a validated [`Calibration`].

use std::collections::BTreeMap;

use crate::calibration::{
    Accel, BareGuestCosts, BusyForkCosts, CachedCosts, CpuCosts, DiskCosts, FlushCosts, ForkCosts, Machine,
    MemoryCosts, MessageCosts, NetworkCosts, OperationCosts, SchedulerKnobs, StartupStage, SwapCosts,
    TurnCosts, VirtioCosts, VmCosts,
};
use crate::diagnostic::{Diagnostic, Problem};
use crate::plan::Scheduler;
use crate::schema::{CALIBRATION, CALIBRATION_SCHEMA};
use crate::{Calibration, Platform};

use super::reader::Reader;
use super::{read_file, value};

/// Most stages of one platform's start-up.
const STAGES_MAX: usize = 1000;

impl Calibration {
    /// Reads and validates a `host.toml`; `file` is what diagnostics call it.
    ///
    /// # Errors
    /// The first problem by its position in the file, with what is accepted and what to do.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, Diagnostic> {
        read_file(text, file, &CALIBRATION, read)
    }
}

fn read(root: &Reader<'_>) -> Option<Calibration> {
    let schema = root.read("schema", value::take_exactly);
    let machine = root.table("machine").and_then(|machine| read_machine(&machine));
    let cpu = root.table("cpu").and_then(|cpu| read_cpu(&cpu));
    let scheduler = root.table("scheduler").and_then(|scheduler| read_scheduler(&scheduler));
    let memory = root.table("memory").and_then(|memory| read_memory(&memory));
    let disk = root.table("disk").and_then(|disk| read_disk(&disk));
    let fork = root.table("fork").and_then(|fork| read_fork(&fork));
    let network = root.table("network").and_then(|network| read_network(&network));
    let vm = root.table("vm").and_then(|vm| read_vm(&vm));
    let bare = root.table("bare").and_then(|bare| read_bare(&bare));
    let startup = read_startup(root);
    schema?;
    Some(Calibration {
        schema: CALIBRATION_SCHEMA.to_owned(),
        machine: machine?,
        cpu: cpu?,
        scheduler: scheduler?,
        memory,
        disk,
        network,
        fork,
        vm,
        bare,
        startup: startup?,
    })
}

fn read_machine(reader: &Reader<'_>) -> Option<Machine> {
    let (kernel, cpu_model, cores) =
        (reader.text("kernel"), reader.text("cpu_model"), reader.count32("cores"));
    let (cgroup_version, page_bytes) = (reader.count("cgroup_version"), reader.count("page_bytes"));
    Some(Machine {
        kernel: kernel?,
        cpu_model: cpu_model?,
        cores: cores?,
        cgroup_version: u8::try_from(cgroup_version?).ok()?,
        page_bytes: page_bytes?,
    })
}

fn read_cpu(reader: &Reader<'_>) -> Option<CpuCosts> {
    let (turns_per_cpu_s, all_busy_factor) = (reader.real("turns_per_cpu_s"), reader.real("all_busy_factor"));
    let (context_switch_ns, wakeup_idle_ns) =
        (reader.count("context_switch_ns"), reader.count("wakeup_idle_ns"));
    let (request_overhead_ns, sleep_overhead_ns) =
        (reader.count("request_overhead_ns"), reader.count("sleep_overhead_ns"));
    let tick_ns = reader.count("tick_ns");
    Some(CpuCosts {
        turns_per_cpu_s: turns_per_cpu_s?,
        all_busy_factor: all_busy_factor?,
        context_switch_ns: context_switch_ns?,
        wakeup_idle_ns: wakeup_idle_ns?,
        request_overhead_ns: request_overhead_ns?,
        sleep_overhead_ns: sleep_overhead_ns?,
        tick_ns: tick_ns?,
    })
}

fn read_scheduler(reader: &Reader<'_>) -> Option<SchedulerKnobs> {
    let kind =
        reader.choice("kind").map(|word| if word == "cfs" { Scheduler::Cfs } else { Scheduler::Eevdf });
    let (hz, base_slice_ns) = (reader.count32("hz"), reader.count("base_slice_ns"));
    let (latency_ns, wakeup_granularity_ns) =
        (reader.count("latency_ns"), reader.count("wakeup_granularity_ns"));
    let (bandwidth_slice_ns, migration_cost_ns) =
        (reader.count("bandwidth_slice_ns"), reader.count("migration_cost_ns"));
    let (autogroup, throttle_by_task) = (reader.flag("autogroup"), reader.flag("throttle_by_task"));
    let (delay_dequeue, pick_buddy) = (reader.flag("delay_dequeue"), reader.flag("pick_buddy"));
    let (places_running, includes) =
        (reader.flag("places_running"), reader.flag("run_delay_includes_throttled"));
    if kind == Some(Scheduler::Cfs) && latency_ns == Some(0) {
        let problem = Problem::new("0 with kind = \"cfs\"").accepts("sched_latency_ns, above 0");
        reader.fail("latency_ns", problem.advises("measure anew with `catamaran calibrate`"));
    }
    Some(SchedulerKnobs {
        kind: kind?,
        hz: hz?,
        base_slice_ns: base_slice_ns?,
        latency_ns: latency_ns?,
        wakeup_granularity_ns: wakeup_granularity_ns?,
        autogroup: autogroup?,
        bandwidth_slice_ns: bandwidth_slice_ns?,
        migration_cost_ns: migration_cost_ns?,
        throttle_by_task: throttle_by_task?,
        delay_dequeue: delay_dequeue?,
        pick_buddy: pick_buddy?,
        places_running: places_running?,
        run_delay_includes_throttled: includes?,
    })
}

fn read_memory(reader: &Reader<'_>) -> Option<MemoryCosts> {
    let (touch_ns, retouch_ns) = (reader.real("touch_ns"), reader.real("retouch_ns"));
    let (release_ns, worker_bytes) = (reader.real("release_ns"), reader.count("worker_bytes"));
    let (thread_bytes, worker_rss_bytes) = (reader.count("thread_bytes"), reader.count("worker_rss_bytes"));
    let swap = reader.table("swap").and_then(|swap| {
        let (out_ns, in_ns) = (swap.real("out_ns"), swap.real("in_ns"));
        Some(SwapCosts { out_ns: out_ns?, in_ns: in_ns? })
    });
    let by_platform = reader.table_or_empty("tenant_bytes")?;
    let bytes_on = |platform: &Platform| Some((*platform, by_platform.count(platform.name())?));
    let tenant_bytes = Platform::ALL.iter().filter_map(bytes_on).collect();
    Some(MemoryCosts {
        touch_ns: touch_ns?,
        retouch_ns: retouch_ns?,
        release_ns: release_ns?,
        worker_bytes: worker_bytes?,
        thread_bytes: thread_bytes?,
        group_bytes: reader.count("group_bytes").unwrap_or(0),
        start_bytes: reader.count("start_bytes").unwrap_or(0),
        worker_rss_bytes: worker_rss_bytes?,
        swap,
        tenant_bytes,
    })
}

fn read_disk(reader: &Reader<'_>) -> Option<DiskCosts> {
    let operation = |name: &str| reader.table(name).and_then(|table| read_operation(&table));
    let cached = |name: &str| {
        let table = reader.table(name)?;
        let (cpu_ns, cpu_ns_per_byte) = (table.count("cpu_ns"), table.real("cpu_ns_per_byte"));
        Some(CachedCosts { cpu_ns: cpu_ns?, cpu_ns_per_byte: cpu_ns_per_byte? })
    };
    let flush = reader.table("flush").and_then(|table| {
        let (cpu_ns, service_ns) = (table.count("cpu_ns"), table.count("service_ns"));
        let latency_ns = table.count("latency_ns");
        Some(FlushCosts { cpu_ns: cpu_ns?, service_ns: service_ns?, latency_ns: latency_ns? })
    });
    let (scheduler, throttle_slice_ns) = (reader.text("scheduler"), reader.count("throttle_slice_ns"));
    let batches = reader.flag("batches");
    let (read, write) = (operation("read"), operation("write"));
    let (cached_read, cached_write) = (cached("cached_read"), cached("cached_write"));
    Some(DiskCosts {
        scheduler: scheduler?,
        throttle_slice_ns: throttle_slice_ns?,
        batches: batches?,
        read: read?,
        write: write?,
        flush: flush?,
        cached_read: cached_read?,
        cached_write: cached_write?,
    })
}

fn read_operation(table: &Reader<'_>) -> Option<OperationCosts> {
    let (cpu_ns, cpu_ns_per_byte) = (table.count("cpu_ns"), table.real("cpu_ns_per_byte"));
    let (service_ns, service_ns_per_byte) = (table.count("service_ns"), table.real("service_ns_per_byte"));
    let (notify_ns, latency_ns) = (table.count("notify_ns"), table.count("latency_ns"));
    Some(OperationCosts {
        cpu_ns: cpu_ns?,
        cpu_ns_per_byte: cpu_ns_per_byte?,
        notify_ns: notify_ns?,
        service_ns: service_ns?,
        service_ns_per_byte: service_ns_per_byte?,
        latency_ns: latency_ns?,
        latency_ns_per_byte: table.real("latency_ns_per_byte").unwrap_or(0.0),
    })
}

fn read_virtio(table: &Reader<'_>) -> Option<VirtioCosts> {
    let (service_ns, service_ns_per_byte) = (table.count("service_ns"), table.real("service_ns_per_byte"));
    let (latency_ns, latency_ns_per_byte) = (table.count("latency_ns"), table.real("latency_ns_per_byte"));
    let (cpu_ns, waits) = (table.count("cpu_ns"), table.flag("waits"));
    Some(VirtioCosts {
        cpu_ns: cpu_ns?,
        service_ns: service_ns?,
        service_ns_per_byte: service_ns_per_byte?,
        latency_ns: latency_ns?,
        latency_ns_per_byte: latency_ns_per_byte?,
        waits: waits?,
    })
}

fn read_network(reader: &Reader<'_>) -> Option<NetworkCosts> {
    let message = |name: &str| reader.table(name).and_then(|table| read_message(&table));
    let (wake_ns, wake_idle_ns) = (reader.count("wake_ns"), reader.count("wake_idle_ns"));
    let (wakeup_idle_ns, sleep_ns) = (reader.count("wakeup_idle_ns"), reader.count("sleep_ns"));
    let window_bytes = reader.count("window_bytes");
    let (loopback, veth) = (message("loopback"), message("veth"));
    Some(NetworkCosts {
        wake_ns: wake_ns?,
        wake_idle_ns: wake_idle_ns?,
        wakeup_idle_ns: wakeup_idle_ns?,
        sleep_ns: sleep_ns?,
        window_bytes: window_bytes?,
        loopback: loopback?,
        veth: veth?,
    })
}

fn read_fork(reader: &Reader<'_>) -> Option<ForkCosts> {
    let (fork_ns, refused_ns) = (reader.count("fork_ns"), reader.count("refused_ns"));
    let (start_ns, exit_ns) = (reader.count("start_ns"), reader.count("exit_ns"));
    let (reap_ns, wakeup_idle_ns) = (reader.count("reap_ns"), reader.count("wakeup_idle_ns"));
    let child_bytes = reader.count("child_bytes");
    let busy = reader.table("busy").and_then(|busy| {
        let (fork_ns, start_ns, exit_ns) =
            (busy.count("fork_ns"), busy.count("start_ns"), busy.count("exit_ns"));
        Some(BusyForkCosts { fork_ns: fork_ns?, start_ns: start_ns?, exit_ns: exit_ns? })
    });
    Some(ForkCosts {
        fork_ns: fork_ns?,
        refused_ns: refused_ns?,
        start_ns: start_ns?,
        exit_ns: exit_ns?,
        reap_ns: reap_ns?,
        wakeup_idle_ns: wakeup_idle_ns?,
        child_bytes: child_bytes?,
        busy,
    })
}

fn read_message(table: &Reader<'_>) -> Option<MessageCosts> {
    let (send_ns, send_ns_per_byte) = (table.count("send_ns"), table.real("send_ns_per_byte"));
    let (receive_ns, receive_ns_per_byte) = (table.count("receive_ns"), table.real("receive_ns_per_byte"));
    Some(MessageCosts {
        send_ns: send_ns?,
        send_ns_per_byte: send_ns_per_byte?,
        receive_ns: receive_ns?,
        receive_ns_per_byte: receive_ns_per_byte?,
        in_turn: table.table("in_turn").and_then(|table| read_turn(&table)),
    })
}

fn read_turn(table: &Reader<'_>) -> Option<TurnCosts> {
    let (send_ns_per_byte, receive_ns_per_byte) =
        (table.real("send_ns_per_byte"), table.real("receive_ns_per_byte"));
    let (segments_send_ns, segments_receive_ns) =
        (table.count("segments_send_ns"), table.count("segments_receive_ns"));
    let (after_ns, segments_after_ns) = (table.count("after_ns"), table.count("segments_after_ns"));
    Some(TurnCosts {
        send_ns_per_byte: send_ns_per_byte?,
        receive_ns_per_byte: receive_ns_per_byte?,
        segments_send_ns: segments_send_ns?,
        segments_receive_ns: segments_receive_ns?,
        after_ns: after_ns?,
        segments_after_ns: segments_after_ns?,
    })
}

fn read_vm(reader: &Reader<'_>) -> Option<VmCosts> {
    let accel = reader.choice("accel").map(|word| if word == "tcg" { Accel::Tcg } else { Accel::Kvm });
    let (speed_factor, exit_ns, idle_bytes) =
        (reader.real("speed_factor"), reader.count("exit_ns"), reader.count("idle_bytes"));
    let reserve_bytes = reader.count("reserve_bytes");
    let disk = reader.table("disk").and_then(|table| read_virtio(&table));
    Some(VmCosts { accel: accel?, speed_factor: speed_factor?, exit_ns, idle_bytes, reserve_bytes, disk })
}

fn read_bare(reader: &Reader<'_>) -> Option<BareGuestCosts> {
    let (request_overhead_ns, sleep_overhead_ns) =
        (reader.count("request_overhead_ns"), reader.count("sleep_overhead_ns"));
    let (touch_ns, retouch_ns) = (reader.real("touch_ns"), reader.real("retouch_ns"));
    let (release_ns, speed_factor) = (reader.real("release_ns"), reader.real("speed_factor"));
    let (tenant_bytes, thread_bytes) = (reader.count("tenant_bytes"), reader.count("thread_bytes"));
    let rss_bytes = reader.count("rss_bytes");
    Some(BareGuestCosts {
        speed_factor: speed_factor?,
        request_overhead_ns: request_overhead_ns?,
        sleep_overhead_ns: sleep_overhead_ns?,
        touch_ns: touch_ns?,
        retouch_ns: retouch_ns?,
        release_ns: release_ns?,
        tenant_bytes: tenant_bytes?,
        thread_bytes: thread_bytes?,
        rss_bytes: rss_bytes?,
        startup: read_stages(reader, "startup"),
    })
}

fn read_startup(root: &Reader<'_>) -> Option<BTreeMap<Platform, Vec<StartupStage>>> {
    let reader = root.table_or_empty("startup")?;
    let given = Platform::ALL.iter().filter(|platform| reader.has(platform.name()));
    Some(given.map(|platform| (*platform, read_stages(&reader, platform.name()))).collect())
}

fn read_stages(startup: &Reader<'_>, platform: &str) -> Vec<StartupStage> {
    startup.tables(platform, STAGES_MAX, |_| None).iter().filter_map(read_stage).collect()
}

fn read_stage(reader: &Reader<'_>) -> Option<StartupStage> {
    let (name, actor, median_ns) = (reader.text("name"), reader.text("actor"), reader.count("median_ns"));
    Some(StartupStage { name: name?, actor: actor?, median_ns: median_ns? })
}
