//! Whatever is handed over: nothing panics, and what is clean stays as it is.

use super::*;
use proptest::prelude::*;

/// Bytes as people's programs make them, and some that none makes.
pub(super) fn handed_over() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        "[ -~\u{a0}\u{201c}\u{2013}\r\n]{0,12}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const PIECES: &[&str] = &[
    "> ",
    ">> ",
    "| ",
    "> > ",
    "```\n",
    "{code}\n",
    "`",
    "\n",
    "\r\n",
    "\n\n",
    "$ ",
    "PS C:\\> ",
    "C:\\>",
    "\u{1b}[1m",
    "\u{feff}",
    "\\\n",
    "^\n",
];

proptest! {
    #[test]
    fn cleaning_twice_is_cleaning_once(bytes in handed_over()) {
        let once = text(&bytes);
        prop_assert_eq!(&text(once.as_bytes()), &once);
        let joined: String = lines(&once).iter().map(|l| format!("{}\n", l.text)).collect();
        let again: String = lines(&joined).iter().map(|l| format!("{}\n", l.text)).collect();
        prop_assert_eq!(again, joined);
    }

    #[test]
    fn a_line_is_a_part_of_the_line_that_it_names(bytes in handed_over()) {
        let whole = text(&bytes);
        let all: Vec<&str> = whole.lines().collect();
        for line in lines(&whole) {
            prop_assert_eq!(all[line.number - 1].get(line.start..line.start + line.text.len()), Some(line.text));
            let _ = (after_prompt(line.text), straight(line.text));
        }
    }
}
