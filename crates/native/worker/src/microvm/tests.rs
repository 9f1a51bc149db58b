use std::os::fd::AsFd as _;
use std::time::Duration;

use catamaran_worker::fixed_loop::turn;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};

use super::*;

const COUNTER: usize = 70;

fn tape() -> Tape {
    let file = memfd_create("tape", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&file, 128 * 8).unwrap();
    Tape::map(file.as_fd()).unwrap()
}

/// A machine of 16 MiB; none where this machine makes none, which is said.
fn machine(tape: &Tape) -> Option<Machine> {
    if let Err(error) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm") {
        println!("skipped: microvm: /dev/kvm: {error}");
        return None;
    }
    Some(Machine::make(16 << 20, tape).unwrap())
}

#[test]
fn turns_in_a_guest_are_those_of_the_fixed_loop_and_are_counted() {
    let tape = tape();
    let Some(machine) = machine(&tape) else { return };
    let mut processor = machine.processor(1, COUNTER).unwrap();
    let mut counted = 0;
    for turns in [0, 1, 7, 8, 9, CHUNK_TURNS - 1, CHUNK_TURNS, 3 * CHUNK_TURNS + 11] {
        assert_eq!(
            processor.turn(0x1234_5678, turns, u64::MAX),
            Ok((turn(0x1234_5678, turns), 0)),
            "{turns}"
        );
        counted += turns;
        assert_eq!(tape.get(COUNTER), counted, "{turns}");
    }
    // Nothing else on the tape was touched.
    assert!((0..128).all(|word| word == COUNTER || tape.get(word) == 0));
}

#[test]
fn a_guest_stops_when_its_time_is_over() {
    let tape = tape();
    let Some(machine) = machine(&tape) else { return };
    let mut processor = machine.processor(0, COUNTER).unwrap();
    let end_ns = now_ns() + 30_000_000;
    let (state, left) = processor.turn(1, u64::MAX / 2, end_ns).unwrap();
    // Both clocks count the same ticks; the look that compares them is wrong by a round trip at most.
    assert!(now_ns() + 1_000_000 > end_ns, "{} ns too early", end_ns - now_ns());
    let made = u64::MAX / 2 - left;
    assert!(made > 0 && made.is_multiple_of(CHUNK_TURNS) && made == tape.get(COUNTER));
    assert_eq!(state, turn(1, made));
    // An end that is over: nothing is done.
    assert_eq!(processor.turn(7, 100, now_ns().saturating_sub(1_000_000_000)).unwrap(), (7, 100));
}

#[test]
fn a_guest_touches_its_own_memory_and_no_more() {
    let tape = tape();
    let Some(machine) = machine(&tape) else { return };
    let mut processor = machine.processor(0, COUNTER).unwrap();
    let pages = machine.free_bytes() / 4096;
    processor.touch(0, pages, 4096).unwrap();
    for page in [0, 1, pages - 1] {
        let found: u64 = machine.memory.read_obj(GuestAddress(DATA + page * 4096)).unwrap();
        assert_eq!(found, pages - page);
    }
    for (first, count, stride) in
        [(4096, pages, 4096), (0, pages + 1, 4096), (1, u64::MAX, 8), (u64::MAX, 1, 1)]
    {
        let said = processor.touch(first, count, stride).unwrap_err();
        assert!(said.contains("bytes to touch"), "{said}");
    }
    processor.touch(0, 1, 4096).unwrap();
}

#[test]
fn a_guest_that_goes_astray_is_ended_and_its_monitor_lives() {
    let tape = tape();
    let Some(machine) = machine(&tape) else { return };
    // An address behind its memory, the tape's neighbour, and an instruction that is none of ring 3's.
    let nowhere = [machine.bytes, TAPE + PAGE, 1 << 40];
    for (number, address) in nowhere.into_iter().enumerate() {
        let mut processor = machine.processor(number, COUNTER).unwrap();
        processor.tell(command::FIRST, address).unwrap();
        processor.tell(command::LEFT, 1).unwrap();
        let said = processor.work(command::TOUCH).unwrap_err();
        assert!(said.contains("shut down"), "{address:#x}: {said}");
    }
    let mut processor = machine.processor(9, COUNTER).unwrap();
    let halt = [0xf4_u8];
    machine.memory.write_slice(&halt, GuestAddress(DATA)).unwrap();
    let mut registers = processor.fd.get_regs().unwrap();
    registers.rip = DATA;
    processor.fd.set_regs(&registers).unwrap();
    assert!(processor.run().unwrap_err().contains("shut down"));
}

#[test]
fn processors_of_a_guest_work_at_once() {
    let tape = tape();
    let Some(machine) = machine(&tape) else { return };
    std::thread::scope(|scope| {
        for number in 0..4 {
            let machine = &machine;
            scope.spawn(move || {
                let mut processor = machine.processor(number, COUNTER + number).unwrap();
                for _ in 0..50 {
                    assert_eq!(processor.turn(3, 10_000, u64::MAX), Ok((turn(3, 10_000), 0)));
                    std::thread::sleep(Duration::from_micros(50));
                }
            });
        }
    });
    assert!((0..4).all(|number| tape.get(COUNTER + number) == 500_000));
    assert!(machine.processor(PROCESSORS_MAX, COUNTER).is_err());
}
