//! Results: one JSON object for programs, a table for people, or a document that is the same for both.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON object.
    Json,
    /// A table for people.
    Table,
}

/// What a command has to tell: fields, in order, and notes, which only people get.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Report {
    fields: Vec<(&'static str, Value)>,
    notes: Vec<&'static str>,
    document: Option<Value>,
}

impl Report {
    /// A report without fields.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A JSON document, to be pasted or kept as it is written.
    pub(crate) fn of_document(document: Value) -> Self {
        Self { document: Some(document), ..Self::default() }
    }

    /// Adds a field.
    #[must_use]
    pub(crate) fn field(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Adds a note.
    #[must_use]
    pub(crate) fn note(mut self, note: &'static str) -> Self {
        self.notes.push(note);
        self
    }

    /// Writes it, with a newline at the end.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub(crate) fn write(&self, format: Format, out: &mut impl Write) -> io::Result<()> {
        if let Some(document) = &self.document {
            serde_json::to_writer_pretty(&mut *out, document)?;
            writeln!(out)?;
            return out.flush();
        }
        match format {
            Format::Json => {
                serde_json::to_writer(&mut *out, self)?;
                writeln!(out)?;
            }
            Format::Table => {
                writeln!(out, "{}", self.table())?;
                for note in &self.notes {
                    writeln!(out, "{note}")?;
                }
            }
        }
        out.flush()
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        for (name, value) in &self.fields {
            add_rows(&mut table, name, value);
        }
        table
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields.iter().map(|(name, value)| (name, value)))
    }
}

/// One row per value; what lies inside an object has a dotted name, and what lies in a list of objects its
/// place, from 0, so that a table is as narrow as its longest value.
fn add_rows(table: &mut Table, name: &str, value: &Value) {
    let text = match value {
        Value::Object(fields) => {
            for (inner, value) in fields {
                add_rows(table, &format!("{name}.{inner}"), value);
            }
            return;
        }
        Value::Array(elements) if elements.iter().any(Value::is_object) => {
            for (place, element) in elements.iter().enumerate() {
                add_rows(table, &format!("{name}[{place}]"), element);
            }
            return;
        }
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    table.add_row([name, &text]);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(report: &Report, format: Format) -> String {
        let mut out = Vec::new();
        report.write(format, &mut out).expect("memory takes all");
        String::from_utf8(out).expect("text")
    }

    fn report() -> Report {
        Report::new()
            .field("org", "org_1")
            .field("customer", Value::Null)
            .field("billing", json!({"seats": {"basic": 3}, "status": "active"}))
            .note("A note.")
    }

    #[test]
    fn json_is_one_object_in_order_and_without_notes() {
        assert_eq!(
            written(&report(), Format::Json),
            "{\"org\":\"org_1\",\"customer\":null,\
             \"billing\":{\"seats\":{\"basic\":3},\"status\":\"active\"}}\n"
        );
    }

    #[test]
    fn a_document_is_written_as_it_is() {
        for format in [Format::Json, Format::Table] {
            let report = Report::of_document(json!({"a": [1]}));
            assert_eq!(written(&report, format), "{\n  \"a\": [\n    1\n  ]\n}\n");
        }
    }

    #[test]
    fn a_list_of_objects_has_a_row_per_value_too() {
        let lines = json!([{"id": "ii_1", "of": [1, 2]}, {"id": "ii_2"}]);
        let expected = "\
┌─────────────┬───────┐
│ lines[0].id ┆ ii_1  │
│ lines[0].of ┆ [1,2] │
│ lines[1].id ┆ ii_2  │
└─────────────┴───────┘
";
        assert_eq!(written(&Report::new().field("lines", lines), Format::Table), expected);
    }

    #[test]
    fn a_table_has_a_row_per_value_and_the_notes_below() {
        let expected = "\
┌─────────────────────┬────────┐
│ org                 ┆ org_1  │
│ customer            ┆ -      │
│ billing.seats.basic ┆ 3      │
│ billing.status      ┆ active │
└─────────────────────┴────────┘
A note.
";
        assert_eq!(written(&report(), Format::Table), expected);
    }
}
