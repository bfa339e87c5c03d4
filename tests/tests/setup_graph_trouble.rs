//! Answers of Entra ID and of the vault that the set-up of the Graph app must not take for what they are not.

use end_to_end::view;
use serde_json::json;

use crate::setup_graph::{REGISTRATIONS, SUPPORT, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_directory_is_asked_again_and_nothing_is_taken_for_done() {
    let setup = Setup::start(&[]).await;
    setup.done(&["graph"]).await;
    let busy = |method: &str, path: &str| {
        json!({
            "service": "graph", "method": method, "path": path, "status": 409, "code": "Directory_ConcurrencyViolation",
            "times": 1,
        })
    };
    let rules = [
        busy("PATCH", "/applications/"),
        busy("DELETE", "/appRoleAssignedTo/"),
    ];
    setup.platform.faults(json!(rules)).await;
    setup.edit(|text| format!("{text}subscription_access = \"delegated\"\n"));
    let printed = setup.done(&["graph"]).await;
    assert!(printed.contains("set     app registration"), "{printed}");
    let all = setup.registered().await;
    assert_eq!(all["assignments"], json!([]));
    let asked = all["applications"][0]["fields"]["requiredResourceAccess"].to_string();
    assert!(!asked.contains("\"Role\""), "{asked}");
    // It lasts: told, and nothing is said to be set.
    let mut lasting = busy("PATCH", "/applications/");
    lasting["times"] = json!(1000);
    setup.platform.faults(json!([lasting])).await;
    setup.edit(|text| text.replace("= \"delegated\"", "= \"application\""));
    let says = ["ACT     app registration", "at the same time"];
    setup.left(&["graph", "--wait", "2"], &says).await;
    // An absurd wish is obeyed as long as there is time, and none is no reason to hurry.
    let asks = |seconds: u64| {
        json!({
            "service": "graph", "method": "PATCH", "path": "/applications/", "status": 429, "retry_after": seconds,
            "times": 1,
        })
    };
    for seconds in [0, u64::MAX] {
        setup.platform.faults(json!([asks(seconds)])).await;
        setup.edit(|text| match seconds {
            0 => text,
            _ => text.replace("= \"application\"", "= \"delegated\""),
        });
        let printed = setup.done(&["graph", "--wait", "2"]).await;
        assert!(printed.contains("set     app registration"), "{printed}");
    }
    setup.platform.faults(json!([])).await;
    setup.assert_complete(&[SUPPORT]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_and_the_registration_never_disagree_about_the_first_secret() {
    let vault = "/local/key-vault/secrets/graph-client-secret";
    let setup = Setup::fresh(&["--no-secret=graph-client-secret"]).await;
    setup.edit(|text| format!("{text}graph_client_authentication = \"secret\"\n"));
    let put = |rest: serde_json::Value| {
        let mut rule = json!({ "service": "key-vault", "method": "PUT", "path": "/graph-client-secret", "times": 1 });
        for (name, value) in rest.as_object().into_iter().flatten() {
            rule[name] = value.clone();
        }
        json!([rule])
    };
    let secrets = async || setup.registered().await["applications"][0]["secrets"].clone();
    let held = async || view::text(&setup.platform.get(vault).await, "value").to_owned();
    // Not written, as far as anybody can tell.
    setup.platform.faults(put(json!({ "status": 503 }))).await;
    let says = [
        "ACT     Key Vault, secret graph-client-secret",
        "removed again",
    ];
    setup.left(&["graph"], &says).await;
    assert_eq!(
        (secrets().await, held().await),
        (json!(0), "none".to_owned())
    );
    // Certainly not written.
    setup.platform.faults(put(json!({ "status": 403 }))).await;
    setup.left(&["graph"], &says).await;
    assert_eq!(
        (secrets().await, held().await),
        (json!(0), "none".to_owned())
    );
    // Written, and only the answer lost.
    setup.platform.faults(put(json!({ "drop": "after" }))).await;
    let printed = setup.done(&["graph"]).await;
    assert!(
        printed.contains("made    Key Vault, secret graph-client-secret"),
        "{printed}"
    );
    let first = held().await;
    assert!(secrets().await == json!(1) && first.len() > 20);
    // What Graph cannot list is not taken for present; what it does not list any more is made anew.
    let unlisted = json!({
        "service": "graph", "method": "GET", "path": "?$select=passwordCredentials", "status": 403, "times": 1,
    });
    setup.platform.faults(json!([unlisted])).await;
    let says = ["client secrets of the registration", "you may not read it"];
    setup.left(&["graph"], &says).await;
    let all = setup.registered().await;
    let id = view::text(&all["applications"][0], "id").to_owned();
    setup
        .put(REGISTRATIONS, json!({ "end_secrets_of": id }))
        .await;
    let printed = setup.done(&["graph", "--wait", "1"]).await;
    assert!(
        printed.contains("made    Key Vault, secret graph-client-secret"),
        "{printed}"
    );
    assert!(secrets().await == json!(1) && held().await != first);
    let again = setup.done(&["graph"]).await;
    assert!(again.ends_with("nothing to do\n"), "{again}");
}
