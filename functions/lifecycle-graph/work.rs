//! What is done about a lifecycle notification.

use std::time::Duration;

use bridge::ids::{Digest, SupportAccountName};
use bridge::queue::envelope::LifecycleEnvelope;
use bridge::teams::notification::LifecycleEvent;
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::catch_up::note_gap;
use crate::failure::Failure;
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::job::Job;
use crate::subscription_renewal::renew_as_asked;
use crate::timer::Turn;

/// Time until somebody else's renewal, which may have begun before Graph told, is asked for again.
const AGAIN: Duration = Duration::from_secs(2);

/// Age of a request to reauthorize beyond which Graph may have stopped to tell meanwhile.
const LATE: Duration = Duration::from_secs(10 * 60);

/// A lifecycle notification. Should it be given up, the timers notice and mend the same a few minutes later.
pub(crate) struct LifecycleWork<'a> {
    app: &'a App,
    delivery: &'a Delivery,
    lifecycle: &'a LifecycleEnvelope,
    caller: Caller,
}

impl<'a> LifecycleWork<'a> {
    /// The notification of an envelope.
    pub(crate) fn new(
        app: &'a App,
        delivery: &'a Delivery,
        lifecycle: &'a LifecycleEnvelope,
    ) -> Self {
        let subject = Digest::of("account", lifecycle.account.as_str());
        Self {
            app,
            delivery,
            lifecycle,
            caller: delivery.caller(subject),
        }
    }

    /// A new end reauthorizes as well ("subscription: reauthorize"); a subscription that is gone is made anew.
    async fn renew(&self) -> Result<(), Failure> {
        while renew_as_asked(self.app).await? == Turn::Busy {
            if Instant::now() + AGAIN >= self.caller.deadline {
                return Err(Failure::OutOfTime);
            }
            sleep(AGAIN).await;
        }
        Ok(())
    }
}

impl Job for LifecycleWork<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let (app, lifecycle) = (self.app, self.lifecycle);
        let (account, event) = (&lifecycle.account, lifecycle.event);
        let subscription = lifecycle.subscription.as_ref().map(Digest::as_str);
        tracing::warn!(
            event = "lifecycle_notification",
            lifecycle = event.as_str(),
            account = account.as_str(),
            subscription
        );
        let is_late = self.delivery.age() > LATE;
        if is_late || event != LifecycleEvent::ReauthorizationRequired {
            note_gap(app, account).await?;
        }
        match event {
            LifecycleEvent::Missed => {}
            LifecycleEvent::ReauthorizationRequired | LifecycleEvent::SubscriptionRemoved => {
                self.renew().await?;
            }
        }
        Ok(Outcome::Delivered)
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn account(&self) -> Option<&SupportAccountName> {
        Some(&self.lifecycle.account)
    }

    fn is_worth_storing(&self) -> bool {
        false
    }
}
