//! What was recorded, and what was not.

use super::form::Form;
use super::paint::{Paint, Style};
use crate::model::warning::Warning;
use crate::source::record::RecordReport;

impl Form for RecordReport {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        paint.paint(Style::Plain, &self.to_string())
    }

    fn markdown(&self) -> String {
        Paint::Plain.paint(Style::Plain, &self.to_string()) + "\n"
    }
}
