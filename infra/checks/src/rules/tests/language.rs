use super::{Example, template};

#[test]
fn syntax() {
    template("bicep-syntax", "param a string = 'b'\n", |example| {
        example.breaks("= 'b'", "= = 'b'");
    });
}

#[test]
fn descriptions() {
    const TEXT: &str =
        "@description('a')\nparam a string\n@description('b')\noutput b string = a\n";
    template("description", TEXT, |example| {
        example.breaks("@description('a')\n", "")
    });
    template("description", TEXT, |example| {
        example.breaks("@description('b')\n", "")
    });
    template("description", TEXT, |example| example.breaks("'b'", "' '"));
}

#[test]
fn secrets_are_secure() {
    template(
        "secure-parameter",
        "@secure()\nparam appPassword string\n",
        |example| {
            example.breaks("@secure()\n", "");
        },
    );
    template(
        "secure-parameter",
        "@secure()\nparam apiToken string = ''\n",
        |example| {
            example.breaks("''", "'abc'");
        },
    );
    // A name of a secret is none, and neither is a decision about secrets.
    template(
        "secure-parameter",
        "param secretName string\nparam grantSecretWrites bool\nparam rest string\n",
        |example| example.breaks("param rest", "param sharedSecret"),
    );
    template(
        "secret-output",
        "output secretNames array = []\noutput a string = 'b'\n",
        |example| {
            example.breaks("output a", "output clientSecret");
        },
    );
}

#[test]
fn modules() {
    let files = [
        (
            "infra/main.bicep",
            "targetScope = 'subscription'\nmodule m 'modules/m.bicep' = {\n  scope: group\n  params: {\n    needed: 'a'\n  }\n}\noutput o string = m.outputs.made\n",
        ),
        (
            "infra/modules/m.bicep",
            "param needed string\nparam other string = 'x'\nparam maybe string?\noutput made string = '${needed}${other}${maybe}'\n",
        ),
    ];
    for (rule, from, to) in [
        ("module-path", "modules/m.bicep", "modules/n.bicep"),
        (
            "module-path",
            "modules/m.bicep",
            "br:mcr.microsoft.com/bicep/m:1",
        ),
        ("module-parameter", "needed: 'a'", "other: 'a'"),
        (
            "module-parameter",
            "needed: 'a'",
            "needed: 'a'\n    more: 'b'",
        ),
        ("module-output", "outputs.made", "outputs.make"),
        ("module-scope", "  scope: group\n", ""),
    ] {
        Example {
            files: &files,
            rule,
        }
        .breaks(from, to);
    }
}

#[test]
fn parameter_files() {
    let files = [
        (
            "infra/main.bicepparam",
            "using './main.bicep'\nparam one = 'a'\n",
        ),
        (
            "infra/main.bicep",
            "param one string\nparam two string = 'b'\n",
        ),
    ];
    for (from, to) in [
        ("using './main.bicep'", "using './mian.bicep'"),
        ("param one = 'a'\n", ""),
        ("param one =", "param one = 'a'\nparam three ="),
        ("param one = 'a'\n", "param one = 'a'\nparam one = 'b'\n"),
    ] {
        Example {
            files: &files,
            rule: "parameter-file",
        }
        .breaks(from, to);
    }
}

#[test]
fn names() {
    const TEXT: &str = "param a string\nvar b = [for (item, index) in split(a, ','): '${item}${index}']\nvar c = map(b, (x, y) => '${x}${y}')\noutput o array = filter(c, z => z.length > 1)\n";
    template("undeclared", TEXT, |example| {
        example.breaks("split(a,", "split(d,")
    });
    template("undeclared", TEXT, |example| {
        example.breaks("'${x}${y}'", "'${x}${w}'")
    });
    template("unused", TEXT, |example| {
        example.breaks("filter(c,", "filter(b,")
    });
    template(
        "unused",
        "resource r 'T@1' existing = {\n  name: 'r'\n}\noutput o string = r.id\n",
        |example| {
            example.breaks("= r.id", "= 'r'");
        },
    );
    template("duplicate", TEXT, |example| {
        example.breaks("var c =", "var b = 1\nvar c =")
    });
    template(
        "duplicate",
        "output o object = {\n  a: 1\n  b: 2\n}\n",
        |example| example.breaks("b: 2", "a: 2"),
    );
}

const ACCOUNT: &str = "
param days int
param words string
var policy = {
  enabled: true
  days: days
}
resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: 'a'
  location: words
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  tags: {
    any: 'thing'
  }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    networkAcls: {
      defaultAction: 'Allow'
      ipRules: [for address in ['1.2.3.4']: {
        value: address
      }]
    }
  }
}
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: days > 0 ? policy : null
  }
}
resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  name: 'q'
  properties: {
    lockDuration: 'PT1M'
  }
}
";

#[test]
fn properties_of_resources() {
    for (from, to) in [
        ("minimumTlsVersion: 'TLS1_2'", "minimalTlsVersion: 'TLS1_2'"),
        ("'TLS1_2'", "'TLS1_0'"),
        ("'TLS1_2'", "true"),
        ("  location: words\n", ""),
        ("location: words", "location: days"),
        ("    name: 'Standard_LRS'\n", ""),
        (
            "  sku: {\n    name: 'Standard_LRS'\n  }",
            "  sku: 'Standard_LRS'",
        ),
        ("        value: address", "        address: address"),
        (
            "ipRules: [for address in ['1.2.3.4']: {\n        value: address\n      }]",
            "ipRules: {}",
        ),
        // In a variable, behind a condition.
        ("  enabled: true\n", "  enable: true\n"),
        ("  days: days\n", "  days: words\n"),
        ("'PT1M'", "'1M'"),
        ("  name: 'q'\n", ""),
        ("  tags: {\n    any: 'thing'\n  }", "  tags: []"),
    ] {
        template("property", ACCOUNT, |example| example.breaks(from, to));
    }
}

#[test]
fn versions_and_types_of_resources() {
    template("api-version", ACCOUNT, |example| {
        example.breaks("queues@2024-01-01", "queues@2021-11-01");
    });
    template("resource-type", ACCOUNT, |example| {
        example.breaks(
            "Microsoft.ServiceBus/namespaces/queues@",
            "Microsoft.ServiceBus/namespaces/queue@",
        );
    });
}
