//! Money and power: what the machines of a run draw, and what they cost.
//!
//! **Law.** A server draws `idle + (busy − idle) · utilisation` watts (Fan, Weber and Barroso, ISCA 2007: linear in the CPU's
//! utilisation within a few per cent). An hour costs the server's price, with the cost of money, spread over the hours of its
//! life, and its energy at the meter of the building, which is the server's times the PUE. Only machines that have a tenant
//! are bought. Floor space, network and people are left out.
//! **Assumption.** A larger machine counts as so many reference servers as its cores, or its memory, have room for, in watts and
//! dollars alike: no measured curves and prices of two sizes of one make and year are published, so that size itself shall
//! neither cost nor save. Nobody sells half a server: a smaller machine counts as one.
//! **Source.** [`Rates::REFERENCE`]. **Judge.** The sums of the paper that its prices are from; the measured curve whose ends the
//! watts are, which the line meets within 2 %.

use catamaran_scenario::plan::Host;

use crate::report::Report;

/// Hours of a year.
const HOURS_PER_YEAR: f64 = 8760.0;

/// What a server draws and what it costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Power of a server that does nothing (W).
    pub idle_w: f64,
    /// Power with all cores busy (W), at least `idle_w`.
    pub busy_w: f64,
    /// Price of a server (US dollars).
    pub server_usd: f64,
    /// How long it is used (years).
    pub life_years: f64,
    /// Cost of money over its life, as a share of the price.
    pub interest: f64,
    /// Power of the building by that of the servers in it, at least 1 (power usage effectiveness).
    pub pue: f64,
    /// Price of energy (US dollars per kWh).
    pub usd_per_kwh: f64,
}

/// Cores of a reference server.
const CORES: f64 = 2.0;
/// Memory of a reference server (bytes).
const MEMORY_BYTES: f64 = 4.0 * 1_073_741_824.0;

/// As how many reference servers a machine counts, where that is more than one.
pub(crate) fn reference_servers(machine: &Host) -> Option<f64> {
    let (cores, memory) = (f64::from(machine.cores) / CORES, machine.memory.0 as f64 / MEMORY_BYTES);
    Some(cores.max(memory)).filter(|servers| *servers > 1.0)
}

impl Rates {
    /// A server of two cores of the years in which servers were consolidated.
    ///
    /// Watts: HP ProLiant ML110 G4 (one Xeon 3040 of two cores, 4 GB) by its SPECpower_ssj2008 result, 86 W idle and 117 W at
    /// full load, in Beloglazov and Buyya, Concurrency and Computation 24 (2012), Table 2, and in the sources of CloudSim
    /// (`PowerModelSpecPowerHpProLiantMl110G4Xeon3040`). Prices: Greenberg, Hamilton, Maltz and Patel, "The Cost of a Cloud",
    /// ACM CCR 39 (2009), section 2: 3,000 dollars, three years, 5 % cost of money, PUE 1.7, 0.07 dollars per kWh.
    pub const REFERENCE: Self = Self {
        idle_w: 86.0,
        busy_w: 117.0,
        server_usd: 3000.0,
        life_years: 3.0,
        interest: 0.05,
        pue: 1.7,
        usd_per_kwh: 0.07,
    };

    /// Power of one server (W) of which this share of the cores is busy; a share outside of 0–1 counts as its nearer end.
    #[must_use]
    pub fn watts(&self, utilisation: f64) -> f64 {
        self.idle_w + (self.busy_w - self.idle_w) * utilisation.clamp(0.0, 1.0)
    }

    /// An hour of one server without its energy (US dollars).
    #[must_use]
    pub fn server_usd_per_h(&self) -> f64 {
        self.server_usd * (1.0 + self.interest) / (self.life_years * HOURS_PER_YEAR)
    }

    /// An hour of so much power, with what the building adds (US dollars).
    #[must_use]
    pub fn energy_usd_per_h(&self, watts: f64) -> f64 {
        watts / 1000.0 * self.pue * self.usd_per_kwh
    }
}

/// What the machines of a run drew and cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bill {
    /// Machines that had a tenant.
    pub servers: u32,
    /// Busy share of their cores, 0–1.
    pub utilisation: f64,
    /// Mean power of all of them (W).
    pub watts: f64,
    /// An hour of all of them, energy included (US dollars).
    pub usd_per_h: f64,
    /// Energy of a completed request (J), what the building adds left out; `None` where none was completed.
    pub joules_per_request: Option<f64>,
}

impl Bill {
    /// The bill of a run; `None` where its utilisation is unknown.
    #[must_use]
    pub fn of(report: &Report, rates: &Rates) -> Option<Self> {
        let utilisation = report.host.cpu_utilisation?;
        let servers = report.host.nodes.unwrap_or(1);
        let counted = f64::from(servers) * report.host.reference_servers.unwrap_or(1.0);
        // The power is linear in the utilisation, so that the mean over the machines is enough.
        let watts = counted * rates.watts(utilisation);
        let requests = report.tenants.iter().filter_map(|tenant| tenant.requests.as_ref());
        let completed: u64 = requests.map(|requests| requests.completed).sum();
        Some(Self {
            servers,
            utilisation,
            watts,
            usd_per_h: counted * rates.server_usd_per_h() + rates.energy_usd_per_h(watts),
            joules_per_request: (completed > 0).then(|| watts * report.elapsed_s / completed as f64),
        })
    }

    /// A figure by its name; `None` where there is none of that name.
    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        match name {
            "servers" => Some(f64::from(self.servers)),
            "watts" => Some(self.watts),
            "usd_per_h" => Some(self.usd_per_h),
            "joules_per_request" => self.joules_per_request,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{BackendKind, Requests};
    use crate::tests;

    #[test]
    fn the_line_meets_the_measured_curve() {
        // Idle, 10 %, …, 100 % of the load, as measured by SPECpower_ssj2008.
        let measured = [86.0, 89.4, 92.6, 96.0, 99.5, 102.0, 106.0, 108.0, 112.0, 114.0, 117.0];
        for (tenth, watts) in (0..=10).zip(measured) {
            let modelled = Rates::REFERENCE.watts(f64::from(tenth) / 10.0);
            assert!((modelled / watts - 1.0_f64).abs() < 0.02, "{tenth}: {modelled} W for {watts} W");
        }
        assert_eq!((Rates::REFERENCE.watts(-1.0), Rates::REFERENCE.watts(2.0)), (86.0, 117.0));
    }

    #[test]
    fn prices_add_up_to_the_sums_of_the_paper() {
        // 50,000 servers: 52.5 million dollars a year; drawing 180 W each, 9.3 million more.
        let per_year = 50_000.0 * HOURS_PER_YEAR / 1e6;
        let servers = Rates::REFERENCE.server_usd_per_h() * per_year;
        let energy = Rates::REFERENCE.energy_usd_per_h(180.0) * per_year;
        assert!((servers - 52.5).abs() < 1e-9, "{servers}");
        assert!((energy - 9.38).abs() < 0.01, "{energy}");
    }

    #[test]
    fn a_larger_machine_counts_as_so_many_reference_servers() {
        let host = |cores: u32, memory: &str| {
            let text = format!(
                "schema = \"catamaran/scenario/v1\"\nname = \"x\"\nduration = \"1s\"\nplatforms = [\"vm\"]\n\
                 host = {{ cores = {cores}, memory = \"{memory}\" }}\n\
                 [[tenant]]\nname = \"web\"\nworkload = {{ kind = \"idle\" }}\n"
            );
            catamaran_scenario::Plan::from_toml(&text, "cost.rs").unwrap()
        };
        let table = [
            (1, "1GiB", None),
            (2, "4GiB", None),
            (4, "4GiB", Some(2.0)),
            (3, "1GiB", Some(1.5)),
            (2, "6GiB", Some(1.5)),
        ];
        for (cores, memory, expected) in table {
            assert_eq!(reference_servers(host(cores, memory).host()), expected, "{cores} {memory}");
        }
        let run = |nodes, size| {
            let mut report = tests::report(BackendKind::Simulated, &[("web", 0)]);
            (report.host.nodes, report.host.reference_servers) = (nodes, size);
            report.host.cpu_utilisation = Some(0.5);
            Bill::of(&report, &Rates::REFERENCE).unwrap()
        };
        // One of four cores costs and draws what two of two do, and is one machine.
        let (one, two) = (run(None, Some(2.0)), run(Some(2), None));
        assert_eq!((one.watts, one.usd_per_h), (two.watts, two.usd_per_h));
        assert_eq!((one.servers, two.servers), (1, 2));
    }

    #[test]
    fn ten_idle_servers_cost_more_than_two_busy_ones() {
        let run = |nodes, utilisation| {
            let mut report = tests::report(BackendKind::Simulated, &[("web", 0)]);
            report.host.nodes = nodes;
            report.host.cpu_utilisation = utilisation;
            report.tenants[0].requests = Some(Requests::from_latencies_ns(100, 0, &mut [1_000_000; 100]));
            report
        };
        let ten = Bill::of(&run(Some(10), Some(0.1)), &Rates::REFERENCE).unwrap();
        let two = Bill::of(&run(Some(2), Some(0.5)), &Rates::REFERENCE).unwrap();
        assert_eq!((ten.servers, ten.watts), (10, 891.0));
        assert_eq!((two.servers, two.watts), (2, 203.0));
        assert_eq!(two.joules_per_request, Some(203.0 * 20.0 / 100.0));
        assert!(ten.usd_per_h > 4.0 * two.usd_per_h, "{ten:?} {two:?}");
        let one = run(None, Some(0.5));
        let paths = ["host.servers", "host.watts", "host.joules_per_request", "host.dogs"];
        assert_eq!(paths.map(|path| one.value(path)), [Some(1.0), Some(101.5), Some(20.3), None]);
        assert_eq!(one.value("host.usd_per_h"), Some(Bill::of(&one, &Rates::REFERENCE).unwrap().usd_per_h));
        assert_eq!(Bill::of(&run(Some(2), None), &Rates::REFERENCE), None);
    }
}
