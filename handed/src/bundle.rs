//! A bundle of what was handed over, without a probe; and what was handed over added to
//! a bundle that is there. Removing secrets is the redactor's, before anybody sees either.

use crate::{configuration, har};
use chrono::{DateTime, Utc};
use wss_bundle::manifest::{Answers, Collector, Format, NotUsed};
use wss_bundle::observation::RouteKind;
use wss_bundle::{
    Attachment, BrowserHandshake, Bundle, Environment, Manifest, Observations, Redaction, Route,
    RouteId, Target, Vantage,
};

/// Everything that was handed over, read.
#[derive(Debug, Default)]
pub struct Given {
    /// Recordings of browsers.
    pub hars: har::Given,
    /// Outputs of curl.
    pub curl: Vec<Attachment>,
    /// Outputs that cannot be used.
    pub curl_not_used: Vec<NotUsed>,
    /// Configurations.
    pub configurations: configuration::Given,
    /// What a browser saw of a test that somebody ran, without ids.
    pub seen: Vec<BrowserHandshake>,
    /// What only a person knows.
    pub answers: Answers,
}

/// What a bundle is to be called, and when it was made.
#[derive(Debug, Clone)]
pub struct About {
    /// Its id.
    pub id: String,
    /// The case's.
    pub case: String,
    /// The ticket's.
    pub ticket: Option<String>,
    /// What was to be reached.
    pub target: Target,
    /// Who puts it together.
    pub by: Collector,
    /// Now.
    pub at: DateTime<Utc>,
}

impl Given {
    /// Whether there is nothing that could go into a bundle.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hars.attachments.is_empty()
            && self.curl.is_empty()
            && self.configurations.attachments.is_empty()
            && self.seen.is_empty()
            && self.answers == Answers::default()
            && self.not_used().is_empty()
    }

    /// What was given and could not be used, in the order of the collector's options.
    #[must_use]
    pub fn not_used(&self) -> Vec<NotUsed> {
        let all = self.hars.not_used.iter().chain(&self.configurations.not_used);
        all.chain(&self.curl_not_used).cloned().collect()
    }

    /// What was removed while files were read.
    #[must_use]
    pub fn removed(&self) -> &[Redaction] {
        &self.hars.removed
    }

    fn attachments(&self) -> impl Iterator<Item = Attachment> {
        let all = self.hars.attachments.iter().chain(&self.curl);
        all.chain(&self.configurations.attachments).cloned()
    }

    /// Where the bundle is from: a browser is inside, and so is a command unless it was
    /// run outside alone.
    fn vantage(&self) -> Vantage {
        let outside = |one: &Attachment| one.vantage == Some(Vantage::Outside);
        let browser = !self.hars.seen.is_empty()
            || !self.seen.is_empty()
            || self.answers.browser_message.is_some();
        let alone = !self.curl.is_empty() && self.curl.iter().all(outside);
        if alone && !browser { Vantage::Outside } else { Vantage::Inside }
    }

    /// A bundle of it all. Nothing was probed: its one route is the direct one, of which
    /// nothing is known.
    #[must_use]
    pub fn bundle(self, about: About) -> Bundle {
        let mut target = about.target;
        self.hars.add_paths(&mut target);
        let direct = Route {
            id: RouteId::direct(),
            kind: RouteKind::Direct,
            proxy: None,
            sources: Vec::new(),
            selected: true,
        };
        let mut bundle = Bundle {
            manifest: Manifest {
                format: Format::default(),
                id: about.id,
                case: about.case,
                ticket: about.ticket,
                vantage: self.vantage(),
                target: target.clone(),
                collector: about.by,
                started_at: about.at,
                finished_at: about.at,
                complete: true,
                answers: Answers::default(),
                options: Vec::new(),
                not_used: Vec::new(),
                steps: Vec::new(),
                attachments: Vec::new(),
                files: Vec::new(),
            },
            observations: Observations {
                target,
                routes: vec![direct],
                observations: Vec::new(),
                browser: Vec::new(),
            },
            environment: Environment::default(),
            attachments: Vec::new(),
            redactions: Vec::new(),
            defects: Vec::new(),
        };
        self.add_to(&mut bundle);
        bundle
    }

    /// The same as options of the run that made `bundle` would have added it.
    pub fn add_to(self, bundle: &mut Bundle) {
        bundle.manifest.not_used.extend(self.not_used());
        let more: Vec<Attachment> = self.attachments().collect();
        bundle.attachments.extend(more);
        let seen = bundle.observations.browser.iter().chain(&self.hars.seen).chain(&self.seen);
        bundle.observations.browser = har::numbered(seen);
        let own = &mut bundle.manifest.answers;
        let given = self.answers;
        own.load_balancer = given.load_balancer.or_else(|| own.load_balancer.take());
        own.network_path = given.network_path.or_else(|| own.network_path.take());
        own.browser_message = given.browser_message.or_else(|| own.browser_message.take());
    }
}
