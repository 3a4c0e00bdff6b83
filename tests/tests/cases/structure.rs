//! Zips that lie about themselves.

use crate::{Case, Expect, good};
use wss_lab::hostile::forge::{Entry, Forged, Zip, crc, deflate};

/// A bundle with one change of the zip, and the defect that it makes: of the
/// entry that stands at this number in it (counted from behind: -1 is the last).
fn told(name: &str, kind: &'static str, entry: &str, change: impl FnOnce(&mut Zip)) -> Case {
    let mut zip = good();
    change(&mut zip);
    let forged = zip.forge();
    let at = zip.entries.iter().rposition(|one| one.listed.name == entry.as_bytes());
    let offset = at.map(|at| {
        let place = &forged.places[at];
        zip.entries[at].offset.map_or(place.start, |offset| offset as usize)
    });
    let expect = Expect::Read(vec![(kind, Some(entry.to_owned()), offset)]);
    Case::new(name, forged.bytes, expect)
}

/// The same where the defect belongs to no entry, at this offset.
fn outside(
    name: &str,
    kind: &'static str,
    change: impl FnOnce(&mut Zip),
    at: impl FnOnce(&Forged) -> usize,
) -> Case {
    let mut zip = good();
    change(&mut zip);
    let forged = zip.forge();
    let offset = at(&forged);
    Case::new(name, forged.bytes, Expect::Read(vec![(kind, None, Some(offset))]))
}

/// An entry whose data inflate to zeros, 1030 times as many.
fn bomb(name: &str, mebibytes: usize) -> Entry {
    Entry::new(name, &vec![0; mebibytes << 20])
}

pub(crate) fn cases() -> Vec<Case> {
    let mut out = vec![Case::new("good", good().forge().bytes, Expect::Clean)];
    out.extend(names());
    out.extend(doubles());
    out.extend(headers());
    out.extend(surroundings());
    out.extend(bombs());
    out.extend(damages());
    out
}

fn names() -> Vec<Case> {
    let mut out = Vec::new();
    for (name, path) in [
        ("leaves-its-folder", "../evil"),
        ("leaves-by-a-folder", "transcripts/../../evil"),
        ("leaves-by-backslash", "a\\..\\evil"),
        ("absolute", "/etc/cron.d/evil"),
        ("drive", "C:\\evil"),
        ("share", "\\\\server\\share\\evil"),
        ("stream", "manifest.json:stream"),
    ] {
        let add = |zip: &mut Zip| zip.entries.push(Entry::new(path, b"x"));
        out.push(told(name, "unsafe-entry", path, add));
    }
    let long = format!("attachments/{}", "a".repeat(2000));
    let mut zip = good();
    zip.entries.push(Entry::new(&long, b"x"));
    let offset = zip.forge().places.last().map(|place| place.start);
    let shown = long[..120].to_owned();
    let expect = Expect::Read(vec![("unsafe-entry", Some(shown), offset)]);
    out.push(Case::new("long-name", zip.forge().bytes, expect));
    for (name, path, shown) in [
        ("escape-in-name", &b"attachments/\x1b[2Jx"[..], "attachments/\u{fffd}[2Jx"),
        ("newline-in-name", b"attachments/x\nroot::0:0", "attachments/x\u{fffd}root::0:0"),
        ("name-not-utf8", b"attachments/\xff\xfe", "attachments/\u{fffd}\u{fffd}"),
    ] {
        let mut zip = good();
        zip.entries.push(Entry::raw(path, 8, deflate(b"x"), crc(b"x"), 1));
        let forged = zip.forge();
        let offset = forged.places.last().map(|place| place.start);
        let expect = Expect::Read(vec![("unsafe-entry", Some(shown.to_owned()), offset)]);
        out.push(Case::new(name, forged.bytes, expect));
    }
    for (name, path) in [
        ("unknown-name", "payload.exe"),
        ("hidden-name", "attachments/.ssh"),
        ("nested-folder", "transcripts/a/b.txt"),
        ("other-case", "MANIFEST.JSON"),
        ("bidi-name", "attachments/\u{202e}gpj.exe"),
    ] {
        let add = |zip: &mut Zip| zip.entries.push(Entry::new(path, b"x"));
        out.push(told(name, "unknown-entry", path, add));
    }
    let add = |zip: &mut Zip| {
        let mut link = Entry::stored("attachments/link", b"/etc/passwd");
        link.mode = 0o120_777;
        zip.entries.push(link);
    };
    out.push(told("link", "link-entry", "attachments/link", add));
    let link = |zip: &mut Zip| zip.entry("environment.json").mode = 0o120_777;
    out.push(told("link-for-an-entry", "link-entry", "environment.json", link));
    out
}

fn doubles() -> Vec<Case> {
    let twice = |name: &'static str| {
        move |zip: &mut Zip| {
            let copy = zip.entry(name).clone();
            zip.entries.push(copy);
        }
    };
    let mut out = vec![
        told("double", "duplicate-entry", "environment.json", twice("environment.json")),
        told("double-manifest", "duplicate-entry", "manifest.json", twice("manifest.json")),
        told("other-double", "sha256-mismatch", "environment.json", |zip| {
            let size = zip.entry("environment.json").listed.bytes as usize;
            let mut other = b"{}".to_vec();
            other.resize(size, b' ');
            zip.entries.push(Entry::new("environment.json", &other));
        }),
        told("same-bytes-twice", "overlapping-entry", "attachments/x", |zip| {
            let places = zip.forge().places;
            let last = zip.entries.len() - 1;
            let mut copy = zip.entries[last].clone();
            // Its own header stands nowhere: the name differs, too, and that is told first.
            copy.offset = Some(places[last].start as u32);
            let mut second = copy.clone();
            second.listed.name = b"attachments/x".to_vec();
            second.data.clear();
            second.local.compressed = 0;
            zip.entries.push(second);
        }),
    ];
    // The last case is told by its name already: another entry under this one.
    if let Some(case) = out.last_mut()
        && let Expect::Read(expected) = &mut case.expect
    {
        expected[0].0 = "header-mismatch";
    }
    out.push(quine());
    out
}

/// Entries that contain each other, as Fifield's bomb has them: what is read of
/// the outer one are the headers of those within.
fn quine() -> Case {
    let mut zip = good();
    let inner =
        Zip { entries: vec![Entry::stored("attachments/inner", &[b'x'; 5000])], ..Zip::default() };
    let within = inner.forge();
    let inner_bytes = within.bytes[within.places[0].clone()].to_vec();
    zip.entries.push(Entry::stored("attachments/outer", &inner_bytes));
    let outer = zip.forge().places.last().expect("it is there").start;
    let mut listed = inner.entries[0].clone();
    // Its header and data lie in the outer one: nothing of its own is written.
    let start = outer + 30 + "attachments/outer".len();
    listed.offset = Some(start as u32);
    zip.entries.push(listed);
    let forged = zip.forge();
    // The forge writes a copy behind; what counts is where the directory points.
    let expect = Expect::Read(vec![
        ("overlapping-entry", Some("attachments/outer".to_owned()), Some(outer)),
        ("overlapping-entry", Some("attachments/inner".to_owned()), Some(start)),
    ]);
    Case::new("entries-within-each-other", forged.bytes, expect)
}

fn headers() -> Vec<Case> {
    let environment = "environment.json";
    let mut out = vec![
        told("encrypted", "encrypted-entry", environment, |zip| {
            let entry = zip.entry(environment);
            *entry = entry.clone().with(|header| header.flags |= 1);
        }),
        told("encrypted-in-its-header-alone", "encrypted-entry", environment, |zip| {
            zip.entry(environment).local.flags |= 1;
        }),
        told("name-differs", "header-mismatch", environment, |zip| {
            zip.entry(environment).local.name = b"redactions.json_".to_vec();
        }),
        told("method-differs", "header-mismatch", environment, |zip| {
            zip.entry(environment).local.method = 0;
        }),
        told("crc-differs", "header-mismatch", environment, |zip| {
            zip.entry(environment).local.crc ^= 1;
        }),
        told("size-differs", "header-mismatch", environment, |zip| {
            zip.entry(environment).local.bytes += 1;
        }),
        told("compressed-size-differs", "header-mismatch", environment, |zip| {
            zip.entry(environment).local.compressed -= 1;
        }),
        told("wrong-crc", "unreadable-entry", environment, |zip| {
            let entry = zip.entry(environment);
            *entry = entry.clone().with(|header| header.crc ^= 0x8000);
        }),
        told("wrong-size", "unreadable-entry", environment, |zip| {
            let entry = zip.entry(environment);
            *entry = entry.clone().with(|header| header.bytes += 7);
        }),
        told("size-of-four-gibibytes", "unreadable-entry", environment, |zip| {
            let entry = zip.entry(environment);
            *entry = entry.clone().with(|header| header.bytes = u32::MAX - 1);
        }),
        told("no-header-there", "unreadable-entry", environment, |zip| {
            zip.entry(environment).offset = Some(3);
        }),
        told("beyond-the-end", "unreadable-entry", environment, |zip| {
            zip.entry(environment).offset = Some(0x7fff_0000);
        }),
        told("more-data-than-there-is", "unreadable-entry", environment, |zip| {
            zip.entry(environment).listed.compressed = 0x7fff_0000;
        }),
    ];
    for (name, method) in
        [("bzip2", 12), ("lzma", 14), ("zstandard", 93), ("deflate64", 9), ("method-99", 99)]
    {
        out.push(told(name, "unsupported-method", environment, |zip| {
            let entry = zip.entry(environment);
            *entry = entry.clone().with(|header| header.method = method);
        }));
    }
    out.push(told("data-behind-the-data", "stray-data", environment, |zip| {
        let entry = zip.entry(environment);
        entry.data.extend_from_slice(b"what is this");
        let length = entry.data.len() as u32;
        *entry = entry.clone().with(|header| header.compressed = length);
    }));
    let mut zip = good();
    let entry = zip.entry(environment);
    // As programs do that write to a pipe: sizes behind the data.
    entry.behind = [
        b"PK\x07\x08".to_vec(),
        entry.listed.crc.to_le_bytes().to_vec(),
        entry.listed.compressed.to_le_bytes().to_vec(),
        entry.listed.bytes.to_le_bytes().to_vec(),
    ]
    .concat();
    (entry.local.flags, entry.listed.flags) = (8, 8);
    (entry.local.crc, entry.local.compressed, entry.local.bytes) = (0, 0, 0);
    out.push(Case::new("sizes-behind-the-data", zip.forge().bytes, Expect::Clean));
    out
}

fn surroundings() -> Vec<Case> {
    let length = |forged: &Forged| forged.bytes.len();
    vec![
        outside("trailing", "trailing-data", |z| z.trailing = vec![7; 100], |f| length(f) - 100),
        outside("comment", "trailing-data", |z| z.comment = vec![b'c'; 90], |f| length(f) - 90),
        outside("leading", "stray-data", |z| z.entries[0].before = b"#!/bin/sh\n".to_vec(), |_| 0),
        outside(
            "between",
            "stray-data",
            |z| z.entries[2].before = vec![b'x'; 77],
            |f| f.places[2].start - 77,
        ),
        outside(
            "before-the-directory",
            "stray-data",
            |z| z.between = vec![b'x'; 66],
            |f| f.directory - 66,
        ),
        outside(
            "unlisted-in-the-directory",
            "stray-data",
            |z| {
                let mut hidden = Entry::new("attachments/hidden", b"x");
                hidden.in_directory = false;
                z.entries.push(hidden);
            },
            |f| f.places.last().map_or(0, |place| place.start),
        ),
        Case::new(
            "two-zips-in-one",
            [good().forge().bytes, good().forge().bytes].concat(),
            Expect::Any,
        ),
        Case::new(
            "another-zip-in-the-comment",
            {
                let mut zip = good();
                zip.comment = good().forge().bytes;
                zip.forge().bytes
            },
            Expect::Any,
        ),
        Case::new(
            "no-entry-more-than-it-says",
            {
                let mut zip = good();
                zip.count = Some(40_000);
                zip.forge().bytes
            },
            Expect::Any,
        ),
        Case::new("empty", Vec::new(), Expect::Refused("it is empty")),
        Case::new("no-zip", b"hello".to_vec(), Expect::Refused("it is no zip")),
        Case::new(
            "end-record-alone",
            Zip::default().forge().bytes,
            Expect::Refused("manifest.json"),
        ),
        Case::new(
            "a-zip-of-zips",
            {
                let mut zip = good();
                for _ in 0..5 {
                    let inner = zip.forge().bytes;
                    zip = good();
                    zip.entries.push(Entry::stored("attachments/nested.zip", &inner));
                }
                zip.forge().bytes
            },
            Expect::Read(vec![("unlisted-entry", Some("attachments/nested.zip".to_owned()), None)]),
        ),
    ]
}

fn bombs() -> Vec<Case> {
    let bombs = |count: usize, mebibytes: usize| {
        let mut zip = good();
        let one = bomb("attachments/0", mebibytes);
        for number in 0..count {
            let name = format!("attachments/{number}").into_bytes();
            zip.entries.push(one.clone().with(|header| header.name.clone_from(&name)));
        }
        zip.forge().bytes
    };
    let too_large = |entry: &str| Expect::Read(vec![("too-large", Some(entry.to_owned()), None)]);
    let many = {
        let mut zip = good();
        for number in 0..5000 {
            zip.entries.push(Entry::stored(&format!("attachments/{number}"), b""));
        }
        zip.forge().bytes
    };
    let bomb_manifest = {
        let mut zip = good();
        *zip.entry("manifest.json") = bomb("manifest.json", 15);
        zip.forge().bytes
    };
    let random: Vec<u8> =
        (0_u32..).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).take(13 << 20).collect();
    // Made once: these are large.
    let ones =
        [Entry::stored("attachments/0", &random), Entry::new("attachments/0", &random[..2 << 20])];
    let large = |count: usize, one: &Entry| {
        let mut zip = good();
        for number in 0..count {
            let name = format!("attachments/{number}").into_bytes();
            zip.entries.push(one.clone().with(|header| header.name.clone_from(&name)));
        }
        zip.forge().bytes
    };
    vec![
        Case::new("bomb", bombs(1, 15), too_large("attachments/0")),
        Case::new("bombs", bombs(40, 15), too_large("attachments/0")),
        Case::new("bomb-of-an-entry", bombs(1, 40), too_large("attachments/0")),
        Case::new("small-bombs", bombs(200, 1), too_large("attachments/39")),
        Case::new("bomb-for-a-manifest", bomb_manifest, Expect::Refused("manifest.json")),
        Case::new("many-entries", many, Expect::Read(vec![("too-many-entries", None, None)])),
        Case::new(
            "more-than-a-bundle-may-have",
            large(3, &ones[0]),
            Expect::Refused("more than the"),
        ),
        Case::new(
            "as-much-as-a-bundle-may-have",
            large(2, &ones[0]),
            Expect::Read(vec![("unlisted-entry", Some("attachments/1".to_owned()), None)]),
        ),
        Case::new(
            "much",
            large(12, &ones[1]),
            Expect::Read(vec![("unlisted-entry", Some("attachments/11".to_owned()), None)]),
        ),
    ]
}

fn damages() -> Vec<Case> {
    let whole = good().forge();
    let mut out = Vec::new();
    for percent in [1, 10, 30, 45, 60, 75, 90, 97, 99] {
        let mut bytes = whole.bytes.clone();
        bytes.truncate(bytes.len() * percent / 100);
        let expect = if bytes.len() > whole.places[0].end {
            Expect::Read(vec![("damaged-archive", None, None)])
        } else {
            Expect::Refused("expected a zip")
        };
        out.push(Case::new(format!("cut-off-at-{percent}"), bytes, expect));
    }
    // Within the observations: those that are whole count.
    let observations = &whole.places[2];
    let middle = (observations.start + observations.end) / 2;
    let cut = |at: usize| whole.bytes[..at].to_vec();
    let cut_off = ("cut-off-entry", Some("observations.json".to_owned()), Some(observations.start));
    out.push(Case::new(
        "cut-off-within-the-observations",
        cut(middle),
        Expect::Read(vec![cut_off]),
    ));
    let mut holed = whole.bytes.clone();
    holed[middle..middle + 64].fill(0);
    let hole = ("unreadable-entry", Some("observations.json".to_owned()), Some(observations.start));
    out.push(Case::new("a-hole-in-the-observations", holed, Expect::Read(vec![hole])));
    // The directory is gone, and a piece of an entry as well: the rest is read.
    let mut both = whole.bytes[..whole.directory].to_vec();
    both[middle..middle + 64].fill(0);
    let hole = ("unreadable-entry", Some("observations.json".to_owned()), Some(observations.start));
    let expect = Expect::Read(vec![("damaged-archive", None, None), hole]);
    out.push(Case::new("a-hole-and-no-directory", both, expect));
    let mut missing = whole.bytes.clone();
    missing.drain(middle..middle + 100);
    out.push(Case::new("a-piece-is-missing", missing, Expect::Any));
    let mut shuffled = whole.bytes[..whole.directory].to_vec();
    shuffled.extend_from_slice(&whole.bytes[whole.directory..whole.directory + 50]);
    out.push(Case::new(
        "cut-off-within-the-directory",
        shuffled,
        Expect::Read(vec![("damaged-archive", None, None)]),
    ));
    out
}
