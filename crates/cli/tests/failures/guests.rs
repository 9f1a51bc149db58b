//! The failures of guests: of QEMU, of the kernel that they boot, of the room that they take. Those that wait longest come
//! first.

use std::path::Path;

use crate::harness::{Ground, Interrupt, Row};

/// A QEMU of our own making; what it does when it is not asked for its version.
fn fake_qemu(what: &str, version: &str, then: &str) -> Row {
    let lines = format!(
        "mkdir \"$OUT/bin\"; printf '#!/bin/sh\\n[ \"$1\" = --version ] && {{ {version}; }}\\n{then}\\n' \
         >\"$OUT/bin/qemu-system-x86_64\"; chmod +x \"$OUT/bin/qemu-system-x86_64\""
    );
    Row::on("vm", what).inject(&lines).env("PATH", "@/bin:/usr/bin:/bin")
}

pub(crate) fn rows(ground: &Ground) -> Vec<Row> {
    // Without a kernel the platform does not work, and all rows that need one are left out by that.
    let kernel = ground.guest_kernel().unwrap_or(Path::new("/nowhere"));
    let mut rows = kernels(kernel);
    rows.extend(qemus());
    rows.extend(room());
    rows
}

fn kernels(kernel: &Path) -> Vec<Row> {
    let image = kernel.display();
    let boots =
        |what: &str, make: &str| Row::on("vm", what).inject(make).env("CATAMARAN_VM_KERNEL", "@/vmlinuz");
    vec![
        boots("the guest's kernel is cut short", &format!("head -c 3000000 '{image}' >\"$OUT/vmlinuz\""))
            .ends(2, &["vmlinuz", "CATAMARAN_VM_KERNEL"]),
        boots("the guest's kernel is a text", "echo no kernel >\"$OUT/vmlinuz\"")
            .ends(2, &["QEMU ended", "CATAMARAN_VM_KERNEL"]),
        boots("the guest's kernel is nothing but zeros", "head -c 4096 /dev/zero >\"$OUT/vmlinuz\"")
            .ends(2, &["QEMU ended", "CATAMARAN_VM_KERNEL"]),
        boots("the guest's kernel is a folder", "mkdir \"$OUT/vmlinuz\"")
            .ends(2, &["which is no file", "set CATAMARAN_VM_KERNEL to a kernel image"]),
        boots("the guest's kernel is not there", "true")
            .ends(2, &["which is no file", "set CATAMARAN_VM_KERNEL to a kernel image"]),
        Row::on("vm", "there is no kernel for guests")
            .inject(&format!("mount -t tmpfs none /boot; mount -t tmpfs none \"$(dirname '{image}')\" "))
            .ends(2, &["no kernel image for guests was found", "apt-get install linux-image-cloud-amd64"]),
    ]
}

fn qemus() -> Vec<Row> {
    let answers = "echo QEMU emulator version 7.2; exit 0";
    vec![
        fake_qemu("QEMU hangs", answers, "exec sleep 300")
            .ends(2, &["QEMU started, but did not connect", "by hand"]),
        fake_qemu("QEMU hangs when it is asked for its version", "exec sleep 300", "exit 1")
            .ends(2, &["does not answer to --version: nothing within", "apt-get install qemu-system-x86"]),
        fake_qemu("QEMU lacks a library", "echo libfdt.so.1: cannot open >&2; exit 127", "exit 127")
            .ends(2, &["does not answer to --version: libfdt.so.1", "apt-get install qemu-system-x86"]),
        fake_qemu("QEMU says what it lacks, and ends", answers, "echo no machine microvm >&2; exit 1")
            .ends(2, &["QEMU ended (1)", "no machine microvm", "CATAMARAN_VM_KERNEL"]),
        fake_qemu("QEMU ends without a word", answers, "exit 0").ends(2, &["QEMU ended (0)"]),
        fake_qemu("QEMU may not be executed", answers, "exit 0")
            .inject("mkdir \"$OUT/bin\"; touch \"$OUT/bin/qemu-system-x86_64\"")
            .ends(2, &["Permission denied", "apt-get install qemu-system-x86"]),
        Row::on("vm", "there is no QEMU")
            .env("PATH", "/nowhere")
            .ends(2, &["qemu-system-x86_64 is not on PATH", "apt-get install qemu-system-x86"]),
        Row::on("vm", "KVM is wanted, and does not work")
            .with("\"tcg\"", "\"kvm\"")
            .inject("if [ -e /dev/kvm ]; then mount --bind /dev/null /dev/kvm; fi")
            .ends(2, &["kvm", "`platform.vm.accel` to \"tcg\""]),
        Row::on("vm", "interrupted while the guest boots")
            .interrupt(Interrupt::Booting)
            .ends(130, &["interrupted; everything was cleaned up"]),
    ]
}

fn room() -> Vec<Row> {
    let full = |what: &str, options: &str| {
        Row::on("vm", what).inject(&format!("mount -t tmpfs -o {options} none /run/catamaran"))
    };
    vec![
        Row::on("vm", "the run's memory does not take the guest's")
            .with("\"512MiB\"", "\"64MiB\"")
            .ends(2, &["QEMU ended (signal 9)", "more `host.memory`"]),
        Row::on("vm", "the guest's memory does not take its kernel")
            .with("\"192MiB\"", "\"24MiB\"")
            .ends(2, &["memory"]),
        full("no space for the guest's file system", "size=64k")
            .ends(3, &["web.0.initrd: No space left", "make room"]),
        full("no space for the socket of QEMU's monitor", "nr_inodes=6")
            .ends(3, &["web.0.monitor: No space left", "make room"]),
        full("no space for what the guest's kernel says", "nr_inodes=8")
            .ends(3, &["web.0.console: No space left", "make room"]),
        full("no space for what QEMU says", "nr_inodes=9")
            .ends(3, &["web.0.errors: No space left", "make room"]),
        Row::on("vm", "sockets may not be bound")
            .deny(libc::SYS_bind, libc::EPERM)
            .ends(3, &["web.0.monitor: Operation not permitted", "privileged"]),
    ]
}
