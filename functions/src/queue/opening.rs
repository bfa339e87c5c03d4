//! Reading a queue message's envelope, from Blob when it was too large for the queue.

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::Digest;
use bridge::queue::envelope::{Content, Envelope, EnvelopeError};
use bridge::state::blobs::STATE;
use bytes::Bytes;
use tokio::sync::OnceCell;

use super::delivery::{Delivery, HandBack, Outcome};
use super::job::Job;
use super::keep_trying::{End, keep_trying};
use crate::app::App;
use crate::failure::{Failure, Rejection};

/// Deliveries that an envelope of a newer release waits for an update to end.
const UPDATE_DELIVERIES: u32 = 20;

/// An envelope's bytes, as they would go into `failed`, and what they say, or why they cannot be used.
#[derive(Debug)]
pub struct Opened {
    /// The envelope as JSON.
    pub body: Bytes,
    /// The envelope; never a claim.
    pub envelope: Result<Envelope, Rejection>,
}

/// Opens the envelope of a queue message.
///
/// # Errors
/// Blob could not be read in the time of this invocation, or an instance of a newer release may take the message.
pub async fn open(app: &App, delivery: &Delivery) -> Result<Opened, HandBack> {
    let body = Bytes::from(delivery.trigger.body.clone());
    let blob = match parse(delivery, &body)? {
        Ok(Envelope {
            content: Content::Claim { blob },
            ..
        }) => blob,
        envelope => return Ok(Opened { body, envelope }),
    };
    let claim = Claim {
        app,
        subject: Digest::of("claim", &blob),
        blob,
        found: OnceCell::new(),
    };
    // Should it be gone, the claim itself is what is left to look at.
    Ok(match keep_trying(app, delivery, &claim).await? {
        End::Done(_) => {
            let body = claim.found.into_inner().unwrap_or_default();
            let envelope = parse(delivery, &body)?;
            Opened { body, envelope }
        }
        End::GivenUp(rejection, _) => Opened {
            body,
            envelope: Err(*rejection),
        },
    })
}

/// Reads an envelope. During an update an instance of the newer release may take what this one does not know.
fn parse(delivery: &Delivery, body: &[u8]) -> Result<Result<Envelope, Rejection>, HandBack> {
    match Envelope::parse(body) {
        Err(error)
            if error.is_of_newer_release()
                && delivery.trigger.delivery_count < UPDATE_DELIVERIES =>
        {
            tracing::warn!(
                event = "envelope_newer",
                "the envelope is of a newer release"
            );
            Err(HandBack)
        }
        parsed => Ok(parsed.map_err(unreadable)),
    }
}

fn unreadable(error: EnvelopeError) -> Rejection {
    match error {
        EnvelopeError::UnknownVersion(version) => Rejection::new(
            "envelope_version",
            format!(
                "the envelope has version {version}, which this release does not know: replay it with a newer one"
            ),
            ReasonCode::ServerError,
        ),
        EnvelopeError::UnknownKind => Rejection::new(
            "envelope_kind",
            "the envelope is of a kind that this release does not know: replay it with a newer one",
            ReasonCode::ServerError,
        ),
        EnvelopeError::Malformed(_) => Rejection::new(
            "envelope_malformed",
            "the queue message is no envelope of ours",
            ReasonCode::InvalidMessageStructure,
        ),
    }
}

/// Reading an envelope out of Blob.
struct Claim<'a> {
    app: &'a App,
    subject: Digest,
    blob: String,
    found: OnceCell<Bytes>,
}

impl Job for Claim<'_> {
    fn subject(&self) -> &Digest {
        &self.subject
    }

    async fn attempt(&self) -> Result<Outcome, Failure> {
        let Some((body, _)) = self.app.blobs.get(STATE, &self.blob).await? else {
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
