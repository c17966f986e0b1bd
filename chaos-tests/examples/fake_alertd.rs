//! Stands in for `alertd` in the harness' own tests: answers on the ops port, keeps a file, and writes a log.
//!
//! It is ready once there is a file "formed" beside its configuration. With FAKE_EXIT in its environment it ends at
//! once.

use std::{
    env, fs,
    io::{Read, Write},
    net::TcpListener,
    path::PathBuf,
    process::ExitCode,
};

use alert_cluster_config::{Config, NodeConfig};

fn main() -> ExitCode {
    let path = PathBuf::from(env::args().skip_while(|argument| argument != "--config").nth(1).expect("--config FILE"));
    let config = NodeConfig::load(&path).expect("a configuration that the harness wrote");
    if let Ok(code) = env::var("FAKE_EXIT") {
        eprintln!("ending at once, as asked");
        return ExitCode::from(code.parse::<u8>().expect("an exit code"));
    }
    fs::create_dir_all(&config.storage.state_directory).expect("a directory");
    let kept = config.storage.state_directory.join("kept");
    let starts = fs::read_to_string(&kept).ok().and_then(|text| text.parse::<u32>().ok()).unwrap_or_default() + 1;
    fs::write(&kept, starts.to_string()).expect("a file");
    println!("node {} serves; start {starts} on this disk", config.node.id);

    let formed = path.with_file_name("formed");
    let listener = TcpListener::bind(config.listen.ops).expect("a free port");
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut bytes = [0; 1024];
        let length = stream.read(&mut bytes).unwrap_or_default();
        let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let (status, body) = match request.split(' ').nth(1) {
            Some("/livez") => ("200 OK", "lives".to_owned()),
            Some("/readyz") if formed.exists() => ("200 OK", "serves".to_owned()),
            Some("/readyz") => ("503 Service Unavailable", "no cluster yet".to_owned()),
            Some("/metrics") => ("200 OK", format!("fake_cache_mib {}\n", config.storage.block_cache_mib)),
            _ => ("404 Not Found", String::new()),
        };
        let answer = format!("HTTP/1.0 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let _ = stream.write_all(answer.as_bytes());
    }
    ExitCode::SUCCESS
}
