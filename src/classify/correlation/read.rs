//! The `correlation` of a document.
//!
//! In: the YAML under the key. Out: a [`Spec`], or every fault with its line and what is allowed. What a stream can never tell, that
//! something did not come, is refused with what can.

use super::super::condition;
use super::super::expr::Expr;
use super::super::fault::Faults;
use super::super::yaml::{Entry, Node, Value};
use super::spec::{Alias, KINDS, Kind, OPERATORS, Range, Spec, Want};

const KEYS: [&str; 7] = ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"];

/// Most rules of one correlation.
const RULES: usize = 64;

/// Longest window, days: what an agent knows ends with it.
const DAYS: i64 = 31;

const DAY_MS: i64 = 86_400_000;

const ABSENCE: &str = "no stream can tell that something did not come: use an alert condition on the rule's events with a \
                       threshold below, or on loss of signal";

/// Reads a correlation. `None`: it has faults. `generate` may stand beside the key or under it.
pub(in crate::classify) fn parse(document: &Node, correlation: &Node, faults: &mut Faults) -> Option<Spec> {
    let before = faults.found.len();
    let Value::Map(entries) = &correlation.value else {
        faults.add(correlation.line, format!("correlation is {}; a map is needed", correlation.value.describe()));
        return None;
    };
    for entry in entries.iter().filter(|entry| !KEYS.contains(&entry.key.as_str())) {
        faults.add(entry.line, format!("correlation.{} is unknown; allowed: {}", entry.key, KEYS.join(", ")));
    }
    let mut reader = Reader { correlation, faults };
    let kind = reader.kind();
    let rules = reader.names("rules");
    if rules.is_empty() {
        reader.faults.add(correlation.line, "correlation.rules is missing; needed: names or ids of rules");
    }
    if rules.len() > RULES {
        reader.faults.add(correlation.line, format!("correlation.rules: {} rules; at most {RULES} are allowed", rules.len()));
    }
    let timespan_ms = reader.timespan();
    let aliases = reader.aliases();
    let group_by = reader.names("group-by").into_iter().map(|(_, name)| name).collect();
    reader.generate(document.get("generate"));
    reader.generate(correlation.get("generate"));
    let (kind, fields, want) = reader.condition(kind?, &rules);
    let words = reader.words();
    let (line, timespan_ms, want) = (correlation.line, timespan_ms?, want?);
    let spec = Spec { kind, rules, group_by, timespan_ms, want, fields, aliases, line, words };
    (faults.found.len() == before).then_some(spec)
}

/// The names of the rules that only feed a correlation, whatever else is wrong with it; none, if it says `generate`.
pub(in crate::classify) fn feeders(document: &Node, correlation: &Node) -> Vec<String> {
    let generates = |node: &Node| node.get("generate").is_some_and(|node| node.value == Value::Bool(true));
    if generates(document) || generates(correlation) {
        return Vec::new();
    }
    let text = |node: &Node| match &node.value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    correlation.get("rules").map(items).unwrap_or_default().iter().filter_map(text).collect()
}

struct Reader<'r> {
    correlation: &'r Node,
    faults: &'r mut Faults,
}

impl Reader<'_> {
    fn kind(&mut self) -> Option<Kind> {
        let node = self.correlation.get("type");
        let known = KINDS.map(|(name, _)| name).join(", ");
        let Some(Node { line, value }) = node else {
            self.faults.add(self.correlation.line, format!("correlation.type is missing; allowed: {known}"));
            return None;
        };
        let found = KINDS.iter().find(|(name, _)| matches!(value, Value::Text(text) if text == name));
        if found.is_none() {
            self.faults.add(*line, format!("correlation.type is {}; allowed: {known}", value.describe()));
        }
        found.map(|(_, kind)| *kind)
    }

    /// A list of texts, or one text, with their lines; each once.
    fn names(&mut self, key: &str) -> Vec<(u64, String)> {
        let Some(node) = self.correlation.get(key) else { return Vec::new() };
        let mut names: Vec<(u64, String)> = Vec::new();
        for item in items(node) {
            match &item.value {
                Value::Text(text) if !text.trim().is_empty() => {
                    if names.iter().any(|(_, known)| known == text) {
                        self.faults.add(item.line, format!("correlation.{key}: \"{text}\" stands twice"));
                    }
                    names.push((item.line, text.clone()));
                }
                other => self.faults.add(item.line, format!("correlation.{key}: {}; a text is needed", other.describe())),
            }
        }
        names
    }

    fn timespan(&mut self) -> Option<i64> {
        let allowed = format!("a whole number and s, m, h, d or w, as 15m, up to {DAYS}d");
        let Some(node) = self.correlation.get("timespan") else {
            self.faults.add(self.correlation.line, format!("correlation.timespan is missing; allowed: {allowed}"));
            return None;
        };
        let found = match &node.value {
            Value::Text(text) => span_ms(text).filter(|ms| (1..=DAYS * DAY_MS).contains(ms)),
            _ => None,
        };
        if found.is_none() {
            self.faults.add(node.line, format!("correlation.timespan is {}; allowed: {allowed}", node.value.describe()));
        }
        found
    }

    fn aliases(&mut self) -> Vec<Alias> {
        let Some(node) = self.correlation.get("aliases") else { return Vec::new() };
        let needed = "needed: {alias: {rule: field}}";
        let Value::Map(entries) = &node.value else {
            self.faults.add(node.line, format!("correlation.aliases is {}; {needed}", node.value.describe()));
            return Vec::new();
        };
        let mut aliases = Vec::new();
        for Entry { line, key, node } in entries {
            let Value::Map(fields) = &node.value else {
                self.faults.add(*line, format!("correlation.aliases.{key} is {}; {needed}", node.value.describe()));
                continue;
            };
            let mut found = Vec::new();
            for Entry { line, key: rule, node } in fields {
                match &node.value {
                    Value::Text(field) => found.push((rule.clone(), field.clone())),
                    other => {
                        self.faults.add(*line, format!("correlation.aliases.{key}.{rule} is {}; {needed}", other.describe()));
                    }
                }
            }
            aliases.push(Alias { line: *line, name: key.clone(), fields: found });
        }
        aliases
    }

    fn generate(&mut self, node: Option<&Node>) {
        if let Some(Node { line, value }) = node.filter(|node| !matches!(node.value, Value::Bool(_))) {
            self.faults.add(*line, format!("generate is {}; allowed: true, false", value.describe()));
        }
    }

    /// The kind with its percent, the fields, and what is wanted.
    fn condition(&mut self, kind: Kind, rules: &[(u64, String)]) -> (Kind, Vec<String>, Option<Want>) {
        let is_temporal = matches!(kind, Kind::Temporal | Kind::TemporalOrdered);
        let Some(node) = self.correlation.get("condition") else {
            if is_temporal {
                return (kind, Vec::new(), Some(Want::Every));
            }
            let needed = "needed: {gte: 5} or the like";
            self.faults.add(self.correlation.line, format!("correlation.condition is missing; {needed}"));
            return (kind, Vec::new(), None);
        };
        let entries = match &node.value {
            Value::Map(entries) => entries,
            Value::Text(text) if is_temporal => return (kind, Vec::new(), self.rules_condition(kind, node.line, text, rules)),
            other => {
                self.faults.add(node.line, format!("correlation.condition is {}; a map is needed", other.describe()));
                return (kind, Vec::new(), None);
            }
        };
        let (mut fields, mut percent, mut range) = (Vec::new(), None, Vec::new());
        for Entry { line, key, node } in entries {
            let number = match &node.value {
                // Exact up to 2^53; nobody counts further.
                Value::Int(number) => Some(*number as f64),
                Value::Float(number) => Some(*number).filter(|number| number.is_finite()),
                _ => None,
            };
            match (key.as_str(), number) {
                ("field", _) => {
                    for item in items(node) {
                        match &item.value {
                            Value::Text(text) => fields.push(text.clone()),
                            other => {
                                self.faults.add(
                                    item.line,
                                    format!("correlation.condition.field: {}; a text is needed", other.describe()),
                                );
                            }
                        }
                    }
                }
                ("percentile", Some(number)) => percent = Some(number),
                (name, Some(number)) if let Some((_, operator)) = OPERATORS.iter().find(|(known, _)| *known == name) => {
                    range.push((*operator, number));
                }
                (name, _) => {
                    let known = OPERATORS.map(|(name, _)| name).join(", ");
                    let found = node.value.describe();
                    let problem =
                        format!("correlation.condition.{name} is {found}; allowed: numbers under {known}, percentile, and field");
                    self.faults.add(*line, problem);
                }
            }
        }
        let kind = self.percent(kind, percent, node.line);
        if kind.needs_field() && fields.is_empty() {
            self.faults.add(node.line, format!("correlation.condition.field is missing; {} needs one", kind.name()));
        }
        if !kind.needs_field() && !fields.is_empty() {
            self.faults.add(node.line, format!("correlation.condition.field; {} looks at no field", kind.name()));
        }
        if kind.is_numeric() && fields.len() > 1 {
            self.faults
                .add(node.line, format!("correlation.condition.field: {} fields; {} looks at one", fields.len(), kind.name()));
        }
        (kind, fields, self.range(kind, node.line, range, rules.len()))
    }

    fn percent(&mut self, kind: Kind, percent: Option<f64>, line: u64) -> Kind {
        match (kind, percent) {
            (Kind::ValuePercentile(_), Some(percent)) if percent > 0.0 && percent <= 100.0 => Kind::ValuePercentile(percent),
            (Kind::ValuePercentile(_), found) => {
                let found = found.map_or("missing".to_owned(), |percent| percent.to_string());
                self.faults.add(line, format!("correlation.condition.percentile is {found}; needed: more than 0, at most 100"));
                kind
            }
            (_, Some(_)) => {
                self.faults.add(line, format!("correlation.condition.percentile; {} has none", kind.name()));
                kind
            }
            (_, None) => kind,
        }
    }

    /// Checks that something can be meant by the comparisons.
    fn range(&mut self, kind: Kind, line: u64, range: Vec<(super::spec::Operator, f64)>, rules: usize) -> Option<Want> {
        if range.is_empty() {
            if matches!(kind, Kind::Temporal | Kind::TemporalOrdered) {
                return Some(Want::Every);
            }
            let known = OPERATORS.map(|(name, _)| name).join(", ");
            self.faults.add(line, format!("correlation.condition compares with nothing; allowed: {known}"));
            return None;
        }
        let range = Range(range);
        let most = match kind {
            Kind::Temporal | Kind::TemporalOrdered => rules,
            _ => kind.hits_per_group(),
        };
        let counts = !kind.is_numeric();
        if (counts || kind == Kind::ValueSum) && range.holds(0.0) {
            self.faults.add_with_hint(line, "correlation.condition holds when nothing comes", ABSENCE);
            return None;
        }
        if counts && !(1..=most).any(|count| range.holds(count as f64)) {
            self.faults
                .add(line, format!("correlation.condition holds for no count of 1 to {most}, which is what is kept of a group"));
            return None;
        }
        if kind == Kind::TemporalOrdered {
            let is_every = range.holds(rules as f64) && (1..rules).all(|count| !range.holds(count as f64));
            if !is_every {
                self.faults.add(line, "correlation.condition: temporal_ordered needs all its rules; leave the condition out");
                return None;
            }
            return Some(Want::Every);
        }
        Some(Want::Number(range))
    }

    /// `recon_a and (recon_b or recon_c)`.
    fn rules_condition(&mut self, kind: Kind, line: u64, text: &str, rules: &[(u64, String)]) -> Option<Want> {
        let names: Vec<&str> = rules.iter().map(|(_, name)| name.as_str()).collect();
        let expr = match condition::parse(text, &names) {
            Ok(expr) => expr,
            Err(refused) => {
                self.faults.add(line, format!("correlation.condition: {}", refused.problem));
                return None;
            }
        };
        if has_negation(&expr) {
            self.faults.add_with_hint(line, "correlation.condition: \"not\" of a rule", ABSENCE);
            return None;
        }
        let every = Expr::all((0..names.len()).map(Expr::Leaf).collect::<Vec<_>>());
        if expr == every {
            return Some(Want::Every);
        }
        if kind == Kind::TemporalOrdered {
            let problem =
                "correlation.condition: temporal_ordered needs all its rules in the order of `rules`; leave the condition out";
            self.faults.add(line, problem);
            return None;
        }
        Some(Want::Rules(expr))
    }

    /// `event_count within 5m, by a, b: gte 5`, for people.
    fn words(&self) -> String {
        let text = |key: &str| self.correlation.get(key).map(|node| line_of(&node.value)).unwrap_or_default();
        let by = match text("group-by") {
            by if by.is_empty() => String::new(),
            by => format!(", by {by}"),
        };
        let condition = match text("condition") {
            condition if condition.is_empty() => String::new(),
            condition => format!(": {condition}"),
        };
        format!("{} of {} within {}{by}{condition}", text("type"), text("rules"), text("timespan"))
    }
}

fn line_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::List(items) => items.iter().map(|item| line_of(&item.value)).collect::<Vec<_>>().join(", "),
        Value::Map(entries) => {
            entries.iter().map(|entry| format!("{} {}", entry.key, line_of(&entry.node.value))).collect::<Vec<_>>().join(", ")
        }
        other => other.describe(),
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        Value::Null => &[],
        _ => std::slice::from_ref(node),
    }
}

fn has_negation(expr: &Expr<usize>) -> bool {
    match expr {
        Expr::Const(_) | Expr::Leaf(_) => false,
        Expr::Not(_) => true,
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(has_negation),
    }
}

fn span_ms(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let unit_ms = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => DAY_MS,
        'w' => 7 * DAY_MS,
        _ => return None,
    };
    number.checked_mul(unit_ms)
}
