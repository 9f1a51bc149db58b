//! Figures in the prose: `{{ms tenant.web.latency_s.p99 @ tenant.web.cpu.period=20ms|을/를}}`.

/// What a figure may name.
pub(crate) struct Sources {
    /// Name and first platform of each scenario file; the first is the lesson's own.
    pub(crate) files: Vec<(String, String)>,
    /// Changes of the solution.
    pub(crate) solution: Vec<(String, String)>,
    /// Its platform, where it is another than that of the start.
    pub(crate) solution_on: Option<String>,
    /// What the lesson's table of bases says, by path (`base.debian.years`).
    pub(crate) facts: Vec<(String, f64)>,
}

/// A figure, parsed.
pub(crate) struct Figure {
    pub(crate) unit: &'static str,
    pub(crate) formula: Vec<Op>,
    pub(crate) source: Source,
    pub(crate) josa: Option<&'static str>,
}

pub(crate) enum Op {
    Number(f64),
    Metric(String),
    Operator(&'static str),
}

pub(crate) enum Source {
    Now,
    Run(Run),
}

#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) file: String,
    pub(crate) platform: String,
    pub(crate) changes: Vec<(String, String)>,
}

/// Word in the prose and variant of `Unit`.
const UNITS: &[(&str, &str)] = &[
    ("s", "Seconds"),
    ("ms", "Milliseconds"),
    ("us", "Microseconds"),
    ("%", "Percent"),
    ("MiB", "Mebibytes"),
    ("n", "Number"),
];

/// Pair in the prose and variant of `Josa`.
const JOSA: &[(&str, &str)] = &[
    ("을/를", "EulReul"),
    ("은/는", "EunNeun"),
    ("이/가", "IGa"),
    ("과/와", "GwaWa"),
    ("이에요/예요", "IeyoYeyo"),
    ("으로/로", "EuroRo"),
];

/// Parses what stands between the braces.
pub(crate) fn parse(text: &str, sources: &Sources) -> Result<Figure, String> {
    let (figure, josa) = match text.rsplit_once('|') {
        Some((figure, pair)) => (figure, Some(lookup(JOSA, pair.trim(), "particle")?)),
        None => (text, None),
    };
    let (figure, source) = match figure.split_once('@') {
        Some((figure, "now" | " now" | " now ")) => (figure, Source::Now),
        Some((figure, source)) => (figure, Source::Run(run(source, sources)?)),
        None => (figure, Source::Run(run("", sources)?)),
    };
    let (unit, formula) = figure.trim().split_once(' ').ok_or_else(|| {
        format!("\"{{{{{text}}}}}\" has no unit or no metric; write {{{{ms tenant.NAME.METRIC}}}}")
    })?;
    let formula = formula_of(formula)?.into_iter().map(|op| known(op, sources)).collect::<Result<_, _>>()?;
    Ok(Figure { unit: self::unit(unit)?, formula, source, josa })
}

/// A path into the table of bases is the number that stands there.
fn known(op: Op, sources: &Sources) -> Result<Op, String> {
    let Op::Metric(path) = &op else { return Ok(op) };
    if !path.starts_with("base.") {
        return Ok(op);
    }
    let fact = sources.facts.iter().find(|(known, _)| known == path);
    fact.map(|(_, number)| Op::Number(*number)).ok_or_else(|| {
        format!("\"{path}\" does not stand in the table of bases; accepted are base.ID.depth, .years, .parts_kib where known")
    })
}

/// The variant of a unit.
pub(crate) fn unit(word: &str) -> Result<&'static str, String> {
    lookup(UNITS, word, "unit")
}

fn lookup(table: &[(&str, &'static str)], word: &str, kind: &str) -> Result<&'static str, String> {
    let found = table.iter().find(|(name, _)| *name == word).map(|(_, variant)| *variant);
    found.ok_or_else(|| {
        let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
        format!("unknown {kind} \"{word}\"; accepted are {}", names.join(", "))
    })
}

/// `file=NAME, platform=NAME, solution, PATH=VALUE, …`
pub(crate) fn run(text: &str, sources: &Sources) -> Result<Run, String> {
    let (file, platform) = sources.files.first().ok_or("the lesson has no scenario.toml; add it")?;
    let mut run = Run { file: file.clone(), platform: platform.clone(), changes: Vec::new() };
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        match item.split_once('=') {
            None if item == "solution" => {
                run.changes.extend(sources.solution.iter().cloned());
                if let Some(platform) = &sources.solution_on {
                    run.platform.clone_from(platform);
                }
            }
            None => {
                return Err(format!(
                    "\"{item}\" is not a source; accepted are now, solution, file=NAME, platform=NAME, PATH=VALUE"
                ));
            }
            Some(("file", name)) => {
                let known = sources.files.iter().find(|(file, _)| file == name);
                let (file, platform) =
                    known.ok_or_else(|| format!("there is no {name}.toml beside lesson.toml; add it"))?;
                (run.file, run.platform) = (file.clone(), platform.clone());
            }
            Some(("platform", name)) => name.clone_into(&mut run.platform),
            Some((path, value)) => run.changes.push((path.to_owned(), value.to_owned())),
        }
    }
    Ok(run)
}

/// Infix to postfix with the usual precedence (Dijkstra's shunting yard). Operators stand between spaces, because names hold hyphens.
pub(crate) fn formula_of(text: &str) -> Result<Vec<Op>, String> {
    let (mut output, mut waiting) = (Vec::new(), Vec::new());
    for word in text.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
        match word {
            "(" => waiting.push("("),
            ")" => loop {
                match waiting.pop() {
                    Some("(") => break,
                    Some(operator) => output.push(Op::Operator(operator)),
                    None => return Err(format!("\"{text}\": \")\" without \"(\"")),
                }
            },
            "+" | "-" | "*" | "/" => {
                while let Some(top) = waiting.pop_if(|top| rank(top) >= rank(word)) {
                    output.push(Op::Operator(top));
                }
                waiting.push(word_of(word));
            }
            number if number.starts_with(|c: char| c.is_ascii_digit()) => {
                output.push(Op::Number(number.parse().map_err(|_| format!("\"{number}\" is not a number"))?));
            }
            path => output.push(Op::Metric(path.to_owned())),
        }
    }
    while let Some(operator) = waiting.pop() {
        output.push(Op::Operator(operator));
    }
    balanced(&output)
        .then_some(output)
        .ok_or_else(|| format!("\"{text}\" is not a formula; write for example a / b, with spaces"))
}

fn word_of(operator: &str) -> &'static str {
    match operator {
        "+" => "+",
        "-" => "-",
        "*" => "*",
        _ => "/",
    }
}

fn rank(operator: &str) -> u8 {
    match operator {
        "(" => 0,
        "+" | "-" => 1,
        _ => 2,
    }
}

/// Whether the postfix leaves exactly one value.
fn balanced(formula: &[Op]) -> bool {
    let mut depth = 0_usize;
    for op in formula {
        depth = match op {
            Op::Number(_) | Op::Metric(_) => depth + 1,
            Op::Operator("(") => return false,
            Op::Operator(_) if depth >= 2 => depth - 1,
            Op::Operator(_) => return false,
        };
    }
    depth == 1
}
