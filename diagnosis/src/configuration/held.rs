//! Conditions of which a part may be unknown: whether one holds, or what it hangs on that
//! the files do not tell. Joined by `&&`, `||`, `!` and parentheses they are read in one
//! place, whatever the language of what they join.

/// Whether a condition holds; else what is not known of it.
pub(crate) type Holds = Result<bool, String>;

/// One that holds is enough, whatever is not known of the other.
pub(crate) fn or(one: Holds, other: Holds) -> Holds {
    match (one, other) {
        (Ok(true), _) | (_, Ok(true)) => Ok(true),
        (Ok(_), Ok(_)) => Ok(false),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

/// One that does not hold is enough, whatever is not known of the other.
pub(crate) fn and(one: Holds, other: Holds) -> Holds {
    match (one, other) {
        (Ok(false), _) | (_, Ok(false)) => Ok(false),
        (Ok(_), Ok(_)) => Ok(true),
        (Err(why), _) | (_, Err(why)) => Err(why),
    }
}

/// Deepest nesting.
const DEPTH: usize = 60;

/// A reader of a language whose conditions are joined by these signs.
pub(crate) trait Joined {
    /// Steps over a sign, where it is what comes next.
    fn sign(&mut self, sign: &str) -> bool;

    /// A condition without any of them.
    fn single(&mut self) -> Holds;

    /// What is not understood: nothing of it is read any more.
    fn lost(&mut self) -> Holds;
}

/// Reads a condition.
pub(crate) fn joined(reader: &mut impl Joined) -> Holds {
    either(reader, 0)
}

fn either(reader: &mut impl Joined, depth: usize) -> Holds {
    let mut held = both(reader, depth);
    while reader.sign("||") {
        let other = both(reader, depth);
        held = or(held, other);
    }
    held
}

fn both(reader: &mut impl Joined, depth: usize) -> Holds {
    let mut held = one(reader, depth);
    while reader.sign("&&") {
        let other = one(reader, depth);
        held = and(held, other);
    }
    held
}

fn one(reader: &mut impl Joined, depth: usize) -> Holds {
    if depth > DEPTH {
        return reader.lost();
    }
    if reader.sign("!") {
        return one(reader, depth + 1).map(|held| !held);
    }
    if !reader.sign("(") {
        return reader.single();
    }
    let held = either(reader, depth + 1);
    if reader.sign(")") { held } else { reader.lost() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_decides() {
        let unknown = || Err("a header".to_owned());
        assert_eq!((or(unknown(), Ok(true)), and(unknown(), Ok(false))), (Ok(true), Ok(false)));
        assert_eq!((or(unknown(), Ok(false)), and(Ok(true), unknown())), (unknown(), unknown()));
        assert_eq!((or(Ok(false), Ok(false)), and(Ok(true), Ok(true))), (Ok(false), Ok(true)));
    }
}
