//! Runs a filter as `kernel/bpf` would, and fails the test on whatever the kernel would not have loaded.

use catamaran_oci_init::filter::Instruction;
use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W,
};

/// `struct seccomp_data`, without the instruction pointer.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) number: u32,
    pub(super) architecture: u32,
    pub(super) arguments: [u64; 6],
}

impl Call {
    fn word(&self, offset: u32) -> u32 {
        match offset {
            0 => self.number,
            4 => self.architecture,
            16..=60 if offset.is_multiple_of(4) => {
                let argument = self.arguments[(offset as usize - 16) / 8];
                if offset.is_multiple_of(8) { argument as u32 } else { (argument >> 32) as u32 }
            }
            _ => panic!("the kernel refuses a load at {offset}"),
        }
    }
}

/// The filter's answer.
pub(super) fn run(filter: &[Instruction], call: &Call) -> u32 {
    assert!((1..=4096).contains(&filter.len()), "{} instructions", filter.len());
    let mut loaded = 0;
    let mut at = 0;
    loop {
        let one = filter.get(at).expect("a jump out of the program");
        at += 1;
        let branch = |holds: bool| usize::from(if holds { one.jt } else { one.jf });
        match u32::from(one.code) {
            code if code == BPF_LD | BPF_W | BPF_ABS => loaded = call.word(one.k),
            code if code == BPF_ALU | BPF_AND | BPF_K => loaded &= one.k,
            code if code == BPF_JMP | BPF_JA => at += one.k as usize,
            code if code == BPF_JMP | BPF_JEQ | BPF_K => at += branch(loaded == one.k),
            code if code == BPF_JMP | BPF_JGT | BPF_K => at += branch(loaded > one.k),
            code if code == BPF_JMP | BPF_JGE | BPF_K => at += branch(loaded >= one.k),
            code if code == BPF_RET | BPF_K => return one.k,
            code => panic!("unexpected instruction {code:#x}"),
        }
    }
}
