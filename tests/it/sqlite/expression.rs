//! Expressions and conditions in two languages.
//!
//! In: a tree. Out: its NRQL, with no more parentheses than precedence asks for (and some at random), and its SQL, with all of them.
//! What always holds: where the languages differ, the SQL spells out what NRQL means (NRQL reference, operators, types and nulls):
//! values of different kinds are unequal and have no order; only numbers are added; `LIKE` folds case and knows `%` alone.

use fastrand::Rng;

use super::rows::{self, NAMES};

/// The same in both languages.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) nrql: String,
    pub(super) sql: String,
}

/// A value of a row.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// An attribute, a literal, a query; anything that needs no parentheses.
    Plain(Said),
    Minus(Box<Self>),
    Arithmetic(Box<Self>, char, Box<Self>),
}

/// What a row may satisfy.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    Test(Said),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

/// An attribute.
pub(super) fn attribute(name: &str) -> Value {
    let nrql = if name.contains('-') { format!("`{name}`") } else { name.to_owned() };
    Value::Plain(Said { nrql, sql: format!("\"{name}\"") })
}

pub(super) fn text(text: &str) -> Value {
    let nrql = format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    Value::Plain(Said { nrql, sql: quoted(text) })
}

pub(super) fn number(number: f64) -> Value {
    let plain = Value::Plain(Said { nrql: number.abs().to_string(), sql: format!("{:?}", number.abs()) });
    if number < 0.0 { Value::Minus(Box::new(plain)) } else { plain }
}

pub(super) fn flag(flag: bool) -> Value {
    Value::Plain(Said { nrql: flag.to_string(), sql: if flag { "x'01'" } else { "x'00'" }.to_owned() })
}

fn nothing() -> Value {
    Value::Plain(Said { nrql: "NULL".to_owned(), sql: "NULL".to_owned() })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// In parentheses where they are needed, and now and then where they are not.
fn wrapped(text: String, needed: bool, chance: &mut Rng) -> String {
    if needed || chance.u8(..8) == 0 { format!("({text})") } else { text }
}

impl Value {
    /// How tightly it binds.
    fn level(&self) -> u8 {
        match self {
            Self::Arithmetic(_, '+' | '-', _) => 0,
            Self::Arithmetic(..) => 1,
            Self::Minus(_) => 2,
            Self::Plain(_) => 3,
        }
    }

    pub(super) fn nrql(&self, chance: &mut Rng) -> String {
        let inner = |value: &Self, level: u8, chance: &mut Rng| {
            let text = value.nrql(chance);
            wrapped(text, value.level() < level, chance)
        };
        match self {
            Self::Plain(said) => said.nrql.clone(),
            // Two minuses would begin a comment.
            Self::Minus(one) => format!("-{}", inner(one, 3, chance)),
            Self::Arithmetic(one, operator, two) => {
                format!("{} {operator} {}", inner(one, self.level(), chance), inner(two, self.level() + 1, chance))
            }
        }
    }

    pub(super) fn sql(&self) -> String {
        match self {
            Self::Plain(said) => said.sql.clone(),
            Self::Minus(one) => format!("(-{})", one.number_sql()),
            Self::Arithmetic(one, operator, two) => format!("({} {operator} {})", one.number_sql(), two.number_sql()),
        }
    }

    /// Its number: nothing else is added, and nothing else is summed up.
    pub(super) fn number_sql(&self) -> String {
        match self {
            Self::Plain(said) => format!("(CASE typeof({0}) WHEN 'real' THEN {0} END)", said.sql),
            _ => self.sql(),
        }
    }
}

impl Condition {
    fn level(&self) -> u8 {
        match self {
            Self::Or(..) => 0,
            Self::And(..) => 1,
            Self::Not(_) => 2,
            Self::Test(_) => 3,
        }
    }

    pub(super) fn nrql(&self, chance: &mut Rng) -> String {
        let inner = |condition: &Self, level: u8, chance: &mut Rng| {
            let text = condition.nrql(chance);
            wrapped(text, condition.level() < level, chance)
        };
        match self {
            Self::Test(said) => said.nrql.clone(),
            Self::Not(one) => format!("NOT {}", inner(one, 2, chance)),
            Self::And(one, two) => format!("{} AND {}", inner(one, 1, chance), inner(two, 2, chance)),
            Self::Or(one, two) => format!("{} OR {}", inner(one, 0, chance), inner(two, 1, chance)),
        }
    }

    pub(super) fn sql(&self) -> String {
        match self {
            Self::Test(said) => said.sql.clone(),
            Self::Not(one) => format!("(NOT {})", one.sql()),
            Self::And(one, two) => format!("({} AND {})", one.sql(), two.sql()),
            Self::Or(one, two) => format!("({} OR {})", one.sql(), two.sql()),
        }
    }
}

/// A literal of any kind.
fn literal(chance: &mut Rng) -> Value {
    match chance.u8(..24) {
        0..9 => number(rows::number(chance)),
        9..21 => text(rows::text(chance)),
        21..23 => flag(chance.bool()),
        _ => nothing(),
    }
}

/// An attribute, and what makes literals that it may well hold.
fn alike(chance: &mut Rng) -> (Value, fn(&mut Rng) -> Value) {
    match chance.u8(..4) {
        0 => (attribute("size"), |chance| number(rows::number(chance))),
        1 => (attribute("score"), |chance| number(f64::from(chance.u8(..40)))),
        2 => (attribute("text"), |chance| text(rows::text(chance))),
        _ => (attribute("who"), |chance| text(rows::WHO[chance.usize(..rows::WHO.len())])),
    }
}

pub(super) fn any_attribute(chance: &mut Rng) -> Value {
    attribute(NAMES[chance.usize(..NAMES.len())])
}

/// A value whose sums are exact: no division in it.
pub(super) fn exact(chance: &mut Rng) -> Value {
    let one = match chance.u8(..8) {
        0..4 => attribute(NAMES[chance.usize(..3)]),
        4 => coalesce(&attribute(NAMES[chance.usize(..3)]), &number(rows::number(chance)), chance),
        _ => any_attribute(chance),
    };
    if chance.u8(..4) > 0 {
        return one;
    }
    let two = if chance.bool() { number(rows::number(chance)) } else { attribute(NAMES[chance.usize(..3)]) };
    Value::Arithmetic(Box::new(one), ['+', '-', '*'][chance.usize(..3)], Box::new(two))
}

/// `one OR two` between values: the first that is there.
fn coalesce(one: &Value, two: &Value, chance: &mut Rng) -> Value {
    let nrql = format!("({} OR {})", one.nrql(chance), two.nrql(chance));
    Value::Plain(Said { nrql, sql: format!("coalesce({}, {})", one.sql(), two.sql()) })
}

/// Any value, with arithmetic so many levels deep.
pub(super) fn value(chance: &mut Rng, depth: u8) -> Value {
    if depth == 0 || chance.bool() {
        return match chance.u8(..8) {
            0 => literal(chance),
            1 => coalesce(&any_attribute(chance), &any_attribute(chance), chance),
            2 => choice(chance),
            _ => any_attribute(chance),
        };
    }
    if chance.u8(..8) == 0 {
        return Value::Minus(Box::new(value(chance, depth - 1)));
    }
    let (one, two) = (value(chance, depth - 1), value(chance, depth - 1));
    Value::Arithmetic(Box::new(one), ['+', '-', '*', '/'][chance.usize(..4)], Box::new(two))
}

/// `if(…)`.
fn choice(chance: &mut Rng) -> Value {
    let (of, like) = alike(chance);
    let limit = like(chance);
    let condition = compared(&of, ["=", "!=", "<"][chance.usize(..3)], &limit, chance);
    let (one, two) = (any_attribute(chance), literal(chance));
    let nrql = format!("if({}, {}, {})", condition.nrql, one.nrql(chance), two.nrql(chance));
    Value::Plain(Said { nrql, sql: format!("(CASE WHEN {} THEN {} ELSE {} END)", condition.sql, one.sql(), two.sql()) })
}

/// Any condition, so many levels deep.
pub(super) fn condition(chance: &mut Rng, depth: u8) -> Condition {
    let inner = |chance: &mut Rng| Box::new(condition(chance, depth.saturating_sub(1)));
    match chance.u8(..8) {
        _ if depth == 0 => Condition::Test(test(chance)),
        0..2 => Condition::Test(test(chance)),
        2 => Condition::Not(inner(chance)),
        3..5 => Condition::And(inner(chance), inner(chance)),
        _ => Condition::Or(inner(chance), inner(chance)),
    }
}

fn test(chance: &mut Rng) -> Said {
    match chance.u8(..12) {
        0..2 => {
            let (one, literal) = alike(chance);
            let two = literal(chance);
            compared(&one, ["=", "!=", "<", "<=", ">", ">="][chance.usize(..6)], &two, chance)
        }
        2..5 => {
            let depth = u8::from(chance.u8(..3) == 0);
            let one = value(chance, depth);
            let two = if chance.bool() { literal(chance) } else { value(chance, depth) };
            compared(&one, ["=", "!=", "<", "<=", ">", ">="][chance.usize(..6)], &two, chance)
        }
        5..8 => among(chance),
        8..10 => like(chance),
        10 => {
            let (one, not) = (value(chance, 1), if chance.bool() { "NOT " } else { "" });
            // A sign of arithmetic before IS binds tighter: both languages say so.
            Said { nrql: format!("{} IS {not}NULL", one.nrql(chance)), sql: format!("({} IS {not}NULL)", one.sql()) }
        }
        _ => {
            let one = if chance.bool() { attribute("flag") } else { attribute("mixed") };
            let (not, which) = (if chance.bool() { "NOT " } else { "" }, chance.bool());
            let word = if which { "TRUE" } else { "FALSE" };
            Said {
                nrql: format!("{} IS {not}{word}", one.nrql(chance)),
                sql: format!("({} IS {not}{})", one.sql(), flag(which).sql()),
            }
        }
    }
}

/// A comparison. Nothing is unknown; kinds that differ are unequal and have no order.
pub(super) fn compared(one: &Value, operator: &str, two: &Value, chance: &mut Rng) -> Said {
    let nrql = format!("{} {operator} {}", one.nrql(chance), two.nrql(chance));
    let (one, two) = (one.sql(), two.sql());
    let otherwise = u8::from(operator == "!=");
    let sql = format!(
        "(CASE WHEN {one} IS NULL OR {two} IS NULL THEN NULL WHEN typeof({one}) <> typeof({two}) THEN {otherwise} \
         ELSE {one} {operator} {two} END)"
    );
    Said { nrql, sql }
}

fn among(chance: &mut Rng) -> Said {
    let (one, literal) = if chance.bool() { alike(chance) } else { (value(chance, 1), literal as fn(&mut Rng) -> Value) };
    let items: Vec<Value> = (0..chance.usize(1..6)).map(|_| literal(chance)).collect();
    let not = if chance.bool() { "NOT " } else { "" };
    let nrql: Vec<String> = items.iter().map(|item| item.nrql(chance)).collect();
    let sql: Vec<String> = items.iter().map(Value::sql).collect();
    Said {
        nrql: format!("{} {not}IN ({})", one.nrql(chance), nrql.join(", ")),
        sql: format!("({} {not}IN ({}))", one.sql(), sql.join(", ")),
    }
}

/// `LIKE` a pattern made of a text: pieces of it, in any case, with `%` between.
fn like(chance: &mut Rng) -> Said {
    let one = if chance.u8(..4) > 0 { attribute(NAMES[chance.usize(3..6)]) } else { any_attribute(chance) };
    let whole = if chance.u8(..3) == 0 { "room 7" } else { rows::text(chance) };
    let mut pattern = String::new();
    for letter in whole.chars() {
        match chance.u8(..8) {
            0 => pattern.push('%'),
            1 => pattern.extend(letter.to_uppercase()),
            2 => pattern.extend(letter.to_lowercase()),
            3 if chance.bool() => pattern.push('_'),
            _ => pattern.push(letter),
        }
    }
    if chance.bool() {
        pattern.push('%');
    }
    let escaped = pattern.replace('\\', "\\\\").replace('_', "\\_");
    let not = if chance.u8(..3) == 0 { "NOT " } else { "" };
    let (of, said) = (one.sql(), text(&pattern).nrql(chance));
    let sql = format!(
        "({not}CASE typeof({of}) WHEN 'null' THEN NULL WHEN 'text' THEN fold({of}) LIKE fold({}) ESCAPE '\\' ELSE 0 END)",
        quoted(&escaped)
    );
    Said { nrql: format!("{} {not}LIKE {said}", one.nrql(chance)), sql }
}
