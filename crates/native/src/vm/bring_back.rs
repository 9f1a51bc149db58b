//! What a guest brings back: how its worker ended, and what that wrote on its tape.

use std::io;
use std::time::{Duration, Instant};

use catamaran_worker::port::{asks, tells};
use catamaran_worker::program::Words;
use catamaran_worker::tape::{Tape, head, phase};

use super::guest::{COLLECT_PATIENCE, Guest, silent};
use crate::problem::Problem;

/// Words of the tape that are fetched at once.
const PIECE: usize = 1 << 14;

/// First words of a phase that are the order alone in every kind. Of these the guest is not believed.
const ORDER_WORDS: usize = phase::ARRAYS + 1;

impl Guest {
    /// Takes note of the worker's end, where it was told.
    pub(crate) fn hear(&mut self) {
        while self.ended.is_none() {
            match self.port.line(Duration::ZERO) {
                Ok(Some(line)) => self.note(&line),
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn note(&mut self, line: &str) {
        match line.split_once(' ') {
            Some((tells::KILLS, count)) => self.kills = count.trim().parse().unwrap_or(0),
            Some((tells::ENDED, how)) => self.ended = Some(how.trim().to_owned()),
            _ => {}
        }
    }

    /// Processes that the guest's kernel has killed for memory, as far as that was told.
    pub(crate) fn kills(&self) -> u64 {
        self.kills
    }

    /// Halts the worker and copies from the guest's tape to ours what the worker wrote.
    pub(crate) fn collect(&mut self, tape: &Tape) -> io::Result<()> {
        let until = Instant::now() + COLLECT_PATIENCE;
        self.port.ask(asks::STOP)?;
        let mut news = Vec::new();
        self.port.wait_for(tells::STOPPED, until, |line| news.push(line.to_owned()))?;
        news.iter().for_each(|line| self.note(line));
        let layout = tape.layout();
        self.fetch(tape, head::DONE, 1, until)?;
        self.fetch_phases(tape, until)?;
        self.fetch(tape, layout.thread(0), layout.arrays() - layout.thread(0), until)?;
        for at in (0..layout.phases).map(|number| layout.phase(number)) {
            let (requests, arrays) =
                (tape.get(at + phase::REQUESTS) as usize, tape.get(at + phase::ARRAYS) as usize);
            match tape.get(at + phase::KIND) {
                phase::SERVER => self.fetch(tape, arrays + 2 * requests, 2 * requests, until)?,
                phase::DISK => {
                    // Nothing was done of what nobody has taken up.
                    let taken = requests.min(tape.get(at + phase::NEXT) as usize);
                    self.fetch(tape, arrays, taken, until)?;
                    self.fetch(tape, arrays + requests, taken, until)?;
                }
                phase::NETWORK => self.fetch(tape, arrays, 2 * requests, until)?,
                phase::FORK => self.fetch(tape, arrays, phase::FORK_ARRAY_COUNT * requests, until)?,
                phase::PROGRAM => {
                    let words = Words::at(tape, at).call().array_words();
                    self.fetch(tape, arrays, words, until)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Copies one word of the guest's tape to ours while the worker works.
    pub(crate) fn copy_word(&mut self, tape: &Tape, word: usize) -> Result<(), Problem> {
        let until = Instant::now() + COLLECT_PATIENCE;
        self.fetch(tape, word, 1, until).map_err(|error| silent(&error))
    }

    /// Copies how far the worker has come in its phases, while it works.
    pub(crate) fn copy_phases(&mut self, tape: &Tape) -> Result<(), Problem> {
        let until = Instant::now() + COLLECT_PATIENCE;
        self.fetch_phases(tape, until).map_err(|error| silent(&error))
    }

    fn fetch_phases(&mut self, tape: &Tape, until: Instant) -> io::Result<()> {
        let layout = tape.layout();
        for at in (0..layout.phases).map(|number| layout.phase(number)) {
            self.fetch(tape, at + ORDER_WORDS, phase::WORDS - ORDER_WORDS, until)?;
        }
        Ok(())
    }

    fn fetch(&mut self, tape: &Tape, first: usize, count: usize, until: Instant) -> io::Result<()> {
        for start in (first..first + count).step_by(PIECE) {
            let piece = PIECE.min(first + count - start);
            let mut news = Vec::new();
            let words = self.port.words(start, piece, until, |line| news.push(line.to_owned()));
            news.iter().for_each(|line| self.note(line));
            for (place, word) in words?.into_iter().enumerate() {
                tape.set(start + place, word);
            }
        }
        Ok(())
    }
}
