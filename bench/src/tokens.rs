//! The look-up of a support account's token, which each call to Graph begins with, while the token is in memory; and the check of a token
//! of the bot's connector, which each activity begins with.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use reqwest::{Certificate, Client};
use services::bot::{ConnectorTokens, Verdict};
use services::entra::{
    AgentUser, AgentUsers, ClientAuthentication, DelegatedTokens, OwnRegistration, Registration,
};
use services::key_vault::KeyVault;
use services::managed_identity::ManagedIdentity;
use services::secrets::{Secrets, names};
use time::{Duration, OffsetDateTime};

use crate::outside::Outside;
use crate::table::Figure::AtMost;
use crate::table::{Table, median};

/// Look-ups of one round.
const LOOKUPS: u32 = 200_000;

/// Rounds, alternating between the kinds of accounts.
const ROUNDS: usize = 11;

/// Longest time of a look-up, in µs.
const BAR: f64 = 1.0;

/// Checks of one round, and the longest time of one, in µs.
const CHECKS: u32 = 2_000;
const CHECK_BAR: f64 = 60.0;

/// How a support account gets its tokens, and the name of one that does so.
const KINDS: [(&str, &str); 2] = [
    ("cached token of an account that signs in, µs", "support"),
    ("cached token of an agent user, µs", "robot"),
];

/// The managed identity, whose tokens nobody looks at here.
#[derive(Debug)]
struct Identity;

#[async_trait]
impl TokenCredential for Identity {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new(
            "bench",
            OffsetDateTime::now_utc() + Duration::HOUR,
        ))
    }
}

/// Median times of a look-up, for each kind of account.
pub async fn measure() -> Result<Table> {
    let outside = Outside::start()?;
    let client = client(&outside)?;
    let tokens = tokens(&outside, client.clone());
    let mut rounds = KINDS.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((_, account), times) in KINDS.iter().zip(&mut rounds) {
            times.push(round(&tokens, account).await?);
        }
    }
    let mut table = Table::new("token look-up", &["ours"]);
    for ((measure, _), times) in KINDS.iter().zip(rounds) {
        table.row(*measure, [AtMost(median(times), BAR)]);
    }
    let times = checks(&outside, client).await?;
    let figure = AtMost(median(times), CHECK_BAR);
    table.row("token of the bot's connector, checked, µs", [figure]);
    Ok(table)
}

/// Mean times of the check of a genuine token, in µs, after one that reads the keys.
async fn checks(outside: &Outside, client: Client) -> Result<Vec<f64>> {
    let endpoint = format!("https://{}", outside.authority);
    let address = format!("{endpoint}/connector-token");
    let token = client.get(address).send().await?.text().await?;
    let entra = "https://login.microsoftonline.com";
    let tokens = ConnectorTokens::new(client, &endpoint, entra, "bench");
    let check = async || tokens.verdict(black_box(&token), "msteams").await;
    ensure!(
        matches!(check().await, Verdict::Valid(_)),
        "the token is genuine"
    );
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..CHECKS {
            black_box(check().await);
        }
        times.push(begun.elapsed().as_secs_f64() * 1e6 / f64::from(CHECKS));
    }
    Ok(times)
}

fn client(outside: &Outside) -> Result<Client> {
    let roots = std::fs::read(&outside.roots).context("the authority's certificate")?;
    let roots = [Certificate::from_pem(&roots)?];
    Ok(Client::builder().tls_certs_only(roots).build()?)
}

fn tokens(outside: &Outside, client: Client) -> DelegatedTokens {
    let identity = Arc::new(ManagedIdentity::from_credential(Arc::new(Identity)));
    let endpoint = format!("https://{}", outside.authority);
    let vault = KeyVault::new(client.clone(), &endpoint, Arc::clone(&identity));
    let app = OwnRegistration::new(
        client,
        &endpoint,
        Registration {
            tenant: "tenant",
            client_id: "client",
            authentication: ClientAuthentication::Federated,
            secret: names::GRAPH_CLIENT,
        },
        identity,
        Arc::new(Secrets::new(Arc::new(vault))),
    );
    let robot = AgentUser {
        identity: "identity".to_owned(),
        user: "user".to_owned(),
    };
    let graph = "https://graph.microsoft.com";
    let agents = AgentUsers::new("blueprint", graph, [("robot".to_owned(), robot)]);
    DelegatedTokens::new(app, agents)
}

/// Mean time of a look-up in µs, after one that fetches the token where there is none.
async fn round(tokens: &DelegatedTokens, account: &str) -> Result<f64> {
    tokens.token(account).await?;
    let begun = Instant::now();
    for _ in 0..LOOKUPS {
        black_box(tokens.token(black_box(account)).await?);
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(LOOKUPS))
}
