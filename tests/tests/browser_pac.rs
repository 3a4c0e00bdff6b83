//! What a PAC file's answer means, and what its functions answer, against a real
//! Chromium: one page opens a WebSocket for each row, and listeners on loopback tell who
//! came. What the collector makes of a row must be where Chromium goes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use wss_collector::proxy::client::Hop;
use wss_collector::proxy::pac::engine::{self, Job};
use wss_collector::proxy::pac::functions::Now;
use wss_collector::proxy::pac::understand;

/// Answers. `@P` and `@Q` stand for two proxies' addresses.
const ANSWERS: [&str; 39] = [
    "DIRECT",
    "PROXY @P",
    "proxy @P",
    "Proxy @P;",
    "PROXY @P; DIRECT",
    ";; PROXY @P ;;",
    "  PROXY   @P  ",
    "PROXY\t@P",
    "PROXY @P; PROXY @Q",
    "PROXY reader:Wint3r@@P",
    "PROXY reader@@P",
    "PROXY reader:Wint3r@@P; PROXY @Q",
    "PROXY reader:Wint3r@@P; DIRECT",
    "HTTP @P",
    "HTTP @P; PROXY @Q",
    "SOCKS5 @P",
    "socks5 @Q",
    "SOCKS5 reader:Wint3r@@P",
    "QUIC @P; PROXY @Q",
    "DIRECT @P; PROXY @Q",
    "PROXY",
    "PROXY ; PROXY @Q",
    "PROXY @P @Q",
    "PROXY http://@P; PROXY @Q",
    "PROXY 127.0.0.1:x; PROXY @Q",
    "PROXY 127.0.0.1:; PROXY @Q",
    "PROXY 127.0.0.1:70000; PROXY @Q",
    "@P",
    "undefined",
    "",
    "PROXY @P\n",
    "\nPROXY @P",
    "PROXY @P, DIRECT",
    "PROXY @P;PROXY @Q",
    "PROXY //@P",
    "PROXY @P/",
    "PROXY\u{a0}@P",
    "PROXY p\u{e4}.example:1; PROXY @Q",
    "BLOCK; PROXY @P",
];

/// What scripts ask for: true is the first proxy, false is DIRECT, and what throws is the
/// second proxy. None depends on the name servers of this machine.
const EXPRESSIONS: [&str; 62] = [
    "timeRange(h)",
    "timeRange(h - 1, h)",
    "timeRange(h, h + 1)",
    "timeRange(h + 2, h + 1)",
    "timeRange(h + 1, h - 1)",
    "timeRange(0, 24)",
    "timeRange(h + 1, 0, h, 59)",
    "timeRange(h, 0, 0, h, 59, 59)",
    "timeRange('x', 'y')",
    "weekdayRange(W[w])",
    "weekdayRange(W[w].toLowerCase())",
    "weekdayRange(W[(w + 6) % 7], W[(w + 1) % 7])",
    "weekdayRange(W[(w + 1) % 7], W[(w + 6) % 7])",
    "weekdayRange('MON', 'XXX')",
    "weekdayRange()",
    "dateRange(D)",
    "dateRange(M[m])",
    "dateRange(M[m].toLowerCase())",
    "dateRange(y)",
    "dateRange(M[m], M[(m + 11) % 12])",
    "dateRange(y, y - 1)",
    "dateRange(1, M[m], D, M[m])",
    "dateRange(D, M[m], y, D, M[m], y)",
    "dateRange(1, 'NOV', 2025, 31, 'DEC', 2999)",
    "dnsDomainIs('www.a.example', '.a.example')",
    "dnsDomainIs('xa.example', 'a.example')",
    "dnsDomainIs('www.a.example', '.A.example')",
    "dnsDomainIs('a', '.a.b.c')",
    "localHostOrDomainIs('www', 'www.a.example')",
    "localHostOrDomainIs('www.a', 'www.a.b')",
    "localHostOrDomainIs('ww', 'www.a')",
    "localHostOrDomainIs('www.A', 'www.a')",
    "isPlainHostName('www')",
    "isPlainHostName('::1')",
    "dnsDomainLevels('a.b.c') == 2",
    "shExpMatch('http://a.b/c', '*/c')",
    "shExpMatch('a.b', 'a?b')",
    "shExpMatch('axb', 'a.b')",
    "shExpMatch('a.B', 'A.b')",
    "shExpMatch('a.b', '(a.b|c.d)')",
    "shExpMatch('abc', '[a-c]bc')",
    "shExpMatch('a(b)', 'a(b)')",
    "shExpMatch('a+b', 'a+b')",
    "shExpMatch('ab', 'a{1}b')",
    "shExpMatch('abcd', 'abc')",
    "shExpMatch('', '')",
    "shExpMatch('a', '(')",
    "isInNet('10.1.2.3', '10.0.0.0', '255.0.0.0')",
    "isInNet('10.1.2.3', '10.0.0.0/8')",
    "isInNet('10.1.2.3', '10', '255.0.0.0')",
    "isInNetEx('10.1.2.3', '10.0.0.0/8')",
    "isInNetEx('fe80::1', 'fe80::/10')",
    "isInNetEx('10.1.2.3', '10.0.0.0')",
    "isInNetEx('::ffff:10.1.2.3', '10.0.0.0/8')",
    "isInNetEx('www.a.example', '0.0.0.0/0')",
    "sortIpAddressList('10.2.3.9;2001:db8::2;::1;127.0.0.1') == '::1;2001:db8::2;10.2.3.9;127.0.0.1'",
    "sortIpAddressList('x') === false",
    "convert_addr('10.0.0.1') == 167772161",
    "convert_addr('255.0.0.1') < 0",
    "console.log('x') === undefined",
    "alert('x') === undefined",
    "typeof FindProxyForURLEx == 'undefined'",
];

/// Tells from what a listener hears which row came.
fn row(mut stream: TcpStream) -> Option<usize> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut heard = Vec::new();
    let mut buffer = [0; 2048];
    for _ in 0..4 {
        let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        heard.extend_from_slice(&buffer[..n]);
        if heard.first() == Some(&5) && heard.len() < 8 {
            stream.write_all(&[5, 0]).ok()?;
        }
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((before, _)) = text.split_once(".pac.example") {
            let digits: String = before
                .chars()
                .rev()
                .take_while(char::is_ascii_digit)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            return digits.parse().ok();
        }
    }
    None
}

fn listener(who: usize, sender: mpsc::Sender<(usize, usize)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                if let Some(row) = row(stream) {
                    let _ = sender.send((row, who));
                }
            });
        }
    });
    port
}

/// A running browser, ended with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A script that answers for row `n` with the nth of `rows`, an expression each.
fn script(before: &str, rows: &[String]) -> String {
    let rows: Vec<String> =
        rows.iter().map(|row| format!("function () {{ return {row}; }}")).collect();
    format!(
        "{before} var rows = [{}]; function FindProxyForURL(url, host) {{ \
         var n = /^(\\d+)\\.pac\\.example$/.exec(host); \
         return n ? rows[parseInt(n[1], 10)]() : 'DIRECT'; }}",
        rows.join(", ")
    )
}

/// Where Chromium goes for each row: to the target itself (0), to one of two proxies
/// (1 and 2), or nowhere. The script is made for the places of the two.
fn goes(count: usize, script: impl Fn([&str; 2]) -> String) -> (BTreeMap<usize, usize>, [u16; 3]) {
    let (sender, came) = mpsc::channel();
    let ports = [0, 1, 2].map(|who| listener(who, sender.clone()));
    let [target, p, q] = ports;
    let (p, q) = (format!("127.0.0.1:{p}"), format!("127.0.0.1:{q}"));
    let script = script([&p, &q]);
    let folder = tempfile::tempdir().unwrap();
    // As an administrator would serve it.
    let pac = TcpListener::bind("127.0.0.1:0").unwrap();
    let pac_port = pac.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in pac.incoming().flatten() {
            let mut buffer = [0; 2048];
            let _ = stream.read(&mut buffer);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig; charset=utf-8\r\n";
            let _ = write!(
                stream,
                "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{script}",
                script.len()
            );
        }
    });
    let page = folder.path().join("page.html");
    let opens = format!(
        "<script>for (let i = 0; i < {count}; i++) new WebSocket(`wss://${{i}}.pac.example:{target}/`);</script>"
    );
    std::fs::write(&page, opens).unwrap();
    let mut command = Command::new("chromium");
    for (name, _) in std::env::vars() {
        if name.to_lowercase().contains("proxy") {
            command.env_remove(name);
        }
    }
    command
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update"])
        .arg(
            "--host-resolver-rules=MAP *.pac.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        )
        .arg(format!("--proxy-pac-url=http://127.0.0.1:{pac_port}/proxy.pac"))
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .env("HOME", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let running = Running(command.spawn().expect("apt-get install chromium"));
    // Of several that came for a row the first counts: Chromium goes on when one fails.
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    let until = Instant::now() + Duration::from_secs(120);
    while first.len() < count {
        let Ok((row, who)) = came.recv_timeout(until.saturating_duration_since(Instant::now()))
        else {
            break;
        };
        first.entry(row).or_insert(who);
    }
    drop(running);
    (first, ports)
}

#[test]
fn chromium_takes_an_answer_as_it_is_understood() {
    let place = |text: &str, [p, q]: [&str; 2]| text.replace("@P", p).replace("@Q", q);
    let (first, ports) = goes(ANSWERS.len(), |at| {
        let quoted = |answer: &&str| serde_json::to_string(&place(answer, at)).unwrap();
        script("", &ANSWERS.iter().map(quoted).collect::<Vec<_>>())
    });
    let [p, q] = [1, 2].map(|who| format!("127.0.0.1:{}", ports[who]));
    let wrong: Vec<String> = ANSWERS
        .iter()
        .enumerate()
        .filter_map(|(row, answer)| {
            let says = match understand(&place(answer, [&p, &q])).hops.first() {
                Some(Hop::Proxy(proxy)) => {
                    ports.iter().position(|port| proxy.ends_with(&format!(":{port}")))
                }
                _ => Some(0),
            };
            let came = first.get(&row).copied();
            (came != says || came.is_none())
                .then(|| format!("{answer:?}: understood {says:?}, Chromium {came:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_scripts_functions_answer_as_chromiums_do() {
    const BEFORE: &str = "var W = ['SUN','MON','TUE','WED','THU','FRI','SAT'], \
        M = ['JAN','FEB','MAR','APR','MAY','JUN','JUL','AUG','SEP','OCT','NOV','DEC'], \
        d = new Date(), h = d.getHours(), w = d.getDay(), D = d.getDate(), m = d.getMonth(), \
        y = d.getFullYear(); \
        function told(of) { try { return of() ? 'PROXY @P' : 'DIRECT'; } catch (e) { return 'PROXY @Q'; } }";
    let rows: Vec<String> =
        EXPRESSIONS.iter().map(|row| format!("told(function () {{ return {row}; }})")).collect();
    let whole = |[p, q]: [&str; 2]| script(BEFORE, &rows).replace("@P", p).replace("@Q", q);
    let (first, ports) = goes(EXPRESSIONS.len(), whole);
    let [p, q] = [1, 2].map(|who| format!("127.0.0.1:{}", ports[who]));
    let questions = (0..EXPRESSIONS.len()).map(|row| {
        let host = format!("{row}.pac.example");
        (format!("wss://{host}:{}/", ports[0]), host)
    });
    let job = Job {
        script: whole([&p, &q]),
        questions: questions.collect(),
        my_address: [127, 0, 0, 1].into(),
        now: Now { local: chrono::Local::now().fixed_offset() },
        limit: Duration::from_secs(20),
    };
    let own = engine::run(&job, |_: &str| Vec::new()).unwrap();
    let wrong: Vec<String> = EXPRESSIONS
        .iter()
        .enumerate()
        .filter_map(|(row, expression)| {
            let says = match own[row].as_str() {
                "DIRECT" => 0,
                answer if answer.ends_with(&p) => 1,
                _ => 2,
            };
            let came = first.get(&row).copied();
            (came != Some(says)).then(|| format!("{expression}: here {says}, Chromium {came:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
