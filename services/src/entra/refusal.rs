//! What the token endpoint's refusals mean, and what each asks for ("Microsoft Entra authentication and authorization error codes").

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{ErrorKind, Service, ServiceError};

/// Least time between two log lines of one account for one reason: what asks for a person is asked for by every message.
const TOLD_EVERY: Duration = Duration::from_secs(300);

/// Code of an account that has not signed in yet, or was signed out.
pub(super) const NO_REFRESH_TOKEN: &str = "no_refresh_token";

/// Code of an app in the mode with a client secret whose vault has none (`Secrets::prove`).
const NO_CLIENT_SECRET: &str = "no_client_secret";

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reason {
    /// Nobody has signed in, or the account was signed out.
    SignedOut,
    /// The refresh token was not used for too long.
    Lapsed,
    /// An administrator reset the password or revoked the sessions.
    Revoked,
    /// A sign-in frequency policy ended the session.
    SignInFrequency,
    /// A policy wants more than the session has: another factor, a place, a device.
    ConditionalAccess,
    /// The session does not count for another reason.
    SessionRefused,
    /// The app's client secret is over.
    SecretExpired,
    /// The app's client secret is missing, wrong, or too new to be known everywhere.
    SecretWrong,
    /// The app does not prove itself.
    ProofMissing,
    /// The app is not in the tenant, or disabled.
    AppUnknown,
    /// Nobody has consented to the app's permissions.
    ConsentMissing,
    /// The app's registration does not fit for another reason.
    Registration,
    /// The blueprint of an agent user does not prove itself, or may not act as the agent identity.
    Blueprint,
    /// The agent identity may not act as anybody.
    AgentIdentity,
    /// The agent identity may not act as this agent user.
    AgentUser,
    /// Nobody has consented to the agent identity's permissions.
    AgentConsentMissing,
    /// A policy keeps the agent user out.
    AgentPolicy,
    /// The service cannot answer now.
    Busy,
    /// The service wants fewer requests.
    TooOften,
}

/// Which of the three calls for an agent user's token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AgentStep {
    /// The blueprint asked to act as the agent identity.
    Blueprint,
    /// The agent identity asked to act as its user.
    Identity,
    /// The agent identity asked for the user's token.
    User,
}

/// What a person does about a refusal; the cause of its error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Remedy(String);

impl Remedy {
    /// That of an error, where Entra ID refused something that a person can mend.
    pub fn of(error: &ServiceError) -> Option<&Self> {
        let cause: &(dyn std::error::Error + 'static) = error.source.as_deref()?;
        cause.downcast_ref()
    }
}

/// The numbers that say more than the OAuth error does.
const NUMBERS: [(&str, Reason); 18] = [
    ("70008", Reason::Lapsed),
    ("700082", Reason::Lapsed),
    ("50173", Reason::Revoked),
    ("70043", Reason::SignInFrequency),
    ("50076", Reason::ConditionalAccess),
    ("50079", Reason::ConditionalAccess),
    ("53003", Reason::ConditionalAccess),
    ("7000222", Reason::SecretExpired),
    ("7000215", Reason::SecretWrong),
    ("7000218", Reason::ProofMissing),
    ("700016", Reason::AppUnknown),
    ("7000112", Reason::AppUnknown),
    ("65001", Reason::ConsentMissing),
    ("90024", Reason::Busy),
    ("90033", Reason::Busy),
    ("50196", Reason::TooOften),
    ("9002313", Reason::SessionRefused),
    ("70000", Reason::SessionRefused),
];

impl Reason {
    /// That of a refusal; `None` for an error that is none. The numbers are documented as unstable, so where one is not known the
    /// OAuth error decides.
    pub(super) fn of(error: &ServiceError) -> Option<Self> {
        let code = error.code.as_deref().unwrap_or_default();
        match code {
            NO_REFRESH_TOKEN => return Some(Self::SignedOut),
            NO_CLIENT_SECRET => return Some(Self::SecretWrong),
            _ => {}
        }
        // As Entra ID said it, or as it was classified before.
        let is_refusal = matches!(
            error.kind,
            ErrorKind::Rejected
                | ErrorKind::Unauthorized
                | ErrorKind::Forbidden
                | ErrorKind::SignInNeeded
                | ErrorKind::Configuration
        );
        if error.service != Service::Entra || !is_refusal {
            return None;
        }
        let (oauth, number) = code.split_once(':').unwrap_or((code, ""));
        let known = NUMBERS.iter().find(|(known, _)| *known == number);
        Some(match (known, oauth) {
            (_, "temporarily_unavailable" | "server_error") => Self::Busy,
            (Some((_, reason)), _) => *reason,
            (
                None,
                "invalid_grant" | "interaction_required" | "login_required" | "consent_required",
            ) => Self::SessionRefused,
            _ => Self::Registration,
        })
    }

    /// That of a refusal on the way to an agent user's token, which nobody can sign in for. The numbers of these calls are not
    /// documented, so the call says more than they do.
    pub(super) fn of_agent(error: &ServiceError, step: AgentStep) -> Option<Self> {
        let reason = Self::of(error)?;
        Some(match (reason, step) {
            (Self::Busy | Self::TooOften, _) => reason,
            (Self::ConditionalAccess | Self::SignInFrequency, _) => Self::AgentPolicy,
            (Self::ConsentMissing, _) => Self::AgentConsentMissing,
            (_, AgentStep::Blueprint) => Self::Blueprint,
            (_, AgentStep::Identity) => Self::AgentIdentity,
            (_, AgentStep::User) => Self::AgentUser,
        })
    }

    /// What it means for whoever needs the token.
    pub(super) const fn kind(self) -> ErrorKind {
        match self {
            Self::SignedOut
            | Self::Lapsed
            | Self::Revoked
            | Self::SignInFrequency
            | Self::ConditionalAccess
            | Self::SessionRefused => ErrorKind::SignInNeeded,
            Self::SecretExpired
            | Self::SecretWrong
            | Self::ProofMissing
            | Self::AppUnknown
            | Self::ConsentMissing
            | Self::Registration
            | Self::Blueprint
            | Self::AgentIdentity
            | Self::AgentUser
            | Self::AgentConsentMissing
            | Self::AgentPolicy => ErrorKind::Configuration,
            Self::Busy => ErrorKind::Unavailable,
            Self::TooOften => ErrorKind::Throttled,
        }
    }

    /// Stable word for the log.
    const fn label(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Lapsed => "lapsed",
            Self::Revoked => "revoked",
            Self::SignInFrequency => "sign_in_frequency",
            Self::ConditionalAccess => "conditional_access",
            Self::SessionRefused => "session_refused",
            Self::SecretExpired => "secret_expired",
            Self::SecretWrong => "secret_wrong",
            Self::ProofMissing => "proof_missing",
            Self::AppUnknown => "app_unknown",
            Self::ConsentMissing => "consent_missing",
            Self::Registration => "registration",
            Self::Blueprint => "blueprint",
            Self::AgentIdentity => "agent_identity",
            Self::AgentUser => "agent_user",
            Self::AgentConsentMissing => "agent_consent_missing",
            Self::AgentPolicy => "agent_policy",
            Self::Busy => "busy",
            Self::TooOften => "too_often",
        }
    }

    /// What a person does about it.
    fn action(self, account: &str) -> String {
        let sign_in = format!("handler sign-in {account}");
        match self {
            Self::SignedOut | Self::Lapsed | Self::Revoked | Self::SessionRefused => sign_in,
            Self::SignInFrequency => {
                format!("{sign_in}; exempt the Support User from the sign-in frequency policy")
            }
            Self::ConditionalAccess => {
                format!("{sign_in}; should it not last, exempt the Support User from the policy")
            }
            Self::SecretExpired => {
                "handler rotate graph-client-secret, or store a new client secret under that name in the vault".to_owned()
            }
            Self::SecretWrong => {
                "compare graph-client-secret in the vault with the app registration".to_owned()
            }
            Self::ProofMissing | Self::Registration => {
                "let `handler setup graph` compare the app registration and its credential with what they should be".to_owned()
            }
            Self::AppUnknown => {
                "compare GRAPH_CLIENT_ID and TENANT_ID with the app registration, and enable it"
                    .to_owned()
            }
            Self::ConsentMissing => {
                "consent to the app's permissions for the Support User: handler setup graph"
                    .to_owned()
            }
            Self::Blueprint => format!(
                "compare AGENT_BLUEPRINT_CLIENT_ID, the blueprint's federated credential for the managed identity, and the agent \
                 identity of {account} in SUPPORT_ACCOUNTS with Entra ID"
            ),
            Self::AgentIdentity => format!(
                "look in Entra ID whether the agent identity of {account} belongs to the blueprint and is enabled"
            ),
            Self::AgentUser => format!(
                "compare the object id of {account} in SUPPORT_ACCOUNTS with the agent identity's user in Entra ID, and enable it"
            ),
            Self::AgentConsentMissing => format!(
                "consent to the agent identity's permissions for the agent user of {account} (docs/OPERATING.md, \"Agent users\")"
            ),
            Self::AgentPolicy => {
                format!("exempt the agent user of {account} from the Conditional Access policy")
            }
            Self::Busy | Self::TooOften => "wait".to_owned(),
        }
    }
}

/// Which refusals a person was told of lately.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<HashMap<(String, Reason), Instant>>);

impl Told {
    /// Tells of a refusal that asks for a person, once in a while; returns what to do.
    pub(super) fn tell(&self, account: &str, reason: Reason, error: &ServiceError) -> Remedy {
        let (code, action) = (error.code.as_deref(), reason.action(account));
        let kind = reason.kind();
        let asks = matches!(kind, ErrorKind::SignInNeeded | ErrorKind::Configuration);
        if asks && self.is_due(account, reason) {
            let reason = reason.label();
            if kind == ErrorKind::SignInNeeded {
                tracing::error!(event = "sign_in_needed", account, reason, code, action);
            } else {
                tracing::error!(event = "graph_app_refused", account, reason, code, action);
            }
        }
        Remedy(action)
    }

    fn is_due(&self, account: &str, reason: Reason) -> bool {
        let now = Instant::now();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = told.get(&(account.to_owned(), reason));
        if last.is_some_and(|last| now < *last + TOLD_EVERY) {
            return false;
        }
        told.insert((account.to_owned(), reason), now);
        true
    }
}

#[cfg(test)]
mod tests;
