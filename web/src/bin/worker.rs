//! The web worker in which every simulation runs.

fn main() {
    catamaran_web::sim::serve();
}
