//! `workload.layer`: the layer of the tenant's image that its file is.

use crate::Bytes;
use crate::diagnostic::{Problem, nearest, quoted};
use crate::file_work::{FILE_BYTES_MAX, layers_of};
use crate::plan::{Image, Layer};

use super::Scope;
use super::reader::Reader;
use super::tenant::Located;
use super::workload::Own;

/// Layers that an error lists.
const LISTED: usize = 20;

/// The layer, where the workload names one and its tenant's image has it.
pub(super) fn read(reader: &Reader<'_>, scope: &Scope, own: Own<'_>, block: Bytes) -> Option<Layer> {
    let id = reader.text("layer")?;
    if reader.has("cached") {
        let problem = Problem::new("has no meaning with layer, whose file goes through the page cache");
        reader
            .fail("cached", problem.advises("leave it out: the page cache does not hold the file at first"));
    }
    let Some(name) = own.image else {
        let problem = Problem::new(format!("layer {} of a tenant without an image", quoted(&id)));
        reader.fail("layer", problem.advises("give the tenant an image that has the layer"));
        return None;
    };
    // One that is not known is refused where the tenant names it.
    let image = scope.known.iter().find(|image| image.name == name)?;
    let Some(layer) = image.layers.iter().find(|layer| layer.id == id) else {
        reader.fail("layer", unknown(&id, image));
        return None;
    };
    if layer.size.0 > FILE_BYTES_MAX {
        let problem = Problem::new(format!("layer {} is of {}", quoted(&id), layer.size));
        let problem = problem.accepts(format!("a layer of at most {}", Bytes(FILE_BYTES_MAX)));
        reader.fail("layer", problem.advises("name a smaller layer, or split it"));
    } else if block > layer.size {
        let problem = Problem::new(format!("block {block} is above the layer's {}", layer.size));
        reader.fail("block", problem.accepts("at most the layer's size").advises("lower it"));
    }
    Some(layer.clone())
}

fn unknown(id: &str, image: &Image) -> Problem {
    let problem = Problem::new(format!("there is no layer {} in image {}", quoted(id), quoted(&image.name)));
    let known: Vec<&str> = image.layers.iter().map(|layer| layer.id.as_str()).collect();
    if known.is_empty() {
        return problem.advises("list its layers, as in layers = [{ id = \"base\", size = \"30MiB\" }]");
    }
    let list: Vec<String> = known.iter().take(LISTED).map(|id| quoted(id)).collect();
    let more = if known.len() > LISTED { ", …" } else { "" };
    problem.accepts(format!("{}{more}", list.join(", "))).suggests(nearest(id, known))
}

/// Another image has the layers that the tenant's workload names.
pub(super) fn check_update(
    reader: &Reader<'_>,
    scope: &Scope,
    (target, image): (Option<&str>, Option<&str>),
    tenants: &[Located],
) {
    let tenant = tenants.iter().map(|located| &located.tenant).find(|tenant| Some(&*tenant.name) == target);
    let image = scope.known.iter().find(|known| Some(known.name.as_str()) == image);
    let (Some(tenant), Some(image)) = (tenant, image) else { return };
    let lacks = |layer: &&Layer| !image.layers.contains(layer);
    if let Some(layer) = layers_of(&tenant.workload).into_iter().find(lacks) {
        let what = format!(
            "image {} has no layer {} of {}, which the tenant's workload names",
            quoted(&image.name),
            quoted(&layer.id),
            layer.size
        );
        reader.fail("image", Problem::new(what).advises("add the layer, or choose another image"));
    }
}

#[cfg(test)]
mod tests {
    use crate::Plan;
    use crate::file_work::FileWork;

    /// A tenant with that image and workload, two images, and whatever else.
    fn scenario(image: &str, workload: &str, more: &str) -> String {
        format!(
            "schema = \"catamaran/scenario/v1\"\nname = \"layers\"\nduration = \"9s\"\nplatforms = [\"container\"]\n\
             [[image]]\nname = \"shop\"\nlayers = [{{ id = \"base\", size = \"30MiB\" }}, {{ id = \"big\", size = \"300MiB\" }}]\n\
             [[image]]\nname = \"bare\"\narchive = \"bare.tar\"\n\
             [[tenant]]\nname = \"web\"\n{image}\nworkload = {{ {workload} }}\n{more}\n"
        )
    }

    const SHOP: &str = "image = \"shop\"";
    const DISK: &str = "kind = \"disk\", op = \"read\", size = \"64MiB\"";

    #[test]
    fn a_file_is_as_large_as_its_layer_and_goes_through_the_page_cache() {
        let text = scenario(SHOP, &format!("{DISK}, block = \"1000B\", layer = \"base\""), "");
        let plan = Plan::from_toml(&text, "x.toml").unwrap_or_else(|error| panic!("{error}"));
        let work = FileWork::of(&plan.tenants()[0].workload).unwrap();
        assert_eq!((work.cached, work.layer_bytes), (true, Some(30 << 20)));
        assert_eq!((work.operations, work.file_blocks), ((64 << 20) / 1000 + 1, (30 << 20) / 1000));
    }

    #[test]
    fn layers_that_are_not_there_are_refused_by_name() {
        let (own, other) = ("tenant.web.workload.layer", "event[0].image");
        let update = "[[event]]\nat = \"1s\"\ndo = \"update\"\ntarget = \"web\"\nimage = \"bare\"";
        // What the tenant has beside its layer, the layer with what stands beside it, the field, the message.
        let table = [
            ("", "\"base\"", "", own, "layer \"base\" of a tenant without an image"),
            (SHOP, "\"bas\"", "", own, "there is no layer \"bas\" in image \"shop\""),
            (SHOP, "\"bas\"", "", own, "accepted: \"base\", \"big\"; did you mean \"base\"?"),
            (SHOP, "\"big\"", "", own, "layer \"big\" is of 300MiB; accepted: a layer of at most 256MiB"),
            (SHOP, "7", "", own, "accepted: the id of a layer of the tenant's image"),
            ("image = \"bare\"", "\"base\"", "", own, "list its layers"),
            (SHOP, "\"base\", cached = true", "", "tenant.web.workload.cached", "has no meaning with layer"),
            (SHOP, "\"base\", block = \"40MiB\"", "", "tenant.web.workload.block", "above the layer's 30MiB"),
            (SHOP, "\"base\"", update, other, "image \"bare\" has no layer \"base\" of 30MiB"),
        ];
        for (image, layer, more, path, message) in table {
            let text = scenario(image, &format!("{DISK}, layer = {layer}"), more);
            let error = Plan::from_toml(&text, "x.toml").expect_err(&text);
            assert_eq!(error.path, path, "{error}");
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
