//! Bundles in buckets: `s3://`, `gs://` and `az://`, by the `object_store` crate.
//!
//! A listing is read as it comes, and what it names is fetched ahead of the
//! judges: some requests at a time, and no more bytes than `AHEAD_BYTES`, which
//! an object holds until it was judged. Credentials come from the environment
//! variables of each cloud's own tools (docs/fleet.md), and are in no message.
//! What a bundle is, others say.

use super::{Input, find};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;
use wss_bundle::read::Limits;
use wss_report::words;

/// Requests at a time. A bucket answers in some 50 ms: 32 of them keep two cores busy.
const REQUESTS: usize = 32;
/// Bytes that were fetched, or are being fetched, and not judged yet. A larger
/// object takes all of it.
const AHEAD_BYTES: u32 = 64 << 20;
/// The least that an object counts for: it is more than its bytes.
const LEAST: u32 = 4 << 10;
/// The longest that a request may take, with its answer. 128 MiB, the most that a
/// bundle may have, come in this at 9 Mbit/s.
const REQUEST: Duration = Duration::from_secs(120);
/// The longest that a server may take to be reached.
const CONNECT: Duration = Duration::from_secs(10);
/// What is asked again where a server is busy or the connection breaks.
const RETRIES: usize = 4;
/// The longest from a request to its last repetition.
const RETRYING: Duration = Duration::from_secs(60);
/// The most of an answer that a message repeats, in characters.
const REASON: usize = 240;

/// Whether a path on the command line is meant as a URL.
pub(crate) fn is_url(path: &str) -> bool {
    path.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// What an object holds of the bytes that may be ahead; it gives them back when dropped.
#[derive(Debug)]
pub struct Held {
    _permit: OwnedSemaphorePermit,
}

/// A bucket, or what lies below a prefix in one.
struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// Scheme and bucket: what object's names are put behind.
    root: String,
    path: Path,
    /// Which cloud's variables are meant, in a message.
    variables: &'static str,
}

impl Bucket {
    fn open(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| {
            format!("{text}: {error}; a bucket is written as s3://BUCKET/PREFIX")
        })?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(format!(
                "{}://{}: credentials do not belong into the URL; give them in the environment (docs/fleet.md)",
                url.scheme(),
                url.host_str().unwrap_or_default()
            ));
        }
        let Some(name) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err(format!("{text}: the bucket is missing; write {}://BUCKET", url.scheme()));
        };
        // Two providers are in the tree's reach; ring it is.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = |http: bool| {
            let options = ClientOptions::new().with_timeout(REQUEST).with_connect_timeout(CONNECT);
            options.with_allow_http(http)
        };
        let retry = RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries: RETRIES,
            retry_timeout: RETRYING,
        };
        let root = format!("{}://{name}", url.scheme());
        let at = |error: Error| {
            format!(
                "{root}: {}; docs/fleet.md lists what may be set",
                words::cut(&reason(&error), REASON)
            )
        };
        let (store, variables): (Arc<dyn ObjectStore>, _) = match url.scheme() {
            "s3" => {
                let builder = AmazonS3Builder::from_env().with_url(&root).with_retry(retry);
                let built = builder.with_client_options(options(flag("AWS_ALLOW_HTTP"))).build();
                (
                    Arc::new(built.map_err(at)?),
                    "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
                )
            }
            "gs" => {
                let builder =
                    GoogleCloudStorageBuilder::from_env().with_url(&root).with_retry(retry);
                let built = builder.with_client_options(options(flag("GOOGLE_ALLOW_HTTP"))).build();
                (Arc::new(built.map_err(at)?), "GOOGLE_APPLICATION_CREDENTIALS")
            }
            "az" => {
                let builder = MicrosoftAzureBuilder::from_env().with_url(&root).with_retry(retry);
                let built = builder.with_client_options(options(flag("AZURE_ALLOW_HTTP"))).build();
                (
                    Arc::new(built.map_err(at)?),
                    "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
                )
            }
            other => {
                return Err(format!(
                    "{text}: {other}:// is not read; s3://, gs:// and az:// are, and files and folders"
                ));
            }
        };
        let path = Path::from_url_path(url.path()).map_err(|error| format!("{text}: {error}"))?;
        Ok(Self { store, root, path, variables })
    }

    fn url(&self, path: &Path) -> String {
        format!("{}/{path}", self.root)
    }

    /// What went wrong with an object or a listing, and the way out.
    fn said(&self, path: &Path, error: &Error) -> String {
        let url = self.url(path);
        let text = reason(error);
        // A listing's errors have no kind of their own.
        let status = text.split("status code: ").nth(1).and_then(|rest| rest.get(..3));
        let (missing, refused) = match (error, status) {
            (Error::NotFound { .. }, _) | (_, Some("404")) => (true, false),
            (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, _)
            | (_, Some("401" | "403")) => (false, true),
            _ => (false, false),
        };
        if missing {
            return format!("{url}: there is no such object or bucket");
        }
        if refused {
            return format!(
                "{url}: the credentials do not suffice; {} say who asks, and the bucket's policy what may be read",
                self.variables
            );
        }
        if let Error::InvalidPath { source } = error {
            return format!(
                "{url}: the listing ends here, since a name in it cannot be asked for ({source}); rename that \
                 object, or name other prefixes one by one"
            );
        }
        if text.contains("scheme is not allowed") {
            let cloud = self.variables.split('_').next().unwrap_or_default();
            return format!(
                "{url}: the endpoint has no TLS; {cloud}_ALLOW_HTTP=true permits it, for one on this machine"
            );
        }
        format!("{url}: {}; docs/fleet.md lists what may be set", words::cut(&text, REASON))
    }

    /// Objects below the prefix that are named like bundles; or the one object that was named.
    async fn list(&self) -> stream::BoxStream<'_, Result<ObjectMeta, String>> {
        if find::is_bundle(self.path.as_ref()) {
            let found = self.store.head(&self.path).await;
            let found = found.map_err(|error| self.said(&self.path, &error));
            return stream::iter([found]).boxed();
        }
        let prefix = (!self.path.as_ref().is_empty()).then_some(&self.path);
        self.store
            .list(prefix)
            .map_err(|error| self.said(&self.path, &error))
            .try_filter(|meta| {
                let named = find::is_bundle(meta.location.as_ref());
                std::future::ready(named)
            })
            .boxed()
    }

    /// An object's bytes, as many as the listing said.
    async fn fetch(&self, meta: &ObjectMeta) -> Result<Vec<u8>, String> {
        let said = |error: Error| self.said(&meta.location, &error);
        let mut chunks = self.store.get(&meta.location).await.map_err(said)?.into_stream();
        let mut bytes = Vec::with_capacity(usize::try_from(meta.size).unwrap_or_default());
        while let Some(chunk) = chunks.try_next().await.map_err(said)? {
            if (bytes.len() + chunk.len()) as u64 > meta.size {
                return Err(format!(
                    "{}: it has more than the {} bytes of the listing; somebody is writing it; start again later",
                    self.url(&meta.location),
                    meta.size
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

fn flag(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| matches!(value.as_str(), "1" | "true" | "TRUE" | "yes"))
}

/// The innermost reason, in a line: what is around it tells of retries.
fn reason(error: &Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bundles of a bucket, in the order of its listing.
pub struct Objects {
    // Stops the fetching when it is dropped.
    runtime: Option<Runtime>,
    found: Receiver<Input>,
}

impl Objects {
    /// Starts to list and fetch. `known` is asked with an object's URL: what it
    /// says yes to is not fetched.
    pub fn start(
        text: &str,
        known: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let bucket = Bucket::open(text)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| format!("{text}: {error}"))?;
        let (send, found) = channel(1);
        runtime.spawn(feed(bucket, known, send));
        Ok(Self { runtime: Some(runtime), found })
    }
}

impl Iterator for Objects {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        self.found.blocking_recv()
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What is to be done about a listed object.
enum Task {
    Given(Input),
    Fetch(ObjectMeta, Held),
}

async fn feed(bucket: Bucket, known: impl Fn(&str) -> bool + Send + Sync, send: Sender<Input>) {
    let room = Arc::new(Semaphore::new(AHEAD_BYTES as usize));
    let limit = Limits::default().archive_bytes;
    let (bucket, known) = (&bucket, &known);
    // Room is given in the order of the listing, before anything is fetched: what
    // is awaited first never waits for what comes after it.
    let tasks = bucket.list().await.then(|listed| {
        let room = Arc::clone(&room);
        let task = match listed {
            Err(message) => Err(Input::Unreadable(bucket.url(&bucket.path), message)),
            Ok(meta) => {
                let url = bucket.url(&meta.location);
                if known(&url) {
                    Err(Input::Known)
                } else if meta.size > limit {
                    Err(Input::TooBig(url, meta.size))
                } else {
                    Ok(meta)
                }
            }
        };
        async move {
            let meta = match task {
                Ok(meta) => meta,
                Err(given) => return Task::Given(given),
            };
            let bytes = u32::try_from(meta.size).unwrap_or(u32::MAX).clamp(LEAST, AHEAD_BYTES);
            match room.acquire_many_owned(bytes).await {
                Ok(permit) => Task::Fetch(meta, Held { _permit: permit }),
                // It is closed by nobody.
                Err(error) => {
                    Task::Given(Input::Unreadable(bucket.root.clone(), error.to_string()))
                }
            }
        }
    });
    let mut inputs = tasks
        .map(|task| async move {
            match task {
                Task::Given(input) => input,
                Task::Fetch(meta, held) => {
                    let url = bucket.url(&meta.location);
                    match bucket.fetch(&meta).await {
                        Ok(bytes) => Input::Object(url, bytes, held),
                        Err(message) => Input::Unreadable(url, message),
                    }
                }
            }
        })
        .buffered(REQUESTS)
        .boxed();
    while let Some(input) = inputs.next().await {
        if send.send(input).await.is_err() {
            return;
        }
    }
}

/// How many objects below a URL are named like bundles; `None` where that cannot
/// be told, or `go_on` says no.
pub(super) fn count(text: &str, go_on: impl Fn() -> bool) -> Option<u64> {
    let bucket = Bucket::open(text).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async {
        let mut listed = bucket.list().await;
        let mut count = 0;
        while let Some(one) = listed.next().await {
            one.ok().filter(|_| go_on())?;
            count += 1;
        }
        Some(count)
    })
}
