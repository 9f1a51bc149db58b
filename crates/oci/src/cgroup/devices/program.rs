//! Rules as a program of eBPF (`BPF_PROG_TYPE_CGROUP_DEVICE`), which version 2 runs whenever a device file is opened or made:
//! it allows by ending with 1 and refuses by ending with 0.
//!
//! The program goes through the rules from the last to the first, and keeps in a register which kinds of access nobody has
//! decided about yet. A rule that fits and allows strikes out what it allows; one that fits and denies any of what is left ends
//! it. So the last rule that fits decides, for each kind of access.
//! **Source.** Linux `include/uapi/linux/bpf.h` (`struct bpf_insn`, `struct bpf_cgroup_dev_ctx`), Documentation/bpf/standardization.

use super::{Access, Rule};

/// One instruction, laid out as `struct bpf_insn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Instruction {
    code: u8,
    /// The register that is changed in the lower half, the one that is read in the upper.
    registers: u8,
    /// Of a jump, or in memory.
    offset: i16,
    immediate: i32,
}

/// `BPF_LDX | BPF_W | BPF_MEM`: a word of memory into a register.
const LOAD: u8 = 0x61;
/// `BPF_ALU | BPF_MOV | BPF_K` and so on: on the lower 32 bits, the upper become 0.
const SET: u8 = 0xb4;
const COPY: u8 = 0xbc;
const AND: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
/// `BPF_JMP32 | BPF_JNE | BPF_K` and so on: compares the lower 32 bits.
const JUMP_UNLESS_EQUAL: u8 = 0x56;
const JUMP_IF_EQUAL: u8 = 0x16;
/// `BPF_JMP | BPF_EXIT`: ends with what is in the first register.
const END: u8 = 0x95;

/// What the program ends with.
const ANSWER: u8 = 0;
/// Where the kernel puts the address of `struct bpf_cgroup_dev_ctx`: three words, kind and access, major, minor.
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
/// Kinds of access that no rule has decided about yet.
const LEFT: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;

const fn on(code: u8, register: u8, immediate: i32) -> Instruction {
    Instruction { code, registers: register, offset: 0, immediate }
}

const fn load(register: u8, offset: i16) -> Instruction {
    Instruction { code: LOAD, registers: CONTEXT << 4 | register, offset, immediate: 0 }
}

const fn copy(to: u8, from: u8) -> Instruction {
    Instruction { code: COPY, registers: from << 4 | to, offset: 0, immediate: 0 }
}

/// The program of some rules.
pub(super) fn assemble(rules: &[Rule]) -> Vec<Instruction> {
    let mut program = vec![
        load(KIND, 0),
        copy(LEFT, KIND),
        on(AND, KIND, 0xffff),
        on(SHIFT_RIGHT, LEFT, 16),
        load(MAJOR, 4),
        load(MINOR, 8),
    ];
    for rule in rules.iter().rev() {
        program.extend(one(rule));
        // What comes before it decides nothing, and the kernel refuses instructions that are never reached.
        if rule.is_for_all() {
            return program;
        }
    }
    program.extend([on(SET, ANSWER, 0), on(END, 0, 0)]);
    program
}

/// Instructions of one rule; whoever it does not decide about leaves at their end.
fn one(rule: &Rule) -> Vec<Instruction> {
    let access = i32::from(rule.access.0);
    let end = [on(SET, ANSWER, i32::from(rule.allow)), on(END, 0, 0)];
    if rule.is_for_all() {
        return end.to_vec();
    }
    let devices = rule.devices;
    let wanted =
        [(KIND, devices.kind.map(|kind| kind as u32)), (MAJOR, devices.major), (MINOR, devices.minor)];
    let wanted = wanted.into_iter().filter_map(|(register, value)| Some((register, value?)));
    let mut code: Vec<_> =
        wanted.map(|(register, value)| on(JUMP_UNLESS_EQUAL, register, value.cast_signed())).collect();
    if rule.allow {
        let others = i32::from(Access::ALL.without(rule.access).0);
        code.extend([on(AND, LEFT, others), on(JUMP_UNLESS_EQUAL, LEFT, 0)]);
    } else {
        code.extend([copy(ANSWER, LEFT), on(AND, ANSWER, access), on(JUMP_IF_EQUAL, ANSWER, 0)]);
    }
    code.extend(end);
    let length = code.len();
    for (at, instruction) in code.iter_mut().enumerate() {
        if matches!(instruction.code, JUMP_UNLESS_EQUAL | JUMP_IF_EQUAL) {
            // At most nine instructions.
            instruction.offset = (length - at - 1) as i16;
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::twin::{Wish, allowed, rules, wish};
    use super::super::{DEFAULT, Devices, Kind};
    use super::*;

    /// Carries a program out, as far as it may be one of ours.
    fn run(program: &[Instruction], wish: Wish) -> bool {
        let context = [(u32::from(wish.access.0) << 16) | wish.kind as u32, wish.major, wish.minor];
        let mut registers = [0_u32; 11];
        let mut at = 0_usize;
        for _ in 0..=program.len() {
            let Instruction { code, registers: pair, offset, immediate } = program[at];
            let (to, from) = (usize::from(pair & 15), usize::from(pair >> 4));
            let value = immediate.cast_unsigned();
            at += 1;
            let jumps = match code {
                LOAD => {
                    registers[to] = context[usize::try_from(offset).unwrap() / 4];
                    false
                }
                SET => {
                    registers[to] = value;
                    false
                }
                COPY => {
                    registers[to] = registers[from];
                    false
                }
                AND => {
                    registers[to] &= value;
                    false
                }
                SHIFT_RIGHT => {
                    registers[to] >>= value;
                    false
                }
                JUMP_UNLESS_EQUAL => registers[to] != value,
                JUMP_IF_EQUAL => registers[to] == value,
                END => return registers[0] == 1,
                code => panic!("{code:#x}"),
            };
            if jumps {
                at += usize::try_from(offset).expect("only forward");
            }
        }
        panic!("it does not end");
    }

    /// Instructions that can be reached: the kernel refuses a program with others.
    fn reached(program: &[Instruction]) -> usize {
        let mut reached = vec![false; program.len()];
        let mut waiting = vec![0];
        while let Some(at) = waiting.pop() {
            if std::mem::replace(&mut reached[at], true) {
                continue;
            }
            match program[at].code {
                END => {}
                JUMP_UNLESS_EQUAL | JUMP_IF_EQUAL => {
                    waiting.extend([at + 1, at + 1 + usize::try_from(program[at].offset).unwrap()]);
                }
                _ => waiting.push(at + 1),
            }
        }
        reached.into_iter().filter(|reached| *reached).count()
    }

    proptest! {
        #[test]
        fn a_program_says_what_its_rules_say(rules in rules(), wish in wish()) {
            let program = assemble(&rules);
            prop_assert_eq!(run(&program, wish), allowed(&rules, wish));
            prop_assert_eq!(reached(&program), program.len());
        }
    }

    #[test]
    fn the_default_rules_are_a_short_program() {
        let program = assemble(&DEFAULT);
        assert!(program.len() <= 6 + 10 * 7 + 2, "{}", program.len());
        let wish = |major, minor, access| Wish { kind: Kind::Char, major, minor, access };
        assert!(run(&program, wish(1, 3, Access::READ | Access::WRITE)));
        assert!(run(&program, wish(136, 7, Access::ALL)));
        assert!(run(&program, wish(8, 0, Access::MKNOD)));
        assert!(!run(&program, wish(8, 0, Access::READ)));
        assert!(!run(&program, wish(10, 229, Access::READ | Access::MKNOD)));
        let disk = Rule {
            allow: true,
            devices: Devices { kind: Some(Kind::Block), major: Some(8), minor: None },
            access: Access::READ,
        };
        let program = assemble(&[disk]);
        assert!(run(&program, Wish { kind: Kind::Block, major: 8, minor: 1, access: Access::READ }));
        assert!(!run(&program, wish(8, 1, Access::READ)));
    }
}
