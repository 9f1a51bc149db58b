//! The runner's end of a guest's serial port. Everything that is read may be damaged: nothing in it is trusted.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use catamaran_worker::port::{asks, tells};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::RecvFlags;
use rustix::time::Timespec;

/// Longest wait for bytes without a look at the caller's other business.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Longest line of a guest (bytes).
const LINE_MAX: usize = 4096;

/// A serial port.
#[derive(Debug)]
pub(super) struct Port {
    stream: UnixStream,
    heard: Vec<u8>,
}

impl Port {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        Ok(Self { stream, heard: Vec::new() })
    }

    /// One line to the guest.
    pub(super) fn ask(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\n").as_bytes())
    }

    /// The next line, waiting for it at most so long; `None` where none came.
    pub(super) fn line(&mut self, at_most: Duration) -> io::Result<Option<String>> {
        if !self.heard.contains(&b'\n') {
            self.read(at_most)?;
        }
        let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') else {
            if self.heard.len() > LINE_MAX {
                return Err(io::Error::other("the guest says no lines"));
            }
            return Ok(None);
        };
        let line: Vec<u8> = self.heard.drain(..=end).collect();
        Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
    }

    /// The rest of the first line that begins with `word`, until then; other lines go to `other`.
    pub(super) fn wait_for(
        &mut self,
        word: &str,
        until: Instant,
        mut other: impl FnMut(&str),
    ) -> io::Result<String> {
        while Instant::now() < until {
            let Some(line) = self.line(LOOK_EVERY)? else { continue };
            match line.split_once(' ').unwrap_or((&line, "")) {
                (first, rest) if first == word => return Ok(rest.to_owned()),
                (tells::FAILED, what) => return Err(io::Error::other(what.to_owned())),
                _ => other(&line),
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("the guest did not say `{word}` in time")))
    }

    /// `count` words of the guest's tape from `first`.
    /// Other lines go to `other`.
    pub(super) fn words(
        &mut self,
        first: usize,
        count: usize,
        until: Instant,
        other: impl FnMut(&str),
    ) -> io::Result<Vec<u64>> {
        self.ask(&format!("{} {first} {count}", asks::READ))?;
        let said = self.wait_for(tells::WORDS, until, other)?;
        if said.parse() != Ok(count) {
            return Err(io::Error::other(format!("the guest has {said} words, not {count}")));
        }
        while self.heard.len() < count * size_of::<u64>() {
            if Instant::now() >= until {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the guest's tape did not come whole"));
            }
            self.read(LOOK_EVERY)?;
        }
        let bytes: Vec<u8> = self.heard.drain(..count * size_of::<u64>()).collect();
        Ok(bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect())
    }

    fn read(&mut self, at_most: Duration) -> io::Result<()> {
        let timeout = Timespec::try_from(at_most).ok();
        if poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], timeout.as_ref()) == Ok(0) {
            return Ok(());
        }
        let mut buffer = [0_u8; 1 << 16];
        match rustix::net::recv(&self.stream, &mut buffer, RecvFlags::DONTWAIT) {
            Ok((0, _)) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the guest is gone")),
            Ok((length, _)) => {
                self.heard.extend_from_slice(buffer.get(..length).unwrap_or_default());
                Ok(())
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Port, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Port::new(ours).unwrap(), theirs)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(200)
    }

    #[test]
    fn lines_come_one_by_one_however_they_were_cut() {
        let (mut port, mut guest) = pair();
        guest.write_all(b"init 5\nrea").unwrap();
        assert_eq!(port.line(LOOK_EVERY).unwrap().as_deref(), Some("init 5"));
        assert_eq!(port.line(LOOK_EVERY).unwrap(), None);
        guest.write_all(b"dy 6 7\r\n").unwrap();
        assert_eq!(port.line(LOOK_EVERY).unwrap().as_deref(), Some("ready 6 7"));
    }

    #[test]
    fn words_follow_their_line() {
        let (mut port, mut guest) = pair();
        let mut said = b"ended 0\nwords 2\n".to_vec();
        said.extend(7_u64.to_le_bytes().into_iter().chain(u64::MAX.to_le_bytes()));
        guest.write_all(&said).unwrap();
        let mut others = Vec::new();
        let words = port.words(3, 2, soon(), |line| others.push(line.to_owned())).unwrap();
        assert_eq!((words.as_slice(), others.as_slice()), (&[7, u64::MAX][..], &["ended 0".to_owned()][..]));
    }

    #[test]
    fn a_guest_that_fails_lies_or_is_gone_is_found_out() {
        let table: [(&[u8], &str); 4] = [
            (b"failed no port\n", "no port"),
            (b"words 9\n", "9 words, not 2"),
            (b"words 2\n1234", "did not come whole"),
            (&[b'x'; 5000], "says no lines"),
        ];
        for (said, expected) in table {
            let (mut port, mut guest) = pair();
            guest.write_all(said).unwrap();
            let error = port.words(0, 2, soon(), |_| {}).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let (mut port, guest) = pair();
        drop(guest);
        assert!(port.line(LOOK_EVERY).is_err());
    }
}
