//! Which browser: the one that was named, or the first that is installed.

pub use crate::config::{BrowserFamily as Family, BrowserProgram as Program};

use std::path::{Path, PathBuf};

/// Names in the search path, those first that people use most at work.
const NAMES: [&str; 9] = [
    "google-chrome-stable",
    "google-chrome",
    "microsoft-edge-stable",
    "microsoft-edge",
    "chromium",
    "chromium-browser",
    "firefox",
    "firefox-esr",
    "brave-browser",
];

/// Where their makers' packages put them, whatever the search path is (not tried).
const ELSEWHERE: [&str; 2] = ["/opt/google/chrome/chrome", "/opt/microsoft/msedge/msedge"];

/// Where snap has its programs (not tried: there is no snapd in the tests).
const SNAPS: [&str; 2] = ["/snap/bin", "/var/lib/snapd/snap/bin"];
const SNAP_NAMES: [&str; 3] = ["chromium", "firefox", "brave"];

/// Where flatpak exports its programs, below the system's and the user's folder
/// (not tried).
const FLATPAKS: [&str; 4] =
    ["com.google.Chrome", "com.microsoft.Edge", "org.chromium.Chromium", "org.mozilla.firefox"];

/// Where macOS keeps them, below the system's and the user's folder of
/// applications (not tried on a Mac yet).
const APPLICATIONS: [&str; 4] = [
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Chromium.app/Contents/MacOS/Chromium",
    "Firefox.app/Contents/MacOS/firefox",
];

/// Where Windows keeps them, below each folder of programs (not tried on Windows yet).
const PROGRAMS: [&str; 4] = [
    r"Google\Chrome\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
    r"Chromium\Application\chrome.exe",
    r"Mozilla Firefox\firefox.exe",
];
/// A script longer than this is no wrapper.
const SCRIPT: u64 = 64 * 1024;

/// A kind of system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), allow(dead_code, reason = "each build is for one of them"))]
enum System {
    Unix,
    Mac,
    Windows,
}

/// What is looked into; in tests a made-up machine.
struct Machine<'m> {
    system: System,
    variable: &'m dyn Fn(&str) -> Option<String>,
    is_file: &'m dyn Fn(&Path) -> bool,
    /// The text of a script; `None` for any other file.
    script: &'m dyn Fn(&Path) -> Option<String>,
}

/// The browser that `--browser` asks for: `None` when none is installed.
///
/// # Errors
/// One was named, and is not there.
pub fn program(named: &str) -> Result<Option<Program>, String> {
    let system = if cfg!(windows) {
        System::Windows
    } else if cfg!(target_os = "macos") {
        System::Mac
    } else {
        System::Unix
    };
    let script = |path: &Path| {
        let short = std::fs::metadata(path).is_ok_and(|file| file.len() <= SCRIPT);
        let text = if short { std::fs::read_to_string(path).ok() } else { None };
        text.filter(|text| text.starts_with("#!"))
    };
    let machine = Machine {
        system,
        variable: &|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()),
        is_file: &Path::is_file,
        script: &script,
    };
    machine.program(named)
}

impl Machine<'_> {
    fn program(&self, named: &str) -> Result<Option<Program>, String> {
        if named.is_empty() {
            return Ok(self.installed());
        }
        let path = Path::new(named);
        let found = if path.components().count() > 1 || path.is_absolute() {
            Some(path.to_owned()).filter(|path| (self.is_file)(path))
        } else {
            self.in_path(named)
        };
        found.and_then(|path| self.of(path)).map(Some).ok_or_else(|| {
            format!(
                "--browser={named}: no such program; name one, for example \
                 --browser=/usr/bin/firefox, or leave the path out to use one that is installed"
            )
        })
    }

    /// What a program is; `None` for a wrapper of something that is not there.
    fn of(&self, path: PathBuf) -> Option<Program> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let firefox = ["firefox", "librewolf", "waterfox"].iter().any(|other| name.contains(other));
        let family = if firefox { Family::Firefox } else { Family::Chromium };
        let shut_in = self.shut_in(&path)?;
        Some(Program { path, family, shut_in })
    }

    /// Where the profile of a program must lie that is shut in: `Some(None)` for
    /// one that is not. Distributions put a script in the place of a browser
    /// that they ship as a snap, also where the snap is not installed.
    fn shut_in(&self, path: &Path) -> Option<Option<PathBuf>> {
        let home = || (self.variable)("HOME").map(PathBuf::from);
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        if self.system != System::Unix {
            return Some(None);
        }
        let in_snap = |path: &Path| SNAPS.iter().any(|folder| path.starts_with(folder));
        let snap = if in_snap(path) {
            name(path)
        } else {
            let wrapped = (self.script)(path).and_then(|text| wrapped(&text));
            match wrapped {
                Some(wrapped) if !(self.is_file)(&wrapped) => return None,
                Some(wrapped) => name(&wrapped),
                None => None,
            }
        };
        if let Some(snap) = snap {
            // `firefox.geckodriver` is a program of the snap `firefox`.
            let snap = snap.split('.').next().unwrap_or_default().to_owned();
            return Some(Some(home()?.join("snap").join(snap).join("common")));
        }
        let exported = path.parent().is_some_and(|folder| folder.ends_with("flatpak/exports/bin"));
        match name(path).filter(|_| exported) {
            Some(id) => Some(Some(home()?.join(".var/app").join(id).join("cache"))),
            None => Some(None),
        }
    }

    /// The first that is installed. Those that are shut in come last: they see
    /// less of the machine.
    fn installed(&self) -> Option<Program> {
        let all: Vec<Program> = self
            .places()
            .into_iter()
            .filter(|path| (self.is_file)(path))
            .filter_map(|path| self.of(path))
            .collect();
        let free = all.iter().find(|program| program.shut_in.is_none()).cloned();
        free.or_else(|| all.into_iter().next())
    }

    fn places(&self) -> Vec<PathBuf> {
        let home = (self.variable)("HOME");
        match self.system {
            System::Windows => {
                let folders: Vec<String> =
                    ["ProgramFiles", "ProgramW6432", "ProgramFiles(x86)", "LocalAppData"]
                        .iter()
                        .filter_map(|name| (self.variable)(name))
                        .collect();
                let below = |program: &&str| -> Vec<PathBuf> {
                    folders.iter().map(|f| PathBuf::from(format!(r"{f}\{program}"))).collect()
                };
                PROGRAMS.iter().flat_map(below).collect()
            }
            System::Mac => {
                let own = home.map(|home| PathBuf::from(home).join("Applications"));
                let folders: Vec<PathBuf> =
                    [PathBuf::from("/Applications")].into_iter().chain(own).collect();
                APPLICATIONS
                    .iter()
                    .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
                    .collect()
            }
            System::Unix => {
                let found = NAMES.iter().filter_map(|name| self.in_path(name));
                let elsewhere = ELSEWHERE.iter().map(PathBuf::from);
                let snaps = SNAPS
                    .iter()
                    .flat_map(|folder| SNAP_NAMES.iter().map(|n| Path::new(folder).join(n)));
                let folders = ["/var/lib/flatpak".to_owned()]
                    .into_iter()
                    .chain(home.map(|home| format!("{home}/.local/share/flatpak")));
                let flatpaks = folders.flat_map(|folder| {
                    FLATPAKS.iter().map(move |id| Path::new(&folder).join("exports/bin").join(id))
                });
                found.chain(elsewhere).chain(snaps).chain(flatpaks).collect()
            }
        }
    }

    fn in_path(&self, name: &str) -> Option<PathBuf> {
        let path = (self.variable)("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|p| (self.is_file)(p))
    }
}

/// The snap's program that a script runs.
fn wrapped(script: &str) -> Option<PathBuf> {
    let at = SNAPS.iter().find_map(|folder| script.find(&format!("{folder}/")))?;
    let end = |c: char| c.is_whitespace() || ['"', '\'', ';', ')'].contains(&c);
    script[at..].split(end).next().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine with these files; those of a script have its text.
    fn find(
        system: System,
        variables: &[(&str, &str)],
        files: &[(&str, &str)],
        named: &str,
    ) -> Result<Option<Program>, String> {
        let of = |path: &Path| files.iter().find(|(file, _)| Path::new(file) == path);
        Machine {
            system,
            variable: &|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            },
            is_file: &|path| of(path).is_some(),
            script: &|path| of(path).map(|(_, text)| (*text).to_owned()).filter(|t| !t.is_empty()),
        }
        .program(named)
    }

    const UNIX: &[(&str, &str)] = &[("PATH", "/usr/local/bin:/usr/bin"), ("HOME", "/home/ann")];
    const WINDOWS: &[(&str, &str)] = &[
        ("ProgramFiles", r"C:\Program Files"),
        ("ProgramFiles(x86)", r"C:\Program Files (x86)"),
        ("LocalAppData", r"C:\Users\ann\AppData\Local"),
    ];
    const CHROME: &str = "Google Chrome.app/Contents/MacOS/Google Chrome";

    #[test]
    fn where_they_are_installed() {
        use Family::{Chromium, Firefox};
        use System::{Mac, Unix, Windows};
        let snap = "#!/bin/sh\nexec /snap/bin/firefox \"$@\"\n";
        let mac = format!("/Applications/{CHROME}");
        let own = format!("/home/ann/Applications/{CHROME}");
        let no = "";
        type Files<'f> = &'f [(&'f str, &'f str)];
        let table: &[(System, Files<'_>, &str, Family, &str)] = &[
            (Unix, &[("/usr/bin/google-chrome", no)], "/usr/bin/google-chrome", Chromium, no),
            (Unix, &[("/usr/bin/microsoft-edge", no)], "/usr/bin/microsoft-edge", Chromium, no),
            (Unix, &[("/usr/bin/firefox-esr", no)], "/usr/bin/firefox-esr", Firefox, no),
            (
                Unix,
                &[("/usr/bin/firefox", no), ("/usr/bin/chromium", no)],
                "/usr/bin/chromium",
                Chromium,
                no,
            ),
            (
                Unix,
                &[("/opt/microsoft/msedge/msedge", no)],
                "/opt/microsoft/msedge/msedge",
                Chromium,
                no,
            ),
            // Debian's Chromium is a script, too, and no snap.
            (
                Unix,
                &[("/usr/bin/chromium", "#!/bin/sh\nexec /usr/lib/chromium/chromium \"$@\"")],
                "/usr/bin/chromium",
                Chromium,
                no,
            ),
            // Ubuntu's Firefox.
            (
                Unix,
                &[("/usr/bin/firefox", snap), ("/snap/bin/firefox", no)],
                "/usr/bin/firefox",
                Firefox,
                "/home/ann/snap/firefox/common",
            ),
            // The script without the snap is no browser.
            (
                Unix,
                &[("/usr/bin/firefox", snap), ("/snap/bin/chromium", no)],
                "/snap/bin/chromium",
                Chromium,
                "/home/ann/snap/chromium/common",
            ),
            // What is not shut in sees the machine as it is.
            (
                Unix,
                &[
                    ("/usr/bin/firefox", snap),
                    ("/snap/bin/firefox", no),
                    ("/usr/bin/firefox-esr", no),
                ],
                "/usr/bin/firefox-esr",
                Firefox,
                no,
            ),
            (
                Unix,
                &[("/var/lib/flatpak/exports/bin/com.microsoft.Edge", no)],
                "/var/lib/flatpak/exports/bin/com.microsoft.Edge",
                Chromium,
                "/home/ann/.var/app/com.microsoft.Edge/cache",
            ),
            (
                Unix,
                &[("/home/ann/.local/share/flatpak/exports/bin/org.mozilla.firefox", no)],
                "/home/ann/.local/share/flatpak/exports/bin/org.mozilla.firefox",
                Firefox,
                "/home/ann/.var/app/org.mozilla.firefox/cache",
            ),
            (Mac, &[(&mac, no)], &mac, Chromium, no),
            (Mac, &[(&own, no)], &own, Chromium, no),
            (
                Mac,
                &[("/Applications/Firefox.app/Contents/MacOS/firefox", no)],
                "/Applications/Firefox.app/Contents/MacOS/firefox",
                Firefox,
                no,
            ),
            (
                Windows,
                &[(r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe", no)],
                r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
                Chromium,
                no,
            ),
            (
                Windows,
                &[
                    (r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe", no),
                    (r"C:\Users\ann\AppData\Local\Google\Chrome\Application\chrome.exe", no),
                ],
                r"C:\Users\ann\AppData\Local\Google\Chrome\Application\chrome.exe",
                Chromium,
                no,
            ),
            (
                Windows,
                &[(r"C:\Program Files\Mozilla Firefox\firefox.exe", no)],
                r"C:\Program Files\Mozilla Firefox\firefox.exe",
                Firefox,
                no,
            ),
        ];
        for (system, files, path, family, shut_in) in table {
            let variables = if *system == Windows { WINDOWS } else { UNIX };
            let found = find(*system, variables, files, "").unwrap();
            let found = found.unwrap_or_else(|| panic!("{path}: none"));
            assert_eq!(found.path, Path::new(path));
            assert_eq!(found.family, *family, "{path}");
            let wanted = Some(PathBuf::from(shut_in)).filter(|_| !shut_in.is_empty());
            assert_eq!(found.shut_in, wanted, "{path}");
        }
    }

    #[test]
    fn none_at_all_is_no_error_and_one_that_is_named_must_be_there() {
        for system in [System::Unix, System::Mac, System::Windows] {
            assert_eq!(find(system, UNIX, &[], ""), Ok(None));
            for named in ["/no/such/browser", "no-such-browser-anywhere"] {
                let error = find(system, UNIX, &[], named).unwrap_err();
                assert!(error.contains(named) && error.contains("no such program"), "{error}");
            }
        }
        let there = [("/usr/bin/brave", ""), ("/x/librewolf", "")];
        let found = |named| find(System::Unix, UNIX, &there, named).unwrap().unwrap();
        assert_eq!(found("brave").path, Path::new("/usr/bin/brave"));
        assert_eq!(found("/x/librewolf").family, Family::Firefox);
    }
}
