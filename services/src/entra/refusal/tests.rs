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
            "handler setup graph",
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
            "handler setup graph",
        ),
        (
            "invalid_request:900144",
            "registration",
            Configuration,
            "handler setup graph",
        ),
        ("", "registration", Configuration, "handler setup graph"),
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

#[test]
fn an_agent_users_refusal_never_asks_for_a_sign_in() {
    use AgentStep::{Blueprint, Identity, User};
    use ErrorKind::{Configuration, Throttled, Unavailable};
    for (code, step, reason, kind, says) in [
        (
            "invalid_client:700213",
            Blueprint,
            "blueprint",
            Configuration,
            "AGENT_BLUEPRINT_CLIENT_ID",
        ),
        (
            "unauthorized_client:700016",
            Blueprint,
            "blueprint",
            Configuration,
            "federated credential",
        ),
        (
            "invalid_client:700027",
            Identity,
            "agent_identity",
            Configuration,
            "agent identity of desk",
        ),
        (
            "invalid_grant",
            User,
            "agent_user",
            Configuration,
            "object id of desk",
        ),
        (
            "invalid_grant:50173",
            User,
            "agent_user",
            Configuration,
            "object id of desk",
        ),
        (
            "invalid_grant:65001",
            User,
            "agent_consent_missing",
            Configuration,
            "consent",
        ),
        (
            "invalid_grant:53003",
            Identity,
            "agent_policy",
            Configuration,
            "Conditional Access",
        ),
        (
            "interaction_required:50076",
            User,
            "agent_policy",
            Configuration,
            "Conditional Access",
        ),
        ("", User, "agent_user", Configuration, "enable"),
        (
            "temporarily_unavailable:90033",
            Blueprint,
            "busy",
            Unavailable,
            "wait",
        ),
        ("invalid_grant:50196", User, "too_often", Throttled, "wait"),
    ] {
        let found = Reason::of_agent(&refusal(code), step).expect("a refusal");
        assert_eq!((found.label(), found.kind()), (reason, kind), "{code}");
        let action = found.action("desk");
        assert!(action.contains(says), "{code}: {action}");
        assert!(!action.contains("sign-in"), "{code}: {action}");
    }
    let lost = ServiceError::new(Service::Entra, ErrorKind::TimedOut, Sent::No);
    assert_eq!(Reason::of_agent(&lost, Blueprint), None);
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
