//! Pasted curl output in the place of a bundle from the other side.

use crate::cases::{Case, healthy, stripped};
use crate::fixture::*;
use wss_bundle::{Attachment, AttachmentKind, Bundle, FailureKind, Vantage};
use wss_diagnosis::{Confidence, ItemStatus, diagnose};

const NGINX_502: &str = "HTTP/1.1 502 Bad Gateway\r\nServer: nginx/1.22.1\r\n\r\n<html><hr><center>nginx/1.22.1</center></html>\n";
const H2: &str =
    "HTTP/2 400 \r\nserver: nginx/1.22.1\r\nsec-websocket-version: 13\r\n\r\nBad Request\n";

/// A bundle with an output of curl from a vantage.
pub(crate) fn pasted(mut bundle: Bundle, vantage: Vantage, text: &str) -> Bundle {
    bundle.attachments.push(Attachment {
        name: format!("curl-{}.txt", vantage.as_str()),
        path: None,
        kind: AttachmentKind::CurlOutput,
        vantage: Some(vantage),
        bytes: text.as_bytes().to_vec(),
    });
    bundle
}

fn by_proxy() -> OnRoute {
    Run::inside().direct(false).no_tcp(FailureKind::ConnectionReset).then().proxy(true)
}

fn nginx_strips(run: Run) -> Bundle {
    stripped(run.direct(true), &Leaf::good(), STRIPPED_NGINX, "Server: nginx/1.22.1\r\n").done()
}

fn fine_outside() -> Bundle {
    healthy(Run::outside().direct(true), &Leaf::good()).done()
}

pub(crate) fn cases() -> Vec<Case> {
    use Confidence::{High, Low, Medium};
    use Vantage::{Inside, Outside};
    let corp = Leaf::corporate();
    let zscaler = Leaf::zscaler_trusted();
    let stripped_here = |leaf: &Leaf| stripped(by_proxy(), leaf, STRIPPED, "").done();
    let stripped_curl = format!("{STRIPPED_NGINX}Bad Request\n");
    let mut out = Vec::new();
    let mut case = |name, bundle: Bundle, expect| {
        out.push(Case { name, bundles: vec![bundle], expect });
    };
    case(
        "pasted: stripped inside by an unknown interceptor, works outside",
        pasted(stripped_here(&corp), Outside, SWITCHED),
        ("broken", "proxy-blocks-websocket", "client-network", Medium),
    );
    case(
        "pasted: stripped inside by a known interceptor, works outside: both say the same",
        pasted(stripped_here(&zscaler), Outside, SWITCHED),
        ("broken", "proxy-blocks-websocket", "client-network", High),
    );
    case(
        "pasted: nginx strips on both sides",
        pasted(nginx_strips(Run::inside()), Outside, &stripped_curl),
        ("broken", "lb-strips-upgrade", "server-side", High),
    );
    case(
        "pasted: HTTP/2 from outside is no test, and clears or blames nobody",
        pasted(stripped_here(&zscaler), Outside, H2),
        ("broken", "proxy-blocks-websocket", "client-network", Medium),
    );
    case(
        "pasted: HTTP/2 from inside is never called blocked",
        pasted(fine_outside(), Inside, H2),
        ("working", "none", "none", Medium),
    );
    case(
        "pasted: another host's output is not compared",
        pasted(
            stripped_here(&zscaler),
            Outside,
            &format!("$ curl -i -H 'Upgrade: websocket' https://other.example/v1/ws\n{SWITCHED}"),
        ),
        ("broken", "proxy-blocks-websocket", "client-network", Medium),
    );
    case(
        "pasted: frames are blocked inside; that the upgrade passes outside tells nothing of it",
        pasted(
            Run::inside()
                .direct(true)
                .resolved("203.0.113.10")
                .upgrade(WS, &Leaf::good(), SWITCHED, "")
                .pong(WS, None, wss_bundle::observation::EndedBy::Silence)
                .pages(&Leaf::good(), "")
                .done(),
            Outside,
            SWITCHED,
        ),
        ("broken", "frames-blocked", "server-side", Low),
    );
    case(
        "pasted: the bundle is from outside and works, the output from inside is a 502",
        pasted(fine_outside(), Inside, NGINX_502),
        ("broken", "proxy-blocks-websocket", "client-network", Low),
    );
    case(
        "pasted: the bundle is from outside and works, the output from inside is stripped",
        pasted(fine_outside(), Inside, &format!("{STRIPPED}{BAD}")),
        ("broken", "proxy-blocks-websocket", "client-network", Medium),
    );
    case(
        "pasted: the bundle is from outside, and the output from inside fails alike",
        pasted(nginx_strips(Run::outside()), Inside, &stripped_curl),
        ("broken", "lb-strips-upgrade", "server-side", Medium),
    );
    case(
        "pasted: works here, and outside as well",
        pasted(healthy(Run::inside().direct(true), &Leaf::good()).done(), Outside, SWITCHED),
        ("working", "none", "none", Medium),
    );
    case(
        "pasted: no connection here, an answer outside",
        pasted(
            Run::inside()
                .direct(true)
                .resolved("203.0.113.10")
                .no_tcp(FailureKind::TimedOut)
                .done(),
            Outside,
            SWITCHED,
        ),
        ("broken", "unreachable", "client-network", Medium),
    );
    case(
        "pasted: no connection on either side",
        pasted(
            Run::inside()
                .direct(true)
                .resolved("203.0.113.10")
                .no_tcp(FailureKind::ConnectionRefused)
                .done(),
            Outside,
            "curl: (7) Failed to connect to bindplane.corp.example port 443: Connection refused\n",
        ),
        ("broken", "unreachable", "server-side", Medium),
    );
    out
}

/// The item about the upgrade test, of one bundle.
fn upgrade_test(bundle: Bundle) -> wss_diagnosis::ChecklistItem {
    let diagnosis = diagnose(&[bundle]);
    diagnosis.checklist.into_iter().find(|item| item.item == "upgrade-test").unwrap()
}

#[test]
fn a_pasted_output_completes_the_first_item_where_it_is_a_test() {
    let bundle = || stripped(by_proxy(), &Leaf::zscaler_trusted(), STRIPPED, "").done();
    let done = upgrade_test(pasted(bundle(), Vantage::Outside, SWITCHED));
    assert_eq!(done.status, ItemStatus::Complete, "{done:?}");
    assert!(done.have.iter().any(|h| h.contains("outside by curl, pasted: HTTP/1.1 101")));
    let partial = upgrade_test(pasted(bundle(), Vantage::Outside, H2));
    assert_eq!(partial.status, ItemStatus::Partial, "{partial:?}");
    assert!(partial.missing[0].contains("HTTP/2 400") && partial.missing[0].contains("no test"));
    assert!(partial.how.unwrap().contains("--http1.1"), "the page's command, as it must be");
}

#[test]
fn what_is_no_test_is_said_and_never_called_blocked() {
    for vantage in [Vantage::Inside, Vantage::Outside] {
        let bundle = stripped(by_proxy(), &Leaf::zscaler_trusted(), STRIPPED, "").done();
        let diagnosis = diagnose(&[pasted(bundle, vantage, H2)]);
        let note = diagnosis.findings.iter().find(|f| f.rule == "curl-output-no-test").unwrap();
        assert!(note.title.contains("no valid test"), "{}", note.title);
        assert!(note.text.contains("drops Connection and Upgrade"), "{}", note.text);
        assert_eq!(diagnosis.compared.twin, None);
    }
}

/// What only the inside could tell is asked of the inside.
#[test]
fn what_is_missing_is_asked_of_the_side_that_lacks_a_bundle() {
    let verdict = diagnose(&[pasted(fine_outside(), Vantage::Inside, NGINX_502)]).verdict;
    assert!(verdict.missing.iter().any(|m| m.command.contains("--vantage inside")), "{verdict:?}");
}

/// A real bundle from the same side has more to tell, and goes before it.
#[test]
fn a_bundle_goes_before_an_output() {
    let inside = || stripped(by_proxy(), &Leaf::zscaler_trusted(), STRIPPED, "").done();
    let outside = nginx_strips(Run::outside());
    let without = diagnose(&[inside(), outside.clone()]);
    let with = diagnose(&[pasted(inside(), Vantage::Outside, SWITCHED), outside]);
    assert_eq!(with.verdict, without.verdict);
    assert!(with.compared.pasted.iter().all(|pasted| !pasted.compared));
}

/// What is no test is no evidence, whatever the case: the verdict is as it was.
#[test]
fn an_output_that_is_no_test_leaves_every_verdict_as_it_was() {
    let call = |more: &str, host: &str| {
        format!(
            "$ curl -i -N --http1.1 {more}-H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
             https://{host}/v1/ws\n"
        )
    };
    let refused = "HTTP/1.1 400 Bad Request\nSec-Websocket-Version: 13\n\nBad Request\n";
    let no_tests = [
        H2.to_owned(),
        call("-H 'Connection: Upgrade' ", "bindplane.corp.example") + refused,
        call("", "bindplane.corp.example") + SWITCHED,
        call("-H 'Connection: Upgrade' ", "chat.example") + SWITCHED,
        "PS C:\\> curl x\nInvoke-WebRequest : Cannot bind parameter 'Headers'.\n".to_owned(),
        "$ wscat -c wss://bindplane.corp.example/v1/ws\nerror: Unexpected server response: 403\n"
            .to_owned(),
        "curl: (6) Could not resolve host: Upgrade'\n".to_owned(),
        "It says bad request, as in the office.\n".to_owned(),
    ];
    for case in crate::cases::cases() {
        let plain = diagnose(&case.bundles).verdict;
        for (number, text) in no_tests.iter().enumerate() {
            for vantage in [Vantage::Inside, Vantage::Outside] {
                let mut bundles = case.bundles.clone();
                let Some(first) = bundles.first_mut() else { continue };
                *first = pasted(first.clone(), vantage, text);
                first.attachments.last_mut().unwrap().name = format!("no-test-{number}.txt");
                assert_eq!(diagnose(&bundles).verdict, plain, "{}: {text}", case.name);
            }
        }
    }
}
