//! What a current browser sends, for the requests that are to look like one.
//!
//! Filters refuse programs by their name, and let browsers pass: what a person's
//! browser meets is told by a request that a browser could have sent. Nothing is
//! hidden by it: `--dry-run` and the README say that it is sent, and why.
//!
//! **To renew** (browsers move on every few weeks; a filter for old ones takes years,
//! so once or twice a year is enough): start a current Chromium with `--headless=new
//! --user-agent=X` against a listener on 127.0.0.1 that prints what comes, and take
//! over its number and its headers, their order and case. Measured last with Chromium
//! 156; Chrome tells no more of its version than the first number, and always
//! Windows 10 (User-Agent reduction).

/// The `User-Agent` of Chrome on Windows.
pub const USER_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 \
                              (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";

/// The client hint that goes with it.
pub const SEC_CH_UA: &str = "\"Not:A-Brand\";v=\"8\", \"Chromium\";v=\"156\"";

/// What is asked for when a page is opened.
pub const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,\
                          image/avif,image/webp,image/apng,*/*;q=0.8,\
                          application/signed-exchange;v=b3;q=0.7";

/// `Accept-Language`.
pub const LANGUAGE: &str = "en-US,en;q=0.9";

/// `Accept-Encoding`; over plain HTTP without the newer two.
#[must_use]
pub fn encoding(secure: bool) -> &'static str {
    if secure { "gzip, deflate, br, zstd" } else { "gzip, deflate" }
}
