//! Builds the static probe and hands its bytes to the crate.

use catamaran_static_program::Program;

fn main() {
    Program {
        package: "catamaran-probe",
        binary: "catamaran-probe",
        folder: "probe",
        profile: "release",
        variable: "CATAMARAN_PROBE",
    }
    .build();
}
