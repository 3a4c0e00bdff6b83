//! What a step of the plan is: which probe, on which route, of what. The plan, the
//! run and the record of what became of it name a step by the same value; its
//! `Display` is the name that stands in the manifest. What probes do is `probe`'s.

use std::fmt;
use std::time::Duration;
use wss_bundle::observation::probe as name;

/// What can be tried, asked for or held. Each has its file in `crate::probe`, but for
/// those that ask what others do once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// [`name::RESOLVE`]
    Resolve,
    /// [`name::REVERSE_NAMES`]
    ReverseNames,
    /// [`name::ADDRESSES`]
    Addresses,
    /// [`name::UPGRADE`]
    Upgrade,
    /// [`name::PLAIN_GET`]
    PlainGet,
    /// [`name::BROWSER_UPGRADE`]
    BrowserUpgrade,
    /// [`name::COMPRESSED_UPGRADE`]
    CompressedUpgrade,
    /// [`name::RECORDED_UPGRADE`]
    RecordedUpgrade,
    /// [`name::H2_GET`]
    H2Get,
    /// [`name::H2_CONNECT`]
    H2Connect,
    /// [`name::ABSOLUTE_FORM`]
    AbsoluteForm,
    /// [`name::PAGES`]
    Pages,
    /// [`name::UA_UPGRADE`]
    UaUpgrade,
    /// [`name::UA_GET`]
    UaGet,
    /// [`name::UA_PAGES`]
    UaPages,
    /// [`name::PATH_TWIN`]
    PathTwin,
    /// [`name::HOLD_SILENT`]
    HoldSilent,
    /// [`name::HOLD_RUNG`]
    HoldRung,
    /// [`name::HOLD_CHATTY`]
    HoldChatty,
    /// [`name::HOLD_KEEPALIVE`]
    HoldKeepalive,
    /// [`name::HOLD_SERVER_DATA`]
    HoldServerData,
    /// What failed is asked again, with what passed beside it.
    Again,
    /// A real browser is asked.
    Browser,
    /// A proxy's script (PAC) is fetched, before there is a plan.
    ProxyScript,
}

impl Probe {
    /// As it stands in the bundle.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Resolve => name::RESOLVE,
            Self::ReverseNames => name::REVERSE_NAMES,
            Self::Addresses => name::ADDRESSES,
            Self::Upgrade => name::UPGRADE,
            Self::PlainGet => name::PLAIN_GET,
            Self::BrowserUpgrade => name::BROWSER_UPGRADE,
            Self::CompressedUpgrade => name::COMPRESSED_UPGRADE,
            Self::RecordedUpgrade => name::RECORDED_UPGRADE,
            Self::H2Get => name::H2_GET,
            Self::H2Connect => name::H2_CONNECT,
            Self::AbsoluteForm => name::ABSOLUTE_FORM,
            Self::Pages => name::PAGES,
            Self::UaUpgrade => name::UA_UPGRADE,
            Self::UaGet => name::UA_GET,
            Self::UaPages => name::UA_PAGES,
            Self::PathTwin => name::PATH_TWIN,
            Self::HoldSilent => name::HOLD_SILENT,
            Self::HoldRung => name::HOLD_RUNG,
            Self::HoldChatty => name::HOLD_CHATTY,
            Self::HoldKeepalive => name::HOLD_KEEPALIVE,
            Self::HoldServerData => name::HOLD_SERVER_DATA,
            Self::Again => "again",
            Self::Browser => "browser",
            Self::ProxyScript => "pac",
        }
    }

    /// Whether a connection is held.
    #[must_use]
    pub fn is_hold(self) -> bool {
        name::is_hold(self.name())
    }
}

/// Which of several that one probe has on a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The one about this path.
    Path(String),
    /// The one that is held in silence for so long.
    Silence(Duration),
    /// What is held once more, after all ended at once.
    OnceMore,
    /// What is asked when the holds are over.
    AfterHolds,
}

/// A step of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepKey {
    /// Which probe.
    pub probe: Probe,
    /// The route's id; of [`Probe::Browser`] its program, which finds its own way.
    pub route: String,
    /// Which of several; `None` where there is one.
    pub part: Option<Part>,
}

impl StepKey {
    /// The only one of a probe on a route.
    #[must_use]
    pub fn new(probe: Probe, route: impl Into<String>) -> Self {
        Self { probe, route: route.into(), part: None }
    }

    /// One of several.
    #[must_use]
    pub fn part(self, part: Part) -> Self {
        Self { part: Some(part), ..self }
    }

    /// The path that it is about.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match &self.part {
            Some(Part::Path(path)) => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Silence(time) => write!(f, "{} s", time.as_secs_f64()),
            Self::OnceMore => f.write_str("once more"),
            Self::AfterHolds => f.write_str("after the holds"),
        }
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { probe, route, part } = self;
        f.write_str(probe.name())?;
        if let Some(part) = part {
            write!(f, " {part}")?;
        }
        write!(f, ", {route}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_the_name_that_bundles_always_had() {
        let upgrade = StepKey::new(Probe::Upgrade, "direct").part(Part::Path("/v1/ws".into()));
        assert_eq!(upgrade.to_string(), "upgrade /v1/ws, direct");
        assert_eq!(
            StepKey::new(Probe::Pages, "proxy http://p:1").to_string(),
            "pages, proxy http://p:1"
        );
        let rung = StepKey::new(Probe::HoldRung, "direct");
        let rung = rung.part(Part::Silence(Duration::from_millis(1500)));
        assert_eq!(rung.to_string(), "hold-rung 1.5 s, direct");
    }
}
