//! Network devices of the runtime's namespace that move into the container's.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::check::{Verdict, equal, holds, wrong};
use crate::net::{Network, addresses, is_up};
use crate::suite::{Case, Chapter, case};

pub(super) const CHAPTER: Chapter = Chapter { name: "net_devices", cases: CASES };

/// A network of the runtime's with a pair of devices, and a container with one of its own that asks for devices.
fn asked(bed: &mut Bed, devices: &Value) -> Verdict<Network> {
    let outside = Network::of_the_runtime(bed)?;
    outside.pair("cat0", "cat1")?;
    bed.namespace(json!({ "type": "network" }));
    bed.set(json!({ "ociVersion": "1.3.0", "linux": { "netDevices": devices } }));
    Ok(outside)
}

/// The device inside of the running container.
fn inside(bed: &mut Bed, name: &str) -> Verdict<Value> {
    let network = Network::of(bed.pid()?)?;
    match network.device(name)? {
        Some(device) => Ok(device),
        None => wrong(format!("no device {name} inside: {}", network.ip("-brief link")?)),
    }
}

/// The container is refused, and the device is where it was, as it was.
fn refused_as_it_was(bed: &mut Bed, outside: &Network, name: &str) -> Verdict {
    let before = outside.device(name)?;
    bed.refused()?;
    let after = outside.device(name)?;
    let of = |device: &Option<Value>| {
        device.as_ref().map(|one| (one["address"].clone(), one["mtu"].clone(), addresses(one), is_up(one)))
    };
    equal("the device outside", of(&after), of(&before))
}

const CASES: &[Case] = &[
    case("it_moves", "config-linux.md#network-devices: must be made available in the container", |bed| {
        let outside = asked(bed, &json!({ "cat0": {} }))?;
        bed.up()?;
        holds("it is in service", is_up(&inside(bed, "cat0")?))?;
        equal("outside", outside.device("cat0")?, None)?;
        holds("the other one stays", outside.device("cat1")?.is_some())
    })
    .since("1.3.0"),
    case("under_another_name", "config-linux.md#network-devices: name is its name inside", |bed| {
        let outside = asked(bed, &json!({ "cat0": { "name": "eth7" } }))?;
        bed.up()?;
        holds("it is in service", is_up(&inside(bed, "eth7")?))?;
        equal("outside", (outside.device("cat0")?, outside.device("eth7")?), (None, None))
    })
    .since("1.3.0"),
    case(
        "its_attributes_stay",
        "config-linux.md#network-devices: must preserve attributes, among them lasting addresses of global scope",
        |bed| {
            let outside = asked(bed, &json!({ "cat0": { "name": "eth7" } }))?;
            for line in [
                "link set cat0 mtu 1400 address 02:00:00:00:00:17",
                "address add 10.77.1.2/24 broadcast 10.77.1.255 dev cat0",
                "address add 10.77.1.9 peer 10.77.2.9/32 dev cat0",
                "address add fd00:77::2/64 dev cat0 nodad",
                "address add 169.254.77.2/16 scope link dev cat0",
                "address add 10.77.3.3/24 dev cat0 valid_lft 1000 preferred_lft 1000",
                "link set cat0 up",
                "link set cat1 up",
            ] {
                outside.ip(line)?;
            }
            bed.up()?;
            let device = inside(bed, "eth7")?;
            equal("mtu", &device["mtu"], 1400)?;
            equal("hardware address", &device["address"], "02:00:00:00:00:17")?;
            equal("addresses", addresses(&device), vec!["10.77.1.2/24", "10.77.1.9/32", "fd00:77::2/64"])?;
            let text = device["addr_info"].to_string();
            holds("the peer of an address", text.contains("10.77.2.9"))?;
            holds("the broadcast address", text.contains("10.77.1.255"))?;
            holds("no address of the link's scope", !text.contains("169.254.77.2"))
        },
    )
    .since("1.3.0"),
    case("two_of_them", "config-linux.md#network-devices: a set of devices", |bed| {
        let outside = asked(bed, &json!({ "cat0": { "name": "cat1" }, "cat1": { "name": "cat0" } }))?;
        let number = |device: Option<Value>| device.map(|one| one["address"].clone()).unwrap_or_default();
        let (first, second) = (number(outside.device("cat0")?), number(outside.device("cat1")?));
        bed.up()?;
        equal("what was cat0", &inside(bed, "cat1")?["address"], &first)?;
        equal("what was cat1", &inside(bed, "cat0")?["address"], &second)
    })
    .since("1.3.0"),
    case("a_template", "config-linux.md#network-devices: %d must be allowed, the kernel finds a name", |bed| {
        let _outside = asked(bed, &json!({ "cat0": { "name": "eth%d" }, "cat1": { "name": "eth%d" } }))?;
        bed.up()?;
        holds("both are in service", is_up(&inside(bed, "eth0")?) && is_up(&inside(bed, "eth1")?))
    })
    .since("1.3.0"),
    case(
        "a_name_that_is_taken",
        "config-linux.md#network-devices: if the name exists inside, it must be refused",
        |bed| {
            let outside = asked(bed, &json!({ "cat0": { "name": "here" } }))?;
            outside.ip("address add 10.77.1.2/24 dev cat0")?;
            outside.ip("link set cat0 up")?;
            let shared = Network::new()?;
            shared.pair("here", "there")?;
            bed.without_namespace("network");
            bed.namespace(json!({ "type": "network", "path": shared.path() }));
            refused_as_it_was(bed, &outside, "cat0")?;
            bed.set(json!({ "linux": { "netDevices": { "cat0": { "name": "her%d" } } } }));
            bed.up()?;
            holds("by a template it moves", is_up(&inside(bed, "her0")?))
        },
    )
    .since("1.3.0"),
    case("one_name_for_two", "config-linux.md#network-devices: if the name exists inside, it must be refused", |bed| {
        let outside = asked(bed, &json!({ "cat0": { "name": "one" }, "cat1": { "name": "one" } }))?;
        refused_as_it_was(bed, &outside, "cat0")
    })
    .since("1.3.0"),
    case("who_is_not_there", "config-linux.md#network-devices: must check that moving is possible", |bed| {
        let outside = asked(bed, &json!({ "cat0": {}, "cat7": {} }))?;
        refused_as_it_was(bed, &outside, "cat0")
    })
    .since("1.3.0"),
    case("what_can_not_move", "config-linux.md#network-devices: must check that moving is possible", |bed| {
        let outside = asked(bed, &json!({ "cat0": {}, "lo": { "name": "low" } }))?;
        outside.ip("address add 10.77.1.2/24 dev cat0")?;
        outside.ip("link set cat0 up")?;
        refused_as_it_was(bed, &outside, "cat0")
    })
    .since("1.3.0"),
    case("without_a_namespace", "config-linux.md#network-devices: into the container's namespace", |bed| {
        let outside = asked(bed, &json!({ "cat0": { "name": "eth7" } }))?;
        bed.without_namespace("network");
        refused_as_it_was(bed, &outside, "cat0")
    })
    .since("1.3.0"),
    case(
        "after_an_error_it_is_back",
        "runtime.md#errors: an error leaves everything as it was",
        |bed| {
            let outside = asked(bed, &json!({ "cat0": { "name": "eth7" } }))?;
            outside.ip("address add 10.77.1.2/24 dev cat0")?;
            outside.ip("link set cat0 up")?;
            bed.mount(json!({ "destination": "/x", "type": "nosuchfs", "source": "none" }));
            refused_as_it_was(bed, &outside, "cat0")
        },
    )
    .since("1.3.0"),
    case("its_parameters_can_be_set", "config-linux.md#sysctl: parameters of the container's devices", |bed| {
        let _outside = asked(bed, &json!({ "cat0": { "name": "eth7" } }))?;
        bed.set(json!({ "linux": { "sysctl": { "net.ipv4.conf.eth7.rp_filter": "2" } } }));
        equal("answers", bed.ask(&["read /proc/sys/net/ipv4/conf/eth7/rp_filter"])?, json!(["2\n"]))
    })
    .since("1.3.0"),
    case(
        "with_a_user_namespace",
        "config-linux.md#network-devices: into the container's namespace, whoever owns it",
        |bed| {
            let _outside = asked(bed, &json!({ "cat0": { "name": "eth7" } }))?;
            super::user_namespace::mapped(bed);
            bed.up()?;
            holds("it is in service", is_up(&inside(bed, "eth7")?))
        },
    )
    .since("1.3.0"),
    case(
        "it_stays_in_a_namespace_that_stays",
        "config-linux.md#network-devices: must not be moved out before deletion",
        |bed| {
            let outside = asked(bed, &json!({ "cat0": { "name": "eth7" } }))?;
            let shared = Network::new()?;
            bed.without_namespace("network");
            bed.namespace(json!({ "type": "network", "path": shared.path() }));
            bed.up()?;
            bed.stop()?;
            bed.must(&["delete", &bed.id.clone()])?;
            equal("outside", (outside.device("cat0")?, outside.device("eth7")?), (None, None))?;
            holds("it is where it was moved to", shared.device("eth7")?.is_some())
        },
    )
    .since("1.3.0"),
];
