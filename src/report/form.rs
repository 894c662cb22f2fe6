//! Unescaped text of an answer; only [`super::Answer`] turns it into a `Printable`.

use serde::Serialize;

use super::paint::Paint;
use crate::model::warning::Warning;

/// The forms of an answer.
pub trait Form: Serialize {
    /// What could not be read.
    fn warnings(&self) -> &[Warning];
    /// What is said in place of text and Markdown where the answer is empty.
    fn nothing(&self, _: Paint) -> Option<String> {
        None
    }
    /// For eyes.
    fn text(&self, paint: Paint) -> String;
    /// To be pasted into an issue, without the warnings.
    fn markdown(&self) -> String;
    /// As SARIF, for CI; only findings have such a form.
    fn sarif(&self) -> Option<String> {
        None
    }
    /// As JUnit's XML, for CI; only findings have such a form.
    fn junit(&self) -> Option<String> {
        None
    }
}
