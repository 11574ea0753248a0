//! Every page, in every language and state: complete, escaped, small, without inline code.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use doorward_app::text::Texts;
use doorward_model::locale::Locale;
use doorward_web::pages::views::{MARK, Notice, Page, SCRIPT, STYLESHEET, Theme, find_asset};

#[path = "../examples/preview/samples.rs"]
mod samples;

use samples::Typed;

const NONCE: &str = "bm9uY2U";

fn page(locale: Locale) -> Page {
    Page {
        texts: Texts::for_locale(locale),
        theme: Theme::System,
        site: "Doorward".into(),
        path: "/login".into(),
        flow: String::new(),
        csrf: "dwc_token".into(),
        nonce: NONCE.into(),
        is_signed_in: false,
    }
}

/// The same text in every slot.
fn everywhere(text: &str) -> Typed {
    let text = || text.to_owned();
    Typed {
        email: text(),
        name: text(),
        code: text(),
        flow: text(),
        device: text(),
        address: text(),
        request_id: text(),
    }
}

fn every_page(typed: &Typed) -> Vec<(String, String)> {
    Locale::ALL.into_iter().flat_map(|locale| samples::pages(&page(locale), typed).unwrap()).collect()
}

/// The tags of a page, without comments or text.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).map(|rest| rest.split_once('>').map_or(rest, |(tag, _)| tag))
}

#[test]
fn every_page_is_complete_in_every_language() {
    let pages = every_page(&Typed::ordinary());
    assert!(pages.len() > 90, "{}", pages.len());
    for (name, html) in pages {
        assert!(!html.contains('⟦'), "{name}: {html}");
        assert!(html.starts_with("<!doctype html>\n<html lang=\""), "{name}");
        assert!(html.contains("<title>") && !html.contains("<title></title>"), "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<main ").count(), 1, "{name}");
    }
}

/// Proves: V3.6.1, V3.7.1, V14.2.3
#[test]
fn no_page_holds_inline_code_or_loads_from_elsewhere() {
    for (name, html) in every_page(&Typed::ordinary()) {
        for tag in tags(&html) {
            // An application that hears of the end of a session: it may run, and reach nothing of this page.
            if tag.starts_with(&format!("iframe src=\"{}\"", samples::FRAME)) {
                assert!(tag.ends_with(" sandbox=\"allow-scripts allow-same-origin\" hidden"), "{name}: {tag}");
                continue;
            }
            for plugin in ["object", "embed", "applet", "iframe", "base", "meta http-equiv"] {
                assert!(!tag.starts_with(plugin), "{name}: {tag}");
            }
            assert!(!tag.contains(" style=") && !tag.starts_with("style"), "{name}: {tag}");
            assert!(!tag.split(' ').any(|attribute| attribute.starts_with("on")), "{name}: {tag}");
            // The forms that lead to an application say where, and the one that a request made up needs a click.
            let form = format!("form method=\"post\" action=\"{}\"", samples::CALLBACK);
            let at_once = if name == "form-post" { " data-send-at-once" } else { "" };
            let leaves =
                format!("a class=\"secondary\" href=\"{}\" rel=\"external noopener noreferrer\"", samples::FAILED);
            let leads_away = tag == form + at_once || (name == "leave" && tag == leaves);
            // And an application's own pages open only when somebody clicks on them, and hear nothing of this one.
            let link = |uri| format!("a href=\"{uri}\" rel=\"external noopener noreferrer\"");
            let is_link = samples::OWN_PAGES.iter().any(|(_, uri)| tag == link(*uri));
            let may_name = leads_away || is_link;
            assert!(!tag.contains("javascript:") && (!tag.contains("http") || may_name), "{name}: {tag}");
            if tag.starts_with("script") {
                assert_eq!(tag, format!("script type=\"module\" src=\"{}\" nonce=\"{NONCE}\"", SCRIPT.path()));
            }
        }
        assert!(html.contains("</script>\n</head>"), "{name}");
    }
}

/// Proves: V1.3.2, V3.2.2, V3.2.3, V3.5.5, V3.6.1, V3.7.1, V14.2.3
#[test]
fn what_a_page_loads_loads_nothing_more_and_never_makes_code_or_markup_of_text() {
    for asset in [&*STYLESHEET, &*SCRIPT, &*MARK] {
        let text = std::str::from_utf8(asset.bytes).unwrap();
        // The one address in them is the name of a namespace, which nothing loads.
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for elsewhere in ["http:", "https:", "url(//", "@import", "src=\"//", "import(", "fetch(", "XMLHttpRequest"] {
            assert!(!text.contains(elsewhere), "{elsewhere} in {}", asset.path());
        }
    }
    let script = std::str::from_utf8(SCRIPT.bytes).unwrap();
    for dangerous in [
        "eval(",
        "Function(",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "setTimeout(\"",
        "\"message\"",
        "postMessage",
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "document.cookie",
        "window[",
    ] {
        assert!(!script.contains(dangerous), "{dangerous}");
    }
}

/// The elements and attribute names of a page, in order: what a browser would build, without its texts.
fn shape(html: &str) -> Vec<String> {
    tags(html)
        .map(|tag| {
            let mut quoted = false;
            let outside: String = tag
                .chars()
                .filter(|c| {
                    if *c == '"' {
                        quoted = !quoted;
                    }
                    !quoted
                })
                .collect();
            outside
        })
        .collect()
}

/// Proves: A-46, V1.2.1, V1.3.7, S-45, S-110, S-127
#[test]
fn what_people_type_is_text_in_every_slot() {
    let harmless: Vec<_> = every_page(&everywhere("harmless")).into_iter().map(|(_, html)| shape(&html)).collect();
    for hostile in [
        "\"><svg/onload=alert(1)>",
        "'><img src=x onerror=alert(1)>",
        "</script><script>alert(1)</script>",
        "</title><body onload=alert(1)>",
        "<!--<a href=\"--><img src=x onerror=alert(1)>",
        "{{7*7}} {% raw %} ${7*7} {$site}",
        "javascript:alert(1)",
        "\" autofocus onfocus=alert(1) x=\"",
        "\u{202e}gnp.exe\u{2066}",
        "\u{2028}alert(1)\u{2029}",
        "&lt;b&gt; &#x27;",
        "\0\u{7f}",
    ] {
        let pages = every_page(&everywhere(hostile));
        for ((name, html), harmless) in pages.iter().zip(&harmless) {
            assert_eq!(&shape(html), harmless, "{name} with {hostile}");
            assert!(!html.contains("<svg/onload") && !html.contains("<script>") && !html.contains("<img"), "{name}");
        }
        let login = &pages.iter().find(|(name, _)| name == "login-refused").unwrap().1;
        let shown = hostile.replace('&', "&#38;").replace('<', "&#60;").replace('>', "&#62;");
        let shown = shown.replace('"', "&#34;").replace('\'', "&#39;");
        assert!(login.contains(&format!("value=\"{shown}\"")), "typed text comes back as it was: {hostile}");
    }
}

#[test]
fn after_an_error_the_title_and_a_summary_say_so() {
    for (name, html) in samples::pages(&page(Locale::English), &Typed::ordinary()).unwrap() {
        let has_summary = html.contains("id=\"problems\" role=\"alert\" tabindex=\"-1\" autofocus");
        let is_error = html.contains("<title>Error: ");
        let must_be_corrected = name.ends_with("-error") || name.ends_with("refused") || name.ends_with("throttled");
        assert_eq!(has_summary, must_be_corrected, "{name}");
        assert_eq!(is_error, must_be_corrected || name.starts_with("failure-"), "{name}");
        for link in html.split("<li><a href=\"#").skip(1) {
            let id = link.split('"').next().unwrap();
            assert!(
                ["<input", "<input class=\"code\""].iter().any(|tag| html.contains(&format!("{tag} id=\"{id}\""))),
                "{name}: {id}"
            );
        }
    }
}

#[test]
fn what_a_control_is_described_by_exists() {
    for (name, html) in every_page(&Typed::ordinary()) {
        for attribute in ["aria-describedby=\"", "aria-controls=\"", "for=\"", "data-count-for=\"", "data-copy=\""] {
            for list in html.split(&format!(" {attribute}")).skip(1) {
                for id in list.split('"').next().unwrap().split_whitespace() {
                    assert!(html.contains(&format!(" id=\"{id}\"")), "{name}: {attribute}{id}");
                }
            }
        }
    }
}

#[test]
fn password_managers_find_what_they_need() {
    let pages = samples::pages(&page(Locale::English), &Typed::ordinary()).unwrap();
    for (name, html) in &pages {
        for form in html.split("<form ").skip(1).map(|rest| rest.split("</form>").next().unwrap()) {
            assert!(!form.contains("autocomplete=\"off\"") && !form.contains("onpaste"), "{name}");
            if form.contains("type=\"password\"") {
                assert!(form.contains("id=\"email\" name=\"email\" type=\"email\""), "{name}");
                assert!(form.contains("autocomplete=\"username\""), "{name}");
            }
        }
        assert!(!html.contains("type=\"password\" value"), "{name}");
    }
    let expect = |name: &str, parts: &[&str]| {
        let html = &pages.iter().find(|(page, _)| page == name).unwrap().1;
        for part in parts {
            assert!(html.contains(part), "{name}: {part}");
        }
    };
    expect("login", &["autocomplete=\"username\"", "autocomplete=\"current-password\""]);
    expect("signup", &["autocomplete=\"username\"", "autocomplete=\"name\"", "autocomplete=\"new-password\""]);
    expect("verify", &["autocomplete=\"one-time-code\"", "inputmode=\"numeric\""]);
    expect("verify-link", &["readonly value=\"mara.lindqvist@example.com\"", "autocomplete=\"new-password\""]);
    expect("reset", &["readonly value=\"mara.lindqvist@example.com\"", "autocomplete=\"new-password\""]);
    expect("account-password", &["readonly", "autocomplete=\"current-password\"", "autocomplete=\"new-password\""]);
}

#[test]
fn every_form_posts_to_this_site_with_the_token() {
    for (name, html) in every_page(&Typed::ordinary()) {
        for form in html.split("<form ").skip(1).map(|rest| rest.split("</form>").next().unwrap()) {
            // What goes to an application must not bring the token that is for us.
            if form.starts_with(&format!("method=\"post\" action=\"{}\"", samples::CALLBACK)) {
                assert!(
                    ["form-post", "leave-post"].contains(&name.as_str()) && !form.contains("csrf_token"),
                    "{name}: {form}"
                );
                continue;
            }
            assert!(form.starts_with("method=\"post\" action=\"/"), "{name}: {form}");
            assert!(!form.starts_with("method=\"post\" action=\"//"), "{name}: {form}");
            assert_eq!(form.matches("name=\"csrf_token\" value=\"dwc_token\"").count(), 1, "{name}");
        }
    }
}

#[test]
fn a_chosen_theme_is_on_the_page_and_the_system_one_is_not() {
    for theme in Theme::ALL {
        let page = Page { theme, ..page(Locale::German) };
        let (_, html) = samples::pages(&page, &Typed::ordinary()).unwrap().swap_remove(0);
        let attribute = format!("<html lang=\"de\" dir=\"ltr\" data-theme=\"{}\">", theme.slug());
        assert_eq!(html.contains(&attribute), theme != Theme::System, "{theme:?}");
        assert_eq!(Theme::from_slug(theme.slug()), Some(theme));
    }
}

#[test]
fn a_page_with_all_it_loads_is_small() {
    let assets = STYLESHEET.bytes.len() + SCRIPT.bytes.len() + MARK.bytes.len();
    for (name, html) in every_page(&Typed::ordinary()) {
        assert!(html.len() + assets < 60 * 1024, "{name}: {} and {assets} bytes", html.len());
    }
}

#[test]
fn an_asset_is_found_only_by_its_full_name() {
    assert_eq!(find_asset(STYLESHEET.path()).map(|asset| asset.media_type), Some("text/css; charset=utf-8"));
    assert!(find_asset("/assets/doorward.css").is_none());
    assert!(find_asset("/assets/../doorward.css").is_none());
}

#[test]
fn a_notice_reads_back_from_its_address() {
    for notice in Notice::ALL {
        assert_eq!(Notice::from_slug(notice.slug()), Some(*notice));
    }
    assert_eq!(Notice::from_slug("<script>"), None);
}

/// A message nobody uses is a message nobody checks.
#[test]
fn every_text_is_used_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut source = String::new();
    for folder in ["model/src", "app/src", "web/src", "web/templates"] {
        read_into(&root.join(folder), &mut source);
    }
    for file in ["shared", "pages", "account", "notices", "messages", "mails"] {
        let texts = std::fs::read_to_string(root.join(format!("../locales/en/{file}.ftl"))).unwrap();
        for line in texts.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase())) {
            let id = line.split(" =").next().unwrap();
            let is_notice = id.strip_prefix("notice-").is_some_and(|slug| Notice::from_slug(slug).is_some());
            assert!(is_notice || source.contains(&format!("\"{id}\"")), "nothing says {id}");
        }
    }
}

fn read_into(folder: &std::path::Path, source: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_into(&path, source);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "html") {
            source.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
