//! Which machine this is, so that figures measured on another one (or under another kernel) are not taken for its own.

use std::fs;

use catamaran_scenario::calibration::Machine;

/// Identity of this machine, read anew on each call; what the kernel does not tell reads `unknown`.
#[must_use]
pub fn machine() -> Machine {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Machine {
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        cpu_model: cpu_model(&cpus),
        cores: cores(&cpus),
        cgroup_version: cgroup_version(&groups),
        page_bytes: rustix::param::page_size() as u64,
    }
}

/// The date (UTC) by this machine's clock, `2026-11-26`.
pub(crate) fn today() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    date(now.map_or(0, |since| since.as_secs() / SECONDS_A_DAY))
}

const SECONDS_A_DAY: u64 = 24 * 3600;

/// The date that many days after 1970-01-01, in the Gregorian calendar: years are counted from March, so that the leap day is
/// a year's last, in eras of 400 years (H. Hinnant, `chrono`-Compatible Low-Level Date Algorithms, `civil_from_days`).
fn date(days: u64) -> String {
    let since_era = days + 719_468;
    let (era, day_of_era) = (since_era / 146_097, since_era % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn cpu_model(cpuinfo: &str) -> String {
    let model = values(cpuinfo, "model name").next();
    model.unwrap_or("unknown").to_owned()
}

/// Cores online: `/proc/cpuinfo` lists no others.
fn cores(cpuinfo: &str) -> u32 {
    u32::try_from(values(cpuinfo, "processor").count()).unwrap_or(u32::MAX)
}

fn values<'a>(cpuinfo: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    cpuinfo
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter_map(move |(name, value)| (name.trim() == key).then_some(value.trim()))
}

/// 1 where the `cpu` controller is mounted the old way (`/proc/self/cgroup` then has a line `N:cpu:/…`), else 2.
fn cgroup_version(self_cgroup: &str) -> u8 {
    let old = self_cgroup.lines().filter_map(|line| line.split(':').nth(1));
    if old.flat_map(|controllers| controllers.split(',')).any(|controller| controller == "cpu") {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpuinfo_gives_model_and_cores() {
        let two = "processor\t: 0\nmodel name\t: Fast CPU: 3 GHz\n\nprocessor\t: 1\nmodel name\t: Fast CPU: 3 GHz\n";
        assert_eq!((cpu_model(two).as_str(), cores(two)), ("Fast CPU: 3 GHz", 2));
        assert_eq!((cpu_model("").as_str(), cores("")), ("unknown", 0));
    }

    #[test]
    fn the_cpu_controller_decides_the_cgroup_version() {
        let table = [
            ("4:memory:/x\n3:cpu,cpuacct:/\n0::/", 1),
            ("3:cpu:/\n", 1),
            ("3:cpuset:/\n0::/user.slice", 2),
            ("0::/user.slice", 2),
        ];
        for (text, version) in table {
            assert_eq!(cgroup_version(text), version, "{text}");
        }
    }

    #[test]
    fn days_become_dates() {
        let table = [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_783, "2026-11-26"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ];
        for (days, expected) in table {
            assert_eq!(date(days), expected);
        }
        assert!(today().as_str() > "2025", "{}", today());
    }

    #[test]
    fn this_machine_is_known() {
        let here = machine();
        assert!(here.cores > 0 && here.page_bytes >= 4096 && !here.kernel.is_empty(), "{here:?}");
    }
}
