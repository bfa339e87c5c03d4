//! An app for unit tests: local settings, clients that reach nobody.

use std::sync::Arc;

use serde_json::Value;

use crate::app::App;
use crate::settings::Settings;

/// An app with the local settings, some of them changed.
pub fn app(changed: &[(&str, &str)]) -> Arc<App> {
    let local: Value =
        serde_json::from_str(include_str!("../../local.settings.json")).expect("valid JSON");
    let settings = Settings::from_lookup(|name| {
        let changed = changed.iter().find(|(changed, _)| *changed == name);
        match changed {
            Some((_, value)) => Some((*value).to_owned()),
            None => local["Values"][name].as_str().map(str::to_owned),
        }
    });
    Arc::new(App::build(settings.expect("good settings")).expect("clients"))
}
