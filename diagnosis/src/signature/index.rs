//! Which signs may fit what was seen: all that do, and few that do not.
//!
//! A response has a dozen headers and a page, and of some 260 signs two or three
//! fit it. Headers lead to the signs that ask for their name, and where many
//! bundles are judged (`fast`) a page is read once for the literals of all
//! patterns together.

use super::Signature;
use super::bodies::Bodies;
use super::need::Name;
use super::sign::{Look, Seen, Sign, cut};

/// Names of headers that are longer are compared with all.
const LENGTHS: usize = 48;

/// Where a sign is.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// The signature's place among all.
    pub(super) signature: usize,
    /// The sign's own in it.
    pub(super) sign: usize,
}

/// Signs by what they look at.
#[derive(Debug, Clone)]
pub(super) struct Index {
    signs: Vec<At>,
    /// Each name of a header once, with the signs that ask for it.
    headers: Vec<(Name, Vec<usize>)>,
    /// Places in `headers` for each length of a name.
    by_length: Vec<Vec<usize>>,
    bodies: Bodies,
    cookies: Vec<usize>,
    /// Signs of other parts of a response.
    heads: Vec<usize>,
    certificates: Vec<usize>,
    cnames: Vec<usize>,
    ptrs: Vec<usize>,
}

/// Numbers of signs, each once.
pub(super) struct Found(Vec<u64>);

impl Found {
    fn new(signs: usize) -> Self {
        Self(vec![0; signs.div_ceil(64)])
    }

    pub(super) fn add(&mut self, number: usize) {
        if let Some(bits) = self.0.get_mut(number / 64) {
            *bits |= 1 << (number % 64);
        }
    }

    /// In order.
    fn numbers(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(at, mut bits)| {
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit as usize)
            })
        })
    }
}

impl Index {
    pub(super) fn new(all: &[Signature]) -> Self {
        let mut index = Self {
            signs: Vec::new(),
            headers: Vec::new(),
            by_length: Vec::new(),
            bodies: Bodies::new(&[]),
            cookies: Vec::new(),
            heads: Vec::new(),
            certificates: Vec::new(),
            cnames: Vec::new(),
            ptrs: Vec::new(),
        };
        let mut bodies = Vec::new();
        for (at, signature) in all.iter().enumerate() {
            for (own, sign) in signature.signs.iter().enumerate() {
                let number = index.signs.len();
                index.signs.push(At { signature: at, sign: own });
                match &sign.look {
                    Look::Header { name, .. } => index.header(name, number),
                    Look::Body { regex, .. } => bodies.push((number, regex)),
                    Look::Cookie(_) => index.cookies.push(number),
                    Look::Shape101(_) | Look::LowerCase { .. } | Look::Reason(_) => {
                        index.heads.push(number);
                    }
                    Look::Certificate { .. } => index.certificates.push(number),
                    Look::Cname(_) => index.cnames.push(number),
                    Look::Ptr(_) => index.ptrs.push(number),
                }
            }
        }
        index.bodies = Bodies::new(&bodies);
        let of = |length| {
            let names = index.headers.iter().enumerate();
            names.filter(|(_, (name, _))| name.may_have(length)).map(|(at, _)| at).collect()
        };
        index.by_length = (0..LENGTHS).map(of).collect();
        index
    }

    fn header(&mut self, name: &Name, number: usize) {
        let same =
            |known: &&mut (Name, Vec<usize>)| known.0.as_str().eq_ignore_ascii_case(name.as_str());
        match self.headers.iter_mut().find(same) {
            Some((_, signs)) => signs.push(number),
            None => self.headers.push((name.clone(), vec![number])),
        }
    }

    /// Signs that ask for a header, by its name.
    fn asked(&self, name: &str) -> impl Iterator<Item = &[usize]> {
        // Case beyond ASCII may change the length.
        let places = self.by_length.get(name.len()).filter(|_| name.is_ascii());
        let all = if places.is_none() { &self.headers[..] } else { &[] };
        let some = places.into_iter().flatten().filter_map(|at| self.headers.get(*at));
        some.chain(all).filter(|(own, _)| own.is_match(name)).map(|(_, signs)| &signs[..])
    }

    /// Signs that may fit a response, in their order.
    pub(super) fn response<'a>(
        &'a self,
        all: &'a [Signature],
        seen: &Seen<'_>,
    ) -> impl Iterator<Item = At> + 'a {
        let mut found = Found::new(self.signs.len());
        let may = |number: usize, value: &str| {
            self.sign(all, number).and_then(Sign::pattern).is_none_or(|pattern| pattern.may(value))
        };
        for (name, value) in seen.headers() {
            let value = cut(value);
            for signs in self.asked(name) {
                signs.iter().filter(|n| may(**n, value)).for_each(|n| found.add(*n));
            }
            if name.eq_ignore_ascii_case("set-cookie") {
                self.cookies.iter().filter(|n| may(**n, value)).for_each(|n| found.add(*n));
            }
        }
        self.heads.iter().for_each(|number| found.add(*number));
        self.bodies.find(seen.body(), &mut found);
        found.numbers().filter_map(|number| self.signs.get(number).copied())
    }

    pub(super) fn certificate(&self) -> impl Iterator<Item = At> + '_ {
        self.at(&self.certificates)
    }

    pub(super) fn cname(&self) -> impl Iterator<Item = At> + '_ {
        self.at(&self.cnames)
    }

    pub(super) fn ptr(&self) -> impl Iterator<Item = At> + '_ {
        self.at(&self.ptrs)
    }

    /// Every sign, in order.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = At> + '_ {
        self.signs.iter().copied()
    }

    fn at<'a>(&'a self, numbers: &'a [usize]) -> impl Iterator<Item = At> + 'a {
        numbers.iter().filter_map(|number| self.signs.get(*number).copied())
    }

    fn sign<'a>(&self, all: &'a [Signature], number: usize) -> Option<&'a Sign> {
        let at = self.signs.get(number)?;
        all.get(at.signature)?.signs.get(at.sign)
    }
}
