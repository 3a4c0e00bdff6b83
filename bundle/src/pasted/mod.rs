//! Text that went through a terminal, a clipboard or a shell's `>`: what a
//! person can paste or save of a program's output.
//!
//! Makes plain lines of it: [`text`] undoes what terminals and editors do to
//! characters, [`lines`] what mail, chat and ticket programs put around lines,
//! [`straight`] what they do to quotes and dashes, [`after_prompt`] what shells
//! write before a command. What the lines say is for others: whoever reads
//! curl's output ([`curl`]), a configuration, a console's message.

mod around;
pub mod curl;

pub use around::{Line, after_prompt, lines, straight};

/// The text as lines that end in `\n`: UTF-16 (PowerShell's `>`) and byte order
/// marks understood, escape sequences (ECMA-48) and other controls gone,
/// backspaces applied, lone carriage returns (progress meters) as line ends,
/// no-break and zero-width spaces (chat programs, word processors) as a person
/// sees them.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    // As it mostly is.
    if bytes.iter().all(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~')) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let raw = decoded(bytes);
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => escape(&mut rest),
            '\u{9b}' => control_sequence(&mut rest),
            '\u{8}' => {
                if out.chars().next_back().is_some_and(|last| last != '\n') {
                    out.pop();
                }
            }
            '\r' => {
                // `\r\r\n` is what a text-mode copy makes of `\r\n`.
                while rest.peek() == Some(&'\r') {
                    rest.next();
                }
                if rest.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\u{a0}' | '\u{202f}' => out.push(' '),
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn decoded(bytes: &[u8]) -> String {
    let wide = |rest: &[u8], little: bool| {
        let units: Vec<u16> = rest
            .chunks_exact(2)
            .map(|two| {
                let pair = [two[0], two[1]];
                if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
            })
            .collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return wide(rest, true),
        [0xfe, 0xff, rest @ ..] => return wide(rest, false),
        _ => {}
    }
    // Without a mark: ASCII in UTF-16 has a zero in every other byte.
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|b| **b == 0).count();
    let pairs = bytes.len() / 2;
    if pairs >= 4 {
        match (zeros(0), zeros(1)) {
            (low, high) if high * 10 > pairs * 7 && low * 10 < pairs => return wide(bytes, true),
            (low, high) if low * 10 > pairs * 7 && high * 10 < pairs => return wide(bytes, false),
            _ => {}
        }
    }
    String::from_utf8_lossy(bytes).into_owned()
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// What follows ESC.
fn escape(rest: &mut Rest<'_>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            control_sequence(rest);
        }
        // A title, a link: until BEL or ESC \.
        Some(']' | 'P' | '_' | '^' | 'X') => {
            while let Some(c) = rest.next() {
                match c {
                    '\u{7}' | '\u{9c}' => return,
                    '\u{1b}' if rest.peek() == Some(&'\\') => {
                        rest.next();
                        return;
                    }
                    // Never ended: it must not swallow what follows.
                    '\n' => return,
                    _ => {}
                }
            }
        }
        Some('(' | ')' | '*' | '+' | '#' | '%') => {
            rest.next();
            rest.next();
        }
        Some(c) if !c.is_control() => {
            rest.next();
        }
        _ => {}
    }
}

/// Parameters and intermediates, up to the final byte.
fn control_sequence(rest: &mut Rest<'_>) {
    while let Some(c) = rest.peek().copied() {
        match c {
            '\u{20}'..='\u{3f}' => {
                rest.next();
            }
            '\u{40}'..='\u{7e}' => {
                rest.next();
                return;
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_come_out() {
        let wide = |text: &str, little: bool| -> Vec<u8> {
            text.encode_utf16()
                .flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() })
                .collect()
        };
        let plain = "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\n";
        let crlf = plain.replace('\n', "\r\n");
        for bytes in [
            plain.as_bytes().to_vec(),
            crlf.clone().into_bytes(),
            plain.replace('\n', "\r\r\n").into_bytes(),
            [b"\xef\xbb\xbf", plain.as_bytes()].concat(),
            [b"\xff\xfe".to_vec(), wide(&crlf, true)].concat(),
            [b"\xfe\xff".to_vec(), wide(&crlf, false)].concat(),
            wide(&crlf, true),
            wide(&crlf, false),
            "\u{1b}[1mHTTP/1.1\u{1b}[0m 101 Switching\u{a0}Protocols\n\u{1b}]0;a title\u{7}Upgrade: \
             \u{9b}32mweb\u{1b}(Bsocket\u{1b}[K\n"
                .into(),
            "HTTP/1.1 101 Switchinh\u{8}g Protocols\nUp\u{200b}grade: websocket\n\0".into(),
        ] {
            assert_eq!(text(&bytes), plain, "{:?}", String::from_utf8_lossy(&bytes));
        }
        assert_eq!(text(b"a\rb\r\nc"), "a\nb\nc");
        assert_eq!(text(b""), "");
        assert_eq!(text(b"\x1b]never ended\nkept"), "kept");
        assert_eq!(text(b"\x1b"), "");
        assert_eq!(text(&[0xff, 0xfe, 0x41]), "");
    }
}
