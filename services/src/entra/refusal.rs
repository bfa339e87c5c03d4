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
    /// The service cannot answer now.
    Busy,
    /// The service wants fewer requests.
    TooOften,
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
            | Self::Registration => ErrorKind::Configuration,
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
                "compare the app registration and its credential with infra/graph".to_owned()
            }
            Self::AppUnknown => {
                "compare GRAPH_CLIENT_ID and TENANT_ID with the app registration, and enable it"
                    .to_owned()
            }
            Self::ConsentMissing => {
                "consent to the app's permissions for the Support User: deploy infra/graph"
                    .to_owned()
            }
            Self::Busy | Self::TooOften => "wait".to_owned(),
        }
    }
}

/// Which refusals a person was told of lately.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<HashMap<(String, Reason), Instant>>);

impl Told {
    /// Tells of a refusal that asks for a person, once in a while.
    pub(super) fn tell(&self, account: &str, error: &ServiceError) {
        let Some(reason) = Reason::of(error) else {
            return;
        };
        let kind = reason.kind();
        let asks = matches!(kind, ErrorKind::SignInNeeded | ErrorKind::Configuration);
        if !asks || !self.is_due(account, reason) {
            return;
        }
        let (code, action) = (error.code.as_deref(), reason.action(account));
        let reason = reason.label();
        if kind == ErrorKind::SignInNeeded {
            tracing::error!(event = "sign_in_needed", account, reason, code, action);
        } else {
            tracing::error!(event = "graph_app_refused", account, reason, code, action);
        }
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
mod tests {
    use super::*;
    use crate::error::Sent;

    fn refusal(code: &str) -> ServiceError {
        ServiceError::new(Service::Entra, ErrorKind::Rejected, Sent::No).with_code(code)
    }

    #[test]
    fn each_signal_has_its_reason_kind_and_action() {
        use ErrorKind::{Configuration, SignInNeeded, Throttled, Unavailable};
        for (code, reason, kind, says) in [
            (
                "no_refresh_token",
                "signed_out",
                SignInNeeded,
                "handler sign-in desk",
            ),
            (
                "invalid_grant:70008",
                "lapsed",
                SignInNeeded,
                "handler sign-in desk",
            ),
            (
                "invalid_grant:700082",
                "lapsed",
                SignInNeeded,
                "handler sign-in desk",
            ),
            (
                "invalid_grant:50173",
                "revoked",
                SignInNeeded,
                "handler sign-in desk",
            ),
            (
                "invalid_grant:70043",
                "sign_in_frequency",
                SignInNeeded,
                "exempt",
            ),
            (
                "interaction_required:50076",
                "conditional_access",
                SignInNeeded,
                "policy",
            ),
            (
                "interaction_required:50079",
                "conditional_access",
                SignInNeeded,
                "policy",
            ),
            (
                "invalid_grant:53003",
                "conditional_access",
                SignInNeeded,
                "policy",
            ),
            (
                "invalid_grant:123",
                "session_refused",
                SignInNeeded,
                "handler sign-in desk",
            ),
            (
                "invalid_grant",
                "session_refused",
                SignInNeeded,
                "handler sign-in desk",
            ),
            (
                "invalid_client:7000222",
                "secret_expired",
                Configuration,
                "new client secret",
            ),
            (
                "invalid_client:7000215",
                "secret_wrong",
                Configuration,
                "compare",
            ),
            ("no_client_secret", "secret_wrong", Configuration, "compare"),
            (
                "invalid_client:7000218",
                "proof_missing",
                Configuration,
                "infra/graph",
            ),
            (
                "unauthorized_client:700016",
                "app_unknown",
                Configuration,
                "GRAPH_CLIENT_ID",
            ),
            (
                "invalid_client:7000112",
                "app_unknown",
                Configuration,
                "enable",
            ),
            (
                "invalid_grant:65001",
                "consent_missing",
                Configuration,
                "consent",
            ),
            (
                "invalid_client:70021",
                "registration",
                Configuration,
                "infra/graph",
            ),
            (
                "invalid_request:900144",
                "registration",
                Configuration,
                "infra/graph",
            ),
            ("", "registration", Configuration, "infra/graph"),
            ("temporarily_unavailable", "busy", Unavailable, "wait"),
            ("server_error:1", "busy", Unavailable, "wait"),
            ("invalid_grant:90024", "busy", Unavailable, "wait"),
            ("invalid_grant:50196", "too_often", Throttled, "wait"),
        ] {
            let found = Reason::of(&refusal(code)).expect("a refusal");
            assert_eq!((found.label(), found.kind()), (reason, kind), "{code}");
            assert!(found.action("desk").contains(says), "{code}");
        }
        for kind in [
            Unavailable,
            Throttled,
            ErrorKind::TimedOut,
            ErrorKind::Connection,
        ] {
            let error = ServiceError::new(Service::Entra, kind, Sent::No);
            assert_eq!(Reason::of(&error), None, "{kind:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_is_told_once_in_a_while_and_of_each_account_and_reason() {
        let told = Told::default();
        assert!(told.is_due("desk", Reason::Revoked));
        assert!(!told.is_due("desk", Reason::Revoked));
        assert!(told.is_due("desk", Reason::SignedOut));
        assert!(told.is_due("support", Reason::Revoked));
        tokio::time::advance(TOLD_EVERY).await;
        assert!(told.is_due("desk", Reason::Revoked));
    }
}
