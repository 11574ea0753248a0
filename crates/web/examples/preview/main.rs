//! Writes every page with made-up content into a folder, to look at in a browser without a server:
//! `cargo run -p doorward-web --example preview -- target/preview`.

use std::error::Error;
use std::path::{Path, PathBuf};

use doorward_app::text::Texts;
use doorward_model::locale::Locale;
use doorward_web::pages::views::{MARK, Page, SCRIPT, STYLESHEET, Theme};

mod samples;

#[expect(clippy::disallowed_methods, reason = "a tool for developers, with one argument")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map(PathBuf::from).ok_or("name the folder to write into")?;
    std::fs::create_dir_all(folder.join("assets"))?;
    for asset in [&*STYLESHEET, &*SCRIPT, &*MARK] {
        std::fs::write(folder.join(asset.path().trim_start_matches('/')), asset.bytes)?;
    }
    for locale in Locale::ALL {
        for theme in Theme::ALL {
            write_pages(&folder, locale, theme)?;
        }
    }
    Ok(())
}

fn write_pages(folder: &Path, locale: Locale, theme: Theme) -> Result<(), Box<dyn Error>> {
    let page = Page {
        texts: Texts::for_locale(locale),
        theme,
        site: "Doorward".into(),
        path: "/login".into(),
        flow: String::new(),
        csrf: "sample".into(),
        nonce: String::new(),
        is_signed_in: false,
    };
    for (name, html) in samples::pages(&page, &samples::Typed::ordinary())? {
        // Files know no root: the assets lie beside the pages.
        let html = html.replace("\"/assets/", "\"assets/");
        std::fs::write(folder.join(format!("{name}.{}.{}.html", locale.as_str(), theme.slug())), html)?;
    }
    Ok(())
}
