//! Entra ID and the managed-identity endpoint, simulated.
