//! The console page, embedded in the program.

use std::path::Path;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};

/// The page must load nothing from elsewhere, and nobody may frame it. `blob:` is for pictures that are about to be sent.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

macro_rules! files {
    ($($name:literal $kind:ident),* $(,)?) => {
        [$(($name, $kind, include_str!(concat!("../../page/", $name)))),*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// The renderer of Adaptive Cards.
const CARDS: &str = "adaptivecards.min.js";

const FILES: [(&str, &str, &str); 30] = files![
    "index.html" HTML,
    "style.css" CSS,
    "panels.css" CSS,
    "contact.css" CSS,
    "composer.css" CSS,
    "rich.css" CSS,
    "journeys.css" CSS,
    "app_chat.css" CSS,
    "adaptive_card.js" JS,
    "agent.js" JS,
    "agent_message.js" JS,
    "api.js" JS,
    "app.js" JS,
    "app_chat.js" JS,
    "attachments.js" JS,
    "composer.js" JS,
    "customer.js" JS,
    "customer_message.js" JS,
    "dom.js" JS,
    "journeys.js" JS,
    "media.js" JS,
    "message_actions.js" JS,
    "operations.js" JS,
    "paste.js" JS,
    "quick_replies.js" JS,
    "screen_pop.js" JS,
    "state.js" JS,
    "teams_html.js" JS,
    "teams_text.js" JS,
    "typing.js" JS,
];

fn answer(kind: &'static str, text: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, text).into_response()
}

/// `/` and the files it needs. The renderer of cards is the published one, from the packages in this directory.
pub(super) fn router(packages: &Path) -> Router {
    let cards = packages.join("node_modules/adaptivecards/dist").join(CARDS);
    let cards = get(async move || match tokio::fs::read_to_string(cards).await {
        Ok(text) => answer(JS, text),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    });
    let mut router = Router::new().route(&format!("/{CARDS}"), cards);
    for (name, kind, text) in FILES {
        let show = move || async move { answer(kind, text) };
        router = router.route(&format!("/{name}"), get(show));
        if name == "index.html" {
            router = router.route("/", get(show));
        }
    }
    router
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::ffi::OsString;
    use std::path::Path;

    use super::FILES;

    #[test]
    fn every_file_of_the_page_is_embedded() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let on_disk = std::fs::read_dir(directory).expect("the page's directory");
        let on_disk: BTreeSet<OsString> = on_disk
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        let embedded = FILES.iter().map(|(name, ..)| OsString::from(name));
        assert_eq!(on_disk, embedded.collect());
    }
}
