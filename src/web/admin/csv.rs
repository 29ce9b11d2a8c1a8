//! Tables that open in a spreadsheet, and do nothing there but be read.

/// What a table begins with, so that spreadsheets read it as UTF-8.
pub const BOM: &str = "\u{feff}";

/// Adds a row.
pub fn add_row<'a>(to: &mut String, cells: impl IntoIterator<Item = &'a str>) {
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            to.push(',');
        }
        add_cell(to, cell);
    }
    to.push_str("\r\n");
}

fn add_cell(to: &mut String, cell: &str) {
    let harmful = is_formula(cell);
    let quoted = harmful || cell.contains([',', '"', '\n', '\r', ';', '\t']) || cell.trim() != cell;
    if quoted {
        to.push('"');
    }
    if harmful {
        // To a spreadsheet, what follows is text.
        to.push('\'');
    }
    for letter in cell.chars() {
        match letter {
            '"' => to.push_str("\"\""),
            '\0' => {}
            other => to.push(other),
        }
    }
    if quoted {
        to.push('"');
    }
}

/// Whether a spreadsheet might compute a cell: what people call themselves must not run on an admin's machine.
fn is_formula(cell: &str) -> bool {
    let hidden = |it: char| it.is_whitespace() || it.is_control() || it == '\u{feff}';
    let first = cell.trim_start_matches(hidden).chars().next();
    let odd_start = cell.starts_with(['\t', '\r', '\n', '\0']);
    odd_start || first.is_some_and(|it| "=+-@|%＝＋－＠".contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> String {
        let mut text = String::new();
        add_row(&mut text, cells.iter().copied());
        text
    }

    #[test]
    fn what_would_be_computed_is_text() {
        for bad in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "  =1",
            "\u{feff}=1",
            "＝1+1",
            "|calc",
            "%0A=1",
            "\0=1",
        ] {
            let told = row(&[bad]);
            assert!(told.starts_with("\"'"), "{bad:?} is {told:?}");
        }
        assert_eq!(row(&["=HYPERLINK(\"x\")"]), "\"'=HYPERLINK(\"\"x\"\")\"\r\n");
    }

    #[test]
    fn cells_stay_cells_whatever_is_in_them() {
        assert_eq!(row(&["a", "b c", ""]), "a,b c,\r\n");
        assert_eq!(
            row(&["a,b", "say \"hi\"", "two\nlines"]),
            "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n"
        );
        assert_eq!(
            row(&["2026-01-31T12:00:00Z", "an***@example.com"]),
            "2026-01-31T12:00:00Z,an***@example.com\r\n"
        );
    }
}
