//! The tables, declared once: the store, the NDJSON of `rows`, the fleet's
//! Parquet and `docs/tables.md` are all made from what stands here.

use std::fmt::Write as _;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// 64 bits, signed. Flags are 0 and 1.
    Integer,
    /// 64 bits.
    Real,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be null.
    pub null: bool,
    /// What a number counts, or which form a text has.
    pub unit: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What one row is.
    pub about: &'static str,
    /// In order.
    pub columns: &'static [Column],
}

const fn text(name: &'static str, unit: &'static str, about: &'static str) -> Column {
    Column { name, kind: Kind::Text, null: false, unit, about }
}

const fn integer(name: &'static str, unit: &'static str, about: &'static str) -> Column {
    Column { name, kind: Kind::Integer, null: false, unit, about }
}

const fn real(name: &'static str, unit: &'static str, about: &'static str) -> Column {
    Column { name, kind: Kind::Real, null: false, unit, about }
}

const fn maybe(column: Column) -> Column {
    let Column { name, kind, unit, about, .. } = column;
    Column { name, kind, null: true, unit, about }
}

const ID: Column = text("bundle_id", "UUID", "The bundle; joins the tables");
const DAY: Column = text("day", "YYYY-MM-DD, UTC", "When the bundle was collected");

/// One row a bundle.
pub static BUNDLES: Table = Table {
    name: "bundles",
    about: "One row for each bundle, judged alone. A report judges the bundles of a case together, \
            and may know better: compare `confidence`.",
    columns: &[
        text("bundle_id", "UUID", "The bundle; joins the tables"),
        text("case_id", "", "Ties the bundles of one problem together"),
        text("vantage", "inside, outside", "Which side of the corporate network it is from"),
        text("collected_at", "RFC 3339, UTC", "When the collection began"),
        integer("collected_unix", "seconds since 1970", "The same, for subtraction"),
        DAY,
        text("target", "URL", "The WebSocket that decides"),
        text("host", "", "The target's host"),
        text("collector_version", "", "The collector's version"),
        text("collector_os", "linux, windows, macos", "The collector's system"),
        integer("complete", "0, 1", "0 when the collection was interrupted"),
        real("duration_s", "seconds", "How long the collection took"),
        text("status", "working, unstable, broken, unknown", "The verdict"),
        text("cause", "slug", "Why; `none` when it works, `insufficient` when it cannot be told"),
        text(
            "location",
            "client-network, server-side, browser, target, none, undetermined",
            "Whose it is",
        ),
        text("confidence", "high, medium, low", "How sure"),
        text("summary", "", "The verdict in a sentence"),
        maybe(text("route", "direct, proxy URL", "The route that this machine's settings choose")),
        maybe(text(
            "broken_layer",
            "see layers.layer",
            "The lowest layer that fails on that route",
        )),
        maybe(text(
            "device",
            "",
            "Product on the side where the fault lies, as far as it shows itself",
        )),
        maybe(text("device_version", "", "Its version")),
        maybe(text(
            "fingerprint",
            "",
            "How it fails, without whom: cause, layer and failure, device. Null when it works. \
             Targets that share one likely share the remedy",
        )),
        maybe(text(
            "unsettled",
            "slug",
            "What would settle an unknown verdict or one of low confidence: `run-outside`, \
             `run-inside`, `longer-hold`, `longer-timeout`, `credentials`, `client-certificate`, `proxy-credentials`, \
             `configuration`, `path`, `without-proxy`, `browser`, `browser-message`, `run-again`",
        )),
        text("upgrade_test", "complete, partial, missing", "Checklist item 1"),
        text("proxy_or_load_balancer", "complete, partial, missing", "Checklist item 2"),
        text("failed_handshake", "complete, partial, missing", "Checklist item 3"),
        text("network_path", "complete, partial, missing", "Checklist item 4"),
        integer("defects", "count", "What is wrong with the zip; `wss-analyzer verify` lists it"),
        text("rules_version", "", "The version of the rules that judged"),
        text("source", "path, URL, or name in the tar", "Where it was read from"),
    ],
};

/// One row a finding.
pub static FINDINGS: Table = Table {
    name: "findings",
    about: "One row for each finding.",
    columns: &[
        ID,
        DAY,
        integer("number", "from 0", "Its place in the report; most serious first"),
        text("rule", "slug", "The rule; `wss-analyzer explain RULE` tells more"),
        text("severity", "error, warning, info", "How serious"),
        integer("is_cause", "0, 1", "1 where the verdict rests on it"),
        text("title", "", "In a few words"),
        integer("citations", "count", "Observations that show it"),
    ],
};

/// One row a device.
pub static DEVICES: Table = Table {
    name: "devices",
    about: "One row for each device that left a mark, nearest to the client first.",
    columns: &[
        ID,
        DAY,
        integer("number", "from 0", "Its place on the path"),
        text(
            "role",
            "forward-proxy, tls-interceptor, load-balancer, waf, cdn, origin",
            "What it does there",
        ),
        maybe(text("product", "", "Its name")),
        maybe(text("version", "", "Its version")),
        text("confidence", "high, medium, low", "How sure"),
        integer("blamed", "0, 1", "1 for the device in `bundles.device`"),
    ],
};

/// One row a layer that was tried.
pub static LAYERS: Table = Table {
    name: "layers",
    about: "One row for each layer that passed or failed: all of the path that decides, by every \
            route, and `upgrade`, `frames` and `hold` of the other paths. What was not tried has no \
            row.",
    columns: &[
        ID,
        DAY,
        integer("number", "from 0", "Its place in the report"),
        text("route", "direct, proxy URL", "The route"),
        text("path", "", "The WebSocket path"),
        integer("decides", "0, 1", "1 for the route and path that decide"),
        text("layer", "dns, tcp, proxy, tls, http, upgrade, frames, hold", "The layer"),
        text("status", "pass, fail", "How it went"),
        maybe(real("ms", "milliseconds", "How long it took")),
        maybe(text(
            "failure",
            "slug",
            "How it failed: a failure's kind, `status 502`, `untrusted`, `cut`",
        )),
    ],
};

/// One row a silent hold.
pub static HOLDS: Table = Table {
    name: "holds",
    about: "One row for each bundle that held a silent connection on the route that decides.",
    columns: &[
        ID,
        DAY,
        real("held_s", "seconds", "How long it lasted"),
        maybe(real(
            "cut_after_s",
            "seconds",
            "The shortest silence after which one was cut, or did not answer; null when there was none",
        )),
        maybe(text(
            "cut_by",
            "fin, reset, close-frame, silence",
            "How. With `silence` nobody was seen to end it: the limit lies between `alive_s` and \
             `cut_after_s`",
        )),
        maybe(integer("tls_closed", "0, 1", "Whether a close_notify came before the end")),
        maybe(integer("keepalive_survives", "0, 1", "Whether a connection that pings outlived it")),
        maybe(real("alive_s", "seconds", "The longest silence after which one still answered")),
        maybe(integer(
            "tcp_keepalive_survives",
            "0, 1",
            "Whether one outlived it that was silent but for TCP keepalive",
        )),
        maybe(integer(
            "server_data_survives",
            "0, 1",
            "Whether one outlived it on which the server sends data",
        )),
        maybe(text(
            "picture",
            "lasts, silence, age, event, age-or-event, unlike",
            "What the ends of all that were held look like together",
        )),
    ],
};

/// One row a file that is no bundle.
pub static BAD: Table = Table {
    name: "bad",
    about: "One row for each input that could not be read. It goes when the same place gives a \
            bundle.",
    columns: &[
        text("source", "path, URL, or name in the tar", "Where it was read from"),
        text(
            "reason",
            "slug",
            "`empty`, `not-a-zip`, `no-manifest`, `encrypted`, `newer`, `too-big`, `unreadable`, \
             `not-a-bundle`",
        ),
        text("detail", "", "The whole message"),
    ],
};

/// All tables, in the order of their documentation.
pub static TABLES: [&Table; 6] = [&BUNDLES, &FINDINGS, &DEVICES, &LAYERS, &HOLDS, &BAD];

/// The tables as a page (`docs/tables.md`).
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "# The tables\n\nWhat `wss-analyzer rows` prints, `wss-analyzer sql` queries, and the fleet \
         keeps as Parquet.\nGenerated from `analyzer/src/rows/schema.rs`; a test fails when it is \
         stale (`UPDATE_DOCS=1 cargo test -p wss-analyzer docs` writes it anew).\n\nIn NDJSON each \
         object has the table's name as `table`, and every column; what is not known is `null`.\n\n\
         ```\nwss-analyzer rows bundles/ > rows.ndjson\nwss-analyzer sql --store wss-store \
         \"SELECT cause, COUNT(*) AS n FROM bundles GROUP BY cause ORDER BY n DESC\"\n```\n",
    );
    for table in TABLES {
        let _ = write!(
            out,
            "\n## {}\n\n{}\n\n| column | type | unit or form | meaning |\n|---|---|---|---|\n",
            table.name, table.about
        );
        for column in table.columns {
            let kind = match column.kind {
                Kind::Text => "text",
                Kind::Integer => "integer",
                Kind::Real => "real",
            };
            let null = if column.null { ", or null" } else { "" };
            let _ = writeln!(
                out,
                "| `{}` | {kind}{null} | {} | {} |",
                column.name, column.unit, column.about
            );
        }
    }
    out
}
