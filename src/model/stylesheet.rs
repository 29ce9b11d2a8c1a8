//! CSS that people write themselves: looked at before a page gets it.
//!
//! What passes is kept byte for byte; what does not is refused with its place, never mended. What passes is
//! whole (every block, text and comment is closed), so that it can stand inside a block of ours, and asks
//! nobody for anything but pictures and fonts over https. It still styles as it likes.

use std::ops::ControlFlow;

use cssparser::{Parser, Token};
use serde::Serialize;

#[cfg(test)]
mod tests;

/// Blocks within blocks, parentheses and functions included (count).
const MOST_NESTED: usize = 32;
/// Faults told at once (count): behind a missing brace everything looks wrong.
const MOST_FAULTS: usize = 20;

/// Something that keeps a stylesheet from being taken, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CssFault {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1 (UTF-16 units, as editors in browsers count).
    pub column: usize,
    /// What is wrong there: lower-case, no full stop.
    pub message: String,
}

impl std::fmt::Display for CssFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// Looks at a stylesheet.
///
/// # Errors
/// The first faults, in the order of the text.
pub fn check(text: &str) -> Result<(), Vec<CssFault>> {
    let mut checker = Checker { text, faults: Vec::new(), runs_out: false };
    checker.look_at_characters();
    let mut parser = Parser::new(text);
    // It breaks off by itself once enough was found.
    let _ = checker.list(&mut parser, 0, Place::Top);
    if checker.faults.is_empty() {
        return Ok(());
    }
    checker.faults.sort_by_key(|it| it.0);
    checker.faults.dedup();
    checker.faults.truncate(MOST_FAULTS);
    let fault = |(at, message): (usize, String)| {
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |it| it + 1);
        let column = before[line_start..].encode_utf16().count() + 1;
        CssFault { line: before.matches('\n').count() + 1, column, message }
    };
    Err(checker.faults.into_iter().map(fault).collect())
}

/// The faults as one sentence: for where there is room for no more.
pub(crate) fn check_in_a_sentence(text: &str) -> Result<(), String> {
    check(text).map_err(|faults| match faults.as_slice() {
        [] => String::new(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    })
}

/// What stands where.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Outside every block: rules only.
    Top,
    /// In a block: declarations and rules.
    Block,
}

/// What a text in quotes means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    /// Itself.
    Words,
    /// An address, because of the function it stands in.
    Address,
}

/// What is being read: all up to its `;` or its block.
struct Item {
    start: usize,
    kind: ItemKind,
}

enum ItemKind {
    AtRule(String),
    /// A declaration or a rule. Which it is shows where it ends.
    Other {
        /// The word it began with, as long as it can still be the name of a property.
        name: Option<String>,
        colon: bool,
        /// `name: ` with a space behind: no selector looks like that.
        spaced: bool,
    },
}

impl ItemKind {
    fn begin(token: &Token<'_>) -> Self {
        let name = match token {
            Token::AtKeyword(name) => return Self::AtRule(name.to_ascii_lowercase()),
            Token::Ident(name) => Some(name.to_string()),
            _ => None,
        };
        Self::Other { name, colon: false, spaced: false }
    }

    /// Takes note of a token behind the first.
    fn go_on(&mut self, token: &Token<'_>) {
        if let Self::Other { name, colon: colon @ false, .. } = self {
            match token {
                Token::Colon if name.is_some() => *colon = true,
                _ => *name = None,
            }
        }
    }

    /// The name of the property, if this is a declaration so far.
    fn property(&self) -> Option<&str> {
        match self {
            Self::Other { name, colon: true, .. } => name.as_deref(),
            _ => None,
        }
    }
}

struct Checker<'t> {
    text: &'t str,
    /// Where (byte) and what.
    faults: Vec<(usize, String)>,
    /// The text ends within a text in quotes, an address or an escape.
    runs_out: bool,
}

type Go = ControlFlow<()>;

impl Checker<'_> {
    fn fault(&mut self, at: usize, message: impl Into<String>) {
        self.faults.push((at, message.into()));
    }

    fn run_out(&mut self, at: usize, message: &str) {
        self.runs_out = true;
        self.fault(at, message);
    }

    /// Characters that browsers read otherwise than people do.
    fn look_at_characters(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.fault(0, "the text begins with an invisible byte order mark: take it away");
        }
        if let Some(at) = self.text.find('\0') {
            self.fault(at, "there is a NUL character");
        }
        // It would swallow whatever stands behind.
        if self.text.ends_with('\\') {
            self.run_out(self.text.len() - 1, "a `\\` at the very end escapes nothing");
        }
    }

    /// Rules, and in a block declarations.
    fn list(&mut self, parser: &mut Parser<'_>, depth: usize, place: Place) -> Go {
        let mut item: Option<Item> = None;
        loop {
            if self.faults.len() >= MOST_FAULTS {
                return Go::Break(());
            }
            let start = parser.position().byte_index();
            let Ok(token) = parser.next_including_whitespace_and_comments().cloned() else { break };
            let end = parser.position().byte_index();
            match &token {
                Token::WhiteSpace(_) => {
                    let behind_colon = self.text[..start].ends_with(':');
                    if let Some(Item {
                        kind: ItemKind::Other { colon: true, spaced, .. }, ..
                    }) = &mut item
                    {
                        *spaced |= behind_colon;
                    }
                }
                Token::Comment(_) => self.look_at(&token, start, end, Quoted::Words),
                Token::Semicolon => match item.take() {
                    Some(it) => self.end_without_block(&it, place),
                    None if place == Place::Top => {
                        self.fault(start, "this `;` ends nothing: behind a `}` none is needed");
                    }
                    None => {}
                },
                Token::CurlyBracketBlock => {
                    let property = item.as_ref().and_then(|it| it.kind.property());
                    if place == Place::Block && property.is_some_and(|it| it.starts_with("--")) {
                        // A custom property may hold anything, a block too.
                        self.inside(parser, &token, start, depth, Quoted::Words)?;
                        continue;
                    }
                    match item.take() {
                        None => self.fault(start, "this block has no selector before its `{`"),
                        Some(it) => self.begin_block(&it, place),
                    }
                    self.nested(parser, start, depth, |it, parser| {
                        it.list(parser, depth + 1, Place::Block)
                    })?;
                }
                _ => {
                    self.look_at(&token, start, end, Quoted::Words);
                    match &mut item {
                        None => item = Some(Item { start, kind: ItemKind::begin(&token) }),
                        Some(it) => it.kind.go_on(&token),
                    }
                    self.look_at_name(&token, start, end);
                    self.inside(parser, &token, start, depth, Quoted::Words)?;
                }
            }
        }
        if let Some(it) = item {
            self.end_without_block(&it, place);
        }
        Go::Continue(())
    }

    /// A `{` stands behind the item.
    fn begin_block(&mut self, item: &Item, place: Place) {
        if let ItemKind::Other { name: Some(name), spaced: true, .. } = &item.kind
            && place == Place::Block
        {
            let message =
                format!("`{name}: …` runs into a `{{`: is a `;` missing behind the declaration?");
            self.fault(item.start, message);
        }
    }

    /// The item ends at a `;`, a `}` or the end of the text.
    fn end_without_block(&mut self, item: &Item, place: Place) {
        match (&item.kind, item.kind.property()) {
            (ItemKind::AtRule(name), _) if NEEDS_BLOCK.contains(&name.as_str()) => {
                self.fault(item.start, format!("`@{name}` has no block `{{ … }}`"));
            }
            (ItemKind::AtRule(_), _) => {}
            (_, Some(name)) if place == Place::Top => {
                let message =
                    format!("`{name}` stands outside a rule: put it into `:root {{ … }}`");
                self.fault(item.start, message);
            }
            (_, None) if place == Place::Top => {
                self.fault(item.start, "this rule has no block `{ … }`");
            }
            (_, Some(_)) => {}
            (_, None) => {
                self.fault(item.start, "this is neither `property: value` nor a rule with a block");
            }
        }
    }

    /// Values: whatever stands in parentheses, brackets and functions.
    fn values(&mut self, parser: &mut Parser<'_>, depth: usize, quoted: Quoted) -> Go {
        loop {
            if self.faults.len() >= MOST_FAULTS {
                return Go::Break(());
            }
            let start = parser.position().byte_index();
            let Ok(token) = parser.next_including_whitespace_and_comments().cloned() else {
                return Go::Continue(());
            };
            let end = parser.position().byte_index();
            self.look_at(&token, start, end, quoted);
            self.look_at_name(&token, start, end);
            self.inside(parser, &token, start, depth, quoted)?;
        }
    }

    /// What an opening token opens.
    fn inside(
        &mut self,
        parser: &mut Parser<'_>,
        token: &Token<'_>,
        start: usize,
        depth: usize,
        quoted: Quoted,
    ) -> Go {
        let inner = match token {
            Token::Function(name) => self.enter_function(name, start, quoted),
            Token::ParenthesisBlock | Token::SquareBracketBlock | Token::CurlyBracketBlock => {
                quoted
            }
            _ => return Go::Continue(()),
        };
        self.nested(parser, start, depth, |it, parser| it.values(parser, depth + 1, inner))
    }

    /// What a text in quotes means inside a function.
    fn enter_function(&mut self, name: &str, start: usize, quoted: Quoted) -> Quoted {
        let name = name.to_ascii_lowercase();
        if name.starts_with("--") {
            // What it gives back is not known here, and may be an address.
            self.fault(start, format!("`{name}()`: functions of one's own are not allowed here"));
        }
        if name == "expression" {
            self.fault(start, "`expression()` can run scripts in old browsers");
        }
        if TAKES_ADDRESS.contains(&name.as_str()) {
            return Quoted::Address;
        }
        if quoted == Quoted::Address {
            // What is put in later (`var()`, `attr()`, functions to come) cannot be looked at now.
            let plain = PLAIN_IN_ADDRESS.contains(&name.as_str())
                || GRADIENTS.contains(&name.strip_prefix("-webkit-").unwrap_or(&name));
            if !plain {
                self.fault(start, format!("`{name}()` cannot stand where an address is expected"));
            }
        }
        Quoted::Words
    }

    /// Reads a block that has just been opened at `start`, and sees that it is closed.
    fn nested(
        &mut self,
        parser: &mut Parser<'_>,
        start: usize,
        depth: usize,
        read: impl FnOnce(&mut Self, &mut Parser<'_>) -> Go,
    ) -> Go {
        if depth >= MOST_NESTED {
            self.fault(start, format!("more than {MOST_NESTED} blocks and functions are nested"));
            return Go::Break(());
        }
        let (mut end, mut go) = (0, Go::Continue(()));
        let _ = parser.parse_nested_block::<_, (), ()>(|parser| {
            go = read(self, parser);
            end = parser.position().byte_index();
            Ok(())
        });
        if go.is_continue() && end >= self.text.len() {
            if self.runs_out {
                return Go::Break(()); // What it runs out in has been told.
            }
            let what = match self.text[start..].chars().next() {
                Some('{') => "this `{` is never closed",
                Some('[') => "this `[` is never closed",
                Some('(') => "this `(` is never closed",
                _ => "the `(` of this function is never closed",
            };
            self.fault(start, what);
            return Go::Break(());
        }
        go
    }

    /// What is wrong with a token by itself.
    fn look_at(&mut self, token: &Token<'_>, start: usize, end: usize, quoted: Quoted) {
        let raw = &self.text[start..end];
        match token {
            Token::Comment(_) if raw.len() < 4 || !raw.ends_with("*/") => {
                self.run_out(start, "this comment is never closed: `*/` is missing");
            }
            Token::BadString(_) => {
                self.fault(
                    start,
                    "this text is not closed on its line: a quotation mark is missing",
                );
            }
            Token::QuotedString(_) if !is_closed(raw, raw.chars().next().unwrap_or('"')) => {
                self.run_out(start, "this text is never closed: a quotation mark is missing");
            }
            Token::QuotedString(text) if quoted == Quoted::Address => {
                self.look_at_address(text, start);
            }
            Token::BadUrl(_) => {
                self.fault(start, "put the address in `url(…)` into quotation marks");
            }
            Token::UnquotedUrl(_) if !is_closed(raw, ')') => {
                self.run_out(start, "the `(` of this `url(` is never closed");
            }
            Token::UnquotedUrl(address) => self.look_at_address(address, start),
            Token::AtKeyword(name) => match name.to_ascii_lowercase().as_str() {
                "import" => self.fault(
                    start,
                    "`@import` is not allowed here: write `@font-face` for a font, or use the \
                     Custom CSS box of OBS",
                ),
                "charset" => self.fault(start, "`@charset` is not needed: all text here is UTF-8"),
                "function" => self.fault(start, "`@function` is not allowed here"),
                "namespace" => self.fault(start, "`@namespace` is not allowed here"),
                _ => {}
            },
            Token::CDO | Token::CDC => self.fault(start, "HTML comments do not belong into CSS"),
            Token::CloseCurlyBracket => self.fault(start, "this `}` closes nothing"),
            Token::CloseSquareBracket => self.fault(start, "this `]` closes nothing"),
            Token::CloseParenthesis => self.fault(start, "this `)` closes nothing"),
            Token::Delim('\\') => self.fault(start, "this `\\` escapes nothing"),
            _ => {}
        }
    }

    /// Properties by which old browsers ran scripts.
    fn look_at_name(&mut self, token: &Token<'_>, start: usize, end: usize) {
        let Token::Ident(name) = token else { return };
        let scripts = ["behavior", "-ms-behavior", "-moz-binding"];
        if scripts.iter().any(|it| name.eq_ignore_ascii_case(it))
            && without_space(&self.text[end..]).starts_with(':')
        {
            self.fault(start, format!("`{name}` can run scripts in old browsers"));
        }
    }

    fn look_at_address(&mut self, address: &str, start: usize) {
        if let Err(message) = check_address(address) {
            self.fault(start, message);
        }
    }
}

/// Functions whose texts in quotes are addresses.
const TAKES_ADDRESS: [&str; 7] =
    ["url", "src", "image", "image-set", "-webkit-image-set", "cross-fade", "-webkit-cross-fade"];
/// Pictures that bring no address.
const GRADIENTS: [&str; 7] = [
    "gradient",
    "linear-gradient",
    "radial-gradient",
    "conic-gradient",
    "repeating-linear-gradient",
    "repeating-radial-gradient",
    "repeating-conic-gradient",
];
/// Functions within those that bring no address, gradients apart.
const PLAIN_IN_ADDRESS: [&str; 16] = [
    "type",
    "format",
    "tech",
    "calc",
    "rgb",
    "rgba",
    "hsl",
    "hsla",
    "hwb",
    "lab",
    "lch",
    "oklab",
    "oklch",
    "color",
    "color-mix",
    "light-dark",
];
/// Rules that mean nothing without a block.
const NEEDS_BLOCK: [&str; 14] = [
    "media",
    "supports",
    "container",
    "font-face",
    "keyframes",
    "-webkit-keyframes",
    "page",
    "property",
    "counter-style",
    "scope",
    "starting-style",
    "position-try",
    "view-transition",
    "font-palette-values",
];

/// What follows spaces and comments.
fn without_space(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some((_, behind)) = rest.strip_prefix("/*").and_then(|it| it.split_once("*/")) {
        rest = behind.trim_start();
    }
    rest
}

/// Whether the text of a token ends with `mark`, and not only because everything ended behind an escaped one.
fn is_closed(raw: &str, mark: char) -> bool {
    let Some(inner) = raw.strip_suffix(mark) else { return false };
    let escapes = inner.bytes().rev().take_while(|it| *it == b'\\').count();
    !inner.is_empty() && escapes % 2 == 0
}

/// Whether CSS may name an address: https, or a picture or font in place.
fn check_address(address: &str) -> Result<(), String> {
    const ALLOWED: &str = "allowed are https:// and data: with an image or a font";
    // Browsers pass over spaces around an address, and over line ends and tabs in it.
    let address = address.trim_matches(|it| it <= ' ');
    if address.is_empty() {
        return Err(format!("the address is empty: {ALLOWED}"));
    }
    if address.chars().any(char::is_control) {
        return Err("the address holds a control character".to_owned());
    }
    let starts =
        |it: &str| address.get(..it.len()).is_some_and(|start| start.eq_ignore_ascii_case(it));
    if starts("https://") {
        let url = url::Url::parse(address).ok().filter(|it| it.scheme() == "https");
        let is_whole = url.is_some_and(|it| it.has_host());
        return if is_whole { Ok(()) } else { Err("this is no address".to_owned()) };
    }
    let kinds = ["image/", "font/", "application/font-", "application/x-font-"];
    if kinds.iter().any(|kind| starts(&format!("data:{kind}")))
        || starts("data:application/vnd.ms-fontobject")
    {
        return Ok(());
    }
    if starts("data:") {
        return Err("a `data:` address may hold an image or a font, nothing else".to_owned());
    }
    if starts("http:") {
        return Err("write https:// instead of http://".to_owned());
    }
    match address.split_once(':') {
        Some((scheme, _)) if scheme.len() < 20 && scheme.chars().all(char::is_alphanumeric) => {
            Err(format!("`{scheme}:` addresses are not allowed: {ALLOWED}"))
        }
        _ => Err(format!("an address must be whole: {ALLOWED}")),
    }
}
