//! A Support User signs in in the browser: clicked through, with the links that the handler makes.

use end_to_end::browser::Page;
use end_to_end::{Platform, Talk};
use serde_json::json;

/// Somebody of the tenant who is no Support User.
const COLLEAGUE: &str = "00000000-0000-0000-0000-0000000000c0";

/// The link that `handler sign-in` prints for the test's account.
async fn link(platform: &Platform) -> String {
    let printed = platform.run(&["sign-in", &platform.account.name]).await;
    let link = printed.lines().last().unwrap_or_default();
    assert!(link.starts_with(&platform.address), "{printed}");
    link.to_owned()
}

#[track_caller]
fn assert_shows(page: &Page, status: u16, says: &str) {
    assert_eq!(page.status, status, "{}", page.text);
    assert!(page.text.contains(says), "{}", page.text);
}

#[tokio::test]
async fn a_revoked_support_user_signs_in_and_what_waited_is_posted() {
    let platform = Platform::start(&["--set=RETRY_FLOOR_SECONDS=0"]).await;
    let anna = Talk::new(&platform, "Anna");
    anna.writes("it is broken").await;
    anna.agent_sees(&["it is broken"]).await;
    let user = &platform.account.user;
    let revoked = platform
        .post("/local/entra/revoke", json!({ "user": user }))
        .await;
    assert_ne!(revoked["revoked"], 0);
    // A token of before would serve for up to an hour.
    platform.kill_handler().await;
    anna.agent_writes("waits").await;
    platform.until_logged("event", "sign_in_needed", 1).await;
    platform.assert_nothing_failed().await;

    let choice = Page::open(&platform, &link(&platform).await).await;
    let done = choice.press(&platform, "user", user).await;
    assert_shows(
        &done,
        200,
        "Name of support (support@contoso.example) is signed in",
    );
    anna.sees(&["waits"]).await;
    platform.assert_nothing_failed().await;

    // The same address again, as a browser's history has it.
    let again = Page::open(&platform, done.url.as_str()).await;
    assert_shows(&again, 410, "This answer came a second time");

    let printed = platform.run(&["sign-out", "support"]).await;
    assert!(printed.contains("signed out: support"), "{printed}");
    platform.kill_handler().await;
    anna.agent_writes("waits again").await;
    platform.until_logged("code", "no_refresh_token", 1).await;
    let choice = Page::open(&platform, &link(&platform).await).await;
    let done = choice.press(&platform, "user", user).await;
    assert_shows(&done, 200, "is signed in");
    anna.sees(&["waits", "waits again"]).await;
}

#[tokio::test]
async fn who_should_not_or_would_not_sign_in_changes_nothing() {
    let platform = Platform::shared().await;
    let name = &platform.account.name;
    let secret = format!("/local/key-vault/secrets/graph-refresh-token-{name}");
    let before = platform.get(&secret).await;

    let first = link(&platform).await;
    let choice = Page::open(&platform, &first).await;
    let wrong = choice.press(&platform, "user", COLLEAGUE).await;
    assert_shows(&wrong, 403, "is not the Support User");
    let used = Page::open(&platform, &first).await;
    assert_shows(&used, 410, "This link was opened before");

    let choice = Page::open(&platform, &link(&platform).await).await;
    let cancelled = choice.press(&platform, "cancel", "yes").await;
    assert_shows(&cancelled, 400, "was cancelled");

    let older = link(&platform).await;
    let under_way = Page::open(&platform, &link(&platform).await).await;
    let newer = link(&platform).await;
    assert_shows(&Page::open(&platform, &older).await, 410, "A newer link");
    let user = &platform.account.user;
    let late = under_way.press(&platform, "user", user).await;
    assert_shows(&late, 410, "while this sign-in was under way");
    assert_eq!(platform.get(&secret).await, before);

    let choice = Page::open(&platform, &newer).await;
    let done = choice.press(&platform, "user", user).await;
    assert_shows(&done, 200, "is signed in");
    assert_ne!(platform.get(&secret).await, before);
}
