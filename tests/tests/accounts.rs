//! Several Support Users: each has chats, lanes and tokens of its own.

use end_to_end::{Account, Chat, Customer, Platform, view};
use reqwest::Method;
use serde_json::{Value, json};

const SALES_USER: &str = "00000000-0000-0000-0000-0000000000aa";

async fn with_two_accounts() -> Platform {
    let support = Account::default();
    let accounts = format!(
        "SUPPORT_ACCOUNTS={}={},sales={SALES_USER}",
        support.name, support.user
    );
    Platform::start(&["--set", &accounts, "--set", "RETRY_FLOOR_SECONDS=0"]).await
}

async fn posts_of(platform: &Platform, chat: &Chat, user: &str) -> Vec<String> {
    view::chat_texts(&platform.chat(chat).await, user)
}

#[tokio::test]
async fn one_customer_writes_to_two_support_users() {
    // Two Support Users of one bridge.
    let (support, sales) = (Platform::shared().await, Platform::shared().await);
    let anna = Customer::new("Anna");
    let (to_support, to_sales) = (Chat::one_on_one(&anna), Chat::one_on_one(&anna));
    support
        .customer_writes(&to_support, &anna, "it is broken")
        .await;
    sales.customer_writes(&to_sales, &anna, "I want two").await;
    let (support_thread, sales_thread) = (support.thread_of(&anna), sales.thread_of(&anna));
    assert_ne!(support_thread, sales_thread);
    support
        .until_agent_sees(&support_thread, &["it is broken"])
        .await;
    sales.until_agent_sees(&sales_thread, &["I want two"]).await;
    sales.agent_writes(&sales_thread, "two it is").await;
    support.agent_writes(&support_thread, "we mend it").await;
    support
        .until_customer_sees(&to_support, &["we mend it"])
        .await;
    sales.until_customer_sees(&to_sales, &["two it is"]).await;
}

#[tokio::test]
async fn an_account_that_must_sign_in_again_waits_alone_and_loses_nothing() {
    let platform = with_two_accounts().await;
    let (anna, bert) = (Customer::new("Anna"), Customer::new("Bert"));
    let (support, sales) = (Chat::one_on_one(&anna), Chat::one_on_one(&bert));
    platform.customer_writes(&support, &anna, "hello").await;
    platform
        .customer_writes_with(
            &sales,
            &bert,
            "hello",
            json!({ "support_account": "sales" }),
        )
        .await;
    let (anna_thread, bert_thread) = (
        format!("teams:support:{}", anna.user),
        format!("teams:sales:{}", bert.user),
    );
    platform.until_agent_sees(&anna_thread, &["hello"]).await;
    platform.until_agent_sees(&bert_thread, &["hello"]).await;

    // The session of one account is revoked, and its token with it.
    let path = "/local/key-vault/secrets/graph-refresh-token-sales";
    let good = platform.get(path).await;
    let put = async |body: &Value| {
        let (status, answer) = platform.request(Method::PUT, path, Some(body)).await;
        assert!(status.is_success(), "{answer}");
    };
    put(&json!({ "value": "revoked" })).await;
    platform.post("/local/handler/kill", json!({})).await;
    platform.agent_writes(&bert_thread, "waits").await;
    platform.agent_writes(&anna_thread, "goes on").await;
    platform.until_customer_sees(&support, &["goes on"]).await;
    platform
        .until("the wish to sign in", async || {
            let logs = platform.logs().await;
            logs.iter()
                .any(|line| line["kind"] == "sign_in_needed")
                .then_some(())
        })
        .await;
    assert_eq!(platform.failed().await, Vec::<Value>::new());

    put(&json!({ "value": good["value"] })).await;
    platform
        .until("the message that waited", async || {
            (posts_of(&platform, &sales, SALES_USER).await == ["waits"]).then_some(())
        })
        .await;
}
