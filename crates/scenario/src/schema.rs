//! The one table of the format's fields. The parser takes from it what is known, what is bounded and what is the default;
//! `explain` prints it. So the two cannot drift.

mod calibration;
mod event;
mod host;
mod root;
mod takes;
mod tenant;
pub(crate) mod tree;
mod view;
mod workload;

pub(crate) use calibration::{CALIBRATION, CALIBRATION_SCHEMA};
pub(crate) use root::ROOT;
pub(crate) use takes::{CORES_MOST, RATE_MOST, Takes};
pub(crate) use view::View;
pub(crate) use workload::WORKLOAD;

/// A field of a table.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) takes: Takes,
    pub(crate) unless_given: Unless,
    pub(crate) meaning: &'static str,
    pub(crate) example: &'static str,
    pub(crate) becomes: &'static str,
}

/// What a field is where the file does not give it.
#[derive(Clone, Copy)]
pub(crate) enum Unless {
    /// An error.
    Required,
    /// Nothing, said in words.
    Absent(&'static str),
    /// A value, as TOML.
    Default(&'static str),
}

/// A table and its fields.
pub(crate) struct Table {
    pub(crate) meaning: &'static str,
    pub(crate) fields: &'static [Field],
    pub(crate) cases: Option<&'static Cases>,
}

/// Tables of which one field's value says which one it is.
#[derive(Clone, Copy)]
pub(crate) struct Cases {
    /// The field that decides.
    pub(crate) by: &'static str,
    /// A field that stands in its place.
    pub(crate) instead: Option<&'static str>,
    /// Its values, with the fields that each adds.
    pub(crate) tables: &'static [(&'static str, &'static Table)],
}

impl Field {
    const fn new(name: &'static str, takes: Takes, unless_given: Unless) -> Self {
        Self { name, takes, unless_given, meaning: "", example: "", becomes: "" }
    }

    const fn required(name: &'static str, takes: Takes) -> Self {
        Self::new(name, takes, Unless::Required)
    }

    const fn optional(name: &'static str, takes: Takes) -> Self {
        Self::new(name, takes, Unless::Absent("none"))
    }

    /// Absent by default, with more to say than "none".
    const fn absent(name: &'static str, takes: Takes, unless_given: &'static str) -> Self {
        Self::new(name, takes, Unless::Absent(unless_given))
    }

    const fn default(name: &'static str, takes: Takes, default: &'static str) -> Self {
        Self::new(name, takes, Unless::Default(default))
    }

    const fn means(mut self, meaning: &'static str) -> Self {
        self.meaning = meaning;
        self
    }

    /// An example value, as TOML.
    const fn like(mut self, example: &'static str) -> Self {
        self.example = example;
        self
    }

    const fn becomes(mut self, becomes: &'static str) -> Self {
        self.becomes = becomes;
        self
    }
}

/// How many platforms there are.
const PLATFORMS: usize = crate::Platform::ALL.len();

/// One field for each platform, all of one kind.
const fn by_platform(takes: Takes) -> [Field; PLATFORMS] {
    let mut fields = [Field::optional("", takes); PLATFORMS];
    let mut index = 0;
    while index < PLATFORMS {
        fields[index].name = crate::Platform::ALL[index].name();
        index += 1;
    }
    fields
}

impl Table {
    const fn new(meaning: &'static str, fields: &'static [Field]) -> Self {
        Self { meaning, fields, cases: None }
    }

    const fn by(mut self, cases: &'static Cases) -> Self {
        self.cases = Some(cases);
        self
    }

    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The case of that name, with the fields that it adds.
    fn case(&self, case: &str) -> Option<(&'static str, &'static Self)> {
        self.cases?.tables.iter().find(|(name, _)| *name == case).copied()
    }

    /// The first case that has such a field, for advice.
    fn case_with(&self, field: &str) -> Option<&'static str> {
        self.cases?.tables.iter().find(|(_, table)| table.field(field).is_some()).map(|(name, _)| *name)
    }
}
