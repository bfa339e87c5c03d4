//! Why a message could not be delivered, in the form that decides what happens next.

use bridge::conversation::case::Refusal;
use bridge::genesys::receipt::ReasonCode;
use bridge::ids::Digest;
use bridge::patience::{Fault, Reason};
use services::error::{ErrorKind, Service, ServiceError};

/// A step that did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// This message can never be delivered, whatever the services do.
    Permanent(Box<Rejection>),
    /// A service did not do its part.
    Service(ServiceError),
    /// A service did not do its part for one file of the message.
    OfFile {
        /// Which file.
        file: Digest,
        /// What went wrong.
        error: ServiceError,
    },
    /// Waiting would last beyond this invocation.
    OutOfTime,
    /// Something that another lane or instance writes is not there yet.
    NotYet(Box<Rejection>),
    /// The handler panicked on it.
    Panicked,
}

impl Failure {
    /// The kind of failure in a word or two, for a log line or a note.
    pub fn label(&self) -> String {
        match self {
            Self::Permanent(rejection) | Self::NotYet(rejection) => rejection.kind.to_owned(),
            Self::Service(error) | Self::OfFile { error, .. } => {
                format!("{}: {}", error.service.label(), error.kind.label())
            }
            Self::OutOfTime => "out of time".to_owned(),
            Self::Panicked => "panicked".to_owned(),
        }
    }

    /// What is kept of a message that this failure ended.
    pub fn into_rejection(self, reason: Reason) -> Box<Rejection> {
        match self {
            Self::Permanent(rejection) | Self::NotYet(rejection) => rejection,
            Self::Service(error) | Self::OfFile { error, .. } => {
                Box::new(Rejection::given_up(reason, &error))
            }
            Self::Panicked => Box::new(Rejection::panicked()),
            Self::OutOfTime => Box::new(Rejection::new(
                "expired",
                "the message could not be delivered for 13 days",
                ReasonCode::MessageExpired,
            )),
        }
    }
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
    pub request_ids: Vec<(&'static str, String)>,
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

    /// A message that is given up after a service's failure.
    fn given_up(reason: Reason, error: &ServiceError) -> Self {
        let (service, label) = (error.service, error.kind.label());
        let (kind, explanation) = match reason {
            Reason::Refused => (
                "refused",
                format!("{service} refused the message twice ({label}) while all else was well"),
            ),
            Reason::KeptFailing => (
                "kept_failing",
                format!(
                    "{service} kept failing for this message ({label}) while it worked for others"
                ),
            ),
            Reason::Expired => (
                "expired",
                format!(
                    "the message could not be delivered for 13 days; the last failure was {service}'s ({label})"
                ),
            ),
            Reason::Panicked => return Self::panicked(),
        };
        let receipt = match (reason, error.kind) {
            (Reason::Expired, _) => ReasonCode::MessageExpired,
            (_, ErrorKind::Throttled) => ReasonCode::RateLimited,
            (_, ErrorKind::Forbidden) => ReasonCode::MessageNotAllowed,
            (_, ErrorKind::NotFound) => ReasonCode::InvalidDestination,
            (_, ErrorKind::TooLarge) => ReasonCode::InvalidMessageStructure,
            (_, ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Connection) => {
                ReasonCode::ServerError
            }
            _ => ReasonCode::GeneralError,
        };
        Self {
            service: Some(service),
            status: error.status,
            request_ids: error.request_ids.clone(),
            ..Self::new(kind, explanation, receipt)
        }
    }

    /// A message that the handler cannot get through.
    fn panicked() -> Self {
        Self::new(
            "panicked",
            "the handler panicked on this message each time: please report it with the log lines of its correlation",
            ReasonCode::GeneralError,
        )
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.kind, refusal.explanation, refusal.code)
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Permanent(Box::new(rejection))
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

/// Kind of a service's failure, as patience knows it.
pub fn fault_of(error: &ServiceError) -> Fault {
    match (error.service, error.kind) {
        (Service::Blob, ErrorKind::Precondition) => Fault::Overtaken,
        (
            Service::Bot,
            // Two writes into one conversation at a time (Microsoft Learn, "Messages in bot conversations", status codes).
            ErrorKind::Precondition | ErrorKind::Conflict,
        ) => Fault::Transient,
        (
            Service::Graph | Service::Genesys | Service::Bot,
            ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Precondition
            | ErrorKind::TooLarge
            | ErrorKind::Rejected,
        ) => Fault::Refusal,
        (
            Service::Graph | Service::Genesys | Service::Bot | Service::Files,
            ErrorKind::Unavailable
            | ErrorKind::TimedOut
            | ErrorKind::Connection
            | ErrorKind::Malformed,
        ) => Fault::Transient,
        _ => Fault::NotTheMessage,
    }
}
