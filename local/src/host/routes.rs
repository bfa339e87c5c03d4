//! Which HTTP function a request belongs to.

use anyhow::ensure;

use super::app::{App, Trigger};

/// The routes of the HTTP functions, prefix included.
#[derive(Debug, Clone, Default)]
pub(super) struct Routes(Vec<Route>);

#[derive(Debug, Clone)]
struct Route {
    segments: Vec<Segment>,
    methods: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Text(String),
    /// `{name}`: any one segment.
    Any,
    /// `{name?}`: one segment or none, at the end.
    Optional,
    /// `{*name}`: everything that is left.
    Rest,
}

impl Routes {
    pub(super) fn new(app: &App) -> anyhow::Result<Self> {
        let mut routes: Vec<Route> = Vec::new();
        for function in &app.functions {
            let Trigger::Http { methods, route } = &function.trigger else {
                continue;
            };
            let path = format!("{}/{route}", app.host.route_prefix);
            let segments: Vec<Segment> = split(&path).map(segment).collect();
            let taken = routes.iter().any(|other| {
                other.segments == segments
                    && (methods.is_empty()
                        || other.methods.is_empty()
                        || methods.iter().any(|method| other.methods.contains(method)))
            });
            ensure!(
                !taken,
                "{}: another function has the route {path}",
                function.name
            );
            routes.push(Route {
                segments,
                methods: methods.clone(),
            });
        }
        Ok(Self(routes))
    }

    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        self.0.iter().any(|route| {
            (route.methods.is_empty() || route.methods.iter().any(|it| it == method))
                && fits(&route.segments, &split(path).collect::<Vec<_>>())
        })
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn segment(text: &str) -> Segment {
    match text.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
        None => Segment::Text(text.to_owned()),
        Some(name) if name.starts_with('*') => Segment::Rest,
        Some(name) if name.ends_with('?') => Segment::Optional,
        Some(_) => Segment::Any,
    }
}

fn fits(pattern: &[Segment], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((Segment::Rest, _)), _) => true,
        (Some((Segment::Optional, rest)), None) => fits(rest, path),
        (Some((Segment::Text(text), rest)), Some((first, others))) => {
            text.eq_ignore_ascii_case(first) && fits(rest, others)
        }
        (Some((Segment::Any | Segment::Optional, rest)), Some((_, others))) => fits(rest, others),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str) -> Vec<Segment> {
        split(path).map(segment).collect()
    }

    fn path(path: &str) -> Vec<&str> {
        split(path).collect()
    }

    #[test]
    fn templates_fit_as_on_the_host() {
        assert!(fits(&route("api/health"), &path("/API/health")));
        assert!(fits(&route("api/a/{id}"), &path("/api/a/7")));
        assert!(!fits(&route("api/a/{id}"), &path("/api/a")));
        assert!(fits(&route("api/a/{id?}"), &path("/api/a")));
        assert!(fits(&route("api/{*rest}"), &path("/api/a/b")));
        assert!(!fits(&route("api/a"), &path("/api/a/b")));
    }
}
