//! The failures of runs whose tenants talk to each other.

use crate::harness::{Interrupt, Row};

const WEB: &str = "[[tenant]]\nname = \"web\"\n";
const CLIENT_AND_WEB: &str = "[[tenant]]\nname = \"ann\"\nworkload = { kind = \"network\", to = \"web\", requests = 5, size = \"1KiB\" }\n\
                              [[tenant]]\nname = \"web\"\n";

fn talking(platform: &'static str, what: &str) -> Row {
    Row::on(platform, &format!("{what}, on {platform} with a network")).with(WEB, CLIENT_AND_WEB)
}

/// They run, so that it is the injection that fails a row.
pub(crate) fn undisturbed() -> Vec<Row> {
    let platforms = ["bare-metal", "chroot", "namespaces", "cgroups", "container"];
    platforms.map(|platform| talking(platform, "nothing").ends(0, &["ann", "completed"])).into()
}

pub(crate) fn rows() -> Vec<Row> {
    let refused = |platform, name: &str, call, says: &[&'static str]| {
        talking(platform, &format!("{name} is refused")).deny(call, libc::EPERM).ends(2, says)
    };
    let says = ["interrupted; everything was cleaned up"];
    let rootless = talking("container", "an ordinary user").with("rootless = false", "rootless = true");
    vec![
        refused("bare-metal", "unshare", libc::SYS_unshare, &["a network namespace", "sudo"]),
        refused("bare-metal", "setns", libc::SYS_setns, &["rtnetlink", "sudo"]),
        refused("bare-metal", "sendto", libc::SYS_sendto, &["the loopback", "sudo"]),
        refused("container", "sendto", libc::SYS_sendto, &["a bridge", "sudo"]),
        refused("bare-metal", "bind", libc::SYS_bind, &["cannot listen on TCP port 20001", "sudo"]),
        // The tenant fails, and the run says why.
        talking("cgroups", "connect is refused")
            .deny(libc::SYS_connect, libc::EPERM)
            .ends(0, &["failed", "cannot connect to 10.87.0.2:20001"]),
        talking("bare-metal", "interrupted when the network is there")
            .interrupt(Interrupt::At("isolate"))
            .ends(130, &says),
        talking("container", "interrupted when its bridge is there")
            .interrupt(Interrupt::At("rootfs"))
            .ends(130, &says),
        rootless.ordinary().needs("container, rootless").ends(2, &["a network between tenants", "sudo"]),
    ]
}
