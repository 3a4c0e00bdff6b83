//! Whether a count rose or fell, and how sure that is.
//!
//! Two counts over periods of the same length are compared exactly: given
//! their sum, the later one is binomial with one half where nothing changed
//! (Przyborowski and Wilenski, 1940). Many counts are compared at once, so the
//! probabilities are corrected (Holm, 1979): one report in a hundred may name
//! something that did not change.

/// Of reports without any change, at most this share names one.
pub const WRONG: f64 = 0.01;
/// The ratio that the interval must leave behind: less is no news.
pub const LEAST: f64 = 1.1;
/// Cases that a comparison needs, together.
pub const FEWEST: u64 = 10;

/// A comparison of two periods.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Earlier count.
    pub before: u64,
    /// Later count.
    pub now: u64,
    /// 95 % interval of the ratio of later to earlier; the upper end may be infinite.
    pub ratio: (f64, f64),
    /// The probability of such a difference, or a greater one, without a change.
    pub p: f64,
}

/// Compares two counts over periods of the same length.
#[must_use]
pub fn compare(before: u64, now: u64) -> Compared {
    let (a, b) = (now as f64, before as f64);
    let n = a + b;
    // Clopper and Pearson, 1934, on the later one's share.
    let low = if now == 0 { 0.0 } else { quantile(0.025, a, b + 1.0) };
    let high = if before == 0 { 1.0 } else { quantile(0.975, a + 1.0, b) };
    let odds = |share: f64| if share >= 1.0 { f64::INFINITY } else { share / (1.0 - share) };
    let least = a.min(b);
    let p = if n == 0.0 {
        1.0
    } else {
        // Both tails: P(X <= least) twice, since one half is symmetric.
        (2.0 * beta(n - least, least + 1.0, 0.5)).min(1.0)
    };
    Compared { before, now, ratio: (odds(low), odds(high)), p }
}

/// Which of the comparisons tell of a change: true where it does.
#[must_use]
pub fn changes(compared: &[Compared]) -> Vec<bool> {
    let tested: Vec<usize> = (0..compared.len())
        .filter(|at| compared[*at].before + compared[*at].now >= FEWEST)
        .collect();
    let mut order = tested.clone();
    order.sort_by(|x, y| compared[*x].p.total_cmp(&compared[*y].p));
    let mut out = vec![false; compared.len()];
    for (rank, at) in order.iter().enumerate() {
        let one = &compared[*at];
        if one.p * (tested.len() - rank) as f64 > WRONG {
            break;
        }
        out[*at] = one.ratio.0 > LEAST || one.ratio.1 < 1.0 / LEAST;
    }
    out
}

/// 95 % interval of a share (Clopper and Pearson), in parts of one.
#[must_use]
pub fn share(part: u64, whole: u64) -> (f64, f64) {
    let (k, n) = (part as f64, whole as f64);
    let low = if part == 0 { 0.0 } else { quantile(0.025, k, n - k + 1.0) };
    let high = if part >= whole { 1.0 } else { quantile(0.975, k + 1.0, n - k) };
    (low, high)
}

/// Where the incomplete beta function reaches `p`.
fn quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if beta(a, b, middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function, by its continued fraction
/// (Abramowitz and Stegun 26.5.8; Lentz' method).
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(b, a, 1.0 - x);
    }
    let front =
        (a * x.ln() + b * (1.0 - x).ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp() / a;
    let tiny = 1e-300;
    let clamp = |v: f64| if v.abs() < tiny { tiny } else { v };
    let (mut c, mut d) = (1.0, 1.0 / clamp(1.0 - (a + b) * x / (a + 1.0)));
    let mut f = d;
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for k in [even, odd] {
            d = 1.0 / clamp(1.0 + k * d);
            c = clamp(1.0 + k / c);
            step = c * d;
            f *= step;
        }
        if (step - 1.0).abs() < 1e-14 {
            break;
        }
    }
    front * f
}

/// Lanczos' approximation with g = 7, nine terms; 15 digits.
fn ln_gamma(x: f64) -> f64 {
    const G: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let series: f64 =
        G[0] + G[1..].iter().zip(1..).map(|(g, i)| g / (x + f64::from(i))).sum::<f64>();
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6 * b.abs().max(1e-3)
    }

    #[test]
    fn known_values() {
        // P(X <= 2) of 10 tosses is 56/1024; both tails, 112/1024.
        assert!(near(compare(8, 2).p, 112.0 / 1024.0));
        assert!(near(compare(2, 8).p, 112.0 / 1024.0));
        assert!(near(compare(0, 5).p, 2.0 / 32.0));
        // Clopper and Pearson's interval of 1 in 10 (their tables: 0.0025 to 0.4450).
        let (low, high) = share(1, 10);
        assert!((low - 0.002_53).abs() < 1e-5 && (high - 0.445_02).abs() < 1e-5, "{low} {high}");
        assert_eq!(share(0, 10).0, 0.0);
        assert_eq!(share(10, 10).1, 1.0);
    }

    #[test]
    fn two_cases_alarm_nobody_and_many_do() {
        let verdict = |pairs: &[(u64, u64)]| {
            changes(&pairs.iter().map(|(b, n)| compare(*b, *n)).collect::<Vec<_>>())
        };
        assert_eq!(verdict(&[(0, 2), (2, 0), (1, 3)]), [false, false, false]);
        assert_eq!(verdict(&[(0, 9)]), [false], "nine are too few");
        assert_eq!(verdict(&[(20, 60), (60, 20), (50, 55)]), [true, true, false]);
        // Sure, and no news: 4 % more of a million.
        assert_eq!(verdict(&[(500_000, 520_000)]), [false]);
        assert!(compare(500_000, 520_000).p < 1e-50);
    }

    #[test]
    fn without_a_change_hardly_ever_an_alarm() {
        // 20 counts a report, Poisson with mean 30, three hundred reports.
        let mut state = 7_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut poisson = || {
            let (mut n, mut p) = (0, 1.0);
            while p > (-30.0_f64).exp() {
                p *= random();
                n += 1;
            }
            n - 1
        };
        let alarms = (0..300)
            .filter(|_| {
                let all: Vec<Compared> = (0..20).map(|_| compare(poisson(), poisson())).collect();
                changes(&all).contains(&true)
            })
            .count();
        assert!(alarms <= 8, "{alarms} of 300 reports were wrong");
    }
}
