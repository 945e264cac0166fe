//! Text, choice, conversion, JSON, addresses.

use super::*;

#[test]
fn cutting_and_finding() {
    check(
        &utc(),
        &[
            ("from", "substring", r#"["abcdef", 2]"#, r#""cdef""#),
            ("from and length", "substring", r#"["abcdef", 2, 3]"#, r#""cde""#),
            ("from the start", "substring", r#"["abcdef", 0, 3]"#, r#""abc""#),
            ("from the end", "substring", r#"["abcdef", -2]"#, r#""ef""#),
            ("from the end, length", "substring", r#"["abcdef", -3, 2]"#, r#""de""#),
            ("at the end", "substring", r#"["abc", 3]"#, r#""""#),
            ("past the end", "substring", r#"["abc", 7]"#, r#""""#),
            ("before the start", "substring", r#"["abc", -7]"#, r#""abc""#),
            ("before the start, length", "substring", r#"["abc", -7, 2]"#, r#""ab""#),
            ("longer than the text", "substring", r#"["abc", 1, 99]"#, r#""bc""#),
            ("no length", "substring", r#"["abc", 1, 0]"#, r#""""#),
            ("negative length", "substring", r#"["abc", 1, -1]"#, r#""""#),
            ("fraction", "substring", r#"["abc", 1.9]"#, r#""bc""#),
            ("empty", "substring", r#"["", 0]"#, r#""""#),
            ("characters, not bytes", "substring", r#"["監査ログ", 2, 2]"#, r#""ログ""#),
            ("Japanese from the end", "substring", r#"["監査ログ", -2]"#, r#""ログ""#),
            ("of a number", "substring", "[12345, 1]", "null"),
            ("of null", "substring", "[null, 1]", "null"),
            ("from a text", "substring", r#"["abc", "1"]"#, "null"),
            ("length null", "substring", r#"["abc", 1, null]"#, "null"),
            ("first", "position", r#"["banana", "an"]"#, "1"),
            ("second", "position", r#"["banana", "an", 1]"#, "3"),
            ("third is none", "position", r#"["banana", "an", 2]"#, "null"),
            ("last", "position", r#"["banana", "an", -1]"#, "3"),
            ("last but one", "position", r#"["banana", "an", -2]"#, "1"),
            ("before the first", "position", r#"["banana", "an", -3]"#, "null"),
            ("overlapping", "position", r#"["banana", "ana", 1]"#, "3"),
            ("in its case", "position", r#"["Banana", "b"]"#, "null"),
            ("at the start", "position", r#"["abc", "a"]"#, "0"),
            ("at the end", "position", r#"["abc", "c"]"#, "2"),
            ("whole", "position", r#"["abc", "abc"]"#, "0"),
            ("nothing is everywhere", "position", r#"["abc", ""]"#, "0"),
            ("nothing at the end", "position", r#"["abc", "", -1]"#, "3"),
            ("Japanese", "position", r#"["監査ログの監査", "監査", 1]"#, "5"),
            ("by its other name", "indexOf", r#"["https://a/b", "/", 2]"#, "9"),
            ("in null", "position", r#"[null, "a"]"#, "null"),
            ("of null", "position", r#"["a", null]"#, "null"),
            ("in a number", "position", r#"[123, "2"]"#, "null"),
            ("nth a text", "position", r#"["aa", "a", "1"]"#, "null"),
        ],
    );
}

#[test]
fn length_and_case() {
    check(
        &utc(),
        &[
            ("text", "length", r#"["abc"]"#, "3"),
            ("empty text", "length", r#"[""]"#, "0"),
            ("Japanese", "length", r#"["監査ログ"]"#, "4"),
            ("list", "length", "[[1, 2, null]]", "3"),
            ("empty list", "length", "[[]]", "0"),
            ("number", "length", "[12]", "null"),
            ("object", "length", r#"[{"a": 1}]"#, "null"),
            ("null", "length", "[null]", "null"),
            ("lower", "lower", r#"["AbC-9"]"#, r#""abc-9""#),
            ("upper", "upper", r#"["AbC-9"]"#, r#""ABC-9""#),
            ("lower of accents", "lower", r#"["ÀÉ"]"#, r#""àé""#),
            ("upper of accents", "upper", r#"["straße"]"#, r#""STRASSE""#),
            ("lower of Japanese", "lower", r#"["ルートＡ"]"#, r#""ルートａ""#),
            ("lower of empty", "lower", r#"[""]"#, r#""""#),
            ("lower of null", "lower", "[null]", "null"),
            ("lower of number", "lower", "[1]", "null"),
            ("upper of flag", "upper", "[true]", "null"),
        ],
    );
}

#[test]
fn joining() {
    check(
        &utc(),
        &[
            ("texts", "concat", r#"["a", "-", "b"]"#, r#""a-b""#),
            ("nothing", "concat", "[]", r#""""#),
            ("nulls are skipped", "concat", r#"["a", null, "b"]"#, r#""ab""#),
            ("only null", "concat", "[null]", r#""""#),
            ("whole number", "concat", r#"["n=", 5]"#, r#""n=5""#),
            ("fraction", "concat", "[0.1, 0.25]", r#""0.10.25""#),
            ("large number", "concat", "[1700000000000]", r#""1700000000000""#),
            ("negative", "concat", "[-1.5]", r#""-1.5""#),
            ("flag", "concat", "[true, false]", r#""truefalse""#),
            ("list", "concat", r#"[["a", 1, null]]"#, r#""[a, 1, null]""#),
            ("object", "concat", r#"[{"a": 1, "b": "x"}]"#, r#""{a=1, b=x}""#),
            ("Japanese", "concat", r#"["監査", "ログ"]"#, r#""監査ログ""#),
            ("empty texts", "concat", r#"["", ""]"#, r#""""#),
        ],
    );
}

#[test]
fn a_joined_text_is_cut_at_4096_characters() {
    let concat = row("concat").unwrap().call;
    for (name, letter, count, expected) in
        [("at it", "a", 4_096, 4_096), ("past it", "a", 4_097, 4_096), ("Japanese", "監", 5_000, 4_096)]
    {
        let value = concat(&utc(), &[Value::text(letter.repeat(count))], &Named::default());
        assert_eq!(value, Value::text(letter.repeat(expected)), "{name}");
    }
}

#[test]
fn a_precision_limits_decimals() {
    for (name, function, args, precision, expected) in [
        ("rounded", "string", "[0.6912]", "2", "0.69"),
        ("up", "string", "[0.696]", "2", "0.7"),
        ("no zeros", "concat", "[0.5]", "2", "0.5"),
        ("a whole number stays", "concat", r#"["Network Duration: ", 0]"#, "2", "Network Duration: 0"),
        ("none", "string", "[2.6]", "0", "3"),
        ("tens stay", "string", "[100]", "0", "100"),
        ("to zero", "string", "[-0.001]", "2", "0"),
        ("in a list", "string", "[[1.236, 2]]", "1", "[1.2, 2]"),
        ("of a text", "string", r#"["0.6912"]"#, "2", "0.6912"),
        ("more than there are", "string", "[0.25]", "9", "0.25"),
        ("negative is none", "string", "[0.25]", "-1", "0.25"),
    ] {
        let named = [("PRECISION", json(precision))];
        let value = (row(function).unwrap().call)(&utc(), &arguments(args), &Named(&named));
        assert_eq!(value, Value::text(expected), "{name}");
    }
}

#[test]
fn choice_and_conversion() {
    check(
        &utc(),
        &[
            ("true", "if", r#"[true, "a", "b"]"#, r#""a""#),
            ("false", "if", r#"[false, "a", "b"]"#, r#""b""#),
            ("null is not true", "if", r#"[null, "a", "b"]"#, r#""b""#),
            ("a text is not true", "if", r#"["true", "a", "b"]"#, r#""b""#),
            ("one is not true", "if", r#"[1, "a", "b"]"#, r#""b""#),
            ("no else", "if", r#"[false, "a"]"#, "null"),
            ("then null", "if", r#"[true, null, "b"]"#, "null"),
            ("other name", "ifThen", "[true, 7]", "7"),
            ("numeric", "numeric", r#"["12"]"#, "12"),
            ("numeric fraction", "numeric", r#"["-0.5"]"#, "-0.5"),
            ("numeric exponent", "numeric", r#"["1e3"]"#, "1000"),
            ("numeric blanks", "numeric", r#"[" 7 "]"#, "7"),
            ("numeric of number", "numeric", "[3.5]", "3.5"),
            ("numeric of words", "numeric", r#"["12 apples"]"#, "null"),
            ("numeric of nothing", "numeric", r#"[""]"#, "null"),
            ("numeric of infinity", "numeric", r#"["inf"]"#, "null"),
            ("numeric of NaN", "numeric", r#"["NaN"]"#, "null"),
            ("numeric beyond", "numeric", r#"["1e999"]"#, "null"),
            ("numeric of hex", "numeric", r#"["0x10"]"#, "null"),
            ("numeric of thousands", "numeric", r#"["1,000"]"#, "null"),
            ("numeric of full width", "numeric", r#"["１２"]"#, "null"),
            ("numeric of flag", "numeric", "[true]", "null"),
            ("numeric of null", "numeric", "[null]", "null"),
            ("boolean true", "boolean", r#"["true"]"#, "true"),
            ("boolean false", "boolean", r#"["false"]"#, "false"),
            ("boolean in capitals", "boolean", r#"["TRUE"]"#, "true"),
            ("boolean of flag", "boolean", "[false]", "false"),
            ("boolean of yes", "boolean", r#"["yes"]"#, "null"),
            ("boolean of one", "boolean", "[1]", "null"),
            ("boolean of nothing", "boolean", r#"[""]"#, "null"),
            ("boolean of null", "boolean", "[null]", "null"),
            ("string of whole", "string", "[5]", r#""5""#),
            ("string of fraction", "string", "[5.25]", r#""5.25""#),
            ("string of flag", "string", "[true]", r#""true""#),
            ("string of text", "string", r#"["x"]"#, r#""x""#),
            ("string of list", "string", "[[1, 2.5]]", r#""[1, 2.5]""#),
            ("string of a great number", "string", "[1e21]", r#""1000000000000000000000""#),
            ("string of null", "string", "[null]", "null"),
        ],
    );
}

#[test]
fn units() {
    check(
        &utc(),
        &[
            ("ms to min", "convert", r#"[90000, "ms", "min"]"#, "1.5"),
            ("s to ms", "convert", r#"[1.5, "s", "ms"]"#, "1500"),
            ("h to d", "convert", r#"[36, "h", "d"]"#, "1.5"),
            ("year to days", "convert", r#"[1, "year", "d"]"#, "365.25"),
            ("a to d", "convert", r#"[2, "a", "d"]"#, "730.5"),
            ("month to days", "convert", r#"[1, "mo", "d"]"#, "30.4375"),
            ("weeks to days", "convert", r#"[2, "wk", "days"]"#, "14"),
            ("µs to ms", "convert", r#"[2500, "µs", "ms"]"#, "2.5"),
            ("us to ns", "convert", r#"[1, "us", "ns"]"#, "1000"),
            ("same", "convert", r#"[7, "s", "s"]"#, "7"),
            ("bytes to bits", "convert", r#"[2, "By", "bit"]"#, "16"),
            ("By to kilobytes", "convert", r#"[1500, "By", "kilobytes"]"#, "1.5"),
            ("GiBy to By", "convert", r#"[1, "GiBy", "By"]"#, "1073741824"),
            ("GBy to By", "convert", r#"[1, "GBy", "By"]"#, "1000000000"),
            ("kg to lbs", "convert", r#"[0.45359237, "kg", "lbs"]"#, "1"),
            ("grams to kg", "convert", r#"[250, "grams", "kg"]"#, "0.25"),
            ("inches to cm", "convert", r#"[1, "in", "cm"]"#, "2.54"),
            ("feet to inches", "convert", r#"[3, "ft", "in"]"#, "36"),
            ("km to m", "convert", r#"[1.25, "km", "m"]"#, "1250"),
            ("miles to m", "convert", r#"[1, "mi", "m"]"#, "1609.344"),
            ("gallons to pints", "convert", r#"[1, "gal", "pt"]"#, "8"),
            ("litres to mL", "convert", r#"[1, "L", "mL"]"#, "1000"),
            ("case matters", "convert", r#"[1, "MS", "s"]"#, "null"),
            ("case of bytes", "convert", r#"[1, "by", "bit"]"#, "null"),
            ("unknown", "convert", r#"[1, "parsec", "m"]"#, "null"),
            ("unlike", "convert", r#"[1, "s", "m"]"#, "null"),
            ("of a text", "convert", r#"["1", "s", "ms"]"#, "null"),
            ("of null", "convert", r#"[null, "s", "ms"]"#, "null"),
            ("unit null", "convert", r#"[1, null, "ms"]"#, "null"),
        ],
    );
}

#[test]
fn encodings() {
    let long = "The quick brown fox jumps over the lazy dog, and the dog does not mind it.";
    let line = "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZywgYW5kIHRoZSBkb2cg";
    let mime = format!("[\"{long}\", \"base64mime\"]");
    let wrapped = format!("\"{line}\\r\\nZG9lcyBub3QgbWluZCBpdC4=\"");
    let unwrap = format!("[{wrapped}, \"base64mime\"]");
    let expected = format!("\"{long}\"");
    for (name, function, args, expected) in
        [("lines of 76", "encode", mime.as_str(), wrapped.as_str()), ("lines are joined", "decode", &unwrap, &expected)]
    {
        assert_eq!((row(function).unwrap().call)(&utc(), &arguments(args), &Named::default()), json(expected), "{name}");
    }
    check(
        &utc(),
        &[
            ("encode", "encode", r#"["hello", "base64"]"#, r#""aGVsbG8=""#),
            ("decode", "decode", r#"["aGVsbG8=", "base64"]"#, r#""hello""#),
            ("decode without padding", "decode", r#"["aGVsbG8", "base64"]"#, r#""hello""#),
            ("two letters differ", "encode", r#"["??>>", "base64"]"#, r#""Pz8+Pg==""#),
            ("url letters", "encode", r#"["??>>", "base64url"]"#, r#""Pz8-Pg==""#),
            ("decode url", "decode", r#"["Pz8-Pg", "base64url"]"#, r#""??>>""#),
            ("url letters are none of base64", "decode", r#"["Pz8-Pg==", "base64"]"#, "null"),
            ("Japanese", "encode", r#"["監査", "base64"]"#, r#""55uj5p+7""#),
            ("Japanese back", "decode", r#"["55uj5p+7", "base64"]"#, r#""監査""#),
            ("nothing", "encode", r#"["", "base64"]"#, r#""""#),
            ("no base64", "decode", r#"["?", "base64"]"#, "null"),
            ("not a text", "decode", r#"["/w==", "base64"]"#, "null"),
            ("unknown kind", "encode", r#"["a", "rot13"]"#, "null"),
            ("of a number", "encode", r#"[1, "base64"]"#, "null"),
            ("of null", "decode", r#"[null, "base64"]"#, "null"),
            ("blob", "blob", r#"["hello"]"#, r#""aGVsbG8=""#),
            ("blob of null", "blob", "[null]", "null"),
        ],
    );
}

#[test]
fn lists_and_fields() {
    check(
        &utc(),
        &[
            ("tuple", "tuple", r#"["a", 1]"#, r#"["a", 1]"#),
            ("tuple keeps null", "tuple", "[null, 1]", "[null, 1]"),
            ("at 0", "getField", r#"[["a", "b"], 0]"#, r#""a""#),
            ("at 1", "getField", r#"[["a", "b"], 1]"#, r#""b""#),
            ("past the end", "getField", r#"[["a", "b"], 2]"#, "null"),
            ("negative", "getField", r#"[["a", "b"], -1]"#, "null"),
            ("by name", "getField", r#"[{"count": 3, "max": 7}, "max"]"#, "7"),
            ("in its case", "getField", r#"[{"count": 3}, "Count"]"#, "null"),
            ("percentile by text", "getField", r#"[{"95": 1.5}, "95"]"#, "1.5"),
            ("percentile as a double", "getField", r#"[{"95": 1.5}, "95.0"]"#, "1.5"),
            ("percentile by number", "getField", r#"[{"99.9": 1.5}, 99.9]"#, "1.5"),
            ("no such name", "getField", r#"[{"a": 1}, "b"]"#, "null"),
            ("of a text", "getField", r#"["abc", 0]"#, "null"),
            ("of null", "getField", r#"[null, "a"]"#, "null"),
            ("list by name", "getField", r#"[["a"], "a"]"#, "null"),
            ("holds", "contains", r#"[["a", "b"], "b"]"#, "true"),
            ("does not hold", "contains", r#"[["a", "b"], "c"]"#, "false"),
            ("in its case", "contains", r#"[["a"], "A"]"#, "false"),
            ("another type", "contains", r#"[["1"], 1]"#, "false"),
            ("number", "contains", "[[1, 2], 2]", "true"),
            ("in nothing", "contains", r#"[[], "a"]"#, "false"),
            ("in a text", "contains", r#"["abc", "a"]"#, "null"),
            ("in null", "contains", r#"[null, "a"]"#, "null"),
            ("of null", "contains", r#"[["a"], null]"#, "null"),
        ],
    );
}

#[test]
fn json_in_a_text() {
    // The data of New Relic's page, in one line.
    const DATA: &str = concat!(
        r#"{"valueA": "test", "valueB": {"nestedValue1": [1, 2, 3], "nestedValue2": 100}, "valueC": ["#,
        r#"{"id": 1, "label": "A", "other": 7}, {"id": 2, "label": "B", "other": 9}, {"id": 3, "label": "C", "other": 13}]}"#
    );
    let (one, two, three) =
        (r#"{"id":1,"label":"A","other":7}"#, r#"{"id":2,"label":"B","other":9}"#, r#"{"id":3,"label":"C","other":13}"#);
    for (path, expected) in [
        ("valueA", r#""test""#.to_owned()),
        (r#"["valueA"]"#, r#""test""#.to_owned()),
        ("['valueA']", r#""test""#.to_owned()),
        ("[valueA]", r#""test""#.to_owned()),
        ("[valueA, valueB.x]", r#"["test", null]"#.to_owned()),
        ("valueB.nestedValue2", "100".to_owned()),
        ("valueB.nestedValue1[1]", "2".to_owned()),
        ("valueB[nestedValue1][-1]", "3".to_owned()),
        ("valueC[0]", one.to_owned()),
        ("valueC[3]", "null".to_owned()),
        ("valueC[-4]", "null".to_owned()),
        ("valueC[0,2]", format!("[{one},{three}]")),
        ("valueC[0, 9]", format!("[{one},null]")),
        ("valueC[0:2]", format!("[{one},{two}]")),
        ("valueC[:2]", format!("[{one},{two}]")),
        ("valueC[:-2]", format!("[{one}]")),
        ("valueC[1:]", format!("[{two},{three}]")),
        ("valueC[-1:]", format!("[{three}]")),
        ("valueC[-9:]", format!("[{one},{two},{three}]")),
        ("valueC[2:1]", "[]".to_owned()),
        ("valueC[:]", format!("[{one},{two},{three}]")),
        ("valueC[*]", format!("[{one},{two},{three}]")),
        ("valueC[*].id", "[1,2,3]".to_owned()),
        ("valueC[1:].label", r#"["B","C"]"#.to_owned()),
        ("valueC[*].none", "[null,null,null]".to_owned()),
        (r#"valueC[*]["label", other]"#, r#"[["A",7],["B",9],["C",13]]"#.to_owned()),
        ("valueC[*].id[0]", "[null,null,null]".to_owned()),
        ("valueC.id", "null".to_owned()),
        ("valueA[*]", "null".to_owned()),
        ("valueA.x", "null".to_owned()),
        ("missing", "null".to_owned()),
        ("missing[*].id", "null".to_owned()),
        ("", DATA.to_owned()),
    ] {
        let path = JsonPath::compile(path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(path.apply(&json(DATA)), json(&expected), "{path:?}");
    }
    check(
        &utc(),
        &[
            ("whole", "jparse", r#"["{\"user\": {\"name\": \"John\", \"id\": 5}}"]"#, r#"{"user": {"name": "John", "id": 5}}"#),
            ("path", "jparse", r#"["{\"user\": {\"name\": \"John\"}}", "user.name"]"#, r#""John""#),
            ("ids", "jparse", r#"["{\"users\": [{\"id\": 5}, {\"id\": 10}]}", "users[*].id"]"#, "[5, 10]"),
            ("number", "jparse", r#"["12.5"]"#, "12.5"),
            ("text", "jparse", r#"["\"監査\""]"#, r#""監査""#),
            ("null inside", "jparse", r#"["null"]"#, "null"),
            ("flag", "jparse", r#"["true"]"#, "true"),
            ("no JSON", "jparse", r#"["{a: 1}"]"#, "null"),
            ("cut off", "jparse", r#"["{\"a\": 1"]"#, "null"),
            ("more behind", "jparse", r#"["1 2"]"#, "null"),
            ("empty", "jparse", r#"[""]"#, "null"),
            ("no path", "jparse", r#"["{\"a\": 1}", "a["]"#, "null"),
            ("path a number", "jparse", r#"["[1]", 0]"#, "null"),
            ("of a number", "jparse", "[1]", "null"),
            ("of null", "jparse", "[null]", "null"),
            ("keys in order", "mapKeys", r#"[{"z": 1, "a": 2}]"#, r#"["z", "a"]"#),
            ("keys of nothing", "mapKeys", "[{}]", "[]"),
            ("keys of a list", "mapKeys", "[[1]]", "null"),
            ("keys of a text", "mapKeys", r#"["{}"]"#, "null"),
            ("values in order", "mapValues", r#"[{"z": 100, "a": [1]}]"#, "[100, [1]]"),
            ("values of null", "mapValues", "[null]", "null"),
        ],
    );
    assert_eq!(json(r#"{"a": 1, "b": 2, "a": 3}"#), json(r#"{"a": 3, "b": 2}"#), "the last of one name counts");
    assert_eq!(parse_json(&"[".repeat(100_000)), None, "deeper than any reader goes");
}

#[test]
fn other_texts_are_no_paths() {
    for (path, at) in [
        ("a[", 2),
        ("a[]", 2),
        ("a[0", 2),
        ("a[1,x]", 4),
        ("a..b", 2),
        (".a", 0),
        ("a]", 1),
        ("a[0]b", 4),
        ("a[1:2,3]", 2),
        ("a[x:y]", 2),
        ("a[\"b", 2),
        ("a.", 2),
        ("監[", 4),
    ] {
        let error = JsonPath::compile(path).expect_err(path);
        assert_eq!((error.path.as_str(), error.at), (path, at), "{error}");
    }
}

#[test]
fn networks() {
    check(
        &utc(),
        &[
            ("24", "cidrAddress", r#"["10.0.0.77", 24]"#, r#""10.0.0.0/24""#),
            ("16", "cidrAddress", r#"["10.10.1.77", 16]"#, r#""10.10.0.0/16""#),
            ("20", "cidrAddress", r#"["10.0.31.1", 20]"#, r#""10.0.16.0/20""#),
            ("32", "cidrAddress", r#"["10.0.0.77", 32]"#, r#""10.0.0.77/32""#),
            ("0", "cidrAddress", r#"["10.0.0.77", 0]"#, r#""0.0.0.0/0""#),
            ("own length", "cidrAddress", r#"["10.0.0.77/28"]"#, r#""10.0.0.64/28""#),
            ("argument wins", "cidrAddress", r#"["10.0.0.77/28", 8]"#, r#""10.0.0.0/8""#),
            ("without length", "cidrAddress", r#"["10.0.0.77", 24, false]"#, r#""10.0.0.0""#),
            ("with length", "cidrAddress", r#"["10.0.0.77", 24, true]"#, r#""10.0.0.0/24""#),
            ("no length", "cidrAddress", r#"["10.0.0.77"]"#, "null"),
            ("too long", "cidrAddress", r#"["10.0.0.77", 33]"#, "null"),
            ("negative", "cidrAddress", r#"["10.0.0.77", -1]"#, "null"),
            ("half", "cidrAddress", r#"["10.0.0.77", 24.5]"#, "null"),
            ("no address", "cidrAddress", r#"["10.0.0.256", 24]"#, "null"),
            ("a name", "cidrAddress", r#"["cloudtrail.amazonaws.com", 24]"#, "null"),
            ("version 6", "cidrAddress", r#"["2001:db8::1", 24]"#, "null"),
            ("bad own length", "cidrAddress", r#"["10.0.0.77/x", 24]"#, "null"),
            ("length a text", "cidrAddress", r#"["10.0.0.77", "24"]"#, "null"),
            ("form a text", "cidrAddress", r#"["10.0.0.77", 24, "false"]"#, "null"),
            ("null", "cidrAddress", "[null, 24]", "null"),
        ],
    );
}
