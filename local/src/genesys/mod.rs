//! Genesys Cloud, simulated.
