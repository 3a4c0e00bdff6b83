//! Bad input is said in one sentence, with exit code 2, before anything is contacted.

use crate::server::{Server, Upgrades, collector, run, text};

#[test]
fn bad_arguments_contact_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let at = format!("127.0.0.1:{}", server.port);
    let url = server.url();
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    std::fs::write(
        folder.path().join("broken.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("there.zip"), "x").unwrap();
    let resolve = format!("x:{}:nowhere", server.port);
    let rows: &[(&[&str], &str)] = &[
        (&[], "TARGET"),
        (&["ftp://127.0.0.1"], "scheme"),
        (&["https://"], "understood"),
        (&["127.0.0.1:0"], "port is 0"),
        (&["https://user:S3cret@"], "understood"),
        (&["a b"], "blanks"),
        (&[&url, "--cacert", "missing.pem"], "missing.pem"),
        (&[&url, "--cacert", "empty.pem"], "no certificate"),
        (&[&url, "--cacert", "broken.pem"], "damaged"),
        (&[&url, "--cert", "empty.pem"], "no certificate"),
        (&[&url, "--key", "empty.pem"], "--cert"),
        (&[&url, "-H", "no colon"], "colon"),
        (&[&url, "-H", "A: b\nC: d"], "line break"),
        (&[&url, "--resolve", &resolve], "HOST:PORT:ADDRESS"),
        (&[&url, "--path", "v1/ws"], "begins with /"),
        (&[&url, "--timeout", "0"], "50ms"),
        (&[&url, "--hold", "1fortnight"], "duration"),
        (&[&url, "--vantage", "between"], "inside"),
        (&[&url, "-4", "-6"], "cannot be used"),
        (&[&url, "-x", "gopher://x"], "--proxy"),
        (&[&url, "-x", "http://u:S3cret@:1"], "--proxy"),
        (&[&url, "--case", "; rm -rf"], "letters"),
        (&[&url, "-o", "there.zip"], "--force"),
        (&[&url, "-o", "no/such/folder.zip"], "no/such"),
        (&[&url, "-o", "/dev/full", "--force"], "no regular file"),
        (&[&url, "-o", "-", "--json"], "standard output"),
        (&[&url, "--frobnicate"], "--frobnicate"),
        // clap repeats what it does not understand.
        (&[&url, "https://user:S3cret@127.0.0.1"], "one target"),
        (&[&url, "--bad=https://user:S3cret@127.0.0.1"], "--bad"),
        (&[&url, "--path", "v1/ws?token=S3cret"], "begins with /"),
        (&[&url, "-H", "S3cret"], "colon"),
        (&[&url, "-o", "/proc/x.zip"], "cannot write"),
    ];
    for (args, says) in rows {
        let output = run(folder.path(), args);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(says), "{args:?}: {error}");
        assert!(!error.contains("S3cret"), "{args:?}: {error}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
    assert_eq!(server.connections(), 0, "somebody at {at} was contacted");
}

/// What was given and cannot be used costs neither the bundle nor the verdict.
#[test]
fn what_cannot_be_used_is_named_and_ends_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("broken.conf", "server { set $t S3cret;\n listen 80 }\n");
    write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    write("no.har", "{");
    write("empty.txt", "");
    let args = [
        &server.url(),
        "--hold",
        "0",
        "-o",
        "out.zip",
        "--config",
        "missing.conf",
        "--config",
        "broken.pem",
        "--config",
        "broken.conf",
        "--config",
        ".",
        "--har",
        "missing.har",
        "--har",
        "no.har",
        "--curl-output",
        "outside=empty.txt",
        "--curl-output",
        "outside=missing.txt",
    ];
    let output = run(folder.path(), &args);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(folder.path().join("out.zip").is_file(), "{said}");
    for name in [
        "missing.conf",
        "broken.pem",
        "broken.conf",
        "line 2",
        "folder",
        "missing.har",
        "no.har",
        "empty.txt",
        "missing.txt",
    ] {
        assert!(said.contains(name), "{name} is not named: {said}");
    }
    assert!(!said.contains("S3cret"), "{said}");
}

#[test]
fn a_dry_run_says_everything_and_contacts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let output = run(
        folder.path(),
        &[&server.url(), "--dry-run", "-x", "http://user:S3cret@127.0.0.1:9", "--hold", "3s"],
    );
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in
        [&server.port.to_string(), "127.0.0.1:9", "resolv.conf", "hold-silent", "nobody else"]
    {
        assert!(said.contains(part), "{part} not in {said}");
    }
    assert!(!said.contains("S3cret"));
    let output =
        run(folder.path(), &[&format!("{}/v1/ws?token=S3cret", server.url()), "--dry-run"]);
    let said = text(&output.stdout);
    assert!(said.contains("/v1/ws?token=[removed]") && !said.contains("S3cret"), "{said}");
    assert_eq!(server.connections(), 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a file was left");
}

#[test]
fn help_and_completions() {
    let folder = tempfile::tempdir().unwrap();
    for (args, says) in [
        (&["--help"][..], "--vantage"),
        (&["--version"], "wss-collector"),
        (&["completions", "bash"], "complete"),
    ] {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(text(&output.stdout).contains(says), "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_printed_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["completions", "bash"][..], &["b.example", "--dry-run"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = collector(folder.path()).args(args).stdout(full).output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains("standard output"), "{args:?}: {error}");
    }
}
