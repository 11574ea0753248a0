//! Columns that line up, for people.

/// Rows under their headings; no column is wider than its widest cell.
pub fn aligned<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = headings.map(|heading| heading.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(headings);
    for row in rows {
        text.push_str(&line(row.each_ref().map(String::as_str)));
    }
    text
}

/// A name and a value on each line.
pub fn listed(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<String> = facts.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a".to_owned(), "long cell".to_owned()], ["äöü-".to_owned(), String::new()]];
        assert_eq!(aligned(["id", "state"], &rows), "id    state\na     long cell\näöü-\n");
    }

    #[test]
    fn facts_line_up() {
        assert_eq!(listed(&[("id", "1".to_owned()), ("name", "Ann".to_owned())]), "id    1\nname  Ann\n");
    }
}
