//! Boolean expressions over any kind of leaf.
//!
//! In: conditions and selections. Out: a tree that maps, simplifies and evaluates. Knows nothing of fields or records.

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr<L> {
    Const(bool),
    Leaf(L),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl<L> Expr<L> {
    /// The negation.
    pub(super) fn negate(self) -> Self {
        match self {
            Self::Const(value) => Self::Const(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// Every part holds. Flat, and without constants.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Const(true) => {}
                Self::Const(false) => return Self::Const(false),
                Self::All(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        Self::single(kept, true, Self::All)
    }

    /// Some part holds. Flat, and without constants.
    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut kept = Vec::new();
        for part in parts {
            match part {
                Self::Const(false) => {}
                Self::Const(true) => return Self::Const(true),
                Self::Any(inner) => kept.extend(inner),
                other => kept.push(other),
            }
        }
        Self::single(kept, false, Self::Any)
    }

    fn single(mut parts: Vec<Self>, empty: bool, many: fn(Vec<Self>) -> Self) -> Self {
        match parts.len() {
            0 => Self::Const(empty),
            1 => parts.pop().unwrap_or(Self::Const(empty)),
            _ => many(parts),
        }
    }

    /// The same tree with every leaf replaced, simplified.
    pub(super) fn replace<M>(&self, leaf: &mut impl FnMut(&L) -> Expr<M>) -> Expr<M> {
        match self {
            Self::Const(value) => Expr::Const(*value),
            Self::Leaf(inner) => leaf(inner),
            Self::Not(inner) => inner.replace(leaf).negate(),
            Self::All(parts) => Expr::all(parts.iter().map(|part| part.replace(leaf)).collect::<Vec<_>>()),
            Self::Any(parts) => Expr::any(parts.iter().map(|part| part.replace(leaf)).collect::<Vec<_>>()),
        }
    }

    /// Whether the condition holds, asking `leaf` for as few leaves as needed, in order.
    pub(super) fn holds(&self, leaf: &mut impl FnMut(&L) -> bool) -> bool {
        match self {
            Self::Const(value) => *value,
            Self::Leaf(inner) => leaf(inner),
            Self::Not(inner) => !inner.holds(leaf),
            Self::All(parts) => parts.iter().all(|part| part.holds(leaf)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(leaf)),
        }
    }

    /// Nodes of the tree.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Const(_) | Self::Leaf(_) => 1,
            Self::Not(inner) => 1 + inner.size(),
            Self::All(parts) | Self::Any(parts) => 1 + parts.iter().map(Self::size).sum::<usize>(),
        }
    }

    /// Puts cheap parts first; `cost` of a tree is the sum of its leaves.
    pub(super) fn sort_by_cost(&mut self, cost: &impl Fn(&L) -> u32) -> u32 {
        match self {
            Self::Const(_) => 0,
            Self::Leaf(inner) => cost(inner),
            Self::Not(inner) => inner.sort_by_cost(cost),
            Self::All(parts) | Self::Any(parts) => {
                let mut costed: Vec<_> =
                    std::mem::take(parts).into_iter().map(|mut part| (part.sort_by_cost(cost), part)).collect();
                costed.sort_by_key(|(cost, _)| *cost);
                let sum = costed.iter().fold(0_u32, |sum, (cost, _)| sum.saturating_add(*cost));
                parts.extend(costed.into_iter().map(|(_, part)| part));
                sum
            }
        }
    }
}
