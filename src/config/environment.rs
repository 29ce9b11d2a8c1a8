//! The environment of the process, and the `.env` file that adds to it.

use std::{collections::BTreeMap, ffi::OsString, fmt, fs, io, path::Path};

use super::Problem;

/// Variables by name. Shown, it tells how many there are and no value.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process, without what is not Unicode.
    #[must_use]
    pub fn from_process() -> Self {
        let text = |it: OsString| it.into_string().ok();
        std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
    }

    /// The value of a variable; an empty one counts as not set.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|it| !it.is_empty())
    }

    /// Every variable, in the order of names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds the variables of the file at `path`, where this has none. A missing file adds nothing.
    ///
    /// The process environment is read but never changed. What is wrong with the file is returned.
    pub(super) fn add_file(&mut self, path: &Path) -> Vec<Problem> {
        let file = path.display().to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => return vec![Problem::new(file, "", format!("cannot be read: {error}"))],
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut problems = Vec::new();
        let mut found = BTreeMap::new();
        for item in dotenvy::from_read_iter(text.as_bytes()) {
            match item {
                Ok((name, value)) => {
                    // Of two lines with the same name the first counts, as `dotenvy` has it.
                    found.entry(spelling(name)).or_insert(value);
                }
                Err(error) => problems.push(Problem::new(&file, "", line_problem(text, &error))),
            }
        }
        for (name, value) in found {
            self.0.entry(name).or_insert(value);
        }
        problems
    }
}

/// Names the line, never what is on it: the line may hold a secret.
fn line_problem(text: &str, error: &dotenvy::Error) -> String {
    let at = match error {
        dotenvy::Error::LineParse(line, _) => text.find(line.trim()),
        _ => None,
    };
    let wrong = "is not NAME=value (quote a value that holds spaces, `#` or `$`)";
    match at {
        Some(at) => format!("line {} {wrong}", text[..at].matches('\n').count() + 1),
        None => format!("a line {wrong}"),
    }
}

/// Windows does not tell `Path` and `PATH` apart.
fn spelling(name: String) -> String {
    if cfg!(windows) { name.to_ascii_uppercase() } else { name }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (spelling(name.into()), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_wins_over_the_file_and_a_missing_file_adds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let mut environment = Environment::from_iter([("A", "process")]);
        assert_eq!(environment.add_file(&path), []);
        fs::write(&path, "\u{feff}A=file\r\n# note\r\nexport B='two words'\r\nC=\r\n").unwrap();
        assert_eq!(environment.add_file(&path), []);
        assert_eq!(environment.find("A"), Some("process"));
        assert_eq!(environment.find("B"), Some("two words"));
        assert_eq!(environment.find("C"), None);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_and_never_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, "A=1\n\nB=oauth:hunter2 and more\nC=3\n").unwrap();
        let mut environment = Environment::default();
        let problems = environment.add_file(&path);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.starts_with("line 3 is not NAME=value"), "{}", problems[0]);
        assert!(!problems[0].to_string().contains("hunter2"));
        assert_eq!(environment.find("C"), Some("3"));
    }
}
