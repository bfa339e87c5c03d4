//! The look-up of a support account's token, which each call to Graph begins with, while the token is in memory.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use reqwest::{Certificate, Client};
use services::entra::{AgentUser, AgentUsers, ClientAuthentication, DelegatedTokens, GraphApp};
use services::key_vault::KeyVault;
use services::managed_identity::ManagedIdentity;
use services::secrets::Secrets;
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
    let tokens = tokens(&outside)?;
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
    Ok(table)
}

fn tokens(outside: &Outside) -> Result<DelegatedTokens> {
    let roots = std::fs::read(&outside.roots).context("the authority's certificate")?;
    let client = Client::builder()
        .tls_certs_only([Certificate::from_pem(&roots)?])
        .build()?;
    let identity = Arc::new(ManagedIdentity::from_credential(Arc::new(Identity)));
    let endpoint = format!("https://{}", outside.authority);
    let vault = KeyVault::new(client.clone(), &endpoint, Arc::clone(&identity));
    let app = GraphApp::new(
        client,
        &endpoint,
        "tenant",
        "client",
        ClientAuthentication::Federated,
        identity,
        Arc::new(Secrets::new(Arc::new(vault))),
    );
    let robot = AgentUser {
        identity: "identity".to_owned(),
        user: "user".to_owned(),
    };
    let graph = "https://graph.microsoft.com";
    let agents = AgentUsers::new("blueprint", graph, [("robot".to_owned(), robot)]);
    Ok(DelegatedTokens::new(app, agents))
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
