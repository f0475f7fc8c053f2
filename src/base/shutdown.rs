//! Telling every part to stop, once.

use tokio::sync::watch;

/// The one who says stop. Dropping it says stop too.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// The one who is told.
#[derive(Clone, Debug)]
pub struct Stopped(watch::Receiver<bool>);

/// A pair of both.
pub fn pair() -> (Stopper, Stopped) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stopped(receiver))
}

impl Stopper {
    /// Tells all. A second call changes nothing.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// One more to be told.
    pub fn subscribe(&self) -> Stopped {
        Stopped(self.0.subscribe())
    }
}

impl Stopped {
    /// True once told.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when told.
    pub async fn wait(&mut self) {
        // An error means that the sender is gone: that is a stop too.
        self.0.wait_for(|stop| *stop).await.ok();
    }
}
