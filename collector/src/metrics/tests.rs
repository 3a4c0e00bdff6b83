//! The two texts, beside each other. The real `promtool` and Prometheus' own OpenMetrics
//! parser read whole ones in `tests/tests/watch.rs`.

use super::{Family, Format, render};

#[test]
fn a_counter_is_called_as_each_format_has_it() {
    let all = [
        Family::gauge("wss_layer_duration_seconds", "seconds", "How long.")
            .labelled(&[("layer", "dns")], 0.5),
        Family::counter("wss_rounds_total", "Rounds.", 3),
        Family::gauge("wss_nothing", "", "Nobody measured it."),
    ];
    let common = [("target", "https://a.example/\"x\"\\".to_owned())];
    let label = r#"target="https://a.example/\"x\"\\""#;
    assert_eq!(
        render(&all, &common, Format::OpenMetrics),
        format!(
            "# TYPE wss_layer_duration_seconds gauge\n# UNIT wss_layer_duration_seconds seconds\n\
             # HELP wss_layer_duration_seconds How long.\n\
             wss_layer_duration_seconds{{{label},layer=\"dns\"}} 0.5\n\
             # TYPE wss_rounds counter\n# HELP wss_rounds Rounds.\nwss_rounds_total{{{label}}} 3\n# EOF\n"
        )
    );
    assert_eq!(
        render(&all[1..], &[], Format::Prometheus),
        "# TYPE wss_rounds_total counter\n# HELP wss_rounds_total Rounds.\nwss_rounds_total 3\n"
    );
}
