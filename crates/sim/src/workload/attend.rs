//! What a thread of a server does.

use super::Action;
use super::server::{Next, Server};
use crate::kernel::Instant;

/// What a thread of a server does next, as long as there is something to do.
pub(super) fn next(
    server: &mut Server,
    serving: &mut Option<usize>,
    (thread, now): (usize, Instant),
) -> Option<Action> {
    if let Some(index) = serving.take() {
        if server.requests()[index].started.is_none() {
            server.begin(index, thread, now);
            *serving = Some(index);
            return Some(serve(server, index));
        }
        server.complete(index, now);
    }
    match server.take(thread, now) {
        Next::Serve(index) => {
            *serving = Some(index);
            Some(serve(server, index))
        }
        Next::Await(index, arrival) => {
            *serving = Some(index);
            Some(Action::SleepUntil(arrival))
        }
        Next::Nothing => None,
    }
}

fn serve(server: &Server, index: usize) -> Action {
    Action::Work { ns: server.demand(index) as f64, request: true, until: None }
}
