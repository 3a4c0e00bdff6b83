//! Conditions of which a part may be unknown: whether one holds, or what it hangs on that
//! the files do not tell.

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
