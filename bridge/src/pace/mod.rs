//! How fast the outside services may be called, and whose call is next.

mod bookings;
#[cfg(test)]
mod expectation;
pub mod limits;
mod line;
#[cfg(test)]
mod simulation;
mod ways;

pub use bookings::{Bookings, pause_unasked};
pub use limits::Limit;
pub use line::{Line, Place, Rank};
pub use ways::{Way, choose, home};
