//! JSON and YAML files can be read, and what they point to is there.

use serde_json::Value as Json;
use serde_norway::Value as Yaml;

use super::View;
use crate::Problem;
use crate::bicep::relative;

pub(super) fn check(view: &View<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, text) in view.tree.files() {
        let Some((_, ending)) = file.rsplit_once('.') else {
            continue;
        };
        match ending {
            // Fixtures of the crates are those crates' business.
            "json" if !file.starts_with("bridge/") && !file.starts_with("services/") => {
                json(file, text, &mut problems);
            }
            "yaml" | "yml" => {
                if let Err(error) = serde_norway::from_str::<Yaml>(text) {
                    let line = error.location().map_or(0, |location| location.line());
                    problems.push(Problem::new("yaml", file, line, error.to_string()));
                }
            }
            _ => {}
        }
    }
    azd(view, &mut problems);
    problems
}

fn json(file: &str, text: &str, problems: &mut Vec<Problem>) {
    // The Bicep compiler takes comments in its configuration; nothing else here does.
    let parsed = if file.ends_with("bicepconfig.json") {
        serde_json::from_str::<Json>(&without_comments(text))
    } else {
        serde_json::from_str::<Json>(text)
    };
    match parsed {
        Err(error) => {
            problems.push(Problem::new("json", file, error.line(), error.to_string()));
        }
        Ok(config) if file.ends_with("bicepconfig.json") => linter(file, &config, problems),
        Ok(_) => {}
    }
}

/// Rules of the Bicep linter that must be errors: the ones about secrets, and those that these checks repeat.
const LINTER_ERRORS: &[&str] = &[
    "no-hardcoded-env-urls",
    "no-unused-params",
    "no-unused-vars",
    "outputs-should-not-contain-secrets",
    "secure-parameter-default",
    "secure-params-in-nested-deploy",
    "secure-secrets-in-params",
    "use-resource-symbol-reference",
    "use-secure-value-for-secure-inputs",
    "use-stable-resource-identifiers",
];

fn linter(file: &str, config: &Json, problems: &mut Vec<Problem>) {
    let core = &config["analyzers"]["core"];
    for rule in LINTER_ERRORS {
        let level = core["rules"][*rule]["level"].as_str();
        if level != Some("error") || core["enabled"].as_bool() == Some(false) {
            problems.push(Problem::new(
                "bicep-linter",
                file,
                0,
                format!("the linter's rule {rule} must be an error"),
            ));
        }
    }
}

/// JSON without `//` and `/* */` outside of strings; line breaks stay, so that lines can still be counted.
fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        match (quoted, character, characters.peek().copied()) {
            (true, '\\', Some(next)) => {
                plain.extend([character, next]);
                characters.next();
            }
            (_, '"', _) => {
                quoted = !quoted;
                plain.push(character);
            }
            (false, '/', Some('/')) => while characters.next_if(|next| *next != '\n').is_some() {},
            (false, '/', Some('*')) => {
                characters.next();
                let mut before = ' ';
                for inner in characters.by_ref() {
                    if inner == '\n' {
                        plain.push('\n');
                    }
                    if before == '*' && inner == '/' {
                        break;
                    }
                    before = inner;
                }
            }
            _ => plain.push(character),
        }
    }
    plain
}

/// `azure.yaml` names a template that exists and hooks whose scripts exist.
fn azd(view: &View<'_>, problems: &mut Vec<Problem>) {
    const FILE: &str = "azure.yaml";
    let Some(text) = view.tree.text(FILE) else {
        return;
    };
    let yaml: Yaml = serde_norway::from_str(text).unwrap_or_default();
    let mut report = |what: String| problems.push(Problem::new("azd", FILE, 0, what));
    if yaml["name"].as_str().is_none_or(str::is_empty) {
        report("there is no name".to_owned());
    }
    let infra = &yaml["infra"];
    let path = infra["path"].as_str().unwrap_or("infra");
    let module = infra["module"].as_str().unwrap_or("main");
    let template = relative("", &format!("{path}/{module}.bicep"));
    if view.tree.text(&template).is_none() {
        report(format!("there is no {template}"));
    }
    let Some(hooks) = yaml["hooks"].as_mapping() else {
        report("there are no hooks, so nothing would publish".to_owned());
        return;
    };
    for (name, hook) in hooks {
        let one = [hook];
        let variants = match hook.as_mapping() {
            Some(inner) if inner.contains_key("posix") || inner.contains_key("windows") => {
                inner.values().collect()
            }
            _ => one.to_vec(),
        };
        for variant in variants {
            let Some(run) = variant["run"].as_str() else {
                report(format!(
                    "the hook {} runs nothing",
                    name.as_str().unwrap_or_default()
                ));
                continue;
            };
            let word = run.split_whitespace().next().unwrap_or_default();
            let is_file = word.starts_with("./") || word.starts_with("infra/");
            if is_file && view.tree.text(&relative("", word)).is_none() {
                report(format!("there is no {word}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_strings_stay() {
        assert_eq!(
            without_comments("{ // one\n \"a\": \"// \\\" /* */\" /* two\n */ }"),
            "{ \n \"a\": \"// \\\" /* */\" \n }"
        );
    }
}
