use super::*;

/// Stylesheets as streamers write them; all of these must pass.
const GOOD: [(&str, &str); 6] = [
    ("bubbles.css", include_str!("../../../tests/fixtures/css/bubbles.css")),
    ("terminal.css", include_str!("../../../tests/fixtures/css/terminal.css")),
    ("modern.css", include_str!("../../../tests/fixtures/css/modern.css")),
    ("youtube.css", include_str!("../../../tests/fixtures/css/youtube.css")),
    ("fonts.css", include_str!("../../../tests/fixtures/css/fonts.css")),
    ("odd.css", include_str!("../../../tests/fixtures/css/odd.css")),
];

#[test]
fn what_streamers_write_passes() {
    for (name, text) in GOOD {
        assert!(text.lines().count() > 15, "{name}");
        assert_eq!(check(text), Ok(()), "{name}");
        // Written on Windows, and in one line.
        assert_eq!(check(&text.replace('\n', "\r\n")), Ok(()), "{name}");
        assert_eq!(check(&text.replace('\n', " ")), Ok(()), "{name}");
    }
    for text in ["", " \n\t", "/* nothing */", "a{}", ".line{--x:{a:b};color:red}", "@layer a, b"] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

/// Cut anywhere, a stylesheet is refused or still whole: what stands behind it keeps its meaning.
#[test]
fn a_text_cut_anywhere_never_reaches_out_of_the_block_it_is_put_into() {
    for (name, text) in GOOD {
        let cuts = text.char_indices().map(|it| it.0);
        for at in cuts.filter(|at| check(&text[..*at]).is_ok()) {
            let wrapped = format!("@layer custom {{\n{}\n}} .behind {{ color: red }}", &text[..at]);
            let mut parser = Parser::new(&wrapped);
            let mut blocks = 0;
            while let Ok(token) = parser.next() {
                assert!(!token.is_parse_error(), "{name} at {at}");
                blocks += usize::from(*token == Token::CurlyBracketBlock);
            }
            assert_eq!(blocks, 2, "{name} at {at}: {:?}", &text[..at]);
        }
    }
}

/// Line, column and a word of the first fault.
fn first(text: &str) -> (usize, usize, String) {
    match check(text) {
        Ok(()) => panic!("passed: {text}"),
        Err(faults) => (faults[0].line, faults[0].column, faults[0].message.clone()),
    }
}

#[test]
fn every_hostile_text_is_refused_where_it_stands() {
    let mut wrong = Vec::new();
    let data = "url(data:text/html,<script>alert(1)</script>)";
    for (text, line, column, word) in [
        ("@import 'https://a.example/x.css';", 1, 1, "@import"),
        ("a{}\n @IMPORT url(https://a.example/x.css);", 2, 2, "@import"),
        ("@\\69mport 'https://a.example/x.css';", 1, 1, "@import"),
        ("@layer x { @import url(https://a.example); }", 1, 12, "@import"),
        ("@charset \"latin1\";", 1, 1, "@charset"),
        ("@namespace url(http://www.w3.org/1999/xhtml);", 1, 1, "@namespace"),
        ("a { background: url(http://a.example/x.png) }", 1, 17, "https://"),
        ("a { background: url('http://a.example/x.png') }", 1, 21, "https://"),
        ("a { background: url( \"//a.example/x.png\" ) }", 1, 22, "whole"),
        ("a { background: url(/overlay/ana) }", 1, 17, "whole"),
        ("a { background: url(x.png) }", 1, 17, "whole"),
        ("a { background: url(#x) }", 1, 17, "whole"),
        ("a { background: url() }", 1, 17, "empty"),
        ("a { background: url(javascript:alert(1)) }", 1, 17, "quotation"),
        ("a { background: url('javascript:alert(1)') }", 1, 21, "javascript:"),
        ("a { background: url('java\\\nscript:alert(1)') }", 1, 21, "javascript:"),
        ("a { background: URL(file:///etc/passwd) }", 1, 17, "file:"),
        ("a { background: u\\72l(http://a.example) }", 1, 17, "https://"),
        ("a { background: \\75 \\72 \\6c(http://a.example) }", 1, 17, "https://"),
        ("a { background: u\\72l('http://a.example') }", 1, 23, "https://"),
        ("a { background: url(ht\\74p://a.example) }", 1, 17, "https://"),
        ("a { background: url(ws://a.example) }", 1, 17, "ws:"),
        ("a { background: url(blob:https://a.example/x) }", 1, 17, "blob:"),
        ("a { background: url(https://) }", 1, 17, "no address"),
        ("a { background: url('https://a.example/\\a x') }", 1, 21, "control"),
        (&format!("a {{ background: {data} }}"), 1, 17, "quotation"),
        ("a { background: url('data:text/html,x') }", 1, 21, "image or a font"),
        ("a { background: url('data:image') }", 1, 21, "image or a font"),
        ("a { background: src('http://a.example') }", 1, 21, "https://"),
        ("a { background: src(var(--x)) }", 1, 21, "var()"),
        ("a { background: image-set('http://a.example/x.png' 1x) }", 1, 27, "https://"),
        ("a { background: image-set(\"x.png\" type('image/png')) }", 1, 27, "whole"),
        ("a { background: -webkit-image-set(url(x.png) 1x) }", 1, 35, "whole"),
        ("a { background: image-set(var(--x) 1x) }", 1, 27, "var()"),
        ("a { background: image-set(--x-gradient() 1x) }", 1, 27, "one's own"),
        ("a { background: image-set(x-gradient(red) 1x) }", 1, 27, "x-gradient()"),
        ("@function --x-gradient() { result: 'http://a.example' }", 1, 1, "@function"),
        ("a { @FUNCTION --x() { result: 'http://a.example' } }", 1, 5, "@function"),
        ("a { background: src(--X()) }", 1, 21, "one's own"),
        ("a { color: --x(red) }", 1, 12, "one's own"),
        ("a { background: image-set((\"x.png\") 1x) }", 1, 28, "whole"),
        ("a { background: image('x.png', red) }", 1, 23, "whole"),
        ("a { background: cross-fade(url(http://a.example), red) }", 1, 28, "https://"),
        ("@font-face { font-family: x; src: url(http://a.example/x.woff) }", 1, 35, "https://"),
        ("@font-face { src: local('x'), url('x.woff2') format('woff2') }", 1, 35, "whole"),
        (":root { --x: url(http://a.example) }", 1, 14, "https://"),
        (":root { --x: { a: image-set('//a.example' 1x) } }", 1, 29, "whole"),
        (".a { .b { & .c { cursor: url(http://a.example), auto } } }", 1, 26, "https://"),
        (
            "@media (width > 1px) { @supports (x: url(http://a.example)) { a {} } }",
            1,
            38,
            "https://",
        ),
        ("a { width: expression(alert(1)) }", 1, 12, "expression()"),
        ("a { width: e\\78 pression(alert(1)) }", 1, 12, "expression()"),
        ("a { behavior: url(https://a.example/x.htc) }", 1, 5, "behavior"),
        ("a { color: red; beh\\61vior : url(https://a.example) }", 1, 17, "behavior"),
        ("a { -moz-binding/**/:url(https://a.example/x.xml#y) }", 1, 5, "-moz-binding"),
        ("@supports (-moz-binding: url(https://a.example)) { a {} }", 1, 12, "-moz-binding"),
        ("a { color: red", 1, 3, "never closed"),
        ("a { color: rgb(1 2 3; }", 1, 12, "never closed"),
        ("a[href { color: red }", 1, 2, "never closed"),
        ("a { color: red } }", 1, 18, "closes nothing"),
        ("a { color: red) }", 1, 15, "closes nothing"),
        ("} body { display: none", 1, 1, "closes nothing"),
        ("a { color: red }\n/* all that follows", 2, 1, "*/"),
        ("a {} /*/", 1, 6, "*/"),
        ("a { content: 'x }", 1, 14, "quotation mark"),
        ("a { content: 'x\n' }", 1, 14, "quotation mark"),
        ("a { content: 'x\\'", 1, 14, "quotation mark"),
        ("a { background: url(https://a.example/x", 1, 17, "never closed"),
        ("a { background: url(https://a.example/x\\)", 1, 17, "never closed"),
        ("a { color: red; \\", 1, 17, "escapes nothing"),
        ("<!-- a { color: red } -->", 1, 1, "HTML"),
        ("<style>a { color: red }</style>", 1, 24, "no block"),
        ("\u{feff}a {}", 1, 1, "byte order mark"),
        ("a { color: \0red }", 1, 12, "NUL"),
        ("a { color red; }", 1, 5, "property: value"),
        ("a { color: red .b { c: d } }", 1, 5, "missing"),
        ("color: red;", 1, 1, "outside a rule"),
        ("a { b: c };", 1, 11, "ends nothing"),
        ("a", 1, 1, "no block"),
        ("{ color: red }", 1, 1, "no selector"),
        ("@media (width > 1px);", 1, 1, "@media"),
    ] {
        let (at_line, at_column, message) = first(text);
        let plain = !message.ends_with('.') && message.len() < 160;
        if (at_line, at_column) != (line, column) || !message.contains(word) || !plain {
            wrong.push(format!("{text:?}: {at_line}:{at_column} {message}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn places_are_counted_as_editors_count() {
    let text = "/* 🎉 */ a { b: url(x) }\r\n/* é */ a { b: url(x) }";
    let faults = check(text).unwrap_err();
    let places: Vec<_> = faults.iter().map(|it| (it.line, it.column)).collect();
    assert_eq!(places, [(1, 17), (2, 16)]);
    assert_eq!(
        check_in_a_sentence(text).unwrap_err(),
        "line 1, column 17: an address must be whole: allowed are https:// and data: with an image \
         or a font (and 1 more)"
    );
}

#[test]
fn harmless_words_that_only_look_like_more_pass() {
    for text in [
        "a { content: 'http://a.example, javascript: and </style><script>' }",
        "a { content: \"@import url(http://a.example)\" }",
        "/* @import 'x'; url(http://a.example) { */ a {}",
        "a { scroll-behavior: smooth; overscroll-behavior: none }",
        "a { background: url(\"DATA:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg'/>\") }",
        "a { background: image-set(url(https://a.example/x.png) 1x, 'https://a.example/y.png' 2x type('image/png')) }",
        "a { background: image-set(linear-gradient(var(--a), red) 1x) }",
        "a { background: image-set(-WEBKIT-repeating-Radial-gradient(red, blue) 1x) }",
        "a { background-image: -webkit-cross-fade(url(https://a.example/x), url(https://a.example/y), 50%) }",
        "a:not(.b):is(:hover, [data-x='}']) > c::before { content: '\\201C' }",
        ".\\31 23 { color: red }",
        "a { b: c; ; }",
    ] {
        assert_eq!(check(text), Ok(()), "{text}");
    }
}

#[test]
fn depth_and_length_cost_nothing() {
    for text in ["{", "(", "[", "a{", "a(", "@media{", "/*", "url(", "'", "\\", "}", ";", "<!--"] {
        let faults = check(&text.repeat(100_000)).unwrap_err();
        assert!(!faults.is_empty() && faults.len() <= MOST_FAULTS, "{text}: {}", faults.len());
    }
    let nested = |depth: usize| format!("{}{}", "a{".repeat(depth), "}".repeat(depth));
    assert_eq!(check(&nested(MOST_NESTED)), Ok(()));
    let faults = check(&nested(MOST_NESTED + 1)).unwrap_err();
    assert!(faults[0].message.contains("nested"), "{faults:?}");
}

proptest::proptest! {
    #[test]
    fn no_text_whatever_is_too_much(text in r#"([a-z@{}()\[\]:;"'\\/*<!>-]|url\(|\n| |é|🎉){0,80}"#) {
        if let Err(faults) = check(&text) {
            proptest::prop_assert!(!faults.is_empty());
            for fault in faults {
                proptest::prop_assert!(fault.line <= text.matches('\n').count() + 1);
            }
        }
    }
}
