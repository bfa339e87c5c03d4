//! Reading a queue message's envelope, from Blob when it was too large for the queue.

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::Digest;
use bridge::queue::envelope::{Content, Envelope, EnvelopeError};
use bridge::queue::failed::Direction;
use bridge::state::blobs::STATE;
use bytes::Bytes;
use services::blob::Blobs;
use time::OffsetDateTime;
use tokio::sync::OnceCell;

use super::delivery::{Delivery, HandBack, Outcome};
use super::job::Job;
use super::keep_trying::{End, Persistence};
use crate::failure::{Failure, Rejection};

/// Deliveries that an envelope of a newer release waits for an update to end.
const UPDATE_DELIVERIES: u32 = 20;

/// An envelope's bytes, as they would go into `failed`, and what they say.
#[derive(Debug)]
pub struct Opened {
    /// The envelope as JSON.
    pub body: Bytes,
    /// Its content, or why it cannot be used.
    pub content: Result<Content, Rejection>,
    /// When the webhook took it, where that can be read.
    pub accepted_at: Option<OffsetDateTime>,
    /// Names the replay that it is part of.
    pub replay: Option<String>,
}

impl Opened {
    fn of(body: Bytes, parsed: Result<Envelope, EnvelopeError>) -> Self {
        match parsed {
            Ok(envelope) => Self {
                body,
                content: Ok(envelope.content),
                accepted_at: Some(envelope.accepted_at),
                replay: envelope.replay,
            },
            Err(error) => Self::unreadable(body, unreadable(&error)),
        }
    }

    fn unreadable(body: Bytes, rejection: Rejection) -> Self {
        Self {
            body,
            content: Err(rejection),
            accepted_at: None,
            replay: None,
        }
    }
}

pub(super) async fn open(
    blobs: &Blobs,
    persistence: &Persistence,
    delivery: &Delivery,
) -> Result<Opened, HandBack> {
    let body = Bytes::from(delivery.trigger.body.clone());
    let blob = match Envelope::parse(&body) {
        // During an update an instance of the newer release may take it.
        Err(EnvelopeError::UnknownVersion(_))
            if delivery.trigger.delivery_count < UPDATE_DELIVERIES =>
        {
            tracing::warn!(
                event = "envelope_newer",
                "the envelope is of a newer release"
            );
            return Err(HandBack);
        }
        Ok(Envelope {
            content: Content::Claim { blob },
            ..
        }) => blob,
        parsed => return Ok(Opened::of(body, parsed)),
    };
    let claim = Claim {
        blobs,
        subject: Digest::of("claim", &blob),
        blob,
        found: OnceCell::new(),
    };
    // Should it be gone, the claim itself is what is left to look at.
    Ok(match persistence.keep_trying(delivery, &claim).await? {
        End::Done(_) => {
            let body = claim.found.into_inner().unwrap_or_default();
            let parsed = Envelope::parse(&body);
            Opened::of(body, parsed)
        }
        End::GivenUp(rejection, _) => Opened::unreadable(body, *rejection),
    })
}

fn unreadable(error: &EnvelopeError) -> Rejection {
    match error {
        EnvelopeError::UnknownVersion(version) => Rejection::new(
            "envelope_version",
            format!(
                "the envelope has version {version}, which this release does not know: replay it with a newer one"
            ),
            ReasonCode::ServerError,
        ),
        EnvelopeError::Malformed(_) => Rejection::new(
            "envelope_malformed",
            "the queue message is no envelope of ours",
            ReasonCode::InvalidMessageStructure,
        ),
    }
}

/// A content that belongs on another queue.
pub(super) fn misplaced() -> Rejection {
    Rejection::new(
        "envelope_misplaced",
        "the envelope belongs on another queue",
        ReasonCode::InvalidMessageStructure,
    )
}

/// Reading an envelope out of Blob.
struct Claim<'a> {
    blobs: &'a Blobs,
    subject: Digest,
    blob: String,
    found: OnceCell<Bytes>,
}

impl Job for Claim<'_> {
    fn way(&self) -> (Direction, &str) {
        (Direction::Inbound, "")
    }

    fn subject(&self) -> &Digest {
        &self.subject
    }

    async fn attempt(&self) -> Result<Outcome, Failure> {
        let Some((body, _)) = self.blobs.get(STATE, &self.blob).await? else {
            return Err(Failure::from(Rejection::new(
                "claim_missing",
                "the blob that holds this message is gone",
                ReasonCode::ServerError,
            )));
        };
        let _ = self.found.set(body);
        Ok(Outcome::Delivered)
    }
}
