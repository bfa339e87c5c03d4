//! Why a message could not be delivered, in the form that decides what happens next.

use bridge::genesys::receipt::ReasonCode;
use services::error::{ErrorKind, Service, ServiceError};

/// A step that did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// This message can never be delivered.
    Permanent(Rejection),
    /// A service did not do its part; another attempt may succeed.
    Retriable(ServiceError),
    /// Waiting would last beyond this invocation.
    OutOfTime,
    /// Something that another lane or instance writes is not there yet.
    NotYet(Rejection),
}

/// A final "no", with what a person must know about it.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// Stable word for searches and alerts.
    pub kind: &'static str,
    /// One sentence for the operator who opens the failed message.
    pub explanation: String,
    /// Code for the agent's receipt, should the message be an agent's.
    pub receipt: ReasonCode,
    /// Service that said no, when one did.
    pub service: Option<Service>,
    /// Its HTTP status.
    pub status: Option<u16>,
    /// Ids that the service's support asks for.
    pub request_ids: Vec<(String, String)>,
}

impl Rejection {
    /// A rejection of our own, without a service behind it.
    pub fn new(kind: &'static str, explanation: impl Into<String>, receipt: ReasonCode) -> Self {
        Self {
            kind,
            explanation: explanation.into(),
            receipt,
            service: None,
            status: None,
            request_ids: Vec::new(),
        }
    }

    /// A service's answer that ends the message.
    pub fn of_service(
        kind: &'static str,
        explanation: impl Into<String>,
        receipt: ReasonCode,
        error: &ServiceError,
    ) -> Self {
        Self {
            service: Some(error.service),
            status: error.status,
            request_ids: error
                .request_ids
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            ..Self::new(kind, explanation, receipt)
        }
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Retriable(error)
    }
}

/// Receipt code for a message that was given up on because a service kept failing.
pub fn receipt_code(kind: &ErrorKind) -> ReasonCode {
    match kind {
        ErrorKind::Throttled => ReasonCode::RateLimited,
        ErrorKind::Forbidden => ReasonCode::MessageNotAllowed,
        ErrorKind::NotFound => ReasonCode::InvalidDestination,
        ErrorKind::TooLarge => ReasonCode::InvalidMessageStructure,
        ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Connection => {
            ReasonCode::ServerError
        }
        _ => ReasonCode::GeneralError,
    }
}

/// A state blob that cannot be read: somebody else wrote it, and only a person can tell what it should say.
pub fn unreadable_state(which: &'static str, error: &serde_json::Error) -> Failure {
    Failure::Permanent(Rejection::new(
        "state_unreadable",
        format!(
            "the {which} state of this chat cannot be read (line {}, column {}): restore or delete its blob, then replay",
            error.line(),
            error.column()
        ),
        ReasonCode::ServerError,
    ))
}
