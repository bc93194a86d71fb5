//! The JSON of an envelope. Letter case does not count in keys, as nowhere in Graph. A key that comes twice, in one
//! spelling or in two, makes the envelope invalid, and so does an unknown key.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde_json::Value;

use super::ItemId;

/// A batch, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope {
    requests: Vec<AnyCase<Item>>,
}

/// A request of a batch, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub(super) id: ItemId,
    pub(super) method: String,
    pub(super) url: String,
    headers: Option<AnyCase<Headers>>,
    // The Python SDK writes this key in its own style.
    #[serde(rename = "dependson", alias = "depends_on")]
    pub(super) depends_on: Option<Vec<ItemId>>,
    body: Option<Value>,
}

/// The headers that this proxy reads. It ignores the others.
#[derive(Deserialize)]
struct Headers {
    prefer: Option<String>,
    consistencylevel: Option<String>,
}

impl Envelope {
    /// The requests of a batch; `None` if the text is none.
    pub(super) fn read(text: &[u8]) -> Option<Vec<Item>> {
        let AnyCase(Self { requests }) = serde_json::from_slice(text).ok()?;
        Some(requests.into_iter().map(|AnyCase(item)| item).collect())
    }
}

impl Item {
    fn headers(&self) -> Option<&Headers> {
        self.headers.as_ref().map(|AnyCase(headers)| headers)
    }

    pub(super) fn prefer(&self) -> Option<String> {
        self.headers()?.prefer.clone()
    }

    pub(super) fn is_eventual(&self) -> bool {
        let level = self.headers().and_then(|headers| headers.consistencylevel.as_deref());
        level.is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
    }

    pub(super) fn has_body(&self) -> bool {
        match &self.body {
            None | Some(Value::Null) => false,
            Some(Value::Object(members)) => !members.is_empty(),
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        }
    }
}

/// A JSON object whose keys may have any letter case. The type's own names for them are in lower case.
struct AnyCase<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for AnyCase<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnObject(PhantomData))
    }
}

struct AnObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnObject<T> {
    type Value = AnyCase<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnyCase<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(LowerCase(map))).map(AnyCase)
    }
}

/// The same object with its keys in lower case. So two spellings of a key come as one key twice, which the derived code
/// refuses.
struct LowerCase<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for LowerCase<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(key) = self.0.next_key::<String>()? else { return Ok(None) };
        seed.deserialize(key.to_ascii_lowercase().into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}
