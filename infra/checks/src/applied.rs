//! `infra/genesys` applied with the real provider, to the organisation that the local platform plays: one apply, a second plan that
//! is empty, and nothing left after destroy; and the role of a pipeline's client, which is exactly what the calls take.

use std::collections::BTreeSet;
use std::sync::Arc;

use local::genesys::{self, Genesys};
use local::shared::serve;
use local::shared::tls::CertificateAuthority;
use local::world::{Config, Endpoints, World};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::genesys::LOCAL;
use crate::inputs;
use crate::terraform::Staged;
use crate::tool::printed;

const WEBHOOK_SECRET: (&str, &str) = ("TF_VAR_webhook_secret", "0123456789abcdef0123456789abcdef");

/// What `handler setup genesys` needs beside what Terraform does.
const OF_THE_HANDLER: [&str; 3] = [
    "conversation:threadingTimeline:edit",
    "conversation:threadingTimeline:view",
    "routing:message:manage",
];

const SALESFORCE: &[(&str, &str)] = &[
    ("TF_VAR_crm", "salesforce"),
    ("TF_VAR_salesforce_url", "https://example.my.salesforce.com"),
    ("TF_VAR_salesforce_client_id", "a-consumer-key"),
    ("TF_VAR_salesforce_client_secret", "a-consumer-secret"),
];
const DYNAMICS: &[(&str, &str)] = &[
    ("TF_VAR_crm", "dynamics"),
    ("TF_VAR_dynamics_url", "https://example.crm4.dynamics.com"),
    (
        "TF_VAR_dynamics_tenant_id",
        "00000000-0000-4000-8000-000000000003",
    ),
    (
        "TF_VAR_dynamics_client_id",
        "00000000-0000-4000-8000-000000000004",
    ),
    ("TF_VAR_dynamics_client_secret", "a-client-secret"),
];
const ENDED: &[(&str, &str)] = &[
    (
        "TF_VAR_conversation_ended_url",
        "https://func-example.azurewebsites.net/api/genesys/conversation-ended",
    ),
    ("TF_VAR_conversation_ended_key", "a-function-key"),
    (
        "TF_VAR_conversation_ended_secret",
        "0123456789abcdef0123456789abcdef",
    ),
];

/// An organisation of its own, and the configuration that is applied to it.
struct Scene {
    staged: Staged,
    genesys: Arc<Genesys>,
    _runtime: Runtime,
}

impl Scene {
    fn new() -> Option<Self> {
        let runtime = Runtime::new().expect("a runtime");
        let listener = serve::bind(0).expect("a port");
        let port = serve::port(&listener).expect("one");
        let endpoints = Endpoints {
            genesys: format!("http://127.0.0.1:{port}"),
            ..Endpoints::nowhere()
        };
        let authority = CertificateAuthority::new().expect("an authority");
        let genesys = Genesys::new(World::new(Config::default(), endpoints, authority));
        runtime.block_on(async {
            serve::serve_plain(listener, genesys::router(&genesys)).expect("a server");
        });
        let gateway = format!(
            "provider \"genesyscloud\" {{\n  gateway {{\n    host = \"127.0.0.1\"\n    port = \"{port}\"\n    protocol = \"http\"\n  }}\n}}\n"
        );
        // As Azure's deployment leaves it, with an editor's mark and line ends of the other world.
        let installation = "\u{feff}# An installation.\r\ngenesys_domain = \"mypurecloud.de\"\r\nsupport_accounts = [\"a=b\"]\r\ngenesys_webhook_url = \"https://func-example.azurewebsites.net/api/genesys/webhook\"\r\n";
        let staged = Staged::new(&[
            LOCAL,
            ("gateway_override.tf", &gateway),
            ("../../graph-to-open.toml", installation),
        ])?;
        Some(Self {
            staged,
            genesys,
            _runtime: runtime,
        })
    }

    fn helper(&self, who: Value) -> Value {
        let who = serde_json::from_value(who).expect("a helper");
        self.genesys.add_helper(&who).expect("added")
    }

    fn assert_planned_empty(&self, variables: &[(&str, &str)]) {
        let plan = self
            .staged
            .run(&["plan", "-input=false", "-detailed-exitcode"], variables);
        assert_eq!(plan.status.code(), Some(0), "{}", printed(&plan));
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("a text")
}

/// An administrator, with their own token.
fn is_applied_at_once_and_leaves_nothing(variables: &[(&str, &str)]) {
    let Some(scene) = Scene::new() else { return };
    let helper = scene.helper(json!({ "person": true }));
    let own = [
        ("GENESYSCLOUD_ACCESS_TOKEN", text(&helper, "token")),
        WEBHOOK_SECRET,
    ];
    let variables = [&own, variables].concat();
    scene
        .staged
        .succeed(&["apply", "-input=false", "-auto-approve"], &variables);
    assert!(!scene.genesys.made().is_empty());
    scene.assert_planned_empty(&variables);
    scene
        .staged
        .succeed(&["destroy", "-input=false", "-auto-approve"], &variables);
    assert_eq!(scene.genesys.made(), [""; 0]);
}

#[test]
fn without_a_crm_one_apply_is_enough() {
    is_applied_at_once_and_leaves_nothing(&[]);
}

#[test]
fn with_salesforce_one_apply_is_enough() {
    is_applied_at_once_and_leaves_nothing(SALESFORCE);
}

#[test]
fn with_dynamics_one_apply_is_enough() {
    is_applied_at_once_and_leaves_nothing(DYNAMICS);
}

#[test]
fn telling_of_ends_one_apply_is_enough() {
    is_applied_at_once_and_leaves_nothing(ENDED);
}

#[test]
fn a_pipelines_role_is_exactly_what_the_calls_take() {
    let Some(scene) = Scene::new() else { return };
    let role = inputs::text("infra/genesys/terraform-role.json");
    let role: Value = serde_json::from_str(&role).expect("JSON");
    let rights = genesys::permissions_of(&role);
    let client = scene.helper(json!({ "rights": rights }));
    let id = text(&client, "id");
    let own = [
        ("GENESYSCLOUD_OAUTHCLIENT_ID", id),
        ("GENESYSCLOUD_OAUTHCLIENT_SECRET", text(&client, "secret")),
        WEBHOOK_SECRET,
        ("TF_VAR_further_clients", "1"),
        ("TF_VAR_let_customers_end", "true"),
    ];
    let variables = [&own, DYNAMICS, ENDED].concat();
    let apply = ["apply", "-input=false", "-auto-approve"];
    let refused = scene.staged.run(&apply, &variables);
    assert!(
        printed(&refused).contains("a role that you do not hold"),
        "{}",
        printed(&refused)
    );
    // What a person does once.
    scene.genesys.give(id, "Teams bridge").expect("given");
    scene.staged.succeed(&apply, &variables);
    scene.assert_planned_empty(&variables);

    // Everything that can be changed is: what is in use, then all names.
    let changes = [
        ("TF_VAR_let_bridge_rotate", "true"),
        ("TF_VAR_webhook_secret", "fedcba9876543210fedcba9876543210"),
        (
            "TF_VAR_conversation_ended_secret",
            "fedcba9876543210fedcba9876543210",
        ),
        ("TF_VAR_media_types", "[\"image/*\"]"),
        ("TF_VAR_service_level_seconds", "90"),
        ("TF_VAR_token_validity_seconds", "3600"),
    ];
    let changed = [&variables[..], SALESFORCE, &changes].concat();
    scene.staged.succeed(&apply, &changed);
    scene.assert_planned_empty(&changed);
    let changed = [&changed[..], &[("TF_VAR_name", "Teams of tomorrow")]].concat();
    scene.staged.succeed(&apply, &changed);
    scene.assert_planned_empty(&changed);
    scene
        .staged
        .succeed(&["destroy", "-input=false", "-auto-approve"], &changed);
    // README.md, "Changes": an inbound flow of another name leaves the one before, which has the messages until the next is bound.
    assert_eq!(scene.genesys.made(), ["Flow: Teams inbound"]);

    let mut taken = scene.genesys.permissions_taken(id);
    taken.extend(OF_THE_HANDLER.map(str::to_owned));
    assert_eq!(BTreeSet::from_iter(rights), taken);
}
