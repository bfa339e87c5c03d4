//! Key Vault, simulated.
