//! Locates a key path in the file. Only used for errors.

use saphyr_parser::{Event, Parser};

/// An open collection on the way down.
enum Level {
    /// A mapping; the key whose value comes next, if a key was just read.
    Map(Option<String>),
    /// A sequence; the index of the next item.
    List(usize),
}

/// Line and column (both from 1) of the last key or list item of `path`, or of the nearest one above that exists.
pub(super) fn find(yaml: &str, path: &[String]) -> Option<(usize, usize)> {
    let mut levels: Vec<Level> = Vec::new();
    let mut best = None;
    let mut depth_reached = 0;
    for event in Parser::new_from_str(yaml) {
        let (event, span) = event.ok()?;
        let here = (span.start.line(), span.start.col() + 1);
        match event {
            Event::Scalar(text, ..) if expects_key(&levels) => {
                if let Some(Level::Map(key)) = levels.last_mut() {
                    *key = Some(text.into_owned());
                }
                // Remember the deepest key on the path: a missing value is best shown at its parent.
                let depth = levels.len();
                if depth > depth_reached && path.get(..depth).is_some_and(|start| matches(&levels, start)) {
                    (best, depth_reached) = (Some(here), depth);
                    if depth == path.len() {
                        return best;
                    }
                }
            }
            Event::Scalar(..) | Event::Alias(..) => {
                if levels.len() == path.len() && matches(&levels, path) {
                    return Some(here);
                }
                advance(&mut levels);
            }
            Event::MappingStart(..) => levels.push(Level::Map(None)),
            Event::SequenceStart(..) => levels.push(Level::List(0)),
            Event::MappingEnd | Event::SequenceEnd => {
                levels.pop();
                advance(&mut levels);
            }
            _ => {}
        }
    }
    best
}

fn expects_key(levels: &[Level]) -> bool {
    matches!(levels.last(), Some(Level::Map(None)))
}

/// A value has been read: the next thing is a key, or the next item.
fn advance(levels: &mut [Level]) {
    match levels.last_mut() {
        Some(Level::Map(key)) => *key = None,
        Some(Level::List(index)) => *index += 1,
        None => {}
    }
}

fn matches(levels: &[Level], path: &[String]) -> bool {
    levels.len() == path.len()
        && levels.iter().zip(path).all(|(level, segment)| match level {
            Level::Map(key) => key.as_ref() == Some(segment),
            Level::List(index) => index.to_string() == *segment,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &[&str]) -> Option<(usize, usize)> {
        let yaml = "z0: { a: { b: { c: 1 } } }\na:\n  b: [x, y]\n  c: { d: 1 }\n";
        find(yaml, &path.iter().map(|&s| s.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_path_is_found_or_its_nearest_parent() {
        assert_eq!(at(&["a", "c", "d"]), Some((4, 8)));
        assert_eq!(at(&["a", "b", "1"]), Some((3, 10)));
        assert_eq!(at(&["a", "c", "missing"]), Some((4, 3)));
        assert_eq!(at(&["z"]), None);
    }
}
