//! The commented `doorward.toml` that `doorward init` writes: every setting, explained, the chosen ones active.

use std::fmt::Write as _;

use super::settings::SETTINGS;

/// The file, with these settings (dotted name, value as TOML) active and all others commented out.
pub fn commented(chosen: &[(&str, String)]) -> String {
    let mut text = String::from(
        "# Doorward. Every setting is here; a line that begins with \"# \" and a name shows the default or an example.\n\
         # The same names work as environment variables: limits.scale is DOORWARD_LIMITS__SCALE. Flags win over the\n\
         # environment, which wins over this file. `doorward check` names what is unsafe.\n",
    );
    let mut table = "";
    for setting in SETTINGS {
        let (own_table, key) = setting.name.split_once('.').unwrap_or(("", setting.name));
        if own_table != table {
            table = own_table;
            push(&mut text, format_args!("\n[{table}]\n"));
        }
        push(&mut text, format_args!("\n{}", wrapped(setting.meaning)));
        match chosen.iter().find(|(name, _)| *name == setting.name) {
            Some((_, value)) => push(&mut text, format_args!("{key} = {value}\n")),
            None => push(&mut text, format_args!("# {key} = {}\n", setting.example)),
        }
    }
    text
}

/// A text as a TOML string.
pub fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|character| match character {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            control if control.is_control() => format!("\\u{:04X}", u32::from(control)),
            other => other.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

fn push(text: &mut String, piece: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(piece);
}

fn wrapped(meaning: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in meaning.split(' ') {
        if line.len() + 1 + word.len() > 100 {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines + &line + "\n"
}
