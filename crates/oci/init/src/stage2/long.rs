//! Options that are longer than fsconfig(2) takes: layers of an overlay go one by one, everything else goes to mount(2) in one
//! string, onto a descriptor of the place.

use std::ffi::CString;
use std::os::fd::OwnedFd;

use catamaran_oci_init::mount::Options;
use rustix::mount::MountFlags;

use crate::sys;

/// Bytes of one value for fsconfig(2), without its NUL (`fs/fsopen.c`: `strndup_user(_value, 256)`).
const VALUE_MAX: usize = 255;

/// Whether one of the words is too long for fsconfig(2) as it stands.
pub(crate) fn is_among(words: &[String]) -> bool {
    words.iter().any(|word| value(word).len() > VALUE_MAX)
}

fn value(word: &str) -> &str {
    word.split_once('=').map_or("", |(_, value)| value)
}

/// The layers of a long `lowerdir=`, for `lowerdir+` (Linux 6.7), which takes each as it is named; none where it is no such
/// word, where there are layers for data alone (`::`), or where one is too long by itself.
pub(crate) fn layers(kind: &str, word: &str) -> Option<Vec<String>> {
    let value =
        word.strip_prefix("lowerdir=").filter(|value| kind == "overlay" && value.len() > VALUE_MAX)?;
    let mut all = vec![String::new()];
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (letter, all.last_mut()) {
            // A backslash keeps a colon from being an end (`fs/overlayfs/params.c`, `ovl_parse_param_split_lowerdirs`).
            ('\\', Some(layer)) => layer.extend(letters.next()),
            (':', _) => all.push(String::new()),
            (letter, Some(layer)) => layer.push(letter),
            (_, None) => {}
        }
    }
    all.iter().all(|layer| (1..=VALUE_MAX).contains(&layer.len())).then_some(all)
}

/// Mounts a new file system onto `place` by mount(2). Attributes and propagation are for later.
pub(crate) fn mount(kind: &str, source: &str, options: &Options, place: &OwnedFd) -> Result<(), String> {
    if let Some(word) = options.data.iter().find(|word| word.contains(',')) {
        return Err(format!(
            "{kind}: {word}: beside an option of more than {VALUE_MAX} bytes none may have a comma"
        ));
    }
    let (mut flags, mut words) = (MountFlags::empty(), Vec::new());
    for word in &options.superblock {
        match word.as_str() {
            "ro" => flags |= MountFlags::RDONLY,
            "sync" => flags |= MountFlags::SYNCHRONOUS,
            "dirsync" => flags |= MountFlags::DIRSYNC,
            "lazytime" => flags |= MountFlags::LAZYTIME,
            "mand" => flags |= MountFlags::PERMIT_MANDATORY_FILE_LOCKING,
            // What takes one of these back is the default here.
            "rw" | "async" | "nolazytime" | "nomand" => {}
            other => words.push(other),
        }
    }
    words.extend(options.data.iter().map(String::as_str));
    let data = CString::new(words.join(",")).map_err(|error| error.to_string())?;
    let most = rustix::param::page_size();
    if data.as_bytes_with_nul().len() > most {
        // What is beyond it the kernel would leave out without a word (`fs/namespace.c`, `copy_mount_options`).
        return Err(format!(
            "{kind}: options of {} bytes found, and mount(2) takes {}: shorten them, or for layers of an overlay take Linux 6.7",
            data.count_bytes(),
            most - 1
        ));
    }
    // The caller's procfs: no other root is entered yet. The link leads to the very place that is held.
    let target = format!("/proc/self/fd/{}", sys::number_of(place));
    rustix::mount::mount(source, target.as_str(), kind, flags, data.as_c_str())
        .map_err(|error| format!("{kind}: mount(2) with options of {} bytes: {error}", data.count_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_is_left_out_without_a_word() {
        let place = rustix::fs::open("/", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
        let options =
            Options { data: vec![format!("lowerdir=/{}", "x".repeat(70_000))], ..Options::default() };
        let problem = mount("overlay", "overlay", &options, &place).unwrap_err();
        assert!(problem.contains("options of 70010 bytes found, and mount(2) takes"), "{problem}");
    }

    #[test]
    fn layers_are_cut_at_colons_that_are_not_kept() {
        let long = "x".repeat(250);
        let word = format!("lowerdir=/a\\:b:/{long}:/c\\\\");
        assert_eq!(
            layers("overlay", &word),
            Some(vec!["/a:b".to_owned(), format!("/{long}"), "/c\\".to_owned()])
        );
        assert_eq!(layers("tmpfs", &word), None);
        assert_eq!(layers("overlay", "lowerdir=/a:/b"), None, "short enough");
        assert_eq!(layers("overlay", &format!("lowerdir=/{long}::/data:/more")), None);
        assert_eq!(layers("overlay", &format!("lowerdir=/{long}{long}")), None);
        assert_eq!(layers("overlay", &format!("upperdir=/{long}{long}")), None);
        assert!(is_among(&[word]) && !is_among(&["size=1".to_owned(), long]));
    }
}
