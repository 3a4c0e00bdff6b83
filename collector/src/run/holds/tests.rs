//! Ladders up to an hour, on a clock that does not wait: what is on the way is simulated,
//! everything else is what runs on a network.

use super::*;
use crate::wire::BoxIo;
use crate::wire::hold::watch;
use crate::wire::tap::Tap;
use crate::wire::ws::Socket;
use chrono::{DateTime, Utc};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::watch as flag;
use wss_bundle::observation::*;
use wss_bundle::target::Scheme;
use wss_bundle::*;
use wss_diagnosis::{Cause, Diagnosis, diagnose};

const PATIENCE: Duration = Duration::from_secs(10);
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Who is on the way.
#[derive(Debug, Clone, Copy)]
enum OnTheWay {
    /// Nobody who minds.
    Nobody,
    /// Ends what was silent for so long.
    Cuts(f64),
    /// Forgets what was silent for so long.
    Forgets(f64),
    /// The same, and TCP keepalive keeps it up.
    ForgetsBelow(f64),
    /// Ends what is so old.
    Lives(f64),
    /// Drops what is so old.
    ForgetsAge(f64),
    /// Ends all that there is once, then.
    Reloads(f64),
    /// Forgets all that there is once, then.
    Restarts(f64),
}

/// A route that is no route.
struct Simulated {
    on_the_way: OnTheWay,
    hold: Duration,
    begun: Instant,
    open: AtomicUsize,
    most: AtomicUsize,
    opened: Mutex<Vec<Instant>>,
    seen: Mutex<Vec<Observation>>,
    left_out: Mutex<Vec<(f64, String)>>,
    stop: flag::Receiver<bool>,
}

impl Simulated {
    /// Answers Pings, as long as whoever is on the way lets it.
    async fn server(on_the_way: OnTheWay, keepalive: bool, begun: Instant, mut io: DuplexStream) {
        let opened = Instant::now();
        let mut last = opened;
        let after = |from: Instant, seconds: f64| from + Duration::from_secs_f64(seconds);
        let once = |at: f64| Some(after(begun, at)).filter(|at| *at >= opened);
        loop {
            let (at, ends) = match on_the_way {
                OnTheWay::Nobody => (None, false),
                OnTheWay::Cuts(seconds) => (Some(after(last, seconds)), true),
                OnTheWay::Forgets(seconds) => (Some(after(last, seconds)), false),
                OnTheWay::ForgetsBelow(seconds) => {
                    (Some(after(last, seconds)).filter(|_| !keepalive), false)
                }
                OnTheWay::Lives(seconds) => (Some(after(opened, seconds)), true),
                OnTheWay::ForgetsAge(seconds) => (Some(after(opened, seconds)), false),
                OnTheWay::Reloads(at) => (once(at), true),
                OnTheWay::Restarts(at) => (once(at), false),
            };
            let never = std::future::pending::<()>();
            let until = async {
                match at {
                    Some(at) => sleep_until(at).await,
                    None => never.await,
                }
            };
            let mut head = [0; 6];
            tokio::select! {
                biased;
                () = until => {
                    if !ends {
                        // What comes from now on goes nowhere.
                        while let Ok(1..) = io.read(&mut head).await {}
                    }
                    return;
                }
                read = io.read_exact(&mut head) => if read.is_err() { return },
            }
            last = Instant::now();
            let mut payload = vec![0; usize::from(head[1] & 0x7f)];
            if io.read_exact(&mut payload).await.is_err() {
                return;
            }
            for (index, byte) in payload.iter_mut().enumerate() {
                *byte ^= head[2 + index % 4];
            }
            if head[0] == 0x89 {
                let pong = [&[0x8a, payload.len() as u8], &payload[..]].concat();
                let _ = io.write_all(&pong).await;
            }
        }
    }

    fn note<T>(list: &Mutex<Vec<T>>, one: T) {
        list.lock().unwrap_or_else(PoisonError::into_inner).push(one);
    }
}

impl Place for Simulated {
    async fn hold(&self, rung: Rung, latest: Instant, _: bool) -> Fate {
        assert!(Instant::now() <= latest);
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(open, Ordering::SeqCst);
        Self::note(&self.opened, Instant::now());
        let manner = Manner {
            interval: (rung.probe == Probe::HoldChatty).then(|| ping_every(self.hold)),
            keepalive: (rung.probe == Probe::HoldKeepalive).then(|| keepalive_every(self.hold)),
            server_data: rung.probe == Probe::HoldServerData,
        };
        let (ours, theirs) = duplex(4096);
        let keepalive = manner.keepalive.is_some();
        tokio::spawn(Self::server(self.on_the_way, keepalive, self.begun, theirs));
        let start_ms = self.begun.elapsed().as_secs_f64() * 1e3;
        let mut socket = Socket::new(Tap::new(Box::new(ours) as BoxIo, false)).await;
        let held = watch(&mut socket, rung.length, &manner, PATIENCE, self.stopped()).await;
        self.open.fetch_sub(1, Ordering::SeqCst);
        let fate = match &held {
            Ok(held) if !matches!(held.ending.how, EndedBy::StillOpen | EndedBy::Silence) => {
                Fate::Ended(Duration::from_secs_f64(held.held_ms / 1e3))
            }
            _ => Fate::Other,
        };
        let result = match held {
            Ok(held) => Outcome::Ok(held),
            Err(failure) => Outcome::Failed(failure),
        };
        let step = Step::Hold(Hold {
            ping_interval_ms: manner.interval.map(|every| every.as_secs_f64() * 1e3),
            keepalive_ms: manner.keepalive.map(|every| every.as_secs_f64() * 1e3),
            planned_ms: rung.length.as_secs_f64() * 1e3,
            result,
        });
        Self::note(&self.seen, observed(rung.probe.name(), start_ms, step));
        fate
    }

    fn leave_out(&self, rung: &Rung, why: &str) {
        Self::note(&self.left_out, (rung.length.as_secs_f64(), why.to_owned()));
    }

    async fn stopped(&self) {
        if self.stop.clone().wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn observed(probe: &str, start_ms: f64, step: Step) -> Observation {
    Observation {
        id: String::new(),
        probe: probe.to_owned(),
        route: RouteId::direct(),
        path: Some("/v1/ws".into()),
        connection: Some(1),
        start_ms,
        duration_ms: 1.0,
        step,
    }
}

/// What a simulated run showed.
struct Shown {
    diagnosis: Diagnosis,
    ladder: Ladder,
    took_s: f64,
    most: usize,
    opened: Vec<f64>,
    left_out: Vec<(f64, String)>,
}

impl Shown {
    fn idle(&self) -> &wss_diagnosis::Idle {
        self.diagnosis.idle.as_ref().expect("something was held")
    }

    fn picture(&self) -> &str {
        self.idle().picture.expect("something was held")
    }

    /// Whether a limit lies in the bracket, and the bracket is no wider than from one
    /// silence that was tried to the next.
    #[track_caller]
    fn brackets(&self, limit: f64) {
        let idle = self.idle();
        let dead = idle.cut_after_s.expect("a cut");
        let alive = idle.alive_s.unwrap_or(0.0);
        assert!(alive <= limit && limit <= dead + 0.1, "{limit}: {idle:?}");
        let mut tried: Vec<f64> =
            self.ladder.silences().iter().map(Duration::as_secs_f64).collect();
        tried.insert(0, ping_every(self.ladder.whole).as_secs_f64().min(5.0));
        let between = tried.iter().filter(|s| alive + 0.1 < **s && **s < dead - 0.1).count();
        assert_eq!(between, 0, "{limit}: {idle:?} of {tried:?}");
    }
}

fn bundle(holds: Vec<Observation>) -> Bundle {
    let at: DateTime<Utc> = "2026-03-01T08:15:30Z".parse().unwrap();
    let target = Target {
        scheme: Scheme::Http,
        host: "bindplane.corp.example".into(),
        port: 80,
        paths: vec!["/v1/ws".into()],
    };
    let reply = HttpReply {
        informational: vec![],
        head: ResponseHead::new(SWITCH.to_owned()),
        body: Body::default(),
        first_byte_ms: 1.0,
        ending: None,
    };
    let upgrade = Step::Upgrade(Upgrade {
        version: "1.1".into(),
        request: "GET /v1/ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".into(),
        expected_accept: Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".into()),
        result: Outcome::Ok(reply),
    });
    let frames = Step::Frames(Frames {
        result: Outcome::Ok(FramesSeen {
            pong_ms: Some(1.0),
            received: vec![],
            ending: Ending::new(EndedBy::StillOpen),
            message: None,
        }),
    });
    let first = [upgrade, frames].map(|step| observed(Probe::Upgrade.name(), 0.0, step));
    let mut observations: Vec<Observation> = first.into_iter().chain(holds).collect();
    observations.sort_by(|a, b| a.start_ms.total_cmp(&b.start_ms));
    for (one, number) in observations.iter_mut().zip(1..) {
        one.id = format!("o{number}");
        one.connection = Some(number);
    }
    let route = Route {
        id: RouteId::direct(),
        kind: RouteKind::Direct,
        proxy: None,
        sources: vec![],
        selected: true,
    };
    Bundle {
        manifest: Manifest {
            format: manifest::Format::default(),
            id: "11111111-1111-4111-8111-111111111111".into(),
            case: "K7QF-2M9D".into(),
            ticket: None,
            vantage: Vantage::Inside,
            target: target.clone(),
            collector: manifest::Collector {
                version: "0".into(),
                os: "linux".into(),
                arch: "x86_64".into(),
            },
            started_at: at,
            finished_at: at,
            complete: true,
            answers: Default::default(),
            options: vec![],
            not_used: vec![],
            steps: vec![],
            attachments: vec![],
            files: vec![],
        },
        observations: Observations { target, routes: vec![route], observations, browser: vec![] },
        environment: Environment::default(),
        attachments: vec![],
        redactions: vec![],
        defects: vec![],
    }
}

/// A whole run; stopped by the user after so many seconds, where it is said.
async fn run(hold_s: u64, on_the_way: OnTheWay, data: bool, stopped_s: Option<f64>) -> Shown {
    let hold = Duration::from_secs(hold_s);
    let ladder = Ladder::new(hold, data);
    let (stop, stopping) = flag::channel(false);
    let begun = Instant::now();
    if let Some(seconds) = stopped_s {
        tokio::spawn(async move {
            sleep_until(begun + Duration::from_secs_f64(seconds)).await;
            let _ = stop.send(true);
            std::future::pending::<()>().await;
        });
    }
    let place = Simulated {
        on_the_way,
        hold,
        begun,
        open: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        opened: Mutex::default(),
        seen: Mutex::default(),
        left_out: Mutex::default(),
        stop: stopping,
    };
    climb(&place, &ladder).await;
    let took_s = begun.elapsed().as_secs_f64();
    let opened = place.opened.into_inner().unwrap();
    Shown {
        diagnosis: diagnose(&[bundle(place.seen.into_inner().unwrap())]),
        ladder,
        took_s,
        most: place.most.into_inner(),
        opened: opened.into_iter().map(|at| (at - begun).as_secs_f64()).collect(),
        left_out: place.left_out.into_inner().unwrap(),
    }
}

const HOLDS: [u64; 4] = [15, 75, 300, 3600];

/// Limits below a hold, each with something of its own behind the comma.
fn limits(hold: u64) -> Vec<f64> {
    let most = hold as f64;
    let known = [3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0, 100.0, 120.0, 240.0, 350.0, 600.0, 900.0];
    let parts = [0.31, 0.47, 0.77, 0.93].map(|part| most * part);
    let all = known.into_iter().map(|s| s + 0.013).chain(parts);
    // One that pings often enough has to be there.
    all.filter(|limit| {
        *limit < most * 0.95 && *limit > ping_every(Duration::from_secs(hold)).as_secs_f64() * 1.1
    })
    .collect()
}

#[tokio::test(start_paused = true)]
async fn no_more_are_open_than_may_be_and_all_of_it_takes_as_long_as_the_longest() {
    for hold in HOLDS {
        for (way, late) in [
            (OnTheWay::Nobody, 0.0),
            (OnTheWay::Forgets(hold as f64 * 0.4), 10.0),
            (OnTheWay::Cuts(hold as f64 * 0.2), 0.0),
        ] {
            let shown = run(hold, way, true, None).await;
            assert!(shown.most <= 6, "{hold}, {way:?}: {} at a time", shown.most);
            let whole = shown.ladder.whole.as_secs_f64();
            assert!(whole <= hold as f64 + 3.0);
            assert!(shown.took_s <= whole + late + 1.6, "{hold}, {way:?}: {} s", shown.took_s);
            let first: Vec<f64> = shown.opened.iter().copied().take(5).collect();
            let apart = shown.ladder.apart.as_secs_f64() * 0.99;
            assert!(first.windows(2).all(|two| two[1] - two[0] >= apart), "{hold}: {first:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_lasts_is_survived_for_the_whole_time_and_everything_that_is_left_out_is_said() {
    for hold in HOLDS {
        let shown = run(hold, OnTheWay::Nobody, false, None).await;
        assert_eq!(shown.picture(), "lasts", "{hold}");
        assert_eq!(shown.idle().alive_s, Some(hold as f64));
        assert_eq!(shown.idle().tcp_keepalive_survives, Some(true));
        assert_eq!(shown.idle().server_data_survives, None);
        assert_eq!(shown.diagnosis.verdict.cause, Cause::None);
        let planned: Vec<f64> = shown.ladder.left_out.iter().map(Duration::as_secs_f64).collect();
        let said: Vec<f64> = shown.left_out.iter().map(|(seconds, _)| *seconds).collect();
        assert_eq!(said, planned, "{hold}");
        assert_eq!(shown.opened.len(), shown.ladder.rungs().count(), "{hold}: all had their turn");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_silence_lies_in_the_bracket() {
    for hold in HOLDS {
        for limit in limits(hold) {
            for way in [OnTheWay::Forgets(limit), OnTheWay::ForgetsBelow(limit)] {
                let shown = run(hold, way, false, None).await;
                shown.brackets(limit);
                assert_eq!(shown.picture(), "silence", "{hold}, {way:?}");
                assert_eq!(shown.diagnosis.verdict.cause, Cause::IdleTimeout, "{hold}, {way:?}");
                assert_eq!(shown.idle().cut_by, Some("silence"));
                assert_eq!(shown.idle().keepalive_survives, Some(true));
                let below = matches!(way, OnTheWay::ForgetsBelow(_));
                let told = shown.idle().tcp_keepalive_survives;
                assert!(
                    told == Some(below) || !below && told.is_none(),
                    "{hold}, {way:?}: {told:?}"
                );
            }
            let shown = run(hold, OnTheWay::Cuts(limit), false, None).await;
            assert_eq!(shown.picture(), "silence", "{hold}, cuts after {limit}");
            assert!((shown.idle().cut_after_s.unwrap() - limit).abs() < 0.1, "{:?}", shown.idle());
            assert_eq!(shown.idle().tcp_keepalive_survives, Some(false));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_age_a_moment_and_a_silence_are_three_pictures() {
    for hold in HOLDS {
        for limit in limits(hold).into_iter().filter(|limit| *limit > hold as f64 * 0.15) {
            let shown = run(hold, OnTheWay::Lives(limit), false, None).await;
            assert_eq!(shown.picture(), "age", "{hold}, {limit}: {:?}", shown.idle());
            assert_eq!(shown.diagnosis.verdict.cause, Cause::LifetimeLimit);
            let shown = run(hold, OnTheWay::Reloads(limit), false, None).await;
            assert_eq!(shown.picture(), "event", "{hold}, {limit}: {:?}", shown.idle());
            assert_eq!(shown.diagnosis.verdict.cause, Cause::Insufficient);
            // Nobody says when: what looks like a limit of silence is none.
            for (way, own) in
                [(OnTheWay::ForgetsAge(limit), "age"), (OnTheWay::Restarts(limit), "event")]
            {
                let shown = run(hold, way, false, None).await;
                let picture = shown.picture();
                assert!([own, "age-or-event"].contains(&picture), "{hold}, {way:?}: {picture}");
            }
        }
    }
}

/// Ctrl-C gives what was reached: the silence of now counts, since it is asked at once.
#[tokio::test(start_paused = true)]
async fn stopped_anywhere_it_says_what_was_reached() {
    for hold in [15, 75, 3600] {
        for part in [0.1, 0.33, 0.5, 0.71, 0.96] {
            let at = hold as f64 * part;
            let shown = run(hold, OnTheWay::Nobody, false, Some(at)).await;
            assert!(shown.took_s < at + 1.1, "{hold}: {} s after {at} s", shown.took_s);
            let alive = shown.idle().alive_s.unwrap();
            assert!((alive - at).abs() < 0.2, "{hold}, {at}: {alive}");
            let limit = hold as f64 * 0.4;
            let shown = run(hold, OnTheWay::Forgets(limit), false, Some(at)).await;
            let idle = shown.idle();
            let bound = idle.alive_s.unwrap_or(0.0) <= limit;
            assert!(bound && idle.cut_after_s.is_none_or(|dead| dead >= limit), "{at}: {idle:?}");
            if at < limit {
                assert!((idle.alive_s.unwrap() - at).abs() < 0.2, "{hold}, {at}: {idle:?}");
            }
        }
    }
}

/// An older GraphQL server acknowledges, and sends data of its own accord from then on; a
/// newer one acknowledges.
async fn graphql(mut io: DuplexStream, data: bool) {
    let frame = |text: &str| [&[0x81, text.len() as u8], text.as_bytes()].concat();
    let mut head = [0; 6];
    let mut every = tokio::time::interval(Duration::from_secs(10));
    let mut asked = false;
    loop {
        tokio::select! {
            read = io.read_exact(&mut head) => if read.is_err() { return },
            _ = every.tick(), if asked && data => {
                let _ = io.write_all(&frame(r#"{"type":"ka"}"#)).await;
                continue;
            }
        }
        let mut payload = vec![0; usize::from(head[1] & 0x7f)];
        let _ = io.read_exact(&mut payload).await;
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= head[2 + index % 4];
        }
        match head[0] {
            0x81 => {
                assert!(String::from_utf8_lossy(&payload).contains("connection_init"));
                let _ = io.write_all(&frame(r#"{"type":"connection_ack"}"#)).await;
                asked = true;
                every.reset_immediately();
            }
            0x89 => {
                let pong = [&[0x8a, payload.len() as u8], &payload[..]].concat();
                let _ = io.write_all(&pong).await;
            }
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_is_asked_for_data_and_where_it_has_none_a_moment_is_enough() {
    let manner = Manner { server_data: true, ..Manner::default() };
    let never = std::future::pending::<()>;
    for data in [true, false] {
        let (ours, theirs) = duplex(4096);
        tokio::spawn(graphql(theirs, data));
        let mut socket = Socket::new(Tap::new(Box::new(ours) as BoxIo, false)).await;
        let begun = Instant::now();
        let planned = Duration::from_secs(70);
        let held = watch(&mut socket, planned, &manner, PATIENCE, never()).await;
        let took = begun.elapsed().as_secs_f64();
        match (data, held) {
            (true, Ok(held)) => {
                assert_eq!(held.ending.how, EndedBy::StillOpen);
                assert!(held.server_frames >= 7 && held.quiet_ms < 11_000.0, "{held:?}");
                assert!((took - 70.0).abs() < 0.1);
            }
            (false, Err(failure)) => {
                assert!(failure.detail.contains("sends nothing of its own accord"));
                assert!(took < 2.1, "{took} s");
            }
            (_, other) => panic!("{data}: {other:?}"),
        }
    }
}

#[test]
fn the_plan_has_what_is_done() {
    let name_of = |rung: &Rung| key_of(rung, &RouteId::direct()).to_string();
    let ladder = Ladder::new(Duration::from_secs(75), true);
    let names: std::collections::BTreeSet<String> = ladder.rungs().map(name_of).collect();
    assert_eq!(names.len(), ladder.rungs().count(), "each has a name of its own");
    assert!(names.contains("hold-rung 58 s, direct"), "{names:?}");
}
