//! What the Graph app can do without.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Customer, Platform, Talk};
use reqwest::Method;
use serde_json::json;

/// Each of them, and what its lack costs.
const OPTIONAL: [(&str, &str); 2] = [
    (
        "CrossTenantInformation.ReadBasic.All",
        "no address counts as verified",
    ),
    ("User.ReadBasic.All", "guests of your own directory"),
];

/// What `handler check` says of each of them; it ends well in any case.
async fn checked(platform: &Platform) -> Vec<String> {
    let printed = platform.run(&["check"]).await;
    let line = |(name, _): (&str, &str)| {
        let about = format!("Graph as support account support, {name}: ");
        let mut lines = printed.lines().filter(|line| line.contains(&about));
        let line = lines.next().unwrap_or_else(|| panic!("{printed}"));
        assert!(lines.next().is_none(), "{printed}");
        line.trim().replace(&about, "")
    };
    OPTIONAL.map(line).to_vec()
}

#[tokio::test]
async fn a_permission_that_was_not_granted_is_told_with_its_cost_and_messages_go_on() {
    let platform = Platform::start(IMPATIENT).await;
    assert_eq!(checked(&platform).await, ["ok      granted"; 2]);
    let consent = async |place: usize, given: bool| {
        let path = format!("/local/entra/permissions/{}", OPTIONAL[place].0);
        let given = json!({ "given": given });
        platform.call(Method::PUT, &path, Some(&given)).await;
    };
    for (missing, other) in [(0, 1), (1, 0)] {
        consent(missing, false).await;
        let lines = checked(&platform).await;
        let told = &lines[missing];
        assert!(told.starts_with("missing not granted"), "{told}");
        assert!(told.contains(OPTIONAL[missing].1), "{told}");
        assert_eq!(lines[other], "ok      granted");
        consent(missing, true).await;
    }
    consent(0, false).await;
    // A token of before would serve for up to an hour.
    platform.kill_handler().await;
    let customer = Customer::new("Anna");
    let talk = Talk::at(&platform, customer, platform.account.clone());
    talk.writes("it is broken").await;
    talk.agent_sees(&["it is broken"]).await;
    let conversations = platform.conversations().await;
    let attributes = &conversations[0]["attributes"];
    assert_eq!(attributes["teamsUpnVerified"], "false", "{attributes}");
    platform
        .until_logged("event", "customer_lookup_failed", 1)
        .await;
    platform.assert_nothing_failed().await;
}
