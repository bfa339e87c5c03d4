//! Tokens for the tests.

use serde_json::{Value, json};

use crate::testing::{Signer, validation_claims};

pub(super) const TENANT: &str = "11111111-1111-1111-1111-111111111111";
pub(super) const AUDIENCE: &str = "22222222-2222-2222-2222-222222222222";
pub(super) const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

/// Claims of a genuine v1.0 validation token with `changes` over them; `null` removes a claim.
pub(super) fn claims(changes: Value) -> Value {
    validation_claims(TENANT, AUDIENCE, changes)
}

pub(super) fn key_set(signers: &[&Signer]) -> Value {
    json!({"keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()})
}
