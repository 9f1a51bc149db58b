//! Builds the static worker and hands its bytes to the crate.

use catamaran_static_program::Program;

fn main() {
    Program {
        package: "catamaran-worker",
        binary: "catamaran-worker",
        folder: "worker",
        profile: "release",
        variable: "CATAMARAN_WORKER",
    }
    .build();
}
