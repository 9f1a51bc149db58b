//! The program that becomes the program of a container (`catamaran-oci-init SOCKET PRESERVED`). The runtime starts it from a
//! sealed file in memory, whose bytes nobody can change, and sends it one order.

mod failure;
mod handed;
mod inside;
mod proc_files;
mod stage1;
mod stage2;
mod sys;

use std::os::fd::OwnedFd;
use std::process::ExitCode;

use catamaran_oci_init::order::Order;
use catamaran_oci_init::wire::{Event, receive, send};
use dlmalloc::GlobalDlmalloc;

use crate::failure::{Done, During as _, Failure};
use crate::handed::Handed;

/// That of musl asks the kernel for every few kilobytes, and gives them back at once.
#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u32>().ok());
    let (Some(Some(socket)), Some(Some(preserved)), None) = (words.next(), words.next(), words.next()) else {
        eprintln!("catamaran-oci-init is started by catamaran-oci");
        return ExitCode::FAILURE;
    };
    let Some(runtime) = sys::take_socket(socket, preserved) else {
        eprintln!("catamaran-oci-init: descriptor {socket} is not open");
        return ExitCode::FAILURE;
    };
    match carry_out(&runtime) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(what)) => {
            // Where the runtime is gone nobody is left to tell.
            let _ = send(&runtime, &Event::Failed(what), &[]);
            ExitCode::FAILURE
        }
    }
}

fn carry_out(runtime: &OwnedFd) -> Done {
    let received = receive::<Order>(runtime).during(|| "receive the order".to_owned())?;
    let Some((order, descriptors)) = received else {
        return Ok(());
    };
    let handed = Handed::sort(&order.handed, descriptors)?;
    stage1::carry_out(runtime, &order, handed)
}
