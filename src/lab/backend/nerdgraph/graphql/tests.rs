//! GraphQL on a small schema: what is answered, and every refusal in its words.

use serde_json::{Map, Value as Json, json};

use super::document::DEEPEST;
use super::run::MOST_BYTES;
use super::{Fault, Posted, Resolve, Schema, answer};

const SCHEMA: &str = "
interface Animal { name: String }
type Dog implements Animal { name: String friend: Animal tricks: [String!] }
type Cat implements Animal { name: String lives: Int! }
type RootQueryType {
  pets(kind: Kind limit: Int = 2): [Animal]
  dog(id: ID!): Dog
  echo(number: Int list: [Float!] wish: Wish free: Anything): Anything
}
type RootMutationType { feed(what: String!): String }
input Wish { word: String! more: Wish times: Int = 1 flag: Boolean }
enum Kind { DOG CAT }
scalar Anything
";

struct Pets;

impl Resolve for Pets {
    fn field(&mut self, on: &str, _: &Json, name: &str, arguments: &Map<String, Json>) -> Result<Option<Json>, Fault> {
        let dog = json!({ "__typename": "Dog", "name": "Rex", "tricks": ["sit", "roll"] });
        let cat = json!({ "__typename": "Cat", "name": "Tom", "lives": 9 });
        Ok(Some(match (on, name) {
            ("RootQueryType", "pets") => {
                let limit = arguments.get("limit").and_then(Json::as_u64).unwrap_or(0);
                [dog, cat].into_iter().take(usize::try_from(limit).unwrap_or(0)).collect()
            }
            ("RootQueryType", "dog") if arguments["id"] == "0" => return Err(Fault::of("NOT_FOUND", "no such dog")),
            ("RootQueryType", "dog") => json!({ "name": arguments["id"], "friend": cat }),
            ("RootQueryType", _) => Json::Object(arguments.clone()),
            ("RootMutationType", _) => arguments["what"].clone(),
            _ => return Ok(None),
        }))
    }
}

fn ask_as(query: &str, variables: &Json, operation: Option<&str>) -> Json {
    let schema = Schema::read(SCHEMA).unwrap();
    let posted: Posted =
        serde_json::from_value(json!({ "query": query, "variables": variables, "operationName": operation })).unwrap();
    answer(&schema, posted, &mut Pets)
}

fn ask(query: &str, variables: &Json) -> Json {
    ask_as(query, variables, None)
}

#[test]
fn aliases_fragments_directives_and_lists_are_answered_in_the_order_asked() {
    for (label, query, variables, data) in [
        ("plain", "{ dog(id: 7) { name } }", json!({}), json!({ "dog": { "name": "7" } })),
        (
            "alias",
            r#"{ a: dog(id: "x") { n: name } b: dog(id: "y") { name } }"#,
            json!({}),
            json!({ "a": { "n": "x" }, "b": { "name": "y" } }),
        ),
        (
            "types of an interface",
            "{ pets { __typename name ... on Dog { tricks } ...cat } } fragment cat on Cat { lives }",
            json!({}),
            json!({ "pets": [{ "__typename": "Dog", "name": "Rex", "tricks": ["sit", "roll"] }, { "__typename": "Cat", "name": "Tom", "lives": 9 }] }),
        ),
        (
            "equal names are one",
            "{ dog(id: 1) { name } dog(id: 1) { friend { name } } }",
            json!({}),
            json!({ "dog": { "name": "1", "friend": { "name": "Tom" } } }),
        ),
        ("default of an argument", "{ pets { name } }", json!({}), json!({ "pets": [{ "name": "Rex" }, { "name": "Tom" }] })),
        (
            "default of a variable",
            "query Q($n: Int = 1) { pets(limit: $n) { name } }",
            json!({}),
            json!({ "pets": [{ "name": "Rex" }] }),
        ),
        (
            "a variable over its default",
            "query Q($n: Int = 1) { pets(limit: $n) { name } }",
            json!({ "n": 0 }),
            json!({ "pets": [] }),
        ),
        (
            "directives",
            "query Q($y: Boolean!) { pets(limit: 1) { name @skip(if: $y) __typename @include(if: $y) } }",
            json!({ "y": true }),
            json!({ "pets": [{ "__typename": "Dog" }] }),
        ),
        ("mutation", "mutation { feed(what: \"\"\"\n    a\n      b\n    \"\"\") }", json!({}), json!({ "feed": "a\n  b" })),
        ("texts", r#"mutation { feed(what: "a\u00e4\ud83d\ude00\n\"") }"#, json!({}), json!({ "feed": "aä😀\n\"" })),
        ("comments and commas", "{ # note }\n pets(limit: 1,,) { name, } }", json!({}), json!({ "pets": [{ "name": "Rex" }] })),
        (
            "inputs get their defaults, what is left out stays out",
            "query Q($w: String!, $none: Int) { echo(number: $none, list: 1, wish: { word: $w, flag: null }, free: { a: [$w, ONE] }) }",
            json!({ "w": "hi" }),
            json!({ "echo": { "list": [1], "wish": { "word": "hi", "times": 1, "flag": null }, "free": { "a": ["hi", "ONE"] } } }),
        ),
        (
            "inputs in variables",
            "query Q($wish: Wish, $kind: Kind) { echo(wish: $wish) pets(kind: $kind, limit: 0) { name } }",
            json!({ "wish": { "word": "a", "more": { "word": "b" } }, "kind": "CAT" }),
            json!({ "echo": { "wish": { "word": "a", "times": 1, "more": { "word": "b", "times": 1 } } }, "pets": [] }),
        ),
    ] {
        assert_eq!(ask(query, &variables), json!({ "data": data }), "{label}");
    }
    let other =
        "query A { pets(limit: 0) { name } } query B($id: ID!) { ...f } fragment f on RootQueryType { dog(id: $id) { name } }";
    assert_eq!(
        ask_as(other, &json!({}), Some("A")),
        json!({ "data": { "pets": [] } }),
        "what another operation needs is not asked for"
    );
    let two = "query A { a: pets(limit: 0) { name } } query B { b: pets(limit: 0) { name } }";
    assert_eq!(ask_as(two, &json!({}), Some("B")), json!({ "data": { "b": [] } }));
}

#[test]
fn a_field_that_fails_is_null_and_names_its_class_its_place_and_its_path() {
    assert_eq!(
        ask("{ a: dog(id: 0) { name }\n b: dog(id: 1) { name } }", &json!({})),
        json!({ "data": { "a": null, "b": { "name": "1" } }, "errors": [
            { "message": "no such dog", "path": ["a"], "locations": [{ "line": 1, "column": 3 }], "extensions": { "errorClass": "NOT_FOUND" } },
        ] })
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of refusals")]
fn what_is_wrong_is_refused_in_these_words_and_nothing_runs() {
    let deep = format!("{{ {}name{} }}", "... on RootQueryType { ".repeat(DEEPEST), " }".repeat(DEEPEST));
    let spread: String =
        (0..60).map(|at| format!("fragment f{at} on RootQueryType {{ ...f{} }} ", at + 1)).collect::<Vec<_>>().concat();
    let chain = format!("{{ ...f0 }} {spread} fragment f60 on RootQueryType {{ pets {{ name }} }}");
    for (label, query, variables, message) in [
        ("cut", "{ pets {", json!({}), "syntax error before: \"\""),
        ("a stray sign", "{ pets ; }", json!({}), "syntax error before: \";\""),
        ("an open text", "{ dog(id: \"a) { name } }", json!({}), "syntax error before: \"\\\"\""),
        ("an empty selection", "{ }", json!({}), "syntax error before: \"\""),
        ("a subscription", "subscription { pets { name } }", json!({}), "syntax error before: \"subscription\""),
        ("a number", "{ dog(id: 1x) { name } }", json!({}), "syntax error before: \"1x\""),
        ("nothing", "", json!({}), "No operations provided."),
        (
            "two operations",
            "query A { pets { name } } query B { pets { name } }",
            json!({}),
            "Must provide a valid operation name if query contains multiple operations.",
        ),
        ("field", "{ shoeSize }", json!({}), "Cannot query field \"shoeSize\" on type \"RootQueryType\"."),
        ("field of an interface", "{ pets { lives } }", json!({}), "Cannot query field \"lives\" on type \"Animal\"."),
        (
            "no selection",
            "{ pets }",
            json!({}),
            "Field \"pets\" of type \"[Animal]\" must have a selection of subfields. Did you mean \"pets { ... }\"?",
        ),
        (
            "selection of a leaf",
            "{ pets { name { x } } }",
            json!({}),
            "Field \"name\" must not have a selection since type \"String\" has no subfields.",
        ),
        (
            "argument",
            "{ pets(size: 1) { name } }",
            json!({}),
            "Unknown argument \"size\" on field \"pets\" of type \"RootQueryType\".",
        ),
        ("argument left out", "{ dog { name } }", json!({}), "In argument \"id\": Expected type \"ID!\", found null."),
        ("argument null", "{ dog(id: null) { name } }", json!({}), "Argument \"id\" has invalid value null."),
        ("argument of another type", "{ pets(limit: \"2\") { name } }", json!({}), "Argument \"limit\" has invalid value \"2\"."),
        ("word of an enum", "{ pets(kind: COW) { name } }", json!({}), "Argument \"kind\" has invalid value COW."),
        ("text for an enum", "{ pets(kind: \"CAT\") { name } }", json!({}), "Argument \"kind\" has invalid value \"CAT\"."),
        (
            "fields of an input",
            "{ echo(wish: { wort: \"a\" }) }",
            json!({}),
            "Argument \"wish\" has invalid value {wort: \"a\"}.\nIn field \"wort\": Unknown field.\nIn field \"word\": Expected type \"String!\", found null.",
        ),
        (
            "items of a list",
            "{ echo(list: [1, \"a\"]) }",
            json!({}),
            "Argument \"list\" has invalid value [1, \"a\"].\nIn element #2: Expected type \"Float!\", found \"a\".",
        ),
        (
            "variable left out",
            "query Q($id: ID!) { dog(id: $id) { name } }",
            json!({}),
            "Variable \"id\": Expected non-null, found null.",
        ),
        (
            "variable null",
            "query Q($id: ID!) { dog(id: $id) { name } }",
            json!({ "id": null }),
            "Variable \"id\": Expected non-null, found null.",
        ),
        (
            "variable of another kind",
            "query Q($n: Int) { pets(limit: $n) { name } }",
            json!({ "n": "2" }),
            "Argument \"limit\" has invalid value $n.",
        ),
        (
            "fields of a variable",
            "query Q($w: Wish) { echo(wish: $w) }",
            json!({ "w": { "word": 1, "more": { "x": 1, "word": "a" } } }),
            "Argument \"wish\" has invalid value $w.\nIn field \"word\": Expected type \"String!\", found 1.\nIn field \"x\": Unknown field.",
        ),
        (
            "type of a variable",
            "query Q($id: ID) { dog(id: $id) { name } }",
            json!({ "id": 1 }),
            "Variable `id` of type `ID` found as input to argument of type `ID!`.",
        ),
        ("unknown type", "query Q($id: Idd) { pets(limit: 1) { name } }", json!({}), "Unknown type \"Idd\"."),
        (
            "a variable that is not there",
            "query Q { dog(id: $id) { name } }",
            json!({}),
            "Variable \"id\" is not defined by operation \"Q\".",
        ),
        (
            "a variable for nothing",
            "query Q($id: ID) { pets { name } }",
            json!({}),
            "Variable \"id\" is never used in operation \"Q\".",
        ),
        (
            "a default that does not fit",
            "query Q($n: Int = \"a\") { pets(limit: $n) { name } }",
            json!({}),
            "Variable \"n\" has invalid default value \"a\".",
        ),
        ("fragment", "{ ...f }", json!({}), "Unknown fragment \"f\""),
        (
            "fragment of another type",
            "{ pets { ... on RootQueryType { pets { name } } } }",
            json!({}),
            "Fragment spread has no type overlap with parent. Parent possible types: [\"Animal\"] Spread possible types: [\"RootQueryType\"]",
        ),
        ("fragment of no type", "{ pets { ... on Cow { name } } }", json!({}), "Unknown type \"Cow\"."),
        (
            "a fragment in itself",
            "{ ...a } fragment a on RootQueryType { ...b } fragment b on RootQueryType { ...a }",
            json!({}),
            "Cannot spread fragment \"a\" within itself.",
        ),
        ("directive", "{ pets @cache { name } }", json!({}), "Unknown directive \"cache\"."),
        (
            "a directive without its argument",
            "{ pets @skip { name } }",
            json!({}),
            "In argument \"if\": Expected type \"Boolean!\", found null.",
        ),
        ("nested too deep", &deep, json!({}), "nested deeper than 50"),
        ("spread too deep", &chain, json!({}), "nested deeper than 50, fragments counted where they are spread"),
        ("brackets too deep", &"{a".repeat(DEEPEST + 2), json!({}), "nested deeper than 50"),
    ] {
        let answer = ask(query, &variables);
        let messages: Vec<&str> =
            answer["errors"].as_array().into_iter().flatten().filter_map(|error| error["message"].as_str()).collect();
        assert!(messages.contains(&message), "{label}: {answer}");
        assert!(answer.get("data").is_none(), "{label}: {answer}");
    }
}

#[test]
fn fragments_in_fragments_cannot_ask_for_more_than_there_is_room() {
    // 2^40 fields, if somebody counted them.
    let doubled: String = (0..40)
        .map(|at| format!("fragment f{at} on RootQueryType {{ ...f{} ...f{} }} ", at + 1, at + 1))
        .collect::<Vec<_>>()
        .concat();
    let answer = ask(&format!("{{ ...f0 }} {doubled} fragment f40 on RootQueryType {{ pets {{ name }} }}"), &json!({}));
    let messages: Vec<&Json> = answer["errors"].as_array().unwrap().iter().map(|error| &error["message"]).collect();
    assert_eq!(messages, ["the document asks for more than 200000 fields: ask for less in one document"]);
}

#[test]
fn aliases_cannot_ask_for_more_copies_than_there_is_room() {
    let fields = |aliases: usize| (0..aliases).map(|at| format!("a{at}: echo(free: $text) ")).collect::<Vec<_>>().concat();
    let ask = |aliases: usize| {
        let variables = json!({ "text": "x".repeat(MOST_BYTES / 10) });
        ask(&format!("query($text: Anything) {{ {} }}", fields(aliases)), &variables)
    };
    let few = ask(9);
    assert_eq!(few.get("errors"), None);
    assert_eq!(few["data"].as_object().unwrap().len(), 9);
    let many = ask(1_000);
    let message = "the document asks for more than 67108864 bytes: ask for less in one document";
    assert_eq!(
        many["errors"],
        json!([{ "message": message, "path": ["a9"], "locations": [{ "line": 1, "column": many["errors"][0]["locations"][0]["column"] }] }])
    );
    assert!(many["data"]["a8"].is_object() && many["data"]["a9"].is_null() && many["data"].get("a10").is_none());
}

proptest::proptest! {
    #[test]
    fn any_text_is_answered_or_refused(text in r#"(query|pets|dog|\{|\}|\.\.\.|on|fragment|[a-z:$(),"0-9@!=\[\]-]| |\\|\PC){0,40}"#) {
        let answer = ask(&text, &json!({}));
        proptest::prop_assert!(answer.get("data").is_some() || answer.get("errors").is_some());
    }
}
