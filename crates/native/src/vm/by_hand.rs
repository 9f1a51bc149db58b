//! A guest's devices on our side as lines of a shell: its disk, and what shows it the machine's programs.

use std::path::{Path, PathBuf};

use catamaran_scenario::plan::Tenant;
use catamaran_scenario::{Plan, Platform};
use catamaran_worker::port::{SHARE, SHARE_AT};
use catamaran_worker::share::Share;

use super::Hypervisor;
use crate::dry_run::{quote, quoted};
use crate::{disk, program};

/// Where the daemon leaves its number, by the name of a socket that it has made itself.
const NUMBERS: &str = "/run/virtiofsd";
/// Folder of a person's own files.
pub(super) const FOLDER: &str = "/tmp";

impl Hypervisor {
    /// What a person's guest finds it by; none where its tenant is no program.
    pub(super) fn typed_share(&self, tenant: &Tenant, label: &str) -> Option<Share> {
        let (daemon, _) = self.for_programs.as_ref().filter(|_| program::is_one(&tenant.workload))?;
        Some(Share { daemon: daemon.clone(), socket: Path::new(FOLDER).join(format!("{label}.share")) })
    }

    /// Makes what a tenant's guest takes, from within groups that `enter` enters.
    pub(crate) fn furnish(&self, plan: &Plan, tenant: &Tenant, label: &str, enter: &str) -> Vec<String> {
        let shown = program::shown(plan, tenant, Platform::Vm);
        let disk = disk::by_hand::lay_out(tenant, label).into_iter();
        disk.chain(self.show(tenant, label, &shown, enter)).collect()
    }

    /// Removes what is left of that, of all guests.
    pub(crate) fn clear(&self, plan: &Plan) -> Vec<String> {
        [disk::by_hand::remove(plan), self.hide(plan)].concat()
    }

    /// Starts the daemon; comes back when it listens.
    fn show(&self, tenant: &Tenant, label: &str, shown: &[PathBuf], enter: &str) -> Vec<String> {
        let Some(share) = self.typed_share(tenant, label) else { return Vec::new() };
        let (folder, socket) = (share.folder(), quoted(&share.socket));
        let at = quoted(&folder);
        let mut inside =
            vec!["set -e".to_owned(), format!("mount -t tmpfs -o nosuid,mode=755 catamaran {at}; cd {at}")];
        for path in shown {
            let (from, to) = (quoted(path), format!(".{}", quoted(path)));
            let make = if path.is_dir() {
                format!("mkdir -p {to}")
            } else {
                format!("mkdir -p \"$(dirname {to})\"; touch {to}")
            };
            inside.push(format!(
                "{make}; mount --bind {from} {to}; mount -o remount,bind,ro,nosuid,nodev {to}"
            ));
        }
        let options = Share::options(&folder).join(" ");
        inside.push(format!("exec {} --socket-path={socket} {options}", quoted(&share.daemon)));
        let inside = quote(&inside.join("; "));
        vec![
            format!(
                "# A daemon shows it programs of this machine: in the guest, mount -t virtiofs {SHARE} {SHARE_AT}."
            ),
            format!("mkdir {at}"),
            format!("sh -c {} &", quote(&format!("{enter}exec unshare --mount sh -c {inside}"))),
            format!("until [ -S {socket} ]; do sleep 0.1; done"),
        ]
    }

    fn hide(&self, plan: &Plan) -> Vec<String> {
        let share = |(index, replica)| {
            let tenant = plan.tenants().get(index)?;
            self.typed_share(tenant, &format!("{}.{replica}", tenant.name))
        };
        let remove = |share: Share| {
            let number = share.socket.display().to_string().replace('/', ".");
            let number = quoted(&Path::new(NUMBERS).join(format!("{number}.pid")));
            let (folder, socket) = (quoted(&share.folder()), quoted(&share.socket));
            format!("rmdir {folder}; rm -f {socket} {number}; rmdir --ignore-fail-on-non-empty {NUMBERS}")
        };
        plan.instances().filter_map(share).map(remove).collect()
    }
}
