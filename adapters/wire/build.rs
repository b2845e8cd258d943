//! Makes the types of the schema, with their binary and their JSON form, out of `proto/telemetry.proto`.

use std::env;
use std::error::Error;
use std::path::PathBuf;

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto/telemetry.proto");
    let schema = protox::compile(["proto/telemetry.proto"], ["proto"])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo names no folder for what is made")?);

    pbjson_build::Builder::new()
        .register_descriptors(&schema.encode_to_vec())?
        .out_dir(&out)
        .btree_map([".esper"])
        .preserve_proto_field_names()
        .ignore_unknown_fields()
        .build(&[".esper.leyline.v1"])?;
    // Maps are in the order of their keys, so that the same packet is the same bytes. (Without the third line it has types of its own for
    // what is Google's, which know no JSON.)
    prost_build::Config::new()
        .out_dir(out)
        .btree_map(["."])
        .compile_well_known_types()
        .extern_path(".google.protobuf", "::pbjson_types")
        .compile_fds(schema)?;
    Ok(())
}
