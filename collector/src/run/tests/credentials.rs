//! Who is told the user's credentials, and how often.

use super::*;
use std::sync::Mutex;

/// Heads as they came, in order.
type Heard = Arc<Mutex<Vec<String>>>;

fn with_credentials(port: u16) -> Config {
    let auth = Credentials { user: Secret::new("ann"), password: Secret::new("hunter2hunter2") };
    let mut config = Config { auth: Some(auth), ..config(port) };
    config.target.paths = ["/v1/ws", "/v1/graphql", "/v1/opamp"].map(str::to_owned).to_vec();
    config.headers = vec![("Cookie".into(), Secret::new("BP=sesame-sesame"))];
    config
}

/// A server that answers everything so, and tells what it heard.
async fn listening(reply: &'static str) -> (SocketAddr, Heard) {
    let heard = Heard::default();
    let tell = heard.clone();
    let address = server(move |mut stream| {
        let tell = tell.clone();
        async move {
            let request = head(&mut stream).await;
            // Late enough for others to be sent meanwhile, if they were.
            tokio::time::sleep(Duration::from_millis(100)).await;
            tell.lock().unwrap().push(request);
            let _ = stream.write_all(reply.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    (address, heard)
}

fn with(heard: &Heard, header: &str) -> (usize, usize) {
    let heard = heard.lock().unwrap();
    (heard.iter().filter(|head| head.contains(&format!("\r\n{header}: "))).count(), heard.len())
}

#[tokio::test]
async fn refused_credentials_are_sent_once_by_a_route_and_once_for_agents() {
    let refused = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (address, heard) = listening(refused).await;
    let collected = collect(with_credentials(address.port())).await;
    let (carried, all) = with(&heard, "Authorization");
    assert_eq!(carried, 2, "{heard:#?}");
    assert!(all >= 9, "{heard:#?}");
    // The session of a cookie is nobody's password.
    assert_eq!(with(&heard, "Cookie"), (all, all));
    // What is recorded is what was sent.
    let recorded = serde_json::to_string(&collected.observations).unwrap();
    assert_eq!(recorded.matches("Authorization: [removed]").count(), 2);
    assert!(!recorded.contains("hunter2"));
}

#[tokio::test]
async fn credentials_that_are_taken_are_always_sent() {
    let page = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    let (address, heard) = listening(page).await;
    collect(with_credentials(address.port())).await;
    let (carried, all) = with(&heard, "Authorization");
    assert_eq!(carried, all, "{heard:#?}");
    assert!(all >= 9);
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_no_secret() {
    let acceptor = tokio_rustls::TlsAcceptor::from(tls_server_config(&["http/1.1"]));
    let heard = Heard::default();
    let tell = heard.clone();
    let address = server(move |stream| {
        let (acceptor, tell) = (acceptor.clone(), tell.clone());
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let request = head(&mut stream).await;
            tell.lock().unwrap().push(request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    let mut config = with_credentials(address.port());
    config.target.scheme = Scheme::Https;
    let collected = collect(config).await;
    let distrusted = collected.observations.iter().any(|o| {
        matches!(&o.step, Step::Tls(tls) if matches!(tls.verification, Some(Verification::Untrusted { .. })))
    });
    // Where the system has no store, it cannot say so.
    assert!(distrusted, "this system checks no certificates: install ca-certificates");
    let (authorization, all) = with(&heard, "Authorization");
    assert!(all > 0 && authorization == 0, "{heard:#?}");
    assert_eq!(with(&heard, "Cookie").0, 0, "{heard:#?}");
}
