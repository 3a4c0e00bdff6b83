//! Bundles in buckets, by real servers: moto for `s3://` (PyPI), Azurite for `az://` (npm).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "figures of a run by hand")]

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wss_analyzer::store::Store;
use wss_lab::generate::generate;

#[path = "cases/server.rs"]
mod server;
use server::{Server, installed};

/// What must be in no output.
const SECRET: &str = "kvikovskaQzBJ7lcaMc6f7Q4";
const ID: &str = "lab-key-id";
/// The key that every Azurite has.
const AZURITE_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const PATIENCE: Duration = Duration::from_secs(120);

/// Requests so far for objects that are named like bundles.
fn requested(server: &Server) -> usize {
    server.log().lines().filter(|line| line.contains("\"GET ") && line.contains(".zip")).count()
}

fn s3(server: &Server) -> Arc<dyn ObjectStore> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = AmazonS3Builder::new().with_bucket_name("bundles").with_region("us-east-1");
    let builder = builder.with_access_key_id(ID).with_secret_access_key(SECRET);
    Arc::new(builder.with_endpoint(server.endpoint()).with_allow_http(true).build().unwrap())
}

/// Every file below `in/`, as an object of the same name.
async fn upload(store: &Arc<dyn ObjectStore>, work: &Path) -> usize {
    let mut files = Vec::new();
    let mut folders = vec![work.join("in")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    let count = files.len();
    stream::iter(files)
        .map(|path| async move {
            let key = path.strip_prefix(work).unwrap().to_string_lossy().replace('\\', "/");
            let bytes = std::fs::read(&path).unwrap();
            store.put(&Key::parse(key).unwrap(), bytes.into()).await.map(drop)
        })
        .buffer_unordered(16)
        .try_collect::<()>()
        .await
        .unwrap();
    count
}

fn command(work: &Path, variables: &[(&str, String)], args: &[&str]) -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-analyzer");
    assert!(path.exists(), "{}: cargo build --workspace makes it", path.display());
    let mut command = Command::new(path);
    command.args(args).current_dir(work);
    for (name, _) in std::env::vars() {
        if ["AWS_", "AZURE_", "GOOGLE_"].iter().any(|own| name.starts_with(own))
            || name.to_ascii_lowercase().ends_with("_proxy")
        {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command
}

fn by_s3(server: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("AWS_ENDPOINT", server.endpoint()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_ACCESS_KEY_ID", ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
    ]
}

fn err(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains(SECRET) && !text.contains(AZURITE_KEY), "{text}");
    text
}

fn sql(work: &Path, store: &str, query: &str) -> Vec<Value> {
    let output =
        command(work, &[], &["sql", "--store", store, "--format", "json", query]).output().unwrap();
    assert!(output.status.success(), "{query}: {}", err(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Everything that a store has, but where it is from: bundles, and bad inputs by reason.
fn all(work: &Path, store: &str) -> BTreeMap<&'static str, Vec<Value>> {
    let queries = [
        (
            "bundles",
            "SELECT bundle_id, case_id, cause, status, summary, fingerprint, day FROM bundles ORDER BY 1",
        ),
        ("findings", "SELECT * FROM findings ORDER BY bundle_id, number"),
        ("layers", "SELECT * FROM layers ORDER BY bundle_id, number"),
        ("bad", "SELECT reason, COUNT(*) AS n FROM bad GROUP BY 1 ORDER BY 1"),
    ];
    queries.into_iter().map(|(name, query)| (name, sql(work, store, query))).collect()
}

/// The three numbers of the last line: new, known, bad.
fn told(output: &Output) -> [u64; 3] {
    let text = err(output);
    let line = text.lines().rev().find(|line| line.contains(" new, ")).unwrap_or_default();
    let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().unwrap_or_else(|_| panic!("{text}"))
}

/// Taken in from a bucket as from a folder, and fetched once; killed half-way, too.
async fn taken_in(server: &Server, count: usize) {
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    let written = generate(count, 4, work).unwrap();
    let store = s3(server);
    let objects = upload(&store, work).await;
    // What is no bundle by its name, and a name that a URL has to escape.
    store.put(&Key::from("in/notes.txt"), "not a bundle".into()).await.unwrap();
    let odd = Key::parse("in/späte 100% & mehr.zip").unwrap();
    store.put(&odd, "<html>".into()).await.unwrap();
    std::fs::write(work.join("in/spaete.zip"), "<html>").unwrap();
    let variables = by_s3(server);
    let run = |args: &[&str]| command(work, &variables, args).output().unwrap();

    // Killed when some are in: what is in is not fetched again.
    let began = Instant::now();
    let args = ["trends", "s3://bundles/in", "--store", "bucket"];
    let mut child = command(work, &variables, &args);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let half = || match Store::open(&work.join("bucket")) {
        Ok(_) => sql(work, "bucket", "SELECT COUNT(*) AS n FROM bundles")[0]["n"].as_u64().unwrap(),
        Err(_) => 0,
    };
    while half() == 0 && began.elapsed() < PATIENCE && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    child.wait().unwrap();
    let before = half();
    assert!(before > 0, "nothing goes in");
    // What the killed one had asked for is still being answered.
    let mut fetched = requested(server);
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let now = requested(server);
        if now == fetched {
            break;
        }
        fetched = now;
    }
    let began = Instant::now();
    let done = run(&args);
    println!("{objects} objects listed and taken in, {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(done.status.code(), Some(1), "{}", err(&done));
    let bad = written.bad as u64 + 1;
    let [new, known, seen_bad] = told(&done);
    assert_eq!((new + before, seen_bad), (count as u64, bad), "{}", err(&done));
    assert_eq!(new + known + seen_bad, objects as u64 + 1);
    let again = requested(server) - fetched;
    assert!(again as u64 <= objects as u64 + 1 - before, "{again} of {objects}, {before} were in");
    // Of many bad ones, the screen names the first few; the store has all.
    let odd = "SELECT reason FROM bad WHERE source = 's3://bundles/in/späte 100% & mehr.zip'";
    assert_eq!(sql(work, "bucket", odd).len(), 1, "{}", err(&done));

    // As from the folder.
    let folder = run(&["trends", "in", "--store", "folder", "-o", "folder.html"]);
    assert_eq!(told(&folder)[0], count as u64);
    assert_eq!(all(work, "bucket"), all(work, "folder"));
    assert_eq!(Store::open(&work.join("bucket")).unwrap().differences().unwrap(), []);

    // Once more: nothing is new, and next to nothing is fetched.
    let fetched = requested(server);
    let done = run(&args);
    assert_eq!(told(&done), [0, count as u64 + written.copies as u64, bad], "{}", err(&done));
    let again = requested(server) - fetched;
    // Bad ones may have been replaced, and a copy is known by its id alone.
    assert!(again <= written.bad + 1 + written.copies, "{again} are fetched again");

    // A single object, and rows without a store.
    let one = sql(work, "bucket", "SELECT source FROM bundles ORDER BY source LIMIT 1");
    let rows = run(&["rows", one[0]["source"].as_str().unwrap()]);
    assert_eq!(rows.status.code(), Some(0), "{}", err(&rows));
    assert!(String::from_utf8_lossy(&rows.stdout).contains("\"table\":\"bundles\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_taken_in_as_a_folder_is() {
    let server = Server::moto();
    create(&server);
    taken_in(&server, 400).await;
}

/// Issue 6: 20,000 objects through a real server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; ./tests/run buckets"]
async fn twenty_thousand_objects() {
    let server = Server::moto();
    create(&server);
    taken_in(&server, 20_000).await;
    // More than a bundle may have is not even fetched.
    let store = s3(&server);
    store.put(&Key::from("big/a.zip"), vec![0; 129 << 20].into()).await.unwrap();
    let work = tempfile::tempdir().unwrap();
    let args = ["trends", "s3://bundles/big", "--store", "store"];
    let done = command(work.path(), &by_s3(&server), &args).output().unwrap();
    assert!(
        err(&done).contains("s3://bundles/big/a.zip: 135266304 bytes is more"),
        "{}",
        err(&done)
    );
    assert!(!server.log().contains("GET /bundles/big/a.zip"));
}

fn create(server: &Server) {
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let head = "PUT /bundles HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
}

/// Cases of a bucket have their folders here; what is known is fetched for its case alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_in_a_bucket() {
    let server = Server::moto();
    create(&server);
    let store = s3(&server);
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/demo");
    let put = |name: &'static str| {
        let bytes = std::fs::read(golden.join(name)).unwrap();
        let (store, key) = (Arc::clone(&store), Key::from(format!("in/{name}")));
        async move { store.put(&key, bytes.into()).await.unwrap() }
    };
    let variables = by_s3(&server);
    let args = ["inbox", "s3://bundles/in", "--to", "out"];
    let run = || command(work, &variables, &args).output().unwrap();
    put("inside.zip").await;
    let first = run();
    assert_eq!(first.status.code(), Some(0), "{}", err(&first));
    let before = requested(&server);
    let again = run();
    assert!(again.status.success() && again.stdout.is_empty(), "{}", err(&again));
    assert_eq!(requested(&server), before, "a known object was fetched again");
    put("outside.zip").await;
    let both = run();
    let said = String::from_utf8_lossy(&both.stdout).into_owned();
    assert!(both.status.success() && said.lines().count() == 1, "{said}{}", err(&both));
    let folder = std::fs::read_dir(work.join("out")).unwrap().next().unwrap().unwrap().path();
    let report = std::fs::read(folder.join("report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["case"]["bundles"].as_array().unwrap().len(), 2, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_told_in_a_sentence() {
    let server = Server::moto();
    create(&server);
    let work = tempfile::tempdir().unwrap();
    let run = |variables: &[(&str, String)], url: &str| {
        let output =
            command(work.path(), variables, &["trends", url, "--store", "store"]).output().unwrap();
        let text = err(&output);
        assert_eq!(output.status.code(), Some(2), "{url}: {text}");
        assert!(text.starts_with("bad: ") && text.lines().next().unwrap().len() < 400, "{text}");
        text
    };
    let good = by_s3(&server);
    let text = run(&good, "s3://nowhere/in");
    assert!(text.contains("s3://nowhere/in: there is no such object or bucket"), "{text}");
    let text = run(&good, "s3://bundles/in/gone.zip");
    assert!(text.contains("s3://bundles/in/gone.zip: there is no such"), "{text}");
    let text = run(&good, "ftp://bundles/in");
    assert!(text.contains("ftp:// is not read; s3://, gs:// and az:// are"), "{text}");
    let text = run(&good, &format!("s3://{ID}:{SECRET}@bundles/in"));
    assert!(text.contains("credentials do not belong into the URL"), "{text}");
    // Without TLS, only where that was said.
    let https: Vec<_> =
        good.iter().filter(|(name, _)| *name != "AWS_ALLOW_HTTP").cloned().collect();
    let text = run(&https, "s3://bundles/in");
    assert!(text.contains("the endpoint has no TLS; AWS_ALLOW_HTTP=true permits it"), "{text}");
    // Nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut variables = good.clone();
    variables[0].1 = format!("http://{closed}");
    let text = run(&variables, "s3://bundles/in");
    assert!(text.contains("efused"), "{text}");
    // No credentials, and no machine that gives any.
    let mut bare = variables.clone();
    bare.retain(|(name, _)| !matches!(*name, "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY"));
    bare.push(("AWS_METADATA_ENDPOINT", format!("http://{closed}")));
    let text = run(&bare, "s3://bundles/in");
    assert!(text.contains("s3://bundles/in: "), "{text}");
    // Credentials that the server does not know.
    let answer = server.post("/moto-api/reset-auth", "0");
    assert!(answer.contains(" 200 "), "{answer}");
    let text = run(&good, "s3://bundles/in");
    assert!(text.contains("the credentials do not suffice; AWS_ACCESS_KEY_ID"), "{text}");
    // A store of Google's, without a key file that can be read.
    let google = [("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json".to_owned())];
    let text = run(&google, "gs://bundles/in");
    assert!(text.contains("gs://bundles: "), "{text}");
    let text = run(&[], "az://bundles/in");
    assert!(text.contains("az://bundles: Account must be specified; docs/fleet.md"), "{text}");
}

/// Makes the container, which `object_store` cannot: a request signed with the shared key.
fn container(endpoint: &str) {
    let script = "
import base64, email.utils, hashlib, hmac, sys, urllib.request
url, key = sys.argv[1] + '/bundles?restype=container', base64.b64decode(sys.argv[2])
date = email.utils.formatdate(usegmt=True)
signed = 'PUT' + '\\n' * 12 + f'x-ms-date:{date}\\nx-ms-version:2021-08-06\\n'
signed += '/devstoreaccount1/devstoreaccount1/bundles\\nrestype:container'
mark = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
headers = {'x-ms-date': date, 'x-ms-version': '2021-08-06', 'Content-Length': '0'}
headers['Authorization'] = f'SharedKey devstoreaccount1:{mark}'
urllib.request.urlopen(urllib.request.Request(url, method='PUT', headers=headers))";
    let args = ["-c", script, endpoint, AZURITE_KEY];
    let output = Command::new("python3").args(args).env_remove("http_proxy").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "Azurite is 365 MB of npm; ./tests/run buckets fetches it"]
async fn azure_is_read_too() {
    let mut azurite = Command::new("node");
    azurite.arg(installed("azurite").join("node_modules/azurite/dist/src/blob/main.js"));
    azurite.args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"]);
    azurite.args(["--skipApiVersionCheck", "--disableTelemetry"]);
    let server = Server::start(&mut azurite, "successfully listens on http://127.0.0.1:");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = format!("{}/devstoreaccount1", server.endpoint());
    let builder = MicrosoftAzureBuilder::new().with_account("devstoreaccount1");
    let builder = builder.with_access_key(AZURITE_KEY).with_container_name("bundles");
    let builder = builder.with_endpoint(endpoint.clone()).with_allow_http(true);
    let store: Arc<dyn ObjectStore> = Arc::new(builder.build().unwrap());
    container(&endpoint);
    let work = tempfile::tempdir().unwrap();
    generate(60, 4, work.path()).unwrap();
    upload(&store, work.path()).await;
    let variables = [
        ("AZURE_STORAGE_ACCOUNT_NAME", "devstoreaccount1".to_owned()),
        ("AZURE_STORAGE_ACCOUNT_KEY", AZURITE_KEY.to_owned()),
        ("AZURE_STORAGE_ENDPOINT", endpoint),
        ("AZURE_ALLOW_HTTP", "true".to_owned()),
    ];
    let args = ["trends", "az://bundles/in", "--store", "bucket"];
    let done = command(work.path(), &variables, &args).output().unwrap();
    assert!(matches!(done.status.code(), Some(0 | 1)), "{}", err(&done));
    assert_eq!(told(&done)[0], 60, "{}", err(&done));
    let folder =
        command(work.path(), &[], &["trends", "in", "--store", "folder"]).output().unwrap();
    assert_eq!(told(&folder)[0], 60);
    assert_eq!(all(work.path(), "bucket"), all(work.path(), "folder"));
}
