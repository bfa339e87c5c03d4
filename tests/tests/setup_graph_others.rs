//! What other people do with registrations while an administrator sets the Graph app up: they take its name, add to it, delete it, or
//! have one that the file names by mistake.

use reqwest::Method;
use serde_json::{Value, json};

use crate::setup_graph::{MANAGER, REGISTRATIONS, SUPPORT, Setup};

/// The key under which the set-up makes the registration, as its plan tells.
async fn unique_name(setup: &Setup) -> String {
    let plan = setup.done(&["graph", "--plan"]).await;
    let (_, rest) = plan.split_once("(graph-to-open-").expect("the name");
    let (rest, _) = rest.split_once(')').expect("its end");
    format!("graph-to-open-{rest}")
}

async fn delete(setup: &Setup, app: &Value) {
    let app = app["appId"].as_str().expect("an id");
    let path = format!("{REGISTRATIONS}/{app}");
    setup.platform.call(Method::DELETE, &path, None).await;
}

/// The line of the application id as a person writes it.
fn name(setup: &Setup, app: &Value) {
    let line = format!("graph_client_id = {}\n", app["appId"]);
    setup.edit(|text| format!("{text}{line}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_somebody_else_prepared_is_given_nothing() {
    let setup = Setup::fresh(&[]).await;
    let name_of_ours = unique_name(&setup).await;
    let issuer = "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000002/v2.0";
    let credential = json!({
        "id": "c", "name": "managed-identity", "issuer": issuer, "subject": "theirs",
        "audiences": ["api://AzureADTokenExchange"],
    });
    let web = json!({ "redirectUris": ["https://theirs.example/api/sign-in"] });
    let prepared = json!({
        "uniqueName": name_of_ours,
        "fields": {
            "displayName": "Graph-to-Open (rg-local)", "signInAudience": "AzureADMyOrg", "web": web,
            "spa": { "redirectUris": ["https://page.example"] },
        },
        "secrets": ["Graph-to-Open secret-rotation"],
        "certificates": [{ "keyId": "certificate-1" }],
        "credentials": [credential],
        "owners": ["00000000-0000-0000-0000-00000000abcd"],
        "principal": [{ "keyId": "of-the-principal" }],
    });
    let app = setup.platform.post(REGISTRATIONS, prepared.clone()).await;
    let says = [
        "ACT     app registration",
        "1 client secrets",
        "certificate-1",
        "theirs of https://login",
        "https://theirs.example/api/sign-in",
        "https://page.example",
        "00000000-0000-0000-0000-00000000abcd",
        "of-the-principal",
        "put graph_client_id = ",
    ];
    for words in [&["graph", "--plan"][..], &["graph"]] {
        setup.left(words, &says).await;
        let all = setup.registered().await;
        let granted = (&all["grants"], &all["assignments"], &all["writes"]);
        assert_eq!(granted, (&json!([]), &json!([]), &json!(0)), "{all}");
        assert_eq!(setup.known("graph_client_id"), None);
    }
    // Whoever puts it into the file takes it on purpose, and is told what is there besides.
    name(&setup, &app);
    let says = [
        "made    Chat.Read.All of the app",
        "https://theirs.example/api/sign-in",
        "ACT     app registration: 1 redirect addresses that need no credential",
        "ACT     app registration: 1 certificates",
        "ACT     app registration: 1 federated credentials",
        "ACT     app registration: 1 owners",
        "ACT     app registration: 1 credentials of the service principal",
        "removed client secrets of the registration",
    ];
    setup.left(&["graph"], &says).await;
    setup.assert_complete(&[SUPPORT]).await;
    // What has our unique name is ours to remove.
    setup.done(&["graph", "--remove"]).await;
    // Somebody takes the name between the look and the making.
    let setup = Setup::fresh(&[]).await;
    let hold = json!({
        "service": "graph", "method": "PATCH", "path": "/applications(uniqueName=", "delay_ms": 3_000, "times": 1,
    });
    let order = json!({ "rules": [hold] });
    let fault = setup.platform.post("/local/faults", order).await;
    let fault = format!("/local/faults/{}", fault["id"]);
    let take = async {
        while setup.platform.get(&fault).await["strikes"] == json!([0]) {
            tokio::task::yield_now().await;
        }
        setup.platform.post(REGISTRATIONS, prepared).await
    };
    let says = ["ACT     app registration", "theirs of https://login"];
    tokio::join!(setup.left(&["graph"], &says), take);
    let all = setup.registered().await;
    assert_eq!(
        (&all["grants"], &all["assignments"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(setup.known("graph_client_id"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_ours_is_removed() {
    let setup = Setup::fresh(&[]).await;
    let fields = json!({ "displayName": "Payroll", "web": { "redirectUris": [] } });
    let theirs = json!({ "uniqueName": "payroll", "fields": fields });
    let theirs = setup.platform.post(REGISTRATIONS, theirs).await;
    name(&setup, &theirs);
    let says = [
        "ACT     app registration",
        "is left alone",
        "App registrations",
    ];
    for words in [&["graph", "--remove", "--plan"][..], &["graph", "--remove"]] {
        setup.left(words, &says).await;
    }
    delete(&setup, &theirs).await;
    let says = ["ACT     app registration", "Deleted applications"];
    setup.left(&["graph", "--remove"], &says).await;
    let all = setup.registered().await;
    assert_eq!(all["deleted"], json!([theirs["appId"]]), "not purged");
    assert_eq!(
        setup.known("graph_client_id"),
        Some(theirs["appId"].clone())
    );
    // One that trusts the managed identity is ours under any name.
    let setup = Setup::start(&[]).await;
    setup.done(&["graph"]).await;
    let printed = setup.done(&["graph", "--remove"]).await;
    assert!(printed.contains("removed app registration"), "{printed}");
    let all = setup.registered().await;
    assert_eq!(
        (&all["applications"], &all["deleted"]),
        (&json!([]), &json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_was_deleted_and_not_purged_is_found_and_purged() {
    let setup = Setup::fresh(&[]).await;
    setup.done(&["graph"]).await;
    let app = setup.registered().await["applications"][0].clone();
    delete(&setup, &app).await;
    let says = ["which was deleted", "handler setup graph --remove"];
    setup.left(&["graph"], &says).await;
    // Also where the line is taken out.
    setup.edit(|text| {
        let lines = text.lines().filter(|it| !it.starts_with("graph_client_id"));
        lines.map(|line| format!("{line}\n")).collect()
    });
    setup
        .put(
            &format!("{MANAGER}/settings"),
            json!({ "GRAPH_CLIENT_ID": "" }),
        )
        .await;
    let id = app["appId"].as_str().expect("an id");
    let says = [
        "ACT     app registration: none can be made",
        id,
        "restore it",
    ];
    setup.left(&["graph"], &says).await;
    assert_eq!(setup.registered().await["applications"], json!([]));
    let printed = setup.done(&["graph", "--remove"]).await;
    assert!(printed.contains("removed app registration"), "{printed}");
    setup.done(&["graph"]).await;
    setup.assert_complete(&[SUPPORT]).await;
    // A removal whose last answer was lost leaves an id that the next one takes out.
    let lost = json!({ "service": "graph", "method": "DELETE", "path": "/deletedItems/", "drop": "after", "times": 1 });
    setup.platform.faults(json!([lost])).await;
    let (code, printed) = setup.run(&["graph", "--remove"]).await;
    assert_eq!(code, 1, "{printed}");
    assert_ne!(setup.known("graph_client_id"), Some(json!("")));
    let plan = setup.done(&["graph", "--remove", "--plan"]).await;
    assert!(
        plan.contains("would set the file: graph_client_id"),
        "{plan}"
    );
    let printed = setup.done(&["graph", "--remove"]).await;
    assert!(printed.contains("there is none"), "{printed}");
    assert_eq!(setup.known("graph_client_id"), Some(json!("")));
    setup.done(&["graph"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_removed_is_gone_and_can_be_made_again() {
    let setup = Setup::fresh(&[]).await;
    setup.put(REGISTRATIONS, json!({ "lag": 2 })).await;
    setup.done(&["graph"]).await;
    let before = setup.registered().await["writes"].clone();
    let plan = setup.done(&["graph", "--remove", "--plan"]).await;
    assert!(plan.contains("would remove app registration"), "{plan}");
    assert_eq!(setup.registered().await["writes"], before);
    setup.hold(&["Application Developer"]).await;
    let who = ["you may not delete it", "Application Administrator"];
    setup.left(&["graph", "--remove"], &who).await;
    setup.hold(&["Global Administrator"]).await;
    let printed = setup.done(&["graph", "--remove"]).await;
    assert!(printed.contains("removed app registration"), "{printed}");
    let all = setup.registered().await;
    for name in ["applications", "grants", "assignments"] {
        assert_eq!(all[name], json!([]), "{all}");
    }
    assert_eq!(setup.known("graph_client_id"), Some(json!("")));
    let again = setup.done(&["graph", "--remove"]).await;
    assert!(again.contains("there is none"), "{again}");
    // Its unique name is free.
    setup.done(&["graph"]).await;
    setup.assert_complete(&[SUPPORT]).await;
}
