//! Public signing keys (JWKS) of Entra ID and of the Bot Framework, and the claims of tokens signed with them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::error::{Result, Service};
use crate::exchange;
use crate::http::CALL_TIMEOUT;
use crate::renewal::Lease;

/// Largest key set; Entra ID's has about a dozen keys with their certificates.
const LIMIT: usize = 1024 * 1024;

/// Age at which they are read again in the background.
const RENEWED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Age at which they no longer count, should Entra ID be away that long.
const EXPIRE_AFTER: Duration = Duration::from_secs(48 * 3600);

/// Tolerance for clocks that differ, as Microsoft's own token libraries have it (`ClockSkew`, 5 minutes).
const CLOCK_SKEW_SECONDS: u64 = 300;

/// The keys of one reading, by key id.
pub(crate) struct SigningKeys(HashMap<String, SigningKey>);

struct SigningKey {
    key: DecodingKey,
    /// Issuer that the key is limited to; a template with `{tenantid}` fits all.
    issuer: Option<String>,
    /// Channels of the Bot Framework whose activities it may sign; all of them where none is named.
    endorsements: Vec<String>,
}

/// Claims that decide about a validation token, or say who signed in.
#[derive(Deserialize)]
pub(crate) struct Claims {
    pub(super) iss: String,
    /// Where the connector takes answers, in its tokens.
    pub(crate) serviceurl: Option<String>,
    pub(super) ver: Option<String>,
    pub(super) appid: Option<String>,
    pub(super) azp: Option<String>,
    pub(super) tid: Option<String>,
    pub(super) oid: Option<String>,
    pub(super) name: Option<String>,
    pub(super) preferred_username: Option<String>,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It names a key that is not among these.
    UnknownKey,
    /// It is not genuine, for this reason.
    Because(&'static str),
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kid: Option<String>,
    kty: Option<String>,
    n: Option<String>,
    e: Option<String>,
    issuer: Option<String>,
    endorsements: Option<Vec<String>>,
}

impl SigningKeys {
    /// Reads Entra ID's keys.
    pub(super) async fn read(client: reqwest::Client, url: String) -> Result<Lease<Arc<Self>>> {
        Ok(Lease {
            value: Self::read_at(&client, Service::Entra, &url).await?,
            renew_after: RENEWED_AFTER,
            expires_after: EXPIRE_AFTER,
        })
    }

    /// Reads the keys at this address. Entries of other kinds than RSA are passed over.
    pub(crate) async fn read_at(
        client: &reqwest::Client,
        service: Service,
        url: &str,
    ) -> Result<Arc<Self>> {
        let request = client.get(url).timeout(CALL_TIMEOUT);
        let set: KeySet = exchange::send_for_json(service, request, LIMIT).await?;
        let keys = set.keys.into_iter().filter_map(|jwk| {
            if jwk.kty.as_deref() != Some("RSA") {
                return None;
            }
            let key = DecodingKey::from_rsa_components(&jwk.n?, &jwk.e?).ok()?;
            let (issuer, endorsements) = (jwk.issuer, jwk.endorsements.unwrap_or_default());
            let key = SigningKey {
                key,
                issuer,
                endorsements,
            };
            Some((jwk.kid?, key))
        });
        Ok(Arc::new(Self(keys.collect())))
    }

    /// As [`Self::check`], for a token whose key must be endorsed for this channel of the Bot Framework, where it is for any: a key
    /// without endorsements is the Framework's as well, and its own libraries take it (`botframework-connector`,
    /// `jwtTokenExtractor`).
    pub(crate) fn check_endorsed(
        &self,
        token: &str,
        audience: &str,
        issuers: &[String],
        channel: &str,
    ) -> Result<Claims, Refused> {
        let (claims, key) = self.checked(token, audience, issuers)?;
        let endorsements = &key.endorsements;
        match endorsements.is_empty() || endorsements.iter().any(|it| it == channel) {
            true => Ok(claims),
            false => Err(Refused::Because("endorsement")),
        }
    }

    /// The claims of a token that is signed by one of the keys, current, and meant for the audience from an issuer.
    pub(super) fn check(
        &self,
        token: &str,
        audience: &str,
        issuers: &[String],
    ) -> Result<Claims, Refused> {
        let (claims, _) = self.checked(token, audience, issuers)?;
        Ok(claims)
    }

    fn checked(
        &self,
        token: &str,
        audience: &str,
        issuers: &[String],
    ) -> Result<(Claims, &SigningKey), Refused> {
        let header = decode_header(token).map_err(|_| Refused::Because("malformed"))?;
        // Which algorithm counts is ours to say, never the token's.
        if header.alg != Algorithm::RS256 {
            return Err(Refused::Because("algorithm"));
        }
        let kid = header.kid.ok_or(Refused::Because("malformed"))?;
        let key = self.0.get(&kid).ok_or(Refused::UnknownKey)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = CLOCK_SKEW_SECONDS;
        validation.validate_nbf = true;
        validation.set_audience(&[audience]);
        validation.set_issuer(issuers);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        let decoded = decode::<Claims>(token, &key.key, &validation);
        let claims = decoded
            .map_err(|error| Refused::Because(reason(error.kind())))?
            .claims;
        let fits = |issuer: &String| issuer.contains("{tenantid}") || *issuer == claims.iss;
        if !key.issuer.as_ref().is_none_or(fits) {
            return Err(Refused::Because("issuer"));
        }
        Ok((claims, key))
    }
}

fn reason(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => "signature",
        ErrorKind::ExpiredSignature => "expired",
        ErrorKind::ImmatureSignature => "not_yet_valid",
        ErrorKind::InvalidAudience => "audience",
        ErrorKind::InvalidIssuer => "issuer",
        ErrorKind::InvalidAlgorithm => "algorithm",
        ErrorKind::MissingRequiredClaim(_) => "missing_claim",
        _ => "malformed",
    }
}
