//! What to change so that it works, and the command that shows that it does.

use crate::Case;
use crate::part::Cure;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Remedy {
    cure: Option<Cure>,
}

impl Remedy {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let cure = case.main().and_then(|f| Some(Cure::new(case, f, f.remedy.as_ref()?)));
        Self { cure }
    }
}
