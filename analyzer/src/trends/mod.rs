//! The page of many bundles: the named queries' answers, drawn.
//!
//! Everything stands in the page: tables with drawings in SVG, made here, and
//! a script that filters what it has. The same answers give the same bytes,
//! from a store or from a fleet. What is counted is the queries' to say
//! (`analyzer/sql/`).

mod chart;
mod counts;
mod model;
mod part;
mod section;
pub mod statistics;
mod time;

use crate::store::query::Answers;
use counts::{DETAILS, Detail, Dims, Filters, Piece};
use model::records;
use part::{Behind, Listed, Section};
use serde::Serialize;
use time::Cases;
use wss_report::html::{Head, engine_of, hash};
use wss_report::templates::Templates;

/// Bytes of the page that the filters' counts may take.
const ROOM: usize = 400_000;

#[derive(Serialize)]
struct Page<'a> {
    logo: Option<&'a str>,
    summary: String,
    empty: bool,
    filters: Filters,
    sections: Vec<Section>,
    behind: Vec<Listed>,
}

/// The page. `store` is the folder that commands on it name, where there is one.
///
/// # Errors
/// An answer or a column that the page needs is missing; a template of one's own
/// that does not fit.
pub fn page(
    answers: &Answers,
    store: Option<&str>,
    templates: &Templates,
) -> Result<String, String> {
    let mut found = None;
    for detail in DETAILS {
        let made = sections(answers, store, detail)?;
        let small = made.room() <= ROOM;
        found = Some(made);
        if small {
            break;
        }
    }
    let Sections { filters, sections, behind, empty } = found.ok_or("there is nothing to draw")?;
    let page = Page {
        logo: templates.logo(),
        summary: summary(answers)?,
        empty,
        filters,
        sections,
        behind: behind.listed(),
    };
    render(&page, templates)
}

/// The sections, with what the filters know.
struct Sections {
    filters: Filters,
    sections: Vec<Section>,
    behind: Behind,
    empty: bool,
}

impl Sections {
    /// Bytes of what the filters count.
    fn room(&self) -> usize {
        self.sections.iter().flat_map(|section| &section.counts).map(Piece::room).sum()
    }
}

fn sections(answers: &Answers, store: Option<&str>, detail: Detail) -> Result<Sections, String> {
    let mut behind = Behind::new(store);
    let (mut sections, mut filters) = (Vec::new(), Filters::default());
    let cases = Cases::new(answers, detail)?;
    let empty = cases.is_none();
    if let Some(cases) = cases {
        sections.push(cases.over_time(&mut behind));
        sections.push(cases.changes(&mut behind));
        sections.push(cases.causes(&mut behind));
        let mut dims = cases.dims;
        for build in [
            section::devices,
            section::proxies,
            section::idle,
            section::layers,
            section::fingerprints,
            section::remedies,
            section::mending,
            section::checklist,
            section::abstentions,
            section::collectors,
        ] {
            sections.push(build(answers, &mut dims, &mut behind)?);
        }
        newest(answers, &mut dims, &mut behind)?;
        filters = dims.filters();
    }
    sections.push(section::bad(answers, &mut behind)?);
    Ok(Sections { filters, sections, behind, empty })
}

/// The newest bundles behind each number, with whom and when they are of.
fn newest(answers: &Answers, dims: &mut Dims, behind: &mut Behind) -> Result<(), String> {
    let columns =
        ["kind", "name", "bundle_id", "collected_at", "day", "vantage", "cause", "device"];
    for row in records(answers, "newest", &columns)? {
        behind.add(&row, dims.at(&row));
    }
    Ok(())
}

fn summary(answers: &Answers) -> Result<String, String> {
    let totals = records(answers, "totals", &["bundles", "cases", "bad", "first_day", "last_day"])?;
    let totals = totals.first().ok_or("the query totals gave nothing")?;
    if totals.count("bundles") == 0 {
        return Ok("There is no bundle in the store yet.".to_owned());
    }
    Ok(format!(
        "{} bundles of {} cases, {} to {}; {} inputs were bad",
        totals.count("bundles"),
        totals.count("cases"),
        totals.text("first_day"),
        totals.text("last_day"),
        totals.count("bad")
    ))
}

fn render(page: &Page<'_>, templates: &Templates) -> Result<String, String> {
    let engine = engine_of(templates, ["head.hbs", "trends.hbs"])?;
    let style = format!("{}{}", templates.get("style.css")?, templates.get("trends.css")?);
    let script = templates.get("trends.js")?;
    let head =
        Head { title: "Trends".to_owned(), style_hash: hash(&style), script_hash: hash(&script) };
    let head = engine.render("head.hbs", &head).map_err(|error| error.to_string())?;
    let body = engine.render("trends.hbs", page).map_err(|error| error.to_string())?;
    Ok(format!(
        "{head}<style>{style}</style>\n</head>\n<body>\n{body}<script>{script}</script>\n</body>\n</html>\n"
    ))
}
