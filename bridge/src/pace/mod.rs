//! How fast the outside services may be called, and whose call is next.

mod bucket;
mod line;
mod ways;

pub use bucket::TokenBucket;
pub use line::{Line, Place, Rank};
pub use ways::{Way, choose, home};
