//! The types of Envoy's messages: the descriptors that the crate `envoy-types` is made of, which a test compares with the crate.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, MessageDescriptor};

/// The descriptors, as a FileDescriptorSet.
const DESCRIPTORS: &[u8] = include_bytes!("envoy.binpb.zst");

static POOL: LazyLock<Result<DescriptorPool, String>> = LazyLock::new(|| {
    let set = zstd::decode_all(DESCRIPTORS).map_err(|error| error.to_string())?;
    DescriptorPool::decode(set.as_slice()).map_err(|error| error.to_string())
});

/// All of them.
///
/// # Errors
/// Where they cannot be read: why, as one clause.
pub fn pool() -> Result<&'static DescriptorPool, String> {
    POOL.as_ref().map_err(|error| format!("the descriptors of Envoy's messages cannot be read: {error}"))
}

/// The type that a type URL, or the name at its end, means; None of one that is not known here.
pub fn message(type_url: &str) -> Option<MessageDescriptor> {
    POOL.as_ref().ok()?.get_message_by_name(type_url.rsplit('/').next().unwrap_or_default())
}
