//! A support account that is an agent user: its tokens come by three calls, and nobody signs in.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Account, Customer, Platform, Talk};
use reqwest::Method;
use serde_json::json;

const USER: &str = "00000000-0000-4000-8000-0000000000a2";

/// A platform with the Support User and an agent user.
async fn start() -> (Platform, Account) {
    let accounts = format!(
        "{},robot={USER}@00000000-0000-4000-8000-0000000000a1",
        Account::argument(1)
    );
    let arguments = [IMPATIENT, &[accounts.as_str()]].concat();
    let robot = Account {
        name: "robot".to_owned(),
        user: USER.to_owned(),
    };
    (Platform::start(&arguments).await, robot)
}

#[tokio::test]
async fn an_agent_answers_through_an_agent_user_beside_one_who_signs_in() {
    let (platform, robot) = start().await;
    let by_robot = Talk::at(&platform, Customer::new("Anna"), robot);
    by_robot.writes("it is broken").await;
    by_robot.agent_sees(&["it is broken"]).await;
    by_robot.agent_writes("which one?").await;
    by_robot.sees(&["which one?"]).await;
    let signed_in = Talk::begun(&platform, "Bert").await;
    signed_in.agent_writes("good morning").await;
    signed_in.sees(&["good morning"]).await;

    let checked = platform.run(&["check"]).await;
    for line in [
        "token of support account robot, an agent user, which needs no sign-in: received",
        "Graph as support account robot: answers",
        "token of support account support, which signs in: received",
    ] {
        assert!(checked.contains(line), "{checked}");
    }
    assert!(!checked.contains("graph-refresh-token-robot"), "{checked}");
    let logs = platform.get("/local/logs").await.to_string();
    assert!(!logs.contains("eyJ"), "a token in the log");
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn without_consent_an_agents_answer_waits_and_a_person_is_told_what_to_do() {
    let (platform, robot) = start().await;
    let talk = Talk::at(&platform, Customer::new("Anna"), robot);
    talk.writes("hello").await;
    talk.agent_sees(&["hello"]).await;
    let consent = format!("/local/entra/consents/{USER}");
    let withdrawn = json!({ "given": false });
    platform.call(Method::PUT, &consent, Some(&withdrawn)).await;
    // A token of before would serve for up to an hour.
    platform.kill_handler().await;
    talk.agent_writes("waits").await;
    platform
        .until_logged("reason", "agent_consent_missing", 1)
        .await;
    platform.assert_nothing_failed().await;
    let given = json!({ "given": true });
    platform.call(Method::PUT, &consent, Some(&given)).await;
    talk.sees(&["waits"]).await;
    platform.assert_nothing_failed().await;
}
