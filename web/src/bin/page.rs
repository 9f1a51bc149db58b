//! The page itself.

fn main() {
    catamaran_web::app::start();
}
