//! The failures of OCI runtimes that are installed on the machine.

use crate::harness::Row;

/// A runc of our own making: what it does when it is asked for a container.
fn fake_runc(what: &str, then: &str) -> Row {
    Row::on("runc", what).inject(&fake("runc", "runc version 1", then)).env("PATH", "@/bin:/usr/bin:/bin")
}

/// Lines that make a program which tells that version, and does whatever `then` says when it is asked for anything else.
fn fake(program: &str, version: &str, then: &str) -> String {
    format!(
        "mkdir \"$OUT/bin\"; printf '#!/bin/sh\\n[ \"$1\" = --version ] && {{ echo {version}; exit 0; }}\\n{then}\\n' \
         >\"$OUT/bin/{program}\"; chmod +x \"$OUT/bin/{program}\""
    )
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::on("runc", "there is no runc")
            .env("PATH", "/nowhere")
            .ends(2, &["runc is not on PATH", "apt-get install runc"]),
        Row::on("podman", "there is no podman")
            .env("PATH", "/nowhere")
            .ends(2, &["podman is not on PATH", "apt-get install podman"]),
        Row::on("lxc", "there is no LXC")
            .env("PATH", "/nowhere")
            .ends(2, &["lxc-start is not on PATH", "apt-get install lxc"]),
        Row::on("podman", "an engine says what it lacks, and ends")
            .inject(&fake("podman", "podman version 1", "echo >&2 no such thing; exit 1"))
            .env("PATH", "@/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .ends(3, &["podman failed (1): no such thing"]),
        fake_runc("runc says what it lacks, and ends", "echo >&2 no such thing; exit 1")
            .ends(3, &["did not start a tenant (exit status: 1): no such thing"]),
        fake_runc("runc ends well and has started nothing", "exit 0")
            .ends(3, &["did not start a tenant (exit status: 0): it said nothing"]),
        Row::on("runc", "no space for what a runtime is told")
            .inject("mount -t tmpfs -o nr_inodes=7 none /run/catamaran")
            .ends(3, &["No space left", "make room"]),
        Row::on("runc", "interrupted while tenants of a runtime run")
            .interrupt(crate::harness::Interrupt::At("runtime"))
            .ends(130, &["interrupted; everything was cleaned up"]),
    ]
}
