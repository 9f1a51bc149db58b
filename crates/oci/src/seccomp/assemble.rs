//! The program: by architecture, then by number in halves, then condition by condition.
//!
//! Code is put together from its end: what a jump leaps over is there before the jump is, so its length is known and nothing has
//! to be filled in later. A conditional jump reaches 255 instructions; beyond that it steps over an unconditional one. Loads,
//! comparisons with constants and masks are all that is used, so that the kernel can tell beforehand which numbers always pass
//! (`kernel/seccomp.c`, `seccomp_is_const_allow`) and does not run the filter for them.

use catamaran_oci_init::filter::Instruction;
use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W,
};
use oci_spec::runtime::LinuxSeccompOperator as Operator;

use super::action::KILL_PROCESS;
use super::rules::{Alternative, Condition, Line, Outcome};

// Offsets in `struct seccomp_data` (`include/uapi/linux/seccomp.h`), bytes.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;
/// Bytes of an argument, whose lower half comes first on all architectures that have a table here.
const ARGUMENT: u32 = 8;
const HALF: u32 = 4;

pub(super) const RETURN: u16 = (BPF_RET | BPF_K) as u16;

const fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> Instruction {
    Instruction { code: code as u16, jt, jf, k }
}

const fn load(offset: u32) -> Instruction {
    instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, offset)
}

const fn and(mask: u32) -> Instruction {
    instruction(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask)
}

/// Compares what was loaded with `k` by `test` (`BPF_JEQ`, `BPF_JGE`, `BPF_JGT`).
const fn jump(test: u32, k: u32, jt: u8, jf: u8) -> Instruction {
    instruction(BPF_JMP | test | BPF_K, jt, jf, k)
}

const fn answer(value: u32) -> Instruction {
    instruction(BPF_RET | BPF_K, 0, 0, value)
}

/// Code that goes on behind `near` if the test holds, and into `near` if not.
fn branch(test: u32, k: u32, near: Vec<Instruction>) -> Vec<Instruction> {
    let mut code = match u8::try_from(near.len()) {
        Ok(length) => vec![jump(test, k, length, 0)],
        Err(_) => vec![jump(test, k, 0, 1), instruction(BPF_JMP | BPF_JA, 0, 0, near.len() as u32)],
    };
    code.extend(near);
    code
}

/// The whole filter.
pub(super) fn program(lines: &[Line]) -> Vec<Instruction> {
    let mut code = vec![answer(KILL_PROCESS)];
    for line in lines.iter().rev() {
        let mut inside = vec![load(NUMBER)];
        inside.extend(tree(&line.ranges));
        // Not this architecture: on behind it. `branch` jumps where its test holds, so the test is turned round by a step.
        let mut one =
            vec![jump(BPF_JEQ, line.audit, 1, 0), instruction(BPF_JMP | BPF_JA, 0, 0, inside.len() as u32)];
        one.append(&mut inside);
        one.append(&mut code);
        code = one;
    }
    code.insert(0, load(ARCHITECTURE));
    code
}

/// Search by halves over ranges, each of which begins with its number.
fn tree(ranges: &[(u32, Outcome)]) -> Vec<Instruction> {
    match ranges {
        [] => vec![answer(KILL_PROCESS)],
        [(_, outcome)] => leaf(outcome),
        _ => {
            let (lower, upper) = ranges.split_at(ranges.len() / 2);
            let first = upper.first().map_or(0, |(number, _)| *number);
            let mut code = branch(BPF_JGE, first, tree(lower));
            code.extend(tree(upper));
            code
        }
    }
}

fn leaf(outcome: &Outcome) -> Vec<Instruction> {
    match outcome {
        Outcome::Always(value) => vec![answer(*value)],
        Outcome::Depends { alternatives, otherwise, wide } => {
            let mut code: Vec<Instruction> =
                alternatives.iter().flat_map(|one| alternative(one, *wide)).collect();
            code.push(answer(*otherwise));
            code
        }
    }
}

/// Answers if all conditions hold; otherwise the program goes on behind it. Six conditions at most, of six instructions each:
/// every jump is short.
fn alternative(alternative: &Alternative, wide: bool) -> Vec<Instruction> {
    let mut code = vec![answer(alternative.answer)];
    for condition in alternative.conditions.iter().rev() {
        let mut one = if wide {
            both_halves(condition, code.len() as u8)
        } else {
            lower_half(condition, code.len() as u8)
        };
        one.append(&mut code);
        code = one;
    }
    code
}

const fn halves(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

/// The test for a 64-bit argument: the upper half decides unless it is equal. Goes on if it holds, and skips `rest`
/// instructions more if not.
fn both_halves(condition: &Condition, rest: u8) -> Vec<Instruction> {
    let at = ARGUMENTS + ARGUMENT * u32::from(condition.argument);
    let (upper, lower) = (load(at + HALF), load(at));
    let (high, low) = halves(condition.value);
    let greater = |last| {
        vec![
            upper,
            jump(BPF_JGT, high, 3, 0),
            jump(BPF_JEQ, high, 0, rest + 2),
            lower,
            jump(last, low, 0, rest),
        ]
    };
    let not_greater = |last| {
        vec![
            upper,
            jump(BPF_JGT, high, rest + 3, 0),
            jump(BPF_JEQ, high, 0, 2),
            lower,
            jump(last, low, rest, 0),
        ]
    };
    match condition.operator {
        Operator::ScmpCmpEq => {
            vec![upper, jump(BPF_JEQ, high, 0, rest + 2), lower, jump(BPF_JEQ, low, 0, rest)]
        }
        Operator::ScmpCmpNe => vec![upper, jump(BPF_JEQ, high, 0, 2), lower, jump(BPF_JEQ, low, rest, 0)],
        Operator::ScmpCmpGt => greater(BPF_JGT),
        Operator::ScmpCmpGe => greater(BPF_JGE),
        Operator::ScmpCmpLe => not_greater(BPF_JGT),
        Operator::ScmpCmpLt => not_greater(BPF_JGE),
        Operator::ScmpCmpMaskedEq => {
            let (upper_mask, lower_mask) = halves(condition.mask);
            vec![
                upper,
                and(upper_mask),
                jump(BPF_JEQ, high, 0, rest + 3),
                lower,
                and(lower_mask),
                jump(BPF_JEQ, low, 0, rest),
            ]
        }
    }
}

/// The test for an argument of 32 bits.
fn lower_half(condition: &Condition, rest: u8) -> Vec<Instruction> {
    let lower = load(ARGUMENTS + ARGUMENT * u32::from(condition.argument));
    let (_, low) = halves(condition.value);
    let (test, holds) = match condition.operator {
        Operator::ScmpCmpMaskedEq => {
            return vec![lower, and(condition.mask as u32), jump(BPF_JEQ, low, 0, rest)];
        }
        Operator::ScmpCmpEq => (BPF_JEQ, true),
        Operator::ScmpCmpNe => (BPF_JEQ, false),
        Operator::ScmpCmpGt => (BPF_JGT, true),
        Operator::ScmpCmpGe => (BPF_JGE, true),
        Operator::ScmpCmpLe => (BPF_JGT, false),
        Operator::ScmpCmpLt => (BPF_JGE, false),
    };
    vec![lower, if holds { jump(test, low, 0, rest) } else { jump(test, low, rest, 0) }]
}
