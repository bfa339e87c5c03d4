use bridge::rotation::DISPLAY_NAME;
use services::graph::registration::ImplicitGrants;

use super::*;

const GRAPH: &str = "graph";

fn user(name: &str) -> SupportUser {
    SupportUser {
        name: name.to_owned(),
        id: format!("{name}-id"),
    }
}

pub fn wanted() -> Wanted {
    Wanted {
        display_name: "Graph-to-Open (rg)".to_owned(),
        redirect: "https://app/api/sign-in".to_owned(),
        users: vec![user("support")],
        all_chats: true,
        identity: "identity".to_owned(),
        issuer: "https://login/t/v2.0".to_owned(),
        exchange_audience: "api://AzureADTokenExchange".to_owned(),
        has_secret: false,
        owners: vec![],
    }
}

fn empty() -> Found {
    let named = |name: &&str| ((*name).to_owned(), format!("{name}-id"));
    Found {
        graph: Api {
            id: GRAPH.to_owned(),
            scopes: DELEGATED.iter().map(named).collect(),
            roles: [ALL_CHATS, OWNED_APPS].iter().map(named).collect(),
        },
        ..Found::default()
    }
}

fn role_of(principal: &str, name: &str) -> RoleAssignment {
    RoleAssignment {
        id: format!("{principal}-{name}"),
        principal_id: principal.to_owned(),
        resource_id: GRAPH.to_owned(),
        app_role_id: format!("{name}-id"),
    }
}

fn grant_of(user: &str, scope: &str) -> Grant {
    Grant {
        id: format!("{user}-grant"),
        client_id: "principal".to_owned(),
        consent_type: "Principal".to_owned(),
        principal_id: Some(format!("{user}-id")),
        resource_id: GRAPH.to_owned(),
        scope: scope.to_owned(),
    }
}

/// What is there once everything was done.
pub fn complete(wanted: &Wanted) -> Found {
    let mut found = empty();
    let all = changes(wanted, &found).expect("permissions");
    for change in all {
        match change {
            Change::MakeApplication(mut made) => {
                made.id = "object".to_owned();
                found.application = Some(made);
            }
            Change::AddOwner(owner) => found.owners.push(owner),
            Change::AddCredential(credential) => found.credentials.push(credential),
            Change::MakePrincipal => found.principal = Some("principal".to_owned()),
            Change::AddGrant(user, scope) => found.grants.push(grant_of(&user.name, &scope)),
            Change::AssignRole(Holder::App, name) => found.roles.push(role_of("principal", name)),
            Change::AssignRole(Holder::Identity, name) => {
                found.identity_roles.push(role_of("identity", name));
            }
            other => panic!("nothing is there to change: {other:?}"),
        }
    }
    found
}

fn with(change: impl FnOnce(&mut Wanted)) -> Wanted {
    let mut wanted = wanted();
    change(&mut wanted);
    wanted
}

#[test]
fn everything_is_made_once_and_then_nothing_is_left_to_do() {
    let federated = wanted();
    let secret = with(|it| it.has_secret = true);
    let delegated = with(|it| it.all_chats = false);
    let owned = with(|it| it.owners = vec!["person".to_owned()]);
    let two = with(|it| it.users.push(user("second")));
    for wanted in [federated, secret, delegated, owned, two] {
        let mut found = complete(&wanted);
        assert_eq!(changes(&wanted, &found), Ok(vec![]), "{wanted:?}");
        // Entra ID shows lists in any order, and ids in any case.
        if let Some(app) = &mut found.application {
            app.required_resource_access[0].resource_access.reverse();
            app.is_fallback_public_client = None;
        }
        for grant in &mut found.grants {
            let words: Vec<&str> = grant.scope.split(' ').rev().collect();
            grant.scope = format!(" {}", words.join(" "));
            grant.principal_id = grant.principal_id.as_ref().map(|id| id.to_uppercase());
        }
        assert_eq!(changes(&wanted, &found), Ok(vec![]));
    }
}

#[test]
fn what_was_done_before_a_kill_is_not_done_again() {
    let wanted = with(|it| it.users.push(user("second")));
    let full = complete(&wanted);
    let all = changes(&wanted, &empty()).expect("permissions").len();
    let half = Found {
        application: full.application.clone(),
        credentials: full.credentials.clone(),
        principal: full.principal.clone(),
        grants: full.grants[..1].to_vec(),
        ..empty()
    };
    let left = changes(&wanted, &half).expect("permissions");
    let expected = vec![
        Change::AddGrant(user("second"), granted_scope()),
        Change::AssignRole(Holder::App, ALL_CHATS),
    ];
    assert_eq!(left, expected);
    assert_eq!(all, 6);
}

#[test]
fn grants_are_for_the_support_users_and_for_nobody_else() {
    let wanted = with(|it| it.users.push(user("unknown")));
    let mut found = complete(&with(|_| {}));
    found.unknown_users.insert("unknown-id".to_owned());
    found.grants[0].scope = "openid Chat.ReadWrite Mail.Read".to_owned();
    found.grants.push(grant_of("left", &granted_scope()));
    let everybody = Grant {
        id: "all-grant".to_owned(),
        consent_type: "AllPrincipals".to_owned(),
        principal_id: None,
        ..grant_of("x", "User.Read")
    };
    found.grants.push(everybody);
    let of_another_api = Grant {
        resource_id: "sharepoint".to_owned(),
        ..grant_of("left", "x")
    };
    found.grants.push(of_another_api);
    let expected = vec![
        Change::SetGrant(user("support"), "support-grant".to_owned(), granted_scope()),
        Change::RemoveGrant(Some("left-id".to_owned()), "left-grant".to_owned()),
        Change::RemoveGrant(None, "all-grant".to_owned()),
    ];
    assert_eq!(changes(&wanted, &found), Ok(expected));
}

#[test]
fn a_registration_that_somebody_changed_is_set_right_and_keeps_the_rest() {
    let wanted = wanted();
    let mut found = complete(&wanted);
    let other_api = RequiredAccess {
        resource_app_id: "sharepoint".to_owned(),
        resource_access: vec![scope("x")],
    };
    let before = found.application.as_mut().expect("one");
    before.display_name = "our own name".to_owned();
    before.sign_in_audience = "AzureADMultipleOrgs".to_owned();
    before.is_fallback_public_client = Some(true);
    before.web.redirect_uris = vec!["https://support.example/api/sign-in".to_owned()];
    before.web.implicit_grant_settings = ImplicitGrants {
        enable_access_token_issuance: true,
        enable_id_token_issuance: false,
    };
    before.required_resource_access[0].resource_access.pop();
    before.required_resource_access.insert(0, other_api.clone());
    let done = changes(&wanted, &found).expect("permissions");
    let [Change::SetApplication(after, what)] = &done[..] else {
        panic!("{done:?}");
    };
    assert_eq!(what.len(), 5, "{what:?}");
    assert_eq!(after.display_name, "our own name");
    assert_eq!(after.sign_in_audience, AUDIENCE);
    assert_eq!(
        after.web.redirect_uris,
        [
            "https://support.example/api/sign-in",
            "https://app/api/sign-in"
        ]
    );
    assert_eq!(after.required_resource_access[0], other_api);
    assert_eq!(after.required_resource_access[1].resource_access.len(), 7);
    found.application = Some(after.clone());
    assert_eq!(changes(&wanted, &found), Ok(vec![]));
}

#[test]
fn a_credential_is_found_by_what_it_trusts_or_by_its_name() {
    let wanted = wanted();
    let complete = complete(&wanted);
    let ours = &complete.credentials[0];
    let case = |changed: FederatedCredential| {
        let mut found = complete.clone();
        found.credentials = vec![FederatedCredential {
            id: "c".to_owned(),
            ..changed
        }];
        changes(&wanted, &found).expect("permissions")
    };
    let named = |name: &str| FederatedCredential {
        name: name.to_owned(),
        ..ours.clone()
    };
    assert_eq!(case(named("by-hand")), []);
    let set = [Change::SetCredential("c".to_owned(), ours.clone())];
    let subject = "another identity".to_owned();
    assert_eq!(
        case(FederatedCredential {
            subject: subject.clone(),
            ..ours.clone()
        }),
        set
    );
    let audiences = vec!["api://other".to_owned()];
    assert_eq!(
        case(FederatedCredential {
            audiences,
            ..named("by-hand")
        }),
        set
    );
    let foreign = FederatedCredential {
        subject,
        ..named("by-hand")
    };
    assert_eq!(case(foreign), [Change::AddCredential(ours.clone())]);
}

#[test]
fn the_managed_identity_owns_the_app_only_where_it_renews_its_secret() {
    let secret = with(|it| it.has_secret = true);
    let federated = wanted();
    let found = complete(&secret);
    let back = changes(&federated, &found).expect("permissions");
    assert!(
        matches!(&back[..], [
        Change::RemoveOwner(owner),
        Change::AddCredential(_),
        Change::RemoveRole(Holder::Identity, OWNED_APPS, _),
    ] if owner == "identity"),
        "{back:?}"
    );
    // Its secrets go too, once the app does without; what a person added stays.
    let mut with_secrets = found.clone();
    let app = with_secrets.application.as_mut().expect("one");
    app.password_credentials = [("k-1", Some(DISPLAY_NAME)), ("k-2", None)]
        .map(|(id, name)| Key {
            key_id: id.to_owned(),
            display_name: name.map(str::to_owned),
        })
        .to_vec();
    let removed = Change::RemoveSecret("k-1".to_owned());
    let back = changes(&federated, &with_secrets).expect("permissions");
    let place = |it: fn(&Change) -> bool| back.iter().position(it);
    let removal = back.iter().position(|it| *it == removed);
    assert!(
        place(|it| matches!(it, Change::AddCredential(_))) < removal && removal.is_some(),
        "{back:?}"
    );
    assert!(!back.contains(&Change::RemoveSecret("k-2".to_owned())));
    assert_eq!(changes(&secret, &with_secrets), Ok(vec![]));
    with_secrets.uses_secret = true;
    let early = changes(&federated, &with_secrets).expect("permissions");
    assert!(!early.contains(&removed), "{early:?}");
    let delegated = with(|it| it.all_chats = false);
    let less = changes(&delegated, &complete(&federated)).expect("permissions");
    assert!(
        matches!(
            &less[..],
            [
                Change::SetApplication(..),
                Change::RemoveRole(Holder::App, ALL_CHATS, _),
            ]
        ),
        "{less:?}"
    );
}

#[test]
fn a_cloud_without_a_permission_is_told() {
    let mut found = empty();
    found.graph.scopes.remove("Files.Read.All");
    assert_eq!(
        changes(&wanted(), &found),
        Err(NoPermission("Files.Read.All"))
    );
}
