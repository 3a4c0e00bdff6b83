//! The packet filter's modes.

use super::*;
use crate::lab::config::{CutConfig, FirewallMode};
use tokio::net::TcpStream;

async fn set(lab: &Lab, mode: FirewallMode) {
    lab.firewall.set(mode, lab.origin.addr, CutConfig::default()).await.unwrap();
}

#[tokio::test]
async fn each_mode_looks_different_and_the_port_survives_them_all() {
    let lab = lab("").await;
    for _ in 0..2 {
        set(&lab, FirewallMode::Reset).await;
        let mut conn = dial(lab.addr()).await;
        assert_eq!(end(&mut conn, LIMIT).await, End::Reset);

        set(&lab, FirewallMode::Refuse).await;
        let error = TcpStream::connect(lab.addr()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);

        set(&lab, FirewallMode::Drop).await;
        assert!(timeout(QUIET, TcpStream::connect(lab.addr())).await.is_err());

        set(&lab, FirewallMode::Swallow).await;
        let mut conn = dial(lab.addr()).await;
        send(&mut conn, UPGRADE).await;
        assert_eq!(end(&mut conn, QUIET).await, End::Silence(vec![]));

        set(&lab, FirewallMode::Open).await;
        assert_eq!(upgrade(lab.addr()).await.1.status(), 101);
    }
}

#[tokio::test]
async fn established_connections_obey_too() {
    let lab = lab("").await;
    for (mode, expected) in [
        (FirewallMode::Reset, End::Reset),
        (FirewallMode::Drop, End::Silence(vec![])),
        (FirewallMode::Open, End::Silence(vec![])),
    ] {
        set(&lab, FirewallMode::Open).await;
        let (mut conn, head, _) = upgrade(lab.addr()).await;
        assert_eq!(head.status(), 101);
        set(&lab, mode).await;
        assert_eq!(end(&mut conn, QUIET).await, expected, "{mode:?}");
        assert_eq!(alive(&mut conn).await, mode == FirewallMode::Open, "{mode:?}");
    }
}

#[tokio::test]
async fn names_are_blocked_by_sni() {
    let lab = lab("[origin.tls]\n[firewall]\ninside = \"block-name\"").await;
    let error = secure(&lab, dial(lab.addr()).await, false).await.err().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let connector = lab.pki.connector().unwrap();
    let other = dial(lab.addr()).await.secure(&connector, "localhost").await;
    let mut conn = other.expect("another name passes");
    assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 101);
}

#[tokio::test]
async fn it_cuts_those_inside_only() {
    let lab = lab("[firewall.cut]\nidle-ms = 300\nby = \"blackhole\"").await;
    let (mut inside, _, _) = upgrade(lab.addr()).await;
    assert_eq!(end(&mut inside, Duration::from_millis(600)).await, End::Silence(vec![]));
    assert!(!alive(&mut inside).await);
    lab.stand(crate::lab::Side::Outside).await.unwrap();
    let (mut outside, _, _) = upgrade(lab.addr()).await;
    assert_eq!(end(&mut outside, Duration::from_millis(600)).await, End::Silence(vec![]));
    assert!(alive(&mut outside).await);
}

#[tokio::test]
async fn without_tls_of_its_own_its_fin_is_torn() {
    let lab = lab("[origin.tls]\n[firewall.cut]\nidle-ms = 200").await;
    let mut conn = secure(&lab, dial(lab.addr()).await, false).await.unwrap();
    assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 101);
    assert_eq!(end(&mut conn, LIMIT).await, End::Torn);
}
