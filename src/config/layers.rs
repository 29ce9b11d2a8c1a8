//! The layers of the configuration, later wins: defaults, files, environment, flags.

use std::{fs, io, path::PathBuf};

use serde_json::{Value, json};

use super::{
    Environment, Problem, Sources, channel_flag, creators, read,
    schema::{self, SECTIONS},
};

/// How a variable that sets a value begins; section and keys follow, joined by `__`.
const PREFIX: &str = "STREAMSUITES__";

/// Where the problems of a variable are said to be.
const ENVIRONMENT: &str = "environment";

/// Further names of one key, weakest first.
const ALIASES: [(&str, &str); 2] = [
    ("DASHBOARD_STATE_PUBLISH_ROOT", "STREAMSUITES__SYSTEM__EXPORTS__PUBLISH_ROOT"),
    ("STREAMSUITES_STATE_PUBLISH_ROOT", "STREAMSUITES__SYSTEM__EXPORTS__PUBLISH_ROOT"),
];

/// What the command line sets, as typed.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--listen`
    pub listen: Option<String>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--exports`
    pub exports: Option<PathBuf>,
    /// `--public-url`
    pub public_url: Option<String>,
    /// Every `--channel`, in the order given.
    pub channels: Vec<String>,
}

/// A value that did not come from a file.
struct Overlay {
    section: usize,
    /// Where in the section it stands (JSON pointer).
    pointer: String,
    /// Where it came from, in a [`Problem`]'s words.
    file: String,
    path: String,
}

/// The sections' values, from the files up, and everything wrong with them so far.
pub(super) struct Layers {
    /// In the order of [`SECTIONS`].
    pub values: Vec<Value>,
    /// The files' paths, as shown.
    pub files: Vec<String>,
    /// How many of the files there are.
    pub files_found: usize,
    pub problems: Vec<Problem>,
    overlays: Vec<Overlay>,
}

impl Layers {
    /// Reads the files. A missing one is the defaults.
    pub(super) fn from_files(sources: &Sources) -> Self {
        let path = |index: usize| sources.folder.join(SECTIONS[index].file);
        let mut layers = Self {
            values: SECTIONS.iter().map(|_| json!({})).collect(),
            files: (0..SECTIONS.len()).map(|index| path(index).display().to_string()).collect(),
            files_found: 0,
            problems: Vec::new(),
            overlays: Vec::new(),
        };
        if sources.folder_must_exist && !sources.folder.is_dir() {
            let folder = sources.folder.display().to_string();
            layers.problems.push(Problem::new(folder, "", "there is no such folder"));
            return layers;
        }
        for (index, section) in SECTIONS.iter().enumerate() {
            let file = layers.files[index].clone();
            let text = match fs::read(path(index)) {
                Ok(bytes) => String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => Err(format!("cannot be read: {error}")),
            };
            layers.files_found += 1;
            match text.and_then(|text| read::parse(&text)) {
                Ok(value) => {
                    let found = read::check(section, &value);
                    let problem = |(path, message)| Problem::new(&file, path, message);
                    layers.problems.extend(found.into_iter().map(problem));
                    if value.is_object() {
                        layers.values[index] = value;
                    }
                }
                Err(message) => layers.problems.push(Problem::new(&file, "", message)),
            }
        }
        layers
    }

    /// Lays the variables over the files.
    pub(super) fn add_environment(&mut self, environment: &Environment) {
        for (alias, name) in ALIASES {
            if let Some(text) = environment.find(alias) {
                self.add_variable(alias, name, text);
            }
        }
        for (name, text) in environment.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
            self.add_variable(name, name, text);
        }
    }

    /// Sets what `name` names. Its problems are told under `shown`.
    fn add_variable(&mut self, shown: &str, name: &str, text: &str) {
        let (section, path) = match find_place(name) {
            Ok(place) => place,
            Err(message) => return self.problems.push(Problem::new(ENVIRONMENT, shown, message)),
        };
        let parts = schema::parts_at(&SECTIONS[section].schema, &path);
        let value = match serde_json::from_str::<Value>(text) {
            Ok(value) if schema::accepts_type(&parts, &value) => value,
            _ if text.is_empty() && schema::accepts_type(&parts, &Value::Null) => Value::Null,
            _ => Value::String(text.to_owned()),
        };
        match set(&mut self.values[section], &path, value) {
            Ok(()) => {
                let pointer = path.iter().map(|it| format!("/{it}")).collect();
                self.overlay(section, pointer, ENVIRONMENT, shown);
            }
            Err(message) => self.problems.push(Problem::new(ENVIRONMENT, shown, message)),
        }
    }

    /// Lays the flags over everything else.
    pub(super) fn add_flags(&mut self, flags: &Flags) {
        let path = |path: &Option<PathBuf>| {
            // JSON, and so the rest of the way, is Unicode.
            path.as_ref().map(|it| it.clone().into_os_string().into_string().map_err(drop))
        };
        let values = [
            ("--listen", "listen", flags.listen.clone().map(Ok)),
            ("--data", "data_dir", path(&flags.data)),
            ("--exports", "exports_dir", path(&flags.exports)),
            ("--public-url", "public_url", flags.public_url.clone().map(Ok)),
        ];
        for (flag, key, value) in values {
            match value {
                Some(Ok(text)) => {
                    self.values[0][key] = Value::String(text);
                    self.overlay(0, format!("/{key}"), flag, "");
                }
                Some(Err(())) => {
                    self.problems.push(Problem::new(flag, "", "is not Unicode text"));
                }
                None => {}
            }
        }
        match channel_flag::parse_all(&flags.channels) {
            Ok(channels) => {
                for channel in channels {
                    if let Some(pointer) = creators::add_channel(&mut self.values[2], &channel) {
                        self.overlay(2, pointer, "--channel", "");
                    }
                }
            }
            Err(messages) => {
                let problem = |message| Problem::new("--channel", "", message);
                self.problems.extend(messages.into_iter().map(problem));
            }
        }
    }

    fn overlay(&mut self, section: usize, pointer: String, file: &str, path: &str) {
        let overlay = Overlay { section, pointer, file: file.to_owned(), path: path.to_owned() };
        self.overlays.push(overlay);
    }

    /// Checks what the layers came to. The files' own mistakes are known already: of the schema's
    /// problems only those of variables and flags are new.
    pub(super) fn check(&mut self) {
        for (index, section) in SECTIONS.iter().enumerate() {
            for (path, message) in read::check(section, &self.values[index]) {
                if let Some(problem) = self.overlay_problem(index, &path, &message) {
                    self.problems.push(problem);
                }
            }
        }
        self.add_found(2, creators::check(&self.values[2]));
    }

    /// Records what is wrong between values of a section, where each value came from.
    pub(super) fn add_found(&mut self, section: usize, found: Vec<read::Found>) {
        let placed = self.place(section, found);
        self.problems.extend(placed);
    }

    /// What was found in a section, each where its value came from.
    pub(super) fn place(&self, section: usize, found: Vec<read::Found>) -> Vec<Problem> {
        let placed = found.into_iter().map(|(path, message)| {
            let problem = self.overlay_problem(section, &path, &message);
            problem.unwrap_or_else(|| Problem::new(&self.files[section], path, message))
        });
        placed.collect()
    }

    /// The problem at `path` as one of the variable or flag that set it, if one did.
    fn overlay_problem(&self, section: usize, path: &str, message: &str) -> Option<Problem> {
        let rest = |it: &Overlay| {
            let rest = path.strip_prefix(it.pointer.as_str()).filter(|_| it.section == section)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(rest.to_owned())
        };
        let (overlay, rest) = self.overlays.iter().rev().find_map(|it| Some((it, rest(it)?)))?;
        // A flag shows no JSON, so where inside it would say nothing.
        let inside = !rest.is_empty() && overlay.file == ENVIRONMENT;
        let message = if inside { format!("{rest}: {message}") } else { message.to_owned() };
        Some(Problem::new(&overlay.file, &overlay.path, message))
    }
}

/// The section and the keys that a variable names, or what is wrong with its name.
fn find_place(name: &str) -> Result<(usize, Vec<String>), String> {
    let mut words = name[PREFIX.len()..].split("__");
    let section = words.next().unwrap_or_default();
    let names: Vec<_> = SECTIONS.iter().map(|it| it.name.to_ascii_uppercase()).collect();
    let Some(index) = names.iter().position(|it| it == section) else {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        return Err(match read::find_nearest(section, &names) {
            Some(near) => format!("unknown section `{section}`, did you mean `{PREFIX}{near}`?"),
            None => format!("unknown section `{section}`: the sections are {}", names.join(", ")),
        });
    };
    let mut path: Vec<String> = Vec::new();
    for word in words {
        let known = schema::list_keys(&schema::parts_at(&SECTIONS[index].schema, &path));
        path.push(word.to_ascii_lowercase());
        if schema::parts_at(&SECTIONS[index].schema, &path).is_empty() {
            path.pop();
            return Err(match read::find_nearest(word, &known) {
                Some(near) => {
                    path.push(near.to_owned());
                    let keys = path.join("__").to_ascii_uppercase();
                    format!("unknown key `{word}`, did you mean `{PREFIX}{section}__{keys}`?")
                }
                None if known.is_empty() => format!("unknown key `{word}`"),
                None => {
                    let known = known.join(", ").to_ascii_uppercase();
                    format!("unknown key `{word}`: the keys here are {known}")
                }
            });
        }
    }
    if path.is_empty() {
        return Err(format!("names a section and no key: write `{PREFIX}{section}__KEY`"));
    }
    Ok((index, path))
}

/// Puts `new` at `path`, making the objects on the way.
fn set(value: &mut Value, path: &[String], new: Value) -> Result<(), String> {
    let mut place = value;
    for key in path {
        // No key is a number, so a number is an element, even where there is no list yet.
        if let Ok(index) = key.parse::<usize>() {
            let count = place.as_array().map_or(0, Vec::len);
            let missing = || format!("there is no element {index}: there are {count}");
            place = place.get_mut(index).ok_or_else(missing)?;
        } else {
            if !place.is_object() {
                *place = json!({}); // A file's mistake here has been told.
            }
            place = &mut place[key.as_str()];
        }
    }
    *place = new;
    Ok(())
}
