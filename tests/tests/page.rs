//! The console page in a real browser: both people write, both see it, and the journey shows each hop; what a message can
//! carry and what can be done with it stands on the page of the one who did it.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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

/// A square of two by two pixels.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mNwCNgARAwQCgAhTgUBguOScwAAAABJRU5ErkJggg==";

/// The key Enter (W3C, "WebDriver", keyboard actions).
const ENTER: &str = "\u{E007}";

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
    let browser = Browser::open(&format!("{}/", platform.address)).await;
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

/// The id of the message with this text, once there is one whose elements match the selector.
fn message(area: &str, text: &str, selector: &str) -> String {
    format!(
        "[...document.querySelectorAll('[data-testid={area}] [data-message]')].find(message => \
         message.innerText.includes({text:?}) && message.querySelector({selector:?}))?.dataset.message"
    )
}

/// Pastes the picture into a text field, as a screenshot would come from the clipboard.
fn paste_picture(field: &str) -> String {
    format!(
        "(() => {{
            const field = document.querySelector('[data-testid={field}]');
            const bytes = Uint8Array.from(atob('{PICTURE}'), letter => letter.charCodeAt(0));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([bytes], 'image.png', {{ type: 'image/png' }}));
            return !field.dispatchEvent(new ClipboardEvent('paste', {{ clipboardData, bubbles: true, cancelable: true }}));
        }})()"
    )
}

/// A file on disk, for the page's file fields.
fn file(name: &str, content: &[u8]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).expect("a file to choose");
    path.to_str().expect("a readable path").to_owned()
}

/// Opens the page and brings a first message to the agent, which opens the conversation.
async fn begun(platform: &Platform, text: &str) -> (Browser, String) {
    let browser = Browser::open(&format!("{}/", platform.address)).await;
    browser
        .wait_for(
            "the page",
            "document.querySelector('[data-testid=customer-input]')",
        )
        .await;
    browser
        .type_into("[data-testid=customer-input]", &format!("{text}{ENTER}"))
        .await;
    browser
        .wait_for("the agent's copy", &shows("agent-messages", text))
        .await;
    let id = browser
        .wait_for(
            "the message with its time",
            &message("customer-messages", text, "[data-action=journey]"),
        )
        .await;
    let id = id.as_str().expect("an id").to_owned();
    (browser, id)
}

#[tokio::test]
async fn pictures_files_and_code_stand_in_the_customers_chat() {
    let platform = Platform::start(&[]).await;
    let (browser, _) = begun(&platform, "It looks odd").await;

    browser
        .wait_for("the paste to be taken", &paste_picture("customer-input"))
        .await;
    let log = file("page-test.log", b"nothing to see");
    browser
        .type_into("[data-testid=customer-files]", &log)
        .await;
    browser
        .wait_for(
            "both in the tray",
            "document.querySelectorAll('[data-testid=customer-tray] li').length === 2",
        )
        .await;
    browser
        .type_into("[data-testid=customer-input]", "Like <b>this</b>")
        .await;
    browser.click("[data-testid=customer-code]").await;
    browser
        .type_into(
            "[data-testid=customer-input]",
            &format!("if a < b {{{ENTER}  go()"),
        )
        .await;
    browser.click("[data-testid=customer-send]").await;
    let sent = |selector| message("customer-messages", "Like <b>this</b>", selector);
    browser
        .wait_for("the picture", &sent(".picture[data-shown=true]"))
        .await;
    browser
        .wait_for("the file", &sent("a.file[download='page-test.log']"))
        .await;
    browser
        .wait_for(
            "the code",
            "[...document.querySelectorAll('[data-testid=customer-messages] pre')].some(code => \
             code.textContent === 'if a < b {\\n  go()')",
        )
        .await;
}

#[tokio::test]
async fn a_message_is_answered_reacted_to_edited_and_deleted() {
    let platform = Platform::start(&[]).await;
    let (browser, id) = begun(&platform, "Where is my parcel").await;
    let own = |selector: &str| format!("[data-message='{id}'] {selector}");
    let present = |selector: &str| format!("document.querySelector({:?})", own(selector));

    browser.type_into(&own("[data-action=react]"), ENTER).await;
    browser.type_into(&own("[data-react=heart]"), ENTER).await;
    browser
        .wait_for("the reaction", &present("[data-reaction='❤️']"))
        .await;

    browser.type_into(&own("[data-action=reply]"), ENTER).await;
    browser
        .type_into(
            "[data-testid=customer-input]",
            &format!("It was due yesterday{ENTER}"),
        )
        .await;
    browser
        .wait_for(
            "the quote",
            "[...document.querySelectorAll('[data-testid=customer-messages] .quote')].some(quote => \
             quote.innerText.includes('Where is my parcel'))",
        )
        .await;

    browser.type_into(&own("[data-action=edit]"), ENTER).await;
    browser
        .type_into("[data-testid=customer-input]", &format!(" 4711?{ENTER}"))
        .await;
    browser
        .wait_for("the mark of an edit", &present("[data-edited]"))
        .await;
    browser
        .wait_for(
            "the new text",
            &shows("customer-messages", "Where is my parcel 4711?"),
        )
        .await;

    browser.type_into(&own("[data-action=delete]"), ENTER).await;
    browser.wait_for("the deletion", &present(".deleted")).await;
}

#[tokio::test]
async fn the_agent_sends_a_picture_and_a_question_with_choices() {
    let platform = Platform::start(&[]).await;
    let (browser, _) = begun(&platform, "How do I print").await;

    let picture = STANDARD.decode(PICTURE).expect("base64");
    let picture = file("page-test.png", &picture);
    browser
        .type_into("[data-testid=agent-files]", &picture)
        .await;
    browser
        .type_into(
            "[data-testid=agent-input]",
            &format!("Press this one{ENTER}"),
        )
        .await;
    let sent = message(
        "agent-messages",
        "Press this one",
        ".picture[data-shown=true]",
    );
    browser.wait_for("the picture", &sent).await;

    browser.click("[data-testid=agent-question]").await;
    for (field, text) in [
        ("prompt", "Did that help?"),
        ("choice-1", "Yes"),
        ("choice-2", "Not yet"),
    ] {
        browser
            .type_into(&format!("[data-testid=question-{field}]"), text)
            .await;
    }
    browser.click("[data-testid=question-ask]").await;
    browser
        .wait_for(
            "the choices",
            "[...document.querySelectorAll('[data-testid=agent-messages] .choice-chip')]\
             .map(choice => choice.textContent).join() === 'Yes,Not yet'",
        )
        .await;
}
