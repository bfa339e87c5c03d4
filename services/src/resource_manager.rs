//! Azure Resource Manager, as far as an operator's commands need it: what a deployment gave out, an app's settings, and the keys of its
//! functions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::address::{base, segment};
use crate::entra;
use crate::error::{Result, Service};
use crate::exchange;
use crate::managed_identity::ManagedIdentity;

const US: Service = Service::ResourceManager;

/// Version of `Microsoft.Resources/deployments`.
const DEPLOYMENTS: &str = "2025-04-01";

/// Version of `Microsoft.Resources/resourceGroups`.
const GROUPS: &str = "2021-04-01";

/// Version of `Microsoft.Web/sites`, the same that the templates use.
const SITES: &str = "2025-03-01";

/// Resource Manager is asked by a person who waits, and asks App Service in turn.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer: a deployment lists all its resources and parameters.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// Resource Manager of one cloud, as one identity.
#[derive(Debug)]
pub struct ResourceManager {
    client: reqwest::Client,
    base: String,
    scope: String,
    identity: Arc<ManagedIdentity>,
}

/// A resource group of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGroup {
    /// GUID of the subscription.
    pub subscription: String,
    /// Name of the group.
    pub name: String,
}

/// A deployment as "Deployments - Get" shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// `Succeeded`, `Failed`, `Running` and others.
    pub state: String,
    /// The values that it was given by the names of its parameters, without secrets and references to any.
    pub parameters: BTreeMap<String, Value>,
    /// Its outputs by name; none until it has succeeded.
    pub outputs: BTreeMap<String, Value>,
}

/// The settings of an app ("Web Apps - List Application Settings"). Some may be secrets, so `Debug` shows names alone.
#[derive(Clone, PartialEq, Eq)]
pub struct AppSettings(pub BTreeMap<String, String>);

impl fmt::Debug for AppSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[derive(Deserialize)]
struct Listed {
    /// Without it the answer is none: taken for an app without settings, it would have them all replaced by ours.
    properties: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Deployed {
    properties: Properties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    provisioning_state: String,
    parameters: Option<BTreeMap<String, Shown>>,
    outputs: Option<BTreeMap<String, Shown>>,
}

#[derive(Deserialize)]
struct Shown {
    /// Absent where it is a secret.
    #[serde(default)]
    value: Value,
}

impl ResourceManager {
    /// Resource Manager at this address, which [`entra::resource_manager_of`] tells of a cloud; nothing is called yet.
    pub fn new(client: reqwest::Client, endpoint: &str, identity: Arc<ManagedIdentity>) -> Self {
        let base = base(endpoint);
        Self {
            client,
            scope: entra::resource_manager_scope(&base),
            base,
            identity,
        }
    }

    /// A deployment to a resource group. It needs `Microsoft.Resources/deployments/read`, which Reader on the group has.
    ///
    /// # Errors
    /// `NotFound` when there is no such deployment, group or subscription (the code tells which), `Forbidden` without the right;
    /// otherwise Resource Manager or the login could not be reached.
    pub async fn deployment(&self, group: &ResourceGroup, name: &str) -> Result<Deployment> {
        let path = format!(
            "Microsoft.Resources/deployments/{}?api-version={DEPLOYMENTS}",
            segment(US, name)?
        );
        let request = self.request(Method::GET, group, &path).await?;
        let found: Deployed = exchange::send_for_json(US, request, ANSWER_LIMIT).await?;
        let Properties {
            provisioning_state: state,
            parameters,
            outputs,
        } = found.properties;
        let values = |all: Option<BTreeMap<String, Shown>>| {
            let all = all.unwrap_or_default().into_iter();
            all.map(|(name, shown)| (name, shown.value)).collect()
        };
        Ok(Deployment {
            state,
            parameters: values(parameters),
            outputs: values(outputs),
        })
    }

    /// All settings of an app. It needs `Microsoft.Web/sites/config/list/action`, which Website Contributor on the app has.
    ///
    /// # Errors
    /// As [`Self::deployment`].
    pub async fn app_settings(&self, group: &ResourceGroup, app: &str) -> Result<AppSettings> {
        let path = format!(
            "Microsoft.Web/sites/{}/config/appsettings/list?api-version={SITES}",
            segment(US, app)?
        );
        let request = self.request(Method::POST, group, &path).await?;
        // Resource Manager wants to be told that there is no body.
        let request = request.header(reqwest::header::CONTENT_LENGTH, 0);
        let listed: Listed = exchange::send_for_json(US, request, ANSWER_LIMIT).await?;
        Ok(AppSettings(listed.properties))
    }

    /// Replaces all settings of an app ("Web Apps - Update Application Settings"): what is not among them is gone. The app
    /// starts again. It needs `Microsoft.Web/sites/config/write`.
    ///
    /// # Errors
    /// As [`Self::deployment`].
    pub async fn set_app_settings(
        &self,
        group: &ResourceGroup,
        app: &str,
        settings: &AppSettings,
    ) -> Result<()> {
        let path = format!(
            "Microsoft.Web/sites/{}/config/appsettings?api-version={SITES}",
            segment(US, app)?
        );
        let request = self.request(Method::PUT, group, &path).await?;
        let request = request.json(&json!({ "properties": settings.0 }));
        exchange::send(US, request, ANSWER_LIMIT).await.map(drop)
    }

    /// A key with which one function of an app is called: the one that is there from the beginning, else the first by name, since that
    /// one can be deleted; `None` where it has none. It needs `Microsoft.Web/sites/functions/listkeys/action`, which Website Contributor
    /// on the app has ("Web Apps - List Function Keys"; the answer as azure-functions-core-tools reads it, `AzureHelper.cs`).
    ///
    /// # Errors
    /// As [`Self::deployment`]; `NotFound` also when no such function was published.
    pub async fn function_key(
        &self,
        group: &ResourceGroup,
        app: &str,
        function: &str,
    ) -> Result<Option<SecretString>> {
        let path = format!(
            "Microsoft.Web/sites/{}/functions/{}/listkeys?api-version={SITES}",
            segment(US, app)?,
            segment(US, function)?
        );
        let request = self.request(Method::POST, group, &path).await?;
        let request = request.header(reqwest::header::CONTENT_LENGTH, 0);
        let mut keys: BTreeMap<String, SecretString> =
            exchange::send_for_json(US, request, ANSWER_LIMIT).await?;
        Ok(keys
            .remove("default")
            .or_else(|| keys.pop_first().map(|(_, key)| key)))
    }

    /// Begins to delete a resource group with everything in it, which goes on for minutes ("Resource Groups - Delete"). It needs
    /// `Microsoft.Resources/subscriptions/resourceGroups/delete`, which Contributor on the group has.
    ///
    /// # Errors
    /// As [`Self::deployment`]; `Conflict` when a lock keeps it.
    pub async fn delete_group(&self, group: &ResourceGroup) -> Result<()> {
        let path = format!("?api-version={GROUPS}");
        let request = self.to(Method::DELETE, group, &path).await?;
        exchange::send(US, request, ANSWER_LIMIT).await.map(drop)
    }

    async fn request(
        &self,
        method: Method,
        group: &ResourceGroup,
        provider: &str,
    ) -> Result<RequestBuilder> {
        let path = format!("/providers/{provider}");
        self.to(method, group, &path).await
    }

    async fn to(
        &self,
        method: Method,
        group: &ResourceGroup,
        path: &str,
    ) -> Result<RequestBuilder> {
        let (subscription, name) = (segment(US, &group.subscription)?, segment(US, &group.name)?);
        let url = format!(
            "{}/subscriptions/{subscription}/resourceGroups/{name}{path}",
            self.base
        );
        let token = self.identity.token(&self.scope).await?;
        let request = self.client.request(method, url);
        Ok(request
            .bearer_auth(token.expose_secret())
            .timeout(CALL_TIMEOUT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::testing::{Double, Reply, client, identity};

    async fn manager(replies: impl IntoIterator<Item = Reply>) -> (Double, ResourceManager) {
        let double = Double::start(replies).await;
        let manager = ResourceManager::new(client(), &format!("{}/", double.base), identity());
        (double, manager)
    }

    fn group() -> ResourceGroup {
        ResourceGroup {
            subscription: "s-1".to_owned(),
            name: "rg-a (b)".to_owned(),
        }
    }

    #[tokio::test]
    async fn outputs_are_read_and_settings_are_replaced_as_whoever_is_logged_in() {
        // As "Deployments - Get" shows them.
        let deployment = json!({ "name": "graph-to-open", "properties": { "provisioningState": "Succeeded", "parameters": {
            "environmentName": { "type": "String", "value": "prod" },
            "alertWebhookUrl": { "type": "SecureString" },
        }, "outputs": {
            "functionAppName": { "type": "String", "value": "func-1" },
            "names": { "type": "Array", "value": ["a"] },
            "hidden": { "type": "SecureString" },
        } } });
        let running = json!({ "properties": { "provisioningState": "Running" } });
        let settings = json!({ "name": "appsettings", "properties": { "A": "1", "B": "hush" } });
        let none = json!({ "name": "appsettings", "properties": null });
        let replies = [&deployment, &running, &settings, &settings, &none];
        let (double, manager) = manager(replies.map(|it| Reply::json(200, it))).await;
        let group = group();
        let found = manager.deployment(&group, "graph-to-open").await;
        let found = found.expect("a deployment");
        assert_eq!(found.state, "Succeeded");
        assert_eq!(found.parameters["environmentName"], "prod");
        assert_eq!(found.parameters["alertWebhookUrl"], Value::Null);
        assert_eq!(found.outputs["functionAppName"], "func-1");
        assert_eq!(found.outputs["hidden"], Value::Null);
        let running = manager.deployment(&group, "x").await.expect("another");
        assert!(running.outputs.is_empty());
        let mut settings = manager.app_settings(&group, "func-1").await.expect("read");
        assert!(!format!("{settings:?}").contains("hush"));
        settings.0.insert("C".to_owned(), "3".to_owned());
        manager
            .set_app_settings(&group, "func-1", &settings)
            .await
            .expect("written");
        let unread = manager.app_settings(&group, "func-1").await;
        unread.expect_err("no settings are no answer");
        let seen = double.seen();
        let place = "/subscriptions/s-1/resourceGroups/rg-a%20%28b%29/providers";
        let targets = [
            "Microsoft.Resources/deployments/graph-to-open?api-version=2025-04-01",
            "Microsoft.Resources/deployments/x?api-version=2025-04-01",
            "Microsoft.Web/sites/func-1/config/appsettings/list?api-version=2025-03-01",
            "Microsoft.Web/sites/func-1/config/appsettings?api-version=2025-03-01",
            "Microsoft.Web/sites/func-1/config/appsettings/list?api-version=2025-03-01",
        ];
        assert_eq!(seen.len(), targets.len());
        for (seen, target) in seen.iter().zip(targets) {
            assert_eq!(seen.target, format!("{place}/{target}"));
            let token = "Bearer https://management.azure.com/.default#1";
            assert_eq!(seen.header("authorization"), token);
        }
        assert_eq!(seen[2].header("content-length"), "0");
        let all = json!({ "properties": { "A": "1", "B": "hush", "C": "3" } });
        assert_eq!(seen[3].json(), all);
    }

    #[tokio::test]
    async fn a_function_is_called_with_its_default_key_or_another() {
        let keys = [
            json!({ "another": "a", "default": "d" }),
            json!({ "c": "1", "b": "2" }),
            json!({}),
        ];
        let replies = keys.map(|it| Reply::json(200, &it));
        let (double, manager) = manager(replies).await;
        for expected in [Some("d"), Some("2"), None] {
            let key = manager.function_key(&group(), "func-1", "told").await;
            let key = key.expect("an answer");
            assert_eq!(key.as_ref().map(ExposeSecret::expose_secret), expected);
        }
        let seen = &double.seen()[0];
        assert!(
            seen.target
                .ends_with("/sites/func-1/functions/told/listkeys?api-version=2025-03-01"),
            "{}",
            seen.target
        );
        assert_eq!(
            (&seen.method[..], seen.header("content-length")),
            ("POST", "0")
        );
    }

    #[test]
    fn the_audience_is_that_of_the_cloud() {
        for (base, host) in [
            (
                "https://management.usgovcloudapi.net",
                "management.usgovcloudapi.net",
            ),
            ("https://127.0.0.1:7447", "management.azure.com"),
        ] {
            let scope = entra::resource_manager_scope(base);
            assert_eq!(scope, format!("https://{host}/.default"));
        }
        let china = entra::resource_manager_of("https://login.chinacloudapi.cn/");
        assert_eq!(china, "https://management.chinacloudapi.cn");
    }

    #[tokio::test]
    async fn a_group_is_deleted_and_what_keeps_it_is_told() {
        let locked = json!({ "error": { "code": "ScopeLocked", "message": "…" } });
        let (double, manager) = manager([Reply::new(202, ""), Reply::json(409, &locked)]).await;
        manager.delete_group(&group()).await.expect("it begins");
        let locked = manager.delete_group(&group()).await.expect_err("locked");
        assert_eq!(locked.kind, ErrorKind::Conflict);
        let seen = &double.seen()[0];
        assert_eq!(
            (&seen.method[..], &seen.target[..]),
            (
                "DELETE",
                "/subscriptions/s-1/resourceGroups/rg-a%20%28b%29?api-version=2021-04-01"
            )
        );
    }

    #[tokio::test]
    async fn a_missing_right_and_a_missing_deployment_are_told_apart() {
        let refusal = |status, code: &str| {
            Reply::json(
                status,
                &json!({ "error": { "code": code, "message": "…" } }),
            )
        };
        let replies = [
            refusal(403, "AuthorizationFailed"),
            refusal(404, "DeploymentNotFound"),
        ];
        let (_, manager) = manager(replies).await;
        for (kind, code) in [
            (ErrorKind::Forbidden, "AuthorizationFailed"),
            (ErrorKind::NotFound, "DeploymentNotFound"),
        ] {
            let error = manager.deployment(&group(), "graph-to-open").await;
            let error = error.expect_err("refused");
            assert_eq!((error.kind, error.code.as_deref()), (kind, Some(code)));
        }
    }
}
