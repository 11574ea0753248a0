//! Layers: defaults, then the file, then the environment, then flags.

use std::path::{Path, PathBuf};

use doorward_model::secret::SecretText;
use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::error::{self, ConfigurationError, Problem};
use super::nearest::nearest;
use super::settings::{self, SETTINGS};
use super::{Configuration, environment};

/// The file's name when none is given.
pub const FILE_NAME: &str = "doorward.toml";
const COMMAND_LINE: &str = "command line";

/// What the command line says about settings.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--database-url`
    pub database_url: Option<SecretText>,
    /// `--listen`, once or more
    pub listen: Vec<String>,
    /// `--ops-listen`
    pub ops_listen: Option<String>,
    /// `--public-url`
    pub public_url: Option<String>,
}

/// Reads all layers. `variables` is the environment; `folder` is where `doorward.toml` is looked for (the working
/// directory), before the data folder.
pub fn load(
    flags: &Flags,
    variables: impl Iterator<Item = (String, String)>,
    folder: &Path,
) -> Result<Configuration, ConfigurationError> {
    let (from_environment, problems) = environment::settings_in(variables);
    let data_dir = flags.data_dir.clone().or_else(|| {
        from_environment
            .iter()
            .find(|(name, _)| *name == "data_dir")
            .and_then(|(_, value)| value.as_str())
            .map(PathBuf::from)
    });
    let file = find_file(flags, folder, &data_dir.unwrap_or_else(|| Configuration::default().data_dir))?;
    merge(flags, from_environment, problems, file)
}

/// What the flags alone would give.
pub fn from_flags(flags: &Flags) -> Result<Configuration, ConfigurationError> {
    merge(flags, Vec::new(), Vec::new(), None)
}

fn merge(
    flags: &Flags,
    from_environment: Vec<(&'static str, Value)>,
    mut problems: Vec<Problem>,
    file: Option<(PathBuf, String)>,
) -> Result<Configuration, ConfigurationError> {
    let mut figment = Figment::new();
    let mut text = String::new();
    if let Some((path, content)) = &file {
        let dict = parse(path, content)?;
        unknown_names(&dict, "", &mut |name| problems.push(unknown(path, content, &name)));
        figment = figment.merge(Layer { place: path.display().to_string(), dict });
        text.clone_from(content);
    }
    let mut dict = Dict::new();
    for (name, value) in from_environment {
        environment::insert(&mut dict, name, value);
    }
    figment = figment.merge(Layer { place: environment::PLACE.to_owned(), dict });
    figment = figment.merge(Layer { place: COMMAND_LINE.to_owned(), dict: flags.as_dict() });
    if !problems.is_empty() {
        return Err(ConfigurationError::Settings(problems));
    }

    let mut configuration: Configuration = figment.extract().map_err(|errors| wrong_kinds(errors, &text))?;
    configuration.file = file.map(|(path, _)| path);
    Ok(configuration)
}

impl Flags {
    fn as_dict(&self) -> Dict {
        let mut dict = Dict::new();
        let mut put = |name: &str, value: Option<Value>| value.map(|value| dict.insert(name.to_owned(), value));
        put("data_dir", self.data_dir.as_ref().map(|path| Value::from(path.display().to_string())));
        put("database_url", self.database_url.as_ref().map(|url| Value::from(url.reveal())));
        put("listen", (!self.listen.is_empty()).then(|| Value::from(self.listen.clone())));
        put("ops_listen", self.ops_listen.as_deref().map(Value::from));
        put("public_url", self.public_url.as_deref().map(Value::from));
        dict
    }
}

/// The named file, which must be there; else the first of the usual ones, if any.
fn find_file(flags: &Flags, folder: &Path, data_dir: &Path) -> Result<Option<(PathBuf, String)>, ConfigurationError> {
    if let Some(path) = &flags.config {
        let source = |source| ConfigurationError::File { path: path.clone(), source };
        return std::fs::read_to_string(path).map(|text| Some((path.clone(), text))).map_err(source);
    }
    for path in [folder.join(FILE_NAME), folder.join(data_dir).join(FILE_NAME)] {
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(ConfigurationError::File { path, source }),
        }
    }
    Ok(None)
}

fn parse(path: &Path, text: &str) -> Result<Dict, ConfigurationError> {
    let syntax = |error: figment::Error| ConfigurationError::Syntax {
        path: path.to_owned(),
        fault: error::without_quoted_line(&error.kind.to_string()),
    };
    let mut data = Toml::string(text).data().map_err(syntax)?;
    Ok(data.remove(&Profile::Default).unwrap_or_default())
}

fn unknown_names(dict: &Dict, prefix: &str, report: &mut dyn FnMut(String)) {
    for (key, value) in dict {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Dict(_, inner)
                if settings::find(&name).is_none() && (!inner.is_empty() || settings::is_table(&name)) =>
            {
                unknown_names(inner, &name, report);
            }
            _ if settings::find(&name).is_some() || settings::is_table(&name) => {}
            _ => report(name),
        }
    }
}

fn unknown(path: &Path, text: &str, name: &str) -> Problem {
    let last = name.rsplit('.').next().unwrap_or(name);
    // A known name in the wrong table is likelier than a misspelt one.
    let moved = SETTINGS.iter().map(|setting| setting.name).find(|known| known.rsplit('.').next() == Some(last));
    let near = nearest(name, SETTINGS.iter().map(|setting| setting.name)).or(moved);
    let fault =
        near.map_or_else(|| "is not a setting".to_owned(), |near| format!("is not a setting; did you mean {near}?"));
    Problem { place: place(&path.display().to_string(), text, name), name: name.to_owned(), fault }
}

fn wrong_kinds(errors: figment::Error, text: &str) -> ConfigurationError {
    let problems = errors
        .into_iter()
        .map(|error| {
            let place_name =
                error.metadata.as_ref().map_or("configuration", |metadata| metadata.name.as_ref()).to_owned();
            // The index within a list is not part of the setting's name.
            let path: Vec<&str> =
                error.path.iter().map(String::as_str).filter(|part| part.parse::<usize>().is_err()).collect();
            let name = path.join(".");
            match place_name.as_str() {
                environment::PLACE => {
                    let variable = settings::find(&name).map_or_else(|| name.clone(), settings::Setting::variable);
                    Problem { name: variable, ..error::problem(&error, place_name, name) }
                }
                COMMAND_LINE => {
                    let flag = format!("--{}", name.replace('_', "-"));
                    Problem { name: flag, ..error::problem(&error, place_name, name) }
                }
                _ => error::problem(&error, place(&place_name, text, &name), name),
            }
        })
        .collect();
    ConfigurationError::Settings(problems)
}

/// The file, with the line where `name` is set.
fn place(file: &str, text: &str, name: &str) -> String {
    let mut table = String::new();
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            header.trim_matches(['[', ' ']).clone_into(&mut table);
            if table == name {
                return format!("{file}, line {}", index + 1);
            }
        } else if let Some((key, _)) = line.split_once('=') {
            let key = key.trim().trim_matches('"');
            let full = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
            if full == name {
                return format!("{file}, line {}", index + 1);
            }
        }
    }
    file.to_owned()
}

struct Layer {
    place: String,
    dict: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.place.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.dict.clone())]))
    }
}

#[cfg(test)]
mod tests;
