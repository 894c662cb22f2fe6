//! Findings that a person does not want to be told of: `CODE`, or `CODE:OBJECT`.

use std::str::FromStr;

use super::{Finding, RULES};
use crate::model::ids::ObjectName;

/// One `--ignore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    code: String,
    /// `namespace/name` or `kind/namespace/name`, in lower case; None is every object.
    object: Option<String>,
}

impl Ignore {
    /// Whether it is meant by this.
    pub fn covers(&self, finding: &Finding) -> bool {
        let object = &finding.object;
        let name = ObjectName::new(object.namespace.as_str(), object.name.as_str()).to_string();
        let is_it = |wanted: &String| *wanted == name || *wanted == format!("{}/{name}", object.kind.to_lowercase());
        self.code == finding.code && self.object.as_ref().is_none_or(is_it)
    }
}

impl FromStr for Ignore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (code, object) = text.split_once(':').map_or((text, None), |(code, object)| (code, Some(object)));
        if !RULES.iter().any(|rule| rule.code == code) {
            let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
            return Err(format!("there is no finding {code}; there is {}", codes.join(", ")));
        }
        // Names of Kubernetes are in lower case, kinds are not.
        Ok(Self { code: code.to_owned(), object: object.map(str::to_lowercase) })
    }
}
