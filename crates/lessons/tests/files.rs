//! What the build script accepts, and what it says of lessons that it does not.

#![expect(clippy::unwrap_used, reason = "tests say what they expect by panicking")]

#[path = "../build/bases.rs"]
mod bases;
#[path = "../src/date.rs"]
#[expect(unreachable_pub, reason = "in the library it is public")]
mod date;
#[path = "../build/emit.rs"]
mod emit;
#[path = "../build/figure.rs"]
mod figure;
#[path = "../build/manifest.rs"]
mod manifest;
#[path = "../build/markdown.rs"]
mod markdown;
#[path = "../build/read.rs"]
mod read;

use std::fs;

use catamaran_lessons::new_lesson;

/// The template as lesson `sample`, with `find` replaced by `with` in one of its files.
fn read_sample(file: &str, find: &str, with: &str) -> Result<String, String> {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("sample");
    fs::create_dir(&directory).unwrap();
    for new in new_lesson("sample").unwrap() {
        let name = new.path.rsplit('/').next().unwrap().to_owned();
        let edited = if name == file { new.text.replace(find, with) } else { new.text.clone() };
        assert!(name != file || find.is_empty() || edited != new.text, "nothing to replace: {find}");
        fs::write(directory.join(name), edited).unwrap();
    }
    emit::module(&[read::lesson(&directory)?], &[])
}

#[test]
fn a_new_lesson_is_accepted_as_it_stands() {
    let generated = read_sample("", "", "").unwrap();
    assert!(generated.contains("Unit::Seconds"), "{generated}");
}

/// File, what is replaced in it, by what, and what is said of it.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("ko.md", "원리만", "*원리(law)*만", "ko.md:26: an emphasis is not closed; \"*\" before"),
    ("lesson.toml", "number = ", "numbr = ", "crates/lessons/sample/lesson.toml:3: unknown field `numbr`"),
    ("lesson.toml", ", ko = \"sample\" }", " }", "crates/lessons/sample/lesson.toml:4: missing field `ko`"),
    (
        "lesson.toml",
        "tenant.app.cpu.limit\"\nlabel",
        "tenant.api.cpu.limit\"\nlabel",
        "crates/lessons/sample/lesson.toml: control \"limit\": tenant.api.cpu.limit does not stand in scenario.toml",
    ),
    (
        "scenario.toml",
        "500m",
        "550m",
        "the value \"550m\" is not on the slider; accepted are 100m to 1000m in steps of 100m",
    ),
    ("scenario.toml", "500m", "0.5", "the value \"0.5\" is not on the slider"),
    (
        "lesson.toml",
        "path = \"tenant.app.cpu.limit\"\nvalue",
        "path = \"host.cores\"\nvalue",
        "solution: host.cores is not among the controls",
    ),
    (
        "lesson.toml",
        "slider = { min = 100, max = 1000, step = 100, unit = \"m\" }",
        "switch = \"m\"",
        "control \"limit\": the value \"500m\" is not made of the switches of tenant.app.cpu.limit, in their order: m",
    ),
    (
        "lesson.toml",
        "step = 0.1",
        "step = 0",
        "bet \"finished\" needs either min, max, step and tolerance, or choice",
    ),
    ("lesson.toml", "number = ", "recorded = \"run.json\"\nnumber = ", "lesson.toml: recorded: there is no"),
    ("lesson.toml", "op = \"<\"", "op = \"=\"", "unknown op \"=\"; accepted are <, <=, >, >="),
    (
        "lesson.toml",
        "answer = \"s ",
        "answer = \"seconds ",
        "unknown unit \"seconds\"; accepted are s, ms, us, %, MiB, n",
    ),
    ("lesson.toml", "answer = \"s tenant.app.finished_s\"", "answer = \"s\"", "has no unit or no metric"),
    (
        "lesson.toml",
        "command = ",
        "stage = \"disk\"\ncommand = ",
        "unknown variant `disk`, expected one of `cpu`, `memory`, `weight`, `sight`, `steal`, `family`, `servers`, `layers`",
    ),
    (
        "lesson.toml",
        "command = ",
        "solution_on = \"docker\"\ncommand = ",
        "solution_on: docker is not among the platforms of scenario.toml",
    ),
    (
        "lesson.toml",
        "answer = \"s ",
        "choice = [{ value = 1, label = { en = \"a\", ko = \"가\" } }]\nanswer = \"s ",
        "needs either min, max, step and tolerance, or choice",
    ),
    ("lesson.toml", "run = \"\"", "run = \"file=other\"", "there is no other.toml beside lesson.toml"),
    (
        "lesson.toml",
        "run = \"\"",
        "run = \"faster\"",
        "\"faster\" is not a source; accepted are now, solution",
    ),
    (
        "en.md",
        "# why: The causal chain",
        "# because: The causal chain",
        "crates/lessons/sample/en.md:13: found block \"because\" where \"why\" belongs",
    ),
    ("ko.md", "# sources: 출처", "", "ko.md: block \"sources\" is missing; add the heading \"# sources: …\""),
    ("ko.md", "# why: 원인의 사슬", "# why", "crates/lessons/sample/ko.md:13: \"# why\" has no title"),
    ("ko.md", "# play: 무언가", "앞의 글\n# play: 무언가", "ko.md:1: text before the first heading"),
    ("ko.md", "대부분이 틀리는 질문이에요.", "", "ko.md:6: block \"bet\" is empty; write its text"),
    ("en.md", "{{s tenant.app.finished_s}}", "{{s tenant.app.finished_s", "en.md:11: "),
    ("en.md", "{{s tenant.app.finished_s}}", "{{h tenant.app.finished_s}}", "en.md:11: unknown unit \"h\""),
    ("ko.md", "{{s tenant.app.finished_s}}", "{{s a|이랑/랑}}", "ko.md:11: unknown particle \"이랑/랑\""),
    ("en.md", "{{s tenant.app.finished_s}}", "{{s a / }}", "en.md:11: \"a /\" is not a formula"),
    ("en.md", "{{s tenant.app.finished_s}}", "{{s (a + b}}", "en.md:11: \"(a + b\" is not a formula"),
    ("en.md", "{{s tenant.app.finished_s}}", "{{s a + b)}}", "en.md:11: \"a + b)\": \")\" without \"(\""),
    ("en.md", "## term\n", "", "the glossary begins with a term; write \"## term\" above"),
    ("en.md", "What it means, in one sentence.", "", "the term \"term\" has no text; explain it"),
    (
        "en.md",
        "## term",
        "## first\n\nText.\n\n## second",
        "the glossary has 2 terms in en.md and 1 in ko.md",
    ),
];

#[test]
fn mistakes_are_named_with_their_place() {
    for (file, find, with, expected) in MISTAKES {
        let error = read_sample(file, find, with).unwrap_err();
        assert!(error.contains(expected), "{file}, {find:?} -> {with:?}: {error:?} lacks {expected:?}");
    }
}

#[test]
fn formulas_keep_their_precedence() {
    let table = [
        ("a", "a"),
        ("a + b * 2", "a b 2 * +"),
        ("(a + b) * 2", "a b + 2 *"),
        ("a - b - c", "a b - c -"),
        ("a / 10 / elapsed_s * 0.1", "a 10 / elapsed_s / 0.1 *"),
        ("tenant.limited-server.cpu_s", "tenant.limited-server.cpu_s"),
    ];
    let sources = figure::Sources {
        files: vec![("scenario".into(), "cgroups".into())],
        solution: Vec::new(),
        solution_on: None,
        facts: Vec::new(),
    };
    for (formula, expected) in table {
        let parsed = figure::parse(&format!("n {formula}"), &sources).unwrap();
        let postfix: Vec<String> = parsed.formula.iter().map(word).collect();
        assert_eq!(postfix.join(" "), expected);
    }
}

fn word(op: &figure::Op) -> String {
    match op {
        figure::Op::Number(number) => number.to_string(),
        figure::Op::Metric(path) => path.clone(),
        figure::Op::Operator(operator) => (*operator).to_owned(),
    }
}

#[test]
fn figures_pass_through_markdown_untouched() {
    let text = "# a: A\n**{{ms a_b_c * 2}}** and `code` _x_ {{n d}}\n";
    let block = &markdown::blocks("en.md", text, &[]).unwrap()[0];
    let sources = figure::Sources {
        files: vec![("scenario".into(), "cgroups".into())],
        solution: Vec::new(),
        solution_on: None,
        facts: Vec::new(),
    };
    let pieces = markdown::render(markdown::pieces("en.md", block, &sources).unwrap());
    let shown: String = pieces
        .iter()
        .map(|piece| match piece {
            markdown::Piece::Text(text) => text.clone(),
            markdown::Piece::Figure(figure) => format!("[{}]", figure.formula.len()),
        })
        .collect();
    assert_eq!(shown, "<p><strong>[3]</strong> and <code>code</code> <em>x</em> [1]</p>\n");
}

#[test]
fn both_languages_of_the_home_page_have_the_same_blocks() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("en.md"), "# what: What\nA.\n# who: Who\nB.\n").unwrap();
    fs::write(root.path().join("ko.md"), "# what: 무엇\n가.\n").unwrap();
    let error = read::home(root.path()).err().unwrap();
    assert_eq!(
        error,
        "crates/lessons/home: en.md has the blocks [\"what\", \"who\"], ko.md [\"what\"]; make them equal"
    );
}

const TABLE: &str = r#"
[[base]]
id = "old"
name = "Old"
relation = { en = "first", ko = "처음" }
first = "1996-06-17"
package = "deb"
install = "old install"
libc = "glibc"
parts_kib = 3000
source = "X"
[[base.release]]
name = "1"
from = "2020-01-01"
to = "2030-01-31"
source = "X"

[[base]]
id = "new"
name = "New"
from = "old"
relation = { en = "from Old", ko = "Old에서" }
first = "2010-01-01"
package = "apk"
install = "new install"
libc = "musl"
contract = true
parts_kib = 1000
source = "X"
"#;

fn table(find: &str, with: &str) -> Result<Vec<bases::Base>, String> {
    assert!(TABLE.contains(find), "nothing to replace: {find}");
    toml::from_str(&TABLE.replace(find, with)).map_err(|error| error.to_string()).and_then(bases::bases)
}

#[test]
fn bases_are_chosen_by_what_the_table_says() {
    let bases = table("", "").unwrap();
    let right = |wants: &[&str]| {
        bases::right(&bases, &wants.iter().map(|want| (*want).to_owned()).collect::<Vec<_>>())
    };
    let table: [(&[&str], &[&str]); 7] = [
        (&["libc = musl"], &["new"]),
        (&["package = deb", "libc = glibc"], &["old"]),
        (&["contract = no"], &["old"]),
        (&["years >= 10"], &["old"]),
        (&["years >= 11"], &[]),
        (&["least parts_kib"], &["new"]),
        (&["contract = no", "least parts_kib"], &["old"]),
    ];
    for (wants, expected) in table {
        assert_eq!(right(wants).unwrap(), expected, "{wants:?}");
    }
    let error = right(&["cheap = yes"]).unwrap_err();
    assert!(error.contains("unknown want \"cheap = yes\"; accepted are libc"), "{error}");
    let facts = bases::facts(&bases);
    let fact = |path: &str| facts.iter().find(|(known, _)| known == path).map(|(_, number)| *number);
    assert_eq!(["base.old.depth", "base.new.depth", "base.old.years"].map(fact), [0.0, 1.0, 10.0].map(Some));
    let sources = figure::Sources {
        facts: facts.clone(),
        files: vec![("scenario".into(), "cgroups".into())],
        solution: Vec::new(),
        solution_on: None,
    };
    let ratio = figure::parse("n base.old.parts_kib / base.new.parts_kib", &sources).unwrap();
    assert_eq!(ratio.formula.iter().map(word).collect::<Vec<_>>(), ["3000", "1000", "/"]);
    let error = figure::parse("n base.old.price", &sources).err().unwrap();
    assert!(error.contains("does not stand in the table of bases"), "{error}");
}

#[test]
fn mistakes_in_a_table_of_bases_are_named() {
    let mistakes = [
        ("id = \"new\"", "id = \"old\"", "there are two bases \"old\""),
        ("from = \"old\"", "from = \"nobody\"", "\"new\" comes from \"nobody\", which must stand above it"),
        ("2030-01-31", "2019-01-31", "Old 1 ends before it begins"),
        ("2030-01-31", "2030-13-31", "\"2030-13-31\" is not a day"),
        ("2030-01-31", "soon", "\"soon\" is not a day"),
        ("libc = \"musl\"", "lib = \"musl\"", "unknown field `lib`"),
    ];
    for (find, with, expected) in mistakes {
        let error = table(find, with).err().unwrap();
        assert!(error.contains(expected), "{find} -> {with}: {error:?} lacks {expected:?}");
    }
}
