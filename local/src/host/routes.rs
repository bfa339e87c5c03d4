//! Which HTTP function a request belongs to.

use anyhow::ensure;

use super::app::{App, Trigger};

/// The routes of the HTTP functions, prefix included: path in lower case, and methods.
#[derive(Debug, Clone, Default)]
pub(super) struct Routes(Vec<(String, Vec<String>)>);

impl Routes {
    /// The routes of an app.
    ///
    /// # Errors
    /// When two functions have one route, or a route has parameters, which this stand-in does not know.
    pub(super) fn new(app: &App) -> anyhow::Result<Self> {
        let mut routes = Self::default();
        for function in &app.functions {
            let Trigger::Http { methods, route } = &function.trigger else {
                continue;
            };
            let name = &function.name;
            ensure!(
                !route.contains('{'),
                "{name}: this stand-in knows routes without parameters only"
            );
            let path = normal(&format!("{}/{route}", app.host.route_prefix));
            let taken = routes.0.iter().any(|(other, allowed)| {
                let both = methods.iter().any(|method| allowed.contains(method));
                *other == path && (both || methods.is_empty() || allowed.is_empty())
            });
            ensure!(!taken, "{name}: another function has the route {path}");
            routes.0.push((path, methods.clone()));
        }
        Ok(routes)
    }

    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        let path = normal(path);
        self.0.iter().any(|(own, methods)| {
            *own == path && (methods.is_empty() || methods.iter().any(|it| it == method))
        })
    }
}

/// The host tells neither case nor surplus slashes apart.
fn normal(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.collect::<Vec<_>>().join("/").to_lowercase()
}
