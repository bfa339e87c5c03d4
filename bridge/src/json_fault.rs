//! Where JSON went wrong, without what it said.

use serde_json::error::Category;

/// An error of reading JSON. serde_json's own error repeats the offending value, which may be what a customer wrote; this one
/// keeps the kind of the error and its place only, so that it can be logged with all its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{} at line {line}, column {column}", kind_of(*category))]
pub struct JsonFault {
    category: Category,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        Self {
            category: error.classify(),
            line: error.line(),
            column: error.column(),
        }
    }
}

fn kind_of(category: Category) -> &'static str {
    match category {
        Category::Io => "the text could not be read",
        Category::Syntax => "no JSON",
        Category::Data => "a field is absent or of another type",
        Category::Eof => "the JSON ends too early",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_place_are_told_and_not_the_value() {
        let another_type = "a field is absent or of another type at line 1, column 17";
        for (text, told) in [
            ("\"my secret words\"", another_type),
            ("x", "no JSON at line 1, column 1"),
            ("", "the JSON ends too early at line 1, column 0"),
        ] {
            let error = serde_json::from_str::<u32>(text).expect_err("no number");
            let fault = JsonFault::from(error);
            assert_eq!(fault.to_string(), told);
            assert!(!format!("{fault:?}").contains("secret"));
        }
    }
}
