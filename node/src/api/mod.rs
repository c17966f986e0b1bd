//! The gRPC services: thin. Who calls, why and until when; what the state and the domain answer; typed errors.
//!
//! * [`backend`]: what the services ask of the rest of the node, as traits

pub mod backend;
