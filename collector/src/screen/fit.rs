//! Text that fits a terminal. Widths are counted in characters: what is shown
//! are ASCII host names and the program's own words.

/// The terminal's columns. `None` where there is no terminal, and with it no limit.
pub(super) fn columns() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// Breaks at blanks, so that no line is wider than `width`; every line after
/// the first begins with `indent` blanks. A word that is too long stays whole,
/// so that it can be copied.
pub(crate) fn wrapped(text: &str, indent: usize, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for (number, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if number > 0 && column + 1 + length > width && column > indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if number > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// At most `width` characters: of a longer text the beginning and the end,
/// since a proxy's name ends in its port.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let tail = width.saturating_sub(1) / 2;
    let head = width.saturating_sub(1 + tail);
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{begin}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_the_terminal() {
        let text = "one two three four-and-a-very-long-word five six";
        let out = wrapped(text, 2, Some(12));
        assert_eq!(out, "one two\n  three\n  four-and-a-very-long-word\n  five six");
        assert_eq!(wrapped(text, 2, None), text);
        assert_eq!(wrapped("  - indented already", 4, Some(14)), "  - indented\n    already");
    }

    #[test]
    fn names_keep_their_ends() {
        assert_eq!(shortened("proxy http://a:80", 40), "proxy http://a:80");
        let short = shortened("http://proxy-with-a-long-name.corp.example:3128", 20);
        assert_eq!((short.chars().count(), short.ends_with("ple:3128")), (20, true), "{short}");
        assert_eq!(shortened("abc", 0).chars().count(), 1);
    }
}
