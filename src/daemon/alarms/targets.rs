//! The targets of alarms: a webhook, a mail server, or both. Each has a queue and a thread of its own, so that one that is gone
//! does not hold up the other.

use std::sync::Arc;

use crate::alarm::{Delivery, Progress, Target, Told};
use crate::base::Clock;
use crate::base::error::Result;
use crate::config::Config;

/// Those of a configuration.
pub(super) fn of(config: &Config) -> Vec<Target> {
    let alarm = &config.alarm;
    let webhook = alarm.webhook.clone().map(Target::Webhook);
    let mail = alarm.mail.clone().map(Target::Mail);
    webhook.into_iter().chain(mail).collect()
}

pub(super) struct Targets {
    webhook: Delivery,
    mail: Delivery,
}

impl Targets {
    pub(super) fn start(clock: &Arc<dyn Clock>) -> Result<Self> {
        Ok(Self {
            webhook: Delivery::start("alarm target", Arc::clone(clock))?,
            mail: Delivery::start("alarm mail", Arc::clone(clock))?,
        })
    }

    /// From now on messages go to those of the configuration.
    pub(super) fn configure(&self, config: &Config) {
        let alarm = &config.alarm;
        self.webhook
            .target(alarm.webhook.clone().map(Target::Webhook));
        self.mail.target(alarm.mail.clone().map(Target::Mail));
    }

    /// True when there is one.
    pub(super) fn are_there(&self) -> bool {
        self.both().any(|target| target.current().is_some())
    }

    fn both(&self) -> impl Iterator<Item = &Delivery> {
        [&self.webhook, &self.mail].into_iter()
    }

    /// Tells each.
    pub(super) fn tell(&self, told: &Told) {
        for target in self.both() {
            target.tell(told.clone(), None);
        }
    }

    /// Gives something to one of them: a program before people. `taken` is called when it has it.
    pub(super) fn give(&self, told: Told, taken: Box<dyn FnOnce() + Send>) {
        let there = |target: &&Delivery| target.current().is_some();
        if let Some(target) = self.both().find(there) {
            target.tell(told, Some(taken));
        }
    }

    /// How it goes with both; failing since when the first of them fails.
    pub(super) fn progress(&self) -> Progress {
        let (webhook, mail) = (self.webhook.progress(), self.mail.progress());
        Progress {
            delivered: webhook.delivered + mail.delivered,
            given_up: webhook.given_up + mail.given_up,
            failing: webhook.failing.into_iter().chain(mail.failing).min(),
        }
    }

    pub(super) fn stop(self) {
        self.webhook.stop();
        self.mail.stop();
    }
}
