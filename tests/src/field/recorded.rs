//! A handed-over file or text: its folder is copied, times are put into its HAR,
//! and the collector gets it as the person gave it.

use super::case::Recorded;
use super::run::Job;
use super::server::Target;
use super::{Outcome, check};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use std::path::Path;

pub(super) async fn run(
    folder: &Path,
    case: &Recorded,
    message: Option<usize>,
) -> Result<Outcome, String> {
    let message = message.and_then(|at| case.message.get(at));
    let expected = &case.expected;
    let began = Utc::now() - case.recorded;
    let mut expected = expected.clone();
    let day = began.format("%Y-%m-%d").to_string();
    expected.says_text.iter_mut().for_each(|text| *text = text.replace("{day}", &day));
    check::expressions(
        [&expected.says_text, &expected.never_text, &expected.never_screen, &expected.bundle_keeps]
            .into_iter()
            .chain([&expected.bundle_lacks, &expected.removed_never])
            .flatten(),
    )?;
    let target = Target::start(case).await?;
    let work = target.dir().join("work");
    copy(folder, &work, began)?;
    let pac = match &case.pac {
        Some(name) => Some(Desktop::start(&work, name).await?),
        None => None,
    };
    let mut arguments: Vec<String> =
        ["--vantage", &case.vantage, "--hold", "1s", "--timeout", "5s"].map(str::to_owned).to_vec();
    arguments.extend(target.arguments());
    let text = message.map(|message| message.text.as_str()).unwrap_or("TEXT");
    arguments.extend(
        case.options
            .iter()
            .map(|option| if option == "TEXT" { text.into() } else { option.clone() }),
    );
    arguments.push(case.target.clone());
    let env = pac.as_ref().map(|desktop| desktop.env.clone()).unwrap_or_default();
    let ran = Job { work, arguments, env }.run().await?;
    let meant = message.map(|message| message.means_text.as_slice()).unwrap_or_default();
    let complaints = check::recorded(&ran, &expected, meant);
    let mut outcome = Outcome::default();
    outcome.add("", ran, complaints);
    Ok(outcome)
}

/// The case's own options, with the text of its message.
pub(super) fn options(case: &Recorded, text: Option<&str>) -> Vec<String> {
    let text = text.unwrap_or("TEXT");
    let option = |option: &String| if option == "TEXT" { text.to_owned() } else { option.clone() };
    case.options.iter().map(option).collect()
}

/// Copies a folder; in HARs, moments since `began` become times.
pub(super) fn copy(from: &Path, to: &Path, began: DateTime<Utc>) -> Result<(), String> {
    let text = |error: std::io::Error| format!("{}: {error}", from.display());
    std::fs::create_dir_all(to).map_err(text)?;
    for entry in std::fs::read_dir(from).map_err(text)? {
        let (path, to) = {
            let entry = entry.map_err(text)?;
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &to, began)?;
        } else if path.extension().is_some_and(|end| end == "har") {
            let har = std::fs::read_to_string(&path).map_err(text)?;
            std::fs::write(&to, dated(&har, began)?).map_err(text)?;
        } else if path.file_name().is_some_and(|name| name != "case.toml") {
            std::fs::copy(&path, &to).map_err(text)?;
        }
    }
    Ok(())
}

/// `@T+1.5@` is the moment 1.5 s after `began`, as RFC 3339; `@E+1.5@` the same as
/// seconds since 1970.
fn dated(har: &str, began: DateTime<Utc>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = har;
    loop {
        let found = ["@T+", "@E+"].iter().filter_map(|mark| rest.find(mark)).min();
        let Some(at) = found else { break };
        out.push_str(&rest[..at]);
        let (number, after) = rest[at + 3..].split_once('@').ok_or("a time has no end")?;
        let seconds: f64 = number.parse().map_err(|_| format!("`{number}` is no time"))?;
        let moment = began + Duration::microseconds((seconds * 1e6).round() as i64);
        match &rest[at..at + 3] {
            "@T+" => out.push_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true)),
            _ => out.push_str(&format!("{:.6}", moment.timestamp_micros() as f64 / 1e6)),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// A desktop whose settings name a PAC file, which is served on loopback.
struct Desktop {
    env: Vec<(String, String)>,
    _file: crate::lab::server::Server,
}

impl Desktop {
    async fn start(work: &Path, name: &str) -> Result<Self, String> {
        let text = |error: std::io::Error| format!("{name}: {error}");
        let script = std::fs::read(work.join(name)).map_err(text)?;
        let length = script.len().to_string();
        let headers = [
            ("Content-Type", "application/x-ns-proxy-autoconfig"),
            ("Content-Length", length.as_str()),
            ("Connection", "close"),
        ];
        let response =
            std::sync::Arc::new(crate::lab::http1::Response::new(200, &headers, script.clone()));
        let file = crate::lab::server::Server::start(move |mut conn| {
            let response = response.clone();
            async move {
                if let Ok(Some(_)) = crate::lab::hop::receive(&mut conn).await {
                    let _ = response.send(&mut conn, "GET").await;
                    conn.end(crate::lab::config::CutBy::Fin).await;
                }
            }
        })
        .await
        .map_err(text)?;
        let settings = work.join("desktop/glib-2.0/settings");
        std::fs::create_dir_all(&settings).map_err(text)?;
        let keys =
            format!("[system/proxy]\nmode='auto'\nautoconfig-url='http://{}/{name}'\n", file.addr);
        std::fs::write(settings.join("keyfile"), keys).map_err(text)?;
        let folder = work.join("desktop").display().to_string();
        let env = [
            ("XDG_CURRENT_DESKTOP", "GNOME"),
            ("GSETTINGS_BACKEND", "keyfile"),
            ("XDG_CONFIG_HOME", folder.as_str()),
            ("HOME", folder.as_str()),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Ok(Self { env, _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_become_times() {
        let began = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        assert_eq!(
            dated(r#"{"a": "@T+1.5@", "b": @E+0@}"#, began).unwrap(),
            r#"{"a": "2023-11-14T22:13:21.500Z", "b": 1700000000.000000}"#
        );
        assert!(dated("@T+x@", began).is_err() && dated("@E+1", began).is_err());
    }
}
