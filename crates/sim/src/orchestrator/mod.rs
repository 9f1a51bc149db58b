//! Room 4: decides where and when.

pub(crate) use catamaran_scenario::back_off;
