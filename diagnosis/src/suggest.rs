//! The commands that would settle what is open: a run of the collector from
//! another place or with other options, ready to paste.
//!
//! A suggestion says as data what it is for ([`NextStep`]), so that nobody reads
//! it out of the command.

use crate::configuration::DIALECTS;
use crate::evidence::Evidence;
use crate::evidence::configured::given;
use crate::evidence::pairing::is_private;
use crate::model::{Confidence, Device, DeviceRole, Location, Next, NextStep, Status, Verdict};
use std::net::IpAddr;
use wss_bundle::Vantage;
use wss_bundle::manifest::GivenOption;
use wss_bundle::target::DEFAULT_PATHS;
use wss_bundle::transcript::quote;

/// The command that runs the collector again: for the same case, from the side
/// that decides, on the same target.
pub(crate) fn run_again(e: &Evidence<'_>, step: NextStep, options: &str) -> Next {
    let outside = e.focus().is_some_and(|f| f.bundle.manifest.vantage == Vantage::Outside);
    let vantage = if outside { Some("outside") } else { None };
    Next { step, command: command(e, vantage, options) }
}

/// The command that gives the other vantage, as the page's step 3 wants it.
pub(crate) fn run_outside(e: &Evidence<'_>) -> Next {
    run_at(e, Vantage::Outside)
}

/// The command that collects for the same case from a vantage.
pub(crate) fn run_at(e: &Evidence<'_>, vantage: Vantage) -> Next {
    let step = match vantage {
        Vantage::Outside => NextStep::RunOutside,
        Vantage::Inside => NextStep::RunInside,
    };
    Next { step, command: command(e, Some(vantage.as_str()), "") }
}

/// The commands that print the configuration of the device that is to blame, where it
/// is known and none was given.
pub(crate) fn configuration(
    e: &Evidence<'_>,
    devices: &[Device],
    verdict: &Verdict,
) -> Option<Next> {
    let theirs = matches!(verdict.location, Location::ServerSide | Location::Undetermined);
    if !theirs || verdict.status == Status::Working || given(e).is_some() {
        return None;
    }
    let mut there = devices.iter().filter(|device| {
        device.role == DeviceRole::LoadBalancer && device.confidence >= Confidence::Medium
    });
    let row = there.find_map(|device| {
        let product = device.product.as_deref()?;
        DIALECTS
            .iter()
            .flat_map(|row| row.devices)
            .find(|id| e.signatures.get(id).is_some_and(|signature| signature.name == product))
    })?;
    let command = format!("wss-collector config-commands {row}");
    Some(Next { step: NextStep::Configuration, command })
}

/// What the run was given, but for what a suggestion says anew; from another place
/// what belongs to the request alone.
fn given_before<'a>(
    given: &'a [GivenOption],
    anew: &'a str,
    elsewhere: bool,
) -> impl Iterator<Item = String> + 'a {
    let said = |name: &str| anew.split(' ').any(|word| word == name);
    let way = ["-x", "--proxy", "--noproxy"].iter().any(|name| said(name));
    given
        .iter()
        .filter(move |option| !elsewhere || option.of_the_request() || pins_for_all(option))
        .filter(move |option| match option.option.as_str() {
            "-x" | "--noproxy" => !way,
            // Of headers there may be several.
            "-H" => {
                !anew.contains(&format!("-H '{}:", option.value.as_deref().unwrap_or_default()))
            }
            "--key" => !said("--cert"),
            name => !said(name),
        })
        .map(GivenOption::words)
}

/// Whether it is `--resolve` with an address that is the same for everybody. An inside
/// address is not: from outside, it leads nowhere or elsewhere.
fn pins_for_all(option: &GivenOption) -> bool {
    pinned(option).is_some_and(|address| !is_private(&address))
}

/// The address in `--resolve HOST:PORT:ADDRESS`; IPv6 may have brackets, as curl's.
fn pinned(option: &GivenOption) -> Option<IpAddr> {
    let value = option.value.as_ref().filter(|_| option.option == "--resolve")?;
    let address = value.splitn(3, ':').nth(2)?;
    address.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// What a run from the other side leaves out of what was given, and why; a clause.
pub(crate) fn left_out_elsewhere(e: &Evidence<'_>) -> Option<String> {
    let options = &e.focus()?.bundle.manifest.options;
    let inside = options.iter().filter(|o| o.option == "--resolve").find(|o| !pins_for_all(o))?;
    let address = pinned(inside).map_or("its address".to_owned(), |address| address.to_string());
    Some(format!("without --resolve: {address} is an address of the inside"))
}

/// A bundle is somebody else's word: nothing of it leaves its quotes.
fn command(e: &Evidence<'_>, vantage: Option<&str>, options: &str) -> String {
    let mut words = vec!["wss-collector".to_owned()];
    words.extend(vantage.map(|vantage| format!("--vantage {vantage}")));
    if let Some(manifest) = e.focus().map(|focus| &focus.bundle.manifest) {
        words.push(format!("--case {}", quote(&manifest.case)));
        words.extend((!options.is_empty()).then(|| options.to_owned()));
        let elsewhere = vantage.is_some_and(|vantage| vantage != manifest.vantage.as_str());
        words.extend(given_before(&manifest.options, options, elsewhere));
        let paths: Vec<&str> = manifest.target.paths.iter().map(String::as_str).collect();
        // A target with a path of its own stands for that path alone.
        match paths.as_slice() {
            [path] => words.push(quote(&manifest.target.url(path))),
            paths => {
                if paths != DEFAULT_PATHS {
                    words.extend(paths.iter().map(|path| format!("--path {}", quote(path))));
                }
                words.push(quote(&manifest.target.origin()));
            }
        }
    }
    words.join(" ")
}

/// The command that waits for what may be late. It takes more than the default of
/// `--timeout`: then nothing but that counts.
pub(crate) fn wait_longer(e: &Evidence<'_>, waited_ms: f64, took_ms: f64) -> Next {
    let half_minutes = (waited_ms.max(took_ms) * 4.0 / 30e3).ceil().clamp(2.0, 20.0) as u32;
    let text = match half_minutes {
        even if even % 2 == 0 => format!("--timeout {}m", even / 2),
        odd => format!("--timeout {}s", odd * 30),
    };
    run_again(e, NextStep::LongerTimeout, &text)
}
