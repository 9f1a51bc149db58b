//! The file's own fields.

use super::takes::BYTES_MOST;
use super::{Field, Table, Takes};

/// The whole file.
pub(crate) static ROOT: Table = Table::new(
    "A scenario: tenants that share a machine or a cluster, carried out once on each platform, simulated or natively.",
    &[
        Field::required("schema", Takes::Exactly(SCHEMA))
            .means("Says that the file is a scenario, and of which version of the format.")
            .like("\"catamaran/scenario/v1\""),
        Field::required("name", Takes::Name)
            .means("What the scenario is called in reports and on the command line.")
            .like("\"noisy-neighbour\""),
        Field::absent("title", Takes::Table(&TITLE), "the name")
            .means("The title for people, in English and Korean.")
            .like("{ en = \"The noisy neighbour\", ko = \"시끄러운 이웃\" }"),
        Field::default("seed", Takes::Count { least: 0, most: (1 << 53) - 1 }, "1")
            .means(
                "Every random stream derives from it: the same seed gives the same arrivals and demands on every \
                 platform, simulated or native. Bounded so that JSON and JavaScript carry it exactly.",
            )
            .like("7"),
        Field::required("duration", Takes::SPAN)
            .means("The run ends here, or earlier when nothing is left to do.")
            .like("\"20s\""),
        Field::required("platforms", Takes::Platforms)
            .means("The scenario is carried out once on each.")
            .like("[\"bare-metal\", \"vm\", \"container\"]"),
        Field::absent("host", Takes::Table(&super::host::HOST), "1 core, 1GiB")
            .means("The machine: what the simulator models, and what a native run is confined to.")
            .like("{ cores = 2, memory = \"4GiB\" }"),
        Field::required("tenant", Takes::Tables(&super::tenant::TENANT))
            .means("The applications that share the machine, one [[tenant]] each, at least one and at most 1000.")
            .like("[{ name = \"batch\", workload = { kind = \"compute\", work = \"30s\" } }]"),
        Field::optional("image", Takes::Tables(&IMAGE))
            .means("Images that tenants may name in place of the built-in worker, one [[image]] each.")
            .like("[{ name = \"shop\", layers = [{ id = \"base\", size = \"30MiB\" }] }]"),
        Field::optional("event", Takes::Tables(&super::event::EVENT))
            .means("What happens to tenants and nodes during the run, one [[event]] each, at most 1000.")
            .like("[{ at = \"5s\", do = \"kill\", target = \"shop\" }]"),
        Field::optional("platform", Takes::ByPlatform(&super::host::PLATFORMS))
            .means("Settings of single platforms, each under [platform.NAME].")
            .like("{ vm = { vcpus = 2 } }"),
    ],
);

/// The format's name and version.
pub(crate) const SCHEMA: &str = "catamaran/scenario/v1";

static TITLE: Table = Table::new(
    "A text in both languages of the page.",
    &[
        Field::required("en", Takes::Text).means("English.").like("\"The noisy neighbour\""),
        Field::absent("ko", Takes::Text, "the English one").means("Korean.").like("\"시끄러운 이웃\""),
    ],
);

static IMAGE: Table = Table::new(
    "An image: what a tenant's files come from. Its layers are what the simulator pulls and unpacks; natively its archive is used.",
    &[
        Field::required("name", Takes::ImageName)
            .means("By which tenants and events name it; unique.")
            .like("\"shop:1.2\"")
            .becomes("Kubernetes: containers[].image"),
        Field::absent("layers", Takes::Tables(&LAYER), "required without archive")
            .means("Its layers, the bottom one first. An image needs layers, an archive or both.")
            .like("[{ id = \"base\", size = \"30MiB\" }]")
            .becomes("OCI: manifest layers"),
        Field::absent("archive", Takes::Text, "required without layers")
            .means(
                "For native runs: path of an OCI layout or `docker save` archive, relative to the scenario's file, or an image in a registry \
                 on this machine, http://127.0.0.1:PORT/NAME:TAG.",
            )
            .like("\"images/shop.tar\""),
        Field::default("cached", Takes::Flag, "false")
            .means("Whether each node has the image, unpacked, before the run begins; else the first tenant waits for it.")
            .like("true")
            .becomes("Kubernetes: imagePullPolicy: IfNotPresent, and it is"),
    ],
);

static LAYER: Table = Table::new(
    "A layer of an image: files laid over those of the layers below.",
    &[
        Field::required("id", Takes::Text)
            .means("Layers of equal id are one layer, pulled once and shared; their sizes must agree.")
            .like("\"base\"")
            .becomes("OCI: descriptor digest"),
        Field::required("size", Takes::Bytes { least: 1, most: BYTES_MOST })
            .means("Its compressed size, which is what a pull carries.")
            .like("\"30MiB\"")
            .becomes("OCI: descriptor size"),
    ],
);
