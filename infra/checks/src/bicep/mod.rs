//! Bicep templates: the syntax tree as our own types, the values that can be known without a deployment, and the resources
//! that a deployment of a template would make.

mod deployment;
mod evaluate;
mod model;
mod parse;
#[cfg(test)]
mod tests;

pub use deployment::{Deployed, deployments};
pub use evaluate::{Scope, Value, World, relative};
pub use model::{Declaration, Decorator, Expression, Kind, Part, Property, Shape, Template};
pub use parse::{SyntaxError, parse};
