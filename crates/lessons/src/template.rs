//! The files of a new lesson.

/// A file of a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Path from the root of the repository.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// Why there is no new lesson.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NewLessonError {
    /// Not a name for a lesson.
    #[error(
        "\"{0}\" is no id for a lesson; accepted are lower-case letters, digits and single hyphens, beginning with a \
         letter, like \"image-layers\""
    )]
    BadId(String),
    /// There is one already.
    #[error("there is a lesson \"{0}\" already; choose another id, or edit crates/lessons/{0}")]
    Taken(String),
}

const FILES: [(&str, &str); 4] = [
    ("lesson.toml", include_str!("template/lesson.toml")),
    ("scenario.toml", include_str!("template/scenario.toml")),
    ("en.md", include_str!("template/en.md")),
    ("ko.md", include_str!("template/ko.md")),
];

/// The files of a new lesson `id`: a small one that proves itself as it stands.
///
/// # Errors
/// [`NewLessonError`] where the id is not one, or is taken.
pub fn new_lesson(id: &str) -> Result<Vec<NewFile>, NewLessonError> {
    if !is_id(id) {
        return Err(NewLessonError::BadId(id.to_owned()));
    }
    if RESERVED.contains(&id) || crate::find(id).is_some() {
        return Err(NewLessonError::Taken(id.to_owned()));
    }
    let number = crate::all().iter().map(|lesson| lesson.number).max().unwrap_or(0) + 1;
    let fill = |text: &str| text.replace("ID", id).replace("NUMBER", &number.to_string());
    let file = |(name, text): (&str, &str)| NewFile {
        path: format!("crates/lessons/{id}/{name}"),
        text: fill(text),
    };
    Ok(FILES.into_iter().map(file).collect())
}

/// Directories of this crate that are no lessons.
const RESERVED: [&str; 4] = ["build", "home", "src", "tests"];

fn is_id(id: &str) -> bool {
    let word =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.split('-').all(word)
}

#[cfg(test)]
mod tests {
    use super::{NewLessonError, new_lesson};

    #[test]
    fn a_new_lesson_has_its_four_files() {
        let files = new_lesson("scheduling").unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(
            paths,
            ["lesson.toml", "scenario.toml", "en.md", "ko.md"]
                .map(|name| format!("crates/lessons/scheduling/{name}"))
        );
        for file in files {
            assert!(!file.text.contains("ID") && !file.text.contains("NUMBER"), "{}", file.path);
        }
    }

    #[test]
    fn ids_that_are_none_are_refused() {
        for id in ["", "Image", "image layers", "-image", "image-", "image--layers", "7", "../x", "컨테이너"]
        {
            assert_eq!(new_lesson(id), Err(NewLessonError::BadId(id.to_owned())));
        }
        for id in ["cgroups", "src", "home"] {
            assert_eq!(new_lesson(id), Err(NewLessonError::Taken(id.to_owned())));
        }
    }
}
