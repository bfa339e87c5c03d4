//! The Terraform configuration of Genesys Cloud: names that exist, attributes of the table, and secrets that stay secret.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use hcl::expr::Expression;
use hcl::structure::Block;

use super::View;
use crate::Problem;
use crate::tables::{Allowed, Node, read};
use crate::terraform::{Configuration, Met, attribute, keys, labels, visit, visit_block};

/// Where the configuration lies.
pub(super) const FOLDER: &str = "infra/genesys";

static TYPES: LazyLock<BTreeMap<String, Node>> =
    LazyLock::new(|| read(include_str!("../../types/genesys.txt")));

/// Arguments and blocks that Terraform itself knows for every resource.
const META: &[&str] = &[
    "count",
    "for_each",
    "provider",
    "depends_on",
    "lifecycle",
    "timeouts",
];

const SECRET_WORDS: &[&str] = &["secret", "password", "token"];

/// Attributes whose values end up in the state as they are.
const SECRET_ATTRIBUTES: &[&str] = &["outbound_notification_webhook_signature_secret_token"];

/// Keys of a credential's fields that hold a secret.
const SECRET_FIELDS: &[&str] = &["clientSecret", "password", "secret", "apiKey"];

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let configuration = &view.terraform;
    let mut rules = Rules {
        view,
        configuration,
        problems: Vec::new(),
    };
    for (file, line, error) in &configuration.errors {
        rules.problems.push(Problem::new(
            "terraform-syntax",
            file,
            *line,
            error.lines().collect::<Vec<_>>().join(" "),
        ));
    }
    // With a file missing, every name in it would be reported too.
    if configuration.errors.is_empty() {
        rules.variables();
        rules.outputs();
        rules.references();
        rules.resources();
        rules.provider();
        rules.example();
    }
    rules.problems
}

struct Rules<'a> {
    view: &'a View<'a>,
    configuration: &'a Configuration<'a>,
    problems: Vec<Problem>,
}

impl Rules<'_> {
    /// Reports at the first line of the file that holds `needle`: the parser keeps no places.
    fn report(&mut self, rule: &'static str, file: &str, needle: &str, what: String) {
        let line = self.view.tree.line_of(file, needle);
        self.problems.push(Problem::new(rule, file, line, what));
    }

    fn sensitive(&self) -> BTreeSet<String> {
        self.configuration
            .of("variable")
            .filter(|(_, block)| attribute(block, "sensitive") == Some(&Expression::Bool(true)))
            .filter_map(|(_, block)| labels(block).first().map(|name| (*name).to_owned()))
            .collect()
    }

    fn variables(&mut self) {
        let configuration = self.configuration;
        for (file, block) in configuration.of("variable") {
            let name = labels(block).first().copied().unwrap_or_default();
            let needle = format!("variable \"{name}\"");
            for needed in ["description", "type"] {
                if attribute(block, needed).is_none() {
                    self.report(
                        "terraform-variable",
                        file,
                        &needle,
                        format!("variable {name} has no {needed}"),
                    );
                }
            }
            let sensitive = attribute(block, "sensitive") == Some(&Expression::Bool(true));
            let text = attribute(block, "type").is_some_and(|of| of.to_string() == "string");
            if text && SECRET_WORDS.iter().any(|word| name.contains(word)) && !sensitive {
                self.report(
                    "terraform-secret",
                    file,
                    &needle,
                    format!("variable {name} holds a secret and is not sensitive"),
                );
            }
            let default = attribute(block, "default");
            let harmless = matches!(default, None | Some(Expression::Null))
                || default == Some(&Expression::String(String::new()));
            if sensitive && !harmless {
                self.report(
                    "terraform-secret",
                    file,
                    &needle,
                    format!("variable {name} has a secret as its default"),
                );
            }
        }
    }

    fn outputs(&mut self) {
        let configuration = self.configuration;
        let sensitive = self.sensitive();
        for (file, block) in configuration.of("output") {
            let name = labels(block).first().copied().unwrap_or_default();
            let needle = format!("output \"{name}\"");
            if attribute(block, "description").is_none() {
                self.report(
                    "terraform-output",
                    file,
                    &needle,
                    format!("output {name} has no description"),
                );
            }
            let mut secret = None;
            visit_block(block, &mut Vec::new(), &mut |met, _| {
                if let Met::Reference(root, path) = met {
                    let last = path.last().copied().unwrap_or_default();
                    if (*root == "var" && sensitive.contains(last))
                        || last.ends_with("secret")
                        || last.ends_with("secret_token")
                    {
                        secret = Some(last.to_owned());
                    }
                }
            });
            if let Some(secret) = secret {
                self.report(
                    "terraform-secret",
                    file,
                    &needle,
                    format!("output {name} hands out {secret}"),
                );
            }
        }
    }

    /// Every name that an expression uses is declared, and every variable is used.
    fn references(&mut self) {
        let configuration = self.configuration;
        let declared = |kind: &str, depth: usize| -> BTreeSet<String> {
            configuration
                .of(kind)
                .map(|(_, block)| labels(block)[..depth.min(block.labels().len())].join("."))
                .collect()
        };
        let variables = declared("variable", 1);
        let resources = declared("resource", 2);
        let data = declared("data", 2);
        let modules = declared("module", 1);
        let locals: BTreeSet<String> = configuration
            .of("locals")
            .flat_map(|(_, block)| block.body().attributes())
            .map(|attribute| attribute.key().to_owned())
            .collect();
        let mut used = BTreeSet::new();
        let mut wrong = Vec::new();
        for (file, block) in &configuration.blocks {
            visit_block(block, &mut Vec::new(), &mut |met, bound| {
                let Met::Reference(root, path) = met else {
                    return;
                };
                if bound.iter().any(|name| name == root) {
                    return;
                }
                let first = path.first().copied().unwrap_or_default();
                let second = path.get(1).copied().unwrap_or_default();
                let known = match *root {
                    "var" => {
                        used.insert(first.to_owned());
                        variables.contains(first)
                    }
                    "local" => locals.contains(first),
                    "data" => data.contains(&format!("{first}.{second}")),
                    "module" => modules.contains(first),
                    "path" => matches!(first, "module" | "root" | "cwd"),
                    "each" | "count" | "self" | "terraform" => true,
                    // Types in `type = list(string)`.
                    "string" | "number" | "bool" | "any" => path.is_empty(),
                    other => resources.contains(&format!("{other}.{first}")),
                };
                if !known {
                    let name = format!("{root}.{}", path.join("."));
                    wrong.push((*file, name.trim_end_matches('.').to_owned()));
                }
            });
        }
        for (file, name) in wrong {
            self.report(
                "terraform-reference",
                file,
                &name,
                format!(
                    "nothing declares {name}; if it is meant for Genesys Cloud, write $${{{name}}}"
                ),
            );
        }
        for (file, block) in configuration.of("variable") {
            let name = labels(block).first().copied().unwrap_or_default();
            if !used.contains(name) {
                self.report(
                    "unused",
                    file,
                    &format!("variable \"{name}\""),
                    format!("nothing uses variable {name}"),
                );
            }
        }
    }

    fn resources(&mut self) {
        let configuration = self.configuration;
        let sensitive = self.sensitive();
        for (file, block) in configuration.of("resource") {
            let [of, name] = labels(block)[..] else {
                continue;
            };
            let needle = format!("resource \"{of}\" \"{name}\"");
            match TYPES.get(of) {
                Some(node) => self.block(file, &needle, block, node, of),
                None => self.report(
                    "terraform-type",
                    file,
                    &needle,
                    format!("{of} is not in the table of resource types"),
                ),
            }
            self.secrets(file, &needle, block, &sensitive);
            if of == "genesyscloud_auth_role" {
                self.role(file, &needle, block);
            }
        }
    }

    fn block(&mut self, file: &str, needle: &str, block: &Block, node: &Node, path: &str) {
        let top = node.members.is_empty() || !path.contains('.');
        let mut found = BTreeSet::new();
        for attribute in block.body().attributes() {
            let key = attribute.key();
            if top && META.contains(&key) {
                continue;
            }
            found.insert(key.to_owned());
            match node.members.get(key) {
                Some(member) if member.members.is_empty() => {
                    self.value(file, attribute.expr(), member, &format!("{path}.{key}"));
                }
                Some(_) => self.report(
                    "terraform-attribute",
                    file,
                    needle,
                    format!("{path}.{key} is a block, not an attribute"),
                ),
                None => self.report(
                    "terraform-attribute",
                    file,
                    needle,
                    format!("{path} has no attribute {key}"),
                ),
            }
        }
        for inner in block.body().blocks() {
            let (key, content) = match inner.identifier() {
                "dynamic" => {
                    let key = labels(inner).first().copied().unwrap_or_default();
                    let content = inner.body().blocks().find(|b| b.identifier() == "content");
                    (key, content.unwrap_or(inner))
                }
                key => (key, inner),
            };
            if top && META.contains(&key) {
                continue;
            }
            found.insert(key.to_owned());
            match node.members.get(key) {
                Some(member) if member.allowed == Allowed::Any => {}
                Some(member) if !member.members.is_empty() => {
                    self.block(file, needle, content, member, &format!("{path}.{key}"));
                }
                _ => self.report(
                    "terraform-attribute",
                    file,
                    needle,
                    format!("{path} has no block {key}"),
                ),
            }
        }
        for (key, member) in &node.members {
            if member.required && !found.contains(key) {
                self.report(
                    "terraform-attribute",
                    file,
                    needle,
                    format!("{path} needs {key}"),
                );
            }
        }
    }

    fn value(&mut self, file: &str, value: &Expression, node: &Node, path: &str) {
        let key = path.rsplit('.').next().unwrap_or(path);
        match (&node.allowed, value) {
            (Allowed::OneOf(words), Expression::String(text)) if !words.contains(text) => self
                .report(
                    "terraform-attribute",
                    file,
                    &format!("\"{text}\""),
                    format!("{path} must be one of {}, not {text:?}", words.join(", ")),
                ),
            (Allowed::Text | Allowed::OneOf(_), Expression::Number(_) | Expression::Bool(_))
            | (Allowed::Number, Expression::String(_) | Expression::Bool(_))
            | (Allowed::Bool, Expression::String(_) | Expression::Number(_)) => self.report(
                "terraform-attribute",
                file,
                key,
                format!("{path} has a value of the wrong kind: {value}"),
            ),
            _ => {}
        }
    }

    fn secrets(&mut self, file: &str, needle: &str, block: &Block, sensitive: &BTreeSet<String>) {
        let is_sensitive = |value: &Expression| {
            let mut all = true;
            let mut any = false;
            visit(value, &mut Vec::new(), &mut |met, _| match met {
                Met::Reference("var", path) => {
                    any = true;
                    all &= path.first().is_some_and(|name| sensitive.contains(*name));
                }
                Met::Text => all = false,
                _ => {}
            });
            any && all
        };
        for attribute in block.body().attributes() {
            let key = attribute.key();
            if SECRET_ATTRIBUTES.contains(&key) && !is_sensitive(attribute.expr()) {
                self.report(
                    "terraform-secret",
                    file,
                    key,
                    format!("{key} must come from a sensitive variable"),
                );
            }
            if key == "expose_client_secret" && *attribute.expr() != Expression::Bool(false) {
                self.report(
                    "terraform-secret",
                    file,
                    key,
                    "expose_client_secret puts the client's secret into the state".to_owned(),
                );
            }
            if key == "directory_client_secret" {
                self.report(
                    "terraform-secret",
                    file,
                    key,
                    "directory_client_secret writes the client's secret to a disk".to_owned(),
                );
            }
            if key == "fields"
                && let Expression::Object(members) = attribute.expr()
            {
                for (name, value) in keys(attribute.expr()).iter().zip(members.values()) {
                    if SECRET_FIELDS.contains(name) && !is_sensitive(value) {
                        self.report(
                            "terraform-secret",
                            file,
                            needle,
                            format!("the field {name} must come from a sensitive variable"),
                        );
                    }
                }
            }
        }
    }

    /// The bridge's client may deliver messages and receipts, and nothing else.
    fn role(&mut self, file: &str, needle: &str, block: &Block) {
        let policies: Vec<&Block> = block
            .body()
            .blocks()
            .filter(|inner| inner.identifier() == "permission_policies")
            .collect();
        let text = |policy: &Block, key: &str| match attribute(policy, key) {
            Some(Expression::String(text)) => text.clone(),
            Some(Expression::Array(items)) => items
                .iter()
                .map(|item| match item {
                    Expression::String(text) => text.as_str(),
                    _ => "?",
                })
                .collect::<Vec<_>>()
                .join(","),
            _ => "?".to_owned(),
        };
        let granted: Vec<String> = policies
            .iter()
            .map(|policy| {
                format!(
                    "{}:{}:{}",
                    text(policy, "domain"),
                    text(policy, "entity_name"),
                    text(policy, "action_set")
                )
            })
            .collect();
        if granted != ["conversation:message:receive"] || attribute(block, "permissions").is_some()
        {
            self.report(
                "genesys-permission",
                file,
                needle,
                format!(
                    "the role must grant conversation:message:receive and nothing else, it grants {}",
                    granted.join(" ")
                ),
            );
        }
    }

    fn provider(&mut self) {
        let configuration = self.configuration;
        if configuration.blocks.is_empty() {
            return;
        }
        let required = configuration.of("terraform").find_map(|(_, block)| {
            block
                .body()
                .blocks()
                .find(|inner| inner.identifier() == "required_providers")
                .and_then(|inner| attribute(inner, "genesyscloud"))
        });
        let member = |name: &str| match required {
            Some(object @ Expression::Object(members)) => keys(object)
                .iter()
                .position(|key| *key == name)
                .and_then(|index| members.values().nth(index))
                .cloned(),
            _ => None,
        };
        if member("source") != Some(Expression::String("mypurecloud/genesyscloud".to_owned())) {
            self.report(
                "terraform-provider",
                "infra/genesys/versions.tf",
                "source",
                "the provider must be mypurecloud/genesyscloud".to_owned(),
            );
        }
        let pinned = matches!(member("version"), Some(Expression::String(version)) if version.starts_with("~> 1."));
        if !pinned {
            self.report(
                "terraform-provider",
                "infra/genesys/versions.tf",
                "version",
                "the provider's version must be pinned, ~> 1.84 for example".to_owned(),
            );
        }
        // Credentials of the provider come from the environment.
        for (file, block) in configuration.of("provider") {
            for attribute in block.body().attributes() {
                if attribute.key() != "aws_region" && attribute.key() != "alias" {
                    let key = attribute.key().to_owned();
                    self.report(
                        "terraform-secret",
                        file,
                        &key,
                        format!("provider: {key} belongs into the environment"),
                    );
                }
            }
        }
    }

    /// The example of values names every variable, and none that does not exist.
    fn example(&mut self) {
        let file = format!("{FOLDER}/terraform.tfvars.example");
        let Some(text) = self.view.tree.text(&file) else {
            return;
        };
        let mut wrong = Vec::new();
        let names: Vec<String> = self
            .configuration
            .of("variable")
            .filter_map(|(_, block)| labels(block).first().map(|name| (*name).to_owned()))
            .collect();
        for name in &names {
            let there = text.lines().any(|line| {
                line.trim_start_matches(['#', ' '])
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.trim_start().starts_with(['=', ':']))
            });
            if !there {
                wrong.push((
                    String::new(),
                    format!("variable {name} is not in the example"),
                ));
            }
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once('=')
                && !line.starts_with(' ')
                && !names.iter().any(|known| known == name.trim())
            {
                wrong.push((
                    line.to_owned(),
                    format!("there is no variable {}", name.trim()),
                ));
            }
        }
        for (needle, what) in wrong {
            self.report("terraform-example", &file, &needle, what);
        }
    }
}
