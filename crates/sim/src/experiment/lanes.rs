//! Both ends of connections, step by step: what each thread does next, and what becomes of bytes that were sent, came, were read.
//!
//! **Law.** As `talking` has it.

use catamaran_scenario::network_work::PIECE_BYTES;

use super::network::{Doing, Flow, Line, NetworkWorld};
use crate::resources::cpu::ThreadId;

/// What a thread does next at its connections.
pub(super) enum Next {
    Do(Doing),
    Wait,
    Done,
}

/// The next piece of a message.
fn piece(bytes: u64) -> u64 {
    bytes.min(PIECE_BYTES)
}

impl NetworkWorld {
    /// What a client does next.
    pub(super) fn asking(&mut self, thread: ThreadId) -> Next {
        let hand = *self.hand(thread);
        let Some(connection) = self.connections.get(&thread) else { return Next::Done };
        let line = (thread, connection.number);
        let [up, down] = connection.lanes;
        if hand.to_send > 0 {
            if self.is_full(&up) {
                self.fill(line, false);
                return Next::Wait;
            }
            return Next::Do(Doing::Send { line, bytes: piece(hand.to_send) });
        }
        if hand.to_read > 0 {
            return match piece(hand.to_read.min(down.come)) {
                0 => Next::Wait,
                bytes => Next::Do(Doing::Read { line, bytes }),
            };
        }
        match (hand.closing, connection.closed, connection.over) {
            (true, false, _) => Next::Do(Doing::Send { line, bytes: 0 }),
            (true, true, false) => Next::Wait,
            _ => {
                self.hand(thread).closing = false;
                Next::Done
            }
        }
    }

    /// What a thread that answers does next.
    pub(super) fn serving(&mut self, thread: ThreadId) -> Next {
        loop {
            let server = self.servers.entry(thread).or_default();
            let Some(line) = server.at.take().or_else(|| server.ready.pop_front()) else { return Next::Wait };
            let full = match self.line(line) {
                Some(connection) => connection.lanes[1],
                None => continue,
            };
            let full = self.is_full(&full);
            let Some(connection) = self.line(line) else { continue };
            connection.listed = false;
            if connection.to_write > 0 && full {
                connection.lanes[1].full = true;
                continue;
            }
            let doing = if connection.to_write > 0 {
                Doing::Send { line, bytes: piece(connection.to_write) }
            } else if connection.is_ready() {
                Doing::Read { line, bytes: piece(connection.to_read.min(connection.lanes[0].come)) }
            } else {
                continue;
            };
            if let Some(server) = self.servers.get_mut(&thread) {
                server.at = Some(line);
            }
            return Next::Do(doing);
        }
    }

    fn fill(&mut self, line: Line, back: bool) {
        if let Some(connection) = self.line(line) {
            connection.lanes[usize::from(back)].full = true;
        }
    }

    /// Bytes have left their sender.
    pub(super) fn sent(&mut self, line: Line, back: bool, bytes: u64) {
        let client = line.0;
        let Some(connection) = self.line(line) else { return };
        connection.lanes[usize::from(back)].under_way += bytes;
        let server = connection.server;
        if back {
            connection.to_write = connection.to_write.saturating_sub(bytes);
            if connection.to_write == 0 {
                self.turn_over(line, server);
            }
            return;
        }
        connection.closed |= bytes == 0;
        let hand = self.hand(client);
        hand.to_send = hand.to_send.saturating_sub(bytes);
    }

    /// Who answers has done with a connection for now: if there is more it comes again, behind the others.
    fn turn_over(&mut self, line: Line, server: ThreadId) {
        if let Some(server) = self.servers.get_mut(&server) {
            server.at = None;
        }
        self.list(line);
    }

    /// Lists a connection as ready, if it is.
    fn list(&mut self, line: Line) {
        let Some(connection) = self.line(line) else { return };
        let server = connection.server;
        if connection.listed || !connection.is_ready() {
            return;
        }
        connection.listed = true;
        self.servers.entry(server).or_default().ready.push_back(line);
    }

    /// Bytes have come to their receiver: the thread that is to be woken, if it sleeps.
    pub(super) fn come(&mut self, (line, back): Flow, bytes: u64) -> Option<ThreadId> {
        let connection = self.line(line)?;
        let lane = &mut connection.lanes[usize::from(back)];
        lane.under_way = lane.under_way.saturating_sub(bytes);
        lane.come += bytes;
        let receiver = if back { line.0 } else { connection.server };
        if !back && self.servers.get(&receiver).is_none_or(|server| server.at != Some(line)) {
            self.list(line);
        }
        let has_news = back || self.servers.get(&receiver).is_some_and(|server| !server.ready.is_empty());
        self.hands.get(&receiver).filter(|hand| hand.waits && has_news).map(|_| receiver)
    }

    /// Bytes of a direction have been read: the sender, if it slept for want of room.
    pub(super) fn read(&mut self, line: Line, back: bool, bytes: u64) -> Option<ThreadId> {
        let connection = self.line(line)?;
        let (client, server) = (line.0, connection.server);
        let lane = &mut connection.lanes[usize::from(back)];
        lane.come = lane.come.saturating_sub(bytes);
        if back {
            let hand = self.hand(client);
            hand.to_read = hand.to_read.saturating_sub(bytes);
        } else {
            self.taken_in(line, server, bytes);
        }
        let connection = self.line(line)?;
        if connection.over {
            return self.hands.get(&client).filter(|hand| hand.waits).map(|_| client);
        }
        let lane = connection.lanes[usize::from(back)];
        if !lane.full || !self.has_room(&lane) {
            return None;
        }
        let connection = self.line(line)?;
        connection.lanes[usize::from(back)].full = false;
        let sender = if back { server } else { client };
        if back {
            self.list(line);
        }
        self.hands.get(&sender).filter(|hand| hand.waits).map(|_| sender)
    }

    /// Who answers has read some of a message: when it is whole an answer is due, where answers are wanted.
    fn taken_in(&mut self, line: Line, server: ThreadId, bytes: u64) {
        let Some(connection) = self.line(line) else { return };
        connection.to_read = connection.to_read.saturating_sub(bytes);
        if bytes == 0 {
            connection.over = true;
        } else if connection.to_read == 0 {
            connection.to_read = connection.message_bytes;
            connection.to_write = if connection.answered { connection.message_bytes } else { 0 };
        }
        if connection.to_write == 0 {
            self.turn_over(line, server);
        }
    }
}
