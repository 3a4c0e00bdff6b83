//! Cases from the field: what people hand over (`tests/field/NN-kind/case/`), and
//! load balancers as they run them (`tests/field/live/`). The real programs are
//! run, and judged by what they write for people as well as by the verdict.

pub mod case;
mod check;
mod live;
pub mod matrix;
pub mod property;
mod recorded;
pub mod replaced;
mod run;
mod server;

use case::{Level, Live, Recorded};
use matrix::Answered;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

pub use run::Ran;

/// One case: a folder, and of several messages which.
#[derive(Debug, Clone)]
pub struct Case {
    /// `recorded/<kind>/<case>` or `live/<case>`.
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Recorded(Box<Recorded>, Option<usize>),
    Live(Box<Live>),
}

/// What a case came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Every run, with what was asked of it.
    pub runs: Vec<(String, Ran)>,
    /// What an expert would have said otherwise; empty when it is right.
    pub complaints: Vec<String>,
    /// What each run answered.
    pub answered: Vec<Answered>,
}

impl Outcome {
    fn add(&mut self, what: &str, ran: Ran, complaints: Vec<String>) {
        self.answered.push(answered(&ran, complaints.is_empty()));
        let prefix = if what.is_empty() { String::new() } else { format!("{what}: ") };
        self.complaints.extend(complaints.into_iter().map(|line| format!("{prefix}{line}")));
        self.runs.push((what.to_owned(), ran));
    }

    /// All that the programs said, for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (what, ran) in &self.runs {
            let _ = writeln!(out, "── {what} exit {:?}, {:.1} s", ran.exit, ran.took_s);
            let verdict = serde_json::to_string_pretty(&ran.report["verdict"]).unwrap_or_default();
            let spoke = rules(ran).join(" ");
            for (title, text) in [
                ("screen", &ran.screen),
                ("reply", &ran.reply),
                ("verdict", &verdict),
                ("rules", &spoke),
            ] {
                let _ = writeln!(out, "── {title}\n{}", text.trim_end());
            }
        }
        out
    }
}

fn answered(ran: &Ran, right: bool) -> Answered {
    let verdict = &ran.report["verdict"];
    Answered {
        cause: verdict["cause"].as_str().unwrap_or("no bundle").to_owned(),
        confidence: verdict["confidence"].as_str().and_then(Level::read),
        right,
    }
}

/// The rules that had something to say in a run.
fn rules(ran: &Ran) -> Vec<&str> {
    let findings = ran.report["findings"].as_array();
    findings.into_iter().flatten().filter_map(|finding| finding["rule"].as_str()).collect()
}

impl Case {
    /// The cases in one folder: one for each message where there are several.
    ///
    /// # Errors
    /// Its `case.toml` is not understood.
    pub fn read(folder: &Path) -> Result<Vec<Self>, String> {
        let part = |at: &Path| at.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let own = part(folder);
        let kind = folder.parent().map(part).unwrap_or_default();
        let folder = folder.to_owned();
        if kind == "live" {
            let live = Live::read(&folder)?;
            let what = What::Live(Box::new(live));
            return Ok(vec![Self { name: format!("live/{own}"), folder, what }]);
        }
        let recorded = Box::new(Recorded::read(&folder)?);
        let name = format!("recorded/{kind}/{own}");
        if recorded.message.is_empty() {
            return Ok(vec![Self { name, folder, what: What::Recorded(recorded, None) }]);
        }
        let one = |at: usize| Self {
            name: format!("{name}/{}", at + 1),
            folder: folder.clone(),
            what: What::Recorded(recorded.clone(), Some(at)),
        };
        Ok((0..recorded.message.len()).map(one).collect())
    }

    /// Every case below `root`, by folder.
    ///
    /// # Errors
    /// One of them is not understood.
    pub fn all(root: &Path) -> Result<Vec<Self>, String> {
        let mut cases = Vec::new();
        for kind in folders(root)? {
            for folder in folders(&kind)? {
                cases.extend(Self::read(&folder)?);
            }
        }
        if cases.is_empty() {
            return Err(format!("{}: no case in it", root.display()));
        }
        Ok(cases)
    }

    /// The cases of one kind (`tests/field/live`), or of all of them.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub fn below(root: &Path) -> Result<Vec<Self>, String> {
        let cases = folders(root)?.into_iter().filter(|folder| folder.join("case.toml").is_file());
        let mut all = Vec::new();
        for folder in cases {
            all.extend(Self::read(&folder)?);
        }
        if all.is_empty() { Self::all(root) } else { Ok(all) }
    }

    /// What was handed over, where it is a recorded case; and of several messages which.
    #[must_use]
    pub fn recorded(&self) -> Option<(&Recorded, Option<usize>)> {
        match &self.what {
            What::Recorded(recorded, message) => Some((recorded, *message)),
            What::Live(_) => None,
        }
    }

    /// Rules that must have something to say in it.
    #[must_use]
    pub fn expected_rules(&self) -> Vec<&str> {
        let (rules, confirmed) = match &self.what {
            What::Recorded(recorded, _) => (&recorded.expected.rules, [].as_slice()),
            What::Live(live) => (&live.expect.rules, live.expect.confirmed.as_slice()),
        };
        rules.iter().chain(confirmed).map(String::as_str).collect()
    }

    /// The causes of which one must be its verdict's.
    #[must_use]
    pub fn expected_causes(&self) -> &[String] {
        match &self.what {
            What::Recorded(recorded, _) => &recorded.expected.cause,
            What::Live(live) => &live.expect.cause,
        }
    }

    /// Has it run so many times at the least; recorded cases run once.
    pub fn at_least(&mut self, times: u32) {
        if let What::Live(live) = &mut self.what {
            live.run.times = live.run.times.max(times);
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// It could not be run: a server that does not start, or a stage that does not
    /// do what its proof says.
    pub async fn run(&self) -> Result<Outcome, String> {
        match &self.what {
            What::Recorded(recorded, message) => {
                recorded::run(&self.folder, recorded, *message).await
            }
            What::Live(live) => live::run(&self.folder, live).await,
        }
    }
}

/// Runs cases, some at a time, and gives each with what it came to and the seconds
/// that it took.
///
/// # Errors
/// Nothing can be run at all.
pub fn each(
    cases: Vec<Case>,
    at_a_time: usize,
    show: impl Fn(&Case, Result<Outcome, String>, f64) + Sync,
) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    let worker = || -> Result<(), String> {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = std::time::Instant::now();
            let outcome = runtime.block_on(case.run());
            show(case, outcome, began.elapsed().as_secs_f64());
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..at_a_time.max(1)).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a case broke off".to_owned())?)
    })
}

/// Copies what a case hands over, with times in its recordings as a run has them.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy_of(case: &Case, to: &Path) -> Result<(), String> {
    let began = match &case.what {
        What::Recorded(recorded, _) => chrono::Utc::now() - recorded.recorded,
        What::Live(_) => chrono::Utc::now(),
    };
    recorded::copy(&case.folder, to, began)
}

fn folders(root: &Path) -> Result<Vec<PathBuf>, String> {
    let entries =
        std::fs::read_dir(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let mut folders: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

/// Which cases are known to be wrong: `known-wrong.txt`, a name a line. One with
/// a `?` behind it is wrong at times.
pub struct Known(Vec<(String, bool)>);

impl Known {
    /// Reads the list; there is none when all is right.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(root: &Path) -> Result<Self, String> {
        let file = root.join("known-wrong.txt");
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(format!("{}: {error}", file.display())),
        };
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let line = |line: &str| match line.strip_suffix('?') {
            Some(name) => (name.trim().to_owned(), true),
            None => (line.to_owned(), false),
        };
        Ok(Self(lines.filter(|line| !line.is_empty()).map(line).collect()))
    }

    /// What is to be said of a case with these complaints; `None` when nothing is.
    #[must_use]
    pub fn judge(&self, name: &str, complaints: &[String]) -> Option<String> {
        let known = self.0.iter().find(|(known, _)| known == name);
        match known {
            None if complaints.is_empty() => None,
            None => Some(complaints.join("\n")),
            Some((_, false)) if complaints.is_empty() => {
                Some("it is right: remove it from tests/field/known-wrong.txt".into())
            }
            Some(_) => None,
        }
    }

    /// Names in the list that are no case.
    #[must_use]
    pub fn strangers(&self, cases: &[Case]) -> Vec<&str> {
        let is_case = |name: &str| cases.iter().any(|case| case.name == name);
        self.0.iter().map(|(name, _)| name.as_str()).filter(|name| !is_case(name)).collect()
    }
}
