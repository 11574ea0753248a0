//! What counts as breaking.

use serde_json::{Value, json};

use super::breaking_changes;

fn example() -> Value {
    json!({
        "paths": {
            "/things": {
                "post": {
                    "operationId": "addThing",
                    "security": [{ "session": [] }, { "bearer": [] }],
                    "parameters": [{ "name": "limit", "in": "query", "schema": { "type": "integer", "maximum": 100 } }],
                    "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/New" } } } },
                    "responses": {
                        "200": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
                        "404": { "$ref": "#/components/responses/NotFound" },
                    },
                },
            },
        },
        "components": {
            "schemas": {
                "New": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": { "type": "string", "maxLength": 10 },
                        "any": {},
                        "color": { "type": ["string", "null"], "enum": ["red", "green"] },
                    },
                },
                "Problem": {
                    "type": "object",
                    "required": ["code"],
                    "properties": { "code": { "type": "string" } },
                },
                "Thing": {
                    "type": "object",
                    "required": ["id", "tags"],
                    "properties": {
                        "id": { "type": "string" },
                        "tags": { "type": "array", "items": { "type": "string", "enum": ["a", "b"] } },
                    },
                },
            },
            "responses": { "NotFound": { "content": { "application/problem+json": {} } } },
        },
    })
}

/// The example with the value at `pointer` replaced, or taken away.
fn with(pointer: &str, value: Option<Value>) -> Value {
    let mut changed = example();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    let name = name.replace("~1", "/");
    match value {
        Some(value) => drop(parent.insert(name, value)),
        None => drop(parent.remove(&name).unwrap()),
    }
    changed
}

const CALL: &str = "/paths/~1things/post";
const NEW: &str = "/components/schemas/New";
const PROBLEM: &str = "/components/schemas/Problem";
const THING: &str = "/components/schemas/Thing";

#[test]
fn additions_break_nothing() {
    let additions = [
        ("/paths/~1others".to_owned(), json!({ "get": {} })),
        (format!("{CALL}/summary"), json!("Other words")),
        (format!("{CALL}/deprecated"), json!(true)),
        (format!("{PROBLEM}/properties/hint"), json!({ "type": "string" })),
        (format!("{CALL}/parameters/0/schema/maximum"), json!(200)),
        (format!("{CALL}/responses/409"), json!({})),
        (format!("{CALL}/security"), json!([{ "key": [] }, { "session": [] }, { "bearer": [] }])),
        (format!("{NEW}/required"), json!([])),
        (format!("{NEW}/properties/note"), json!({ "type": "string" })),
        (format!("{NEW}/properties/name/maxLength"), json!(20)),
        (format!("{NEW}/properties/color/enum"), json!(["red", "green", "blue"])),
        (format!("{THING}/properties/size"), json!({ "type": "integer" })),
        (format!("{THING}/required"), json!(["id", "tags", "size"])),
    ];
    assert_eq!(breaking_changes(&example(), &example()), Vec::<String>::new());
    for (pointer, value) in additions {
        let mut changed = example();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[name.replace("~1", "/").as_str()] = value;
        assert_eq!(breaking_changes(&example(), &changed), Vec::<String>::new(), "{pointer}");
    }
}

/// Proves: S-118
#[test]
fn whatever_a_client_relies_on_stays() {
    let optional =
        json!([{ "name": "limit", "in": "query", "required": true, "schema": { "type": "integer", "maximum": 100 } }]);
    let in_path = json!([{ "name": "limit", "in": "path", "schema": { "type": "integer", "maximum": 100 } }]);
    for (pointer, value, expected) in [
        (format!("{CALL}/parameters"), Some(in_path), "POST /things ?limit: is somewhere else"),
        ("/paths/~1things".to_owned(), None, "POST /things: is gone"),
        (CALL.to_owned(), None, "POST /things: is gone"),
        (format!("{CALL}/parameters"), None, "POST /things ?limit: is gone"),
        (format!("{CALL}/parameters"), Some(optional), "POST /things: the parameter limit is now required"),
        (format!("{CALL}/security"), Some(json!([{ "bearer": [] }])), "POST /things: asks for another credential"),
        (format!("{CALL}/requestBody/required"), Some(json!(true)), "POST /things: a body is now required"),
        (
            format!("{CALL}/requestBody/content/application~1json"),
            None,
            "POST /things: no longer takes application/json",
        ),
        (format!("{CALL}/responses/200"), None, "POST /things: no longer answers 200"),
        (format!("{NEW}/required"), Some(json!(["name", "color"])), "POST /things /color: is now required"),
        (format!("{NEW}/properties/color"), None, "POST /things /color: is gone"),
        (format!("{NEW}/properties/color/enum"), Some(json!(["red"])), "POST /things /color: the value green is gone"),
        (format!("{NEW}/properties/color/type"), Some(json!("string")), "POST /things /color: has another type"),
        (format!("{NEW}/properties/name/maxLength"), Some(json!(9)), "POST /things /name: maxLength is tighter"),
        (format!("{NEW}/properties/name/minLength"), Some(json!(2)), "POST /things /name: minLength is tighter"),
        (format!("{NEW}/properties/name/pattern"), Some(json!("^a")), "POST /things /name: pattern is another"),
        (format!("{NEW}/additionalProperties"), Some(json!(false)), "POST /things: unknown fields are now refused"),
        (
            format!("{NEW}/properties/name/enum"),
            Some(json!(["a", "b"])),
            "POST /things /name: takes only some values now",
        ),
        (format!("{NEW}/properties/any/type"), Some(json!("string")), "POST /things /any: has another type"),
        (
            format!("{CALL}/operationId"),
            Some(json!("makeThing")),
            "POST /things: has another name in generated clients",
        ),
        (format!("{PROBLEM}/properties/code"), None, "Problem /code: is gone"),
        (format!("{PROBLEM}/required"), Some(json!([])), "Problem /code: may now be missing"),
        (format!("{THING}/properties/id"), None, "POST /things -> 200 /id: is gone"),
        (format!("{THING}/properties/id/type"), Some(json!("integer")), "POST /things -> 200 /id: has another type"),
        (format!("{THING}/required"), Some(json!(["id"])), "POST /things -> 200 /tags: may now be missing"),
        (
            format!("{THING}/properties/tags/items/enum"),
            Some(json!(["a"])),
            "POST /things -> 200 /tags []: the value b is gone",
        ),
        (
            "/components/responses/NotFound/content/application~1problem+json".to_owned(),
            None,
            "POST /things -> 404: no longer speaks application/problem+json",
        ),
    ] {
        assert_eq!(breaking_changes(&example(), &with(&pointer, value)), [expected], "{pointer}");
    }
}

/// The comparison looks at all of the real description: whatever is taken out of it is missed.
#[test]
fn nothing_can_be_taken_out_of_the_released_description_unseen() {
    let released = super::released();
    let mut taken = 0;
    let mut assert_missed = |pointer: &str, name: &str| {
        let mut changed = released.clone();
        changed.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        assert!(!breaking_changes(&released, &changed).is_empty(), "{pointer}/{name} is not missed");
        taken += 1;
    };
    for (path, item) in super::members(&released["paths"]) {
        assert_missed("/paths", path);
        let pointer = format!("/paths/{}", path.replace('/', "~1"));
        for (method, call) in super::members(item) {
            assert_missed(&pointer, method);
            let success = super::members(&call["responses"]).into_iter().filter(|(status, _)| status.starts_with('2'));
            for (status, _) in success {
                assert_missed(&format!("{pointer}/{method}/responses"), status);
            }
        }
    }
    for (name, schema) in super::members(&released["components"]["schemas"]) {
        for (property, _) in super::members(&schema["properties"]) {
            assert_missed(&format!("/components/schemas/{name}/properties"), property);
        }
    }
    assert!(taken > 100, "{taken}");
}
