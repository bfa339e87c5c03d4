//! The Function App and its plan: the custom runtime, identities instead of keys, and nothing that Flex Consumption refuses.

use super::View;
use crate::Problem;
use crate::bicep::{Deployed, Expression, Shape, Value};

const SITE: &str = "Microsoft.Web/sites";

/// What the site must say. The platform takes any version and then never starts the host, so `1.0` is checked here.
const SETTINGS: &[(&str, &str, &str)] = &[
    (
        "runtime",
        "properties.functionAppConfig.runtime.name",
        "custom",
    ),
    (
        "runtime",
        "properties.functionAppConfig.runtime.version",
        "1.0",
    ),
    ("identity", "identity.type", "UserAssigned"),
    (
        "identity",
        "properties.functionAppConfig.deployment.storage.authentication.type",
        "UserAssignedIdentity",
    ),
    ("tls", "properties.siteConfig.minTlsVersion", "1.2"),
];

/// App settings and site configuration that must not be there on Flex Consumption (Azure Functions, "Flex Consumption plan
/// deprecations"; Core Tools refuse to publish with some of them).
pub(super) const FORBIDDEN_SETTINGS: &[&str] = &[
    "AzureWebJobsStorage",
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_MAX_HTTP_CONCURRENCY",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTOVERVNET",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
    "WEBSITE_RUN_FROM_PACKAGE",
];

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for site in view.made(SITE) {
        for (rule, path, right) in SETTINGS {
            super::must_be(
                site,
                rule,
                path,
                &Value::Text((*right).to_owned()),
                &mut problems,
            );
        }
        super::must_be(
            site,
            "https",
            "properties.httpsOnly",
            &Value::Bool(true),
            &mut problems,
        );
        always_ready(site, &mut problems);
        for key in [
            "appSettings",
            "linuxFxVersion",
            "functionAppScaleLimit",
            "preWarmedInstanceCount",
            "use32BitWorkerProcess",
            "ftpsState",
            "vnetRouteAllEnabled",
        ] {
            let path = format!("properties.siteConfig.{key}");
            if site.at(&path).is_some() {
                problems.push(Problem::new(
                    "flex-settings",
                    &site.file,
                    site.line_of(&path),
                    format!("siteConfig.{key} does not belong into a site on Flex Consumption"),
                ));
            }
        }
    }
    no_keys(view, &mut problems);
    problems
}

/// Graph gives a webhook three seconds, which a cold start may need for itself.
fn always_ready(site: &Deployed, problems: &mut Vec<Problem>) {
    let path = "properties.functionAppConfig.scaleAndConcurrency.alwaysReady";
    let found = match site.at(path) {
        Some(Value::Array(items)) => items.iter().any(|item| {
            item.at("name").and_then(Value::text) == Some("http")
                && !matches!(item.at("instanceCount"), Some(Value::Number(0)) | None)
        }),
        Some(Value::Unknown(text)) => text.contains("'http'"),
        _ => false,
    };
    if !found {
        problems.push(Problem::new(
            "always-ready",
            &site.file,
            site.line_of(path),
            "no HTTP instance is always ready by default",
        ));
    }
}

/// `listKeys()` and its like put a key into a setting or an output.
fn no_keys(view: &View<'_>, problems: &mut Vec<Problem>) {
    for (file, template) in view.templates() {
        template.visit(&mut |expression: &Expression| {
            let Shape::Call(function, _) = &expression.shape else {
                return;
            };
            let name = match &function.shape {
                Shape::Name(name) | Shape::Member(_, name) => name,
                _ => return,
            };
            if name.starts_with("list") || name == "getSecret" {
                problems.push(Problem::new(
                    "list-keys",
                    file,
                    expression.line,
                    format!("{name}() reads a key; identities have roles instead"),
                ));
            }
        });
    }
}

/// Where the sites keep their packages: URLs, as far as they are known.
pub(super) fn package_containers(view: &View<'_>) -> Vec<String> {
    view.made(SITE)
        .filter_map(
            |site| match site.at("properties.functionAppConfig.deployment.storage.value") {
                Some(Value::Text(text) | Value::Unknown(text)) => {
                    // The container may be a parameter or variable of the module.
                    Some(text.clone())
                }
                _ => None,
            },
        )
        .collect()
}
