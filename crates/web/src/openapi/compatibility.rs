//! What a client of an older description would stumble over in a newer one.
//!
//! Within v1 only additions are made. A request may be asked for less and must not be asked for more; an answer may say
//! more and must not say less.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// How deep schemas are followed; ours are flatter, and one that refers to itself ends here.
const MAX_DEPTH: usize = 12;

/// Every breaking change from `old` to `new`, as sentences; empty when there is none.
pub(super) fn breaking_changes<'a>(old: &'a Value, new: &'a Value) -> Vec<String> {
    let mut changes = Changes { old, new, found: Vec::new() };
    // Every error has this form; which codes a call may answer is not compared, since a client that knows how to handle
    // an error does not miss it.
    let problem = |document: &'a Value| &document["components"]["schemas"]["Problem"];
    changes.compare("Problem", Direction::Answer, (problem(old), problem(new)), 0);
    for (path, old_item) in members(&old["paths"]) {
        for (method, old_call) in members(old_item) {
            let place = format!("{} {path}", method.to_uppercase());
            let new_call = &new["paths"][path][method];
            if new_call.is_null() {
                changes.find(&place, "is gone");
            } else {
                changes.compare_call(&place, old_call, new_call);
            }
        }
    }
    changes.found
}

/// Who reads a schema's values, which turns what is harmless.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// The server reads: it may take more than before.
    Request,
    /// The client reads: it may get more fields than before.
    Answer,
}

struct Changes<'a> {
    old: &'a Value,
    new: &'a Value,
    found: Vec<String>,
}

impl<'a> Changes<'a> {
    fn find(&mut self, place: &str, what: &str) {
        self.found.push(format!("{place}: {what}"));
    }

    fn compare_call(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        if old["operationId"] != new["operationId"] {
            self.find(place, "has another name in generated clients");
        }
        self.compare_parameters(place, old, new);
        self.compare_bodies(place, old, new);
        for (status, old_response) in members(&old["responses"]) {
            let new_response = resolve(self.new, &new["responses"][status]);
            let old_response = resolve(self.old, old_response);
            if new_response.is_null() {
                if status.starts_with('2') {
                    self.find(place, &format!("no longer answers {status}"));
                }
                continue;
            }
            let place = format!("{place} -> {status}");
            for (media_type, old_content) in members(&old_response["content"]) {
                let new_content = &new_response["content"][media_type];
                if new_content.is_null() {
                    self.find(&place, &format!("no longer speaks {media_type}"));
                } else if status.starts_with('2') {
                    self.compare(&place, Direction::Answer, (&old_content["schema"], &new_content["schema"]), 0);
                }
            }
        }
        if old["security"] != new["security"]
            && !alternatives(&old["security"]).is_subset(&alternatives(&new["security"]))
        {
            self.find(place, "asks for another credential");
        }
    }

    fn compare_parameters(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        let (known, offered) = (parameters(old), parameters(new));
        for (name, parameter) in &offered {
            let was_required = known.get(name).is_some_and(|known| known["required"] == true);
            if parameter["required"] == true && !was_required {
                self.find(place, &format!("the parameter {name} is now required"));
            }
        }
        for (name, parameter) in known {
            let place = format!("{place} ?{name}");
            match offered.get(name) {
                Some(now) if now["in"] != parameter["in"] => self.find(&place, "is somewhere else"),
                Some(now) => self.compare(&place, Direction::Request, (&parameter["schema"], &now["schema"]), 0),
                None => self.find(&place, "is gone"),
            }
        }
    }

    fn compare_bodies(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        let (old, new) = (&old["requestBody"], &new["requestBody"]);
        if new["required"] == true && old["required"] != true {
            self.find(place, "a body is now required");
        }
        for (media_type, old_content) in members(&old["content"]) {
            let new_content = &new["content"][media_type];
            if new_content.is_null() {
                self.find(place, &format!("no longer takes {media_type}"));
            } else {
                self.compare(place, Direction::Request, (&old_content["schema"], &new_content["schema"]), 0);
            }
        }
    }

    fn compare(&mut self, place: &str, direction: Direction, (old, new): (&'a Value, &'a Value), depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        self.compare_values(place, direction, old, new);
        for (name, old_property) in members(&old["properties"]) {
            let place = format!("{place} /{name}");
            let new_property = &new["properties"][name];
            if new_property.is_null() {
                self.find(&place, "is gone");
            } else {
                self.compare(&place, direction, (old_property, new_property), depth + 1);
            }
        }
        let (was_required, is_required) = (texts(&old["required"]), texts(&new["required"]));
        let (less, more) = match direction {
            Direction::Request => (&was_required, &is_required),
            Direction::Answer => (&is_required, &was_required),
        };
        for name in more.difference(less) {
            let what = if direction == Direction::Request { "is now required" } else { "may now be missing" };
            self.find(&format!("{place} /{name}"), what);
        }
        if !old["items"].is_null() {
            self.compare(&format!("{place} []"), direction, (&old["items"], &new["items"]), depth + 1);
        }
        for kind in ["oneOf", "anyOf", "allOf"] {
            let (known, offered) = (list(&old[kind]), list(&new[kind]));
            if known.len() > offered.len() {
                self.find(place, &format!("has fewer alternatives ({kind})"));
            }
            for (number, pair) in known.iter().zip(offered).enumerate() {
                self.compare(&format!("{place} {kind}{number}"), direction, (pair.0, pair.1), depth + 1);
            }
        }
    }

    /// Types, lists of values and bounds of one schema.
    fn compare_values(&mut self, place: &str, direction: Direction, old: &Value, new: &Value) {
        let (was, is) = (texts(&old["type"]), texts(&new["type"]));
        let (narrow, wide) = if direction == Direction::Request { (&was, &is) } else { (&is, &was) };
        // Without a type everything is allowed.
        if !wide.is_empty() && (narrow.is_empty() || !narrow.is_subset(wide)) {
            self.find(place, "has another type");
        }
        let (was, is) = (texts(&old["enum"]), texts(&new["enum"]));
        if direction == Direction::Request && was.is_empty() && !is.is_empty() {
            self.find(place, "takes only some values now");
        }
        if let Some(value) = was.difference(&is).next().filter(|_| !is.is_empty() || direction == Direction::Answer) {
            self.find(place, &format!("the value {value} is gone"));
        }
        if direction == Direction::Request {
            for (bound, is_tighter) in BOUNDS {
                if is_tighter(old[bound].as_f64(), new[bound].as_f64()) {
                    self.find(place, &format!("{bound} is tighter"));
                }
            }
            if new["additionalProperties"] == false && old["additionalProperties"] != false && old["type"] == "object" {
                self.find(place, "unknown fields are now refused");
            }
        }
        for word in ["pattern", "format"] {
            if !new[word].is_null() && old[word] != new[word] && direction == Direction::Request {
                self.find(place, &format!("{word} is another"));
            }
        }
    }
}

type Tighter = fn(Option<f64>, Option<f64>) -> bool;

const BOUNDS: [(&str, Tighter); 6] = [
    ("maxLength", falls),
    ("maximum", falls),
    ("maxItems", falls),
    ("minLength", rises),
    ("minimum", rises),
    ("minItems", rises),
];

fn falls(old: Option<f64>, new: Option<f64>) -> bool {
    new.is_some_and(|new| old.is_none_or(|old| new < old))
}

fn rises(old: Option<f64>, new: Option<f64>) -> bool {
    new.is_some_and(|new| old.is_none_or(|old| new > old))
}

/// What a reference stands for, else the value itself.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text or a list of texts as a set.
fn texts(value: &Value) -> BTreeSet<&str> {
    value.as_str().into_iter().chain(list(value).iter().filter_map(Value::as_str)).collect()
}

fn parameters(call: &Value) -> BTreeMap<&str, &Value> {
    list(&call["parameters"]).iter().filter_map(|parameter| Some((parameter["name"].as_str()?, parameter))).collect()
}

/// The alternatives of a security requirement; none at all is the one that needs nothing.
fn alternatives(security: &Value) -> BTreeSet<String> {
    let listed: BTreeSet<String> = list(security).iter().map(Value::to_string).collect();
    if listed.is_empty() { BTreeSet::from(["{}".to_owned()]) } else { listed }
}
