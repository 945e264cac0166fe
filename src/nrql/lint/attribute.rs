//! Which names do not exist.

use super::super::ast::{Among, Argument, BinaryOp, Call, Expr, ExprKind, Query, Source};
use super::super::walk;
use super::names::METRIC;
use super::nearest::did_you_mean;
use super::rule;
use super::scope::{Found, Scope};
use super::{Lint, Part, Place, Type, kind};

impl Lint<'_> {
    /// Event types that do not exist.
    pub(super) fn sources(&mut self, query: &Query, scope: &Scope<'_>) {
        if self.names.know_nothing() {
            return;
        }
        for source in &query.from {
            let Source::Type(name) = source else { continue };
            if self.names.event_type(&name.text).is_none() {
                let known = self.names.event_types().map(|(name, _)| name);
                let hint = did_you_mean(&name.text, known);
                self.tell(&rule::UNKNOWN_TYPE, name.span, format!("there is no event type `{}`", name.text), hint);
            } else if name.text == METRIC {
                for condition in &query.conditions {
                    walk::within(condition, &mut |inner| self.metric_names(inner, scope));
                }
            }
        }
    }

    /// `metricName = 'x'`, where there is no such metric.
    fn metric_names(&mut self, value: &Expr, scope: &Scope<'_>) {
        let ExprKind::Binary(BinaryOp::Equal, left, right) = &value.kind else { return };
        let ((ExprKind::Name(name), ExprKind::Text(text)) | (ExprKind::Text(text), ExprKind::Name(name))) =
            (&left.kind, &right.kind)
        else {
            return;
        };
        let known: Vec<&str> = self.names.metrics().map(|(metric, _)| metric).collect();
        let is_wrong = name == "metricName" && !known.contains(&text.as_str()) && !text.contains("{{");
        if is_wrong && matches!(scope.find(name), Found::Column(_)) {
            let span = if matches!(left.kind, ExprKind::Text(_)) { left.span } else { right.span };
            self.tell(&rule::UNKNOWN_METRIC, span, format!("there is no metric `{text}`"), did_you_mean(text, known));
        }
    }

    /// `eventType() = 'x'`, where no row is of that type.
    pub(super) fn types_compared(&mut self, value: &Expr, scope: &Scope<'_>) {
        let Some(types) = scope.event_types() else { return };
        let is_type =
            |value: &Expr| matches!(&value.kind, ExprKind::Call(call) if call.name.text.eq_ignore_ascii_case("eventType"));
        let compared: Vec<&Expr> = match &value.kind {
            ExprKind::Binary(BinaryOp::Equal, left, right) if is_type(left) => vec![right],
            ExprKind::Binary(BinaryOp::Equal, left, right) if is_type(right) => vec![left],
            ExprKind::In { value: left, negated: false, among: Among::Values(values) } if is_type(left) => {
                values.iter().collect()
            }
            _ => return,
        };
        for other in compared {
            if let ExprKind::Text(text) = &other.kind
                && !types.contains(text)
                && !text.contains("{{")
            {
                let message = format!("no row is of the type `{text}`, which is not in FROM");
                let hint = did_you_mean(text, types.iter().map(String::as_str));
                self.tell(&rule::UNKNOWN_TYPE, other.span, message, hint);
            }
        }
    }

    /// Names in an expression that nothing in the query's rows has.
    pub(super) fn attributes(&mut self, query: &Query, scope: &Scope<'_>, part: &Part<'_>) {
        let mut words: Vec<*const Expr> = Vec::new();
        let mut wrong = Vec::new();
        walk::within(part.value, &mut |inner| match &inner.kind {
            ExprKind::Call(call) => words.extend(own_words(call).map(std::ptr::from_ref)),
            ExprKind::Name(name) if !words.contains(&std::ptr::from_ref(inner)) => {
                let is_order = matches!(part.place, Place::Order | Place::FacetOrder);
                if scope.find(name) == Found::Missing && !(is_order && scope.is_alias(name)) {
                    wrong.push((name, inner.span));
                }
            }
            _ => {}
        });
        for (name, span) in wrong {
            self.missing(query, scope, name, span);
        }
    }

    fn missing(&mut self, query: &Query, scope: &Scope<'_>, name: &str, span: super::Span) {
        if scope.is_later(name) {
            let message = format!("`{name}` is a name of WITH, known only behind the value that it names");
            self.tell(&rule::NAME_TOO_EARLY, span, message, "put that value before this one");
            return;
        }
        if scope.is_alias(name) {
            let message = format!("`{name}` is a name given by AS, which stands for nothing here");
            self.tell(&rule::NAME_TOO_EARLY, span, message, format!("say `WITH … AS {name}`, or ask in a query around this one"));
            return;
        }
        if let Some(instead) = self.names.instead_of(name) {
            let message = format!("`{name}` is a name that New Relic reserves: no event of ours has it");
            self.tell(&rule::RESERVED_NAME, span, message, format!("write {instead}"));
            return;
        }
        let mut hint = did_you_mean(name, scope.seen());
        if hint.is_empty() {
            hint = self.elsewhere(name);
        }
        let sources = if query.from.is_empty() { "WITH".to_owned() } else { scope.sources() };
        self.tell(&rule::UNKNOWN_ATTRIBUTE, span, format!("`{name}` is no attribute of {sources}"), hint);
    }

    /// Which other types have an attribute.
    fn elsewhere(&self, name: &str) -> String {
        const SHOWN: usize = 3;
        let types = self.names.event_types().filter(|(_, known)| known.attributes.contains_key(name)).map(|(name, _)| name);
        let metrics = self.names.metrics().filter(|(metric, attributes)| *metric == name || attributes.contains(name));
        let found: Vec<&str> = types.chain(metrics.map(|(metric, _)| metric)).collect();
        match found.get(SHOWN..) {
            _ if found.is_empty() => String::new(),
            Some(more) if !more.is_empty() => {
                let shown: Vec<&str> = found.iter().copied().take(SHOWN).collect();
                format!("it is one of {} and {} more", shown.join(", "), more.len())
            }
            _ => format!("it is one of {}", found.join(", ")),
        }
    }

    /// Keys of a `JOIN` that the right side does not have.
    pub(super) fn keys(&mut self, query: &Query, scope: &Scope<'_>) {
        for (join, columns) in query.joins.iter().zip(&scope.joined) {
            let (name, span) = match (&join.column, &join.key.kind) {
                (Some(column), _) => (&column.text, column.span),
                (None, ExprKind::Name(name)) => (name, join.key.span),
                (None, ExprKind::Template(_)) => continue,
                (None, _) => {
                    let message = format!("`{}` is computed: the joined query has no column of that name", join.key);
                    self.tell(&rule::JOIN_KEY, join.key.span, message, format!("say `ON {} = column`", join.key));
                    continue;
                }
            };
            if !columns.has(name) {
                let hint = did_you_mean(name, columns.names());
                self.tell(&rule::UNKNOWN_ATTRIBUTE, span, format!("`{name}` is no column of the joined query"), hint);
            }
            self.key_kinds(&join.key, name, columns.kind(name), scope);
        }
    }

    /// Both sides of a key are of one kind.
    fn key_kinds(&mut self, key: &Expr, name: &str, other: Option<Type>, scope: &Scope<'_>) {
        if let (Some(one @ (Type::Text | Type::Number)), Some(other @ (Type::Text | Type::Number))) =
            (kind::of(key, scope), other)
            && one != other
        {
            let message =
                format!("`{key}` is {}, `{name}` of the joined query is {}: they never match", one.as_str(), other.as_str());
            self.tell(&rule::TEXT_AND_NUMBER, key.span, message, "say `numeric(…)` or `string(…)` of one of them");
        }
    }
}

/// Arguments of a call that are words of the function, not attributes.
fn own_words(call: &Call) -> impl Iterator<Item = &Expr> {
    let behind = usize::from(kind::takes_words(&call.name.text));
    call.arguments.iter().enumerate().filter_map(move |(place, argument)| match argument {
        Argument::Value(value) if behind == 1 && place >= 1 => Some(value),
        Argument::Named { value: super::super::ast::NamedValue::Value(value), .. } => Some(value),
        _ => None,
    })
}
