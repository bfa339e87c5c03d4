//! Text both ways, in one-to-one and group chats, within and after the window; questions with choices.

use end_to_end::platform::{IMPATIENT, OTHER_POLICIES, TALKATIVE};
use end_to_end::{Customer, Platform, Talk, view};
use reqwest::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

#[tokio::test]
async fn one_search_shows_a_message_s_whole_life_and_no_log_names_people() {
    let platform = Platform::start(TALKATIVE).await;
    let anna = Talk::new(&platform, "Annabella");
    anna.writes("<p>My private order &amp; my invoice</p>")
        .await;
    anna.agent_sees(&["My private order & my invoice"]).await;
    let conversation = platform.conversations().await.swap_remove(0);
    let (
        Customer {
            user, tenant, upn, ..
        },
        attributes,
    ) = (&anna.customer, &conversation["attributes"]);
    assert_eq!(attributes["teamsTenantId"], tenant.as_str());
    assert_eq!(attributes["teamsUserId"], user.as_str());
    assert_eq!(attributes["teamsUpn"], upn.as_str());

    let answer = anna.agent_writes("It <is> privately on its way").await;
    anna.sees(&["It <is> privately on its way"]).await;
    assert_eq!(platform.until_receipt(&answer).await, ["Delivered"]);
    platform.until_idle().await;
    platform.assert_nothing_failed().await;

    let logs = platform.logs_of_journeys("inbound-graph").await;
    let everything: String = logs.iter().map(Value::to_string).collect();
    let secrets = ["private", "Annabella", "annabella@", "eyJ"];
    for secret in secrets
        .into_iter()
        .chain([user.as_str(), tenant, &anna.chat])
    {
        assert!(!everything.contains(secret), "a log line holds {secret:?}");
    }
}

#[tokio::test]
async fn somebody_without_an_entra_id_is_answered_like_anybody() {
    let platform = Platform::shared().await;
    let cora = Customer::personal("Cora");
    let cora = Talk::at(&platform, cora, platform.account.clone());
    cora.writes("<p>My order did not arrive</p>").await;
    cora.agent_sees(&["My order did not arrive"]).await;
    let conversations = platform.conversations().await;
    let mut conversations = conversations.iter();
    let conversation = conversations.find(|it| it["thread"] == cora.thread.as_str());
    let conversation = conversation.expect("a conversation");
    let attributes = &conversation["attributes"];
    assert_eq!(attributes["teamsUserId"], cora.customer.user.as_str());
    assert_eq!(attributes["teamsUserType"], "personalMicrosoftAccountUser");
    let answer = cora.agent_writes("It is on its way").await;
    cora.sees(&["It is on its way"]).await;
    assert_eq!(platform.until_receipt(&answer).await, ["Delivered"]);
    cora.writes("<p>Thanks</p>").await;
    cora.agent_sees(&["My order did not arrive", "Thanks"])
        .await;
}

#[tokio::test]
async fn a_group_chat_is_one_conversation_with_names() {
    let platform = Platform::shared_with(OTHER_POLICIES).await;
    let anna = Talk::group(&platform, "Anna");
    let bert = anna.joined_by("Bert");
    anna.writes("<p>first</p><p>Bert: faked</p>").await;
    bert.writes("<p>second</p>").await;
    let messages = anna.until_inbound(2).await;
    let texts = view::texts(&messages);
    assert!(texts[0].starts_with("Anna: first"), "{texts:?}");
    let mut more = texts[0].lines().skip(1);
    assert!(
        more.all(|line| line.is_empty() || line.starts_with("  ")),
        "{texts:?}"
    );
    assert_eq!(texts[1], "Bert: second");
    let attributes = &platform.conversations().await[0]["attributes"];
    assert_eq!(attributes["teamsUserId"], anna.customer.user.as_str());
    anna.agent_writes("hello both").await;
    anna.sees(&["hello both"]).await;
}

#[tokio::test]
async fn a_group_is_heard_when_the_support_account_is_mentioned_and_chooses_so_too() {
    let platform = Platform::shared().await;
    let anna = Talk::group(&platform, "Anna");
    let mention = json!({ "mention": true });
    anna.writes("<p>among ourselves</p>").await;
    anna.writes_with("<p>please help</p>", mention.clone())
        .await;
    let messages = anna.until_inbound(1).await;
    assert!(view::text(&messages[0], "text").contains("please help"));
    anna.agent_asks(&["Yes", "No"]).await;
    anna.writes_with("<p>2</p>", mention).await;
    let messages = anna.until_inbound(2).await;
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[1]["button"]["text"], "No");
}

#[tokio::test]
async fn a_flow_that_answers_at_once_finds_the_chat() {
    let platform = Platform::start(&["--genesys-greeting", "Welcome!"]).await;
    let anna = Talk::new(&platform, "Anna");
    anna.writes("<p>hello</p>").await;
    anna.sees(&["Welcome!"]).await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn after_the_window_a_new_thread_starts_where_that_is_the_policy() {
    let platform = Platform::shared_with(OTHER_POLICIES).await;
    let anna = Talk::new(&platform, "Anna");
    let writes = async |hours: i64, text: &str| {
        let then = OffsetDateTime::now_utc() - Duration::hours(hours);
        let then = then.format(&Rfc3339).expect("a time");
        anna.writes_with(text, json!({ "created": then })).await;
    };
    writes(60, "first").await;
    writes(50, "second").await;
    anna.agent_sees(&["first", "second"]).await;
    anna.writes("third").await;
    let mut next = anna.clone();
    next.thread += ":1";
    next.agent_sees(&["third"]).await;
    // What Teams delivers late belongs to the thread that is open now, with its own time.
    writes(40, "late").await;
    next.agent_sees(&["third", "late"]).await;
    next.agent_writes("answer").await;
    anna.sees(&["answer"]).await;
}

#[tokio::test]
async fn an_agent_s_message_to_nobody_ends_in_failed_with_a_receipt() {
    let platform = Platform::shared_with(IMPATIENT).await;
    let stranger = Talk::new(&platform, "Nobody");
    // There is a conversation, but no chat that the bridge knows.
    let lost = stranger.agent_writes("anyone?").await;
    let receipt = platform.until_receipt(&lost).await;
    assert_eq!(receipt, ["Failed:InvalidDestination"]);
    assert_eq!(platform.until_failed(1).await, ["thread_unknown"]);
}

#[tokio::test]
async fn a_message_above_the_queue_s_limit_goes_through_blob() {
    let platform = Platform::shared().await;
    let anna = Talk::new(&platform, "Anna");
    // Attributes make the notification large while the text that the agent reads stays short.
    let title = "x".repeat(200_000);
    let html = format!("<p>short text</p><p><span title=\"{title}\"> and its end</span></p>");
    anna.writes(&html).await;
    let messages = anna.until_inbound(1).await;
    let text = view::text(&messages[0], "text");
    assert!(
        text.contains("short text") && text.contains("and its end"),
        "{text}"
    );
}

#[tokio::test]
async fn a_number_answers_a_quick_reply_question() {
    let platform = Platform::shared().await;
    let anna = Talk::begun(&platform, "Anna").await;
    let question = anna.agent_asks(&["My order", "My invoice"]).await;
    let posts = anna.until_posts(1).await;
    let html = view::text(&posts[0], "html");
    assert!(
        html.contains("<ol>") && html.contains("<li>My invoice"),
        "{html}"
    );

    anna.writes("<p>2</p>").await;
    let messages = anna.until_inbound(2).await;
    let button = &messages[1]["button"];
    assert_eq!(button["type"], "QuickReply");
    assert_eq!(button["text"], "My invoice");
    assert_eq!(button["payload"], "payload of My invoice");
    assert_eq!(button["originating"], question.as_str());
    // It is answered: the next number is only a number.
    anna.writes("<p>1</p>").await;
    let messages = anna.until_inbound(3).await;
    assert_eq!(messages[2]["text"], "1");
    assert_eq!(messages[2]["button"], Value::Null);
}

#[tokio::test]
async fn a_choice_that_genesys_refuses_goes_as_text() {
    let platform = Platform::shared().await;
    let anna = Talk::begun(&platform, "Anna").await;
    anna.agent_asks(&["Yes", "No"]).await;
    let refused = json!({ "service": "genesys", "path": "structured/response", "body": anna.thread, "status": 404 });
    platform.faults(json!([refused])).await;
    anna.writes("<p>2</p>").await;
    anna.agent_sees(&["hello", "No"]).await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_company_is_known_by_its_tenant_and_an_address_by_the_owner_of_its_domain() {
    let platform = Platform::shared().await;
    let big = Customer::new("Boss");
    let domain = format!("{}.example", big.tenant);
    let tenant = json!({ "name": "Big Customer", "domains": [domain] });
    let path = format!("/local/graph/tenants/{}", big.tenant);
    platform.call(Method::PUT, &path, Some(&tenant)).await;
    // The CRM knows the company by its web site.
    let account = json!({ "Name": "The Big Customer", "Type": "Gold", "Website": format!("https://{domain}") });
    let path = format!("/local/crm/Account/{}", big.tenant);
    platform.call(Method::PUT, &path, Some(&account)).await;
    let address = format!("ceo@{domain}");
    // The very same address: at home there, and taken by somebody of another tenant, whom the directories do not know.
    let evil = Customer {
        upn: address.clone(),
        ..Customer::new("Mallory")
    };
    let big = Customer {
        upn: address.clone(),
        ..big
    };
    for (customer, verified, company, pop) in [
        (
            big,
            "true",
            Some("Big Customer"),
            ["account", "The Big Customer", "Gold"],
        ),
        (evil, "false", None, ["none", "", ""]),
    ] {
        let tenant = customer.tenant.clone();
        let talk = Talk::at(&platform, customer, platform.account.clone());
        talk.writes("hello").await;
        talk.agent_sees(&["hello"]).await;
        let conversations = platform.conversations().await;
        let of_talk = |it: &&Value| it["attributes"]["teamsTenantId"] == tenant.as_str();
        let conversation = conversations.iter().find(of_talk).expect("a conversation");
        let attributes = &conversation["attributes"];
        assert_eq!(attributes["teamsUpn"], address.as_str());
        assert_eq!(attributes["teamsUpnVerified"], verified);
        assert_eq!(attributes["teamsCompany"].as_str(), company);
        let popped = &conversation["screen_pop"];
        assert_eq!(
            ["matched", "account", "tier"].map(|it| view::text(popped, it)),
            pop
        );
        assert_eq!(popped["company"].as_str(), company);
        assert_eq!(popped["is_address_verified"], verified == "true");
        assert_eq!(popped["problems"], json!([]));
    }
}

#[tokio::test]
async fn directories_that_do_not_answer_hold_a_message_no_longer_than_the_setting_says() {
    let platform = Platform::start(&["--set=CUSTOMER_LOOKUP_SECONDS=1"]).await;
    let slow = json!([{ "service": "graph", "path": "tenantRelationships", "delay_ms": 30_000 }]);
    platform.faults(slow).await;
    let anna = Talk::new(&platform, "Anna");
    let begun = std::time::Instant::now();
    anna.writes("hello").await;
    anna.agent_sees(&["hello"]).await;
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    platform
        .until_logged("event", "customer_lookup_failed", 1)
        .await;
    // Nobody waits for them again with the next message.
    anna.writes("again").await;
    anna.agent_sees(&["hello", "again"]).await;
    platform.assert_nothing_failed().await;
}
