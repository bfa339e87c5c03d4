//! The console page in a real browser: both people write, both see it, and the journey shows each hop; what a message can
//! carry and what can be done with it stands on the page of the one who did it.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use end_to_end::Platform;
use end_to_end::web_driver::Browser;
use serde_json::{Value, json};

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
pub(crate) const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mNwCNgARAwQCgAhTgUBguOScwAAAABJRU5ErkJggg==";

/// The key Enter (W3C, "WebDriver", keyboard actions).
pub(crate) const ENTER: &str = "\u{E007}";

/// The key Escape.
const ESCAPE: &str = "\u{E00C}";

/// The page of a platform; what it is made of is named by `data-testid`.
pub(crate) struct Page(pub(crate) Browser);

impl Page {
    /// Opens the page and has the customer bring a first message to the agent, which opens the conversation.
    pub(crate) async fn begun(platform: &Platform, text: &str) -> Self {
        let page = Self(Browser::open(&format!("{}/", platform.address)).await);
        page.until("document.querySelector('[data-testid=customer-input]')")
            .await;
        page.types("customer-input", text).await;
        page.click("customer-send").await;
        page.shows("customer-messages", text).await;
        page.shows("agent-messages", text).await;
        page
    }

    /// A new customer writes, and the agent opens the conversation.
    async fn pops_for(&self, name: &str, tenant: &str, upn: &str, matched: &str, texts: &[&str]) {
        self.click("new-chat").await;
        self.types("chat-name", name).await;
        self.types("chat-upn", upn).await;
        self.types("chat-tenant", tenant).await;
        self.click("chat-create").await;
        self.types("customer-input", &format!("It is {name}")).await;
        self.click("customer-send").await;
        let pill = format!(
            "[...document.querySelectorAll('#conversations .pill')].find(it => it.innerText.includes({name:?}))"
        );
        self.until(&format!("{pill} && ({pill}.click(), true)"))
            .await;
        self.shows("contact", name).await;
        self.pops(matched, texts).await;
    }

    /// Waits until the screen pop says how the customer was matched, and these texts.
    async fn pops(&self, matched: &str, texts: &[&str]) {
        let condition = format!(
            "it.dataset.matched === {matched:?} && {texts:?}.every(text => it.innerText.includes(text))"
        );
        self.has("[data-testid=screen-pop]", &condition).await;
    }

    pub(crate) async fn until(&self, expression: &str) {
        self.0.wait_for(expression, expression).await;
    }

    pub(crate) async fn types(&self, field: &str, text: &str) {
        self.0
            .type_into(&format!("[data-testid={field}]"), text)
            .await;
    }

    pub(crate) async fn click(&self, button: &str) {
        self.0.click(&format!("[data-testid={button}]")).await;
    }

    pub(crate) async fn shows(&self, area: &str, text: &str) {
        self.until(&format!(
            "document.querySelector('[data-testid={area}]')?.innerText.includes({text:?})"
        ))
        .await;
    }

    /// Waits until one of the elements with this selector fulfils a condition about `it`.
    pub(crate) async fn has(&self, selector: &str, condition: &str) {
        self.until(&format!(
            "[...document.querySelectorAll({selector:?})].some(it => {condition})"
        ))
        .await;
    }

    /// The id of the message with this text, once there is one whose elements match the selector.
    pub(crate) async fn message(&self, area: &str, text: &str, selector: &str) -> String {
        let script = format!(
            "[...document.querySelectorAll('[data-testid={area}] [data-message]')].find(message => \
             message.innerText.includes({text:?}) && message.querySelector({selector:?}))?.dataset.message"
        );
        let id = self.0.wait_for(&script, &script).await;
        id.as_str().expect("an id").to_owned()
    }

    /// Waits for a journey that has taken all of these hops.
    pub(crate) async fn journey(&self, hops: &[&str]) {
        let steps = "[...it.querySelectorAll('[data-hop]')].map(step => step.dataset.hop)";
        let condition = format!("{hops:?}.every(hop => {steps}.includes(hop))");
        self.has("[data-testid=journeys] [data-journey]", &condition)
            .await;
    }
}

#[tokio::test]
async fn a_conversation_goes_both_ways_in_the_page() {
    let platform = Platform::start(&[]).await;
    let page = Page::begun(&platform, "My invoice is wrong").await;
    page.types("agent-input", "Let me have a look").await;
    page.click("agent-send").await;
    page.shows("agent-messages", "Let me have a look").await;
    page.shows("customer-messages", "Let me have a look").await;
    page.journey(INBOUND).await;
    page.journey(OUTBOUND).await;
}

/// Everybody of the page is known to the CRM in another way, and who takes a big customer's address is shown to be nobody.
#[tokio::test]
async fn the_agent_sees_who_the_customer_is_and_nobody_who_only_claims_to_be() {
    let platform = Platform::start(&[]).await;
    let page = Page::begun(&platform, "It is Ada").await;
    page.pops(
        "contact",
        &[
            "Northwind Traders",
            "Platinum",
            "ada.kovacs@northwind.example",
            "verified",
        ],
    )
    .await;
    page.pops_for(
        "Kim Park",
        "Fabrikam",
        "",
        "account",
        &["Fabrikam, Inc.", "Silver"],
    )
    .await;
    const CEO: &str = "ceo@bigcustomer.example";
    page.pops_for(
        "Robin Vale",
        "Big Customer",
        CEO,
        "contact",
        &["Big Customer Group", "Strategic", CEO],
    )
    .await;
    let nobody = ["Not in the CRM", "Adventure Works", CEO, "not verified"];
    page.pops_for("Mallory Grey", "Adventure Works", CEO, "none", &nobody)
        .await;
    let shown =
        "!document.querySelector('[data-testid=screen-pop]').innerText.includes('Big Customer')";
    page.until(shown).await;
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
pub(crate) fn file(name: &str, content: &[u8]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).expect("a file to choose");
    path.to_str().expect("a readable path").to_owned()
}

#[tokio::test]
async fn pictures_files_and_code_stand_in_the_customers_chat() {
    let platform = Platform::start(&[]).await;
    let page = Page::begun(&platform, "It looks odd").await;
    page.until(&paste_picture("customer-input")).await;
    page.types("customer-files", &file("page-test.log", b"nothing to see"))
        .await;
    page.until("document.querySelectorAll('[data-testid=customer-tray] li').length === 2")
        .await;
    let text = "Like <b>this</b>";
    page.types("customer-input", text).await;
    page.click("customer-code").await;
    page.types("customer-input", &format!("if a < b {{{ENTER}  go()"))
        .await;
    page.click("customer-send").await;
    for carried in [
        ".picture[data-shown=true]",
        "a.file[download='page-test.log']",
    ] {
        page.message("customer-messages", text, carried).await;
    }
    let code = "it.textContent === 'if a < b {\\n  go()'";
    page.has("[data-testid=customer-messages] pre", code).await;
}

#[tokio::test]
async fn a_message_is_answered_reacted_to_edited_and_deleted() {
    let platform = Platform::start(&[]).await;
    let page = Page::begun(&platform, "Where is my parcel").await;
    let id = page
        .message(
            "customer-messages",
            "Where is my parcel",
            "[data-action=journey]",
        )
        .await;
    let own = |selector: &str| format!("[data-message='{id}'] {selector}");
    let press = async |button: &str| page.0.type_into(&own(button), ENTER).await;
    let present = async |selector: &str| page.has(&own(selector), "true").await;

    press("[data-action=react]").await;
    press("[data-react=heart]").await;
    present("[data-reaction='❤️']").await;

    press("[data-action=reply]").await;
    page.types("customer-input", &format!("It was due yesterday{ENTER}"))
        .await;
    let quoted = "it.innerText.includes('Where is my parcel')";
    page.has("[data-testid=customer-messages] .quote", quoted)
        .await;

    press("[data-action=edit]").await;
    page.types("customer-input", &format!(" 4711?{ENTER}"))
        .await;
    present("[data-edited]").await;
    page.shows("customer-messages", "Where is my parcel 4711?")
        .await;

    press("[data-action=delete]").await;
    present(".deleted").await;
}

#[tokio::test]
async fn payloads_are_pasted_on_both_sides() {
    let platform = Platform::start(&[]).await;
    let page = Page::begun(&platform, "How do I print").await;
    let open = "document.querySelector('[data-testid=paste-dialog]').open";
    page.click("customer-paste").await;
    page.until(open).await;
    page.types("paste-payload", "{ 'id': 1 }").await;
    page.click("paste-send").await;
    page.shows("paste-error", "This is no JSON").await;
    page.types("paste-payload", ESCAPE).await;
    page.until(&format!("!{open}")).await;

    let pastes = async |side: &str, payload: Value| {
        page.click(&format!("{side}-paste")).await;
        let field = "document.querySelector('[data-testid=paste-payload]')";
        page.until(&format!("{field} === document.activeElement"))
            .await;
        page.until(&format!("({field}.value = '', true)")).await;
        page.types("paste-payload", &payload.to_string()).await;
    };
    let message = |text: &str| {
        json!({ "id": "1767323045678", "createdDateTime": "2026-01-02T03:04:05.678Z",
        "lastEditedDateTime": if text == "On <b>both</b> sides" { Value::Null } else { json!("2026-01-02T03:05:00Z") },
        "body": { "contentType": "html", "content": text } })
    };
    pastes("customer", message("On <b>both</b> sides")).await;
    page.click("paste-send").await;
    page.until(&format!("!{open}")).await;
    page.shows("customer-messages", "On both sides").await;
    page.shows("agent-messages", "On both sides").await;
    pastes("customer", message("In colour")).await;
    page.click("paste-updated").await;
    page.click("paste-send").await;
    page.shows("agent-messages", "[edited] In colour").await;

    let webhook = json!({ "type": "Text", "text": "From the menu" });
    pastes("agent", webhook).await;
    page.click("paste-send").await;
    page.shows("agent-messages", "From the menu").await;
    page.shows("customer-messages", "From the menu").await;
    page.has("[data-receipt]", "it.dataset.receipt === 'Delivered'")
        .await;
}

#[tokio::test]
async fn the_agent_sends_a_picture_and_a_question_with_choices() {
    let platform = Platform::start(&[]).await;
    let page = Page::begun(&platform, "How do I print").await;
    let picture = STANDARD.decode(PICTURE).expect("base64");
    page.types("agent-files", &file("page-test.png", &picture))
        .await;
    page.types("agent-input", &format!("Press this one{ENTER}"))
        .await;
    page.message(
        "agent-messages",
        "Press this one",
        ".picture[data-shown=true]",
    )
    .await;

    page.click("agent-question").await;
    page.types("question-prompt", "Did that help?").await;
    page.types("question-choice-1", "Yes").await;
    page.types("question-choice-2", "Not yet").await;
    page.click("question-ask").await;
    page.until(
        "[...document.querySelectorAll('[data-testid=agent-messages] .choice-chip')]\
         .map(choice => choice.textContent).join() === 'Yes,Not yet'",
    )
    .await;
}

#[tokio::test]
async fn a_subscription_is_shown_and_what_graph_does_to_it_can_be_ordered() {
    let platform = Platform::start(&[]).await;
    let page = Page::begun(&platform, "Hello").await;
    page.click("show-subscriptions").await;
    page.shows("subscriptions", "created, updated, deleted")
        .await;
    let order = async |name: &str| {
        let button = format!("[data-testid=subscriptions] [data-action={name}]");
        page.0.click(&button).await;
    };
    order("reauthorize").await;
    let told = platform
        .until_logged("event", "lifecycle_notification", 1)
        .await;
    assert_eq!(told[0]["lifecycle"], "reauthorizationRequired");
    order("pause").await;
    page.has("[data-subscription]", "it.dataset.state === 'paused'")
        .await;
    page.click("subscriptions-close").await;
    page.types("customer-input", "Is anybody there?").await;
    page.click("customer-send").await;
    page.shows("customer-messages", "Is anybody there?").await;
    page.click("show-subscriptions").await;
    page.shows("subscriptions", "Held").await;
    order("go-on").await;
    page.shows("agent-messages", "Is anybody there?").await;
    order("forget").await;
    page.until("document.querySelectorAll('[data-subscription]').length === 0")
        .await;
    page.shows("subscriptions-dialog", "There is none").await;
}
