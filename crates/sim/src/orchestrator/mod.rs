//! Room 4: decides where and when.

pub(crate) mod back_off;
