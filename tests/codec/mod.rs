//! What the proxy compresses, every decoder reads.
//!
//! | file | what |
//! |---|---|
//! | `members` | texts at the edges of the format, cut and flushed in every way; `run` has them read by zlib, libdeflate, ISA-L and Node |
//!
//! For any text, the property `deflate` of `fuzz/` says the same.

mod members;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::properties::deflate;

/// Literals, and copies of what was before (`fuzz/properties/deflate.rs`).
fn program() -> impl Strategy<Value = Vec<u8>> {
    let literal = any::<u8>().prop_map(|byte| vec![byte]);
    let copy = vec(any::<u8>(), 3).prop_map(|operands| [vec![0xff], operands].concat());
    vec(prop_oneof![literal, copy], 0..400).prop_map(|steps| steps.concat())
}

proptest! {
    #[test]
    fn any_text_in_any_pieces_is_read_back(cuts in vec(any::<u8>(), 0..8), program in program()) {
        let cuts = [vec![u8::try_from(cuts.len()).unwrap()], cuts].concat();
        deflate(&[cuts, program].concat());
    }
}
