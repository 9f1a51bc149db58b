//! Tables of option words.

use libc::{
    MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MOUNT_ATTR_STRICTATIME,
};
use proptest::prelude::*;

use super::*;

fn of_words(words: &str) -> Options {
    options(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).unwrap()
}

const fn bits(set: u64, clear: u64) -> Attributes {
    Attributes { set, clear }
}

const NONE: Attributes = bits(0, 0);

#[test]
fn attributes_go_to_the_mount_alone_or_to_all_below_it() {
    // Words, of the mount, of all below it.
    let cases = [
        ("ro", bits(MOUNT_ATTR_RDONLY, 0), NONE),
        ("rw", bits(0, MOUNT_ATTR_RDONLY), NONE),
        ("nosuid nodev noexec", bits(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0), NONE),
        ("suid dev exec", bits(0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC), NONE),
        ("nodiratime nosymfollow", bits(MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW, 0), NONE),
        ("diratime symfollow", bits(0, MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW), NONE),
        ("noatime", bits(MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME), NONE),
        ("strictatime", bits(MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME), NONE),
        ("relatime", bits(0, MOUNT_ATTR__ATIME), NONE),
        ("atime", bits(0, MOUNT_ATTR__ATIME), NONE),
        ("nostrictatime", bits(0, MOUNT_ATTR__ATIME), NONE),
        ("norelatime", NONE, NONE),
        ("rro", NONE, bits(MOUNT_ATTR_RDONLY, 0)),
        ("rrw", NONE, bits(0, MOUNT_ATTR_RDONLY)),
        ("rnosuid rnodev rnoexec", NONE, bits(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0)),
        ("rsuid rdev rexec", NONE, bits(0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)),
        ("rnodiratime rnosymfollow", NONE, bits(MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW, 0)),
        ("rdiratime rsymfollow", NONE, bits(0, MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)),
        ("rnoatime", NONE, bits(MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME)),
        ("rstrictatime", NONE, bits(MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME)),
        ("rrelatime", NONE, bits(0, MOUNT_ATTR__ATIME)),
        ("ratime", NONE, bits(0, MOUNT_ATTR__ATIME)),
        ("rnostrictatime", NONE, bits(0, MOUNT_ATTR__ATIME)),
        ("rnorelatime", NONE, NONE),
        ("defaults silent loud iversion noiversion", NONE, NONE),
        ("ro rnosuid", bits(MOUNT_ATTR_RDONLY, 0), bits(MOUNT_ATTR_NOSUID, 0)),
    ];
    for (words, attributes, recursive) in cases {
        let options = of_words(words);
        assert_eq!((options.attributes, options.recursive), (attributes, recursive), "{words}");
    }
}

#[test]
fn of_words_that_contradict_the_later_holds() {
    let pairs = [
        ("ro rw", "rw"),
        ("rw ro", "ro"),
        ("nosuid suid nosuid", "nosuid"),
        ("rro rrw", "rrw"),
        ("noatime strictatime", "strictatime"),
        ("strictatime noatime", "noatime"),
        ("noatime relatime", "relatime"),
        ("noatime atime", "atime"),
        ("relatime norelatime", ""),
        ("noatime nostrictatime", "noatime"),
        ("sync async", "async"),
        ("nolazytime lazytime", "lazytime"),
        ("mand nomand", "nomand"),
        ("private shared", "shared"),
        ("rshared private rslave", "rslave"),
        ("slave private", "private"),
        ("bind rbind", "rbind"),
        ("ridmap idmap bind", "idmap bind"),
    ];
    for (words, same) in pairs {
        assert_eq!(of_words(words), of_words(same), "{words}");
    }
}

#[test]
fn propagation_keeps_what_reaches_further_and_slaves_that_are_shared() {
    let list = |words: &str| {
        let list = of_words(words).propagation;
        list.iter().map(|one| (one.kind, one.reach)).collect::<Vec<_>>()
    };
    assert_eq!(list("rslave shared"), [(Kind::Slave, Reach::Recursive), (Kind::Shared, Reach::Alone)]);
    assert_eq!(
        list("rprivate unbindable"),
        [(Kind::Private, Reach::Recursive), (Kind::Unbindable, Reach::Alone)]
    );
    assert_eq!(list("slave shared"), [(Kind::Slave, Reach::Alone), (Kind::Shared, Reach::Alone)]);
    assert_eq!(list("shared slave"), [(Kind::Slave, Reach::Alone)]);
    assert_eq!(list("runbindable"), [(Kind::Unbindable, Reach::Recursive)]);
}

#[test]
fn a_file_system_gets_its_own_words_in_order() {
    // Words, flags of the file system, its data.
    let cases = [
        ("nosuid mode=755 size=65536k", vec![], vec!["mode=755", "size=65536k"]),
        ("mode=755,size=64k", vec![], vec!["mode=755", "size=64k"]),
        ("ro newinstance", vec!["ro"], vec!["newinstance"]),
        ("sync dirsync rw", vec!["sync", "dirsync", "rw"], vec![]),
        ("context=\"system_u:object_r:t:s0:c1,c2\"", vec![], vec!["context=system_u:object_r:t:s0:c1,c2"]),
        ("lowerdir=/a\\,b:/c,upperdir=/u", vec![], vec!["lowerdir=/a\\,b:/c", "upperdir=/u"]),
        ("auto nofail _netdev x-systemd.automount ,", vec![], vec![]),
        ("Ro", vec![], vec!["Ro"]),
    ];
    for (words, superblock, data) in cases {
        let options = of_words(words);
        assert_eq!(options.superblock, superblock, "{words}");
        assert_eq!(options.data, data, "{words}");
    }
    assert!(of_words("tmpcopyup mode=700").copy_up);
}

#[test]
fn a_bind_mount_makes_no_file_system() {
    let options = of_words("rbind ro mode=755 sync tmpcopyup");
    assert_eq!(options.bind, Some(Reach::Recursive));
    assert_eq!((options.superblock.len(), options.data.len(), options.copy_up), (0, 0, false));
    assert_eq!(options.attributes, bits(MOUNT_ATTR_RDONLY, 0));
}

fn of_json(text: &str) -> Options {
    of(&serde_json::from_str(text).unwrap(), "mounts[0]").unwrap()
}

#[test]
fn the_type_bind_binds_and_mappings_mean_idmap() {
    let bind = of_json(r#"{"destination": "/d", "source": "/s", "type": "bind", "options": ["ro", "sync"]}"#);
    assert_eq!((bind.bind, bind.superblock.len()), (Some(Reach::Alone), 0));
    let none = of_json(r#"{"destination": "/d", "source": "/s", "type": "none", "options": ["rbind"]}"#);
    assert_eq!(none.bind, Some(Reach::Recursive));
    let mapped = r#"{"destination": "/d", "source": "/s", "options": ["bind"],
        "uidMappings": [{"containerID": 0, "hostID": 5, "size": 1}],
        "gidMappings": [{"containerID": 0, "hostID": 5, "size": 1}]}"#;
    assert_eq!(of_json(mapped).idmap, Some(Reach::Alone));
    assert_eq!(of_json(&mapped.replace("\"bind\"", "\"rbind\", \"ridmap\"")).idmap, Some(Reach::Recursive));
    assert_eq!(of_json(r#"{"destination": "/d"}"#), Options::default());
}

#[test]
fn read_only_counts_what_comes_last() {
    for (words, read_only) in
        [("ro", true), ("rro", true), ("ro rrw", false), ("rw", false), ("rw rro", true)]
    {
        assert_eq!(of_words(words).is_read_only(), read_only, "{words}");
    }
}

#[test]
fn every_word_of_the_specification_is_known_and_none_twice() {
    let names: Vec<&str> = known().collect();
    assert!(names.is_sorted_by(|a, b| a < b), "the table is searched by halves");
    for name in &names {
        let alone = options(&[(*name).to_owned()]).unwrap();
        assert_eq!(alone.data, Vec::<String>::new(), "{name} is not the file system's");
    }
}

#[test]
fn a_nul_is_refused_by_its_place() {
    let words = ["ro".to_owned(), "mode=7\x0055".to_owned()];
    let told = options(&words).unwrap_err().to_string();
    assert!(told.contains("mounts[].options[1]"), "{told}");
}

proptest! {
    #[test]
    fn any_words_leave_no_contradiction(
        words in prop::collection::vec(
            prop_oneof![prop::sample::select(known().collect::<Vec<_>>()).prop_map(str::to_owned), ".{0,12}"],
            0..12,
        )
    ) {
        let Ok(options) = options(&words) else {
            prop_assert!(words.iter().any(|word| word.contains('\0')));
            return Ok(());
        };
        for attributes in [options.attributes, options.recursive] {
            let both = attributes.set & attributes.clear & !MOUNT_ATTR__ATIME;
            prop_assert_eq!(both, 0);
            if attributes.set & MOUNT_ATTR__ATIME != 0 {
                prop_assert_eq!(attributes.clear & MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME);
            }
        }
        prop_assert!(options.propagation.len() <= 4);
        prop_assert!(options.superblock.len() <= 5);
        // Reading them twice in a row changes nothing but the file system's data.
        let twice = super::options(&[words.clone(), words].concat()).unwrap();
        prop_assert_eq!((twice.attributes, twice.recursive), (options.attributes, options.recursive));
    }
}
