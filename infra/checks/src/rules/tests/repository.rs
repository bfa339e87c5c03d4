use functions::settings::SPECIFICATIONS;

use super::Example;

/// App settings as the templates have them, all at their defaults.
fn app_settings() -> String {
    let mut text = String::from(
        "resource settings 'Microsoft.Web/sites/config@2025-03-01' = {\n  name: 'appsettings'\n  properties: {\n",
    );
    for name in [
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "AzureWebJobsStorage__accountName",
        "AzureWebJobsStorage__clientId",
        "AzureWebJobsStorage__credential",
        "ServiceBus__clientId",
        "ServiceBus__credential",
    ] {
        text.push_str(&format!("    {name}: 'x'\n"));
    }
    for specification in SPECIFICATIONS {
        let value = specification.default.unwrap_or("x").replace('\'', "\\'");
        text.push_str(&format!("    {}: '{value}'\n", specification.name));
    }
    text.push_str("  }\n}\nresource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {\n  name: 'inbound'\n  properties: {\n    requiresSession: true\n  }\n}\n");
    text
}

fn local_settings() -> String {
    let mut names = vec!["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"];
    names.extend(
        SPECIFICATIONS
            .iter()
            .map(|specification| specification.name),
    );
    let members: Vec<String> = names
        .iter()
        .map(|name| format!("\"{name}\": \"x\""))
        .collect();
    format!("{{\"Values\": {{{}}}}}", members.join(",\n"))
}

#[test]
fn settings_are_those_of_the_program() {
    let text = app_settings();
    let files = [("infra/main.bicep", text.as_str())];
    for (rule, from, to) in [
        ("app-settings", "    REACTIONS: 'off'\n", ""),
        (
            "app-settings",
            "    REACTIONS: 'off'\n",
            "    REACTIONS: 'off'\n    REACTION: 'off'\n",
        ),
        ("app-settings", "REACTIONS: 'off'", "REACTIONS: false"),
        ("app-settings", "    ServiceBus__credential: 'x'\n", ""),
        (
            "flex-settings",
            "    REACTIONS: 'off'\n",
            "    REACTIONS: 'off'\n    WEBSITE_RUN_FROM_PACKAGE: '1'\n",
        ),
        ("setting-default", "REACTIONS: 'off'", "REACTIONS: 'on'"),
    ] {
        Example {
            files: &files,
            rule,
        }
        .breaks(from, to);
    }
    let text = local_settings();
    let files = [("local.settings.json", text.as_str())];
    let example = Example {
        files: &files,
        rule: "local-settings",
    };
    example.breaks("\"REACTIONS\": \"x\",\n", "");
    example.breaks("\"REACTIONS\"", "\"REACTION\"");
}

#[test]
fn functions_fit_their_queues() {
    let text = app_settings();
    let files = [
        (
            "functions/a/function.json",
            r#"{"bindings": [{"type": "serviceBusTrigger", "queueName": "%INBOUND_QUEUE%", "connection": "ServiceBus", "isSessionsEnabled": true}]}"#,
        ),
        ("infra/main.bicep", text.as_str()),
    ];
    let example = Example {
        files: &files,
        rule: "function-json",
    };
    example.breaks("%INBOUND_QUEUE%", "inbound");
    example.breaks("%INBOUND_QUEUE%", "%INBOUND%");
    example.breaks("\"ServiceBus\"", "\"Bus\"");
    example.breaks(
        "\"isSessionsEnabled\": true",
        "\"isSessionsEnabled\": false",
    );
    example.breaks_in(
        "infra/main.bicep",
        "requiresSession: true",
        "requiresSession: false",
    );
}

#[test]
fn the_host_runs_the_program_of_the_package() {
    let files = [(
        "host.json",
        r#"{"version": "2.0", "extensions": {"http": {"routePrefix": "api"}, "serviceBus": {"maxConcurrentCallsPerSession": 1, "autoCompleteMessages": true}},
            "customHandler": {"description": {"defaultExecutablePath": "handler"}, "enableProxyingHttpRequest": true}}"#,
    )];
    let example = Example {
        files: &files,
        rule: "host-json",
    };
    example.breaks("\"handler\"", "\"./handler\"");
    example.breaks(
        "\"defaultExecutablePath\": \"handler\"",
        "\"defaultExecutablePath\": \"handler\", \"arguments\": []",
    );
    example.breaks(
        "\"enableProxyingHttpRequest\": true",
        "\"enableForwardingHttpRequest\": true",
    );
    example.breaks(
        "\"maxConcurrentCallsPerSession\": 1",
        "\"maxConcurrentCallsPerSession\": 2",
    );
    example.breaks("\"routePrefix\": \"api\"", "\"routePrefix\": \"\"");
}

#[test]
fn addresses_are_routes_of_functions() {
    let files = [
        (
            "infra/main.bicep",
            "param host string\noutput url string = 'https://${host}/api/genesys/webhook'\noutput other string = 'https://${host}/api/health'\n",
        ),
        (
            "functions/a/function.json",
            r#"{"bindings": [{"type": "httpTrigger", "route": "genesys/webhook"}, {"route": "health"}]}"#,
        ),
    ];
    let example = Example {
        files: &files,
        rule: "address",
    };
    example.breaks("/api/health", "/api/healthy");
    example.breaks("/api/genesys/webhook", "/api/genesys/hook");
}

#[test]
fn secret_names() {
    let sources = [
        ("services/src/genesys.rs", "\"genesys-client-secret\""),
        (
            "functions/src/app.rs",
            "\"genesys-webhook-secret\" \"graph-client-state\"",
        ),
        (
            "services/src/entra/delegated.rs",
            "\"graph-client-secret\" \"graph-refresh-token-{account}\"",
        ),
        ("functions/src/keys.rs", "\"graph-notification-key\""),
    ];
    let main = (
        "infra/main.bicep",
        "param secret bool\nvar renewed = [for name in ['a']: 'graph-refresh-token-${name}']\noutput secretNames array = concat(['genesys-client-secret', 'genesys-webhook-secret', 'graph-client-state', 'graph-notification-key', 'graph-client-state-previous'], secret ? ['graph-client-secret'] : [], renewed)\n",
    );
    let [one, two, three, four] = sources;
    let files = [main, one, two, three, four];
    let example = Example {
        files: &files,
        rule: "secret-names",
    };
    example.breaks("'graph-notification-key', ", "");
    example.breaks(
        "'graph-client-state-previous'",
        "'graph-client-status-previous'",
    );
    example.breaks(", renewed)", ")");
    example.breaks_in(
        "functions/src/keys.rs",
        "graph-notification-key",
        "graph-decryption-key",
    );
}

const SOURCE: (&str, &str) = (
    "functions/src/a.rs",
    r#"fn a() { tracing::info_span!("i", function); tracing::info!(event = "settled", age_s, kind = "throttled"); tracing::info!(event = "paused"); }"#,
);

#[test]
fn queries_of_alerts() {
    let alert = "
param minutes int
var entries = 'traces | extend e = parse_json(message)'
resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'a'
  properties: {
    criteria: {
      allOf: [
        {
          query: '${entries} | where tostring(e.event) == \"settled\" and e.kind == \"throttled\" and tolong(e.age_s) > ${minutes * 60} and e[\"function\"] != \"\"'
        }
      ]
    }
    actions: {
      actionGroups: ['g']
    }
  }
}
";
    let files = [("infra/main.bicep", alert), SOURCE];
    for (rule, from, to) in [
        ("query-event", "== \"settled\"", "== \"settle\""),
        ("query-field", "e.age_s", "e.age"),
        // A field of another event does not help.
        ("query-field", "== \"settled\"", "== \"paused\""),
        ("query-value", "\"throttled\"", "\"slow\""),
        ("query-table", "'traces |", "'trace |"),
        ("query-column", "'traces |", "'AppTraces |"),
        ("query-form", "parse_json(message)'", "parse_json(message'"),
        ("alert-action", "['g']", "[]"),
    ] {
        Example {
            files: &files,
            rule,
        }
        .breaks(from, to);
    }
}

#[test]
fn queries_of_workbooks() {
    let files = [
        (
            "infra/workbooks/a.json",
            r#"{"items": [{"content": {"title": "t", "query": "traces | extend e = parse_json(message) | where e.event == 'settled'"}}]}"#,
        ),
        SOURCE,
    ];
    Example {
        files: &files,
        rule: "query-event",
    }
    .breaks("'settled'", "'sent'");
    Example {
        files: &files,
        rule: "workbook",
    }
    .breaks("\"query\"", "\"text\"");
}

#[test]
fn documents() {
    let rule = |rule, files: &[(&str, &str)], from: &str, to: &str| {
        Example { files, rule }.breaks(from, to);
    };
    rule("json", &[("infra/a.json", "{\"a\": 1}")], "1}", "1,}");
    rule(
        "json",
        &[("infra/b.json", "{\"a\": 1}")],
        "{",
        "// no comments\n{",
    );
    rule(
        "yaml",
        &[("infra/a.yaml", "a:\n  b: 1\n  c: 2\n")],
        "  c",
        " c",
    );
    rule(
        "yaml",
        &[(".github/workflows/a.yml", "a: 1\nb: 2\n")],
        "b: 2",
        "a: 2",
    );
    let hooks = "name: a\nhooks:\n  postprovision:\n    posix:\n      run: ./infra/p.sh\n";
    let files = [
        ("azure.yaml", hooks),
        ("infra/main.bicep", ""),
        ("infra/p.sh", ""),
    ];
    rule("azd", &files, "./infra/p.sh", "./infra/q.sh");
    rule("azd", &files, "name: a\n", "");
    rule("azd", &files, "hooks:", "infra:\n  path: other\nhooks:");
    rule("azd", &files, "hooks:", "hook:");
}

#[test]
fn the_linter_is_strict() {
    let levels: Vec<String> = [
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
    ]
    .iter()
    .map(|rule| format!("\"{rule}\": {{\"level\": \"error\"}}"))
    .collect();
    let text = format!(
        "{{\"analyzers\": {{\"core\": {{\"enabled\": true, // yes\n\"rules\": {{{}}}}}}}}}",
        levels.join(",\n")
    );
    let files = [("infra/bicepconfig.json", text.as_str())];
    let example = Example {
        files: &files,
        rule: "bicep-linter",
    };
    example.breaks(
        "\"no-unused-vars\": {\"level\": \"error\"}",
        "\"no-unused-vars\": {\"level\": \"warning\"}",
    );
    example.breaks("\"enabled\": true", "\"enabled\": false");
}

#[test]
fn workflows() {
    let files = [
        (
            ".github/workflows/a.yml",
            "name: a\npermissions:\n  id-token: write\njobs:\n  b:\n    uses: ./.github/workflows/c.yml\n  d:\n    steps:\n      - uses: azure/login@f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca # v3\n        with:\n          client-id: x\n",
        ),
        (".github/workflows/c.yml", "name: c\npermissions: {}\n"),
    ];
    for (rule, from, to) in [
        (
            "unpinned-action",
            "@f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca",
            "@v3",
        ),
        ("workflow", "id-token: write", "contents: read"),
        ("workflow", "permissions:\n", "rights:\n"),
        ("workflow", "client-id: x", "creds: x"),
        ("workflow", "workflows/c.yml", "workflows/e.yml"),
    ] {
        Example {
            files: &files,
            rule,
        }
        .breaks(from, to);
    }
}
