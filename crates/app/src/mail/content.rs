//! The one shape every mail has, and its two renderings.

use askama::Template;

/// Width that running text is wrapped at in the plain-text part (RFC 5322 section 2.1.1).
const TEXT_COLUMNS: usize = 76;

/// What a mail says, in the order it says it.
#[derive(Template)]
#[template(path = "mail/letter.html")]
pub(super) struct Content {
    pub(super) language: &'static str,
    pub(super) direction: &'static str,
    pub(super) site: String,
    pub(super) subject: String,
    pub(super) title: String,
    pub(super) greeting: String,
    pub(super) blocks: Vec<Block>,
    pub(super) link_hint: String,
    pub(super) not_you_heading: String,
    pub(super) not_you: String,
    pub(super) footer: String,
}

/// A part of a mail.
pub(super) enum Block {
    Paragraph(String),
    Code(String),
    Facts(Vec<(String, String)>),
    Button { label: String, link: String },
    Link(String),
}

impl Content {
    pub(super) fn to_html(&self) -> Result<String, askama::Error> {
        self.render()
    }

    pub(super) fn to_text(&self) -> String {
        let mut parts = vec![wrap(&self.greeting)];
        for block in &self.blocks {
            parts.push(match block {
                Block::Paragraph(text) => wrap(text),
                Block::Code(code) => format!("    {code}"),
                Block::Facts(facts) => {
                    facts.iter().map(|(label, value)| wrap(&format!("{label}: {value}"))).collect::<Vec<_>>().join("\n")
                }
                // The link alone on its line: programs that make it clickable take exactly this.
                Block::Button { label, link } => format!("{}\n{link}", wrap(&format!("{label}:"))),
                Block::Link(link) => link.clone(),
            });
        }
        parts.push(format!("{}\n{}", wrap(&self.not_you_heading), wrap(&self.not_you)));
        // The mark that mail programs know as the beginning of a signature (RFC 3676 section 4.3).
        parts.push(format!("-- \n{}", wrap(&self.footer)));
        let mut text = parts.join("\n\n");
        text.push('\n');
        text
    }
}

/// Running text in lines of at most [`TEXT_COLUMNS`] characters; longer words stay whole.
fn wrap(text: &str) -> String {
    let mut wrapped = String::with_capacity(text.len() + 8);
    let mut column = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > 0 {
            let fits = column + 1 + width <= TEXT_COLUMNS;
            wrapped.push(if fits { ' ' } else { '\n' });
            column = if fits { column + 1 } else { 0 };
        }
        wrapped.push_str(word);
        column += width;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_never_broken() {
        let long = "x".repeat(100);
        assert_eq!(wrap(&format!("a {long} b")), format!("a\n{long}\nb"));
        assert!(wrap(&"word ".repeat(60)).lines().all(|line| line.len() <= TEXT_COLUMNS));
        assert_eq!(wrap("a\r\nb"), "a b");
    }
}
