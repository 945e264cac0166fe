//! Functions of rows whose arguments are known for many rows at once.
//!
//! In: a call and the rows. Out: its values. What always holds: where every argument is a constant or coded, the function is called
//! once for each combination that occurs in the segment.

use std::borrow::Cow;
use std::rc::Rc;

use super::super::value::Value;
use super::evaluator::{Batch, BatchRow, Evaluator};
use super::memo::COLUMNS_MAX;
use super::scalar::call_with;
use super::vector::{Coding, Vector};
use super::{CallNode, Node};
use crate::lab::store::hash::QuickMap;

/// Marks the source of codes that are of one segment alone.
const OF_SEGMENT: usize = usize::MAX - 1;

impl Evaluator {
    /// The values of a function in some rows.
    pub(super) fn call_vector<'b>(&self, call: &CallNode, batch: &Batch<'b>, rows: &[u32]) -> Vector<'b> {
        let size = batch.segment.rows();
        let arguments: Vec<Vector<'b>> = call.arguments.iter().map(|node| self.vector(node, batch, rows)).collect();
        let one = |row: u32| {
            let values: Vec<Value> = arguments.iter().map(|argument| argument.value(row)).collect();
            call_with(self.scalars(), call, &values, &BatchRow { evaluator: self, batch, row })
        };
        let codes: Vec<&[i32]> = arguments
            .iter()
            .filter_map(|argument| if let Vector::Codes { codes, .. } = argument { Some(&**codes) } else { None })
            .collect();
        let constants = arguments.iter().filter(|argument| matches!(argument, Vector::Constant(_))).count();
        let named_alone = call.named.iter().all(|(_, node)| matches!(node, Node::Constant(_)));
        if codes.len() + constants < arguments.len() || codes.len() > COLUMNS_MAX || !named_alone {
            let mut values = vec![Value::Null; size];
            for row in rows {
                if let Some(place) = values.get_mut(*row as usize) {
                    *place = one(*row);
                }
            }
            return Vector::Values(values);
        }
        // Place 0 is for a code of -1, which none of these rows has.
        let mut values = vec![None];
        let mut known: QuickMap<u128, i32> = QuickMap::default();
        let mut places = vec![-1; size];
        for row in rows {
            let code = |codes: &&[i32]| codes.get(*row as usize).copied().unwrap_or(-1);
            let key = codes.iter().fold(0_u128, |key, codes| (key << 32) | u128::from((code(codes) + 1).cast_unsigned()));
            let found = *known.entry(key).or_insert_with(|| {
                values.push(Some(one(*row)));
                i32::try_from(values.len()).unwrap_or(i32::MAX) - 2
            });
            if let Some(place) = places.get_mut(*row as usize) {
                *place = found;
            }
        }
        let source = (OF_SEGMENT, self.segment_codes.replace(self.segment_codes.get() + 1), 0);
        Vector::Codes { codes: Cow::Owned(places), entries: Coding::Memory(Rc::new(values)), source }
    }
}
