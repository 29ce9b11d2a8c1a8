//! Themes: those in the binary, folders in `themes/`, and those that a room has of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Looks, fingerprint, kept,
    kept::{Kept, OwnThemes},
    key,
    settings::find_css_faults,
};
use crate::{
    config::body::{Body, find_nearest},
    model::CreatorId,
    storage::Kind,
    web::{
        ApiError,
        assets::{Asset, Assets, Folder},
        error::Fault,
    },
};

/// Most themes of a room's own (count).
const MOST_THEMES: usize = 50;
/// Longest stylesheet of one (characters).
const MOST_CSS: usize = 60_000;
/// Most letters of a theme's name.
const LONGEST_NAME: usize = 32;

static BODY: LazyLock<Body> = LazyLock::new(Body::of::<ThemeText>);

/// Where a theme is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// In the binary.
    BuiltIn,
    /// A folder in `themes/`.
    Folder,
    /// The room's own.
    Own,
}

/// A theme as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Theme {
    /// What settings and URLs call it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// In a sentence.
    pub description: String,
    /// What it is made for: `dark`, `light` or `any`.
    pub surface: Surface,
    /// Where it is from.
    pub origin: Origin,
}

/// Which scenes a theme is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ThemeSurface")]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Surface {
    Dark,
    Light,
    #[default]
    Any,
}

/// A theme of a room's own.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ThemeText {
    /// What people call it; absent is its name.
    #[schemars(length(max = 60))]
    pub title: String,
    /// In a sentence.
    #[schemars(length(max = 200))]
    pub description: String,
    /// What it is made for.
    pub surface: Surface,
    /// Its stylesheet; a layer is put around it.
    #[schemars(length(max = 60_000))]
    pub css: String,
}

impl ThemeText {
    /// What this version understands of a stored theme: what it does not is left out, and stays where it is stored.
    ///
    /// # Errors
    /// When there is no stylesheet in it.
    pub(super) fn understand(raw: &Map<String, Value>) -> Result<Self, serde_json::Error> {
        let text =
            |name: &str| raw.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let surface = raw.get("surface").cloned().unwrap_or_default();
        let css = raw.get("css").cloned().unwrap_or_else(|| "".into());
        Ok(Self {
            title: text("title"),
            description: text("description"),
            surface: serde_json::from_value(surface).unwrap_or_default(),
            css: serde_json::from_value(css)?,
        })
    }
}

/// `theme.json`. What it does not say, or says wrongly, is guessed: a theme is its stylesheet.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Card {
    title: Option<String>,
    description: Option<String>,
    surface: Option<String>,
}

/// The themes that every room has.
pub(super) struct Folders {
    themes: BTreeMap<String, Theme>,
    /// What changes with any of their stylesheets.
    version: String,
    /// Folders whose names cannot be a theme's: said once.
    pub(super) passed_over: BTreeSet<String>,
}

impl Folders {
    /// What is in the binary and in `themes/` now; `told` are the folders whose names were complained about before.
    /// Blocking.
    pub(super) fn read(assets: &Assets, told: Option<&BTreeSet<String>>) -> Self {
        let (mut themes, mut parts) = (BTreeMap::new(), Vec::new());
        let mut passed_over = BTreeSet::new();
        for (name, is_folder) in assets.list_themes() {
            let read = |file: &str| assets.read_now(Folder::Themes, &format!("{name}/{file}"));
            if !is_name(&name) {
                if !told.is_some_and(|it| it.contains(&name)) {
                    tracing::warn!("the folder themes/{name} is passed over: {NAMES}");
                }
                passed_over.insert(name);
                continue;
            }
            let Some(css) = read("theme.css") else { continue };
            let card = read("theme.json").unwrap_or_default();
            let card: Card = serde_json::from_slice(&card).unwrap_or_default();
            let surface = match card.surface.as_deref() {
                Some("dark") => Surface::Dark,
                Some("light") => Surface::Light,
                _ => Surface::Any,
            };
            let theme = Theme {
                name: name.clone(),
                title: card.title.unwrap_or_else(|| name.clone()),
                description: card.description.unwrap_or_default(),
                surface,
                origin: if is_folder { Origin::Folder } else { Origin::BuiltIn },
            };
            parts.push(name.clone().into_bytes());
            parts.push(css.to_vec());
            themes.insert(name, theme);
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Self { themes, version: fingerprint(&parts), passed_over }
    }

    /// What changes with any stylesheet that a room may use.
    pub(super) fn version(&self, own: &OwnThemes) -> String {
        let Some(version) = &own.version else { return self.version.clone() };
        fingerprint(&[self.version.as_bytes(), version.as_bytes()])
    }

    /// Why a room cannot use the theme of that name.
    pub(super) fn find_fault(&self, own: &OwnThemes, name: &str) -> Option<String> {
        if own.texts.contains_key(name) || self.themes.contains_key(name) {
            return None;
        }
        let names: BTreeSet<&str> =
            self.themes.keys().chain(own.texts.keys()).map(String::as_str).collect();
        let names: Vec<&str> = names.into_iter().collect();
        Some(match find_nearest(name, &names) {
            Some(near) => format!("there is no theme `{name}`, did you mean `{near}`?"),
            None => format!("there is no theme `{name}`: there are {}", names.join(", ")),
        })
    }
}

/// What can be a theme's name, for people.
const NAMES: &str = "a name is 1 to 32 small letters, digits or `-`, a letter or digit first";

/// Whether a text can be a theme's name.
fn is_name(text: &str) -> bool {
    let allowed = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=LONGEST_NAME).contains(&bytes.len())
        && allowed(bytes[0])
        && bytes.iter().all(|it| allowed(*it) || *it == b'-')
}

/// A name made of a title: `My Theme!` is `my-theme`.
fn name_of(title: &str) -> String {
    let mut name = String::new();
    for letter in title.to_lowercase().chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(LONGEST_NAME);
    let name = name.trim_end_matches('-');
    if name.is_empty() { "theme".to_owned() } else { name.to_owned() }
}

/// What opens the stylesheets of a room whose key this is, and nothing else: it stands in an attribute of the page,
/// where CSS that somebody pasted could read it.
#[must_use]
pub fn stylesheet_key(key: &str) -> String {
    fingerprint(&[b"stylesheet-key/1", key.as_bytes()])
}

/// What to ask for a theme's stylesheet with.
#[must_use]
pub fn theme_query(version: &str, room: &CreatorId, key: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("v", version).append_pair("room", room.as_str());
    if let Some(key) = key {
        query.append_pair("sheet", &stylesheet_key(key));
    }
    query.finish()
}

fn stored_name(room: &CreatorId, name: &str) -> String {
    format!("{}/{name}", key(room))
}

fn own(name: &str, it: &ThemeText) -> Theme {
    let title = if it.title.trim().is_empty() { name } else { it.title.trim() };
    Theme {
        name: name.to_owned(),
        title: title.to_owned(),
        description: it.description.clone(),
        surface: it.surface,
        origin: Origin::Own,
    }
}

impl Looks {
    fn kept_of(&self, room: &CreatorId) -> Arc<Kept> {
        self.kept(&mut self.known(), room)
    }

    /// The themes that a room may use: its own first.
    #[must_use]
    pub fn list_themes(&self, room: &CreatorId) -> Vec<Theme> {
        let mut known = self.known();
        let kept = self.kept(&mut known, room);
        let themes = &kept.themes.texts;
        let mut listed: Vec<Theme> = themes.iter().map(|(name, it)| own(name, it)).collect();
        listed.sort_by_key(|it| it.title.to_lowercase());
        let rest = known.folders.themes.values().filter(|it| !themes.contains_key(&it.name));
        listed.extend(rest.cloned());
        // What a room begins with stands first among those of all.
        listed.sort_by_key(|it| (it.origin != Origin::Own, it.name != "default"));
        listed
    }

    /// A theme that a room may use, with its stylesheet as it was written. Blocking.
    ///
    /// # Errors
    /// 404.
    pub fn find_theme(&self, room: &CreatorId, name: &str) -> Result<Value, ApiError> {
        let found = self.list_themes(room).into_iter().find(|it| it.name == name);
        let theme = found.ok_or(ApiError::NotFound("theme"))?;
        let css = match self.kept_of(room).themes.texts.get(name) {
            Some(it) if theme.origin == Origin::Own => it.css.clone(),
            _ => {
                let path = format!("{name}/theme.css");
                let bytes = self.0.assets.read_now(Folder::Themes, &path);
                String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
            }
        };
        let mut value = json!(theme);
        value["css"] = css.into();
        Ok(value)
    }

    /// `name`, or `default` when the room has no theme of that name.
    pub async fn theme_or_default(&self, room: &CreatorId, name: &str) -> String {
        if self.kept_of(room).themes.texts.contains_key(name) {
            return name.to_owned();
        }
        self.0.assets.theme_or_default(name).await
    }

    /// The stylesheet of a room's own theme, ready to be sent.
    #[must_use]
    pub fn own_stylesheet(&self, room: &CreatorId, name: &str) -> Option<Asset> {
        let kept = self.kept_of(room);
        let theme = kept.themes.texts.get(name)?;
        // It was checked to be whole, so nothing in it closes the layer.
        Some(Asset::css(format!("@layer theme {{\n{}\n}}\n", theme.css)))
    }

    /// Makes a theme of the room's own, of a name or of one made of its title. Blocking.
    ///
    /// # Errors
    /// Everything that is wrong with it; 409 when the name is taken or there are too many; the disk.
    pub fn add_theme(
        &self,
        room: &CreatorId,
        body: &Value,
        most: usize,
    ) -> Result<Theme, ApiError> {
        let most = most.min(MOST_THEMES);
        let _turn = self.turn();
        let mut fields = object(body)?;
        let name = fields.remove("name");
        let mut faults = Vec::new();
        let text = check(fields, ThemeText::default(), &mut faults);
        let kept = self.kept_of(room);
        let themes = &kept.themes;
        let name = match &name {
            None | Some(Value::Null) => self.free_name(themes, &text.title),
            Some(Value::String(name)) if is_name(name) => name.clone(),
            Some(_) => {
                faults.push(Fault::new("/name", NAMES));
                String::new()
            }
        };
        if !faults.is_empty() {
            return Err(ApiError::Invalid(faults));
        }
        if themes.names.contains(&name) || self.known().folders.themes.contains_key(&name) {
            return Err(ApiError::Conflict(format!("there is a theme `{name}` already")));
        }
        if themes.names.len() >= most {
            return Err(ApiError::Conflict(format!("this room has at most {most} themes")));
        }
        self.save(room, (Kind::Themes, stored_name(room, &name), Some(json!(text).to_string())))?;
        self.apply(room);
        Ok(own(&name, &text))
    }

    /// The name that a title makes. Another title that makes the same one has a number behind it: letters that names
    /// cannot have are no reason to be refused. The same title again is taken.
    fn free_name(&self, themes: &OwnThemes, title: &str) -> String {
        let name = name_of(title);
        let is_same = |it: &ThemeText| it.title.trim() == title.trim();
        if themes.texts.values().any(is_same) {
            return name;
        }
        let known = self.known();
        let is_taken =
            |name: &str| themes.names.contains(name) || known.folders.themes.contains_key(name);
        let numbered = |count: u32| {
            let number = format!("-{count}");
            let start = &name[..name.len().min(LONGEST_NAME - number.len())];
            format!("{}{number}", start.trim_end_matches('-'))
        };
        std::iter::once(name.clone())
            .chain((2..).map(numbered))
            .find(|it| !is_taken(it))
            .unwrap_or_else(|| name.clone())
    }

    /// Changes what a body names of a room's own theme. Blocking.
    ///
    /// # Errors
    /// Everything that is wrong with it; 404 for a theme that is not the room's own; the disk.
    pub fn change_theme(
        &self,
        room: &CreatorId,
        name: &str,
        body: &Value,
    ) -> Result<Theme, ApiError> {
        let _turn = self.turn();
        let stored = self.0.state.find(Kind::Themes, &stored_name(room, name));
        let stored = stored.ok_or_else(|| self.not_own(name))?;
        // Changed is what is stored: another version may have written more than this one understands.
        let read = kept::raw_theme(&stored)
            .and_then(|raw| ThemeText::understand(&raw).map(|it| (raw, it)));
        let (mut raw, before) = read.map_err(|error| {
            tracing::error!(creator.id = %room, theme = name, %error, "a stored theme cannot be read");
            ApiError::NotNow("the stored theme cannot be read, and is left as it is")
        })?;
        let mut faults = Vec::new();
        let fields = object(body)?;
        let named: Vec<String> = fields.keys().cloned().collect();
        let text = check(fields, before, &mut faults);
        if !faults.is_empty() {
            return Err(ApiError::Invalid(faults));
        }
        if let Value::Object(whole) = json!(text) {
            raw.extend(whole.into_iter().filter(|it| named.contains(&it.0)));
        }
        let raw = Value::Object(raw).to_string();
        self.save(room, (Kind::Themes, stored_name(room, name), Some(raw)))?;
        self.apply(room);
        Ok(own(name, &text))
    }

    /// Deletes a theme of the room's own. Blocking.
    ///
    /// # Errors
    /// 404 for one that is not; 409 while the room looks like it; the disk.
    pub fn remove_theme(&self, room: &CreatorId, name: &str) -> Result<(), ApiError> {
        let _turn = self.turn();
        if !self.kept_of(room).themes.names.contains(name) {
            return Err(self.not_own(name));
        }
        if self.find(room).settings.theme == name {
            let message = format!("the room looks like `{name}` now: choose another theme first");
            return Err(ApiError::Conflict(message));
        }
        self.save(room, (Kind::Themes, stored_name(room, name), None))?;
        self.apply(room);
        Ok(())
    }

    fn not_own(&self, name: &str) -> ApiError {
        match self.known().folders.themes.get(name).map(|it| it.origin) {
            Some(Origin::BuiltIn) => {
                ApiError::Conflict(format!("`{name}` is built in: make a theme of your own of it"))
            }
            Some(_) => ApiError::Conflict(format!("`{name}` is a folder in `themes/`")),
            None => ApiError::NotFound("theme"),
        }
    }
}

fn object(body: &Value) -> Result<Map<String, Value>, ApiError> {
    let fault = || vec![Fault::new("", "the body is a JSON object that describes a theme")];
    body.as_object().cloned().ok_or_else(|| ApiError::Invalid(fault()))
}

/// A theme with what the fields say, and everything that is wrong with them.
fn check(fields: Map<String, Value>, before: ThemeText, faults: &mut Vec<Fault>) -> ThemeText {
    let fields: Map<_, _> = fields.into_iter().filter(|it| !it.1.is_null()).collect();
    for (pointer, detail) in BODY.check(&Value::Object(fields.clone())) {
        faults.push(Fault::new(pointer, detail));
    }
    let mut whole = json!(before);
    if let Some(whole) = whole.as_object_mut() {
        whole.extend(fields);
    }
    let text = if faults.is_empty() { serde_json::from_value(whole) } else { Ok(before) };
    let text: ThemeText = text.unwrap_or_else(|error| {
        faults.push(Fault::new("", error.to_string()));
        ThemeText::default()
    });
    faults.extend(find_css_faults("/css", &text.css, MOST_CSS));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_makes_a_name() {
        for (title, name) in [
            ("My Theme!", "my-theme"),
            ("  -- Ünder the Sea 2 ", "nder-the-sea-2"),
            ("砂", "theme"),
            ("", "theme"),
        ] {
            assert_eq!(name_of(title), name, "{title}");
            assert!(is_name(&name_of(title)));
        }
        assert!(is_name(&name_of(&"long ".repeat(20))));
        for bad in ["", "-a", "A", "a/b", "a.b", "ä", "_a"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
