//! Network addresses.

use std::net::Ipv4Addr;

use super::{Named, RowFunction, maybe_text, text_at};
use crate::lab::engine::{
    time::{Context, whole},
    value::Value,
};

pub(super) const FUNCTIONS: &[RowFunction] = &[RowFunction::new("cidrAddress", 1, 3, cidr_address)];

/// The network an IPv4 address lies in: `10.1.2.3` with 24 gives `10.1.2.0/24`, `10.1.2.0` if the third argument is false. A length
/// of its own after the address (`10.1.2.3/24`) counts when there is no second argument. Null for what is no address or length.
fn cidr_address(_: &Context, args: &[Value], _: &Named<'_>) -> Value {
    let Some(text) = text_at(args, 0) else { return Value::Null };
    let (address, own_length) = match text.split_once('/') {
        Some((address, length)) if length.bytes().all(|byte| byte.is_ascii_digit()) => (address, length.parse().ok()),
        Some(_) => return Value::Null,
        None => (text, None),
    };
    let length: Option<u32> = match args.get(1) {
        None => own_length,
        Some(Value::Number(length)) if length.fract() == 0.0 => whole(*length).and_then(|length| u32::try_from(length).ok()),
        Some(_) => None,
    };
    let with_length = match args.get(2) {
        None => true,
        Some(Value::Bool(with_length)) => *with_length,
        Some(_) => return Value::Null,
    };
    let network = address.parse::<Ipv4Addr>().ok().zip(length.filter(|length| *length <= 32)).map(|(address, length)| {
        // A length of 0 keeps no bit; shifting by 32 is no shift.
        let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
        (Ipv4Addr::from_bits(address.to_bits() & mask), length)
    });
    maybe_text(network.map(|(network, length)| if with_length { format!("{network}/{length}") } else { network.to_string() }))
}
