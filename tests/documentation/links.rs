//! Every link leads to a file that is there, and to a heading that is in it.

use std::{collections::BTreeSet, fs, path::Path};

use crate::page::{Page, root};

#[test]
fn every_link_leads_somewhere() {
    let pages = Page::all();
    let mut faults = Vec::new();
    let mut linked = BTreeSet::new();
    for page in &pages {
        for link in links(&page.prose()) {
            // The server's own pages are there while one runs; the others cannot be asked for.
            if link.starts_with("http://127.0.0.1:7117/") || link.starts_with("https://") {
                continue;
            }
            match target(page, &link) {
                Ok(target) if page.name == "README.md" => drop(linked.insert(target)),
                Ok(_) => {}
                Err(reason) => faults.push(format!("{}: {link}: {reason}", page.name)),
            }
        }
    }
    for page in pages.iter().filter(|page| page.name != "README.md") {
        if !linked.contains(&page.name) {
            faults.push(format!("{}: the README does not lead to it", page.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The file of a link, as a path in the repository.
fn target(page: &Page, link: &str) -> Result<String, String> {
    let (file, heading) = match link.split_once('#') {
        Some((file, heading)) => (file, Some(heading)),
        None => (link, None),
    };
    let folder = Path::new(&page.name).parent().unwrap_or(Path::new(""));
    let path = match file {
        "" => root().join(&page.name),
        file => root().join(folder).join(file),
    };
    let path = path.canonicalize().map_err(|error| error.to_string())?;
    let name = path.strip_prefix(root().canonicalize().unwrap()).map_err(|error| error.to_string());
    if let Some(heading) = heading {
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        if !text.lines().filter_map(anchor).any(|anchor| anchor == heading) {
            return Err("there is no such heading".to_owned());
        }
    }
    Ok(name?.to_str().unwrap().to_owned())
}

/// What stands in `[…](here)`, but for code.
fn links(prose: &str) -> Vec<String> {
    // A span of code has no links in it; spans do not go over lines here.
    let without_code: String =
        prose.lines().map(|line| line.split('`').step_by(2).collect::<String>() + "\n").collect();
    let links = without_code.split("](").skip(1);
    links.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The anchor that a heading gets: its words in small letters, with hyphens between.
fn anchor(line: &str) -> Option<String> {
    let words = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
}
