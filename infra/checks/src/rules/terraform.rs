//! The Terraform configuration of Genesys Cloud as a whole: names that exist, variables, outputs and the provider.

use std::collections::BTreeSet;

use hcl::expr::Expression;

use super::View;
use crate::Problem;
use crate::terraform::{Configuration, Met, attribute, keys, labels, visit_block};

/// Where the configuration lies.
pub(super) const FOLDER: &str = "infra/genesys";

const SECRET_WORDS: &[&str] = &["secret", "password", "token"];

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
        super::terraform_resources::check(&mut rules);
        rules.provider();
        rules.example();
    }
    rules.problems
}

pub(super) struct Rules<'a> {
    view: &'a View<'a>,
    pub(super) configuration: &'a Configuration<'a>,
    problems: Vec<Problem>,
}

impl Rules<'_> {
    /// Reports at the first line of the file that holds `needle`: the parser keeps no places.
    pub(super) fn report(&mut self, rule: &'static str, file: &str, needle: &str, what: String) {
        let line = self.view.tree.line_of(file, needle);
        self.problems.push(Problem::new(rule, file, line, what));
    }

    pub(super) fn sensitive(&self) -> BTreeSet<String> {
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
