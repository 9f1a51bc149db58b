//! Pieces of TOML at random: values in one of the ways to write them, tables with their fields in any order.

use proptest::prelude::*;

/// `key = value`, or nothing.
pub(super) type Pair = Option<String>;

/// A field that is there.
pub(super) fn given(
    key: &'static str,
    value: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<Pair> {
    value.prop_map(move |value| Some(format!("{key} = {value}"))).boxed()
}

/// A field that may be left out.
pub(super) fn maybe(
    key: &'static str,
    value: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<Pair> {
    prop::option::of(value.prop_map(move |value| format!("{key} = {value}"))).boxed()
}

/// A table in braces, its fields in any order.
pub(super) fn table(fields: Vec<BoxedStrategy<Pair>>) -> BoxedStrategy<String> {
    fields.prop_shuffle().prop_map(braces).boxed()
}

pub(super) fn braces(pairs: impl IntoIterator<Item = Pair>) -> String {
    format!("{{ {} }}", pairs.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// An array of these elements.
pub(super) fn array_of(elements: Vec<BoxedStrategy<String>>) -> BoxedStrategy<String> {
    elements.prop_map(|elements| format!("[{}]", elements.join(", "))).boxed()
}

/// An array of 1 to `most` elements.
pub(super) fn array(element: BoxedStrategy<String>, most: usize) -> BoxedStrategy<String> {
    prop::collection::vec(element, 1..=most).prop_map(|elements| format!("[{}]", elements.join(", "))).boxed()
}

pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// A whole number from `least` to `most`.
pub(super) fn number(least: u64, most: u64) -> BoxedStrategy<String> {
    (least..=most).prop_map(|number| number.to_string()).boxed()
}

pub(super) fn flag() -> BoxedStrategy<String> {
    any::<bool>().prop_map(|flag| flag.to_string()).boxed()
}

/// A duration between two numbers of microseconds, written in one way or another.
pub(super) fn duration(least_us: u64, most_us: u64) -> BoxedStrategy<String> {
    (least_us..=most_us, 0..4u8).prop_map(|(us, style)| quoted(&duration_text(us, style))).boxed()
}

fn duration_text(us: u64, style: u8) -> String {
    match style {
        0 => format!("{us}us"),
        1 => format!("{}.{:03}ms", us / 1000, us % 1000),
        2 => format!("{}s{}us", us / 1_000_000, us % 1_000_000),
        _ => format!("{}.{:06}s", us / 1_000_000, us % 1_000_000),
    }
}

/// Thousandths of a core, written in one way or another.
pub(super) fn cpu(milli: u64) -> BoxedStrategy<String> {
    let decimal = format!("{}.{:03}", milli / 1000, milli % 1000);
    let mut ways = vec![quoted(&format!("{milli}m")), quoted(&decimal), decimal];
    if milli.is_multiple_of(1000) {
        ways.push((milli / 1000).to_string());
    }
    prop::sample::select(ways).boxed()
}

/// An amount of memory of at least so many bytes, up to some GiB more.
pub(super) fn bytes(least: u64) -> BoxedStrategy<String> {
    let whole = (least..least + (1 << 32)).prop_map(|bytes| bytes.to_string());
    let mebibytes = (least.div_ceil(1 << 20)..4096 + (least >> 20)).prop_map(|n| quoted(&format!("{n}MiB")));
    let gigabytes = (least.div_ceil(1_000_000_000)..64).prop_map(|n| quoted(&format!("{n}.5GB")));
    prop_oneof![whole, mebibytes, gigabytes].boxed()
}

/// A bandwidth of at least so many megabytes a second.
pub(super) fn bandwidth(least: u64) -> BoxedStrategy<String> {
    let units = prop::sample::select(vec!["MB/s", "MiB/s", "Gbit/s"]);
    (least..1000, units).prop_map(|(n, unit)| quoted(&format!("{n}{unit}"))).boxed()
}
