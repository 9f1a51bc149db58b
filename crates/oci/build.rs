//! Builds the program that works inside of containers and hands its bytes to the crate.

use catamaran_static_program::Program;

fn main() {
    Program {
        package: "catamaran-oci-init",
        binary: "catamaran-oci-init",
        folder: "init",
        profile: "small",
        variable: "CATAMARAN_OCI_INIT",
    }
    .build();
}
