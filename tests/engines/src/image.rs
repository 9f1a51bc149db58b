//! An image of one layer: this machine's shell, `cat` and `sleep`, with the libraries that they are linked with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use catamaran_image::Recipe;
use serde_json::json;

use crate::place::Place;
use crate::tool::{Tool, find};

/// Its name, in a form that no engine completes.
pub(crate) const NAME: &str = "localhost/shell:1";

const PROGRAMS: [&str; 3] = ["sh", "cat", "sleep"];

/// Makes the archive; its path.
pub(crate) fn archive(place: &Place) -> Result<PathBuf> {
    let (layer, archive) = (place.folder.join("layer.tar"), place.folder.join("image.tar"));
    pack(&root(place)?, &layer)?;
    let config = json!({ "Env": ["PATH=/bin"], "Cmd": ["/bin/sh"], "WorkingDir": "/" });
    Recipe { name: NAME, base: None, top: &fs::read(layer)?, config }.write(&archive)?;
    Ok(archive)
}

/// Makes the folder that is the root of containers.
pub(crate) fn root(place: &Place) -> Result<PathBuf> {
    let root = PathBuf::from(place.folder("root")?);
    for folder in ["bin", "dev", "etc", "proc", "sys", "tmp"] {
        fs::create_dir_all(root.join(folder))?;
    }
    for program in PROGRAMS {
        let file = find(program).with_context(|| format!("this machine has no {program}"))?;
        copy(&file, &root.join("bin").join(program))?;
        for library in libraries(&file)? {
            copy(&library, &root.join(library.strip_prefix("/")?))?;
        }
    }
    Ok(root)
}

/// Copies a file or what a link leads to.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().context("a file is in a folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(from, to))
        .with_context(|| from.display().to_string())?;
    Ok(())
}

/// Shared libraries of a program and the loader, which `ldd` knows.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let ldd = Tool::new(&find("ldd").context("there is no ldd")?);
    let said = ldd.command(&[program]).output()?;
    let libraries = in_list(&String::from_utf8_lossy(&said.stdout));
    ensure!(!libraries.is_empty(), "ldd knows nothing of {}", program.display());
    Ok(libraries)
}

/// Paths in the output of `ldd`.
fn in_list(said: &str) -> Vec<PathBuf> {
    said.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

fn pack(folder: &Path, archive: &Path) -> Result<()> {
    let tar = Tool::new(&find("tar").context("there is no tar")?);
    let (folder, archive) = (folder.display().to_string(), archive.display().to_string());
    tar.ok(&["--owner=0", "--group=0", "-C", &folder, "-cf", &archive, "."]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_the_loader_are_found_in_what_ldd_says() {
        let said = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(in_list(said), expected.map(PathBuf::from));
    }
}
