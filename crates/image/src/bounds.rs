//! How large an image may be.

/// Most layers, as Docker has it (moby `layer/layer.go`, `maxLayerDepth`, and an init layer of its own).
pub const LAYERS_MAX: usize = 127;
/// Most bytes that all layers have unpacked.
pub const BYTES_MAX: u64 = 8 << 30;
/// Most files, folders and links in all layers.
pub const ENTRIES_MAX: u64 = 500_000;
/// Most bytes of a manifest, an index or a configuration: what containerd and registries take.
pub const TEXT_BYTES_MAX: u64 = 4 << 20;
/// Most files in an archive of an image.
pub const MEMBERS_MAX: usize = 4096;
/// Most bytes of a path in a layer (`PATH_MAX` with its end).
pub const PATH_BYTES_MAX: u64 = 4095;
/// Most bytes of what a tar file says about one entry beside its header.
pub const EXTENSION_BYTES_MAX: u64 = 1 << 20;
