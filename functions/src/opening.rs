//! Reading a queue message's envelope, from Blob when it was too large for the queue.

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::Digest;
use bridge::queue::envelope::{Content, Envelope, EnvelopeError};
use bytes::Bytes;

use crate::app::App;
use crate::enqueue::STATE;
use crate::failure::{Failure, Rejection};
use crate::invocation::{Delivery, HandBack};
use crate::persistence::{End, Work, persist};

/// Deliveries that an envelope of a newer release waits for an update to end.
const UPDATE_DELIVERIES: u32 = 20;

/// An envelope's bytes, as they would go into `failed`, and what they say.
#[derive(Debug)]
pub struct Opened {
    /// The envelope as JSON.
    pub body: Vec<u8>,
    /// Its content, or why it cannot be used.
    pub content: Result<Content, Rejection>,
}

/// Opens the envelope of a queue message.
///
/// # Errors
/// Blob could not be read in the time of this invocation.
pub async fn open(app: &App, delivery: &Delivery) -> Result<Opened, HandBack> {
    let body = delivery.trigger.body.clone();
    if let Err(EnvelopeError::UnknownVersion(_)) = Envelope::parse(&body)
        && delivery.trigger.delivery_count < UPDATE_DELIVERIES
    {
        // During an update an instance of the newer release may take it.
        tracing::warn!(
            event = "envelope_newer",
            "the envelope is of a newer release"
        );
        return Err(HandBack);
    }
    match parse(&body) {
        Ok(Content::Claim { blob }) => {
            let subject = Digest::of("claim", &blob);
            let read = persist(app, delivery, &subject, Work::Claim, || {
                Box::pin(read_claim(app, &blob))
            })
            .await?;
            Ok(match read {
                End::Done(body) => Opened {
                    content: parse(&body),
                    body: body.to_vec(),
                },
                End::GivenUp { rejection, .. } => Opened {
                    body,
                    content: Err(*rejection),
                },
            })
        }
        content => Ok(Opened { body, content }),
    }
}

async fn read_claim(app: &App, blob: &str) -> Result<Bytes, Failure> {
    match app.blobs.get(STATE, blob).await? {
        Some((body, _)) => Ok(body),
        None => Err(Failure::Permanent(Rejection::new(
            "claim_missing",
            "the blob that holds this message is gone",
            ReasonCode::ServerError,
        ))),
    }
}

fn parse(body: &[u8]) -> Result<Content, Rejection> {
    match Envelope::parse(body) {
        Ok(envelope) => Ok(envelope.content),
        Err(EnvelopeError::UnknownVersion(version)) => Err(Rejection::new(
            "envelope_version",
            format!(
                "the envelope has version {version}, which this release does not know: replay it with a newer one"
            ),
            ReasonCode::ServerError,
        )),
        Err(_) => Err(Rejection::new(
            "envelope_malformed",
            "the queue message is no envelope of ours",
            ReasonCode::InvalidMessageStructure,
        )),
    }
}

/// A content that belongs on another queue.
pub fn misplaced() -> Rejection {
    Rejection::new(
        "envelope_misplaced",
        "the envelope belongs on another queue",
        ReasonCode::InvalidMessageStructure,
    )
}
