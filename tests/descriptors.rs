//! The descriptors of Envoy's messages are those that the crate `envoy-types` was made of: `UPDATE=1` makes the file anew.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use prost::Message;
use prost_reflect::prost_types::FileDescriptorSet;

/// Where the crate's own descriptors lie, comments and all.
fn of_crate() -> PathBuf {
    let about = String::from_utf8(Command::new("rustc").arg("-vV").output().unwrap().stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Of this platform alone: the crates of others need not be here.
    let arguments = ["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let crate_ = packages.iter().find(|package| package["name"] == "envoy-types").unwrap();
    Path::new(crate_["manifest_path"].as_str().unwrap()).with_file_name("src/generated/types.bin")
}

#[test]
fn the_descriptors_are_those_of_envoy_types() {
    let mut set = FileDescriptorSet::decode(std::fs::read(of_crate()).unwrap().as_slice()).unwrap();
    // Nobody reads comments there, which are four fifths of it.
    set.file.iter_mut().for_each(|file| file.source_code_info = None);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model/envoy.binpb.zst");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, zstd::encode_all(set.encode_to_vec().as_slice(), 19).unwrap()).unwrap();
    }
    let ours = zstd::decode_all(std::fs::read(&file).unwrap().as_slice()).unwrap();
    assert!(FileDescriptorSet::decode(ours.as_slice()).unwrap() == set, "run this test with UPDATE=1 after envoy-types changed");
}
