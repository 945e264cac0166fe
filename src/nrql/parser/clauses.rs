//! Statements, queries and their clauses, which stand in any order.

use super::{Parsed, Parser};
use crate::nrql::ast::{
    Facet, FacetItem, Limit, Moment, Offset, OrderItem, Predict, Query, SelectItem, Selected, Span, Statement, Timeseries,
    Variable, Width,
};
use crate::nrql::error::SyntaxError;
use crate::nrql::lexer::{Symbol, TokenKind};
use crate::nrql::warnings::WarningKind;

/// What was read of a query so far.
#[derive(Default)]
struct Draft {
    query: Query,
    /// `TIMESERIES`, apart from `SLIDE BY`: they may stand apart.
    width: Option<Width>,
    slide: Option<(Width, Span)>,
}

/// A clause.
#[derive(Clone, Copy)]
struct Clause<'t> {
    /// With what it starts. Of clauses that start alike the longer come first.
    words: &'static [&'static str],
    /// Whether it was given, so that a second one is refused.
    given: fn(&Draft) -> bool,
    /// Reads what stands behind its words.
    read: fn(&mut Parser<'t>, &mut Draft) -> Parsed<()>,
}

impl<'t> Parser<'t> {
    /// Every clause.
    const CLAUSES: [Clause<'t>; 18] = [
        Clause { words: &["SELECT"], given: |draft| !draft.query.select.is_empty(), read: Self::select },
        Clause { words: &["FROM"], given: |draft| !draft.query.from.is_empty(), read: Self::from },
        Clause { words: &["WHERE"], given: |_| false, read: Self::condition },
        Clause { words: &["FACET"], given: |draft| draft.query.facet.is_some(), read: Self::facet },
        Clause { words: &["ORDER", "BY"], given: |draft| !draft.query.order_by.is_empty(), read: Self::order },
        Clause { words: &["LIMIT"], given: |draft| draft.query.limit.is_some(), read: Self::limit },
        Clause { words: &["OFFSET"], given: |draft| draft.query.offset.is_some(), read: Self::offset },
        Clause { words: &["SINCE"], given: |draft| draft.query.since.is_some(), read: Self::since_clause },
        Clause { words: &["UNTIL"], given: |draft| draft.query.until.is_some(), read: Self::until_clause },
        Clause { words: &["COMPARE", "WITH"], given: |draft| draft.query.compare.is_some(), read: Self::compare },
        Clause { words: &["TIMESERIES"], given: |draft| draft.width.is_some(), read: Self::timeseries },
        Clause { words: &["SLIDE", "BY"], given: |draft| draft.slide.is_some(), read: Self::slide },
        Clause { words: &["WITH", "TIMEZONE"], given: |draft| draft.query.timezone.is_some(), read: Self::timezone },
        Clause {
            words: &["WITH", "METRIC_FORMAT"],
            given: |draft| draft.query.metric_format.is_some(),
            read: Self::metric_format,
        },
        Clause { words: &["WITH"], given: |draft| !draft.query.variables.is_empty(), read: Self::variables },
        Clause {
            words: &["EXTRAPOLATE"],
            given: |draft| draft.query.extrapolate,
            read: |_, draft| {
                draft.query.extrapolate = true;
                Ok(())
            },
        },
        Clause { words: &["PREDICT"], given: |draft| draft.query.predict.is_some(), read: Self::predict },
        Clause {
            words: &["RAW"],
            given: |draft| draft.query.raw,
            read: |_, draft| {
                draft.query.raw = true;
                Ok(())
            },
        },
    ];

    /// The whole text.
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        let statement = if self.is_word("SHOW") { self.show()? } else { Statement::Select(Box::new(self.query()?)) };
        while self.is(Symbol::Semicolon) {
            self.advance();
        }
        if self.token().kind == TokenKind::End {
            return Ok(statement);
        }
        self.note("the end");
        Err(self.fault())
    }

    /// `SHOW EVENT TYPES`.
    fn show(&mut self) -> Parsed<Statement> {
        self.need_word("SHOW")?;
        self.need_word("EVENT")?;
        self.need_word("TYPES")?;
        let (mut since, mut until) = (None, None);
        loop {
            let slot = match (self.is_word("SINCE"), self.is_word("UNTIL")) {
                (true, _) => &mut since,
                (_, true) => &mut until,
                _ => break,
            };
            if slot.is_some() {
                return Err(self.second());
            }
            self.advance();
            *slot = Some(self.moment()?);
        }
        self.note("`SINCE`");
        self.note("`UNTIL`");
        Ok(Statement::ShowEventTypes { since, until })
    }

    /// Whether a query starts here, where a value could stand as well.
    pub(super) fn at_query(&self) -> bool {
        !self.at_name() && Self::CLAUSES.iter().any(|clause| clause.words.first().is_some_and(|word| self.is_word(word)))
    }

    /// A query: clauses, to where none is left.
    pub(super) fn query(&mut self) -> Parsed<Query> {
        self.deeper(|parser| {
            let start = parser.start();
            let mut draft = Draft::default();
            loop {
                if let Some(template) = parser.eat_template() {
                    draft.query.templates.push(template);
                    continue;
                }
                let Some(clause) = parser.clause() else { break };
                if (clause.given)(&draft) {
                    return Err(parser.second());
                }
                for word in clause.words {
                    parser.need_word(word)?;
                }
                (clause.read)(parser, &mut draft)?;
            }
            parser.finished(draft, start)
        })
    }

    /// The clause that starts here: the one of which most words stand here, if several start alike.
    fn clause(&self) -> Option<Clause<'t>> {
        let stands = |at: usize, word: &&str| self.word(at).eq_ignore_ascii_case(word);
        // `WITH timezone AS z` names an attribute.
        let named = self.word(2).eq_ignore_ascii_case("AS");
        let whole = Self::CLAUSES.iter().find(|clause| {
            let mut words = clause.words.iter().enumerate();
            words.all(|(at, word)| stands(at, word)) && !(named && clause.words.len() == 2)
        });
        let begun = || Self::CLAUSES.iter().find(|clause| clause.words.first().is_some_and(|word| stands(0, word)));
        whole.or_else(begun).copied()
    }

    /// Puts the parts of a query together, if all that it needs are there.
    fn finished(&mut self, draft: Draft, start: usize) -> Parsed<Query> {
        let Draft { mut query, width, slide } = draft;
        if query.select.is_empty() {
            self.note("`SELECT`");
            self.note("another clause");
            return Err(self.fault());
        }
        if query.from.is_empty() && query.variables.is_empty() && query.templates.is_empty() {
            self.note("`FROM`");
            self.note("another clause");
            return Err(self.fault());
        }
        self.note("a clause");
        if let (None, Some((_, span))) = (&width, &slide) {
            self.warn(*span, WarningKind::SlideAlone);
        }
        if width.is_some() || slide.is_some() {
            query.timeseries = Some(Timeseries { width: width.unwrap_or(Width::Auto), slide: slide.map(|(step, _)| step) });
        }
        query.span = self.since(start);
        Ok(query)
    }

    /// A clause that was given before stands here.
    fn second(&self) -> SyntaxError {
        self.fault_at(self.token(), "a second", "another clause")
    }

    fn select(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.query.select = self.list(|parser| {
            let span = parser.token().span;
            let value = if parser.is(Symbol::Star) {
                parser.advance();
                Selected::All(span)
            } else {
                Selected::Value(parser.value()?)
            };
            Ok(SelectItem { value, alias: parser.aliases()? })
        })?;
        Ok(())
    }

    fn from(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.query.from = self.sources()?;
        draft.query.joins = self.joins()?;
        Ok(())
    }

    fn condition(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.query.conditions.push(self.value()?);
        Ok(())
    }

    fn facet(&mut self, draft: &mut Draft) -> Parsed<()> {
        let items = self.list(|parser| Ok(FacetItem { value: parser.value()?, alias: parser.alias()? }))?;
        // Only directly behind `FACET`; elsewhere it orders rows.
        let order_by = if self.eat_word("ORDER") {
            self.need_word("BY")?;
            Some(Box::new(self.order_item()?))
        } else {
            None
        };
        draft.query.facet = Some(Facet { items, order_by });
        Ok(())
    }

    fn order(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.query.order_by = self.list(Self::order_item)?;
        Ok(())
    }

    fn order_item(&mut self) -> Parsed<OrderItem> {
        let value = self.value()?;
        let descending = self.eat_word("DESC");
        if !descending {
            self.eat_word("ASC");
        }
        Ok(OrderItem { value, descending })
    }

    fn limit(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.query.limit = Some(match self.eat_template() {
            Some(name) => Limit::Template(name),
            None if self.eat_word("MAX") => Limit::Max,
            None => Limit::Count(self.whole()?),
        });
        Ok(())
    }

    fn offset(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.query.offset = Some(match self.eat_template() {
            Some(name) => Offset::Template(name),
            None => Offset::Count(self.whole()?),
        });
        Ok(())
    }

    fn since_clause(&mut self, draft: &mut Draft) -> Parsed<()> {
        self.moment_into(&mut draft.query.since)
    }

    fn until_clause(&mut self, draft: &mut Draft) -> Parsed<()> {
        self.moment_into(&mut draft.query.until)
    }

    fn compare(&mut self, draft: &mut Draft) -> Parsed<()> {
        self.moment_into(&mut draft.query.compare)
    }

    fn moment_into(&mut self, slot: &mut Option<Moment>) -> Parsed<()> {
        *slot = Some(self.moment()?);
        Ok(())
    }

    fn timeseries(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.width = Some(self.width()?.unwrap_or(Width::Auto));
        Ok(())
    }

    fn slide(&mut self, draft: &mut Draft) -> Parsed<()> {
        let (step, span) = self.spanned(Self::width)?;
        draft.slide = Some((step.ok_or_else(|| self.fault())?, span));
        Ok(())
    }

    fn timezone(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.query.timezone = Some(self.need_text("a time zone in quotes")?);
        Ok(())
    }

    fn metric_format(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.query.metric_format = Some(self.need_text("a format in quotes")?);
        Ok(())
    }

    fn variables(&mut self, draft: &mut Draft) -> Parsed<()> {
        draft.query.variables = self.list(|parser| {
            let value = parser.value()?;
            let names = parser.aliases()?;
            if names.is_empty() { Err(parser.fault()) } else { Ok(Variable { value, names }) }
        })?;
        Ok(())
    }

    fn predict(&mut self, draft: &mut Draft) -> Parsed<()> {
        let mut predict = Predict::default();
        // The word itself was passed.
        let start = self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(self.start(), |word| word.span.start);
        if self.eat_word("HOLTWINTERS") {
            predict.holtwinters = Some(self.arguments()?);
        }
        loop {
            let slot = match (self.is_word("BY"), self.is_word("USING")) {
                (true, _) => &mut predict.by,
                (_, true) => &mut predict.using,
                _ => break,
            };
            if slot.is_some() {
                return Err(self.second());
            }
            self.advance();
            *slot = Some(self.duration()?);
        }
        self.note("`BY`");
        self.note("`USING`");
        predict.span = self.since(start);
        draft.query.predict = Some(predict);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nrql::words;

    /// Otherwise a name that is printed bare could be read as the clause.
    #[test]
    fn the_words_of_every_clause_are_known_to_the_printer() {
        for clause in Parser::CLAUSES {
            for word in clause.words {
                assert!(words::has_meaning(word), "{word}");
            }
        }
    }
}
