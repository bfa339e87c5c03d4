//! The app settings in the templates, the settings that the program reads, and `local.settings.json` are the same.

use functions::settings::SPECIFICATIONS;

use super::site::FORBIDDEN_SETTINGS;
use super::{View, difference};
use crate::Problem;
use crate::bicep::{Deployed, Value};

/// What the Functions host and Application Insights read; the program does not.
const OF_THE_PLATFORM: &[&str] = &[
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "ServiceBus__clientId",
    "ServiceBus__credential",
];

/// What Core Tools read from `local.settings.json` and Flex Consumption refuses.
const LOCAL_ONLY: &[&str] = &["AzureWebJobsStorage", "FUNCTIONS_WORKER_RUNTIME"];

const LOCAL_FILE: &str = "local.settings.json";

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for config in settings(view) {
        of_templates(config, &mut problems);
    }
    if view.made("Microsoft.Web/sites").next().is_some() && settings(view).next().is_none() {
        problems.push(Problem::new(
            "app-settings",
            "infra/main.bicep",
            0,
            "the site has no resource of type config with the name 'appsettings'",
        ));
    }
    local(view, &mut problems);
    problems
}

fn settings<'a>(view: &'a View<'_>) -> impl Iterator<Item = &'a Deployed> {
    view.made("Microsoft.Web/sites/config")
        .filter(|config| config.name() == "appsettings")
}

/// What the templates set a setting to, or its default where they do not set it.
pub(super) fn value(view: &View<'_>, name: &str) -> Option<Value> {
    let set = settings(view).find_map(|config| config.at("properties")?.at(name).cloned());
    set.or_else(|| {
        let default = SPECIFICATIONS
            .iter()
            .find(|specification| specification.name == name)?
            .default?;
        Some(Value::Text(default.to_owned()))
    })
}

fn of_templates(config: &Deployed, problems: &mut Vec<Problem>) {
    let Some(Value::Object(found)) = config.at("properties") else {
        problems.push(Problem::new(
            "app-settings",
            &config.file,
            config.line,
            "the app settings are not an object that can be read",
        ));
        return;
    };
    let mut report = |rule, name: &str, what: String| {
        problems.push(Problem::new(
            rule,
            &config.file,
            config.line_of(&format!("properties.{name}")),
            what,
        ));
    };
    let names = found.iter().map(|(name, _)| name.as_str());
    let expected = SPECIFICATIONS
        .iter()
        .map(|specification| specification.name)
        .chain(OF_THE_PLATFORM.iter().copied());
    let (missing, extra) = difference(expected, names);
    for name in missing {
        report("app-settings", "", format!("the setting {name} is missing"));
    }
    for name in extra {
        if FORBIDDEN_SETTINGS.contains(&name) {
            report(
                "flex-settings",
                name,
                format!("{name} must not be set on Flex Consumption"),
            );
        } else {
            report(
                "app-settings",
                name,
                format!("nothing reads the setting {name}"),
            );
        }
    }
    for (name, value) in found {
        if matches!(
            value,
            Value::Number(_) | Value::Bool(_) | Value::Null | Value::Object(_) | Value::Array(_)
        ) {
            report("app-settings", name, format!("{name} must be a string"));
        }
        let default = SPECIFICATIONS
            .iter()
            .find(|specification| specification.name == name)
            .and_then(|specification| specification.default);
        if let (Some(default), Value::Text(text)) = (default, value)
            && text != default
        {
            report(
                "setting-default",
                name,
                format!("the templates' default of {name} is '{text}', the program's '{default}'"),
            );
        }
    }
}

fn local(view: &View<'_>, problems: &mut Vec<Problem>) {
    let Some(text) = view.tree.text(LOCAL_FILE) else {
        return;
    };
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let Some(values) = json["Values"].as_object() else {
        problems.push(Problem::new(
            "local-settings",
            LOCAL_FILE,
            0,
            "there is no object Values",
        ));
        return;
    };
    let expected = SPECIFICATIONS
        .iter()
        .map(|specification| specification.name)
        .chain(LOCAL_ONLY.iter().copied());
    let (missing, extra) = difference(expected, values.keys().map(String::as_str));
    for name in missing {
        problems.push(Problem::new(
            "local-settings",
            LOCAL_FILE,
            0,
            format!("the setting {name} is missing"),
        ));
    }
    for name in extra {
        problems.push(Problem::new(
            "local-settings",
            LOCAL_FILE,
            view.tree.line_of(LOCAL_FILE, &format!("\"{name}\"")),
            format!("nothing reads the setting {name}"),
        ));
    }
}
