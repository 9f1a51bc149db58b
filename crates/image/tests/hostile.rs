//! Images that are made to harm: nothing outside of the root is read, made, changed or removed.

// clippy takes only functions marked #[test] for tests; the helpers here fail tests, too.
#![allow(clippy::expect_used, clippy::panic)]

mod common;

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use catamaran_image::unpack::Unpacking;
use catamaran_image::{Error, Image, Result, digest};
use common::{Raw, file, folder, gzip, layer, layout, link};
use proptest::prelude::*;
use tar::EntryType;

use EntryType::{Link, Symlink};

/// A folder of somebody else's, and an empty root beside it.
struct Scene {
    home: tempfile::TempDir,
    /// Path of the other folder without its leading slash.
    outside: String,
}

impl Scene {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let outside = home.path().join("outside");
        fs::create_dir_all(outside.join("folder")).expect("a folder");
        fs::write(outside.join("secret"), "old").expect("a file");
        fs::set_permissions(outside.join("folder"), fs::Permissions::from_mode(0o700)).expect("a mode");
        fs::create_dir(home.path().join("root")).expect("a folder");
        Self { outside: outside.display().to_string(), home }
    }

    fn unpack(&self, layers: &[&[Raw<'_>]]) -> Result<()> {
        let mut unpacking = Unpacking::into(&self.root())?;
        layers.iter().try_for_each(|entries| unpacking.tar(&mut &*layer(entries)))
    }

    fn root(&self) -> std::path::PathBuf {
        self.home.path().join("root")
    }

    fn check(&self, what: &str) {
        let outside = Path::new(&self.outside);
        let mut names: Vec<_> =
            fs::read_dir(outside).expect("still there").map(|e| e.expect("an entry").file_name()).collect();
        names.sort();
        assert_eq!(names, ["folder", "secret"], "{what}");
        assert_eq!(fs::read_dir(outside.join("folder")).expect("still there").count(), 0, "{what}");
        let mode = fs::metadata(outside.join("folder")).expect("still there").mode() & 0o7777;
        assert_eq!(mode, 0o700, "{what}");
        assert_eq!(fs::read_to_string(outside.join("secret")).expect("still there"), "old", "{what}");
        let secret = fs::metadata(outside.join("secret")).expect("still there");
        assert_eq!((secret.nlink(), secret.mode() & 0o777), (1, 0o644), "{what}");
        let home = fs::read_dir(self.home.path()).expect("a folder").count();
        assert_eq!(home, 2, "{what}: something lies beside the root");
    }
}

#[test]
fn no_path_and_no_link_leads_out_of_the_root() {
    let scene = Scene::new();
    let out = scene.outside.clone();
    let secret = format!("{out}/secret");
    let up = "../outside";
    let inner = format!("{out}/folder");
    let table: Vec<(&str, Vec<Raw<'_>>)> = vec![
        ("a path with dots", vec![file("../outside/f")]),
        ("dots in the middle", vec![folder("a"), file("a/../../outside/f")]),
        ("an absolute path", vec![file(&secret)]),
        ("through an absolute link", vec![link(Symlink, "out", &out), file("out/f")]),
        ("through a relative link", vec![link(Symlink, "out", up), file("out/secret")]),
        (
            "through links of links",
            vec![link(Symlink, "a", ".."), link(Symlink, "b", "a/outside"), file("b/f")],
        ),
        ("a file on a link", vec![link(Symlink, "f", &secret), file("f")]),
        (
            "a file on a hard link to a link",
            vec![link(Symlink, "s", &secret), link(Link, "h", "s"), file("h")],
        ),
        ("a folder on a link", vec![link(Symlink, "out", &inner), folder("out")]),
        ("a hard link with dots", vec![link(Link, "h", "../outside/secret"), file("h")]),
        ("a hard link by an absolute path", vec![link(Link, "h", &secret)]),
        (
            "a hard link through a link",
            vec![link(Symlink, "out", up), link(Link, "h", "out/secret"), file("h")],
        ),
        ("a whiteout through a link", vec![link(Symlink, "out", &out), file("out/.wh.secret")]),
        ("a whiteout through dots", vec![link(Symlink, "out", up), file("out/.wh.folder")]),
        ("an opaque folder through a link", vec![link(Symlink, "out", &out), file("out/.wh..wh..opq")]),
        ("a whiteout of the folder above", vec![file(".wh...")]),
        ("a whiteout of the folder itself", vec![file(".wh..")]),
        ("a whiteout of a link", vec![link(Symlink, "out", &out), file(".wh.out")]),
        ("a loop", vec![link(Symlink, "a", "b"), link(Symlink, "b", "a"), file("a/f")]),
        ("what the kernel links to", vec![link(Symlink, "p", "/proc/self/root"), file("p/f")]),
    ];
    for (what, entries) in table {
        let _ = scene.unpack(&[&entries]);
        scene.check(what);
        fs::remove_dir_all(scene.root()).expect("the root can be removed");
        fs::create_dir(scene.root()).expect("a folder");
    }
}

#[test]
fn what_leads_out_is_refused_and_what_stays_is_taken() {
    let refused = |entries: &[Raw<'_>], said: &str| match Scene::new().unpack(&[entries]) {
        Err(Error::Bad { what, .. }) => assert!(what.contains(said), "{said}: {what}"),
        other => panic!("{said}: {other:?}"),
    };
    refused(&[file("../f")], "leads out of its folder");
    refused(&[link(Link, "h", "../f")], "leads out of its folder");
    refused(&[link(Link, "h", "nothing")], "which is not there");
    refused(&[folder("d"), link(Link, "h", "d")], "a hard link to a folder");
    refused(&[link(Symlink, "l", "nowhere"), file("l/f")], "is no folder");
    refused(&[file(".wh...")], "nothing is gone");
    refused(&[link(Symlink, "l", "")], "cannot make the link");
    refused(&[Raw { content: b"x", ..link(Symlink, "l", "x") }], "with 1 bytes");
    refused(&[Raw { kind: EntryType::GNUSparse, ..file("s") }], "of the kind");

    // `lib` leads to `usr/lib` in every distribution of today, and layers write to both.
    let scene = Scene::new();
    let merged = [
        folder("usr/lib"),
        link(Symlink, "lib", "/usr/lib"),
        file("lib/a/b.so"),
        link(Link, "usr/c", "/lib/a/b.so"),
    ];
    scene.unpack(&[&merged]).expect("a layer");
    assert_eq!(fs::read_to_string(scene.root().join("usr/lib/a/b.so")).expect("a file"), "new");
    assert_eq!(fs::metadata(scene.root().join("usr/c")).expect("a file").nlink(), 2);
}

#[test]
fn devices_and_lent_rights_do_not_come_along() {
    let scene = Scene::new();
    let entries = [
        Raw { mode: 0o6755, ..file("sudo") },
        Raw { mode: 0o7777, ..folder("tmp") },
        Raw { kind: EntryType::Char, content: b"", ..file("mem") },
        Raw { kind: EntryType::Block, content: b"", ..file("disk") },
        Raw { kind: EntryType::Fifo, content: b"", ..file("pipe") },
    ];
    scene.unpack(&[&[file("mem")], &entries]).expect("a layer");
    let mode = |name: &str| fs::metadata(scene.root().join(name)).expect("there").mode() & 0o7777;
    assert_eq!((mode("sudo"), mode("tmp")), (0o755, 0o1777));
    assert!(!scene.root().join("mem").exists() && !scene.root().join("disk").exists());
    assert!(fs::metadata(scene.root().join("pipe")).expect("a pipe").file_type().is_fifo());
}

#[test]
fn whiteouts_remove_what_is_beneath_and_nothing_else() {
    let scene = Scene::new();
    let beneath =
        [file("etc/a"), file("etc/b"), file("opt/old/x"), file("opt/old/y"), file("var/z"), folder("become")];
    let above = [
        file("etc/.wh.a"),
        // New ones, before and after the mark, stay.
        file("opt/old/new/n"),
        file("opt/.wh..wh..opq"),
        file("opt/later"),
        file("var/.wh..wh.plnk"),
        file("become"),
    ];
    scene.unpack(&[&beneath, &above]).expect("layers");
    let there = |name: &str| scene.root().join(name).exists();
    let found =
        ["etc/a", "etc/b", "opt/old/x", "opt/old/y", "opt/old/new/n", "opt/later", "var/z"].map(there);
    assert_eq!(found, [false, true, false, false, true, true, true]);
    assert!(scene.root().join("become").is_file());
    assert!(!there("var/.wh..wh.plnk") && !there("opt/.wh..wh..opq"));
}

/// Links make folders deeper than any path is long: whoever removes them has to get to the bottom.
#[test]
fn no_folder_is_too_deep_to_be_removed() {
    let scene = Scene::new();
    let deep = ["d"; 40].join("/");
    let mut unpacking = Unpacking::into(&scene.root()).expect("a root");
    let mut answer = Ok(());
    for number in 0..20 {
        let before = if number == 0 { String::new() } else { format!("l{}/", number - 1) };
        let path = format!("{before}{deep}");
        let own = format!("l{number}");
        answer =
            answer.and_then(|()| unpacking.tar(&mut &*layer(&[folder(&path), link(Symlink, &own, &path)])));
    }
    let error = answer.expect_err("800 folders in each other");
    assert!(error.to_string().contains("folders in each other"), "{error}");
    fs::remove_dir_all(scene.root()).expect("what is there can be removed");
}

#[test]
fn what_says_too_much_about_an_entry_is_refused() {
    let long = vec![b'a'; 5000];
    let much = vec![b'a'; 2 << 20];
    let pax = |text: &str| {
        // The length counts its own digits.
        let bytes = (1..5)
            .map(|digits| text.len() + 2 + digits)
            .find(|bytes| bytes.to_string().len() + text.len() + 2 == *bytes);
        format!("{} {text}\n", bytes.expect("a length")).into_bytes()
    };
    let (size, sparse) = (pax("size=99999999999"), pax("GNU.sparse.major=1"));
    let nobody = pax("uid=4294967295");
    let long_name = pax(&format!("path={}", "n".repeat(300)));
    let table: [(EntryType, &[u8], &str); 7] = [
        (EntryType::GNULongName, &long, "an extension of 5000 bytes"),
        (EntryType::XHeader, &much, "an extension of 2097152 bytes"),
        (EntryType::XHeader, b"nonsense", "an extension"),
        (EntryType::XHeader, &size, "more than 8 GiB"),
        (EntryType::XHeader, &sparse, "sparse"),
        (EntryType::XHeader, &nobody, "an owner that is none"),
        (EntryType::XHeader, &long_name, "a name of more than 255 bytes"),
    ];
    for (kind, content, said) in table {
        let error = Scene::new().unpack(&[&[Raw { kind, content, ..file("x") }, file("f")]]).expect_err(said);
        assert!(error.to_string().contains(said), "{said}: {error}");
    }
}

#[test]
fn layers_are_what_their_digests_say() {
    let home = tempfile::tempdir().expect("a folder");
    let plain = layer(&[file("a"), folder("b")]);
    let stored = gzip(&plain);
    let path = layout(&home.path().join("good"), &[(plain.clone(), stored.clone())]);
    let root = home.path().join("root");
    let unpack = |path: &Path| -> Result<()> {
        let _ = fs::remove_dir_all(&root);
        fs::create_dir(&root).expect("a folder");
        let image = Image::open(path)?;
        let mut unpacking = Unpacking::into(&root)?;
        image.layers().iter().try_for_each(|layer| unpacking.layer(&image, layer))
    };
    unpack(&path).expect("an image");
    let blob = path.join("blobs/sha256").join(digest(&stored).trim_start_matches("sha256:"));
    let mut bytes = stored.clone();
    *bytes.last_mut().expect("bytes") ^= 1;
    let more = [&stored[..], b"more"].concat();
    for (content, said) in
        [(&bytes[..], "layer sha256:"), (&stored[..9], "has 9 bytes"), (&more[..], "bytes, not")]
    {
        fs::write(&blob, content).expect("a file");
        let error = unpack(&path).expect_err(said);
        assert!(matches!(&error, Error::Bad { what, .. } if what.contains(said)), "{said}: {error}");
    }
    // What is stored is as it should be, but not what is in it.
    let other = layout(&home.path().join("other"), &[(layer(&[file("b")]), stored)]);
    let error = unpack(&other).expect_err("other content");
    assert!(error.to_string().contains("the digest of what it holds"), "{error}");
    // Bytes behind the compressed ones are a part of what is stored.
    let image =
        layout(&home.path().join("tail"), &[(plain, [gzip(&layer(&[file("a")])), vec![0; 9]].concat())]);
    unpack(&image).expect_err("not the tar file that it says");
}

#[test]
fn layers_are_read_however_they_are_compressed() {
    let home = tempfile::tempdir().expect("a folder");
    let layers = ["a", "b", "c", "d"].map(|name| layer(&[file(name)]));
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).expect("memory");
    // The last one in two pieces of each kind, as tools write that compress on all cores.
    let halves = layers[2].split_at(700);
    let others = layers[3].split_at(700);
    let stored = [
        layers[0].clone(),
        zstd(&layers[1]),
        [gzip(halves.0), gzip(halves.1)].concat(),
        [zstd(others.0), zstd(others.1)].concat(),
    ];
    let layers: Vec<_> = layers.into_iter().zip(stored).collect();
    let image = Image::open(&layout(&home.path().join("image"), &layers)).expect("an image");
    let root = home.path().join("root");
    fs::create_dir(&root).expect("a folder");
    let mut unpacking = Unpacking::into(&root).expect("a root");
    image.layers().iter().try_for_each(|layer| unpacking.layer(&image, layer)).expect("layers");
    assert!(["a", "b", "c", "d"].iter().all(|name| root.join(name).is_file()));
}

#[test]
fn what_is_no_image_is_told() {
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name);
    fs::write(at("text"), "hello").expect("a file");
    fs::write(at("packed"), gzip(b"tar")).expect("a file");
    fs::write(at("tar"), layer(&[file("a")])).expect("a file");
    fs::create_dir(at("empty")).expect("a folder");
    for (name, content) in [
        ("none", "[]"),
        ("two", "[{\"Config\":\"a\",\"Layers\":[]},{\"Config\":\"a\",\"Layers\":[]}]"),
        ("escape", "[{\"Config\":\"../../../etc/hostname\",\"Layers\":[]}]"),
        ("bad", "[{\"Config\":7}]"),
    ] {
        fs::write(at(name), layer(&[Raw { content: content.as_bytes(), ..file("manifest.json") }]))
            .expect("a file");
    }
    fs::create_dir(at("up")).expect("a folder");
    fs::write(at("up/manifest.json"), "[{\"Config\":\"../../../../../etc/hostname\",\"Layers\":[]}]")
        .expect("a file");
    for (name, said) in [
        ("nothing", "no such file"),
        ("text", "no tar file"),
        ("packed", "compressed"),
        ("tar", "neither an OCI layout"),
        ("empty", "neither an OCI layout"),
        ("none", "0 images"),
        ("two", "2 images"),
        ("escape", "there is no"),
        ("bad", "manifest.json: "),
        ("up", "../etc/hostname: "),
    ] {
        match Image::open(&at(name)) {
            Err(Error::Bad { what, .. }) => assert!(what.contains(said), "{name}: {what}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let pipe = at("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
    assert!(Image::open(&pipe).is_err_and(|error| error.to_string().contains("neither a file")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..2000), places in proptest::collection::vec((0usize..4096, any::<u8>()), 1..20)) {
        let scene = Scene::new();
        fs::create_dir(scene.home.path().join("spare")).expect("a folder");
        let archive = scene.home.path().join("spare/a.tar");
        fs::write(&archive, &bytes).expect("a file");
        let _ = Image::open(&archive);
        let _ = Unpacking::into(&scene.root()).expect("a root").tar(&mut &*bytes);
        // A good one with some bytes changed gets further.
        let mut good = layer(&[folder("a"), file("a/b"), link(Symlink, "c", "a"), link(Link, "d", "a/b"), file("c/.wh.b")]);
        for (at, byte) in places {
            if let Some(place) = good.get_mut(at) {
                *place = byte;
            }
        }
        let _ = Unpacking::into(&scene.root()).expect("a root").tar(&mut &*good);
        fs::remove_dir_all(scene.home.path().join("spare")).expect("a folder");
        scene.check("drawn bytes");
    }
}
