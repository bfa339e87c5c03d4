//! What every HTTP function shares.

pub mod body;
pub mod refusal;
