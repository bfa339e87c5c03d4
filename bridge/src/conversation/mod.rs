//! What a notification means for the agent. [`plan`] decides, purely: what is known goes in, what is to be asked, noted or told
//! comes out.

pub mod admission;
pub mod attributes;
pub mod case;
mod changes;
mod choice;
mod customer;
mod plan;
mod profile;
pub mod series;

pub use case::OURS;
pub use customer::present_thread;
pub use plan::plan;

#[cfg(test)]
mod tests;
