//! The one signal that the process is going to end, in two steps: draining, then ended.

use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    Draining,
    Ended,
}

/// Raises the signal.
#[derive(Debug)]
pub struct ShutdownSource(watch::Sender<Phase>);

/// Hears the signal; cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<Phase>);

impl ShutdownSource {
    /// A source, and a first listener.
    pub fn new() -> (Self, Shutdown) {
        let (sender, receiver) = watch::channel(Phase::Running);
        (Self(sender), Shutdown(receiver))
    }

    /// No new work; what is under way may finish.
    pub fn drain(&self) {
        self.advance(Phase::Draining);
    }

    /// Nothing may wait any longer.
    pub fn end(&self) {
        self.advance(Phase::Ended);
    }

    fn advance(&self, to: Phase) {
        self.0.send_if_modified(|phase| {
            let later = to > *phase;
            *phase = to.max(*phase);
            later
        });
    }
}

impl Shutdown {
    /// Whether the process is on its way out.
    pub fn is_draining(&self) -> bool {
        *self.0.borrow() >= Phase::Draining
    }

    /// Waits until draining begins.
    pub async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Waits until nothing may wait any longer.
    pub async fn ended(&self) {
        self.reached(Phase::Ended).await;
    }

    async fn reached(&self, phase: Phase) {
        // An error means that the source is gone, and with it the process's reason to run.
        let _ = self.0.clone().wait_for(|current| *current >= phase).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_includes_draining_and_never_goes_back() {
        let (source, shutdown) = ShutdownSource::new();
        assert!(!shutdown.is_draining());
        source.end();
        source.drain();
        shutdown.draining().await;
        shutdown.ended().await;
        assert!(shutdown.is_draining());
    }
}
