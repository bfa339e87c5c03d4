//! Files on their way between the two sides.

pub mod rehosting;
