use catamaran_scenario::{*, calibration::*, plan::Scheduler};
fn main() {
    let file = std::env::args().nth(1).unwrap();
    let plan = Plan::from_toml(&std::fs::read_to_string(&file).unwrap(), &file).unwrap();
    let cal = Calibration { schema: "catamaran/host/v1".into(), machine: Machine{kernel:"6.18".into(),cpu_model:"x".into(),cores:2,cgroup_version:1,page_bytes:4096},
      cpu: CpuCosts{turns_per_cpu_s:1e9,all_busy_factor:1.0,context_switch_ns:1500,wakeup_idle_ns:20000,request_overhead_ns:3000,tick_ns:2000},
      scheduler: SchedulerKnobs{kind:Scheduler::Eevdf,hz:250,base_slice_ns:1400000,latency_ns:6000000*2,wakeup_granularity_ns:2000000,autogroup:true,bandwidth_slice_ns:5000000,migration_cost_ns:500000,throttle_by_task:std::env::var("GROUP").is_err(),delay_dequeue:true,run_delay_includes_throttled:true}, startup: Default::default()};
    for &on in plan.platforms() {
        let o = catamaran_sim::simulate(&plan, on, &cal, &catamaran_sim::Options{turns_per_cpu_s:None,timeline:std::env::var("TL").is_ok()}).unwrap();
        println!("{on} elapsed {} util {:?} turns {:?}", o.report.elapsed_s, o.report.host.cpu_utilisation, o.report.host.turns_per_cpu_s);
        for t in &o.report.tenants { println!("  {} {:?} cpu {:?} waited {:?} thr {:?} {:?} fin {:?}", t.name, t.state, t.cpu_s, t.waited_s, t.throttled_s, t.throttled_periods, t.finished_s);
          if let Some(r)=&t.requests { println!("     sent {} done {} failed {} {:?}", r.sent, r.completed, r.failed, r.latency_s); } }
        if std::env::var("TL").is_ok() { for s in o.timeline.slices.iter().take(60) { println!("{:?}", s); } for s in o.timeline.trace.iter().take(40) { println!("{:?}", s); } }
        let o = catamaran_sim::naive::fluid(&plan, on, &cal, &Default::default()).unwrap();
        println!("  fluid {:?}", o.tenants[0].requests.as_ref().and_then(|r|r.latency_s));
        let o = catamaran_sim::naive::alone(&plan, on, &cal, &Default::default()).unwrap();
        println!("  alone {:?}", o.tenants[0].requests.as_ref().and_then(|r|r.latency_s));
    }
}
