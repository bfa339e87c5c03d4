//! Runs the shipped data actions as Genesys Cloud would: the request's template is filled, the CRM asked, and its answer goes
//! through the translation map and the success template. Source: Genesys Cloud Resource Center, "Response configuration for data
//! actions": a value goes into the success template as JSON, and a default where the path leads nowhere.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

use super::salesforce::{QueryError, Salesforce};
use super::template::{TemplateError, Values, filled};

/// The shipped look-up of a contact.
pub const CONTACT: &str =
    include_str!("../../../infra/genesys/data-actions/salesforce-contact.custom.json");
/// The shipped look-up of an account.
pub const ACCOUNT: &str =
    include_str!("../../../infra/genesys/data-actions/salesforce-account.custom.json");

/// Why a data action fails.
#[derive(Debug, Error)]
pub enum ActionError {
    /// The CRM refuses.
    #[error(transparent)]
    Refused(#[from] QueryError),
    /// A template cannot be filled.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A path of the translation map that is not known here.
    #[error("the path {0:?} is not known")]
    Path(String),
    /// An input that the contract requires.
    #[error("the input {0} is missing")]
    Input(String),
    /// The definition, or what its success template makes, is not as it must be.
    #[error("not of the promised form: {0}")]
    Form(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Definition {
    config: Configuration,
    contract: Contract,
}

#[derive(Deserialize)]
struct Configuration {
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    request_url_template: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    translation_map: BTreeMap<String, String>,
    translation_map_defaults: BTreeMap<String, String>,
    success_template: String,
}

#[derive(Deserialize)]
struct Contract {
    input: Input,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    input_schema: Schema,
}

#[derive(Deserialize)]
struct Schema {
    required: Vec<String>,
}

/// Runs a data action with these inputs and reads what comes out.
///
/// # Errors
/// When an input is missing, the CRM refuses, or the definition does not fit what it is asked or answered.
pub fn run<T: DeserializeOwned>(
    definition: &str,
    inputs: &[(&str, &str)],
    salesforce: &Salesforce,
) -> Result<T, ActionError> {
    let definition: Definition = serde_json::from_str(definition)?;
    let given = inputs.iter();
    let given: Values = given
        .map(|(name, value)| (format!("input.{name}"), (*value).to_owned()))
        .collect();
    for name in definition.contract.input.input_schema.required {
        if !given.contains_key(&format!("input.{name}")) {
            return Err(ActionError::Input(name));
        }
    }
    let address = filled(&definition.config.request.request_url_template, &given)?;
    let answer = salesforce.get(&address)?;
    let response = definition.config.response;
    let mut translated = Values::new();
    for (name, path) in response.translation_map {
        let default = response.translation_map_defaults.get(&name);
        let value = at(&answer, &path)?.map(Value::to_string);
        if let Some(value) = value.or_else(|| default.cloned()) {
            translated.insert(name, value);
        }
    }
    let output = filled(&response.success_template, &translated)?;
    Ok(serde_json::from_str(&output)?)
}

/// The value that a path of the form `$.a[0].b` leads to.
fn at<'a>(answer: &'a Value, path: &str) -> Result<Option<&'a Value>, ActionError> {
    let unknown = || ActionError::Path(path.to_owned());
    let is_name =
        |it: &str| !it.is_empty() && it.chars().all(|it| it.is_alphanumeric() || it == '_');
    let mut found = Some(answer);
    for step in path.strip_prefix("$.").ok_or_else(unknown)?.split('.') {
        let (name, place) = match step.strip_suffix(']') {
            Some(step) => {
                let (name, place) = step.split_once('[').ok_or_else(unknown)?;
                let place: usize = place.parse().map_err(|_| unknown())?;
                (name, Some(place))
            }
            None => (step, None),
        };
        if !is_name(name) {
            return Err(unknown());
        }
        found = found.and_then(|it| it.get(name));
        if let Some(place) = place {
            found = found.and_then(|it| it.get(place));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_its_value_or_nowhere_and_another_form_is_an_error() {
        let answer = json!({ "records": [{ "Account": { "Name": "A" }, "Owner": null }] });
        for (path, expected) in [
            ("$.records[0].Account.Name", Some(json!("A"))),
            ("$.records[0].Owner", Some(Value::Null)),
            ("$.records[0].Owner.Name", None),
            ("$.records[1].Account.Name", None),
        ] {
            let found = at(&answer, path).expect("a known form");
            assert_eq!(found, expected.as_ref(), "{path}");
        }
        for path in [
            "records",
            "$.records[*].Id",
            "$..Id",
            "$.records[?(@.Id)]",
            "$['a']",
        ] {
            assert!(at(&answer, path).is_err(), "{path}");
        }
    }

    #[test]
    fn an_input_that_the_contract_requires_must_be_given() {
        let salesforce = Salesforce::seeded();
        let ran = run::<Value>(CONTACT, &[("email", "-")], &salesforce);
        assert!(matches!(ran, Err(ActionError::Input(name)) if name == "userId"));
    }
}
