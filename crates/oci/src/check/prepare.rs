//! What the specification allows and the crate `oci-spec` can't read is put into words that it can, before the file is read.
//!
//! It costs a second reading, so it is for files that were refused at the first: whoever calls reads, prepares, reads again.

use serde_json::{Value, json};

use crate::{Warning, capabilities};

/// Prepares a whole `config.json`, and tells what had to be left out: capabilities that nobody knows.
pub fn prepare(config: &mut Value) -> Vec<Warning> {
    drop_nulls(config);
    if let Some(limits) = config.pointer_mut("/linux/resources/hugepageLimits").and_then(Value::as_array_mut)
    {
        limits.iter_mut().filter_map(|limit| limit.get_mut("limit")).for_each(clamp);
    }
    config.get_mut("process").map(prepare_process).unwrap_or_default()
}

/// The same for a process of its own, as `exec --process` takes it.
pub fn prepare_process(process: &mut Value) -> Vec<Warning> {
    drop_nulls(process);
    if let Some(fields) = process.as_object_mut() {
        // The schema asks for `cwd` alone; engines and runtimes written in Go take whom they are not told of for root.
        fields.entry("user").or_insert_with(|| json!({}));
    }
    if let Some(flags) = process.pointer_mut("/scheduler/flags").and_then(Value::as_array_mut) {
        flags.iter_mut().for_each(flag);
    }
    if let Some(affinity) = process.get_mut("execCPUAffinity").and_then(Value::as_object_mut) {
        // "If omitted or empty": the crate knows only the first.
        affinity.retain(|_, list| list.as_str() != Some(""));
    }
    capabilities::sieve(process)
}

/// Null is what Go writes for a list that it has not got: the field is left out. No deeper than the parser went.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A uint64 by the specification, an i64 in the crate: as much is no limit on any machine.
fn clamp(limit: &mut Value) {
    if limit.as_u64().is_some_and(|bytes| i64::try_from(bytes).is_err()) {
        *limit = Value::from(i64::MAX);
    }
}

/// Flags of which the crate has names of its own.
fn flag(flag: &mut Value) {
    let own = match flag.as_str() {
        Some("SCHED_FLAG_RESET_ON_FORK") => "SCHED_RESET_ON_FORK",
        Some("SCHED_FLAG_DL_OVERRUN") => "SCHED_FLAG_D_L_OVERRUN",
        _ => return,
    };
    *flag = Value::from(own);
}
