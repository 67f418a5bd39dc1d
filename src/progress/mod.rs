//! Floor 6: who listens while checks run. One file for each listener.
//!
//! A listener that fails is not asked again, and the others hear on: [`Fan`].

mod actions;
mod events;
mod live;
mod plain;

pub use actions::Actions;
pub use events::EventFile;
pub use live::Live;
pub use plain::Plain;

use std::io;

use crate::check::Event;

/// Hears events.
pub trait Subscriber {
    /// What it is called in messages.
    fn name(&self) -> &'static str;

    /// Hears one event.
    ///
    /// # Errors
    /// Its output failed; it will hear no more.
    fn hear(&mut self, event: &Event) -> io::Result<()>;
}

/// Tells each event to every subscriber.
#[derive(Default)]
pub struct Fan {
    subscribers: Vec<Box<dyn Subscriber>>,
    failures: Vec<String>,
}

impl Fan {
    /// Adds a subscriber.
    pub fn add(&mut self, subscriber: impl Subscriber + 'static) {
        self.subscribers.push(Box::new(subscriber));
    }

    /// Tells an event.
    pub fn tell(&mut self, event: &Event) {
        let failures = &mut self.failures;
        self.subscribers.retain_mut(|subscriber| match subscriber.hear(event) {
            Ok(()) => true,
            Err(error) => {
                failures.push(format!("{} stopped: {error}", subscriber.name()));
                false
            }
        });
    }

    /// Which subscribers failed, and why.
    #[must_use]
    pub fn failures(self) -> Vec<String> {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Heard(Arc<Mutex<u32>>, u32);

    impl Subscriber for Heard {
        fn name(&self) -> &'static str {
            "test"
        }

        fn hear(&mut self, _event: &Event) -> io::Result<()> {
            let mut count = self.0.lock().unwrap();
            *count += 1;
            if *count > self.1 { Err(io::Error::other("full")) } else { Ok(()) }
        }
    }

    #[test]
    fn a_failing_subscriber_does_not_silence_the_next() {
        let (bad, good) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
        let mut fan = Fan::default();
        fan.add(Heard(Arc::clone(&bad), 1));
        fan.add(Heard(Arc::clone(&good), 100));
        for _ in 0..5 {
            fan.tell(&Event::Interrupted { signal: "SIGINT".into() });
        }
        assert_eq!((*bad.lock().unwrap(), *good.lock().unwrap()), (2, 5));
        assert_eq!(fan.failures(), ["test stopped: full"]);
    }
}
