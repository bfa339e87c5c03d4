//! Which HTTP function a request belongs to.

use anyhow::ensure;

use super::app::{App, Trigger};

/// The routes of the HTTP functions, prefix included: path in lower case, and methods (none means all).
#[derive(Debug)]
pub(super) struct Routes(Vec<(String, Vec<String>)>);

impl Routes {
    /// The routes of an app. Two functions must not share one, and this stand-in knows none with parameters.
    pub(super) fn new(app: &App) -> anyhow::Result<Self> {
        let mut routes = Self(Vec::new());
        for function in &app.functions {
            let Trigger::Http { methods, route } = &function.trigger else {
                continue;
            };
            let name = &function.name;
            ensure!(
                !route.contains('{'),
                "{name}: this stand-in knows routes without parameters only"
            );
            let path = format!("{}/{route}", app.host.route_prefix);
            let taken = if methods.is_empty() {
                routes.0.iter().any(|(other, _)| *other == normal(&path))
            } else {
                methods.iter().any(|method| routes.matches(method, &path))
            };
            ensure!(!taken, "{name}: another function has the route {path}");
            routes.0.push((normal(&path), methods.clone()));
        }
        Ok(routes)
    }

    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        let path = normal(path);
        let allows =
            |methods: &[String]| methods.is_empty() || methods.iter().any(|it| it == method);
        let mut routes = self.0.iter();
        routes.any(|(own, methods)| *own == path && allows(methods))
    }
}

/// The host tells neither case nor surplus slashes apart.
fn normal(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.collect::<Vec<_>>().join("/").to_lowercase()
}
