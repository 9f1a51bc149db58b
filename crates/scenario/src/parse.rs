//! Scenario text to a validated [`Plan`].

mod budget;
mod calibration;
mod event;
mod host;
mod layer;
mod reader;
mod tenant;
mod value;
mod workload;

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, Problem, nearest};
use crate::plan::{Image, Layer, Text};
use crate::schema::{CORES_MOST, ROOT, Table};
use crate::{Nanos, Plan, Platform};

use reader::{Input, Place, Reader};
pub(crate) use value::check as check_value;

/// Largest file (bytes).
const FILE_BYTES_MAX: usize = 1 << 20;

/// Most tenants.
const TENANTS_MAX: usize = 1000;

/// Most images, and most layers of one.
const IMAGES_MAX: usize = 1000;

/// What the rest of the file is checked against.
struct Scope {
    duration: Nanos,
    cores: u32,
    nodes: u32,
    tenants: Vec<String>,
    images: Vec<String>,
    /// Those that are right.
    known: Vec<Image>,
}

impl Plan {
    /// Reads and validates a scenario; `file` is what diagnostics call it.
    ///
    /// # Errors
    /// The first problem by its position in the file, with what is accepted and what to do.
    pub fn from_toml(text: &str, file: &str) -> Result<Self, Diagnostic> {
        read_file(text, file, &ROOT, read_plan)
    }
}

/// Reads a TOML file by its table of fields. `read` gives nothing only where it has noted why.
fn read_file<T>(
    text: &str,
    file: &str,
    schema: &'static Table,
    read: impl FnOnce(&Reader<'_>) -> Option<T>,
) -> Result<T, Diagnostic> {
    let input = Input::new(text, file);
    let document = parse_table(&input, text)?;
    let done = read(&Reader::open(&input, document.get_ref(), schema, 0..0, String::new()));
    match (input.first(), done) {
        (None, Some(done)) => Ok(done),
        (first, _) => Err(first.unwrap_or_else(unexplained)),
    }
}

fn parse_table<'a>(input: &Input<'a>, text: &'a str) -> Result<Spanned<DeTable<'a>>, Diagnostic> {
    if text.len() > FILE_BYTES_MAX {
        let problem = Problem::new(format!("the file has {} bytes", text.len()));
        let problem = problem.accepts(format!("at most {FILE_BYTES_MAX}"));
        return Err(input.diagnose(&Place::default(), problem));
    }
    DeTable::parse(text).map_err(|error| syntax(input, &error))
}

/// Refuses a text that is too large or not TOML.
pub(crate) fn check_syntax(text: &str, file: &str) -> Result<(), Diagnostic> {
    parse_table(&Input::new(text, file), text).map(drop)
}

fn syntax(input: &Input<'_>, error: &toml::de::Error) -> Diagnostic {
    let place = Place { span: error.span().unwrap_or_default(), path: String::new() };
    let problem = Problem::new(format!("not TOML: {}", error.message()));
    input.diagnose(&place, problem.advises("mend the syntax; see https://toml.io"))
}

/// Every refusal notes its reason; this one would be a defect of the parser.
fn unexplained() -> Diagnostic {
    Problem::new("refused without a reason")
        .advises("this is a defect of Catamaran, please report it")
        .at(None, "")
}

fn read_plan(root: &Reader<'_>) -> Option<Plan> {
    let schema = root.read("schema", value::take_exactly);
    let name = root.kebab("name");
    let title = read_title(root);
    let seed = root.count("seed");
    let duration = root.duration("duration");
    let platforms = read_platforms(root);
    let host = host::read(root);
    let scope = Scope {
        // Where one of these is wrong the scenario is refused anyway; what follows is then checked against the widest.
        duration: duration.unwrap_or(Nanos(u64::MAX)),
        cores: host.as_ref().map_or(CORES_MOST, |host| host.cores),
        nodes: host.as_ref().map_or(u32::MAX, |host| host.nodes),
        tenants: names(root, "tenant"),
        images: names(root, "image"),
        known: read_images(root),
    };
    let tenants = tenant::read_all(root, &scope);
    let events = event::read_all(root, &scope, &tenants);
    let settings = host::read_settings(root);
    budget::check(root, &scope, &tenants, events.as_deref().unwrap_or_default());
    schema?;
    let title = title.or_else(|| Some(Text { en: name.clone()?, ko: None }))?;
    let tenants = tenants.into_iter().map(|located| located.tenant).collect();
    let events = events?;
    Some(Plan {
        name: name?,
        title,
        seed: seed?,
        duration: duration?,
        platforms: platforms?,
        host: host?,
        tenants,
        images: scope.known,
        events,
        settings,
        folder: Default::default(),
    })
}

/// The names in an array of tables, right or wrong, so that what refers to them can be checked before they are read.
fn names(root: &Reader<'_>, array: &str) -> Vec<String> {
    let elements = if root.has(array) { root.elements(array).unwrap_or_default() } else { Vec::new() };
    let name =
        |value: &toml::de::DeValue<'_>| Some(value.as_table()?.get("name")?.get_ref().as_str()?.to_owned());
    elements.into_iter().take(TENANTS_MAX).filter_map(|(_, value)| name(value)).collect()
}

fn read_title(root: &Reader<'_>) -> Option<Text> {
    let title = root.table("title")?;
    let (en, ko) = (title.text("en"), title.text("ko"));
    Some(Text { en: en?, ko })
}

fn read_platforms(root: &Reader<'_>) -> Option<Vec<Platform>> {
    let elements = root.elements("platforms")?;
    if elements.is_empty() {
        let problem = Problem::new("found an empty list").accepts(platform_names());
        root.fail("platforms", problem.advises("name at least one"));
    }
    let mut platforms = Vec::new();
    for (place, value) in elements {
        let Some(platform) = value.as_str().and_then(Platform::from_name) else {
            root.fail_with(&place, || unknown_platform(value));
            return None;
        };
        if platforms.contains(&platform) {
            let problem = Problem::new(format!("{:?} is listed twice", platform.name()));
            root.fail_at(&place, problem.advises("leave one out"));
            return None;
        }
        platforms.push(platform);
    }
    Some(platforms)
}

fn platform_names() -> String {
    Platform::ALL.iter().map(|platform| platform.name()).collect::<Vec<_>>().join(", ")
}

fn unknown_platform(value: &toml::de::DeValue<'_>) -> Problem {
    let suggestion = value.as_str().and_then(|found| nearest(found, Platform::ALL.iter().map(|p| p.name())));
    let found = value::describe(value);
    Problem::new(format!("{found} is not a platform")).accepts(platform_names()).suggests(suggestion)
}

fn read_images(root: &Reader<'_>) -> Vec<Image> {
    let mut seen = BTreeSet::new();
    let readers = root.tables("image", IMAGES_MAX, |_| None);
    readers.iter().filter_map(|reader| read_image(reader, &mut seen)).collect()
}

fn read_image(reader: &Reader<'_>, seen: &mut BTreeSet<String>) -> Option<Image> {
    let name = reader.image_name("name");
    if let Some(name) = &name
        && !seen.insert(name.clone())
    {
        reader.fail(
            "name",
            Problem::new(format!("there is an image {name:?} already"))
                .advises("give each a name of its own"),
        );
    }
    let layers = reader.tables("layers", IMAGES_MAX, |_| None);
    let layers: Vec<_> = layers.iter().filter_map(read_layer).collect();
    let archive = reader.text("archive");
    let cached = reader.flag("cached").unwrap_or_default();
    if !reader.has("layers") && !reader.has("archive") {
        let problem = Problem::new("an image without layers and without an archive");
        reader.fail_at(
            reader.place(),
            problem.advises("give it layers = [{ id, size }], archive = \"path\" or both"),
        );
    }
    Some(Image { name: name?, layers, archive, cached })
}

fn read_layer(reader: &Reader<'_>) -> Option<Layer> {
    let (id, size) = (reader.text("id"), reader.bytes("size"));
    Some(Layer { id: id?, size: size? })
}
