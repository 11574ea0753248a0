//! What counts as breaking.

use serde_json::{Value, json};

use super::breaking_changes;

fn example() -> Value {
    json!({
        "paths": {
            "/things": {
                "post": {
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
                        "color": { "type": ["string", "null"], "enum": ["red", "green"] },
                    },
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
const THING: &str = "/components/schemas/Thing";

#[test]
fn additions_break_nothing() {
    let additions = [
        ("/paths/~1others".to_owned(), json!({ "get": {} })),
        (format!("{CALL}/summary"), json!("Other words")),
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

#[test]
fn whatever_a_client_relies_on_stays() {
    let optional = json!([{ "name": "limit", "required": true, "schema": { "type": "integer", "maximum": 100 } }]);
    for (pointer, value, expected) in [
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
