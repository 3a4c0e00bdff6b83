//! Drawings: bars, as numbers for the template. The page's table says the
//! same in figures, so a drawing never stands alone.

use serde::Serialize;

/// The width that drawings are laid out for; they scale.
const WIDTH: f64 = 960.0;

/// A drawing.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    /// What it shows, for whoever cannot see it.
    pub(super) label: String,
    width: f64,
    height: f64,
    /// How the script draws it anew: `columns` or `lying`, from where, and how far.
    kind: &'static str,
    from: f64,
    room: f64,
    bars: Vec<Bar>,
    lines: Vec<Line>,
    texts: Vec<Text>,
    /// Names of the colours.
    legend: Vec<Legend>,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    tone: String,
    title: String,
    /// Bars of one group lie on another.
    group: String,
    /// How the filters count it.
    figure: String,
}

#[derive(Debug, Serialize)]
struct Line {
    x1: f64,
    y1: f64,
    x2: f64,
    y2: f64,
    kind: &'static str,
}

#[derive(Debug, Serialize)]
struct Text {
    x: f64,
    y: f64,
    anchor: &'static str,
    text: String,
    /// The part of the scale that it tells.
    part: Option<&'static str>,
    /// The group whose sum it is.
    sum: Option<String>,
}

#[derive(Debug, Serialize)]
struct Legend {
    tone: String,
    name: String,
}

fn round(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

/// The least round number (1, 2, 5 and their tens) that is enough.
pub(super) fn round_up(most: u64) -> u64 {
    let mut unit = 1;
    loop {
        for step in [1, 2, 5] {
            if step * unit >= most {
                return step * unit;
            }
        }
        unit *= 10;
    }
}

/// Bars over time, one on another: `counts[bucket][series]`.
pub(super) fn stacked(
    label: String,
    buckets: &[String],
    series: &[String],
    counts: &[Vec<u64>],
    figure: impl Fn(usize, usize) -> String,
) -> Chart {
    let (height, left, bottom, top) = (300.0, 56.0, 24.0, 10.0);
    let sums = counts.iter().map(|bucket| bucket.iter().sum::<u64>());
    let most = round_up(sums.max().unwrap_or(0).max(1));
    let room = height - bottom - top;
    let step = (WIDTH - left) / buckets.len().max(1) as f64;
    let mut bars = Vec::new();
    for (b, bucket) in counts.iter().enumerate() {
        let mut y = height - bottom;
        for (s, count) in bucket.iter().enumerate() {
            let tall = *count as f64 / most as f64 * room;
            y -= tall;
            bars.push(Bar {
                x: round(left + b as f64 * step + step * 0.08),
                y: round(y),
                width: round(step * 0.84),
                height: round(tall),
                tone: format!("s{s}"),
                title: format!("{}, {}: {count}", buckets[b], series[s]),
                group: b.to_string(),
                figure: figure(b, s),
            });
        }
    }
    let mut chart = Chart {
        label,
        width: WIDTH,
        height,
        kind: "columns",
        from: height - bottom,
        room,
        bars,
        lines: Vec::new(),
        texts: Vec::new(),
        legend: series
            .iter()
            .enumerate()
            .map(|(s, name)| Legend { tone: format!("s{s}"), name: name.clone() })
            .collect(),
    };
    for (part, name) in [(0_u64, "0"), (1, "0.5"), (2, "1")] {
        let y = round(height - bottom - room * part as f64 / 2.0);
        chart.lines.push(Line { x1: left, y1: y, x2: WIDTH, y2: y, kind: "grid" });
        let text =
            if most == 1 && part == 1 { String::new() } else { (most * part / 2).to_string() };
        let (part, sum) = (Some(name), None);
        chart.texts.push(Text { x: left - 6.0, y: y + 4.0, anchor: "end", text, part, sum });
    }
    let every = buckets.len().div_ceil(8).max(1);
    for (b, name) in buckets.iter().enumerate().step_by(every) {
        let x = round(left + (b as f64 + 0.5) * step);
        let text = name.clone();
        let anchor = if b == 0 { "start" } else { "middle" };
        chart.texts.push(Text { x, y: height - 6.0, anchor, text, part: None, sum: None });
    }
    chart
}

/// A bar of a histogram.
pub(super) struct Column {
    /// What it stands for: one place where both are the same.
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) count: u64,
    pub(super) name: String,
    /// How the filters count it.
    pub(super) figure: String,
}

/// Bars side by side, with vertical marks on the same scale. What is known to lie between
/// two places is as broad as these are apart.
pub(super) fn histogram(label: String, at: &[Column], marks: &[f64], unit: &str) -> Chart {
    let (height, left, bottom, top) = (200.0, 56.0, 24.0, 12.0);
    let longest = at.iter().map(|one| one.to).fold(10.0, f64::max) * 1.05;
    let most = round_up(at.iter().map(|one| one.count).max().unwrap_or(0).max(1));
    let room = height - bottom - top;
    let x_of = |x: f64| left + x / longest * (WIDTH - left - 20.0);
    // The broad ones lie behind the others.
    let mut order: Vec<(usize, &Column)> = at.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| (b.to - b.from).total_cmp(&(a.to - a.from)));
    let bars = order
        .into_iter()
        .map(|(group, one)| {
            // One case beside a thousand must still be seen.
            let tall = (one.count as f64 / most as f64 * room).max(1.5);
            let broad = x_of(one.to) - x_of(one.from);
            Bar {
                x: round(x_of((one.from + one.to) / 2.0) - broad.max(5.0) / 2.0),
                y: round(height - bottom - tall),
                width: round(broad.max(5.0)),
                height: round(tall),
                tone: if broad > 0.0 { "between" } else { "s0" }.to_owned(),
                title: format!("{}: {}", one.name, one.count),
                group: group.to_string(),
                figure: one.figure.clone(),
            }
        })
        .collect();
    let base = height - bottom;
    let mut lines = vec![Line { x1: left, y1: base, x2: WIDTH, y2: base, kind: "grid" }];
    for mark in marks.iter().filter(|mark| **mark <= longest) {
        let x = round(x_of(*mark));
        lines.push(Line { x1: x, y1: top, x2: x, y2: base, kind: "mark" });
    }
    let mut texts: Vec<Text> = (0..=4)
        .map(|part| {
            let x = longest * f64::from(part) / 4.0;
            Text {
                x: round(x_of(x)),
                y: height - 6.0,
                anchor: if part == 0 { "start" } else { "middle" },
                text: format!("{x:.0} {unit}"),
                part: None,
                sum: None,
            }
        })
        .collect();
    let (text, part) = (most.to_string(), Some("1"));
    texts.push(Text { x: left - 6.0, y: top + 4.0, anchor: "end", text, part, sum: None });
    let (kind, from) = ("columns", base);
    Chart { label, width: WIDTH, height, kind, from, room, bars, lines, texts, legend: Vec::new() }
}

/// A lying bar of two parts.
pub(super) struct Lying {
    pub(super) name: String,
    /// The two parts.
    pub(super) parts: [u64; 2],
    /// How the filters count them.
    pub(super) figures: [String; 2],
}

/// Lying bars of two parts each.
pub(super) fn lying(label: String, rows: &[Lying], parts: [&str; 2]) -> Chart {
    let (left, tall, gap) = (300.0, 15.0, 8.0);
    let sums = rows.iter().map(|row| row.parts.iter().sum::<u64>());
    let most = sums.max().unwrap_or(0).max(1) as f64;
    let room = WIDTH - left - 70.0;
    let height = rows.len() as f64 * (tall + gap) + gap;
    let (mut bars, mut texts) = (Vec::new(), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        let y = gap + at as f64 * (tall + gap);
        let mut x = left;
        for (part, (count, figure)) in row.parts.iter().zip(&row.figures).enumerate() {
            let width = round(*count as f64 / most * room);
            bars.push(Bar {
                x: round(x),
                y,
                width,
                height: tall,
                tone: format!("p{part}"),
                title: format!("{}, {}: {count}", row.name, parts[part]),
                group: at.to_string(),
                figure: figure.clone(),
            });
            x += width;
        }
        let text = wss_report::words::cut(&row.name, 44);
        let (y, part) = (y + 12.0, None);
        texts.push(Text { x: left - 8.0, y, anchor: "end", text, part, sum: None });
        let text = row.parts.iter().sum::<u64>().to_string();
        let sum = Some(at.to_string());
        texts.push(Text { x: round(x + 6.0), y, anchor: "start", text, part, sum });
    }
    let legend = parts
        .iter()
        .enumerate()
        .map(|(part, name)| Legend { tone: format!("p{part}"), name: (*name).to_owned() })
        .collect();
    let (kind, height, lines) = ("lying", round(height), Vec::new());
    Chart { label, width: WIDTH, height, kind, from: left, room, bars, lines, texts, legend }
}
