//! Apps for tests in process: local settings, and clients that reach nobody or the doubles of all outside services.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use http::StatusCode;
use serde_json::Value;
use services::testing::World;
use tower::ServiceExt;

use crate::app::App;
use crate::router;
use crate::settings::Settings;

/// A local setting.
pub fn local_setting(name: &str) -> Option<String> {
    let local: Value =
        serde_json::from_str(include_str!("../../local.settings.json")).expect("valid JSON");
    local["Values"][name].as_str().map(str::to_owned)
}

fn settings(changed: &[(&str, &str)]) -> Settings {
    let settings = Settings::from_lookup(|name| {
        let changed = changed.iter().find(|(changed, _)| *changed == name);
        changed.map_or_else(
            || local_setting(name),
            |(_, value)| Some((*value).to_owned()),
        )
    });
    settings.expect("good settings")
}

/// An app with the local settings, some of them changed.
pub fn app(changed: &[(&str, &str)]) -> Arc<App> {
    Arc::new(App::build(settings(changed)).expect("clients"))
}

/// An app whose outside services are those of the world.
pub fn app_in(world: &World, changed: &[(&str, &str)]) -> Arc<App> {
    let (base, blobs) = (world.base(), world.blob_endpoint());
    let places = [
        ("KEY_VAULT_URL", base),
        ("ENTRA_ENDPOINT", base),
        ("GRAPH_ENDPOINT", base),
        ("GENESYS_API_ENDPOINT", base),
        ("GENESYS_LOGIN_ENDPOINT", base),
        ("BLOB_ENDPOINT", &blobs),
        ("ServiceBus__fullyQualifiedNamespace", world.authority()),
    ];
    let settings = settings(&[changed, &places].concat());
    let app = App::build_with(settings, world.client(), world.identity());
    Arc::new(app.expect("clients"))
}

/// The status with which a request is answered.
pub async fn post(
    app: &Arc<App>,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> StatusCode {
    let request = headers
        .iter()
        .fold(Request::post(path), |request, (name, value)| {
            request.header(*name, *value)
        });
    let request = request.body(body.into()).expect("a request");
    let answer = router(Arc::clone(app)).oneshot(request).await;
    answer.expect("an answer").status()
}
