//! The three calls for an agent user's token: what each says, what is kept, what each refusal asks for.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;

use super::delegated::{Setting, refusal};
use crate::entra::{ClientAuthentication, Remedy};
use crate::error::{ErrorKind, Sent, Service};
use crate::testing::{Reply, TENANT, secret};

const ASSERTION: (&str, &str) = (
    "client_assertion_type",
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
);

fn grant(token: &str, life: u64) -> Reply {
    let body = json!({"token_type": "Bearer", "expires_in": life, "access_token": token});
    Reply::json(200, &body)
}

/// The answers to the three calls.
fn chain(token: &str, life: u64) -> [Reply; 3] {
    [grant("t1", 3599), grant("t2", 3599), grant(token, life)]
}

#[tokio::test]
async fn three_calls_in_their_order_and_wire_form_whichever_way_the_graph_app_proves_itself() {
    const EXCHANGE: (&str, &str) = ("scope", "api://AzureADTokenExchange/.default");
    let forms = [
        vec![
            ("client_id", "blueprint"),
            ("grant_type", "client_credentials"),
            EXCHANGE,
            ("fmi_path", "agent-identity"),
            ASSERTION,
            ("client_assertion", "api://AzureADTokenExchange/.default#1"),
        ],
        vec![
            ("client_id", "agent-identity"),
            ("grant_type", "client_credentials"),
            EXCHANGE,
            ASSERTION,
            ("client_assertion", "t1"),
        ],
        vec![
            ("client_id", "agent-identity"),
            ("grant_type", "user_fic"),
            ("scope", "https://graph.microsoft.com/.default"),
            ("user_id", "agent-user"),
            ("user_federated_identity_credential", "t2"),
            ASSERTION,
            ("client_assertion", "t1"),
        ],
    ];
    for authentication in [
        ClientAuthentication::Federated,
        ClientAuthentication::Secret,
    ] {
        let setting = Setting::with(authentication, chain("a1", 3599), [secret("r1")]).await;
        assert_eq!(setting.token("agent").await, "a1");
        let seen = setting.entra.seen();
        assert_eq!(seen.len(), forms.len());
        for (seen, form) in seen.iter().zip(&forms) {
            assert_eq!(seen.method, "POST");
            assert_eq!(seen.target, format!("/{TENANT}/oauth2/v2.0/token"));
            let form = form.iter();
            let form: Vec<_> = form
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            assert_eq!(seen.form(), form);
        }
        assert!(setting.vault.seen().is_empty(), "no secret is needed");
    }
}

#[tokio::test]
async fn one_chain_serves_all_who_ask_and_nothing_of_it_shows() {
    let setting = Setting::start(chain("a1", 3599), [secret("r1")]).await;
    let all = futures::future::join_all((0..10).map(|_| setting.token("agent"))).await;
    assert!(all.iter().all(|token| token == "a1"));
    assert_eq!(setting.token("agent").await, "a1");
    assert_eq!(setting.entra.seen().len(), 3);
    let shown = format!("{:?}", setting.tokens);
    for secret in ["a1", "t1", "t2"] {
        assert!(!shown.contains(&format!("\"{secret}\"")), "{shown}");
    }
}

#[tokio::test]
async fn a_token_that_ends_is_made_anew_from_the_first_call_on() {
    // Below the least life that is given out.
    let replies = [chain("a1", 20), chain("a2", 3599)].concat();
    let setting = Setting::start(replies, [secret("r1")]).await;
    assert_eq!(setting.token("agent").await, "a1");
    assert_eq!(setting.token("agent").await, "a2");
    assert_eq!(setting.token("agent").await, "a2");
    let seen = setting.entra.seen();
    assert_eq!(seen.len(), 6);
    let asks = |index: usize, field: &str| {
        let form = seen[index].form();
        form.iter().any(|(name, _)| name == field)
    };
    assert!(asks(3, "fmi_path") && asks(5, "user_id"));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_a_minute_at_most() {
    let replies = [chain("a1", 3599), chain("a2", 3599)].concat();
    let setting = Setting::start(replies, [secret("r1")]).await;
    let first = setting.tokens.token("agent").await.expect("a token");
    let newer = setting.tokens.of("agent").replacement(&first).await;
    let newer = newer.expect("no error").expect("another one");
    assert_eq!(newer.expose_secret(), "a2");
    let again = setting.tokens.of("agent").replacement(&newer).await;
    assert!(
        again.expect("no error").is_none(),
        "it was fetched just now"
    );
    assert_eq!(setting.entra.seen().len(), 6);
}

#[tokio::test]
async fn accounts_of_both_kinds_stand_side_by_side() {
    let replies = [&chain("a1", 3599)[..], &[grant("u1", 3599)]].concat();
    let setting = Setting::start(replies, [secret("r1")]).await;
    assert_eq!(setting.token("agent").await, "a1");
    let other = setting.tokens.token("support").await.expect("a token");
    assert_eq!(other.expose_secret(), "u1");
    assert_eq!(setting.vault.seen().len(), 1, "its refresh token");
}

#[tokio::test]
async fn each_call_can_be_refused_and_the_remedy_is_never_a_sign_in() {
    use ErrorKind::{Configuration, Throttled, Unavailable};
    let table = [
        (
            0,
            refusal("invalid_client", 700_213),
            Configuration,
            "AGENT_BLUEPRINT_CLIENT_ID",
        ),
        (
            0,
            refusal("unauthorized_client", 700_016),
            Configuration,
            "AGENT_BLUEPRINT_CLIENT_ID",
        ),
        (
            1,
            refusal("invalid_client", 700_213),
            Configuration,
            "the agent identity of agent",
        ),
        (
            2,
            refusal("invalid_grant", 65_001),
            Configuration,
            "consent",
        ),
        (
            2,
            refusal("invalid_grant", 70_000),
            Configuration,
            "object id",
        ),
        (
            2,
            refusal("interaction_required", 53_003),
            Configuration,
            "Conditional Access",
        ),
        (1, refusal("invalid_grant", 50_196), Throttled, ""),
        (
            0,
            refusal("temporarily_unavailable", 90_033),
            Unavailable,
            "",
        ),
    ];
    for (call, refused, kind, says) in table {
        let mut replies = chain("a1", 3599)[..call].to_vec();
        replies.push(refused);
        let setting = Setting::start(replies, [secret("r1")]).await;
        let error = setting.error("agent").await;
        assert_eq!((error.service, error.kind), (Service::Entra, kind));
        assert_eq!(error.sent, Sent::No);
        assert!(error.request_ids.contains(&("trace_id", "t-1".to_owned())));
        // Time mends what has none.
        let remedy = Remedy::of(&error).map_or_else(String::new, ToString::to_string);
        assert!(
            remedy.contains(says) && remedy.is_empty() == says.is_empty(),
            "{error}: {remedy}"
        );
        assert!(!remedy.contains("sign-in"), "{remedy}");
        let shown = format!("{error:?}");
        assert!(!shown.contains("t1") && !shown.contains("t2"), "{shown}");
        assert_eq!(setting.entra.seen().len(), call + 1);
    }
}

#[tokio::test]
async fn a_refusal_that_only_a_person_mends_is_not_asked_for_in_a_loop() {
    let setting = Setting::start([refusal("invalid_client", 700_213)], [secret("r1")]).await;
    for _ in 0..5 {
        setting.error("agent").await;
    }
    assert_eq!(setting.entra.seen().len(), 1);
}

#[tokio::test]
async fn what_time_mends_is_tried_again_at_once() {
    let replies = [
        &[grant("t1", 3599), Reply::new(503, "")][..],
        &chain("a1", 3599),
    ]
    .concat();
    let setting = Setting::start(replies, [secret("r1")]).await;
    let error = setting.error("agent").await;
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(error.retry_after, None::<Duration>);
    assert!(Remedy::of(&error).is_none());
    assert_eq!(setting.token("agent").await, "a1");
}
