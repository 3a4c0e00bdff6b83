//! Proxy settings by source, and what each kind of client makes of them.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;

/// Settings and choices shown of one machine.
const COUNT: usize = 40;

#[derive(Debug, Serialize)]
pub(super) struct Proxies {
    machines: Vec<Machine>,
}

#[derive(Debug, Serialize)]
struct Machine {
    name: String,
    settings: Vec<Setting>,
    more: usize,
    choices: Vec<Choice>,
    routes: Vec<Tried>,
}

#[derive(Debug, Serialize)]
struct Setting {
    source: String,
    key: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Choice {
    client: String,
    route: String,
    because: String,
}

#[derive(Debug, Serialize)]
struct Tried {
    route: String,
    sources: String,
    selected: bool,
}

impl Proxies {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let machines = case
            .views
            .iter()
            .map(|view| {
                let e = &view.bundle.environment;
                let (settings, more) = limited(
                    e.proxy_settings.iter().map(|s| Setting {
                        source: words::cut(&s.source, 80),
                        key: words::cut(&s.key, 80),
                        value: words::cut(&s.value, 400),
                    }),
                    COUNT,
                );
                let choices = e.proxy_choices.iter().take(COUNT).map(|c| Choice {
                    client: words::cut(&c.client, 80),
                    route: words::cut(&c.route, 120),
                    because: words::cut(&c.because, 300),
                });
                let routes = view.bundle.observations.routes.iter().take(COUNT).map(|r| Tried {
                    route: words::cut(&r.id.0, 120),
                    sources: words::cut(&r.sources.join(", "), 200),
                    selected: r.selected,
                });
                Machine {
                    name: view.name.clone(),
                    settings,
                    more,
                    choices: choices.collect(),
                    routes: routes.collect(),
                }
            })
            .collect();
        Self { machines }
    }
}
