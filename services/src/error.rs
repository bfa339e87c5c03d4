//! The one error of all clients: which service, what kind of failure, and whether the request may have been carried out.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An outside service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Azure Blob Storage.
    Blob,
    /// Azure Key Vault.
    KeyVault,
    /// Microsoft Entra ID: tokens and signing keys.
    Entra,
    /// The token endpoint of the Function App's own identity.
    ManagedIdentity,
    /// Azure Service Bus.
    ServiceBus,
    /// Azure Resource Manager.
    ResourceManager,
    /// Microsoft Graph.
    Graph,
    /// Genesys Cloud: login and API.
    Genesys,
    /// The Bot Framework: its connector for Teams, and its signing keys.
    Bot,
    /// Whoever hosts a file that somebody sent: OneDrive, SharePoint, Genesys' media hosts.
    Files,
    /// What the process itself runs on: certificates and environment.
    Platform,
}

impl Service {
    /// Stable word for logs and searches.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::KeyVault => "key-vault",
            Self::Entra => "entra",
            Self::ManagedIdentity => "identity",
            Self::ServiceBus => "service-bus",
            Self::ResourceManager => "resource-manager",
            Self::Graph => "graph",
            Self::Genesys => "genesys",
            Self::Bot => "bot",
            Self::Files => "files",
            Self::Platform => "platform",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// What a failure means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The service wants fewer requests (429); see [`ServiceError::retry_after`].
    Throttled,
    /// The service cannot answer now (5xx, or a quota that frees itself).
    Unavailable,
    /// No answer in time (also 408 from the service).
    TimedOut,
    /// The connection could not be made, or broke.
    Connection,
    /// The credential was refused (401).
    Unauthorized,
    /// The credential is good, but not for this (403).
    Forbidden,
    /// The thing named does not exist (404, 410).
    NotFound,
    /// The state of the thing does not allow it (409).
    Conflict,
    /// Somebody else changed the thing first (412).
    Precondition,
    /// The request is too large (413).
    TooLarge,
    /// The service understood the request and will never accept it (400 and other 4xx).
    Rejected,
    /// A person must sign in again.
    SignInNeeded,
    /// Our configuration at the service or here is wrong.
    Configuration,
    /// The answer is not what the service documents.
    Malformed,
}

impl ErrorKind {
    /// Stable word for logs and searches.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed_out",
            Self::Connection => "connection",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Precondition => "precondition",
            Self::TooLarge => "too_large",
            Self::Rejected => "rejected",
            Self::SignInNeeded => "sign_in_needed",
            Self::Configuration => "configuration",
            Self::Malformed => "malformed",
        }
    }
}

/// Whether the service may have carried the request out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sent {
    /// Certainly not: it never left, or was refused.
    No,
    /// Unknown: the answer was lost, late, or a failure of the service's own.
    Maybe,
    /// Certainly: the service said so, but the rest of its answer was unusable.
    Yes,
}

/// What a call came to.
pub type Result<T, E = ServiceError> = std::result::Result<T, E>;

/// A call that did not succeed. Neither `Display` nor `Debug` shows an address, a token or anything a person wrote.
#[derive(Clone)]
pub struct ServiceError {
    /// Service that was called.
    pub service: Service,
    /// What the failure means.
    pub kind: ErrorKind,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// `Retry-After`: how long the service wants to be left alone.
    pub retry_after: Option<Duration>,
    /// The service's own code for the failure.
    pub code: Option<String>,
    /// Ids that the service's support asks for, by the name of their header or field.
    pub request_ids: Vec<(&'static str, String)>,
    /// Whether the request may have been carried out.
    pub sent: Sent,
    /// Cause below this crate, stripped of addresses.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ServiceError {
    /// An error without an answer behind it.
    pub fn new(service: Service, kind: ErrorKind, sent: Sent) -> Self {
        Self {
            service,
            kind,
            status: None,
            retry_after: None,
            code: None,
            request_ids: Vec::new(),
            sent,
            source: None,
        }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The same error with a code for it.
    pub fn with_code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    /// The same error on the way to a token or secret: the request that needs it has not been sent.
    pub(crate) fn before_sending(mut self) -> Self {
        self.sent = Sent::No;
        self
    }

    /// Whether the connection broke under the request. One that lay in the pool while the service closed it looks exactly like
    /// that, so a request that may be repeated without harm is worth a second try at once.
    pub(crate) fn is_broken_connection(&self) -> bool {
        self.kind == ErrorKind::Connection && self.sent == Sent::Maybe
    }

    /// Whether this service refused our token; another service's refusal says nothing of it.
    pub(crate) fn is_refused_token(&self, service: Service) -> bool {
        self.service == service && self.kind == ErrorKind::Unauthorized
    }

    /// Whether the same request may succeed later without anybody changing anything.
    pub(crate) fn is_transient(&self) -> bool {
        use ErrorKind::{Connection, Throttled, TimedOut, Unavailable};
        matches!(self.kind, Throttled | Unavailable | TimedOut | Connection)
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.service, self.kind.label())?;
        if let Some(status) = self.status {
            write!(f, ", status {status}")?;
        }
        if let Some(code) = &self.code {
            write!(f, ", code {code}")?;
        }
        for (name, value) in &self.request_ids {
            write!(f, ", {name} {value}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sent, retry_after) = (self.sent, self.retry_after);
        write!(
            f,
            "ServiceError({self}, sent {sent:?}, retry after {retry_after:?})"
        )
    }
}

impl Error for ServiceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
