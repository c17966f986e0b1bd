//! What the store promises, shown with real `alertd` processes: killed, without power, without their disk, with damaged
//! files, asked by strangers, wrongly configured; and that the examples do what they say.
//!
//! One program, so that it is linked once; a module for each promise. `cargo build --workspace --bins --examples`
//! first: the tests start the programs of the same build. `KEEP=1` keeps the files of a cluster.

mod audit;
mod damaged_log;
mod desk;
mod examples;
mod failing_fsync;
mod formation;
mod killed;
mod logs;
mod lost_disk;
mod national_copy;
mod overload;
mod power_loss;
mod refused_callers;
mod refused_starts;
mod request_ids;
mod stage;
mod tool;
mod visibility;
