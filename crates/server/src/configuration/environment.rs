//! Settings from `DOORWARD_…` environment variables: `DOORWARD_LIMITS__SCALE` is `limits.scale`.

use figment::value::{Dict, Value};

use super::error::Problem;
use super::nearest::nearest;
use super::settings::{SETTINGS, Setting, Shape};

/// The place that problems are reported at.
pub(super) const PLACE: &str = "environment";

const PREFIX: &str = "DOORWARD_";

/// Names that others set: our own tests, and Kubernetes for a service called `doorward`.
fn is_foreign(variable: &str) -> bool {
    let rest = variable.strip_prefix(PREFIX).unwrap_or(variable);
    ["TEST_", "PORT", "SERVICE_HOST", "SERVICE_PORT"].iter().any(|prefix| rest.starts_with(prefix))
}

/// The settings among these variables, and those that name no setting.
pub(super) fn settings_in(
    variables: impl Iterator<Item = (String, String)>,
) -> (Vec<(&'static str, Value)>, Vec<Problem>) {
    let names: Vec<(String, &Setting)> = SETTINGS.iter().map(|setting| (setting.variable(), setting)).collect();
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (variable, text) in variables.filter(|(variable, _)| variable.starts_with(PREFIX)) {
        if let Some((_, setting)) = names.iter().find(|(name, _)| *name == variable) {
            found.push((setting.name, shaped(setting.shape, text)));
        } else if !is_foreign(&variable) {
            let near = nearest(&variable, names.iter().map(|(name, _)| name.as_str()));
            let fault = near.map_or_else(
                || "is not a setting".to_owned(),
                |near| format!("is not a setting; did you mean {near}?"),
            );
            problems.push(Problem { place: PLACE.to_owned(), name: variable, fault });
        }
    }
    (found, problems)
}

/// The text as a value of this shape; what does not fit stays a text and is refused by type later.
fn shaped(shape: Shape, text: String) -> Value {
    match shape {
        Shape::Text => Value::from(text),
        Shape::Boolean => text.trim().parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
        Shape::Number => {
            let whole = text.trim().parse::<i64>().ok().map(Value::from);
            let any = || text.trim().parse::<f64>().ok().map(Value::from);
            whole.or_else(any).unwrap_or_else(|| Value::from(text))
        }
        Shape::List => {
            let items: Vec<&str> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
            Value::from(items)
        }
    }
}

/// Puts a value under its dotted name.
pub(super) fn insert(into: &mut Dict, name: &str, value: Value) {
    match name.split_once('.') {
        None => {
            into.insert(name.to_owned(), value);
        }
        Some((table, rest)) => {
            let mut inner = match into.remove(table) {
                Some(Value::Dict(_, inner)) => inner,
                _ => Dict::new(),
            };
            insert(&mut inner, rest, value);
            into.insert(table.to_owned(), Value::from(inner));
        }
    }
}
