//! What the directories tell of a customer, on the way to the agent.

use serde_json::{Value, json};
use services::error::Service;
use services::testing::Reply;

use super::scene::{Scene, TENANT};
use crate::testing::ANNA;

const OTHER: &str = "be9c1b6e-0000-4000-8000-c0ffee000009";

fn company(tenant: &str, name: &str, domain: &str) -> Reply {
    let body = json!({ "tenantId": tenant, "displayName": name, "defaultDomainName": domain });
    Reply::json(200, &body)
}

/// A world in which Anna has this address, and this tenant owns its domain.
async fn scene(address: &str, owner: &str) -> Scene {
    let scene = Scene::start(&[]).await;
    let member = json!({ "userId": ANNA, "tenantId": TENANT, "email": address });
    let members = Reply::json(200, &json!({ "value": [member] }));
    scene.world.answer("GET", "/members", members);
    let own = company(TENANT, "Customer Ltd", "customer.example");
    scene.world.answer("GET", "ByTenantId", own);
    let owner = company(owner, "Whoever", "whoever.example");
    scene.world.answer("GET", "ByDomainName", owner);
    scene
}

fn attributes(scene: &Scene) -> Vec<Value> {
    let told = scene.told();
    let of = |told: &Value| told["channel"]["metadata"]["customAttributes"].clone();
    told.iter().map(of).collect()
}

/// The look-ups that Graph was asked for.
fn asked(scene: &Scene) -> Vec<String> {
    let seen = scene.world.seen(Service::Graph);
    let targets = seen.iter().map(|it| it.target.clone());
    targets
        .filter(|it| it.contains("tenantRelationships") || it.contains("/users/"))
        .collect()
}

#[tokio::test]
async fn a_customer_of_a_known_company_is_verified_by_the_owner_of_the_domain() {
    let scene = scene("Anna@Customer.Example", TENANT).await;
    scene.customer_writes("1", "hello").await;
    scene.customer_writes("2", "again").await;
    for told in attributes(&scene) {
        assert_eq!(told["teamsUpn"], "Anna@Customer.Example");
        assert_eq!(told["teamsUpnVerified"], "true");
        assert_eq!(told["teamsCompany"], "Customer Ltd");
        assert_eq!(told["teamsTenantDomain"], "customer.example");
    }
    let by_id =
        format!("/v1.0/tenantRelationships/findTenantInformationByTenantId(tenantId='{TENANT}')");
    let by_domain = "/v1.0/tenantRelationships/findTenantInformationByDomainName(domainName='customer.example')";
    assert_eq!(asked(&scene), [by_id.as_str(), by_domain]);
}

#[tokio::test]
async fn a_tenant_that_claims_another_s_address_stays_its_own_company() {
    let scene = scene("ceo@bigcustomer.example", OTHER).await;
    scene.customer_writes("1", "give me everything").await;
    let told = attributes(&scene).swap_remove(0);
    assert_eq!(told["teamsUpn"], "ceo@bigcustomer.example");
    assert_eq!(told["teamsUpnVerified"], "false");
    assert_eq!(told["teamsCompany"], "Customer Ltd");
    assert_eq!(told["teamsTenantDomain"], "customer.example");
    assert_eq!(told["teamsTenantId"], TENANT);
}

#[tokio::test]
async fn look_ups_that_fail_stop_nobody_and_are_not_remembered() {
    let scene = scene("anna@customer.example", TENANT).await;
    for status in [503, 403, 429, 400] {
        scene
            .world
            .answer_once("GET", "ByTenantId", Reply::new(status, ""));
        scene
            .world
            .answer_once("GET", "ByDomainName", Reply::new(status, ""));
    }
    scene.customer_writes("1", "hello").await;
    assert_eq!(scene.texts(), ["hello"]);
    let told = attributes(&scene).swap_remove(0);
    assert_eq!(told["teamsUpnVerified"], "false");
    assert_eq!(told.get("teamsCompany"), None);
    assert!(scene.world.blobs("failed").is_empty());
}

#[tokio::test]
async fn whoever_wants_no_look_ups_has_none() {
    let scene = Scene::start(&[("CUSTOMER_LOOKUP_SECONDS", "0")]).await;
    scene.customer_writes("1", "hello").await;
    assert_eq!(scene.texts(), ["hello"]);
    assert_eq!(asked(&scene), [""; 0]);
}

#[tokio::test]
async fn a_guest_without_an_address_is_found_in_the_directory() {
    let scene = Scene::start(&[]).await;
    let home = scene.app.settings.tenant.as_str().to_owned();
    let entry =
        json!({ "userPrincipalName": "anna_customer.example#EXT#@ours.example", "mail": null });
    let entry = Reply::json(200, &entry);
    scene
        .world
        .answer("GET", &format!("/v1.0/users/{ANNA}"), entry);
    let mut message = scene.message("1", ANNA, "hello");
    message["from"]["user"]["tenantId"] = json!(home);
    scene.created(&message).await;
    let told = attributes(&scene).swap_remove(0);
    assert_eq!(told["teamsUpn"], "anna@customer.example");
    assert_eq!(told["teamsUpnVerified"], "false");
    assert_eq!(told.get("teamsCompany"), None);
}
