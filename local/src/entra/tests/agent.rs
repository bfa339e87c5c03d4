//! The three calls for an agent user's token: their order, who may make them, and as whom.

use super::*;
use crate::world::SupportAccount;

const GRAPH: &str = "https://graph.microsoft.com/.default";
const EXCHANGE: &str = "api://AzureADTokenExchange/.default";

/// The n-th agent identity and its user.
fn agent(number: u8) -> (String, String) {
    let id = |kind: u8| format!("00000000-0000-4000-800{kind}-00000000000{number}");
    (id(1), id(2))
}

/// An Entra ID with two agent users and the Support User.
fn with_agents(mode: &str) -> Arc<Entra> {
    let mut config = Config {
        graph_client_authentication: mode.to_owned(),
        ..Config::default()
    };
    for number in [1, 2] {
        let (identity, user) = agent(number);
        config.support_accounts.push(SupportAccount {
            name: format!("robot{number}"),
            user,
            agent_identity: Some(identity),
        });
    }
    Entra::new(testing::world(config, "http://127.0.0.1:9"))
}

/// Asks with these fields; what comes later under the same name counts, and an empty value is left out.
async fn ask(entra: &Arc<Entra>, fields: &[(&str, &str)], changes: &[(&str, &str)]) -> Answer {
    let mut form: Vec<(&str, &str)> = fields.to_vec();
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        form.push((name, value));
    }
    form.retain(|(_, value)| !value.is_empty());
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let path = format!("/{}/oauth2/v2.0/token", entra.world.config.tenant);
    post(entra, &path, form).await
}

async fn first(entra: &Arc<Entra>, number: u8, changes: &[(&str, &str)]) -> Answer {
    let own = identity_token(entra, EXCHANGE_AUDIENCE).await;
    let fields = [
        ("client_id", entra.world.config.agent_blueprint.as_str()),
        ("grant_type", "client_credentials"),
        ("scope", EXCHANGE),
        ("fmi_path", &agent(number).0),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &own),
    ];
    ask(entra, &fields, changes).await
}

async fn second(entra: &Arc<Entra>, number: u8, t1: &str, changes: &[(&str, &str)]) -> Answer {
    let identity = agent(number).0;
    let fields = [
        ("client_id", identity.as_str()),
        ("grant_type", "client_credentials"),
        ("scope", EXCHANGE),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", t1),
    ];
    ask(entra, &fields, changes).await
}

async fn third(
    entra: &Arc<Entra>,
    number: u8,
    (t1, t2): (&str, &str),
    changes: &[(&str, &str)],
) -> Answer {
    let (identity, user) = agent(number);
    let fields = [
        ("client_id", identity.as_str()),
        ("grant_type", "user_fic"),
        ("scope", GRAPH),
        ("user_id", &user),
        ("user_federated_identity_credential", t2),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", t1),
    ];
    ask(entra, &fields, changes).await
}

/// What the first two calls give the n-th agent identity.
async fn exchanges(entra: &Arc<Entra>, number: u8) -> (String, String) {
    let t1 = first(entra, number, &[]).await.text("access_token");
    let t2 = second(entra, number, &t1, &[]).await;
    (t1, t2.text("access_token"))
}

#[tokio::test]
async fn three_calls_give_a_users_token_in_either_mode_of_the_graph_app() {
    for mode in ["federated", "secret"] {
        let entra = with_agents(mode);
        let (t1, t2) = exchanges(&entra, 1).await;
        let answer = third(&entra, 1, (&t1, &t2), &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body["refresh_token"].is_null());
        let token = answer.text("access_token");
        let claims = entra.verify(&token, &["https://graph.microsoft.com"]);
        let claims = claims.expect("a token for Graph");
        let (identity, user) = agent(1);
        assert_eq!(claims["idtyp"], "user");
        assert_eq!(claims["oid"], user);
        assert_eq!(claims["appid"], identity);
        let scopes = claims["scp"].as_str().expect("scopes");
        assert!(scopes.contains("ChatMessage.Send"), "{scopes}");
    }
}

#[tokio::test]
async fn the_first_call_is_the_blueprints_for_its_own_agent_identities() {
    let entra = with_agents("federated");
    let somebody = entra.issue(json!({ "aud": EXCHANGE_AUDIENCE, "oid": "x", "sub": "x" }));
    let secret = entra.graph_client_secret();
    let stranger = [("fmi_path", "00000000-0000-4000-8001-000000000009")];
    let user = agent(1).1;
    for (changes, status, error, number) in [
        (&stranger[..], 400, "unauthorized_client", 700_016),
        (
            &[("fmi_path", user.as_str())],
            400,
            "unauthorized_client",
            700_016,
        ),
        (&[("fmi_path", "")], 400, "invalid_request", 900_144),
        (&[("scope", GRAPH)], 400, "unauthorized_client", 82001),
        (
            &[("client_assertion", &somebody)],
            401,
            "invalid_client",
            700_213,
        ),
        (
            &[("client_assertion", "none")],
            401,
            "invalid_client",
            700_027,
        ),
        (
            &[("client_assertion_type", "")],
            400,
            "invalid_request",
            50033,
        ),
        (
            &[("client_assertion", ""), ("client_secret", &secret)],
            401,
            "invalid_client",
            7_000_218,
        ),
    ] {
        let answer = first(&entra, 1, changes).await;
        assert_refused(&answer, status, error, number);
    }
}

#[tokio::test]
async fn the_second_call_needs_the_first_one_of_the_same_agent_identity() {
    let entra = with_agents("federated");
    let (t1, t2) = exchanges(&entra, 1).await;
    let (foreign, _) = exchanges(&entra, 2).await;
    let own = identity_token(&entra, EXCHANGE_AUDIENCE).await;
    for wrong in [&foreign, &t2, &own] {
        let answer = second(&entra, 1, wrong, &[]).await;
        assert_refused(&answer, 401, "invalid_client", 700_213);
    }
    let answer = second(&entra, 1, "", &[]).await;
    assert_refused(&answer, 401, "invalid_client", 7_000_218);
    let answer = second(&entra, 1, &t1, &[("scope", GRAPH)]).await;
    assert_refused(&answer, 400, "unauthorized_client", 82001);
}

#[tokio::test]
async fn the_third_call_needs_both_the_agents_own_user_and_consent() {
    let entra = with_agents("federated");
    let (t1, t2) = exchanges(&entra, 1).await;
    let (foreign1, foreign2) = exchanges(&entra, 2).await;
    for (t1, t2, status, error, number) in [
        (&foreign1, &t2, 401, "invalid_client", 700_213),
        (&t2, &t1, 401, "invalid_client", 700_213),
        (&t1, &foreign2, 400, "invalid_grant", 50013),
        (&t1, &t1, 400, "invalid_grant", 50013),
        (&t1, &String::new(), 400, "invalid_request", 900_144),
    ] {
        let answer = third(&entra, 1, (t1, t2), &[]).await;
        assert_refused(&answer, status, error, number);
    }
    let both = (t1.as_str(), t2.as_str());
    let support = entra.world.config.support_accounts[0].user.clone();
    for user in [agent(2).1, support] {
        let answer = third(&entra, 1, both, &[("user_id", &user)]).await;
        assert_refused(&answer, 400, "invalid_grant", 50034);
    }
    let app = entra.world.config.graph_client_id.clone();
    let answer = third(&entra, 1, both, &[("client_id", &app)]).await;
    assert_refused(&answer, 400, "unauthorized_client", 700_016);
    entra.consent(&agent(1).1, false);
    let answer = third(&entra, 1, both, &[]).await;
    assert_refused(&answer, 400, "invalid_grant", 65001);
    entra.consent(&agent(1).1, true);
    assert_eq!(third(&entra, 1, both, &[]).await.status, 200);
}

#[tokio::test]
async fn an_agent_user_has_no_refresh_token() {
    let entra = with_agents("federated");
    let own = identity_token(&entra, EXCHANGE_AUDIENCE).await;
    let proof = [
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", own.as_str()),
    ];
    let answer = redeem(&entra, &entra.refresh_token_for("robot1"), &proof).await;
    assert_refused(&answer, 400, "invalid_grant", 70008);
}
