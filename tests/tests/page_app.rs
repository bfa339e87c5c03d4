//! The page's chats with the Teams app, in a real browser: whatever only the bot's door has.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use end_to_end::Platform;
use end_to_end::web_driver::Browser;

use crate::page::{ENTER, PICTURE, Page, file};

/// The same person has a chat with the app, which is installed by the first message.
#[tokio::test]
async fn a_customer_writes_to_the_app_and_takes_it_away() {
    let platform = Platform::start(&[]).await;
    let page = Page::begun(&platform, "This is my chat").await;
    page.click("kind-app").await;
    page.shows("customer-messages", "No messages yet").await;
    page.types("customer-input", "This is the app").await;
    page.click("customer-send").await;
    page.message(
        "customer-messages",
        "This is the app",
        "[data-action=delete]",
    )
    .await;
    page.journey(&["teams", "activity"]).await;
    let installed = "document.querySelector('[data-testid=customer-install]').textContent";
    page.until(&format!("{installed} === 'Remove app'")).await;
    page.click("customer-install").await;
    page.until(&format!("{installed} === 'Install app'")).await;
    page.click("kind-chat").await;
    page.shows("customer-messages", "This is my chat").await;
}

/// A conversation in the app's chat, with all that only the bot's door has.
#[tokio::test]
async fn a_customer_and_an_agent_talk_in_the_app() {
    let platform = Platform::start(&[]).await;
    let page = Page(Browser::open(&format!("{}/", platform.address)).await);
    let dots = async |side: &str, shown: bool| {
        let hidden = format!("document.querySelector('[data-testid={side}-typing]').hidden");
        page.until(&format!("{hidden} === {}", !shown)).await;
    };
    page.until("document.querySelector('[data-testid=customer-input]')")
        .await;
    page.click("kind-app").await;
    page.types("customer-input", "My parcel is late").await;
    page.click("customer-send").await;
    page.shows("customer-messages", "our support team answers")
        .await;
    page.shows("agent-messages", "My parcel is late").await;

    // Each sees the other type, until the message is there.
    page.types("agent-input", "Good").await;
    dots("customer", true).await;
    page.types("agent-input", " morning").await;
    page.click("agent-send").await;
    page.shows("customer-messages", "Good morning").await;
    dots("customer", false).await;
    page.has("[data-receipt]", "it.dataset.receipt === 'Delivered'")
        .await;
    page.types("customer-input", "It was").await;
    dots("agent", true).await;
    page.types("customer-input", " due yesterday").await;
    page.click("customer-send").await;
    page.shows("agent-messages", "It was due yesterday").await;
    dots("agent", false).await;

    // A question is a card, whose button answers it and which shows none afterwards.
    page.click("agent-question").await;
    page.types("question-prompt", "Shall we send another?")
        .await;
    page.types("question-choice-1", "Yes, please").await;
    page.types("question-choice-2", "No").await;
    page.click("question-ask").await;
    page.has(
        "[data-card=shown]",
        "it.innerText.includes('Shall we send another?')",
    )
    .await;
    let all = "[...document.querySelectorAll('[data-testid=customer-messages] .ac-pushButton')]";
    let end = "it.innerText.includes('End conversation')";
    let buttons = format!("{all}.filter(it => !{end})");
    page.until(&format!("{buttons}.length === 2")).await;
    let yes = format!("{buttons}.find(it => it.innerText.includes('Yes, please'))");
    page.until(&format!("({yes}.click(), true)")).await;
    page.shows("customer-messages", "Chose: Yes, please").await;
    page.shows("agent-messages", "Yes, please").await;
    page.has(
        "[data-card=shown]",
        "it.innerText.includes('✓ Yes, please')",
    )
    .await;
    page.until(&format!("{buttons}.length === 0")).await;

    let message = page
        .message(
            "customer-messages",
            "It was due yesterday",
            "[data-action=edit]",
        )
        .await;
    let edit = format!("[data-message='{message}'] [data-action=edit]");
    page.0.type_into(&edit, ENTER).await;
    page.types("customer-input", &format!(", at noon{ENTER}"))
        .await;
    page.shows("agent-messages", "[edited] It was due yesterday, at noon")
        .await;

    page.types(
        "customer-files",
        &file("parcel.pdf", b"%PDF-1.7\n1 0 obj\n"),
    )
    .await;
    page.until("document.querySelectorAll('[data-testid=customer-tray] li').length === 1")
        .await;
    page.types("customer-input", &format!("The receipt{ENTER}"))
        .await;
    page.message("agent-messages", "parcel.pdf", "a.file").await;
    let picture = STANDARD.decode(PICTURE).expect("base64");
    page.types("agent-files", &file("way.png", &picture)).await;
    page.types("agent-input", &format!("Thank you{ENTER}"))
        .await;
    page.message("customer-messages", "", ".picture[data-shown=true]")
        .await;

    // The greeting has a button for the end.
    page.until(&format!("({all}.find(it => {end}).click(), true)"))
        .await;
    page.shows("customer-messages", "This conversation has ended.")
        .await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}
