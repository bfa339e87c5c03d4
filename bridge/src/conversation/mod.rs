//! What a message means for the conversation: known state, message and policy in, what is to be done out.

pub mod attributes;
pub mod changes;
pub mod groups;
