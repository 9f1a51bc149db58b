//! The probe: a tenant that tells what it sees of the machine, and what it is let do to it.

use std::path::Path;

use catamaran_worker::facts;
use catamaran_worker::script::word;

use crate::attacks;
use crate::launch::say;

/// Tells the runner everything, one message a finding. `outside` is the number of a process outside, a launcher of the
/// `run`; `host_file` a file of the machine, `playground` a folder in which the probe may do as it likes, `memory_bytes` what
/// it tries to touch at most.
pub(crate) fn probe(
    run: &str,
    outside: &str,
    (host_file, playground): (&str, &str),
    memory_bytes: &str,
) -> Result<(), String> {
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("not a number: {text:?}"));
    let (outside, memory_bytes) = (number(outside)?, number(memory_bytes)? as usize);
    for (name, fact) in facts::read(Path::new("/proc/self")) {
        tell(&name, &fact);
    }
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let seen = read(&format!("/proc/{outside}/cmdline")).contains(&format!("\0launch\0{run}\0"));
    // Where another process has that number, it is none of the machine's.
    let is_another = !seen && Path::new(&format!("/proc/{outside}")).exists();
    let outside = (!is_another).then_some(outside);
    tell("outside", if seen { "seen" } else { "hidden" });
    tell("processes", &processes().to_string());
    tell("mounts", &read("/proc/self/mountinfo").lines().count().to_string());
    tell("host-name", &rustix::system::uname().nodename().to_string_lossy());
    tell("user-map", &read("/proc/self/uid_map").split_whitespace().collect::<Vec<_>>().join(" "));
    tell("interfaces", &interfaces(&read("/proc/self/net/dev")));
    tell("kernel", &rustix::system::uname().release().to_string_lossy());
    for (name, attack) in attacks::ALL {
        let outcome = attack(&attacks::Target { outside, host_file, playground, memory_bytes });
        tell(&format!("attack.{name}"), &outcome.to_string());
    }
    Ok(())
}

fn tell(name: &str, finding: &str) {
    say(rustix::stdio::stdin(), &format!("{}{name}\t{finding}", word::FOUND));
}

fn processes() -> usize {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok()).count()
}

/// Names of the network devices in a text of `/proc/net/dev`.
fn interfaces(text: &str) -> String {
    let names = text.lines().filter_map(|line| Some(line.split_once(':')?.0.trim()));
    names.collect::<Vec<_>>().join(" ")
}
