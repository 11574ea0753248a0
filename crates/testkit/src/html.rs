//! Just enough HTML to fill in our own forms.

/// A form of a page.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// Names and values that a browser would send if nothing were typed.
    pub fields: Vec<(String, String)>,
    /// Names of everything that can be typed or chosen.
    pub names: Vec<String>,
}

/// The forms of a page that are sent by POST.
pub fn forms(page: &str) -> Vec<Form> {
    page.split("<form ").skip(1).map(|part| form(part.split("</form>").next().unwrap_or_default())).collect()
}

fn form(text: &str) -> Form {
    let (head, content) = text.split_once('>').expect("a tag ends");
    let mut form = Form { action: attribute(head, "action").unwrap_or_default(), fields: vec![], names: vec![] };
    for tag in content.split('<').filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
        let is_input = tag.starts_with("input") || tag.starts_with("button");
        let Some(name) = attribute(tag, "name").filter(|_| is_input) else { continue };
        let value = attribute(tag, "value").unwrap_or_default();
        let kind = attribute(tag, "type").unwrap_or_default();
        let is_choice = kind == "checkbox" || kind == "radio";
        if !tag.starts_with("button") && (!is_choice || tag.contains(" checked")) {
            form.fields.push((name.clone(), value));
        }
        form.names.push(name);
    }
    form
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\"")).or_else(|| tag.find(&format!("{name}=\"")).filter(|at| *at == 0))?;
    let rest = tag[start..].split_once('"')?.1;
    Some(unescape(rest.split('"').next()?))
}

/// Text as it reads.
pub fn unescape(text: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&#x27;", "'")];
    let mut text = text.replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&amp;");
    for (entity, character) in named {
        text = text.replace(entity, character);
    }
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_sends_what_stands_in_it() {
        let page = r#"<p><form method="post" action="/x?a=1&amp;b=2" novalidate>
            <input type="hidden" name="csrf_token" value="t&#34;k"><input id="e" name="email" type="email" value="a&amp;b">
            <input type="checkbox" name="remember" value="yes"><input type="radio" name="r" value="2" checked>
            <button class="x">Go</button></form>"#;
        let forms = forms(page);
        assert_eq!(forms.len(), 1);
        assert_eq!(forms[0].action, "/x?a=1&b=2");
        let fields: Vec<_> = forms[0].fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, [("csrf_token", "t\"k"), ("email", "a&b"), ("r", "2")]);
    }
}
