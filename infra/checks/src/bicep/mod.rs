//! Bicep templates: the syntax tree as our own types, the values that can be known without a deployment, and the resources
//! that a deployment of a template would make.

mod deployment;
mod evaluate;
mod model;
mod parse;
#[cfg(test)]
mod tests;
mod value;
mod world;

pub use deployment::{Deployed, deployments};
pub use evaluate::Scope;
pub use model::{Declaration, Decorator, Expression, Kind, Part, Property, Shape, Template};
pub use parse::{SyntaxError, parse};
pub use value::Value;
pub use world::{World, relative};
