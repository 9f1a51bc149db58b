//! Markdown for the terminal: headings stand out, paragraphs and lists are wrapped between words (Korean, too, breaks at
//! spaces), addresses stay whole so that they can be clicked or copied.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use textwrap::{Options, WordSplitter};

/// Renders Markdown `width` columns wide; `styled` with the terminal's bold, italics and underlines.
pub(super) fn render(markdown: &str, width: usize, styled: bool) -> String {
    let mut page =
        Page { width, styled, text: String::new(), block: String::new(), lists: Vec::new(), marker: None };
    let mut address = String::new();
    for event in Parser::new(markdown) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                address = dest_url.into_string();
                page.style("\x1b[4m");
            }
            Event::End(TagEnd::Link) => page.close_link(&address),
            event => page.take(&event),
        }
    }
    page.text.trim_end().to_owned() + "\n"
}

struct Page {
    width: usize,
    styled: bool,
    text: String,
    /// The paragraph, heading or item that is being read.
    block: String,
    /// Number of the next item of each list around; `None` where it has bullets.
    lists: Vec<Option<u64>>,
    /// What stands before the first line of the item that is being read.
    marker: Option<String>,
}

impl Page {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Text(text) => self.block.push_str(text),
            Event::Code(code) => {
                self.mark("\x1b[36m", "`");
                self.block.push_str(code);
                self.mark("\x1b[39m", "`");
            }
            Event::SoftBreak => self.block.push(' '),
            Event::HardBreak => self.block.push('\n'),
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.close(*tag),
            Event::Rule => self.text += &format!("{}\n\n", "─".repeat(self.width)),
            _ => {}
        }
    }

    fn open(&mut self, tag: &Tag) {
        match tag {
            Tag::Heading { .. } => self.style("\x1b[1m"),
            Tag::Strong => self.style("\x1b[1m"),
            Tag::Emphasis => self.style("\x1b[3m"),
            Tag::List(first) => {
                // A list inside an item begins below the item's own text.
                self.end_block("\n");
                self.lists.push(*first);
            }
            Tag::Item => {
                self.marker = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "• ".into(),
                });
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.style("\x1b[22m");
                self.end_block("\n\n");
            }
            TagEnd::Strong => self.style("\x1b[22m"),
            TagEnd::Emphasis => self.style("\x1b[23m"),
            TagEnd::Paragraph => self.end_block("\n\n"),
            TagEnd::Item => self.end_block("\n"),
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.text.push('\n');
                }
            }
            _ => {}
        }
    }

    fn close_link(&mut self, address: &str) {
        self.style("\x1b[24m");
        if !self.block.ends_with(address) {
            self.block += &format!(" <{address}>");
        }
    }

    fn style(&mut self, code: &str) {
        self.mark(code, "");
    }

    fn mark(&mut self, code: &str, plain: &str) {
        self.block.push_str(if self.styled { code } else { plain });
    }

    /// Wraps what was read and sets it below the rest, with the marker of its item where it is the item's first.
    fn end_block(&mut self, end: &str) {
        if self.block.is_empty() {
            return;
        }
        let outer = "  ".repeat(self.lists.len().saturating_sub(1));
        let marker = self.marker.take().unwrap_or_default();
        let (first, rest) = match self.lists.last() {
            Some(number) => (format!("{outer}{marker}"), format!("{outer}{}", hang(*number))),
            None => (String::new(), String::new()),
        };
        let first = if marker.is_empty() { rest.clone() } else { first };
        let options = Options::new(self.width)
            .initial_indent(&first)
            .subsequent_indent(&rest)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation);
        self.text += &textwrap::fill(&self.block, options);
        self.text += end;
        self.block.clear();
    }

    /// Code is not wrapped: it is there to be copied.
    fn end_code(&mut self) {
        for line in self.block.lines() {
            self.text += &format!("    {line}\n");
        }
        self.text.push('\n');
        self.block.clear();
    }
}

/// As wide as the marker of an item.
fn hang(number: Option<u64>) -> &'static str {
    if number.is_some() { "   " } else { "  " }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_wrapped_and_set_apart() {
        let table = [
            ("# One\n\nTwo three\nfour.\n\nFive.", "One\n\nTwo three\nfour.\n\nFive.\n"),
            ("1. one two three\n2. four", "1. one two\n   three\n2. four\n"),
            ("* one two three\n* four\n\nfive", "• one two\n  three\n• four\n\nfive\n"),
            ("* one\n  * two\n* three", "• one\n  • two\n• three\n"),
            ("* one\n\n* two", "• one\n\n• two\n"),
            ("**one two**, *three* `four`", "one two,\nthree `four`\n"),
            ("    catamaran sim x.toml --json", "    catamaran sim x.toml --json\n"),
            ("[a](https://example.org/long)", "a\n<https://example.org/long>\n"),
            ("<https://example.org>", "https://example.org\n"),
            ("제한은 속도가 아니라 스톱워치", "제한은\n속도가\n아니라\n스톱워치\n"),
            ("5\u{a0}ms 5\u{a0}ms 5\u{a0}ms", "5\u{a0}ms 5\u{a0}ms\n5\u{a0}ms\n"),
        ];
        for (markdown, text) in table {
            assert_eq!(render(markdown, 12, false), text, "{markdown}");
        }
    }

    #[test]
    fn styles_take_no_room() {
        assert_eq!(render("**one** two *three*", 13, true), "\x1b[1mone\x1b[22m two \x1b[3mthree\x1b[23m\n");
    }
}
