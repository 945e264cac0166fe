//! One page after another of what was found.
//!
//! In: everything that was found, and a cursor. Out: the next page and its cursor. What always holds: a cursor is one that was given
//! here, or it is refused; the pages of what does not change have every item once.

use serde_json::Value as Json;

use super::Arguments;
use super::graphql::Fault;

/// One page of what was found, and where the next one begins. A cursor is the position, in a form that nobody takes for a number.
pub(super) fn page<T>(found: Vec<T>, cursor: Option<&str>, size: usize) -> Result<(Vec<T>, Option<String>), Fault> {
    let start: usize = match cursor {
        None | Some("") => 0,
        Some(cursor) => {
            let position = cursor.strip_prefix("after:").and_then(|position| position.parse().ok());
            position.ok_or_else(|| Fault::of("BAD_USER_INPUT", format!("the cursor {cursor:?} is none that was given")))?
        }
    };
    let next = start.saturating_add(size);
    let more = found.len() > next;
    Ok((found.into_iter().skip(start).take(size).collect(), more.then(|| format!("after:{next}"))))
}

/// The cursor among arguments.
pub(super) fn cursor(arguments: &Arguments) -> Option<&str> {
    arguments.get("cursor").and_then(Json::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end_and_a_made_up_cursor_is_refused() {
        let all = vec!['a', 'b', 'c', 'd', 'e'];
        let of = |cursor: Option<&str>| page(all.clone(), cursor, 2);
        assert_eq!(of(None), Ok((vec!['a', 'b'], Some("after:2".to_owned()))));
        assert_eq!(of(Some("after:2")), Ok((vec!['c', 'd'], Some("after:4".to_owned()))));
        assert_eq!(of(Some("after:4")), Ok((vec!['e'], None)));
        assert_eq!(of(Some("after:99")), Ok((vec![], None)));
        assert!(of(Some("2")).is_err());
    }
}
