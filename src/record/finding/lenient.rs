//! Fields that come in more than one shape.
//!
//! In: a JSON value. Out: what of it can be used, borrowed where it can be. What always holds: an odd shape is an absent value,
//! never an error: a finding is not lost for a field that is only shown.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::record::Text;

/// A list of texts, or a single one.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts<'a>(pub(super) Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Items(items) = Items::<Text<'a>>::deserialize(deserializer)?;
        Ok(Self(items.into_iter().filter_map(some).collect()))
    }
}

/// A list of things, or a single one; what is no such thing is left out.
#[derive(Debug, Clone)]
pub(super) struct Items<T>(pub(super) Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        if let Ok(raws) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            return Ok(Self(raws.into_iter().filter_map(|raw| serde_json::from_str(raw.get()).ok()).collect()));
        }
        Ok(Self(serde_json::from_str(raw.get()).into_iter().collect()))
    }
}

/// A part of a record, or nothing where it has another shape.
#[derive(Debug, Clone)]
pub(super) struct Part<T>(pub(super) Option<T>);

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Part<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

/// A text, or nothing where there is a list or a map.
#[derive(Debug, Clone, Default)]
pub(super) struct Word<'a>(Option<Cow<'a, str>>);

impl<'a> Word<'a> {
    /// The text, if it is there and not empty.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The same with the input's life where it could be borrowed.
    pub(super) fn take(self) -> Option<Cow<'a, str>> {
        self.0
    }

    /// A number, also where it is written as text.
    pub(super) fn number(&self) -> Option<f64> {
        self.get()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A whole number.
    pub(super) fn whole(&self) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
        self.number().map(|number| number as i64)
    }

    /// `true`, `YES`, …
    pub(super) fn is_true(&self) -> bool {
        self.get().is_some_and(|text| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("yes"))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Part(text) = Part::<Text<'a>>::deserialize(deserializer)?;
        Ok(Self(text.and_then(some)))
    }
}

/// A map of texts, in the order of the record: `{"AWS": "*"}`.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairs<'a>(pub(super) Vec<(Cow<'a, str>, Texts<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairsVisitor(PhantomData))
    }
}

/// A resource's tags: a map, or a list of `{key, value}` or `{name, value}`.
#[derive(Debug, Clone, Default)]
pub(super) struct Tags<'a>(pub(super) Vec<(Cow<'a, str>, Cow<'a, str>)>);

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(alias = "Key", alias = "name", borrow, default)]
    key: Word<'a>,
    #[serde(alias = "Value", borrow, default)]
    value: Word<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Tags<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('{') {
            let Pairs(pairs) = serde_json::from_str(raw).unwrap_or_default();
            let first = |(key, Texts(values)): (Cow<'a, str>, Texts<'a>)| Some((key, values.into_iter().next()?));
            return Ok(Self(pairs.into_iter().filter_map(first).collect()));
        }
        let Items(list) = serde_json::from_str::<Items<Tag<'a>>>(raw).unwrap_or_default();
        Ok(Self(list.into_iter().filter_map(|tag| Some((tag.key.take()?, tag.value.take()?))).collect()))
    }
}

struct PairsVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for PairsVisitor<'a> {
    type Value = Pairs<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((name, texts)) = map.next_entry::<Text<'a>, Texts<'a>>()? {
            pairs.extend(some(name).map(|name| (name, texts)));
        }
        Ok(Pairs(pairs))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Pairs(vec![(Cow::Borrowed(""), Texts(vec![Cow::Borrowed(text)]))]))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Pairs(vec![(Cow::Borrowed(""), Texts(vec![Cow::Owned(text.to_owned())]))]))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Pairs::default())
    }

    fn visit_bool<E: Error>(self, _value: bool) -> Result<Self::Value, E> {
        Ok(Pairs::default())
    }

    fn visit_u64<E: Error>(self, _value: u64) -> Result<Self::Value, E> {
        Ok(Pairs::default())
    }

    fn visit_i64<E: Error>(self, _value: i64) -> Result<Self::Value, E> {
        Ok(Pairs::default())
    }

    fn visit_f64<E: Error>(self, _value: f64) -> Result<Self::Value, E> {
        Ok(Pairs::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Pairs::default())
    }
}

fn some(text: Text<'_>) -> Option<Cow<'_, str>> {
    text.into_cow().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_shape_is_an_absent_value() {
        for (json, want) in [
            (r#"["a","",null,1,["x"],{"y":1},"b"]"#, vec!["a", "1", "b"]),
            (r#""a""#, vec!["a"]),
            ("null", vec![]),
            (r#"{"a":1}"#, vec![]),
        ] {
            let Texts(texts) = serde_json::from_str(json).expect(json);
            assert_eq!(texts, want, "{json}");
        }
        for (json, want) in [("7.5", Some(7.5)), (r#""8""#, Some(8.0)), (r#""high""#, None), ("[1]", None), ("null", None)] {
            assert_eq!(serde_json::from_str::<Word<'_>>(json).expect(json).number(), want, "{json}");
        }
        for (json, want) in [(r#"{"AWS":"*"}"#, 1), (r#""*""#, 1), ("[1]", 0), ("null", 0), ("true", 0), ("1", 0)] {
            assert_eq!(serde_json::from_str::<Pairs<'_>>(json).expect(json).0.len(), want, "{json}");
        }
        assert_eq!(
            serde_json::from_str::<Part<Pairs<'_>>>(r#"{"AWS":["1","2"]}"#).expect("a map").0.map(|pairs| pairs.0.len()),
            Some(1)
        );
    }
}
