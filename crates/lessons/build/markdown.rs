//! The prose: one Markdown file a language, a heading of the first level for each block (`# why: Why it waits`).

use pulldown_cmark::{Options, Parser, html};

use crate::figure::{self, Figure, Sources};

/// A block of prose.
pub(crate) struct Block {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) body: String,
    /// First line of the body, from 1.
    pub(crate) line: usize,
}

/// A text cut at its figures.
pub(crate) enum Piece {
    Text(String),
    Figure(Figure),
}

/// The blocks of a file, checked against those that it must have, in their order; an empty list allows any.
pub(crate) fn blocks(place: &str, text: &str, wanted: &[&str]) -> Result<Vec<Block>, String> {
    let blocks = split(place, text, "# ")?;
    for (index, id) in wanted.iter().enumerate() {
        match blocks.get(index) {
            Some(block) if block.id == *id => {}
            Some(block) => {
                let line = block.line.saturating_sub(1);
                return Err(format!(
                    "{place}:{line}: found block \"{}\" where \"{id}\" belongs; the blocks are, in this order: {}",
                    block.id,
                    wanted.join(", ")
                ));
            }
            None => {
                return Err(format!(
                    "{place}: block \"{id}\" is missing; add the heading \"# {id}: …\" and its text"
                ));
            }
        }
    }
    if let Some(extra) = blocks.get(wanted.len()).filter(|_| !wanted.is_empty()) {
        let line = extra.line.saturating_sub(1);
        return Err(format!(
            "{place}:{line}: unknown block \"{}\"; accepted are {}",
            extra.id,
            wanted.join(", ")
        ));
    }
    if let Some(empty) = blocks.iter().find(|block| block.body.trim().is_empty()) {
        return Err(format!("{place}:{}: block \"{}\" is empty; write its text", empty.line, empty.id));
    }
    Ok(blocks)
}

/// The terms of a glossary: a heading of the second level each, its text below.
pub(crate) fn terms(place: &str, glossary: &Block) -> Result<Vec<Block>, String> {
    let mut terms = Vec::new();
    for line in glossary.body.lines().zip(glossary.line..) {
        match line {
            (text, at) if text.starts_with("## ") => {
                let title = text.trim_start_matches('#').trim().to_owned();
                terms.push(Block { id: String::new(), title, body: String::new(), line: at + 1 });
            }
            (text, at) => match terms.last_mut() {
                Some(term) => term.body.extend([text, "\n"]),
                None if text.trim().is_empty() => {}
                None => {
                    return Err(format!(
                        "{place}:{at}: the glossary begins with a term; write \"## term\" above"
                    ));
                }
            },
        }
    }
    match terms.iter().find(|term| term.body.trim().is_empty()) {
        Some(term) => {
            Err(format!("{place}:{}: the term \"{}\" has no text; explain it", term.line, term.title))
        }
        None => Ok(terms),
    }
}

fn split(place: &str, text: &str, mark: &str) -> Result<Vec<Block>, String> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fenced = false;
    for (line, at) in text.lines().zip(1..) {
        fenced ^= line.starts_with("```");
        if let Some(heading) = line.strip_prefix(mark).filter(|_| !fenced) {
            let (id, title) = heading
                .split_once(": ")
                .ok_or_else(|| format!("{place}:{at}: \"{line}\" has no title; write \"# id: Title\""))?;
            blocks.push(Block {
                id: id.trim().into(),
                title: title.trim().into(),
                body: String::new(),
                line: at + 1,
            });
        } else if let Some(block) = blocks.last_mut() {
            block.body.extend([line, "\n"]);
        } else if !line.trim().is_empty() {
            return Err(format!("{place}:{at}: text before the first heading; begin with \"# id: Title\""));
        }
    }
    Ok(blocks)
}

/// Cuts the Markdown at its figures (`{{…}}`).
pub(crate) fn pieces(place: &str, block: &Block, sources: &Sources) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = block.body.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        let line = block.line
            + block
                .body
                .len()
                .checked_sub(rest.len())
                .map_or(0, |at| newlines(&block.body, at + before.len()));
        let at = |what: String| format!("{place}:{line}: {what}");
        let (inside, behind) =
            after.split_once("}}").ok_or_else(|| at("\"{{\" without \"}}\"; close the figure".to_owned()))?;
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Figure(figure::parse(inside, sources).map_err(at)?));
        rest = behind;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

fn newlines(text: &str, until: usize) -> usize {
    text.bytes().take(until).filter(|&byte| byte == b'\n').count()
}

/// Renders the pieces as one document. Figures travel through the renderer as private-use characters, which Markdown leaves alone.
pub(crate) fn render(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut text = String::new();
    let mut figures = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.push_str(&part),
            Piece::Figure(figure) => {
                text.push_str(&format!("{OPEN}{}{CLOSE}", figures.len()));
                figures.push(Some(figure));
            }
        }
    }
    let mut rendered = String::new();
    html::push_html(&mut rendered, Parser::new_ext(&text, Options::ENABLE_TABLES));
    let mut parts = rendered.split(OPEN);
    let mut pieces: Vec<Piece> = parts.next().map(|part| Piece::Text(part.to_owned())).into_iter().collect();
    for part in parts {
        if let Some((number, after)) = part.split_once(CLOSE) {
            let figure = number.parse().ok().and_then(|at: usize| figures.get_mut(at)).and_then(Option::take);
            pieces.extend(figure.map(Piece::Figure));
            pieces.push(Piece::Text(after.to_owned()));
        }
    }
    pieces
}

/// A star that is left outside of code was meant as emphasis. In Korean this happens when a particle follows a closing bracket,
/// `*주기(period)*마다`: CommonMark does not see the end of the emphasis there (rule of flanking delimiter runs).
pub(crate) fn check_emphasis(pieces: &[Piece]) -> Result<(), String> {
    let text: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Figure(_) => "",
        })
        .collect();
    let outside = text.split("<code").enumerate().map(|(at, part)| match at {
        0 => part,
        _ => part.split_once("</code>").map_or("", |(_, after)| after),
    });
    let Some(part) = outside.into_iter().find(|part| part.contains('*')) else { return Ok(()) };
    let before: String = part.split('*').nth(1).unwrap_or_default().chars().take(20).collect();
    Err(format!(
        "an emphasis is not closed; \"*\" before {before:?} closes only without a bracket before it: *주기*(period)마다"
    ))
}

const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';
