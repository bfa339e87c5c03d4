//! Microsoft Graph, simulated.
