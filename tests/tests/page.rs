//! The console page in a real browser: both people write, both see it, and the journey shows each hop.

use end_to_end::Platform;
use end_to_end::web_driver::Browser;

const INBOUND: &[&str] = &[
    "teams",
    "notification",
    "inbound-graph",
    "queue inbound",
    "deliver-to-genesys",
    "genesys",
];
const OUTBOUND: &[&str] = &[
    "genesys",
    "webhook",
    "outbound-genesys",
    "queue outbound",
    "deliver-to-teams",
    "teams",
    "receipt",
];

fn shows(area: &str, text: &str) -> String {
    format!("document.querySelector('[data-testid={area}]')?.innerText.includes({text:?})")
}

fn journey_with(hops: &[&str]) -> String {
    format!(
        "[...document.querySelectorAll('[data-testid=journeys] [data-journey]')].some(journey => \
         {hops:?}.every(hop => [...journey.querySelectorAll('[data-hop]')].some(step => step.dataset.hop === hop)))"
    )
}

#[tokio::test]
async fn a_conversation_goes_both_ways_in_the_page() {
    let platform = Platform::start(&[]).await;
    let browser = Browser::start(1280, 900).await;
    browser.open(&format!("{}/", platform.address)).await;
    browser
        .wait_for(
            "the page",
            "document.querySelector('[data-testid=customer-input]')",
        )
        .await;

    browser
        .type_into("[data-testid=customer-input]", "My invoice is wrong")
        .await;
    browser.click("[data-testid=customer-send]").await;
    browser
        .wait_for(
            "the customer's own message",
            &shows("customer-messages", "My invoice is wrong"),
        )
        .await;
    browser
        .wait_for(
            "the agent's copy",
            &shows("agent-messages", "My invoice is wrong"),
        )
        .await;

    browser
        .type_into("[data-testid=agent-input]", "Let me have a look")
        .await;
    browser.click("[data-testid=agent-send]").await;
    browser
        .wait_for(
            "the agent's own message",
            &shows("agent-messages", "Let me have a look"),
        )
        .await;
    browser
        .wait_for(
            "the customer's copy",
            &shows("customer-messages", "Let me have a look"),
        )
        .await;

    browser
        .wait_for("the hops to the agent", &journey_with(INBOUND))
        .await;
    browser
        .wait_for("the hops to the customer", &journey_with(OUTBOUND))
        .await;
}
