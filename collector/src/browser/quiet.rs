//! What keeps Chromium and its kin from asking anybody but the target: switches, and
//! preferences of its own throw-away profile. Owns those lists;
//! `tests/tests/browser_quiet.rs` has a proxy that lists every host asked for.

use serde_json::json;
use std::path::Path;

/// Features that ask somebody else for something.
pub(super) const FEATURES_OFF: &str = "AutofillServerCommunication,CertificateTransparencyComponentUpdater,\
    DialMediaRouteProvider,InterestFeedContentSuggestions,MediaRouter,NetworkTimeServiceQuerying,\
    OptimizationGuideModelDownloading,OptimizationGuideOnDeviceModel,OptimizationHints,\
    OptimizationTargetPrediction,SafeBrowsing,Translate,DnsOverHttpsUpgrade";

/// Background traffic off, as far as there are switches for it. Each was seen
/// to be needed, or not to hurt, with Chromium 156.
pub(super) const QUIET: &[&str] = &[
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--metrics-recording-only",
    "--mute-audio",
    "--password-store=basic",
    "--use-mock-keychain",
    // Asked in spite of all that; a port that nobody listens on.
    "--component-updater=url-source=http://127.0.0.1:1/",
    "--gaia-url=http://127.0.0.1:1",
];

/// Writes the profile's preferences. A refused certificate makes Chromium look for a
/// captive portal at a host of its makers' (seen with Chromium 156), for which there is
/// no switch: `CaptivePortalService` goes by the preference of the policy
/// `AlternateErrorPagesEnabled`.
///
/// Of a proxy whose name `--resolve` pins to an address, Chromium takes the address for
/// the true name, and asks for a ticket for that: `pinned` keeps it from looking.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn prepare(profile: &Path, pinned: bool) -> Result<(), String> {
    let preferences = json!({
        "alternate_error_pages": { "enabled": false },
        "dns_prefetching": { "enabled": false },
        "net": { "network_prediction_options": 2 },
        "safebrowsing": { "enabled": false, "enhanced": false },
        "search": { "suggest_enabled": false },
        "signin": { "allowed": false },
        "spellcheck": { "use_spelling_service": false },
        "translate": { "enabled": false },
        "autofill": { "enabled": false },
    });
    let state = json!({ "auth": { "disable_negotiate_cname_lookup": pinned } });
    let folder = profile.join("Default");
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join("Preferences"), preferences.to_string()))
        .and_then(|()| match pinned {
            true => std::fs::write(profile.join("Local State"), state.to_string()),
            false => Ok(()),
        });
    written.map_err(|error| format!("its profile cannot be written: {error}"))
}

/// The hosts that Chromium may tell a token of the user's ticket, as its allow list has
/// them: the proxies. Proxies it tells anyway; without a list, on Windows, servers of the
/// intranet as well. A name that is none stands for an empty list.
pub(super) fn may_sign_on(proxies: &[&str]) -> String {
    let plain = |host: &&&str| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c))
    };
    let hosts: Vec<&str> = proxies.iter().filter(plain).copied().collect();
    if hosts.is_empty() { "none.invalid".to_owned() } else { hosts.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_a_token() {
        assert_eq!(may_sign_on(&["door.corp.test", "10.0.0.8"]), "door.corp.test,10.0.0.8");
        assert_eq!(may_sign_on(&[]), "none.invalid");
        // A star would be everybody.
        assert_eq!(may_sign_on(&["*", "a b"]), "none.invalid");
    }
}
