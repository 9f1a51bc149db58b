//! A microVM of our own, from the machine to the last instruction of its guest: one file to read.
//!
//! **The guest** is *bare*: a program without a kernel. It runs in ring 3 of 64-bit mode, in memory that is mapped one to one by
//! pages of 2 MiB, without a stack and without interrupts: whatever it does wrong ends the machine (triple fault,
//! `KVM_EXIT_SHUTDOWN`). It does three things, which it is told on a page that it shares with its monitor, a page for each
//! processor: turns of the fixed loop, which it counts on the tape itself; touches of its memory; a look at its clock. When it is
//! done it rings the one doorbell, an `out` to a port, which gives the processor back.
//!
//! **The monitor** is the worker: each of its threads is a processor of the guest. It keeps the time between the works, as a
//! guest without a kernel has nobody else to wait for it, and hands the works in by the doorbell as they are due.
//!
//! | guest-physical address | what |
//! |---|---|
//! | [`ROOT`] | page tables of three levels: 512 GiB, 1 GiB, 2 MiB |
//! | [`CODE`] | the guest's program |
//! | [`COMMANDS`] + 4096 k | what processor k is told |
//! | [`DATA`] to the end | the guest's memory |
//! | [`TAPE`] | the tape |
//!
//! **Source.** Linux `Documentation/virt/kvm/api.rst`; AMD64 Architecture Programmer's Manual, volume 2, chapters 4 (segments), 5
//! (long-mode page tables), 14 (processor state).

#![allow(unsafe_code)]

use std::arch::global_asm;
use std::arch::x86_64::_rdtsc;

use catamaran_worker::bare::{MEMORY_END, PAGE_BYTES as PAGE, PROCESSORS_MAX};
use catamaran_worker::clock::now_ns;
use catamaran_worker::fixed_loop::{CHUNK_TURNS, MULTIPLIER};
use catamaran_worker::tape::Tape;
use kvm_bindings::{kvm_regs, kvm_segment, kvm_userspace_memory_region};
use kvm_ioctls::{Kvm, VcpuExit, VcpuFd, VmFd};
use vm_memory::{Bytes as _, GuestAddress, GuestMemoryBackend as _, GuestMemoryMmap};

const ROOT: u64 = 0x1000;
const TABLE_OF_GIGABYTES: u64 = 0x2000;
const CODE: u64 = 0x3000;
const COMMANDS: u64 = 0x1_0000;
/// Tables of pages, one a gigabyte.
const TABLES_OF_PAGES: u64 = 0x8_0000;
/// Where the guest's own memory begins, behind what it needs to be a guest.
const DATA: u64 = PAGE;
const TAPE: u64 = MEMORY_END;
const _: () = assert!(COMMANDS + 4096 * PROCESSORS_MAX as u64 <= TABLES_OF_PAGES);

/// Present, writable, open to ring 3; the second is also a page by itself, not a table.
const TABLE_ENTRY: u64 = 0b111;
const PAGE_ENTRY: u64 = 0b1000_0111;

/// Protected mode with paging, and the floating-point unit as compilers expect it (CR0 PE MP ET NE WP AM PG; CR4 PAE OSFXSR
/// OSXMMEXCPT); 64-bit mode, active (EFER LME LMA).
const CR0: u64 = 0x8005_0033;
const CR4: u64 = 0x620;
const EFER: u64 = 0x500;
/// Ring 3 may use ports (RFLAGS IOPL 3), and the bit that is always set.
const RFLAGS: u64 = 0x3002;

/// The guest's port of its doorbell.
const DOORBELL: u16 = 0x10;
/// An end that never comes.
const NEVER: u64 = u64::MAX;

/// What a processor is told, and where on its page.
mod command {
    /// One of the three below.
    pub(super) const WORK: u64 = 0;
    pub(super) const TURN: u64 = 1;
    pub(super) const TOUCH: u64 = 2;
    pub(super) const LOOK: u64 = 3;
    /// State of the fixed loop.
    pub(super) const STATE: u64 = 8;
    /// Turns or touches that are left.
    pub(super) const LEFT: u64 = 16;
    /// What the guest's clock shows when it is to stop.
    pub(super) const UNTIL: u64 = 24;
    /// Address of the word that counts its turns.
    pub(super) const COUNTER: u64 = 32;
    /// Address of the first touch, and bytes from one to the next.
    pub(super) const FIRST: u64 = 40;
    pub(super) const STRIDE: u64 = 48;
    /// What its clock showed.
    pub(super) const CLOCK: u64 = 56;
}

// The guest. RDI is the address of its page. The turn is that of `fixed_loop`, eight at a time as there.
global_asm!(
    r#"
    .pushsection .text.catamaran_guest, "ax", @progbits
    .globl catamaran_guest_begin
    .globl catamaran_guest_end
    .macro catamaran_turn
        mov rax, rsi
        shr rax, 29
        xor rsi, rax
        imul rsi, r10
    .endm
catamaran_guest_begin:
10: out {doorbell}, al              /* done: ring, and go on when there is something to do */
    mov rax, [rdi + {work}]
    cmp rax, {turn}
    je 20f
    cmp rax, {touch}
    je 30f
    cmp rax, {look}
    je 40f
    jmp 10b
20: mov rsi, [rdi + {state}]
    mov rcx, [rdi + {left}]
    mov r8, [rdi + {until}]
    mov r9, [rdi + {counter}]
    movabs r10, {multiplier}
21: test rcx, rcx
    jz 27f
    cmp r8, {never}
    je 22f
    rdtsc                           /* asks the clock only where there is an end */
    shl rdx, 32
    or rax, rdx
    cmp rax, r8
    jae 27f
22: mov r11d, {chunk}
    cmp rcx, r11
    cmovb r11, rcx
    sub rcx, r11
    mov rbx, r11
    shr rbx, 3
    jz 24f
    .p2align 4
23: .rept 8
    catamaran_turn
    .endr
    dec rbx
    jnz 23b
24: mov rbx, r11
    and rbx, 7
    jz 26f
25: catamaran_turn
    dec rbx
    jnz 25b
26: add [r9], r11                   /* nobody else writes this word, and the runner reads it meanwhile */
    jmp 21b
27: mov [rdi + {state}], rsi
    mov [rdi + {left}], rcx
    jmp 10b
30: mov rsi, [rdi + {first}]
    mov rcx, [rdi + {left}]
    mov r8, [rdi + {stride}]
31: test rcx, rcx
    jz 10b
    mov [rsi], rcx
    add rsi, r8
    dec rcx
    jmp 31b
40: rdtsc
    shl rdx, 32
    or rax, rdx
    mov [rdi + {clock}], rax
    jmp 10b
catamaran_guest_end:
    .popsection
"#,
    doorbell = const DOORBELL,
    work = const command::WORK,
    turn = const command::TURN,
    touch = const command::TOUCH,
    look = const command::LOOK,
    state = const command::STATE,
    left = const command::LEFT,
    until = const command::UNTIL,
    counter = const command::COUNTER,
    first = const command::FIRST,
    stride = const command::STRIDE,
    clock = const command::CLOCK,
    never = const NEVER as i64,
    multiplier = const MULTIPLIER as i64,
    chunk = const CHUNK_TURNS,
);

unsafe extern "C" {
    static catamaran_guest_begin: u8;
    static catamaran_guest_end: u8;
}

fn program() -> &'static [u8] {
    let (begin, end) = (&raw const catamaran_guest_begin, &raw const catamaran_guest_end);
    // SAFETY: both are labels of one section of this program, the first before the second, and nobody writes to code.
    unsafe { std::slice::from_raw_parts(begin, end.offset_from(begin) as usize) }
}

/// A guest's machine.
pub(crate) struct Machine {
    vm: VmFd,
    memory: GuestMemoryMmap<()>,
    bytes: u64,
}

fn failed<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String + '_ {
    move |error| format!("the monitor cannot {what}: {error}")
}

impl Machine {
    /// A machine with that much memory, rounded up to whole pages, that has the tape in it.
    pub(crate) fn make(bytes: u64, tape: &Tape) -> Result<Self, String> {
        let bytes = bytes.clamp(2 * PAGE, MEMORY_END).next_multiple_of(PAGE);
        let vm =
            Kvm::new().map_err(failed("open /dev/kvm"))?.create_vm().map_err(failed("make a machine"))?;
        let memory = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), bytes as usize)])
            .map_err(failed("map the guest's memory"))?;
        let machine = Self { vm, memory, bytes };
        machine.give_memory(tape)?;
        machine.fill(tape).map_err(failed("write the guest's memory"))?;
        Ok(machine)
    }

    fn give_memory(&self, tape: &Tape) -> Result<(), String> {
        let at = self.memory.get_host_address(GuestAddress(0)).map_err(failed("find the guest's memory"))?;
        // Where the machine has no large pages to give, small ones serve, slower (nested page tables).
        // SAFETY: the range is our own mapping; the advice changes no contents.
        let _ =
            unsafe { rustix::mm::madvise(at.cast(), self.bytes as usize, rustix::mm::Advice::LinuxHugepage) };
        let slots = [(0, at as u64, self.bytes), (TAPE, tape.words().as_ptr() as u64, tape_bytes(tape))];
        for (slot, (guest_phys_addr, userspace_addr, memory_size)) in (0..).zip(slots) {
            let region =
                kvm_userspace_memory_region { slot, flags: 0, guest_phys_addr, memory_size, userspace_addr };
            // SAFETY: both mappings live as long as the worker, which ends with its threads; what the guest does to them are
            // plain writes, to memory that nobody holds a reference to, and to the tape, which is atomics.
            unsafe { self.vm.set_user_memory_region(region) }.map_err(failed("give memory to the guest"))?;
        }
        Ok(())
    }

    /// Page tables and program.
    fn fill(&self, tape: &Tape) -> Result<(), vm_memory::GuestMemoryError> {
        self.memory.write_slice(program(), GuestAddress(CODE))?;
        self.memory.write_obj(TABLE_OF_GIGABYTES | TABLE_ENTRY, GuestAddress(ROOT))?;
        let ours = (0..self.bytes).step_by(PAGE as usize);
        let of_tape = (TAPE..TAPE + tape_bytes(tape)).step_by(PAGE as usize);
        for address in ours.chain(of_tape) {
            let (gigabyte, page) = (address >> 30, (address >> 21) & 511);
            let table = TABLES_OF_PAGES + gigabyte * 4096;
            self.memory.write_obj(table | TABLE_ENTRY, GuestAddress(TABLE_OF_GIGABYTES + gigabyte * 8))?;
            self.memory.write_obj(address | PAGE_ENTRY, GuestAddress(table + page * 8))?;
        }
        Ok(())
    }

    /// Processor of that number, which has executed its first instruction, in the thread that is to run it. It counts its turns
    /// on the tape's word `counter`.
    pub(crate) fn processor(&self, number: usize, counter: usize) -> Result<Processor<'_>, String> {
        if number >= PROCESSORS_MAX {
            return Err(format!("a guest has {PROCESSORS_MAX} processors at most"));
        }
        let page = COMMANDS + number as u64 * 4096;
        let fd = self.vm.create_vcpu(number as u64).map_err(failed("make a processor"))?;
        let mut state = fd.get_sregs().map_err(failed("ask a processor"))?;
        let code = kvm_segment {
            limit: u32::MAX,
            selector: 0x33,
            type_: 0xb,
            present: 1,
            dpl: 3,
            s: 1,
            l: 1,
            g: 1,
            ..kvm_segment::default()
        };
        let data = kvm_segment { selector: 0x2b, type_: 3, db: 1, l: 0, ..code };
        (state.cs, state.ss) = (code, data);
        (state.ds, state.es, state.fs, state.gs) = (data, data, data, data);
        (state.cr0, state.cr3, state.cr4, state.efer) = (CR0, ROOT, CR4, EFER);
        fd.set_sregs(&state).map_err(failed("set up a processor"))?;
        let registers = kvm_regs { rip: CODE, rdi: page, rflags: RFLAGS, ..kvm_regs::default() };
        fd.set_regs(&registers).map_err(failed("set up a processor"))?;
        let clock = Clock { ticks: 0, at_ns: 0, khz: u64::from(fd.get_tsc_khz().unwrap_or(0)) };
        let mut processor = Processor { fd, machine: self, page, clock };
        processor.run()?;
        processor.tell(command::COUNTER, TAPE + 8 * counter as u64)?;
        processor.look_at_clock()?;
        Ok(processor)
    }

    /// Bytes that the guest may touch.
    pub(crate) const fn free_bytes(&self) -> u64 {
        self.bytes - DATA
    }
}

/// Whole pages of the machine's that the tape takes.
fn tape_bytes(tape: &Tape) -> u64 {
    (size_of_val(tape.words()) as u64).next_multiple_of(4096)
}

/// The guest's clock at an instant of ours, and its speed.
#[derive(Debug, Clone, Copy)]
struct Clock {
    ticks: u64,
    at_ns: u64,
    /// Ticks a millisecond.
    khz: u64,
}

impl Clock {
    /// What it shows at `at_ns`.
    fn at(self, at_ns: u64) -> u64 {
        let ahead = u128::from(at_ns.saturating_sub(self.at_ns)) * u128::from(self.khz) / 1_000_000;
        self.ticks.saturating_add(u64::try_from(ahead).unwrap_or(NEVER)).min(NEVER - 1)
    }
}

/// A processor of the guest, in the thread that runs it.
pub(crate) struct Processor<'a> {
    fd: VcpuFd,
    machine: &'a Machine,
    /// Address of the page by which it is told what to do.
    page: u64,
    clock: Clock,
}

impl Processor<'_> {
    /// Makes up to `turns` turns from `state`, but stops when our clock shows `end_ns` (`u64::MAX`: never); the state after it and
    /// the turns that are left.
    pub(crate) fn turn(&mut self, state: u64, turns: u64, end_ns: u64) -> Result<(u64, u64), String> {
        self.tell(command::STATE, state)?;
        self.tell(command::LEFT, turns)?;
        self.tell(command::UNTIL, if end_ns == u64::MAX { NEVER } else { self.clock.at(end_ns) })?;
        self.work(command::TURN)?;
        Ok((self.told(command::STATE)?, self.told(command::LEFT)?))
    }

    /// Touches `count` places of its memory, `stride` bytes apart, the first so many bytes after the beginning of its memory.
    pub(crate) fn touch(&mut self, first: u64, count: u64, stride: u64) -> Result<(), String> {
        let end = count.checked_mul(stride).and_then(|bytes| bytes.checked_add(first));
        if end.is_none_or(|end| end > self.machine.free_bytes()) {
            return Err(format!("the guest has {} bytes to touch and no more", self.machine.free_bytes()));
        }
        self.tell(command::FIRST, DATA + first)?;
        self.tell(command::LEFT, count)?;
        self.tell(command::STRIDE, stride)?;
        self.work(command::TOUCH)
    }

    /// Compares its clock with ours: both count the ticks of this machine, from another beginning.
    fn look_at_clock(&mut self) -> Result<(), String> {
        // The first look is slow, as everything is for the first time.
        self.work(command::LOOK)?;
        // SAFETY: every processor of this architecture that runs a guest has the counter.
        let ticks = || unsafe { _rdtsc() };
        let (before, at_ns) = (ticks(), now_ns());
        self.work(command::LOOK)?;
        let (theirs, after) = (self.told(command::CLOCK)?, ticks());
        // Their look was some time between ours: the half is wrong by half of a round trip at most.
        let way = after.saturating_sub(before) / 2;
        (self.clock.ticks, self.clock.at_ns) = (theirs.saturating_sub(way), at_ns);
        Ok(())
    }

    fn work(&mut self, what: u64) -> Result<(), String> {
        self.tell(command::WORK, what)?;
        self.run()
    }

    /// Lets it go until it rings.
    fn run(&mut self) -> Result<(), String> {
        loop {
            match self.fd.run() {
                Ok(VcpuExit::IoOut(DOORBELL, _)) => return Ok(()),
                Ok(VcpuExit::Shutdown) => {
                    return Err("the guest shut down: its program made a fault".to_owned());
                }
                Ok(other) => return Err(format!("the guest stopped: {other:?}")),
                Err(error) if error.errno() == libc::EINTR => {}
                Err(error) => return Err(failed("run the guest")(error)),
            }
        }
    }

    fn tell(&self, word: u64, value: u64) -> Result<(), String> {
        self.machine
            .memory
            .write_obj(value, GuestAddress(self.page + word))
            .map_err(failed("speak to the guest"))
    }

    fn told(&self, word: u64) -> Result<u64, String> {
        self.machine.memory.read_obj(GuestAddress(self.page + word)).map_err(failed("hear the guest"))
    }
}

#[cfg(test)]
mod tests;
