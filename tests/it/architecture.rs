//! Imports look up: a module uses only modules above it in `lib.rs`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules of `lib.rs`, in their order.
fn modules() -> Vec<String> {
    let lib = fs::read_to_string(src().join("lib.rs")).unwrap();
    lib.lines()
        .filter_map(|it| it.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    paths
        .flat_map(|it| if it.is_dir() { rust_files(&it) } else { vec![it] })
        .filter(|it| it.extension().is_some_and(|it| it == "rs"))
        .collect()
}

/// A file's code: without comments, texts and its tests at the foot, which may look anywhere.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|it| it.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The first segments of every `crate::…` path, `crate::{a, b::c}` included.
fn crate_paths(code: &str) -> BTreeSet<String> {
    let word = |it: &str| -> String {
        it.trim_start().chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect()
    };
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::`, `some_crate::`: not ours.
        let before = code[..at].chars().next_back();
        if before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (index, it) in group.char_indices() {
            match it {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                it if it.is_whitespace() => {}
                _ if start && depth == 0 => {
                    found.insert(word(&group[index..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn a_module_uses_only_modules_above_it() {
    let modules = modules();
    let place = |name: &str| modules.iter().position(|it| it == name);
    let mut looks_down = Vec::new();
    let mut seen = 0;
    for file in rust_files(&src()) {
        let inside = file.strip_prefix(src()).unwrap().to_owned();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let Some(own) = place(first.strip_suffix(".rs").unwrap_or(first)) else {
            assert!(matches!(first, "lib.rs" | "main.rs"), "{} is in no module", inside.display());
            continue;
        };
        for used in crate_paths(&code(&fs::read_to_string(&file).unwrap())) {
            // `crate::VERSION` and `crate::BUILD` are no modules.
            let Some(other) = place(&used) else { continue };
            seen += 1;
            if other > own {
                looks_down.push(format!("{} uses {used}", inside.display()));
            }
        }
    }
    assert!(seen > 50, "the search finds paths at all: {seen}");
    assert!(looks_down.is_empty(), "{}", looks_down.join("\n"));
}

#[test]
fn every_file_and_folder_of_src_is_a_module_of_the_list() {
    let listed: BTreeSet<String> = modules().into_iter().collect();
    assert_eq!(listed.len(), modules().len(), "each once");
    let there: BTreeSet<String> = fs::read_dir(src())
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .map(|it| it.strip_suffix(".rs").unwrap_or(&it).to_owned())
        .filter(|it| !matches!(it.as_str(), "lib" | "main"))
        .collect();
    assert_eq!(listed, there);
}

#[test]
fn the_search_finds_paths_in_groups_and_passes_over_words() {
    let code = code(
        "use crate::{\n    model::{Platform, Event},\n    web,\n};\nlet x = crate::chat::Hub;\n\
         // crate::comment\n$crate::macro_path; other_crate::no;\n",
    );
    let expected = ["chat", "model", "web"].map(str::to_owned);
    assert_eq!(crate_paths(&code), BTreeSet::from(expected));
}
