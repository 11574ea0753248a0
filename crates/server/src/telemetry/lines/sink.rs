//! Where lines wait a moment, so that many leave in one system call. Warnings and errors leave at once, with everything
//! before them; what a killed process had not written yet is at most [`PAUSE`] old.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a line may wait for others.
const PAUSE: Duration = Duration::from_millis(20);
/// More than this leaves at once, on the thread that logs: a slow reader slows the process down instead of filling it.
const MOST_WAITING: usize = 256 * 1024;

type Output = Box<dyn FnMut(&[u8]) + Send>;

/// Collects lines and writes them in order.
pub(in crate::telemetry) struct Sink {
    waiting: Mutex<Waiting>,
    something: Condvar,
    /// Locked before `waiting` when both are held.
    output: Mutex<(Output, Vec<u8>)>,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    is_writer_idle: bool,
}

impl Sink {
    /// A sink that writes with `output` when it is flushed; [`Sink::start`] does that regularly.
    pub(super) fn new(output: impl FnMut(&[u8]) + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            something: Condvar::new(),
            output: Mutex::new((Box::new(output), Vec::new())),
        })
    }

    /// A sink on standard error, with the thread that empties it.
    pub(in crate::telemetry) fn start() -> std::io::Result<Arc<Self>> {
        // Nobody is left to tell when standard error takes nothing.
        let sink = Self::new(|bytes| drop(std::io::Write::write_all(&mut std::io::stderr().lock(), bytes)));
        let emptied = Arc::clone(&sink);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || emptied.keep_empty())?;
        Ok(sink)
    }

    /// Takes a line.
    pub(super) fn write(&self, line: &[u8], is_urgent: bool) {
        let mut waiting = lock(&self.waiting);
        waiting.bytes.extend_from_slice(line);
        if is_urgent || waiting.bytes.len() >= MOST_WAITING {
            drop(waiting);
            return self.flush();
        }
        if waiting.is_writer_idle {
            waiting.is_writer_idle = false;
            self.something.notify_one();
        }
    }

    /// Writes what waits.
    pub(in crate::telemetry) fn flush(&self) {
        let mut output = lock(&self.output);
        let (write, bytes) = &mut *output;
        std::mem::swap(bytes, &mut lock(&self.waiting).bytes);
        if !bytes.is_empty() {
            write(bytes);
            bytes.clear();
        }
    }

    fn keep_empty(&self) {
        loop {
            let mut waiting = lock(&self.waiting);
            while waiting.bytes.is_empty() {
                waiting.is_writer_idle = true;
                waiting = self.something.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            waiting.is_writer_idle = false;
            drop(waiting);
            #[expect(clippy::disallowed_methods, reason = "nothing is waited for: lines are collected this long")]
            std::thread::sleep(PAUSE);
            self.flush();
        }
    }
}

/// A panic while a lock is held leaves at worst a line cut short.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> (Arc<Sink>, Arc<Mutex<Vec<String>>>) {
        let written = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&written);
        let sink = Sink::new(move |bytes: &[u8]| {
            into.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        });
        (sink, written)
    }

    #[test]
    fn lines_leave_together_and_in_order() {
        let (sink, written) = recorded();
        sink.write(b"one\n", false);
        sink.write(b"two\n", false);
        assert!(written.lock().unwrap().is_empty());
        sink.flush();
        sink.flush();
        assert_eq!(*written.lock().unwrap(), ["one\ntwo\n"]);
    }

    #[test]
    fn an_urgent_line_takes_the_others_along_at_once() {
        let (sink, written) = recorded();
        sink.write(b"one\n", false);
        sink.write(b"error\n", true);
        assert_eq!(*written.lock().unwrap(), ["one\nerror\n"]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let (sink, written) = recorded();
        let line = vec![b'x'; MOST_WAITING / 2];
        sink.write(&line, false);
        assert!(written.lock().unwrap().is_empty());
        sink.write(&line, false);
        assert_eq!(written.lock().unwrap().len(), 1);
    }
}
