//! `--agents`: a process of the list is found in the real `/proc`; without the option none
//! is looked for; and no other process' name is in any byte that is written or shown.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use wss_lab::lab::{Lab, LabConfig};

/// A name that no list and no page has.
const CANARY: &str = "kanarienprozess";

/// A process by this name; it ends with this value.
struct Running(Child);

impl Running {
    fn start(folder: &Path, name: &str) -> Self {
        let program = folder.join(name);
        std::fs::copy("/bin/sleep", &program).unwrap();
        Self(Command::new(program).arg("600").spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-collector");
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

fn run(lab: &Lab, folder: &Path, options: &[&str]) -> Output {
    let mut command = Command::new(program());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.env("HOME", folder).env("XDG_CURRENT_DESKTOP", "XFCE").current_dir(folder);
    command.args(["--no-input", "--hold", "0", "--resolve", &lab.resolve(), "--cacert"]);
    command.arg(lab.trust_file()).args(options).arg(lab.target()).output().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_the_list_is_found_and_no_other_is_told() {
    let config = toml::from_str::<LabConfig>("[lb]\ntls = {}\n").unwrap();
    let lab = Lab::start(&config).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let _agent = Running::start(folder.path(), "warp-svc");
    let _other = Running::start(folder.path(), CANARY);
    tokio::task::block_in_place(|| {
        let output = run(&lab, folder.path(), &["--agents", "--json", "-o", "with.zip"]);
        let mut bytes = [output.stdout, output.stderr].concat();
        let path = folder.path().join("with.zip");
        let bundle = wss_bundle::read::file(&path, &Default::default()).unwrap().bundle;
        let agents = &bundle.environment.agents;
        let found = agents.iter().find(|agent| agent.name == "Cloudflare WARP").expect("WARP");
        assert_eq!(found.by, ["process warp-svc"]);
        let mut zip = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
        for at in 0..zip.len() {
            zip.by_index(at).unwrap().read_to_end(&mut bytes).unwrap();
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(CANARY));
        // The checklist's network path names it.
        assert!(text.contains("Cloudflare WARP seems to run on this machine"), "{text}");

        run(&lab, folder.path(), &["--json", "-o", "without.zip"]);
        let path = folder.path().join("without.zip");
        let bundle = wss_bundle::read::file(&path, &Default::default()).unwrap().bundle;
        assert!(bundle.environment.agents.is_empty(), "{:?}", bundle.environment.agents);

        let said = |options: &[&str]| {
            String::from_utf8_lossy(&run(&lab, folder.path(), options).stdout).into_owned()
        };
        assert!(said(&["--dry-run", "--agents"]).contains("the names of running processes"));
        let plain = said(&["--dry-run"]);
        assert!(!plain.contains("the names of running processes"));
        assert!(plain.contains("processes, browser data"), "{plain}");
    });
}
