//! Runs the shipped data actions as Genesys Cloud would: the request's template is filled, the CRM asked, and its answer goes
//! through the translation map and the success template. Source: Genesys Cloud Resource Center, "Response configuration for data
//! actions": a value goes into the success template as JSON, and a default where the path leads nowhere.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

use super::template::{TemplateError, Values, filled};
use super::{Crm, Headers, Refused};

/// Why a data action fails.
#[derive(Debug, Error)]
pub enum ActionError {
    /// The CRM refuses.
    #[error(transparent)]
    Refused(#[from] Refused),
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
    headers: Headers,
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
    crm: &Crm,
) -> Result<T, ActionError> {
    let definition: Definition = serde_json::from_str(definition)?;
    let given = inputs.iter();
    let mut given: Values = given
        .map(|(name, value)| (format!("input.{name}"), (*value).to_owned()))
        .collect();
    for name in definition.contract.input.input_schema.required {
        if !given.contains_key(&format!("input.{name}")) {
            return Err(ActionError::Input(name));
        }
    }
    let request = definition.config.request;
    let address = filled(&request.request_url_template, &given)?;
    let token = "authResponse.access_token".to_owned();
    given.insert(token, "a token".to_owned());
    let headers = request.headers.into_iter();
    let headers = headers.map(|(name, value)| Ok((name, filled(&value, &given)?)));
    let headers: Headers = headers.collect::<Result<_, TemplateError>>()?;
    let answer = crm.get(&address, &headers)?;
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

/// The value that a path of the form `$.a[0].b['c.d']` leads to.
fn at<'a>(answer: &'a Value, path: &str) -> Result<Option<&'a Value>, ActionError> {
    let unknown = || ActionError::Path(path.to_owned());
    let is_of_name = |it: char| it.is_alphanumeric() || it == '_';
    let mut rest = path.strip_prefix('$').filter(|it| !it.is_empty());
    let mut found = Some(answer);
    while let Some(step) = rest.filter(|it| !it.is_empty()) {
        let (next, behind) = if let Some(step) = step.strip_prefix("['") {
            let (name, behind) = step.split_once("']").ok_or_else(unknown)?;
            (found.and_then(|it| it.get(name)), behind)
        } else if let Some(step) = step.strip_prefix('[') {
            let (place, behind) = step.split_once(']').ok_or_else(unknown)?;
            let place: usize = place.parse().map_err(|_| unknown())?;
            (found.and_then(|it| it.get(place)), behind)
        } else {
            let step = step.strip_prefix('.').ok_or_else(unknown)?;
            let end = step.find(|it| !is_of_name(it)).unwrap_or(step.len());
            let (name, behind) = step.split_at(end);
            if name.is_empty() {
                return Err(unknown());
            }
            (found.and_then(|it| it.get(name)), behind)
        };
        found = next;
        rest = Some(behind);
    }
    rest.map(|_| found).ok_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Kind;
    use super::*;

    #[test]
    fn a_path_leads_to_its_value_or_nowhere_and_another_form_is_an_error() {
        let answer =
            json!({ "records": [{ "Account": { "Name": "A" }, "Owner": null, "a@b.c": 1 }] });
        for (path, expected) in [
            ("$.records[0].Account.Name", Some(json!("A"))),
            ("$.records[0].Owner", Some(Value::Null)),
            ("$.records[0].Owner.Name", None),
            ("$.records[1].Account.Name", None),
            ("$.records[0]['a@b.c']", Some(json!(1))),
            ("$['records'][0]['Account'].Name", Some(json!("A"))),
            ("$.records[0].Account['a@b.c']", None),
        ] {
            let found = at(&answer, path).expect("a known form");
            assert_eq!(found, expected.as_ref(), "{path}");
        }
        for path in [
            "records",
            "$.records[*].Id",
            "$..Id",
            "$.records[?(@.Id)]",
            "$",
            "",
            "$.",
            "$.a['b",
            "$.a b",
            "$.records[0]Id",
        ] {
            assert!(at(&answer, path).is_err(), "{path}");
        }
    }

    #[test]
    fn an_input_that_the_contract_requires_must_be_given() {
        for kind in [Kind::Salesforce, Kind::Dynamics] {
            let crm = Crm::seeded(kind);
            let ran = run::<Value>(crm.look_ups().contact, &[("email", "-")], &crm);
            assert!(matches!(ran, Err(ActionError::Input(name)) if name == "userId"));
        }
    }
}
