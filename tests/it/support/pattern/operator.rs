//! The operators: what one value of a pattern asks of one leaf.
//!
//! In: an element of a pattern's array, and a leaf. Out: whether the leaf is what is asked for. What always holds: a text is
//! never a number and a number never a text; only texts have prefixes, suffixes, wildcards, addresses and letters of two cases.

use std::net::IpAddr;

use serde_json::{Map, Value};

/// What is asked of a leaf.
#[derive(Debug, Clone)]
pub(super) enum Operator {
    /// A text, a number, a boolean or null.
    Exactly(Value),
    Prefix(Letters),
    Suffix(Letters),
    IgnoreCase(String),
    /// The texts between the wildcards.
    Wildcard(Vec<String>),
    /// All of these comparisons.
    Numeric(Vec<(Comparison, f64)>),
    /// There is a leaf, or there is none.
    Exists(bool),
    Cidr(IpAddr, u32),
    /// None of these.
    AnythingBut(Vec<Operator>),
}

/// A text, and whether capitals and small letters are the same.
#[derive(Debug, Clone)]
pub(super) struct Letters {
    text: String,
    any_case: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Comparison {
    Equal,
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Operator {
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::Object(named) => {
                let (name, operand) = only(named)?;
                Self::named(name, operand)
            }
            Value::Array(_) => Err("an array in an array".to_owned()),
            _ => Ok(Self::Exactly(value.clone())),
        }
    }

    fn named(name: &str, operand: &Value) -> Result<Self, String> {
        Ok(match name {
            "prefix" => Self::Prefix(Letters::parse(operand)?),
            "suffix" => Self::Suffix(Letters::parse(operand)?),
            "equals-ignore-case" => Self::IgnoreCase(text(operand)?.to_owned()),
            "wildcard" => Self::Wildcard(pieces(text(operand)?)?),
            "numeric" => Self::Numeric(comparisons(operand)?),
            "exists" => Self::Exists(operand.as_bool().ok_or("`exists` takes true or false")?),
            "cidr" => cidr(text(operand)?)?,
            "anything-but" => Self::AnythingBut(unwanted(operand)?),
            _ => return Err(format!("no operator `{name}`")),
        })
    }

    /// Whether a field that is missing will do.
    pub(super) fn wants_nothing(&self) -> bool {
        matches!(self, Self::Exists(false))
    }

    pub(super) fn holds(&self, leaf: &Value) -> bool {
        match (self, leaf) {
            // The user guide calls 300 and 3.0e2 different; Event Ruler, which decides, takes them for the same.
            (Self::Exactly(Value::Number(wanted)), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
            (Self::Exactly(wanted), _) => wanted == leaf,
            (Self::Exists(wanted), _) => *wanted,
            (Self::AnythingBut(unwanted), _) => !unwanted.iter().any(|operator| operator.holds(leaf)),
            (Self::Numeric(comparisons), Value::Number(found)) => {
                found.as_f64().is_some_and(|found| comparisons.iter().all(|(comparison, bound)| comparison.holds(found, *bound)))
            }
            (Self::Prefix(letters), Value::String(found)) => letters.of(found, |found, wanted| found.starts_with(wanted)),
            (Self::Suffix(letters), Value::String(found)) => letters.of(found, |found, wanted| found.ends_with(wanted)),
            (Self::IgnoreCase(wanted), Value::String(found)) => wanted.to_lowercase() == found.to_lowercase(),
            (Self::Wildcard(pieces), Value::String(found)) => in_order(pieces, found),
            (Self::Cidr(network, bits), Value::String(found)) => {
                found.parse().is_ok_and(|found| same_network(*network, found, *bits))
            }
            _ => false,
        }
    }
}

impl Letters {
    fn parse(operand: &Value) -> Result<Self, String> {
        let Value::Object(named) = operand else { return Ok(Self { text: text(operand)?.to_owned(), any_case: false }) };
        match only(named)? {
            ("equals-ignore-case", operand) => Ok(Self { text: text(operand)?.to_lowercase(), any_case: true }),
            (name, _) => Err(format!("`{name}` cannot be in here")),
        }
    }

    fn of(&self, found: &str, compare: fn(&str, &str) -> bool) -> bool {
        if self.any_case { compare(&found.to_lowercase(), &self.text) } else { compare(found, &self.text) }
    }
}

impl Comparison {
    fn parse(sign: &Value) -> Result<Self, String> {
        Ok(match sign.as_str() {
            Some("=") => Self::Equal,
            Some(">") => Self::Above,
            Some(">=") => Self::AtLeast,
            Some("<") => Self::Below,
            Some("<=") => Self::AtMost,
            _ => return Err(format!("{sign} compares nothing")),
        })
    }

    #[expect(clippy::float_cmp, reason = "equal is equal, as in the event")]
    fn holds(self, found: f64, bound: f64) -> bool {
        match self {
            Self::Equal => found == bound,
            Self::Above => found > bound,
            Self::AtLeast => found >= bound,
            Self::Below => found < bound,
            Self::AtMost => found <= bound,
        }
    }
}

fn only(named: &Map<String, Value>) -> Result<(&str, &Value), String> {
    let mut all = named.iter();
    match (all.next(), all.next()) {
        (Some((name, operand)), None) => Ok((name, operand)),
        _ => Err("an operator has one name".to_owned()),
    }
}

fn text(operand: &Value) -> Result<&str, String> {
    operand.as_str().ok_or_else(|| format!("{operand} is no text"))
}

/// One comparison, or a range: from below, then from above.
fn comparisons(operand: &Value) -> Result<Vec<(Comparison, f64)>, String> {
    let mut found = Vec::new();
    for pair in operand.as_array().ok_or("`numeric` takes an array")?.chunks(2) {
        let [sign, bound] = pair else { return Err("a comparison without a number".to_owned()) };
        found.push((Comparison::parse(sign)?, bound.as_f64().ok_or_else(|| format!("{bound} is no number"))?));
    }
    match found.as_slice() {
        [_] => Ok(found),
        [(Comparison::Above | Comparison::AtLeast, low), (Comparison::Below | Comparison::AtMost, high)] if low < high => {
            Ok(found)
        }
        _ => Err("neither a comparison nor a range".to_owned()),
    }
}

/// A value, values of one kind, or an operator over one text or several.
fn unwanted(operand: &Value) -> Result<Vec<Operator>, String> {
    if let Value::Object(named) = operand {
        let (name, operand) = only(named)?;
        if !matches!(name, "prefix" | "suffix" | "equals-ignore-case" | "wildcard") {
            return Err(format!("`anything-but` does not take `{name}`"));
        }
        return several(operand).iter().map(|operand| Operator::named(name, operand)).collect();
    }
    let values = several(operand);
    if values.is_empty() || !values.iter().all(Value::is_string) && !values.iter().all(Value::is_number) {
        return Err("`anything-but` takes texts or numbers".to_owned());
    }
    Ok(values.iter().cloned().map(Operator::Exactly).collect())
}

fn several(operand: &Value) -> &[Value] {
    operand.as_array().map_or(std::slice::from_ref(operand), Vec::as_slice)
}

/// Splits at the wildcards; `\*` and `\\` are letters.
fn pieces(wildcard: &str) -> Result<Vec<String>, String> {
    let mut pieces = vec![String::new()];
    let mut letters = wildcard.chars().peekable();
    while let Some(letter) = letters.next() {
        let plain = match letter {
            '*' if letters.peek() == Some(&'*') => return Err("two wildcards in a row".to_owned()),
            '*' => {
                pieces.push(String::new());
                continue;
            }
            '\\' => letters.next().filter(|next| matches!(next, '*' | '\\')).ok_or("a backslash before nothing special")?,
            plain => plain,
        };
        pieces.last_mut().expect("there is one from the start").push(plain);
    }
    Ok(pieces)
}

/// Whether a text is these pieces, with anything between them.
fn in_order(pieces: &[String], found: &str) -> bool {
    let [first, between @ .., last] = pieces else { return pieces.iter().all(|only| only == found) };
    let ends = found.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()));
    // The first place where a piece fits leaves the most for the others.
    between.iter().fold(ends, |rest, piece| Some(rest?.split_once(piece.as_str())?.1)).is_some()
}

fn cidr(block: &str) -> Result<Operator, String> {
    let (address, bits) = block.split_once('/').ok_or("an address block needs a slash")?;
    let address: IpAddr = address.parse().map_err(|error| format!("{address}: {error}"))?;
    let bits: u32 = bits.parse().map_err(|error| format!("{bits}: {error}"))?;
    if bits > if address.is_ipv4() { 32 } else { 128 } {
        return Err(format!("{bits} bits are too many"));
    }
    Ok(Operator::Cidr(address, bits))
}

fn same_network(network: IpAddr, found: IpAddr, bits: u32) -> bool {
    let differ = match (network, found) {
        (IpAddr::V4(network), IpAddr::V4(found)) => u128::from(network.to_bits() ^ found.to_bits()) << 96,
        (IpAddr::V6(network), IpAddr::V6(found)) => network.to_bits() ^ found.to_bits(),
        _ => return false,
    };
    differ.leading_zeros() >= bits
}
