//! From a field's path to its place in a text.

use toml_edit::{Item, TableLike, Value};

use crate::diagnostic::{Diagnostic, Problem, nearest, quoted};
use crate::schema::{Field, ROOT, Table, Takes, Unless, View};

/// A key, and the place in its array where it has one.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) key: String,
    pub(super) index: Option<usize>,
}

/// The field that a path names.
pub(super) struct Target {
    pub(super) steps: Vec<Step>,
    pub(super) takes: Takes,
    pub(super) default: Option<&'static str>,
    pub(super) path: String,
}

/// The table that a step leads to.
pub(super) fn child<'a>(table: &'a dyn TableLike, step: &Step) -> Option<&'a dyn TableLike> {
    let item = table.get(&step.key)?;
    match (step.index, item) {
        (None, item) => item.as_table_like(),
        (Some(index), Item::ArrayOfTables(tables)) => tables.get(index).map(|table| table as &dyn TableLike),
        (Some(index), item) => {
            item.as_array()?.get(index)?.as_inline_table().map(|table| table as &dyn TableLike)
        }
    }
}

/// The table that a step leads to, for changing it.
pub(super) fn child_mut<'a>(table: &'a mut dyn TableLike, step: &Step) -> Option<&'a mut dyn TableLike> {
    let item = table.get_mut(&step.key)?;
    match (step.index, item) {
        (None, item) => item.as_table_like_mut(),
        (Some(index), Item::ArrayOfTables(tables)) => tables.get_mut(index).map(|t| t as &mut dyn TableLike),
        (Some(index), item) => {
            item.as_array_mut()?.get_mut(index)?.as_inline_table_mut().map(|t| t as &mut dyn TableLike)
        }
    }
}

/// Walks a path through the table of fields and through the text at once.
struct Walk<'a> {
    path: &'a str,
    /// What of the path is still to come.
    rest: std::iter::Peekable<std::str::Split<'a, char>>,
    schema: &'static Table,
    /// The table of the text, where it is given.
    table: Option<&'a dyn TableLike>,
    steps: Vec<Step>,
}

/// Finds the field of a path. Elements of arrays go by their name (`tenant.web.cpu`) or their place (`event[0].at`, `event.0.at`).
pub(super) fn locate<'a>(root: &'a dyn TableLike, path: &'a str) -> Result<Target, Diagnostic> {
    let rest = path.split('.').peekable();
    let mut walk = Walk { path, rest, schema: &ROOT, table: Some(root), steps: Vec::new() };
    loop {
        if let Some(target) = walk.step()? {
            return Ok(target);
        }
    }
}

impl<'a> Walk<'a> {
    fn refuse(&self, problem: Problem) -> Diagnostic {
        problem.at(None, self.path.chars().take(200).collect::<String>())
    }

    fn view(&self) -> View {
        let get = |name: &str| self.table.and_then(|table| table.get(name));
        View::new(self.schema, |name| get(name).and_then(Item::as_str), |name| get(name).is_some())
    }

    /// Takes one step; gives the target when it is reached.
    fn step(&mut self) -> Result<Option<Target>, Diagnostic> {
        let Some(segment) = self.rest.next() else {
            let problem = Problem::new("a whole table").accepts("the path of one of its fields");
            return Err(self.refuse(problem.advises("see `catamaran explain`")));
        };
        let (name, index) = split_index(segment);
        let view = self.view();
        let field = view.field(name).ok_or_else(|| self.refuse(view.unknown(name)))?;
        match field.takes {
            Takes::Tables(schema) if index.is_some() || self.rest.peek().is_some() => {
                self.enter_element(field, index)?;
                self.schema = schema;
            }
            Takes::Table(schema) | Takes::ByPlatform(schema) if self.rest.peek().is_some() => {
                self.enter(Step { key: name.to_owned(), index: None })?;
                self.schema = schema;
            }
            Takes::Map if self.rest.peek().is_some() => return self.entry(field).map(Some),
            _ if self.rest.peek().is_some() || index.is_some() => {
                return Err(self.refuse(
                    Problem::new(format!("{name} has no fields")).advises(format!("end the path at {name}")),
                ));
            }
            _ => return Ok(Some(self.reached(field.name, field.takes, default_of(field)))),
        }
        Ok(None)
    }

    fn reached(&mut self, key: &str, takes: Takes, default: Option<&'static str>) -> Target {
        let mut steps = std::mem::take(&mut self.steps);
        steps.push(Step { key: key.to_owned(), index: None });
        Target { steps, takes, default, path: self.path.to_owned() }
    }

    /// An entry of a table whose keys are the user's own.
    fn entry(&mut self, field: &'static Field) -> Result<Target, Diagnostic> {
        self.enter(Step { key: field.name.to_owned(), index: None })?;
        let key: Vec<&str> = self.rest.by_ref().collect();
        Ok(self.reached(&key.join("."), Takes::Text, None))
    }

    fn enter(&mut self, step: Step) -> Result<(), Diagnostic> {
        if let Some(table) = self.table
            && table.contains_key(&step.key)
        {
            let next = child(table, &step);
            if next.is_none() {
                return Err(self.refuse(
                    Problem::new(format!("{} is no table in this text", step.key)).advises("mend the text"),
                ));
            }
            self.table = next;
        } else {
            self.table = None;
        }
        self.steps.push(step);
        Ok(())
    }

    /// Enters an element of an array, which must be there.
    fn enter_element(&mut self, field: &'static Field, index: Option<usize>) -> Result<(), Diagnostic> {
        let item = self.table.and_then(|table| table.get(field.name));
        let names: Vec<Option<&str>> = item.map(element_names).unwrap_or_default();
        let index = match index {
            Some(index) if index < names.len() => index,
            Some(index) => {
                let problem = Problem::new(format!("there is no {}[{index}]", field.name));
                return Err(self.refuse(problem.accepts(format!("an index below {}", names.len()))));
            }
            None => {
                let wanted = self.rest.next().unwrap_or_default();
                let named = names.iter().position(|name| *name == Some(wanted));
                let found = named.or_else(|| wanted.parse().ok().filter(|index| *index < names.len()));
                found.ok_or_else(|| self.refuse(no_element(field.name, wanted, &names)))?
            }
        };
        self.enter(Step { key: field.name.to_owned(), index: Some(index) })
    }
}

fn no_element(array: &str, wanted: &str, names: &[Option<&str>]) -> Problem {
    const LISTED: usize = 20;
    let known = || names.iter().flatten().copied().filter(|name| !name.chars().any(char::is_control));
    let listed: Vec<String> = known().take(LISTED).map(|name| name.chars().take(63).collect()).collect();
    let accepted = if listed.is_empty() { format!("{array}[0]") } else { listed.join(", ") };
    Problem::new(format!("there is no {array} {}", quoted(wanted)))
        .accepts(accepted)
        .suggests(nearest(wanted, known()))
}

/// The names of an array's elements; `None` for one that has none.
fn element_names(item: &Item) -> Vec<Option<&str>> {
    match item {
        Item::ArrayOfTables(tables) => {
            tables.iter().map(|table| table.get("name").and_then(Item::as_str)).collect()
        }
        Item::Value(Value::Array(array)) => {
            array.iter().map(|element| element.as_inline_table()?.get("name")?.as_str()).collect()
        }
        _ => Vec::new(),
    }
}

fn default_of(field: &Field) -> Option<&'static str> {
    match field.unless_given {
        Unless::Default(default) => Some(default),
        _ => None,
    }
}

/// `phases[1]` into its name and its index.
fn split_index(segment: &str) -> (&str, Option<usize>) {
    let split = segment.strip_suffix(']').and_then(|rest| rest.split_once('['));
    match split.map(|(name, index)| (name, index.parse())) {
        Some((name, Ok(index))) => (name, Some(index)),
        _ => (segment, None),
    }
}
