//! `catamaran-oci`: the OCI runtime and nothing else, so that it is loaded in no time.

use std::process::ExitCode;

use dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    catamaran_oci_cli::run()
}

/// That of musl asks the kernel for every few kilobytes, and gives them back at once.
#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;
