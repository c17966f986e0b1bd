//! Compiles the contracts with `protox`, so that no protoc binary is needed.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let files = [
        "model",
        "context",
        "alerts",
        "search",
        "feed",
        "hits",
        "agreements",
        "rules",
        "audit",
        "statistics",
        "cluster",
        "raft",
    ]
    .map(|name| format!("alertstore/v1/{name}.proto"));
    println!("cargo:rerun-if-changed=alertstore");
    let descriptors = protox::compile(&files, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptor.bin"), prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure()
        // Ordered maps: the same message must encode to the same bytes on every node.
        .btree_map(".")
        .bytes(".alertstore.v1.RaftFrame")
        .bytes(".alertstore.v1.ForwardRequest")
        .bytes(".alertstore.v1.ForwardResponse")
        .bytes(".alertstore.v1.SnapshotChunk")
        .build_client(true)
        .build_server(true)
        .compile_fds(descriptors)?;
    Ok(())
}
